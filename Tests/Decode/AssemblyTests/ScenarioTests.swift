import Foundation
import Testing

@Suite struct ScenarioTests {
    private static let folder = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent()
        .appendingPathComponent("Scenarios")

    private static let names: [String] = {
        let all = try? FileManager.default.contentsOfDirectory(atPath: folder.path)
        return (all ?? []).filter { $0.hasSuffix(".scenario") }.sorted()
    }()

    @Test func `there are scenarios`() {
        #expect(Self.names.count >= 25)
    }

    @Test(arguments: names)
    func `what an assembler does is what the text expects`(_ name: String) throws {
        let file = Self.folder.appendingPathComponent(name)
        var scenario = AssemblyScenario(try String(contentsOf: file, encoding: .utf8))
        let seen = try scenario.run()
        if ProcessInfo.processInfo.environment["TAPEDECK_REWRITE_SCENARIOS"] == "1" {
            try scenario.text(expecting: seen).write(to: file, atomically: true, encoding: .utf8)
            return
        }
        #expect(seen == scenario.expectation)
        #expect(scenario.script.hasPrefix("# "), "says what rule it shows")
    }
}
