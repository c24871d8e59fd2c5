// Measures the log against the bare loops that bound it, in one process on the same frames.
//
//   LogBenchmark FOLDER-OF-DATA WORK-FOLDER [MEGABYTES] [append|scan]
//
// The last word runs one part alone, for a profiler.

import AllocationCount
import BlockCodec
import Foundation
import Platform
import RecordModel
import SegmentFormat
import SegmentLog

@main
struct BenchmarkProgram {
    static func main() throws {
        let arguments = CommandLine.arguments
        guard arguments.count >= 3 else {
            print("usage: LogBenchmark FOLDER-OF-DATA WORK-FOLDER [MEGABYTES]")
            exit(2)
        }
        let megabytes = arguments.count > 3 ? Int(arguments[3]) ?? 600 : 600
        let run = BenchmarkRun(
            frames: Frames.load(arguments[1]),
            folder: arguments[2],
            bytes: megabytes << 20
        )
        switch arguments.count > 4 ? arguments[4] : "" {
        case "append": _ = try run.appendAll(arguments[2] + "/profile", latency: false)
        case "scan": try run.scanAll(arguments[2] + "/profile")
        default: try run.run()
        }
    }
}

struct BenchmarkRun {
    let frames: Frames
    let folder: String
    let bytes: Int

    /// How often the frames are repeated.
    var rounds: Int { max(1, bytes / frames.payloadBytes) }
    var total: Double { Double(rounds) * Double(frames.payloadBytes) / 1e6 }
    var frameCount: Int { rounds * frames.ranges.count }

    func run() throws {
        print(
            "\(frames.origin): \(frames.ranges.count) frames, \(frames.payloadBytes >> 20) MiB, "
                + "\(rounds) times = \(fixed(total, 0)) MB of payload"
        )
        let blocks = frames.rawBlocks()
        let output = folder + "/bare.out"
        let appended = folder + "/append"
        // In turn, so that a machine whose speed drifts is the same for all of them; the best of
        // each counts, because a shared machine only ever adds time.
        var lz4 = Stretch.never
        var bareSeconds = Stretch.never
        var append = Stretch.never
        var pressed = Stretch.never
        var allocations = 0.0
        var memory = 0.0
        for round in 0..<5 {
            lz4 = lz4.better(measure { bareCompress(blocks) })
            bareSeconds = bareSeconds.better(try measure { try bareAppend(blocks, output) })
            let before = peakMiB()
            let result = try appendAll(appended, latency: false)
            if round == 0 { memory = peakMiB() - before }
            append = append.better(result.duration)
            allocations = result.allocationsPerFrame
            let fast = try appendAll(folder + "/pressed", latency: false, pressedAcceleration: 3)
            pressed = pressed.better(fast.duration)
        }
        speed("LZ4 alone", lz4)
        speed("bare LZ4 + XXH3 + write", bareSeconds)
        speed("append, policy interval", append)
        ratio("append / bare loop", bareSeconds, append, "goal at least 0.85")
        ratio("append / LZ4 alone", lz4, append)
        speed("append as record does, LZ4 acceleration 3", pressed)
        let goal = Processors.available(atMost: 2) > 1 ? "goal above 1.2" : ""
        ratio("append as record does / LZ4 alone", lz4, pressed, goal)
        row("append frames/s", "\(Int(Double(frameCount) / append.wall))")
        row("allocations per frame, append", fixed(allocations, 4), "goal 0")
        row("peak memory added by the log", "\(fixed(memory, 1)) MiB")
        let latency = try appendAll(folder + "/latency", latency: true)
        row("append latency p50 / p99 / p99.9, full speed", latency.latencies)
        let paced = try appendAll(folder + "/paced", latency: true, framesPerSecond: 50_000)
        row("append latency p50 / p99 / p99.9, 50,000 frames/s", paced.latencies)
        let scanned = try scan(appended, output)
        try leaveForAlternatives(append: append, scan: scanned)
        try seek(appended)
    }

    private func best(_ body: () throws -> Void) rethrows -> Stretch {
        var best = Stretch.never
        for _ in 0..<3 { best = best.better(try measure(body)) }
        return best
    }

    private func speed(_ name: String, _ duration: Stretch) {
        row(
            name,
            "\(fixed(total / duration.wall, 0)) MB/s",
            "\(fixed(total / duration.processor, 0)) MB per second of processor time"
        )
    }

    private func ratio(
        _ name: String,
        _ bound: Stretch,
        _ ours: Stretch,
        _ goal: String = ""
    ) {
        row(
            name,
            fixed(bound.wall / ours.wall),
            "\(fixed(bound.processor / ours.processor)) by processor time   \(goal)"
        )
    }

    // MARK: Bare loops

    private func bareCompress(_ blocks: [UnsafeRawBufferPointer]) {
        let target = UnsafeMutableRawBufferPointer.allocate(
            byteCount: BlockCoding.compressBound(FormatLimits.oversizedRawBytesMax),
            alignment: 64
        )
        defer { target.deallocate() }
        for _ in 0..<rounds {
            for block in blocks { _ = BlockCoding.compress(block, into: target) }
        }
    }

    private func bareAppend(_ blocks: [UnsafeRawBufferPointer], _ path: String) throws {
        let target = UnsafeMutableRawBufferPointer.allocate(
            byteCount: BlockCoding.compressBound(FormatLimits.oversizedRawBytesMax),
            alignment: 64
        )
        defer { target.deallocate() }
        let descriptor = open(path, O_RDWR | O_CREAT | O_TRUNC, 0o600)
        precondition(descriptor >= 0, "cannot write \(path)")
        defer { close(descriptor) }
        for _ in 0..<rounds {
            for block in blocks {
                guard let count = BlockCoding.compress(block, into: target) else { continue }
                // A stand-in for a header, so that the file can be read back below.
                var head = (
                    UInt64(count), UInt64(block.count),
                    BlockCoding.checksum(
                        UnsafeRawBufferPointer(rebasing: target[0..<count]),
                        salt: 1
                    )
                )
                write(descriptor, &head, 24)
                write(descriptor, target.baseAddress, count)
            }
        }
    }

    private func bareScan(_ path: String) {
        let capacity = 8 << 20
        let source = UnsafeMutableRawBufferPointer.allocate(byteCount: capacity, alignment: 64)
        let target = UnsafeMutableRawBufferPointer.allocate(byteCount: capacity, alignment: 64)
        defer {
            source.deallocate()
            target.deallocate()
        }
        let descriptor = open(path, O_RDONLY)
        defer { close(descriptor) }
        var head = (UInt64(0), UInt64(0), UInt64(0))
        while read(descriptor, &head, 24) == 24 {
            let stored = UnsafeRawBufferPointer(rebasing: source[0..<Int(head.0)])
            guard read(descriptor, source.baseAddress, Int(head.0)) == Int(head.0) else { break }
            precondition(BlockCoding.checksum(stored, salt: 1) == head.2)
            let raw = UnsafeMutableRawBufferPointer(rebasing: target[0..<Int(head.1)])
            precondition(BlockCoding.decompress(stored, into: raw))
        }
    }

    /// LZ4 alone over the blocks of a bare file that is in memory.
    private func bareDecompress(_ file: UnsafeRawBufferPointer) {
        let target = UnsafeMutableRawBufferPointer.allocate(byteCount: 8 << 20, alignment: 64)
        defer { target.deallocate() }
        var offset = 0
        while offset + 24 <= file.count {
            let stored = Int(file.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
            let raw = Int(file.loadUnaligned(fromByteOffset: offset + 8, as: UInt64.self))
            offset += 24
            let block = UnsafeRawBufferPointer(rebasing: file[offset..<(offset + stored)])
            let room = UnsafeMutableRawBufferPointer(rebasing: target[0..<raw])
            precondition(BlockCoding.decompress(block, into: room))
            offset += stored
        }
    }

    // MARK: The log

    struct AppendResult {
        var duration = Stretch(wall: 0, processor: 0)
        var allocationsPerFrame = 0.0
        var latencies = ""
    }

    func appendAll(
        _ path: String,
        latency: Bool,
        framesPerSecond: Double? = nil,
        pressedAcceleration: Int32 = 1
    ) throws -> AppendResult {
        // Left by an earlier run; when there is none, there is nothing to remove.
        try? FileManager.default.removeItem(atPath: path)
        var options = LogOptions()
        options.rotateBytes = 256 << 20
        options.pressedAcceleration = pressedAcceleration
        let clock = SystemClock()
        let writer = try LogWriter(
            path: path,
            disk: LinuxFileSystem(),
            clock: clock,
            random: SystemRandom(),
            options: options
        )
        var result = AppendResult()
        let frameCount = framesPerSecond == nil ? self.frameCount : min(self.frameCount, 200_000)
        var nanoseconds = [UInt32](repeating: 0, count: latency ? frameCount : 0)
        // Warm: pools and the first blocks exist before counting.
        for index in frames.ranges.indices { try append(index, 0, writer) }
        try writer.flush()
        let counted = allocation_count()
        let start = clock.monotonicNanoseconds()
        result.duration = try measure {
            for number in 0..<frameCount {
                let index = number % frames.ranges.count
                if let framesPerSecond {
                    let due = start + UInt64(Double(number) * 1e9 / framesPerSecond)
                    while clock.monotonicNanoseconds() < due {
                        Thread.sleep(nanoseconds: 1000)
                    }
                }
                if latency {
                    let before = clock.monotonicNanoseconds()
                    try append(index, number, writer)
                    nanoseconds[number] = UInt32(
                        clamping: clock.monotonicNanoseconds() - before
                    )
                } else {
                    try append(index, number, writer)
                }
            }
            try writer.flush()
        }
        result.allocationsPerFrame =
            Double(allocation_count() - counted) / Double(frameCount)
        if latency {
            let marks = percentiles(&nanoseconds, [0.5, 0.99, 0.999])
            result.latencies =
                marks.map { fixed(Double($0) / 1000, 1) }.joined(separator: " / ")
                + " µs"
        }
        try writer.close(cause: "bench")
        return result
    }

    @inline(__always)
    private func append(_ index: Int, _ number: Int, _ writer: LogWriter) throws {
        // The times are the source's business: it reads the clocks when the bytes arrive.
        let envelope = RecordEnvelope(
            kind: frames.kinds[index],
            stream: Sequence(7),
            receivedAt: 1_700_000_000_000_000_000 + Int64(number) * 50_000,
            monotonic: UInt64(number) * 50_000
        )
        _ = try writer.append(envelope, payload: frames[index])
    }

    /// Leaves frames and figures in the work folder for the program that measures what a user
    /// would pick instead.
    private func leaveForAlternatives(append: Stretch, scan: Stretch) throws {
        var bytes = Data(capacity: frames.payloadBytes + 4 * frames.ranges.count)
        for index in frames.ranges.indices {
            let frame = frames[index]
            withUnsafeBytes(of: UInt32(frame.count).littleEndian) { bytes.append(contentsOf: $0) }
            bytes.append(contentsOf: frame)
        }
        try bytes.write(to: URL(fileURLWithPath: folder + "/frames.bin"))
        try "\(rounds) \(Int(total / append.wall)) \(Int(total / scan.wall))\n"
            .write(toFile: folder + "/figures", atomically: true, encoding: .utf8)
    }

    private func scan(_ path: String, _ bare: String) throws -> Stretch {
        bareScan(bare)
        let bareSeconds = best { bareScan(bare) }
        var allocations = 0.0
        var records = 0
        var checked = 0
        let scanSeconds = try best {
            let reader = try RecordingReader(path: path, disk: LinuxFileSystem())
            let cursor = try RecordCursor(reader)
            records = 0
            checked = 0
            let counted = allocation_count()
            while case .record = try cursor.next() {
                records += 1
                checked &+= cursor.unsafePayload.count
            }
            allocations = Double(allocation_count() - counted) / Double(records)
        }
        // The recording also holds the frames of the warm-up.
        let share = Double(checked) / 1e6 / total
        let scanned = Stretch(
            wall: scanSeconds.wall / share,
            processor: scanSeconds.processor / share
        )
        let file = try Data(contentsOf: URL(fileURLWithPath: bare), options: .alwaysMapped)
        let lz4 = file.withUnsafeBytes { bytes in
            bareDecompress(bytes)
            return best { bareDecompress(bytes) }
        }
        speed("LZ4 alone, decompressing", lz4)
        speed("bare read + XXH3 + LZ4", bareSeconds)
        speed("scan", scanned)
        ratio("scan / bare loop", bareSeconds, scanned, "goal at least 0.85")
        ratio("scan / LZ4 alone", lz4, scanned)
        row("scan records/s", "\(Int(Double(records) / scanSeconds.wall))")
        row("allocations per record, scan", fixed(allocations, 4), "goal 0")
        return scanned
    }

    /// Reads a recording twenty times.
    func scanAll(_ path: String) throws {
        for _ in 0..<20 {
            let cursor = try RecordCursor(RecordingReader(path: path, disk: LinuxFileSystem()))
            while case .record = try cursor.next() {}
        }
    }

    private func seek(_ path: String) throws {
        let reader = try RecordingReader(path: path, disk: LinuxFileSystem())
        guard let range = try reader.sequenceRange() else { return }
        let cursor = try RecordCursor(reader)
        var random = SeededRandom(seed: 1)
        try seek("a random sequence") {
            try cursor.seek(to: Sequence(1 + random.next(below: range.last.value)))
            guard case .record = try cursor.next() else { return false }
            return true
        }
        let seek = RecordingSeek(reader, positions: NoPositions())
        let span = UInt64(frameCount) * 50_000
        try self.seek("a random time") {
            let time = 1_700_000_000_000_000_000 + Int64(random.next(below: span))
            guard let found = try seek.first(atOrAfter: time) else { return false }
            try cursor.seek(to: found)
            guard case .record = try cursor.next() else { return false }
            return true
        }
    }

    private func seek(_ target: String, _ body: () throws -> Bool) throws {
        let clock = SystemClock()
        var times: [UInt32] = []
        for _ in 0..<2000 {
            let start = clock.monotonicNanoseconds()
            guard try body() else { continue }
            times.append(UInt32(clamping: clock.monotonicNanoseconds() - start))
        }
        let marks = percentiles(&times, [0.5, 0.99])
        row(
            "seek to \(target), first record p50 / p99",
            marks.map { fixed(Double($0) / 1000, 1) }.joined(separator: " / ") + " µs",
            "goal below 100 µs p99"
        )
    }
}

/// Frames of the benchmark speak of no slot.
private struct NoPositions: PositionReader {
    mutating func position(of envelope: RecordEnvelope, payload: RawSpan) -> ChainPosition? { nil }
}
