// What the tokens of a file declare: imports, types, functions, protocol requirements.

/// A type declared in a file.
struct TypeDeclaration: Equatable {
    let name: String
    let line: Int
}

/// A function, initialiser or subscript with its body.
struct FunctionDeclaration: Equatable {
    let name: String
    let line: Int
    /// Lines from its first keyword to the closing brace.
    let length: Int
}

extension SourceFile {
    /// The modules that the file imports, with the line of each.
    var imports: [(module: String, line: Int)] {
        let modifiers: Set<String> = [
            "package", "internal", "private", "fileprivate", "public", "testable",
            "preconcurrency", "@",
        ]
        let kinds: Set<String> = [
            "struct", "class", "enum", "protocol", "func", "var", "let", "typealias",
        ]
        var found: [(module: String, line: Int)] = []
        for index in tokens.indices where isWord(index, "import") {
            var first = index
            while first > 0, tokens[first - 1].line == tokens[index].line { first -= 1 }
            guard (first..<index).allSatisfy({ modifiers.contains(tokens[$0].text) }) else {
                continue
            }
            let name = kinds.contains(text(index + 1)) ? text(index + 2) : text(index + 1)
            found.append((name, tokens[index].line))
        }
        return found
    }

    /// Every type that the file declares, nested ones included.
    var types: [TypeDeclaration] {
        let introducers: Set<String> = [
            "struct", "class", "enum", "actor", "protocol", "typealias",
        ]
        let notNames: Set<String> = ["func", "var", "let", "subscript", "init"]
        return tokens.indices.compactMap { index in
            guard tokens[index].kind == .word, introducers.contains(tokens[index].text),
                !isMark(index - 1, "."), !isWord(index - 1, "import"),
                tokens.indices.contains(index + 1), tokens[index + 1].kind == .word,
                !notNames.contains(text(index + 1))
            else { return nil }
            return TypeDeclaration(name: text(index + 1), line: tokens[index].line)
        }
    }

    /// Every function, initialiser and subscript that has a body.
    var functions: [FunctionDeclaration] {
        tokens.indices.compactMap { index in
            guard isFunctionKeyword(index), let open = bodyOpening(after: index),
                let close = closing(open)
            else { return nil }
            return FunctionDeclaration(
                name: isWord(index, "func") ? text(index + 1) : tokens[index].text,
                line: tokens[index].line,
                length: tokens[close].line - tokens[index].line + 1
            )
        }
    }

    /// The names of all members that the protocols of the file ask for.
    var protocolRequirements: Set<String> {
        var names: Set<String> = []
        for index in tokens.indices
        where isWord(index, "protocol") && tokens.indices.contains(index + 1)
            && tokens[index + 1].kind == .word
        {
            guard let open = tokens[index...].firstIndex(where: { $0.text == "{" }),
                let close = closing(open)
            else { continue }
            for member in open..<close where isWord(member, "func") || isWord(member, "var") {
                names.insert(text(member + 1))
            }
        }
        return names
    }

    private func isFunctionKeyword(_ index: Int) -> Bool {
        guard tokens[index].kind == .word, !isMark(index - 1, ".") else { return false }
        switch tokens[index].text {
        case "func": return true
        case "init": return ["(", "?", "<"].contains(text(index + 1))
        case "subscript": return ["(", "<"].contains(text(index + 1))
        case "deinit": return text(index + 1) == "{"
        default: return false
        }
    }

    /// The brace that opens the body of the declaration at `index`; nil for a requirement.
    private func bodyOpening(after index: Int) -> Int? {
        let next: Set<String> = [
            "func", "var", "let", "init", "case", "static", "package", "mutating", "subscript",
            "struct", "enum", "class", "associatedtype", "typealias",
        ]
        var depth = 0
        for position in (index + 1)..<max(index + 1, tokens.count) {
            let token = tokens[position]
            if token.kind == .mark {
                if token.text == "(" || token.text == "[" { depth += 1 }
                if token.text == ")" || token.text == "]" { depth -= 1 }
                if token.text == "{", depth == 0 { return position }
                if token.text == "}", depth == 0 { return nil }
            } else if depth == 0, token.kind == .word, position > index + 1,
                next.contains(token.text), token.line > tokens[position - 1].line
            {
                return nil
            }
        }
        return nil
    }
}
