import MarketModel

/// Reads calls of one market: LaunchLab.
enum LaunchLabStrategy {
    static func read(
        _ call: Int,
        in walk: ProgramWalk,
        _ transaction: SolanaTransaction,
        _ bytes: RawSpan,
        into findings: inout MarketFindings,
        tally: inout ParseTally
    ) {}

    static func readOrphan(
        _ event: Int,
        in walk: ProgramWalk,
        _ transaction: SolanaTransaction,
        _ bytes: RawSpan,
        into findings: inout MarketFindings,
        tally: inout ParseTally
    ) {}
}
