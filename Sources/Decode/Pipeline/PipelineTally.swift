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

    package init() {}

    /// Counts a message that says nothing.
    mutating func drop(_ reason: Drop, at sequence: Sequence) {
        dropped[reason, default: 0] &+= 1
        if firstDropped[reason] == nil { firstDropped[reason] = sequence }
    }

    /// Notes what is unknown for the first time.
    mutating func noteUnknown(at sequence: Sequence) {
        guard parse.unknown.count != firstUnknown.count else { return }
        for key in parse.unknown.keys where firstUnknown[key] == nil {
            firstUnknown[key] = sequence
        }
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
    }
}
