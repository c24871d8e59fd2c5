import MarketModel
import RecordModel

/// What moved into a token account and out of it by the calls below another one. It stands in for
/// events that were cut from the logs.
struct TokenFlow: Hashable {
    var into: UInt128 = 0
    var outOf: UInt128 = 0

    /// Adds the transfers up. Of tokens that charge for transfers this is what was sent.
    ///
    /// - Parameters:
    ///   - account: its index among the keys.
    ///   - call: the one below which transfers count.
    ///   - walk: the transaction's calls.
    ///   - transaction: as read from `bytes`.
    ///   - bytes: what the ranges count in.
    init(
        of account: Int,
        below call: Int,
        in walk: ProgramWalk,
        _ transaction: SolanaTransaction,
        _ bytes: RawSpan
    ) {
        for position in call + 1..<max(call + 1, Int(walk.calls[call].end))
        where walk.calls[position].program.isToken {
            let data = transaction.instructions[position].data
            guard let (amount, target) = TokenFlow.transfer(data, bytes) else { continue }
            // At most as many terms of 64 bits as a transaction has calls.
            if walk.accountIndex(0, of: position, transaction, bytes) == account { outOf += amount }
            if walk.accountIndex(target, of: position, transaction, bytes) == account {
                into += amount
            }
        }
    }

    /// Adds up how much of a token was made by the calls below another one.
    ///
    /// - Returns: nil when none was.
    static func minted(
        _ mint: Address,
        below call: Int,
        in walk: ProgramWalk,
        _ transaction: SolanaTransaction,
        _ bytes: RawSpan
    ) -> UInt128? {
        var sum: UInt128?
        for position in call + 1..<max(call + 1, Int(walk.calls[call].end))
        where walk.calls[position].program.isToken {
            let data = transaction.instructions[position].data
            guard data.count >= 9 else { continue }
            let tag = bytes.byte(at: data.lowerBound)
            guard tag == 7 || tag == 14,
                walk.account(0, of: position, transaction, bytes) == mint
            else { continue }
            // The first one adds to nothing.
            sum = (sum ?? 0) + UInt128(bytes.littleEndianUInt64(at: data.lowerBound + 1))
        }
        return sum
    }

    /// The amount of a transfer and where its target stands among the accounts; the source is the
    /// first.
    private static func transfer(_ data: Range<Int>, _ bytes: RawSpan) -> (UInt128, target: Int)? {
        guard data.count >= 9 else { return nil }
        switch bytes.byte(at: data.lowerBound) {
        case 3:  // Transfer
            return (UInt128(bytes.littleEndianUInt64(at: data.lowerBound + 1)), 1)
        case 12:  // TransferChecked: the mint stands between
            return (UInt128(bytes.littleEndianUInt64(at: data.lowerBound + 1)), 2)
        case 26 where data.count >= 10 && bytes.byte(at: data.lowerBound + 1) == 1:
            return (UInt128(bytes.littleEndianUInt64(at: data.lowerBound + 2)), 2)
        default: return nil
        }
    }
}
