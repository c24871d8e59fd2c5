// Rules about files, folders and who imports whom.

/// The only things that stand at the top of the repository, besides dotfiles.
func topLevelFindings(_ entries: [String]) -> [Finding] {
    let allowed: Set<String> = [
        "Package.swift", "Sources", "Tests", "Recordings", "Tools", "README.md",
    ]
    return entries.filter { !allowed.contains($0) && !$0.hasPrefix(".") }
        .map { Finding(path: $0, line: 1, message: "does not belong at the top level") }
}

/// Every stage folder has a door-plate.
func stageFindings(_ stages: [String], paths: Set<String>) -> [Finding] {
    (stages.map { "Sources/\($0)/README.md" } + ["Sources/README.md"])
        .filter { !paths.contains($0) }
        .map { Finding(path: $0, line: 1, message: "is missing") }
}

/// No file names a folder of the machine it was written on.
func developerPathFindings(path: String, text: String) -> [Finding] {
    // In pieces, so that this file does not find itself.
    let folders = ["wo" + "rk", "ho" + "me", "Us" + "ers", "ro" + "ot"].map { "/\($0)/" }
    guard folders.contains(where: { text.contains($0) }) else { return [] }
    return text.split(separator: "\n", omittingEmptySubsequences: false).enumerated()
        .flatMap { number, line in
            folders.filter { line.contains($0) }
                .map { Finding(path: path, line: number + 1, message: "names \($0)") }
        }
}

/// The table and Package.swift name the same targets with the same dependencies.
func manifestFindings(_ targets: [ManifestTarget], table: [ImportRow]) -> [Finding] {
    var findings: [Finding] = []
    func report(_ message: String) {
        findings.append(Finding(path: "Package.swift", line: 1, message: message))
    }
    let program = targets.filter { $0.kind != .test }
    for target in program {
        guard let row = table.first(where: { $0.target == target.name }) else {
            report("\(target.name) has no row in the import table")
            continue
        }
        let declared = Set(target.dependencies)
        for name in declared.subtracting(row.modules).sorted() {
            report("\(target.name) depends on \(name), which its row does not allow")
        }
        for name in row.modules.subtracting(declared).sorted() {
            report("the row of \(target.name) allows \(name), which it does not depend on")
        }
    }
    for row in table where !program.contains(where: { $0.name == row.target }) {
        report("the import table has a row for \(row.target), which is no target")
    }
    return findings
}

/// Which targets work on raw memory is decided by name: every other one with Swift in it is `pure`, so
/// that the compiler refuses unsafe code there. The list only ever gets shorter.
func edgeFindings(
    _ targets: [ManifestTarget],
    withSwift: Set<String>,
    admitted: Set<String>
) -> [Finding] {
    let edges = targets.filter { $0.kind != .pure && $0.kind != .test }
    let names = withSwift.intersection(edges.map(\.name))
    let unknown = names.subtracting(admitted).sorted().map {
        "\($0) may not be an edge: make it pure, or argue for its name in the list"
    }
    let idle = admitted.subtracting(names).sorted().map {
        "\($0) is no edge any more: take it off the list"
    }
    return (unknown + idle).map { Finding(path: "Package.swift", line: 1, message: $0) }
}

/// A target imports only what its row names; a test target what it declares.
func importFindings(
    _ file: SourceFile,
    table: [ImportRow],
    manifest: [ManifestTarget]
) -> [Finding] {
    guard let target = file.target else { return [] }
    var allowed: Set<String>
    if file.path.hasPrefix("Sources/") {
        guard let row = table.first(where: { $0.target == target }) else {
            return [Finding(path: file.path, line: 1, message: "\(target) is no target")]
        }
        allowed = row.modules.union(row.toolchain)
    } else {
        guard let declared = manifest.first(where: { $0.name == target }) else {
            return [Finding(path: file.path, line: 1, message: "\(target) is no test target")]
        }
        allowed = testToolchain.union(declared.dependencies)
    }
    return file.imports.filter { !allowed.contains($0.module) }
        .map { module, line in
            Finding(path: file.path, line: line, message: "\(target) may not import \(module)")
        }
}

/// No target has the name of a type: the compiler then takes one for the other.
func targetNameFindings(
    _ files: [SourceFile],
    targets: Set<String>
) -> [Finding] {
    files.flatMap { file in
        file.types.filter { targets.contains($0.name) }.map {
            Finding(path: file.path, line: $0.line, message: "type \($0.name) is named as a target")
        }
    }
}

/// No file is longer than can be read in one sitting.
func fileLengthFindings(_ file: SourceFile) -> [Finding] {
    let limit = file.path.hasPrefix("Tests/") ? 800 : 600
    guard file.lineCount > limit else { return [] }
    return [
        Finding(path: file.path, line: limit, message: "\(file.lineCount) lines, limit \(limit)")
    ]
}

/// No function is longer than 70 lines, unless it is admitted with the length it has now. An
/// admitted one that has become shorter must be admitted with less: the list only shrinks.
func functionLengthFindings(_ files: [SourceFile], admitted: [String: Int]) -> [Finding] {
    let limit = 70
    var findings: [Finding] = []
    var longest: [String: Int] = [:]
    for file in files {
        for function in file.functions where function.length > limit {
            let key = "\(file.path)#\(function.name)"
            longest[key] = max(longest[key] ?? 0, function.length)
            if function.length > admitted[key] ?? limit {
                let message = "\(function.name) has \(function.length) lines, limit \(limit)"
                findings.append(Finding(path: file.path, line: function.line, message: message))
            }
        }
    }
    for (key, length) in admitted.sorted(by: { $0.key < $1.key }) {
        let now = longest[key] ?? 0
        if now < length {
            let message =
                "is admitted with \(length) lines and now has "
                + (now > 0 ? "\(now)" : "no more than \(limit)") + ": lower the number"
            findings.append(Finding(path: key, line: 1, message: message))
        }
    }
    return findings
}
