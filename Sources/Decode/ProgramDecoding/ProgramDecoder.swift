package import MarketModel

/// Reads the market events of one transaction after the other. What it gives depends on the
/// transaction alone.
package struct ProgramDecoder {
    package init() {}

    /// Reads the market facts of a transaction.
    ///
    /// - Parameters:
    ///   - transaction: as read from `bytes`.
    ///   - bytes: what the ranges count in.
    ///   - tally: what every strategy answered is added here.
    /// - Returns: nil when the transaction failed or has none.
    package mutating func decode(
        _ transaction: SolanaTransaction,
        _ bytes: RawSpan,
        tally: inout ParseTally
    ) -> TransactionFacts? {
        nil
    }
}
