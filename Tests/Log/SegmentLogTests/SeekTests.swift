import Platform
import RecordModel
import SegmentLog
import Testing

/// Slots are the first payload byte times 256 plus the second; bytes below 2 carry none.
private struct TestPositions: PositionReader {
    mutating func position(of envelope: RecordEnvelope, payload: RawSpan) -> ChainPosition? {
        guard envelope.kind == .grpcMessageIn, payload.byteCount >= 2 else { return nil }
        let number = UInt64(payload.byte(at: 0)) << 8 | UInt64(payload.byte(at: 1))
        return number == 0 ? nil : ChainPosition(family: .slot, number: number)
    }
}

@Suite struct SeekTests {
    private struct Frame {
        let slot: UInt64
        let time: Int64
    }

    /// Slots overlap as on the wire, and the wall clock steps back now and then.
    private let frames: [Frame] = (0..<4000).map { number in
        let slot = number % 7 == 3 ? 0 : UInt64(100 + number / 10 + (number * 7919 % 11))
        let step: Int64 = number % 500 > 480 ? -900 : 0
        return Frame(slot: slot, time: Int64(1_000_000 + number * 100) + step)
    }

    private func record(_ folder: TemporaryFolder, rotateBytes: UInt64) throws -> RecordingSeek {
        var options = LogOptions()
        options.rotateBytes = rotateBytes
        options.positionReader = TestPositions()
        let writer = try openWriter(folder.path, options)
        for (number, frame) in frames.enumerated() {
            var payload = noise(200, seed: UInt64(number))
            payload[0] = UInt8(frame.slot >> 8)
            payload[1] = UInt8(frame.slot & 0xFF)
            _ = try writer.append(
                RecordEnvelope(
                    kind: .grpcMessageIn,
                    receivedAt: 9_000_000_000_000_000_000 + frame.time,
                    monotonic: 0
                ),
                payload: payload.span.bytes
            )
        }
        try writer.close(cause: "test")
        let reader = try RecordingReader(path: folder.path, disk: LinuxFileSystem())
        return RecordingSeek(reader, positions: TestPositions())
    }

    // Frame n has sequence n + 2, behind run-started.

    @Test(arguments: [UInt64(64 << 10), 256 << 20])
    func `slots are found as a scan finds them`(rotateBytes: UInt64) throws {
        let folder = try TemporaryFolder()
        let seek = try record(folder, rotateBytes: rotateBytes)
        for slot in stride(from: UInt64(90), through: 520, by: 13) {
            let position = ChainPosition(family: .slot, number: slot)
            let first = frames.firstIndex { $0.slot >= slot && $0.slot > 0 }
            let last = frames.lastIndex { $0.slot <= slot && $0.slot > 0 }
            let foundFirst = try seek.first(atOrAbove: position)
            let foundLast = try seek.last(atOrBelow: position)
            #expect(foundFirst == first.map { Sequence(UInt64($0) + 2) }, "slot \(slot)")
            #expect(foundLast == last.map { Sequence(UInt64($0) + 2) }, "slot \(slot)")
        }
        let block = try seek.first(atOrAbove: ChainPosition(family: .block, number: 1))
        #expect(block == nil)
    }

    @Test(arguments: [UInt64(64 << 10), 256 << 20])
    func `times are found by their running maximum`(rotateBytes: UInt64) throws {
        let folder = try TemporaryFolder()
        let seek = try record(folder, rotateBytes: rotateBytes)
        var reached: [Int64] = []
        for frame in frames { reached.append(max(reached.last ?? .min, frame.time)) }
        // The run-started record has the machine's time, which is far below.
        for time in stride(from: Int64(1_000_000), through: 1_400_050, by: 9973) {
            let expected = reached.firstIndex { $0 >= time }.map { Sequence(UInt64($0) + 2) }
            let found = try seek.first(atOrAfter: 9_000_000_000_000_000_000 + time)
            #expect(found == expected, "time \(time)")
        }
        let behind = try seek.first(atOrAfter: .max)
        #expect(behind == nil)
    }
}
