// Rules about what is written inside the files of the program.

/// Words that say nothing about a type, as the last word of its name.
func typeNameFindings(_ file: SourceFile) -> [Finding] {
    let empty = [
        "Manager", "Helper", "Helpers", "Util", "Utils", "Utility", "Utilities", "Handler",
        "Service", "Data", "Info", "Common", "Base",
    ]
    return file.types.compactMap { type in
        guard let word = empty.first(where: { type.name.hasSuffix($0) }) else { return nil }
        return Finding(
            path: file.path,
            line: type.line,
            message: "\(type.name): '\(word)' says nothing; name what it is"
        )
    }
}

/// What can end the process or hide a failure: `try!`, `as!`, `x!`, unfinished `fatalError`.
func trapFindings(_ file: SourceFile) -> [Finding] {
    file.tokens.indices.compactMap { index in
        let token = file.tokens[index]
        var what: String? = nil
        if token.text == "!", token.kind == .mark, token.touchesPrevious,
            !(file.isMark(index + 1, "=") && file.touches(index + 1)), index > 0
        {
            let before = file.tokens[index - 1]
            if before.kind == .word, ["try", "as"].contains(before.text) {
                what = "\(before.text)!"
            } else if before.kind == .word || [")", "]", "?"].contains(before.text) {
                what = "force unwrap"
            }
        }
        if file.isWord(index, "fatalError"), file.text(index + 2).hasPrefix("TODO") {
            what = "unfinished fatalError"
        }
        return what.map { Finding(path: file.path, line: token.line, message: "\($0) may trap") }
    }
}

/// Hidden inputs and outputs: `print` outside Command, unseeded randomness, the wall clock.
func ambientFindings(_ file: SourceFile) -> [Finding] {
    file.tokens.indices.compactMap { index in
        let token = file.tokens[index]
        var what: String? = nil
        if file.isWord(index, "print"), file.isMark(index + 1, "("), !file.isMark(index - 1, "."),
            !file.isWord(index - 1, "func"), file.target != "Command"
        {
            what = "print outside Command"
        }
        if file.isMark(index, "."), file.isWord(index + 1, "random"), file.isMark(index + 2, "(") {
            let end = file.closing(index + 2) ?? index + 2
            if !(index..<end).contains(where: { file.isWord($0, "using") }) {
                what = "randomness without a generator"
            }
        }
        if file.isWord(index, "Date") {
            let isNow = file.isMark(index + 1, ".") && file.isWord(index + 2, "now")
            if isNow || (file.isMark(index + 1, "(") && file.isMark(index + 2, ")")) {
                what = "the wall clock read directly"
            }
        }
        return what.map { Finding(path: file.path, line: token.line, message: $0) }
    }
}

/// `try?`, `?? 0`, `?? ""` and `?? []` turn a failure into a value: each says why in a comment on
/// its line or on the line before. `x?.count ?? 0` needs none: what is absent has no members.
func vanishingErrorFindings(_ file: SourceFile) -> [Finding] {
    file.tokens.indices.compactMap { index in
        let token = file.tokens[index]
        var what: String? = nil
        if file.isWord(index, "try"), file.isMark(index + 1, "?"), file.touches(index + 1) {
            what = "try?"
        }
        if file.isMark(index, "?"), file.isMark(index + 1, "?"), file.touches(index + 1),
            file.tokens.indices.contains(index + 2)
        {
            let next = file.tokens[index + 2]
            let isCount = file.isWord(index - 1, "count") && file.isMark(index - 3, "?")
            if next.kind == .number, next.text == "0", !isCount { what = "?? 0" }
            if next.kind == .string, next.text.isEmpty, !file.touches(index + 3) {
                what = "?? \"\""
            }
            if next.text == "[", file.isMark(index + 3, "]") { what = "?? []" }
        }
        guard let what else { return nil }
        for line in [token.line, token.line - 1] {
            if let comment = file.comments[line], !comment.hasPrefix("///") { return nil }
        }
        return Finding(path: file.path, line: token.line, message: "\(what) without a reason")
    }
}

/// Escape hatches from the compiler's data-race checks carry their argument: a comment with
/// `safety:` at most 15 lines above or 3 below.
func safetyFindings(_ file: SourceFile) -> [Finding] {
    file.tokens.indices.compactMap { index in
        var what: String? = nil
        if file.isMark(index, "@"), file.isWord(index + 1, "unchecked") { what = "@unchecked" }
        if file.isWord(index, "nonisolated"), file.isWord(index + 2, "unsafe") {
            what = "nonisolated(unsafe)"
        }
        if file.isWord(index, "Atomic"), file.isMark(index + 1, "<") { what = "Atomic" }
        if file.isWord(index, "Mutex"), file.isMark(index + 1, "(") || file.isMark(index + 1, "<") {
            what = "Mutex"
        }
        guard let what else { return nil }
        let line = file.tokens[index].line
        let isArgued = (line - 15...line + 3).contains {
            file.comments[$0]?.contains("safety:") == true
        }
        if isArgued { return nil }
        return Finding(path: file.path, line: line, message: "\(what) without a safety: comment")
    }
}

/// A pure target touches no raw memory, except in admitted files. Two exceptions:
/// reading an array's bytes as a span, and loading an integer from a span. The compiler asks for
/// `unsafe` there although both check their bounds and every bit pattern is an integer.
func pureFindings(
    _ file: SourceFile,
    pureTargets: Set<String>,
    admitted: Set<String>
) -> [Finding] {
    guard let target = file.target, pureTargets.contains(target), !admitted.contains(file.path)
    else { return [] }
    return file.tokens.indices.compactMap { index in
        let token = file.tokens[index]
        guard token.kind == .word else { return nil }
        if token.text == "unsafe" {
            let readsSpan = file.tokens.indices.contains { position in
                file.isWord(position, "span") && file.isWord(position + 2, "bytes")
                    && file.tokens[position].line == token.line
            }
            let loads = (index..<min(index + 9, file.tokens.count)).contains {
                file.text($0).hasPrefix("unsafeLoad")
            }
            if readsSpan || loads { return nil }
        } else if !token.text.hasPrefix("Unsafe"), !token.text.hasPrefix("withUnsafe") {
            return nil
        }
        return Finding(
            path: file.path,
            line: token.line,
            message: "'\(token.text)' in the pure target \(target)"
        )
    }
}
