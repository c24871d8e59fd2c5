import MarketModel

/// How one program's calls and events are read. Chosen by a switch over programs and called
/// directly: the compiler makes one copy for each strategy.
protocol ProgramStrategy {
    /// Reads one call with the events that it gave.
    ///
    /// - Parameters:
    ///   - call: its place in the walk.
    ///   - walk: the calls of the transaction.
    ///   - transaction: as read from `bytes`.
    ///   - bytes: what the ranges count in.
    ///   - findings: what is found goes here.
    ///   - tally: the answer is counted here.
    static func read(
        _ call: Int,
        in walk: ProgramWalk,
        _ transaction: SolanaTransaction,
        _ bytes: RawSpan,
        into findings: inout MarketFindings,
        tally: inout ParseTally
    )

    /// Reads an event whose call is not known.
    ///
    /// - Parameters:
    ///   - event: its place in the walk.
    ///   - walk: the calls of the transaction.
    ///   - transaction: as read from `bytes`.
    ///   - bytes: what the ranges count in.
    ///   - findings: what is found goes here.
    ///   - tally: the answer is counted here.
    static func readOrphan(
        _ event: Int,
        in walk: ProgramWalk,
        _ transaction: SolanaTransaction,
        _ bytes: RawSpan,
        into findings: inout MarketFindings,
        tally: inout ParseTally
    )
}
