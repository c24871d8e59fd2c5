import Foundation
import Platform
import RecordModel
import Replay
import SegmentLog
import Testing

@testable import Command

struct ServeControlTests {
    @Test(arguments: [
        ("pause", ControlCommand.pause), (" resume \r", .resume), ("step", .step(1)),
        ("step 12", .step(12)), ("rate max", .rate(.unlimited)),
        ("rate 0.5", .rate(.millionths(500_000))), ("seek seq:7", .seek(.sequence(7))),
        ("seek slot:9", .seek(.chain(ChainPosition(family: .slot, number: 9)))),
        ("seek time:1970-01-01T00:00:01Z", .seek(.time(1_000_000_000))), ("status", .status),
    ])
    func `a line is a command`(line: String, command: ControlCommand) throws {
        #expect(try ControlCommand(line) == command)
    }

    @Test(arguments: [
        "", "stop", "pause now", "step 0", "step -1", "step x", "rate", "rate 0", "seek",
        "seek 7", "seek seq:1..2", "seek seq:+2", "seek time:noon",
    ])
    func `anything else says what was expected`(line: String) {
        #expect(throws: ControlCommand.Mistake.self) { try ControlCommand(line) }
    }

    @Test(arguments: [
        (ReplayRate.recorded, "1"), (.millionths(10_500_000), "10.5"),
        (.millionths(1), "0.000001"), (.unlimited, "max"),
    ])
    func `a rate is told as it is given`(rate: ReplayRate, text: String) {
        #expect(ServeControl.text(rate) == text)
        #expect(ReplayRate(text) == rate)
    }

    /// Sends lines to a socket and returns what comes back for each.
    private func talk(_ path: String, _ lines: [String]) throws -> [String] {
        let socket = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(socket) }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: Array(path.utf8)) }
        let connected = withUnsafePointer(to: &address) { place in
            place.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(socket, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        try #require(connected == 0)
        var answers: [String] = []
        for line in lines {
            let bytes = Array((line + "\n").utf8)
            #expect(write(socket, bytes, bytes.count) == bytes.count)
            var answer: [UInt8] = []
            var byte: UInt8 = 0
            while read(socket, &byte, 1) == 1, byte != 0x0A { answer.append(byte) }
            answers.append(String(decoding: answer, as: UTF8.self))
        }
        return answers
    }

    @Test func `the socket is private, answers each line, and goes away`() throws {
        let path = FileManager.default.temporaryDirectory.path + "/\(UUID().uuidString.prefix(8))"
        let socket = try ControlSocket(path: path) { "ok " + $0 }
        let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions]
        #expect(mode as? Int == 0o600)
        #expect(try talk(path, ["a", "b c"]) == ["ok a", "ok b c"])
        #expect(try talk(path, ["d"]) == ["ok d"])
        #expect(throws: SystemError.self) { try ControlSocket(path: path) { $0 } }
        #expect(try talk(path, ["e"]) == ["ok e"])
        socket.close()
        #expect(!FileManager.default.fileExists(atPath: path))
    }

    @Test func `a file that is no socket is not replaced`() throws {
        let path = FileManager.default.temporaryDirectory.path + "/\(UUID().uuidString.prefix(8))"
        try Data("precious".utf8).write(to: URL(fileURLWithPath: path))
        defer { try? FileManager.default.removeItem(atPath: path) }
        #expect(throws: SystemError.self) { try ControlSocket(path: path) { $0 } }
        #expect(try String(contentsOfFile: path, encoding: .utf8) == "precious")
    }

    @Test func `commands move the stage, and its place is the answer`() throws {
        let path = FileManager.default.temporaryDirectory.path + "/\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: path) }
        let log = try LogWriter(
            path: path,
            disk: LinuxFileSystem(),
            clock: SystemClock(),
            random: SystemRandom(),
            options: LogOptions()
        )
        for _ in 0..<8 {
            _ = try log.append(
                RecordEnvelope(kind: .note, receivedAt: 0, monotonic: 0),
                payload: [UInt8]().span.bytes
            )
        }
        try log.close(cause: "test")
        var options = ReplayStageOptions(first: Sequence(1), last: Sequence(10))
        options.startsPaused = true
        let stage = try ReplayStage(
            path: path,
            disk: LinuxFileSystem(),
            clock: SystemClock(),
            options: options
        )
        defer { stage.stop() }
        let control = ServeControl(stage: stage) { point in
            guard case .sequence(let number) = point else {
                throw VerbFailure(code: .rangeNotAvailable, message: "not there")
            }
            return Sequence(number)
        }
        #expect(control.answer("step 3").contains("position=3 first=1 last=10"))
        #expect(control.answer("seek seq:7").contains("position=6"))
        #expect(control.answer("seek slot:7") == "error not there")
        #expect(control.answer("rate 1000000").contains("rate=1000000 "))
        #expect(control.answer("resume").contains("paused=false"))
        #expect(control.answer("step") == "error step works while paused")
        #expect(control.answer("jump").hasPrefix("error expected one of: pause"))
    }
}
