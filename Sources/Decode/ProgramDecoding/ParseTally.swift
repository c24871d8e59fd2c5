package import MarketModel

/// A way to read one program's market instructions and events.
package enum Strategy: UInt8, Hashable, Comparable, Sendable, CaseIterable, CustomStringConvertible
{
    case pumpCurve = 1
    case pumpSwap = 2
    case raydiumV4 = 3
    case raydiumCPMM = 4
    case raydiumCLMM = 5
    case launchLab = 6

    /// The name in every output.
    package var description: String {
        switch self {
        case .pumpCurve: "pump_curve"
        case .pumpSwap: "pumpswap"
        case .raydiumV4: "raydium_v4"
        case .raydiumCPMM: "raydium_cpmm"
        case .raydiumCLMM: "raydium_clmm"
        case .launchLab: "launchlab"
        }
    }

    package static func < (left: Strategy, right: Strategy) -> Bool {
        left.rawValue < right.rawValue
    }
}

/// Why something that is a strategy's own could not be read. It is counted; the transaction's other
/// events count all the same.
package enum ParseFailure: UInt8, Error, Hashable, Comparable, Sendable, CaseIterable,
    CustomStringConvertible
{
    /// Bytes end inside a field.
    case truncated = 1
    /// A field has a value that its meaning does not allow.
    case invalid = 2
    /// An account that the event needs is not among the instruction's.
    case missingAccount = 3
    /// The mints of the pool are not to be found in the transaction.
    case unknownMints = 4
    /// A market instruction that ran gave no event that tells its amounts, and nothing else does.
    case noEvent = 5
    /// An index points outside the keys.
    case badIndex = 6
    /// More events, or longer ones, than a transaction can hold.
    case tooLarge = 7

    /// The name in every output.
    package var description: String {
        switch self {
        case .truncated: "truncated"
        case .invalid: "invalid"
        case .missingAccount: "missing_account"
        case .unknownMints: "unknown_mints"
        case .noEvent: "no_event"
        case .badIndex: "bad_index"
        case .tooLarge: "too_large"
        }
    }

    package static func < (left: ParseFailure, right: ParseFailure) -> Bool {
        left.rawValue < right.rawValue
    }
}

/// What strategies answered, added up. Order of adding never matters.
package struct ParseTally: Hashable, Sendable {
    /// An instruction or event of a watched program that no strategy knows.
    package struct Unknown: Hashable, Sendable {
        package var program: Address
        /// Whether it is an event; otherwise an instruction.
        package var isEvent: Bool
        /// The first eight bytes, or the tag of Raydium v4 in the lowest; big-endian.
        package var discriminator: UInt64

        package init(program: Address, isEvent: Bool, discriminator: UInt64) {
            self.program = program
            self.isEvent = isEvent
            self.discriminator = discriminator
        }
    }

    /// Candidates (market instructions of transactions that succeeded) that gave their event.
    package var decoded: [Strategy: UInt64] = [:]
    package var failed: [Strategy: [ParseFailure: UInt64]] = [:]
    package var unknown: [Unknown: UInt64] = [:]
    /// Bytes behind the last known field of an event: a newer form.
    package var unknownTailBytes: UInt64 = 0
    /// Calls whose program's index points outside the keys.
    package var callsWithoutProgram: UInt64 = 0

    package init() {}

    /// Adds what another tally has.
    package mutating func add(_ other: ParseTally) {
        decoded.merge(other.decoded, uniquingKeysWith: &+)
        for (strategy, failures) in other.failed {
            failed[strategy, default: [:]].merge(failures, uniquingKeysWith: &+)
        }
        unknown.merge(other.unknown, uniquingKeysWith: &+)
        unknownTailBytes &+= other.unknownTailBytes
        callsWithoutProgram &+= other.callsWithoutProgram
    }

    /// Counts what a market's strategy could not read.
    mutating func fail(_ program: SolanaProgram, _ failure: ParseFailure, count: Int = 1) {
        guard let strategy = program.strategy else { return }
        failed[strategy, default: [:]][failure, default: 0] &+= UInt64(count)
    }

    /// Counts a candidate that gave its event.
    mutating func succeed(_ program: SolanaProgram) {
        guard let strategy = program.strategy else { return }
        decoded[strategy, default: 0] &+= 1
    }

    /// Counts an instruction or event that no strategy knows.
    mutating func meetUnknown(_ program: SolanaProgram, isEvent: Bool, _ discriminator: UInt64) {
        guard let address = program.address else { return }
        let what = Unknown(program: address, isEvent: isEvent, discriminator: discriminator)
        unknown[what, default: 0] &+= 1
    }
}
