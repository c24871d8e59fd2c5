/// How the process ends; scripts rely on the numbers.
enum ExitCode: Int32, CaseIterable, Sendable {
    /// All was done and nothing is wrong.
    case ok = 0
    /// It could not be done.
    case failed = 1
    /// The command line or a file of settings that it names was wrong; nothing was done.
    case usage = 2
    /// All was done, and there are findings: damage, loss or an open gap.
    case findings = 3
    /// Two things that must be equal are not.
    case divergence = 4
    /// The recording does not hold the range that was asked for.
    case rangeNotAvailable = 5

    /// What help says of the code.
    var meaning: String {
        switch self {
        case .ok: "done, nothing wrong"
        case .failed: "failed"
        case .usage: "the command line or the configuration is wrong"
        case .findings: "done, with findings (damage, loss, open gap)"
        case .divergence: "what must be equal differs"
        case .rangeNotAvailable: "the recording does not hold the range"
        }
    }
}

/// A verb's reason to stop: one sentence for people and the code for scripts.
struct VerbFailure: Error, Equatable {
    let code: ExitCode
    /// Says what failed, on what, and what can be done; no full stop, no "error:" before it.
    let message: String
}

/// A command line that cannot be understood. The process then ends with `ExitCode.usage`.
struct UsageError: Error, Equatable {
    /// The verb it belongs to; nil when there is none yet.
    let verb: String?
    /// Names the flag or operand, what was found and what was expected.
    let message: String
}
