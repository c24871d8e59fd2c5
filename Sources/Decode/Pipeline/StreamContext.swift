package import Assembly
import GeyserDecoding
import MarketModel
import ProgramDecoding
import RecordModel

/// What is known of one Subscribe stream while its messages are parsed. It never changes: a new
/// request makes a new one.
final class StreamContext: Sendable {
    /// Names of the filters under which a block comes whole.
    let wholeBlockFilters: [UTF8Text]
    /// What the stream's silence means; nil while no request is known.
    let promise: StreamPromise?

    init(_ scope: StreamScope?, fromSlot: Slot?) {
        guard let scope else {
            wholeBlockFilters = []
            promise = nil
            return
        }
        wholeBlockFilters = scope.wholeBlockFilters
        promise = StreamPromise(
            hasSlots: scope.tells(.confirmed) && scope.tells(.finalized),
            hasBlockMeta: scope.hasBlockMeta,
            groups: StreamContext.groups(scope),
            fromSlot: fromSlot
        )
    }

    /// One group for each market program, in the order of `MarketPrograms`: a stream covers it when
    /// it gets every transaction that succeeded and names the program.
    private static func groups(_ scope: StreamScope) -> SubscriptionGroups {
        let isWhole = scope.hasAllTransactions || !scope.wholeBlockFilters.isEmpty
        var groups: SubscriptionGroups = isWhole ? .everything : []
        for (number, program) in MarketPrograms.all.enumerated()
        where isWhole || scope.coversTransactions(naming: program) {
            groups.insert(.group(number))
        }
        return groups
    }
}

extension SubscriptionGroups {
    /// What one group is called in every output: the strategy of its program, or `everything`.
    package var name: String {
        for (number, program) in MarketPrograms.all.enumerated() where self == .group(number) {
            if let strategy = SolanaProgram(program).strategy { return "\(strategy)" }
        }
        return "everything"
    }
}
