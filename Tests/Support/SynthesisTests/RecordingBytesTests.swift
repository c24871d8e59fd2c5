import Foundation
import Platform
import SegmentLog
import Testing

@testable import Synthesis

/// A market's recording does not depend on how fast the threads that write it are.
struct RecordingBytesTests {
    private func files(_ options: SynthesisOptions) throws -> [String: Data] {
        let path = NSTemporaryDirectory() + "tapedeck-bytes-\(UUID().uuidString)"
        defer {
            do { try FileManager.default.removeItem(atPath: path) } catch {
                Issue.record("\(path) stays: \(error)")
            }
        }
        var recording = SynthesizedRecording(options, toolVersion: "test")
        recording.rotateBytes = 100_000
        _ = try recording.write(
            to: path,
            disk: LinuxFileSystem(),
            schedule: SystemClock(),
            positions: nil
        )
        let segments = path + "/segments"
        var files = ["": try Data(contentsOf: URL(filePath: path + "/recording.json"))]
        for name in try FileManager.default.contentsOfDirectory(atPath: segments) {
            files[name] = try Data(contentsOf: URL(filePath: segments + "/" + name))
        }
        return files
    }

    @Test func `recordings of several segments are the same twice`() throws {
        var options = SynthesisRun.options
        options.forks = 2
        options.disconnects = 1
        options.sandwiches = 10
        let first = try files(options)
        #expect(first.count > 5)
        for _ in 0..<3 {
            let isSame = try files(options) == first
            #expect(isSame)
        }
    }

    @Test func `markets of one seed have identities of their own`() throws {
        func identity(_ change: (inout SynthesisOptions) -> Void) throws -> String {
            var options = SynthesisOptions()
            options.slots = 2
            options.ethereumBlocks = 1
            change(&options)
            let json = try #require(try files(options)[""])
            let text = String(decoding: json, as: UTF8.self)
            return String(try #require(text.firstMatch(of: #/"uuid":"([0-9a-f-]+)"/#)).1)
        }
        let changes: [(inout SynthesisOptions) -> Void] = [
            { _ in }, { $0.seed = 2 }, { $0.tokens = 7 }, { $0.tradesPerSlot = 7 },
            { $0.streams = 2 }, { $0.skippedPerMille = 21 }, { $0.failedPerMille = 21 },
            { $0.layout = .january2026 }, { $0.startWallNanoseconds += 1 },
        ]
        let identities = try changes.map { try identity($0) }
        #expect(Set(identities).count == changes.count)
        // What the recordings of this repository are made with keeps their identities.
        #expect(try identity { $0.reorgs = 1 } == identities[0])
        #expect(try identity { $0.slots = 3 } == identities[0])
    }
}
