import MarketModel

/// Reads calls of one market: RaydiumV4.
enum RaydiumV4Strategy {
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
