package import ProgramDecoding
package import RecordModel

/// What the stages saw and left out. Adding is commutative: how records were shared out among
/// threads never shows. Never part of state.
package struct PipelineTally: Hashable, Sendable {
    /// Why a message said nothing to the assembler.
    package enum Drop: UInt8, Hashable, Comparable, Sendable, CaseIterable, CustomStringConvertible
    {
        /// A ping, a pong, an entry, or a kind that this version does not know.
        case notMarketData = 1
        /// Not well-formed protobuf, or a list in it is too long.
        case malformed = 2
        /// A signature, key or hash has not its proper length.
        case incomplete = 3
        /// Compressed by something that this build does not read, or damaged.
        case notInflatable = 4
        /// An account of a program that is not watched, or of a kind that no decoder knows.
        case foreignAccount = 5
        /// A block with a transaction that has no proper signature: all else in it counts, but it is
        /// not taken to be whole.
        case incompleteBlock = 6

        /// The name in every output.
        package var description: String {
            switch self {
            case .notMarketData: "not_market_data"
            case .malformed: "malformed"
            case .incomplete: "incomplete"
            case .notInflatable: "not_inflatable"
            case .foreignAccount: "foreign_account"
            case .incompleteBlock: "incomplete_block"
            }
        }

        /// Whether something could not be read that should have been.
        package var isError: Bool {
            switch self {
            case .notMarketData, .foreignAccount: false
            case .malformed, .incomplete, .notInflatable, .incompleteBlock: true
            }
        }

        package static func < (left: Drop, right: Drop) -> Bool { left.rawValue < right.rawValue }
    }

    /// What ingestion did with records.
    package internal(set) var intake = IntakeTally()
    /// Messages given to parsing, and their bytes. Each is either understood or dropped.
    package var messages: UInt64 = 0
    /// Messages that said something, and all of it could be read.
    package var understood: UInt64 = 0
    package var bytes: UInt64 = 0
    package var transactions: UInt64 = 0
    package var votes: UInt64 = 0
    package var failedTransactions: UInt64 = 0
    /// Transactions that name a watched program and succeeded.
    package var marketTransactions: UInt64 = 0
    /// Events that decoders gave.
    package var events: UInt64 = 0
    package var accounts: UInt64 = 0
    package var dropped: [Drop: UInt64] = [:]
    /// The first record of each reason.
    package var firstDropped: [Drop: Sequence] = [:]
    /// What decoding strategies answered.
    package var parse = ParseTally()
    /// The first record in which something unknown was met.
    package var firstUnknown: [ParseTally.Unknown: Sequence] = [:]
    /// The first record in which a strategy failed for a reason.
    package var firstFailed: [Strategy: [ParseFailure: Sequence]] = [:]
    /// The first record with a call whose program's index points outside the keys.
    package var firstCallWithoutProgram: Sequence?
    /// The first record with an event that is longer than the form of it that is known.
    package var firstUnknownTail: Sequence?

    package init() {}

    /// Counts a message that says nothing.
    mutating func drop(_ reason: Drop, at sequence: Sequence) {
        dropped[reason, default: 0] &+= 1
        if firstDropped[reason] == nil { firstDropped[reason] = sequence }
    }

    /// Notes what decoding could not make sense of for the first time.
    mutating func noteFirsts(at sequence: Sequence) {
        if parse.unknown.count != firstUnknown.count {
            for key in parse.unknown.keys where firstUnknown[key] == nil {
                firstUnknown[key] = sequence
            }
        }
        for (strategy, failures) in parse.failed
        where failures.count != firstFailed[strategy]?.count {
            for failure in failures.keys where firstFailed[strategy]?[failure] == nil {
                firstFailed[strategy, default: [:]][failure] = sequence
            }
        }
        if parse.callsWithoutProgram > 0, firstCallWithoutProgram == nil {
            firstCallWithoutProgram = sequence
        }
        if parse.unknownTailBytes > 0, firstUnknownTail == nil { firstUnknownTail = sequence }
    }

    /// Adds what another tally has.
    package mutating func add(_ other: PipelineTally) {
        intake.add(other.intake)
        messages &+= other.messages
        understood &+= other.understood
        bytes &+= other.bytes
        transactions &+= other.transactions
        votes &+= other.votes
        failedTransactions &+= other.failedTransactions
        marketTransactions &+= other.marketTransactions
        events &+= other.events
        accounts &+= other.accounts
        dropped.merge(other.dropped, uniquingKeysWith: &+)
        firstDropped.merge(other.firstDropped, uniquingKeysWith: min)
        parse.add(other.parse)
        firstUnknown.merge(other.firstUnknown, uniquingKeysWith: min)
        for (strategy, firsts) in other.firstFailed {
            firstFailed[strategy, default: [:]].merge(firsts, uniquingKeysWith: min)
        }
        firstCallWithoutProgram = PipelineTally.first(
            firstCallWithoutProgram,
            other.firstCallWithoutProgram
        )
        firstUnknownTail = PipelineTally.first(firstUnknownTail, other.firstUnknownTail)
    }

    private static func first(_ one: Sequence?, _ other: Sequence?) -> Sequence? {
        guard let one, let other else { return one ?? other }
        return min(one, other)
    }
}
