// Proof that each rule catches what it is for, and lets its innocent neighbour pass.

import Testing

private func file(_ text: String, path: String = "Sources/Model/RecordModel/X.swift") -> SourceFile
{
    SourceFile(path: path, text: text)
}

private func lines(_ findings: [Finding]) -> [Int] { findings.map(\.line) }

@Suite struct PlantedBreachTests {
    @Test func `comments and strings are not code, interpolations are`() {
        let text = #"""
            // try! here
            let a = "try! \(f(x!)) as!" /* y! */
            let b = 1
            """#
        let source = file(text)
        #expect(lines(trapFindings(source)) == [2])
        #expect(trapFindings(source).first?.message == "force unwrap may trap")
        #expect(source.comments[1] == "// try! here")
        #expect(source.lineCount == 3)
    }

    @Test func `raw and long strings end where they should`() {
        let text = ##"""
            let a = #"quote " and \(no!) "#
            let b = """
                text "x" y!
                """
            let c = d!
            """##
        #expect(lines(trapFindings(file(text))) == [5])
    }

    @Test func `an unknown top-level entry is found`() {
        let entries = ["Package.swift", "Sources", ".gitignore", "scripts", "NOTES.md"]
        #expect(topLevelFindings(entries).map(\.path) == ["scripts", "NOTES.md"])
    }

    @Test func `a stage without a door-plate is found`() {
        let paths: Set<String> = ["Sources/README.md", "Sources/Log/README.md"]
        #expect(
            stageFindings(["Log", "Wire"], paths: paths).map(\.path) == ["Sources/Wire/README.md"]
        )
    }

    @Test func `a developer's folder is found`() {
        let text = "fine\ncd /ho" + "me/ann/x\nsee /wo" + "rk/x"
        #expect(lines(developerPathFindings(path: "a.md", text: text)) == [2, 3])
        #expect(developerPathFindings(path: "a.md", text: "homework/x and /tmp/x").isEmpty)
    }

    @Test func `a manifest is read with its dependencies`() {
        let text = """
            func pure(_ name: String) -> Target { .target(name: name) }
            let package = Package(
                name: "x",
                targets: [
                    .systemLibrary(name: "CA", path: "Sources/CA", providers: [.apt(["liba"])]),
                    .target(name: "CB", path: "b", linkerSettings: [.linkedLibrary("b")]),
                    edge("E", "System", ["CA", "CB"]),
                    pure("P", "Model"),
                    .executableTarget(name: "Run", dependencies: ["E", "P"], path: "r"),
                    tests("ETests", "System/ETests", ["E"], exclude: ["x.txt"]),
                ]
            )
            """
        #expect(
            manifestTargets(text) == [
                ManifestTarget(name: "CA", kind: .c, dependencies: []),
                ManifestTarget(name: "CB", kind: .c, dependencies: []),
                ManifestTarget(name: "E", kind: .edge, dependencies: ["CA", "CB"]),
                ManifestTarget(name: "P", kind: .pure, dependencies: []),
                ManifestTarget(name: "Run", kind: .executable, dependencies: ["E", "P"]),
                ManifestTarget(name: "ETests", kind: .test, dependencies: ["E"]),
            ]
        )
    }

    @Test func `a manifest that differs from the table is found, both ways`() {
        let targets = [
            ManifestTarget(name: "A", kind: .pure, dependencies: ["B"]),
            ManifestTarget(name: "B", kind: .pure, dependencies: []),
            ManifestTarget(name: "New", kind: .pure, dependencies: []),
        ]
        let table = [ImportRow("A"), ImportRow("B", ["A"]), ImportRow("Gone")]
        let messages = manifestFindings(targets, table: table).map(\.message)
        #expect(
            messages == [
                "A depends on B, which its row does not allow",
                "the row of B allows A, which it does not depend on",
                "New has no row in the import table",
                "the import table has a row for Gone, which is no target",
            ]
        )
    }

    @Test func `an edge that is not on the list is found, and one that is none any more`() {
        let targets = [
            ManifestTarget(name: "Pure", kind: .pure, dependencies: []),
            ManifestTarget(name: "Known", kind: .edge, dependencies: []),
            ManifestTarget(name: "New", kind: .edge, dependencies: []),
            ManifestTarget(name: "Plain", kind: .c, dependencies: []),
            ManifestTarget(name: "CLib", kind: .c, dependencies: []),
            ManifestTarget(name: "NewTests", kind: .test, dependencies: []),
        ]
        let messages = edgeFindings(
            targets,
            withSwift: ["Pure", "Known", "New", "Plain", "NewTests"],
            admitted: ["Known", "Pure"]
        ).map(\.message)
        #expect(
            messages == [
                "New may not be an edge: make it pure, or argue for its name in the list",
                "Plain may not be an edge: make it pure, or argue for its name in the list",
                "Pure is no edge any more: take it off the list",
            ]
        )
    }

    @Test(arguments: [
        "import Foundation", "package import Glibc", "@testable import Replay",
        "import struct Foundation.URL",
    ])
    func `an import outside the table is found`(line: String) {
        let source = file("// first\n\(line)\n", path: "Sources/Model/Words/X.swift")
        let table = [ImportRow("Words", ["Letters"], toolchain: ["Synchronization"])]
        #expect(lines(importFindings(source, table: table, manifest: [])) == [2])
    }

    @Test func `an allowed import passes, and a test may use what it declares`() {
        let table = [ImportRow("Words", ["Letters"], toolchain: ["Synchronization"])]
        let source = file(
            "import Letters\nimport Synchronization\nlet x = Verb.import\n",
            path: "Sources/Model/Words/X.swift"
        )
        #expect(importFindings(source, table: table, manifest: []).isEmpty)
        let test = file(
            "import Testing\nimport Words\nimport Letters\n",
            path: "Tests/Model/WordsTests/X.swift"
        )
        let manifest = [ManifestTarget(name: "WordsTests", kind: .test, dependencies: ["Words"])]
        #expect(lines(importFindings(test, table: table, manifest: manifest)) == [3])
    }

    @Test func `a type named as a target is found, also when nested`() {
        let source = file("struct A {\n    enum Replay {}\n}\nlet replay = Replay.x\n")
        #expect(lines(targetNameFindings([source], targets: ["Replay"])) == [2])
    }

    @Test func `a long file is found`() {
        let text = String(repeating: "\n", count: 601)
        #expect(fileLengthFindings(file(text)).count == 1)
        #expect(fileLengthFindings(file(String(text.dropLast()))).isEmpty)
        #expect(fileLengthFindings(file(text, path: "Tests/A/B/C.swift")).isEmpty)
    }

    @Test func `a long function is found, and an admitted one may only shrink`() {
        let body = String(repeating: "    x()\n", count: 69)
        let source = file("protocol P { func short() }\nfunc long(\n    a: Int) {\n\(body)}\n")
        let path = source.path
        #expect(lines(functionLengthFindings([source], admitted: [:])) == [2])
        #expect(functionLengthFindings([source], admitted: ["\(path)#long": 72]).isEmpty)
        #expect(functionLengthFindings([source], admitted: ["\(path)#long": 71]).count == 1)
        let stale = functionLengthFindings([source], admitted: ["\(path)#long": 80])
        #expect(
            stale.map(\.message) == ["is admitted with 80 lines and now has 72: lower the number"]
        )
        #expect(
            functionLengthFindings([source], admitted: ["x#y": 90, "\(path)#long": 72]).count == 1
        )
    }

    @Test func `an initialiser's and a subscript's length count too`() {
        let body = String(repeating: "        x()\n", count: 70)
        let source = file(
            "struct A {\n    init?() {\n\(body)    }\n    subscript(a: Int) -> Int {\n\(body)    }\n}\n"
        )
        #expect(lines(functionLengthFindings([source], admitted: [:])) == [2, 74])
    }

    @Test func `an empty word in a type's name is found`() {
        let source = file("struct LogManager {}\nenum FrameData {}\nstruct DataFrame {}\n")
        #expect(lines(typeNameFindings(source)) == [1, 2])
    }

    @Test func `what can trap is found`() {
        let text = """
            let a = try! f()
            let b = c as! D
            let e = g()!
            let h: Int! = nil
            fatalError("TODO later")
            let i = !j && k != l
            let m = try? n() // fine here
            fatalError("the index is broken")
            """
        #expect(lines(trapFindings(file(text))) == [1, 2, 3, 4, 5])
    }

    @Test func `hidden inputs and outputs are found`() {
        let text = """
            print("x")
            let a = Int.random(in: 0..<3)
            let b = Date()
            let c = Int.random(in: 0..<3, using: &generator)
            printer.print("x")
            let d = Date(timeIntervalSince1970: 0)
            let e = Date.now
            """
        #expect(lines(ambientFindings(file(text))) == [1, 2, 3, 7])
        let command = file("print(\"x\")", path: "Sources/App/Command/X.swift")
        #expect(ambientFindings(command).isEmpty)
    }

    @Test func `a swallowed failure without a reason is found`() {
        let text = """
            let a = try? b()
            /// Documentation is no reason.
            let c = d ?? 0
            let e = f ?? ""
            let g = h ?? []

            // Absent means none was sent.
            let i = j ?? 0
            let k = try? l()  // the file may be gone
            let m = n ?? 01
            let o = p ?? [1]
            let q = r ?? "none"
            let s = t?.count ?? 0
            let u = count ?? 0
            """
        #expect(lines(vanishingErrorFindings(file(text))) == [1, 3, 4, 5, 14])
    }

    @Test func `an unargued escape hatch is found`() {
        let gap = String(repeating: "\n", count: 20)
        let text = """
            final class A: @unchecked Sendable {}
            nonisolated(unsafe) var b = 0
            let c: Atomic<Int>
            let d = Mutex(0)
            \(gap)
            // safety: written once before the thread starts.
            final class E: @unchecked Sendable {}
            final class F: @unchecked Sendable {
                // safety: `x` is guarded by `lock`.
            }
            """
        #expect(lines(safetyFindings(file(text))) == [1, 2, 3, 4])
    }

    @Test func `an undocumented package declaration is found`() {
        let text = """
            package struct A: P {
                package let x: Int
                package let x2: Int
                /// Documented.
                package static let y = 1
                package static let y2 = 1

                package var v = 1
                package init(x: Int) { self.x = x }
                package init(parsing text: String) {}
                package init(integerLiteral value: Int) {}
                package func required() {}
                package func other() {}
                // Not documentation.
                package func plain() {}
            }
            /// Documented, with an attribute between.
            @inline(never)
            package func z() {}
            package struct B { package func required() {} }
            package import C
            """
        let findings = documentationFindings(file(text), requirements: ["required"])
        #expect(lines(findings) == [1, 2, 3, 8, 10, 13, 15, 20, 20])
    }

    @Test func `requirements of protocols are collected`() {
        let source = file(
            "protocol P<T>: Sendable {\n    func a() -> Int\n    var b: Int { get }\n}\nfunc c() {}\n"
        )
        #expect(source.protocolRequirements == ["a", "b"])
    }

    @Test func `raw memory in a pure target is found`() {
        let text = """
            let a = unsafe b
            func c(_ p: UnsafeRawPointer) {}
            let d = unsafe bytes.span.bytes
            let e = unsafe UInt64(span.unsafeLoadUnaligned(fromByteOffset: 0, as: UInt64.self))
            let f = unsafe withUnsafeBytes { unsafe $0 }
            """
        let pure: Set<String> = ["RecordModel"]
        let source = file(text)
        #expect(lines(pureFindings(source, pureTargets: pure, admitted: [])) == [1, 2, 5, 5, 5])
        #expect(pureFindings(source, pureTargets: ["MarketModel"], admitted: []).isEmpty)
        #expect(pureFindings(source, pureTargets: pure, admitted: [source.path]).isEmpty)
    }
}
