package import MarketModel

/// Reads the market events of one transaction after the other. What it gives depends on the
/// transaction alone.
package struct ProgramDecoder {
    package init() {}

    /// The market facts of a transaction; nil when it failed or has none.
    ///
    /// - Parameters:
    ///   - transaction: as read from `bytes`.
    ///   - bytes: what the ranges count in.
    ///   - tally: what every strategy answered is added here.
    package mutating func decode(
        _ transaction: SolanaTransaction,
        _ bytes: RawSpan,
        tally: inout ParseTally
    ) -> TransactionFacts? {
        nil
    }
}
