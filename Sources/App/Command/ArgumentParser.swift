// From words to a checked command line. A mistake is an error that names the flag and what was
// expected; nothing a person types can trap.

/// A command line that fits its verb's table entry: every value has been checked.
struct ParsedArguments: Sendable {
    /// One flag as it was given.
    struct Occurrence: Equatable, Sendable {
        let flag: String
        /// The value; empty for a switch.
        let value: String
        /// The number of the group it belongs to, among those of its opener; nil outside groups.
        let group: Int?
    }

    /// A flag that opens a group, with the flags that belong to it.
    struct Group: Equatable, Sendable {
        /// The value of the opening flag.
        let value: String
        /// Its number on the command line among all groups, from 0: groups of different openers
        /// keep their order by it.
        let order: Int
        fileprivate let members: [Occurrence]

        /// The value of a flag in this group, or nil.
        func text(_ flag: String) -> String? { members.last { $0.flag == flag }?.value }
        /// All values of a flag in this group, in order.
        func texts(_ flag: String) -> [String] {
            members.filter { $0.flag == flag }.map(\.value)
        }
    }

    let verb: Verb
    let occurrences: [Occurrence]
    /// Values of the operands, in order.
    let operands: [String]

    /// Whether a flag was given.
    func has(_ flag: String) -> Bool { occurrences.contains { $0.flag == flag } }

    /// The value of a flag, or nil when neither it nor its environment variable was given.
    func text(_ flag: String) -> String? { occurrences.last { $0.flag == flag }?.value }

    /// All values of a repeatable flag, in order.
    func texts(_ flag: String) -> [String] {
        occurrences.filter { $0.flag == flag }.map(\.value)
    }

    /// The value of a flag that is a whole number.
    func count(_ flag: String) -> UInt64? { text(flag).flatMap { UInt64($0) } }

    /// The value of a flag that is a length of time, in nanoseconds.
    func duration(_ flag: String) -> UInt64? { text(flag).flatMap(TimeSpan.nanoseconds) }

    /// The value of a flag that is a number of bytes.
    func size(_ flag: String) -> UInt64? { text(flag).flatMap(ByteCount.bytes) }

    /// The value of a flag that is a playback rate.
    func rate(_ flag: String) -> PlaybackRate? { text(flag).flatMap(PlaybackRate.init) }

    /// The range that two flags give together; the whole recording when neither was given.
    ///
    /// - Throws: `UsageError` when the two contradict each other.
    func range(from: String = "from", to: String = "to") throws -> RecordRange {
        var range = RecordRange()
        for (flag, role) in [(from, RecordRange.Role.from), (to, .to)] {
            guard let text = text(flag) else { continue }
            do {
                range = try range.joined(with: RecordRange(text, as: role))
            } catch {
                throw UsageError(verb: verb.name, message: "--\(flag) \(text): \(error.message)")
            }
        }
        return range
    }

    /// The groups that a flag opens, in order.
    func groups(_ opener: String) -> [Group] {
        let openers = Set(verb.flags.compactMap(\.opener))
        var groups: [Group] = []
        var order = 0
        for occurrence in occurrences where openers.contains(occurrence.flag) {
            if occurrence.flag == opener {
                let number = groups.count
                let members = occurrences.filter {
                    $0.group == number && verb.flag(named: $0.flag)?.opener == opener
                }
                groups.append(Group(value: occurrence.value, order: order, members: members))
            }
            order += 1
        }
        return groups
    }
}

/// What a command line asks for.
enum Request: Sendable {
    /// To run a verb.
    case run(ParsedArguments)
    /// To explain a verb, or the whole program.
    case help(Verb?)
}

/// Reads command lines against a table of verbs.
struct ArgumentParser {
    let verbs: [Verb]
    /// The value of an environment variable.
    let environment: (String) -> String?

    /// - Parameters:
    ///   - verbs: the table; those without a body are left out.
    ///   - environment: gives the value of a variable, or nil.
    init(verbs: [Verb], environment: @escaping (String) -> String?) {
        self.verbs = verbs.filter { $0.run != nil }
        self.environment = environment
    }

    /// Understands the words behind the program's name.
    func parse(_ words: [String]) throws(UsageError) -> Request {
        guard let first = words.first else {
            throw UsageError(verb: nil, message: "a verb is missing")
        }
        if first == "-h" || first == "--help" { return .help(nil) }
        if first == "--version", let version = verb(in: ["version"])?.verb {
            return .run(ParsedArguments(verb: version, occurrences: [], operands: []))
        }
        guard let (verb, count) = verb(in: words) else {
            throw UsageError(verb: nil, message: unknownVerb(words))
        }
        var scan = Scan(verb: verb, words: Array(words.dropFirst(count)))
        if try scan.run() == .help { return .help(verb) }
        return .run(try finish(scan))
    }

    /// The verb that the first one or two words name, and how many words those are.
    func verb(in words: [String]) -> (verb: Verb, words: Int)? {
        for count in [2, 1] where words.count >= count {
            let name = words.prefix(count).joined(separator: " ")
            if let verb = verbs.first(where: { $0.name == name }) { return (verb, count) }
        }
        return nil
    }

    private func unknownVerb(_ words: [String]) -> String {
        let word = words[0]
        if word.hasPrefix("-") { return "'\(word)' stands before the verb; write the verb first" }
        let followers = verbs.map(\.name).filter { $0.hasPrefix(word + " ") }
        if !followers.isEmpty {
            return "'\(word)' needs a second word; write \(followers.joined(separator: " or "))"
        }
        return "'\(word)' is no verb" + suggestion(for: word, among: verbs.map(\.name), prefix: "")
    }

    /// Adds what the environment gives, and checks what only the whole line can tell.
    private func finish(_ scan: Scan) throws(UsageError) -> ParsedArguments {
        let verb = scan.verb
        var occurrences = scan.occurrences
        func fail(_ message: String) -> UsageError { UsageError(verb: verb.name, message: message) }
        func isGiven(_ name: String) -> Bool { occurrences.contains { $0.flag == name } }

        for flag in verb.flags {
            guard let variable = flag.environment, let kind = flag.value?.kind,
                !isGiven(flag.name), let value = environment(variable), !value.isEmpty
            else { continue }
            if let expected = kind.mistake(in: value) {
                throw fail("\(variable)='\(value)' in the environment: expected \(expected)")
            }
            occurrences.append(.init(flag: flag.name, value: value, group: nil))
        }
        let arguments = ParsedArguments(
            verb: verb,
            occurrences: occurrences,
            operands: scan.operands
        )
        for flag in verb.flags where flag.isRequired {
            guard let opener = flag.opener else {
                if isGiven(flag.name) { continue }
                throw fail("\(flag.spelling) is missing: \(flag.help)")
            }
            for group in arguments.groups(opener) where group.text(flag.name) == nil {
                throw fail("--\(opener) \(group.value) needs \(flag.spelling) behind it")
            }
        }
        for names in verb.exclusive {
            let given = names.filter(isGiven)
            if given.count > 1 {
                throw fail("--\(given[0]) and --\(given[1]) exclude each other; give one of them")
            }
        }
        for names in verb.oneOf where !names.contains(where: isGiven) {
            let list = names.map { "--\($0)" }.joined(separator: ", ")
            throw fail("one of \(list) is needed")
        }
        try checkOperands(arguments)
        return arguments
    }

    private func checkOperands(_ arguments: ParsedArguments) throws(UsageError) {
        let verb = arguments.verb
        var rest = arguments.operands[...]
        for operand in verb.operands {
            if rest.isEmpty {
                if [.optional, .any].contains(operand.number) { continue }
                throw UsageError(
                    verb: verb.name,
                    message: "\(operand.placeholder) is missing: \(operand.help)"
                )
            }
            let taken = [.some, .any].contains(operand.number) ? rest.count : 1
            for value in rest.prefix(taken) {
                if let expected = operand.kind.mistake(in: value) {
                    throw UsageError(
                        verb: verb.name,
                        message: "\(operand.placeholder) '\(value)': expected \(expected)"
                    )
                }
            }
            rest = rest.dropFirst(taken)
        }
        if let extra = rest.first {
            throw UsageError(verb: verb.name, message: "'\(extra)' is one word too many")
        }
    }
}

/// One pass over the words behind a verb.
private struct Scan {
    enum Outcome { case done, help }

    let verb: Verb
    let words: [String]
    private(set) var occurrences: [ParsedArguments.Occurrence] = []
    private(set) var operands: [String] = []
    private var at = 0
    private var openGroups: [String: Int] = [:]

    init(verb: Verb, words: [String]) {
        self.verb = verb
        self.words = words
    }

    mutating func run() throws(UsageError) -> Outcome {
        while at < words.count {
            let word = words[at]
            at += 1
            if word == "--" {
                operands += words[at...]
                return .done
            }
            if word == "-h" || word == "--help" { return .help }
            if word.hasPrefix("--") {
                try long(word)
            } else if word.hasPrefix("-"), word.count > 1 {
                try short(word)
            } else {
                operands.append(word)
            }
        }
        return .done
    }

    private mutating func long(_ word: String) throws(UsageError) {
        let body = word.dropFirst(2)
        let name = String(body.prefix { $0 != "=" })
        let value = body.count > name.count ? String(body.dropFirst(name.count + 1)) : nil
        guard let flag = verb.flag(named: name) else {
            let close = suggestion(for: name, among: verb.flags.map(\.name), prefix: "--")
            throw fail("--\(name) is no flag of this verb" + close)
        }
        try take(flag, given: value)
    }

    private mutating func short(_ word: String) throws(UsageError) {
        let letter = word[word.index(after: word.startIndex)]
        guard let flag = verb.flags.first(where: { $0.short == letter }) else {
            throw fail("-\(letter) is no flag of this verb")
        }
        var rest = word.dropFirst(2)
        if rest.hasPrefix("=") { rest = rest.dropFirst() }
        try take(flag, given: word.count > 2 ? String(rest) : nil)
    }

    private mutating func take(_ flag: Flag, given: String?) throws(UsageError) {
        var value = ""
        if let kind = flag.value?.kind {
            if let given { value = given } else { value = try nextWord(for: flag) }
            if let expected = kind.mistake(in: value) {
                throw fail("--\(flag.name) '\(value)': expected \(expected)")
            }
        } else if let given {
            throw fail("--\(flag.name) takes no value, but '\(given)' was given")
        }
        let group: Int?
        if let opener = flag.opener {
            guard let open = openGroups[opener] else {
                throw fail("--\(flag.name) must stand behind the --\(opener) it belongs to")
            }
            group = open
        } else {
            group = nil
        }
        if !flag.isRepeatable,
            occurrences.contains(where: { $0.flag == flag.name && $0.group == group })
        {
            throw fail(
                "--\(flag.name) is given twice"
                    + (group == nil ? "" : " for one --\(flag.opener ?? flag.name)")
            )
        }
        if verb.flags.contains(where: { $0.opener == flag.name }) {
            // The first group has number 0.
            openGroups[flag.name] = openGroups[flag.name].map { $0 + 1 } ?? 0
        }
        occurrences.append(.init(flag: flag.name, value: value, group: group))
    }

    private mutating func nextWord(for flag: Flag) throws(UsageError) -> String {
        guard at < words.count, !words[at].hasPrefix("--") else {
            throw fail("\(flag.spelling) needs a value: \(flag.help)")
        }
        at += 1
        return words[at - 1]
    }

    private func fail(_ message: String) -> UsageError {
        UsageError(verb: verb.name, message: message)
    }
}

extension Flag {
    /// The flag as it is written with its placeholder, such as `--rate RATE`.
    var spelling: String { value.map { "--\(name) \($0.placeholder)" } ?? "--\(name)" }
}

extension ValueKind {
    /// What was expected, or nil when the value will do.
    func mistake(in value: String) -> String? {
        switch self {
        case .text: return value.isEmpty ? "a text that is not empty" : nil
        case .file: return value.isEmpty ? "a file's path" : nil
        case .recording: return value.isEmpty ? "a recording's directory" : nil
        case .count(let bounds):
            let isPlain = value.allSatisfy { $0.isASCII && $0.isNumber }
            if isPlain, let number = UInt64(value), bounds.contains(number) { return nil }
            let upper = bounds.upperBound == .max ? "" : " to \(bounds.upperBound)"
            return "a whole number, \(bounds.lowerBound)\(upper.isEmpty ? " or more" : upper)"
        case .duration: return TimeSpan.nanoseconds(value) == nil ? TimeSpan.expectation : nil
        case .durationOrOff:
            if value == "off" || TimeSpan.nanoseconds(value) != nil { return nil }
            return "\(TimeSpan.expectation), or off"
        case .size: return ByteCount.bytes(value) == nil ? ByteCount.expectation : nil
        case .rate: return PlaybackRate(value) == nil ? PlaybackRate.expectation : nil
        case .range(let role):
            do {
                _ = try RecordRange(value, as: role)
                return nil
            } catch { return "a range such as seq:100..200 (\(error.message))" }
        case .choice(let words):
            if words.contains(value) { return nil }
            return "one of " + words.joined(separator: ", ")
                + suggestion(for: value, among: words, prefix: "")
        case .url(let schemes):
            let scheme = schemes.first { value.lowercased().hasPrefix($0) }
            if let scheme, value.count > scheme.count { return nil }
            return "an address that begins with " + schemes.joined(separator: " or ")
        case .listener:
            return ListenAddress(value) == nil ? ListenAddress.expectation : nil
        }
    }
}
