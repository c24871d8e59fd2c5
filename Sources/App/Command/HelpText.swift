// Help, made from the table of verbs. Plain text that reads well at 80 columns.

/// The help of the program: every verb with its purpose.
func helpText(verbs: [Verb]) -> String {
    let available = verbs.filter { $0.run != nil }
    let width = available.map(\.name.count).max() ?? 0  // no verbs, no column
    var lines = [
        "tapedeck: flight recorder and time machine for blockchain market-data streams",
        "",
        "Usage",
        "  tapedeck VERB [FLAGS] ...",
        "",
        "Verbs",
    ]
    for verb in available {
        lines.append("  \(padded(verb.name, width))  \(verb.summary)")
    }
    lines += ["", "Exit codes"]
    lines += ExitCode.allCases.map { "  \($0.rawValue)  \($0.meaning)" }
    lines += ["", "'tapedeck VERB --help' explains a verb, with examples.", ""]
    return lines.joined(separator: "\n")
}

/// The help of one verb.
func helpText(verb: Verb) -> String {
    var lines = ["tapedeck \(verb.name): \(verb.summary)", "", "Usage"]
    lines += wrapped(usageParts(verb), first: "  tapedeck \(verb.name) ", indent: 6)
    for paragraph in verb.details {
        lines.append("")
        lines += wrapped(paragraph.split(separator: " ").map(String.init), first: "", indent: 0)
    }
    if !verb.operands.isEmpty {
        lines += ["", "Operands"]
        lines += table(verb.operands.map { ($0.placeholder, $0.help) })
    }
    lines += ["", "Flags"]
    lines += table(
        verb.flags.map { (heading($0), explanation($0)) } + [("-h, --help", "This text")]
    )
    lines += ["", "Examples"]
    for example in verb.examples { lines += ["  # \(example.purpose)", "  \(example.line)"] }
    lines += ["", "Exit codes"]
    let codes = Set(verb.exitCodes + [.ok, .failed, .usage])
    lines += codes.sorted { $0.rawValue < $1.rawValue }.map { "  \($0.rawValue)  \($0.meaning)" }
    return lines.joined(separator: "\n") + "\n"
}

/// The parts of a usage line; groups are written with the flags that belong to them.
private func usageParts(_ verb: Verb) -> [String] {
    var parts: [String] = []
    for operand in verb.operands {
        switch operand.number {
        case .one: parts.append(operand.placeholder)
        case .optional: parts.append("[\(operand.placeholder)]")
        case .some: parts.append("\(operand.placeholder)...")
        case .any: parts.append("[\(operand.placeholder)]...")
        }
    }
    for flag in verb.flags where flag.opener == nil {
        let members = verb.flags.filter { $0.opener == flag.name }
        let body = ([flag.usage] + members.map(\.usageInGroup)).joined(separator: " ")
        if flag.isRequired {
            parts.append(flag.isRepeatable ? "\(body)..." : body)
        } else {
            parts.append(flag.isRepeatable ? "[\(body)]..." : "[\(body)]")
        }
    }
    return parts
}

private func heading(_ flag: Flag) -> String {
    // Most flags have no short form.
    (flag.short.map { "-\($0), " } ?? "") + flag.spelling
}

private func explanation(_ flag: Flag) -> String {
    var text = flag.help
    if case .choice(let words)? = flag.value?.kind {
        text += ": " + words.joined(separator: ", ")
    }
    var notes: [String] = []
    if let opener = flag.opener { notes.append("belongs to the --\(opener) before it") }
    if flag.isRequired { notes.append("required") }
    if flag.isRepeatable { notes.append("may be repeated") }
    if let fallback = flag.fallback { notes.append("default: \(fallback)") }
    if let variable = flag.environment { notes.append("environment: \(variable)") }
    if !notes.isEmpty { text += " (" + notes.joined(separator: "; ") + ")" }
    return text
}

extension Flag {
    fileprivate var usage: String {
        guard let value else { return short.map { "-\($0)" } ?? "--\(name)" }
        return (short.map { "-\($0)" } ?? "--\(name)") + " " + value.placeholder
    }

    fileprivate var usageInGroup: String {
        let body = isRequired ? usage : "[\(usage)]"
        return isRepeatable ? "\(body)..." : body
    }
}

private let helpColumns = 80

/// Two columns, the second wrapped; a long first entry has its line to itself.
private func table(_ rows: [(String, String)]) -> [String] {
    let column = min(26, (rows.map(\.0.count).max() ?? 0) + 4)  // no rows, no column
    var lines: [String] = []
    for (name, text) in rows {
        var first = "  " + padded(name, column - 4) + "  "
        if name.count > column - 4 {
            lines.append("  " + name)
            first = padded("", column)
        }
        let words = text.split(separator: " ").map(String.init)
        lines += wrapped(words, first: first, indent: column)
    }
    return lines
}

/// Words filled into lines; a word longer than a line stands alone.
private func wrapped(_ words: [String], first: String, indent: Int) -> [String] {
    var lines: [String] = []
    var line = first
    var isFresh = true
    for word in words {
        if !isFresh, line.count + 1 + word.count > helpColumns {
            lines.append(line)
            line = padded("", indent)
            isFresh = true
        }
        line += (isFresh ? "" : " ") + word
        isFresh = false
    }
    lines.append(line)
    return lines.map { line in
        String(line.reversed().drop { $0 == " " }.reversed())
    }
}

private func padded(_ text: String, _ width: Int) -> String {
    text + String(repeating: " ", count: max(0, width - text.count))
}
