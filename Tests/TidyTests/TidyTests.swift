// The rules, applied to this working copy. Each rule is proved by PlantedBreachTests.

import Testing

/// Functions over 70 lines that stay for now, as `path#name` with the length each has. Entries
/// and numbers only ever go away or down.
private let admittedLongFunctions: [String: Int] = [:]

/// Targets that may have the name of a type; none.
private let admittedTargetNames: Set<String> = []

/// Targets that may work on raw memory, `edge` in Package.swift. Names only ever go away.
private let admittedEdges: Set<String> = [
    // C libraries and the kernel.
    "Platform", "BlockCodec", "Inflation", "JSONText", "WebSocketTransport", "GRPCTransport",
    "GeyserDecoding",
    // The bytes of blocks, records and messages, which are not copied.
    "SegmentFormat", "SegmentLog", "LogCare", "GeyserSource", "EthereumSource", "EthereumDecoding",
    "ReplayServer",
    // Keys and rows of tables, and SQLite.
    "Pipeline", "Projection", "CheckpointStore", "Folding",
    // For tests and tools: a disk that takes what the log writes, and markets that are written.
    "Simulation", "LogSimulation", "Synthesis",
    // The command line, which hands all of these on.
    "Command", "Program",
]

/// The files of pure targets that may say `unsafe`, each with the argument at its top.
private let admittedUnsafeFiles: Set<String> = [
    "Sources/Model/RecordModel/LittleEndian.swift",
    "Sources/Wire/WebSocketProtocol/WideBytes.swift",
]

private func expectNone(_ findings: [Finding], sourceLocation: SourceLocation = #_sourceLocation) {
    let text = findings.map(\.description).joined(separator: "\n")
    #expect(findings.isEmpty, "\n\(text)", sourceLocation: sourceLocation)
}

@Suite struct TidyTests {
    let tree: SourceTree

    init() throws { tree = try SourceTree.shared.get() }

    @Test func `the tree is read at all`() {
        #expect(tree.sources.count > 20)
        #expect(tree.manifest.count > 40)
        #expect(tree.swift.contains { $0.path == "Tests/TidyTests/TidyTests.swift" })
    }

    @Test func `nothing unknown stands at the top level`() {
        expectNone(topLevelFindings(tree.topLevel))
    }

    @Test func `every stage has a door-plate`() {
        expectNone(stageFindings(tree.stages, paths: Set(tree.files.map(\.path))))
    }

    @Test func `no file names a folder of a developer's machine`() {
        expectNone(
            tree.files.flatMap {
                developerPathFindings(
                    path: $0.path,
                    text: String(decoding: $0.bytes, as: UTF8.self)
                )
            }
        )
    }

    @Test func `Package.swift and the import table agree`() {
        expectNone(manifestFindings(tree.manifest, table: importTable))
    }

    @Test func `targets import only what the table allows`() {
        expectNone(
            tree.swift.flatMap {
                importFindings($0, table: importTable, manifest: tree.manifest)
            }
        )
    }

    @Test func `no target has the name of a type`() {
        let targets = Set(tree.manifest.filter { $0.kind != .test }.map(\.name))
        expectNone(
            targetNameFindings(tree.swift, targets: targets.subtracting(admittedTargetNames))
        )
    }

    @Test func `files stay short`() {
        expectNone(tree.swift.flatMap(fileLengthFindings))
    }

    @Test func `functions stay short, and admitted ones only shrink`() {
        expectNone(functionLengthFindings(tree.program, admitted: admittedLongFunctions))
    }

    @Test func `type names say what a thing is`() {
        expectNone(tree.program.flatMap(typeNameFindings))
    }

    @Test func `nothing traps on purpose`() {
        expectNone(tree.program.flatMap(trapFindings))
    }

    @Test func `no hidden inputs and outputs`() {
        expectNone(tree.sources.flatMap(ambientFindings))
    }

    @Test func `a swallowed failure has a reason`() {
        expectNone(tree.program.flatMap(vanishingErrorFindings))
    }

    @Test func `an unchecked concurrency claim has its argument`() {
        expectNone(tree.program.flatMap(safetyFindings))
    }

    @Test func `what crosses a target is documented`() {
        let requirements = tree.sources.reduce(into: standardRequirements) {
            $0.formUnion($1.protocolRequirements)
        }
        expectNone(tree.sources.flatMap { documentationFindings($0, requirements: requirements) })
    }

    @Test func `only the admitted targets may touch raw memory`() throws {
        let swift = Set(tree.sources.compactMap(\.target))
        expectNone(edgeFindings(tree.manifest, withSwift: swift, admitted: admittedEdges))
        // What makes the compiler hold the others to it.
        let manifest = try #require(tree.files.first { $0.path == "Package.swift" })
        let text = String(decoding: manifest.bytes, as: UTF8.self)
        let lines = text.split(separator: "\n")
        let helper = lines.drop { $0 != "func pure(" }.prefix { $0 != "}" }
        #expect(helper.contains { $0.contains("common + [.strictMemorySafety()]") })
        #expect(lines.contains("    .treatAllWarnings(as: .error),"))
    }

    @Test func `pure targets touch no raw memory`() {
        let pure = Set(tree.manifest.filter { $0.kind == .pure }.map(\.name))
        #expect(pure.contains("RecordModel"))
        expectNone(
            tree.sources.flatMap {
                pureFindings($0, pureTargets: pure, admitted: admittedUnsafeFiles)
            }
        )
    }
}
