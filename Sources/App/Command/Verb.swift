// The table's vocabulary: a verb with its operands and flags. Parsing, help, completion and
// suggestions all read the same values, so none of them can say something else than another.

/// What a flag or operand accepts. Every value is checked before the verb runs.
enum ValueKind: Sendable, Equatable {
    /// Any text that is not empty.
    case text
    /// A file's path.
    case file
    /// A recording's directory.
    case recording
    /// A whole number.
    case count(ClosedRange<UInt64>)
    /// A length of time such as `90s`, `5m` or `1h30m`.
    case duration
    /// A length of time, or `off`.
    case durationOrOff
    /// A number of bytes such as `64MiB`.
    case size
    /// A multiple of the recorded speed, or `max`.
    case rate
    /// A range, or one of its ends, in the range grammar.
    case range(RecordRange.Role)
    /// One of a few words.
    case choice([String])
    /// An address with a scheme out of a few, such as `https://`.
    case url(schemes: [String])
    /// `ADDRESS:PORT`, with `=SOURCE,...` behind it to serve only some sources.
    case listener
}

/// A flag of a verb: `--name VALUE`, `--name=VALUE`, or `--name` alone for a switch.
struct Flag: Sendable {
    /// The name without its dashes.
    let name: String
    /// The one letter that stands for it.
    var short: Character? = nil
    /// What the value is called in help, and what it may be; nil for a switch.
    var value: (placeholder: String, kind: ValueKind)? = nil
    /// Whether it may be given more than once, in its group if it has one.
    var isRepeatable = false
    /// Whether it must be given, in each group of its opener if it has one.
    var isRequired = false
    /// The flag that opens the groups it belongs to: it must stand behind one, and belongs to
    /// the nearest before it.
    var opener: String? = nil
    /// The environment variable that gives the value when the flag does not.
    var environment: String? = nil
    /// What holds when it is not given, in words.
    var fallback: String? = nil
    /// One sentence, with units.
    let help: String
}

/// A value of a verb that stands without a flag.
struct Operand: Sendable {
    /// How many there are.
    enum Number: Sendable { case one, optional, some, any }

    /// What it is called in help.
    let placeholder: String
    let kind: ValueKind
    var number: Number = .one
    let help: String
}

/// What one can tell tapedeck to do.
///
/// To add a verb: one file in `Verbs` with one value of this type, and its name in `allVerbs`. A
/// verb whose `run` is nil does not exist for the user: not in help, not in completion.
struct Verb: Sendable {
    /// A command line that works, and what it is for.
    struct Example: Sendable {
        let purpose: String
        let line: String
    }

    /// One or two words.
    let name: String
    /// One line, imperative, without a full stop.
    let summary: String
    /// Paragraphs below the usage, when the flags do not explain themselves.
    var details: [String] = []
    var operands: [Operand] = []
    var flags: [Flag] = []
    /// Sets of flags of which at most one may be given.
    var exclusive: [[String]] = []
    /// Sets of flags of which at least one must be given.
    var oneOf: [[String]] = []
    let examples: [Example]
    /// The codes it can end with, besides `failed` and `usage`.
    var exitCodes: [ExitCode] = [.ok]
    /// Does it. Data goes to standard output, everything else to standard error.
    var run: (@Sendable (ParsedArguments) throws -> ExitCode)?

    /// The flag of a name, or nil.
    func flag(named name: String) -> Flag? { flags.first { $0.name == name } }
}
