import MarketModel
import RecordModel

/// An instruction of Raydium v4 that moves a market: the tag and what follows it, and where the
/// accounts stand that the market needs.
enum RaydiumV4Instruction: Hashable {
    /// A swap: the amount that is fixed, the other's limit, and the index of the coin's vault among
    /// the accounts; that of the pc follows. The trader is the last account.
    case swap(isExactIn: Bool, fixed: UInt64, limit: UInt64, vaults: Int)
    case initialize
    case deposit
    case withdraw

    /// Nil for a known instruction without meaning for a market.
    static func read(_ data: RawSpan, accountCount: Int) throws(ParseFailure) -> Self? {
        guard data.byteCount > 0 else { throw .truncated }
        switch data.byte(at: 0) {
        case 1: return .initialize
        case 3: return .deposit
        case 4: return .withdraw
        case 9: return try swap(data, isExactIn: true, vaults: orderBookVaults(accountCount))
        case 11: return try swap(data, isExactIn: false, vaults: orderBookVaults(accountCount))
        case 16: return try swap(data, isExactIn: true, vaults: shortVaults(accountCount))
        case 17: return try swap(data, isExactIn: false, vaults: shortVaults(accountCount))
        default: return nil
        }
    }

    /// Whether the tag is one of the program's, moving a market or not.
    static func isKnown(tag: UInt8) -> Bool { tag <= 17 }

    /// The accounts of the order book stand in the list, with or without the target orders.
    private static func orderBookVaults(_ accountCount: Int) throws(ParseFailure) -> Int {
        switch accountCount {
        case 17: return 4
        case 18: return 5
        default: throw .missingAccount
        }
    }

    private static func shortVaults(_ accountCount: Int) throws(ParseFailure) -> Int {
        guard accountCount >= 8 else { throw .missingAccount }
        return 3
    }

    private static func swap(
        _ data: RawSpan,
        isExactIn: Bool,
        vaults: Int
    ) throws(ParseFailure) -> Self {
        guard data.byteCount >= 17 else { throw .truncated }
        let first = data.littleEndianUInt64(at: 1)
        let second = data.littleEndianUInt64(at: 9)
        return .swap(
            isExactIn: isExactIn,
            fixed: isExactIn ? first : second,
            limit: isExactIn ? second : first,
            vaults: vaults
        )
    }
}
