// The rule that what crosses a target is documented.

/// Every `package` declaration has a doc comment. Three kinds speak for themselves: a member that
/// a protocol asks for (the protocol documents it), an initialiser whose parameters are all named
/// as properties of the file, and an extension. One comment may speak for properties on adjacent
/// lines: above the first of them, or above the type that they open.
func documentationFindings(_ file: SourceFile, requirements: Set<String>) -> [Finding] {
    let introducers: Set<String> = [
        "func", "var", "let", "struct", "class", "enum", "protocol", "actor", "typealias", "init",
        "subscript",
    ]
    let conforming = conformingRanges(file)
    let properties = Set(
        file.tokens.indices.filter { file.isWord($0, "let") || file.isWord($0, "var") }
            .map { file.text($0 + 1) }
    )
    func isProperty(_ keyword: Int) -> Bool {
        file.isWord(keyword, "let") || file.isWord(keyword, "var")
    }
    return file.tokens.indices.compactMap { index in
        guard file.isWord(index, "package"), file.tokens.indices.contains(index + 1),
            file.tokens[index + 1].kind == .word,
            let keyword = (index + 1..<min(index + 9, file.tokens.count)).first(where: {
                introducers.contains(file.text($0)) && !file.isMark($0 - 1, "(")
                    || ["import", "extension"].contains(file.text($0))
            }),
            introducers.contains(file.text(keyword)),
            !isDocumented(file, line: file.tokens[index].line, isProperty: isProperty(keyword))
        else { return nil }
        let name: String
        if file.isWord(keyword, "init") {
            name = "init"
            let labels = parameterNames(file, open: keyword + 1)
            let label = file.text(keyword + 2)
            let isAskedFor = label == "rawValue" || label.hasSuffix("Literal")
            if isAskedFor || properties.isSuperset(of: labels) { return nil }
        } else {
            name = file.text(keyword + 1)
            if requirements.contains(name), conforming.contains(where: { $0.contains(index) }) {
                return nil
            }
        }
        return Finding(
            path: file.path,
            line: file.tokens[index].line,
            message: "package \(file.text(keyword)) \(name) has no doc comment"
        )
    }
}

/// Members that protocols of the standard library ask for.
let standardRequirements: Set<String> = [
    "description", "debugDescription", "errorDescription", "hash", "=", "<", "next", "makeIterator",
    "rawValue", "allCases", "startIndex", "endIndex", "index",
]

/// Whether a doc comment stands above a line, past attributes and plain comments; above a
/// property's line, past adjacent properties and the opening of their type, too.
private func isDocumented(_ file: SourceFile, line: Int, isProperty: Bool) -> Bool {
    let first = Dictionary(file.tokens.indices.map { (file.tokens[$0].line, $0) }) { a, _ in a }
    var above = line - 1
    while above > 0 {
        if let index = first[above] {
            guard file.isMark(index, "@") || isProperty && continuesRun(file, first: index) else {
                return false
            }
        } else {
            guard let comment = file.comments[above] else { return false }
            if comment.hasPrefix("///") { return true }
        }
        above -= 1
    }
    return false
}

/// Whether the line that begins with token `first` declares a property or opens a type.
private func continuesRun(_ file: SourceFile, first: Int) -> Bool {
    let line = file.tokens[first].line
    let words = file.tokens[first...].prefix { $0.line == line }
    guard words.first?.text == "package" || words.first?.text == "static" else { return false }
    if words.contains(where: { $0.text == "let" || $0.text == "var" }) { return true }
    return words.last?.text == "{"
        && words.contains { ["struct", "class", "enum"].contains($0.text) }
}

/// The inner names of the parameters in the list that opens at `open`.
private func parameterNames(_ file: SourceFile, open: Int) -> [String] {
    guard file.isMark(open, "("), let close = file.closing(open) else { return [] }
    var names: [String] = []
    var depth = 0
    for index in open...close {
        if ["(", "[", "{"].contains(file.text(index)) { depth += 1 }
        if [")", "]", "}"].contains(file.text(index)) { depth -= 1 }
        if depth == 1, file.isMark(index, ":") { names.append(file.text(index - 1)) }
    }
    return names
}

/// The token ranges of the bodies of types and extensions that name something after a colon.
private func conformingRanges(_ file: SourceFile) -> [ClosedRange<Int>] {
    let introducers: Set<String> = ["struct", "class", "enum", "actor", "extension"]
    return file.tokens.indices.compactMap { index in
        guard introducers.contains(file.text(index)), file.tokens[index].kind == .word else {
            return nil
        }
        var angles = 0
        var conforms = false
        var isInConstraints = false
        for position in index + 1..<max(index + 1, file.tokens.count) {
            switch file.text(position) {
            case "<": angles += 1
            case ">": angles -= 1
            case "where": isInConstraints = true
            case ":" where angles == 0 && !isInConstraints: conforms = true
            case "{":
                guard conforms, let close = file.closing(position) else { return nil }
                return position...close
            case "}", ";", "(": return nil
            default: break
            }
        }
        return nil
    }
}
