import Foundation
import FuzzTargets
import Testing

/// Every kept input goes through its target once more: the corpora that searches begin with, and
/// the inputs that once broke something. A target that fails stops the tests.
@Suite struct FuzzReplayTests {
    private static let folder = URL(filePath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent()

    private static let targets = FuzzTarget.all.filter { !$0.isCanary }

    private static func inputs(_ kind: String, _ target: String) throws -> [URL] {
        let place = folder.appending(path: kind).appending(path: target)
        guard FileManager.default.fileExists(atPath: place.path) else { return [] }
        return try FileManager.default.contentsOfDirectory(
            at: place,
            includingPropertiesForKeys: nil
        ).sorted { $0.path < $1.path }
    }

    @Test(arguments: targets.map(\.name))
    func `every kept input is taken`(name: String) throws {
        let target = try #require(Self.targets.first { $0.name == name })
        let seeds = try Self.inputs("Corpus", name)
        #expect(!seeds.isEmpty, "a search of \(name) begins with nothing")
        target.run(UnsafeRawBufferPointer(start: nil, count: 0))
        for file in try seeds + Self.inputs("Regressions", name) {
            let bytes = try Data(contentsOf: file)
            #expect(bytes.count <= target.bytesMax, "\(file.lastPathComponent) is too long")
            // The last thing said before a stop names the input.
            FileHandle.standardError.write(Data("fuzz: \(name)/\(file.lastPathComponent)\n".utf8))
            bytes.withUnsafeBytes { target.run($0) }
        }
    }

    @Test func `every folder of inputs has its target`() throws {
        let names = Set(Self.targets.map(\.name))
        for kind in ["Corpus", "Regressions"] {
            let place = Self.folder.appending(path: kind).path
            guard FileManager.default.fileExists(atPath: place) else { continue }
            let folders = try FileManager.default.contentsOfDirectory(atPath: place)
            #expect(Set(folders).isSubset(of: names), "\(kind)")
        }
    }

    @Test func `the corpora stay small`() throws {
        var total = 0
        for target in Self.targets {
            for file in try Self.inputs("Corpus", target.name) {
                total += try Data(contentsOf: file).count
            }
        }
        #expect(total < 300 << 10)
    }

    @Test func `targets have names of their own`() {
        let names = FuzzTarget.all.map(\.name)
        #expect(Set(names).count == names.count)
        #expect(FuzzTarget.all.contains { $0.isCanary })
    }
}
