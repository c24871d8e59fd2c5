// Package.swift, read as text: which targets there are and what they depend on.

/// What Package.swift says of one target.
struct ManifestTarget: Equatable {
    enum Kind { case pure, edge, c, executable, test }

    let name: String
    let kind: Kind
    let dependencies: [String]
}

/// Reads the targets of a Package.swift that is written with this repository's functions
/// `pure`, `edge` and `tests`, and SwiftPM's own for C and the executable.
func manifestTargets(_ text: String) -> [ManifestTarget] {
    let file = SourceFile(path: "Package.swift", text: text)
    guard let start = file.tokens.firstIndex(where: { $0.text == "Package" }) else { return [] }
    var targets: [ManifestTarget] = []
    for index in start..<file.tokens.count where file.isMark(index + 1, "(") {
        guard let end = file.closing(index + 1) else { continue }
        let kind: ManifestTarget.Kind
        switch file.text(index) {
        case "pure": kind = .pure
        case "edge": kind = .edge
        case "tests": kind = .test
        case "systemLibrary", "target": kind = .c
        case "executableTarget": kind = .executable
        default: continue
        }
        let isOurs = kind == .pure || kind == .edge || kind == .test
        guard let name = (index..<end).first(where: { file.tokens[$0].kind == .string }) else {
            continue
        }
        var list: Int? = nil
        for position in name..<end where file.isMark(position, "[") {
            if isOurs || (file.isWord(position - 2, "dependencies")) { list = position }
            if list != nil || isOurs { break }
        }
        var dependencies: [String] = []
        if let list, let close = file.closing(list) {
            dependencies = (list..<close).filter { file.tokens[$0].kind == .string }
                .map { file.tokens[$0].text }
        }
        targets.append(
            ManifestTarget(name: file.text(name), kind: kind, dependencies: dependencies)
        )
    }
    return targets
}
