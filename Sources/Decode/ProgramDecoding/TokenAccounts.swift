package import MarketModel
import RecordModel

/// What the balances of a transaction say about its token accounts. An account stands before it,
/// after it, or both; its mint is the same, its owner rarely another.
extension SolanaTransaction {
    /// The token balance before of the account with an index among the keys; nil when it has none.
    package func balanceBefore(_ index: Int) -> TokenBalance? {
        tokensBefore.first { Int($0.account) == index }
    }

    /// The token balance after of the account with an index among the keys; nil when it has none.
    package func balanceAfter(_ index: Int) -> TokenBalance? {
        tokensAfter.first { Int($0.account) == index }
    }

    /// The mint of a token account by its index among the keys; nil when no balance tells.
    package func mint(ofAccount index: Int, _ bytes: RawSpan) -> Address? {
        guard let balance = balanceAfter(index) ?? balanceBefore(index) else { return nil }
        return Address(base58: bytes, balance.mint)
    }

    /// The amount that a balance's digits say; nil when they say none of 64 bits.
    package static func amount(_ balance: TokenBalance, _ bytes: RawSpan) -> UInt64? {
        guard !balance.amount.isEmpty else { return nil }
        var amount: UInt64 = 0
        for position in balance.amount {
            let digit = bytes.byte(at: position) &- UInt8(ascii: "0")
            guard digit < 10 else { return nil }
            let (product, overflows) = amount.multipliedReportingOverflow(by: 10)
            let (sum, carries) = product.addingReportingOverflow(UInt64(digit))
            guard !overflows, !carries else { return nil }
            amount = sum
        }
        return amount
    }
}
