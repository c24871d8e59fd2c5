import MarketModel
import RecordModel

/// `TokenAccountExpansionControlFlag`: whose token accounts count as the filter's addresses.
enum TokenAccountExpansion: Int32, Sendable {
    /// Owners of any token balance before or after.
    case all = 0
    /// Owners of balances that changed, appeared or vanished.
    case balanceChanged = 1
}

/// The token balances of one transaction whose owner is an address.
struct TokenBalances {
    struct Balance {
        var accountIndex: UInt32
        var owner: PublicKey
        /// The amount's text within the bytes read; empty when absent.
        var amount: Range<Int>
    }

    private(set) var before: [Balance] = []
    private(set) var after: [Balance] = []

    /// Reads `TransactionStatusMeta`; nothing when there is none.
    init(_ bytes: RawSpan, _ meta: Range<Int>?) throws(ProtobufError) {
        guard let meta else { return }
        var offset = meta.lowerBound
        while let field = try ProtobufReader.next(bytes, at: &offset, end: meta.upperBound) {
            guard field.number == 7 || field.number == 8,
                let balance = try TokenBalances.balance(bytes, try field.delimited())
            else { continue }
            if field.number == 7 { before.append(balance) } else { after.append(balance) }
        }
    }

    private static func balance(
        _ bytes: RawSpan,
        _ range: Range<Int>
    ) throws(ProtobufError) -> Balance? {
        var accountIndex: UInt32 = 0
        var owner: PublicKey?
        var amount = range.lowerBound..<range.lowerBound
        var offset = range.lowerBound
        while let field = try ProtobufReader.next(bytes, at: &offset, end: range.upperBound) {
            switch field.number {
            case 1: accountIndex = try field.uint32()
            case 3:
                let inner = try field.delimited()
                var place = inner.lowerBound
                while let part = try ProtobufReader.next(bytes, at: &place, end: inner.upperBound) {
                    if part.number == 3 { amount = try part.delimited() }
                }
            case 4: owner = key(bytes, try field.delimited())
            default: break
            }
        }
        return owner.map { Balance(accountIndex: accountIndex, owner: $0, amount: amount) }
    }

    /// Nil when the text is not an address, which then matches nothing.
    private static func key(_ bytes: RawSpan, _ range: Range<Int>) -> PublicKey? {
        do throws(Base58Error) {
            return try PublicKey(base58: bytes.copyBytes(range))
        } catch {
            return nil
        }
    }

    /// Owners after the transaction whose amount differs from before or that are new, and owners
    /// before it whose account is gone. Compared by account index; of two balances of one index
    /// before, the later counts.
    func changedOwners(_ bytes: RawSpan) -> [PublicKey] {
        var earlier: [UInt32: Balance] = [:]
        for balance in before { earlier[balance.accountIndex] = balance }
        var owners: [PublicKey] = []
        for balance in after {
            if let old = earlier[balance.accountIndex],
                TokenBalances.same(bytes, old.amount, balance.amount)
            {
                continue
            }
            owners.append(balance.owner)
        }
        for balance in after { earlier[balance.accountIndex] = nil }
        return owners + earlier.values.map(\.owner)
    }

    private static func same(_ bytes: RawSpan, _ left: Range<Int>, _ right: Range<Int>) -> Bool {
        bytes.extracting(left).withUnsafeBytes { left in
            bytes.extracting(right).withUnsafeBytes { left.elementsEqual($0) }
        }
    }
}
