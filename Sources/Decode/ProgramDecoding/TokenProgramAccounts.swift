import MarketModel
import RecordModel

/// The accounts of SPL Token and Token-2022. Both begin alike; Token-2022 appends extensions, and
/// a byte behind 165 that says which one it is.
enum TokenProgramAccounts {
    private static let mintBytes = 82
    private static let accountBytes = 165
    /// Has no such byte; Token-2022 gives no other account this length.
    private static let multisigBytes = 355

    static func content(_ data: RawSpan, isToken2022: Bool) -> AccountFact.Content? {
        switch data.byteCount {
        case mintBytes: return mint(data)
        case accountBytes: return account(data)
        case (accountBytes + 1)... where isToken2022 && data.byteCount != multisigBytes:
            switch data.byte(at: accountBytes) {
            case 1: return mint(data)
            case 2: return account(data)
            default: return nil
            }
        default: return nil
        }
    }

    /// Nil while it is not initialised.
    private static func mint(_ data: RawSpan) -> AccountFact.Content? {
        guard data.byte(at: 45) == 1 else { return nil }
        return .mint(supply: data.littleEndianUInt64(at: 36), decimals: data.byte(at: 44))
    }

    /// Nil while it is not initialised.
    private static func account(_ data: RawSpan) -> AccountFact.Content? {
        guard (1...2).contains(data.byte(at: 108)), let mint = Address(data, at: 0),
            let owner = Address(data, at: 32)
        else { return nil }
        return .tokenAccount(mint: mint, owner: owner, amount: data.littleEndianUInt64(at: 64))
    }
}
