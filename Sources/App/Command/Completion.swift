// Completion scripts for three shells, made from the table of verbs.

/// The shells that a completion script can be made for.
enum Shell: String, CaseIterable, Sendable {
    case bash, zsh, fish

    /// The script; sourcing it teaches the shell to complete `tapedeck`.
    func completionScript(verbs: [Verb]) -> String {
        let available = verbs.filter { $0.run != nil }
        return switch self {
        case .bash: bashScript(available)
        case .zsh: zshScript(available)
        case .fish: fishScript(available)
        }
    }
}

/// What a shell offers behind a flag or for an operand.
private enum Offer: Equatable {
    case files, directories, nothing
    case words([String])

    init(_ kind: ValueKind) {
        switch kind {
        case .file: self = .files
        case .recording: self = .directories
        case .choice(let words): self = .words(words)
        case .range: self = .words(RecordRange.Unit.allCases.map { "\($0.rawValue):" })
        case .rate: self = .words(["1", "10", "max"])
        case .url(let schemes): self = .words(schemes)
        case .text, .count, .duration, .size, .listener: self = .nothing
        case .durationOrOff: self = .words(["off"])
        }
    }
}

extension Verb {
    fileprivate var operandOffer: Offer { operands.first.map { Offer($0.kind) } ?? .nothing }

    /// All spellings of all flags that take or lack a value.
    fileprivate var flagWords: [String] {
        flags.flatMap { flag in
            ["--\(flag.name)"] + (flag.short.map { ["-\($0)"] } ?? [])  // most have no letter
        } + ["--help"]
    }
}

/// In single quotes for a POSIX shell.
private func quoted(_ text: String) -> String {
    "'" + text.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''")
        + "'"
}

private func bashScript(_ verbs: [Verb]) -> String {
    func reply(_ offer: Offer) -> String {
        switch offer {
        case .files: "COMPREPLY=($(compgen -f -- \"$word\"))"
        case .directories: "COMPREPLY=($(compgen -d -- \"$word\"))"
        case .nothing: "COMPREPLY=()"
        case .words(let words):
            "COMPREPLY=($(compgen -W \(quoted(words.joined(separator: " "))) -- \"$word\"))"
        }
    }
    var lines = [
        "# Completion of tapedeck for bash. Use: source <(tapedeck completion bash)",
        "_tapedeck() {",
        "    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]}",
        "    local verb=${COMP_WORDS[1]}",
        "    COMPREPLY=()",
        "    if ((COMP_CWORD == 1)); then",
        "        " + reply(.words(firstWords(verbs))),
        "        return",
        "    fi",
    ]
    for (first, seconds) in secondWords(verbs) {
        lines += [
            "    if [[ $verb == \(first) ]] && ((COMP_CWORD == 2)); then",
            "        " + reply(.words(seconds)),
            "        return",
            "    fi",
            "    [[ $verb != \(first) ]] || verb=\"$verb ${COMP_WORDS[2]}\"",
        ]
    }
    lines.append("    case \"$verb\" in")
    for verb in verbs {
        lines += ["    \(quoted(verb.name)))", "        case \"$before\" in"]
        for flag in verb.flags {
            guard let kind = flag.value?.kind else { continue }
            let names = ["--\(flag.name)"] + (flag.short.map { ["-\($0)"] } ?? [])  // no letter
            lines.append(
                "        \(names.joined(separator: " | "))) \(reply(Offer(kind))); return ;;"
            )
        }
        lines += [
            "        esac",
            "        if [[ $word == -* ]]; then",
            "            " + reply(.words(verb.flagWords)),
            "        else",
            "            " + reply(verb.operandOffer),
            "        fi",
            "        ;;",
        ]
    }
    lines += ["    esac", "}", "complete -o filenames -F _tapedeck tapedeck", ""]
    return lines.joined(separator: "\n")
}

private func zshScript(_ verbs: [Verb]) -> String {
    /// Text inside a specification: brackets and colons have a meaning there.
    func plain(_ text: String) -> String {
        text.map { "[]:\\".contains($0) ? "\\\($0)" : String($0) }.joined()
    }
    func action(_ offer: Offer) -> String {
        switch offer {
        case .files: "_files"
        case .directories: "_files -/"
        case .nothing: " "
        case .words(let words): "(\(words.map(plain).joined(separator: " ")))"
        }
    }
    var lines = [
        "#compdef tapedeck",
        "# Completion of tapedeck for zsh. Use: source <(tapedeck completion zsh)",
        "_tapedeck() {",
        "    local -a verbs",
        "    verbs=(",
    ]
    for word in firstWords(verbs) {
        let summary = verbs.first { $0.name == word }?.summary ?? "see tapedeck help"
        lines.append("        " + quoted("\(word):\(plain(summary))"))
    }
    lines += [
        "    )",
        "    if ((CURRENT == 2)); then",
        "        _describe verb verbs",
        "        return",
        "    fi",
        "    local verb=$words[2]",
        "    shift words",
        "    ((CURRENT--))",
    ]
    for (first, seconds) in secondWords(verbs) {
        lines += [
            "    if [[ $verb == \(first) ]]; then",
            "        if ((CURRENT == 2)); then",
            "            compadd \(seconds.joined(separator: " "))",
            "            return",
            "        fi",
            "        verb=\"$verb $words[2]\"",
            "        shift words",
            "        ((CURRENT--))",
            "    fi",
        ]
    }
    lines.append("    case $verb in")
    for verb in verbs {
        lines += ["    \(quoted(verb.name)))", "        _arguments -S \\"]
        for flag in verb.flags {
            let value = flag.value.map { ":\(plain($0.placeholder)):\(action(Offer($0.kind)))" }
            let help = "[\(plain(flag.help))]" + (value ?? "")  // a switch has no value
            lines.append("            \(quoted("*--\(flag.name)\(help)")) \\")
            if let short = flag.short {
                lines.append("            \(quoted("*-\(short)\(help)")) \\")
            }
        }
        lines.append("            '--help[explain this verb]' \\")
        lines += ["            \(quoted("*:operand:\(action(verb.operandOffer))"))", "        ;;"]
    }
    lines += [
        "    esac",
        "}",
        "if [[ $funcstack[1] == _tapedeck ]]; then _tapedeck \"$@\"; else compdef _tapedeck tapedeck; fi",
        "",
    ]
    return lines.joined(separator: "\n")
}

private func fishScript(_ verbs: [Verb]) -> String {
    /// In single quotes for fish, which escapes with a backslash inside them.
    func text(_ text: String) -> String {
        "'" + text.map { "'\\".contains($0) ? "\\\($0)" : String($0) }.joined() + "'"
    }
    func offer(_ offer: Offer) -> String {
        switch offer {
        case .files: " -F"
        case .directories: " -f -a '(__fish_complete_directories)'"
        case .nothing: " -f"
        case .words(let words): " -f -a \(text(words.joined(separator: " ")))"
        }
    }
    var lines = [
        "# Completion of tapedeck for fish. Use: tapedeck completion fish | source",
        "function __tapedeck_verb",
        "    set -l words (commandline -opc)",
        "    test (count $words) -ge 2; or return 1",
        "    test \"$words[2]\" = \"$argv[1]\"; or test \"$words[2..3]\" = \"$argv[1]\"",
        "end",
        "complete -c tapedeck -f",
    ]
    for word in firstWords(verbs) {
        let summary = verbs.first { $0.name == word }?.summary ?? "see tapedeck help"
        lines.append(
            "complete -c tapedeck -n __fish_use_subcommand -a \(text(word)) -d \(text(summary))"
        )
    }
    for (first, seconds) in secondWords(verbs) {
        let condition = text("test (count (commandline -opc)) -eq 2; and __tapedeck_verb \(first)")
        lines.append(
            "complete -c tapedeck -n \(condition) -f -a \(text(seconds.joined(separator: " ")))"
        )
    }
    for verb in verbs {
        let condition = text("__tapedeck_verb \"\(verb.name)\"")
        for flag in verb.flags {
            let value = flag.value.map { " -r" + offer(Offer($0.kind)) } ?? " -f"
            let short = flag.short.map { " -s \($0)" } ?? String()
            lines.append(
                "complete -c tapedeck -n \(condition) -l \(flag.name)\(short)\(value)"
                    + " -d \(text(flag.help))"
            )
        }
        lines.append("complete -c tapedeck -n \(condition) -l help -s h -d 'explain this verb'")
        if verb.operandOffer != .nothing {
            lines.append("complete -c tapedeck -n \(condition)\(offer(verb.operandOffer))")
        }
    }
    return lines.joined(separator: "\n") + "\n"
}

/// The first words of all verbs, each once, in the table's order.
private func firstWords(_ verbs: [Verb]) -> [String] {
    var seen: Set<String> = []
    return verbs.compactMap { verb in
        let word = String(verb.name.prefix { $0 != " " })
        return seen.insert(word).inserted ? word : nil
    }
}

/// The second words of those that have one, by their first word.
private func secondWords(_ verbs: [Verb]) -> [(first: String, seconds: [String])] {
    var result: [(first: String, seconds: [String])] = []
    for verb in verbs {
        let words = verb.name.split(separator: " ").map(String.init)
        guard words.count == 2 else { continue }
        if let index = result.firstIndex(where: { $0.first == words[0] }) {
            result[index].seconds.append(words[1])
        } else {
            result.append((words[0], [words[1]]))
        }
    }
    return result
}
