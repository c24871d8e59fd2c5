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
}
