import Assembly
package import Observability
import Pipeline

/// The four stages that everything in a log passes through.
package enum Stage: UInt8, Hashable, Sendable, CaseIterable, CustomStringConvertible {
    /// Records in log order, and which of them are of the chain.
    case ingestion = 1
    /// What messages say, decoded and typed.
    case parsing = 2
    /// What they said put together with what the log told before: stream, slot, block and branch,
    /// each thing once.
    case enrichment = 3
    /// What follows from it given to the monitors, which find tokens and pools in their tables, and
    /// to whoever listens.
    case dispatch = 4

    /// The name in every output.
    package var description: String {
        switch self {
        case .ingestion: "ingestion"
        case .parsing: "parsing"
        case .enrichment: "enrichment"
        case .dispatch: "dispatch"
        }
    }

    /// What the stage counts.
    package var unit: String {
        switch self {
        case .ingestion: "records"
        case .parsing: "messages"
        case .enrichment: "statements"
        case .dispatch: "actions"
        }
    }
}

/// What one stage did. What went in is what came out, what was dropped and what failed. It reaches
/// no state and no digest.
package struct StageReport: Hashable, Sendable {
    /// A reason, and how often there was it.
    package struct Reason: Hashable, Sendable {
        package let name: String
        package let count: UInt64
    }

    /// Which one.
    package let stage: Stage
    /// What went in.
    package let taken: UInt64
    /// What came out.
    package let given: UInt64
    /// What says nothing further on, or nothing new. Reasons that did not occur are left out.
    package let dropped: [Reason]
    /// What could not be read or kept, or not all of it. Where that leaves something in doubt, the
    /// stages behind are told.
    package let errors: [Reason]
    /// How long things were in the stage. They pass in batches: each counts with the whole time
    /// that the stage spent on its batch.
    package let latency: LatencyHistogram

    init(
        _ stage: Stage,
        taken: UInt64,
        given: UInt64,
        dropped: [(name: String, count: UInt64)],
        errors: [(name: String, count: UInt64)],
        latency: LatencyHistogram
    ) {
        self.stage = stage
        self.taken = taken
        self.given = given
        self.dropped = dropped.filter { $0.count > 0 }.map { Reason(name: $0, count: $1) }
        self.errors = errors.filter { $0.count > 0 }.map { Reason(name: $0, count: $1) }
        self.latency = latency
    }
}

/// How long things were in each stage.
struct StageLatencies {
    var ingestion = LatencyHistogram()
    var parsing = LatencyHistogram()
    var enrichment = LatencyHistogram()
    var dispatch = LatencyHistogram()
    /// From the moment in which a record was received to the end of its folding; only records that
    /// were received after the fold had begun.
    var arrival = LatencyHistogram()
}

/// What became of the actions of an assembler.
struct DispatchTally {
    var actions: UInt64 = 0
    var folded: UInt64 = 0
    /// Of slots behind the end that was asked for.
    var behindEnd: UInt64 = 0
    /// Of slots that the checkpoint holds from which the fold went on.
    var held: UInt64 = 0
    /// Those that storage failed at: at most one, for the fold ends there.
    var failed: UInt64 = 0
    /// Nanoseconds that they took.
    var nanoseconds: UInt64 = 0
    var latency = LatencyHistogram()
}

extension StateFold {
    /// What the four stages did so far, in order.
    package var stages: [StageReport] {
        let pipeline = report.pipeline
        let intake = pipeline.intake
        let dropped = pipeline.dropped.sorted { $0.key < $1.key }
        let outcomes = chain.assembler.tally.outcomes
        func reasons(isError: Bool) -> [(name: String, count: UInt64)] {
            InputOutcome.allCases.filter { $0 != .kept && $0.isError == isError }
                .map { ("\($0)", outcomes[$0]) }
        }
        return [
            StageReport(
                .ingestion,
                taken: report.records,
                given: intake.kept,
                dropped: [("other_stream", intake.foreign), ("no_statement", intake.silent)],
                errors: [("unreadable", intake.unreadable), ("damaged", intake.damaged)],
                latency: latencies.ingestion
            ),
            StageReport(
                .parsing,
                taken: pipeline.messages,
                given: pipeline.understood,
                dropped: dropped.filter { !$0.key.isError }.map { ("\($0.key)", $0.value) },
                errors: dropped.filter(\.key.isError).map { ("\($0.key)", $0.value) },
                latency: latencies.parsing
            ),
            StageReport(
                .enrichment,
                taken: chain.assembler.tally.inputs,
                given: outcomes[.kept],
                dropped: reasons(isError: false),
                errors: reasons(isError: true),
                latency: latencies.enrichment
            ),
            StageReport(
                .dispatch,
                taken: chain.dispatch.actions,
                given: chain.dispatch.folded,
                dropped: [
                    ("behind_end", chain.dispatch.behindEnd), ("held", chain.dispatch.held),
                ],
                errors: [("failed", chain.dispatch.failed)],
                latency: chain.dispatch.latency
            ),
        ]
    }

    /// While following: from the moment in which a record was received to the end of its folding, of
    /// records that were received since the fold began.
    package var arrival: LatencyHistogram { latencies.arrival }
}
