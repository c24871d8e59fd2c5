import LogCare
import Platform
import RecordModel
import SegmentFormat
import SegmentLog
import Simulation

/// Where the recordings of these tests lie on a simulated disk.
let source = "/source"
let output = "/output"

/// Time that a test sets.
final class TestClock: Clock {
    // safety: a Monitor.
    private let time = Monitor<Int64>(1_000)

    func wallNanoseconds() -> Int64 { time.withLock { $0 } }
    func monotonicNanoseconds() -> UInt64 { UInt64(time.withLock { $0 }) }
}

func setting(_ disk: any FileSystem) -> CareSetting {
    CareSetting(
        disk: disk,
        clock: TestClock(),
        random: SeededRandom(seed: 77),
        positions: nil,
        toolVersion: "test"
    )
}

func noise(_ count: Int, seed: UInt64) -> [UInt8] {
    var random = SeededRandom(seed: seed)
    return (0..<count).map { _ in UInt8(truncatingIfNeeded: random.next()) }
}

func fields(_ values: [(FieldID, String)]) -> EventFields {
    var fields = EventFields()
    for (id, value) in values { fields.add(id, value) }
    return fields
}

/// A recording of several small segments: two sources, a stream each, frames in turns, a gap.
/// Unless it is closed the disk is as a kill leaves it.
func makeSource(
    _ disk: SimulatedFileSystem,
    at path: String = source,
    frames: Int = 60,
    startingAt time: Int64 = 1_000,
    isClosed: Bool = true,
    seed: UInt64 = 5
) throws -> SimulatedFileSystem {
    var options = LogOptions()
    options.durability = .everyBlock
    options.rotateBytes = 6_000
    options.compressors = 1
    let writer = try LogWriter(
        path: path,
        disk: disk,
        clock: TestClock(),
        schedule: SystemClock(),
        random: SeededRandom(seed: seed),
        options: options
    )
    var streams: [StreamID] = []
    for name in ["main", "spare"] {
        try writer.append(event: .sourceDeclared, fields: fields([(.source, name)]))
        streams.append(
            try writer.append(event: .streamOpened, fields: fields([(.source, name)])).sequence
        )
    }
    for number in 0..<frames {
        if number == frames / 3 {
            var gap = fields([(.source, "main"), (.cause, "test")])
            gap.add(.fromSequence, UInt64(5))
            try writer.append(event: .gapOpened, fields: gap)
        }
        _ = try writer.append(
            RecordEnvelope(
                kind: .grpcMessageIn,
                stream: streams[number % 2],
                receivedAt: time + Int64(number) * 10,
                monotonic: UInt64(number) * 10
            ),
            payload: noise(200 + number, seed: seed * 1_000 + UInt64(number)).span.bytes
        )
        if number % 4 == 3 { try writer.flush() }
    }
    try writer.flush()
    guard isClosed else {
        let copy = disk.afterKill()
        try writer.close(cause: "test")
        return copy
    }
    for stream in streams {
        try writer.append(event: .streamClosed, stream: stream, fields: EventFields())
    }
    try writer.close(cause: "test")
    return disk
}

/// One record with everything.
struct Kept: Equatable {
    var envelope: RecordEnvelope
    var payload: [UInt8]
}

/// What a recording gives.
struct Reading {
    var records: [Kept] = []
    var holes: [Hole] = []
    var damage: [DamageReport] = []

    init(_ path: String, _ disk: any FileSystem, from: Sequence = .none) throws {
        let cursor = try RecordCursor(try RecordingReader(path: path, disk: disk), from: from)
        loop: while true {
            switch try cursor.next() {
            case .record:
                records.append(Kept(envelope: cursor.envelope, payload: cursor.payloadBytes))
            case .hole(let hole): holes.append(hole)
            case .damage(let report): damage.append(report)
            case .end: break loop
            }
        }
    }

    func fields(_ index: Int) throws -> EventFields {
        let payload = records[index].payload
        return try EventFields(decoding: payload.span.bytes)
    }
}

func verdict(_ path: String, _ disk: any FileSystem) throws -> VerifyReport {
    var verifier = RecordingVerifier(try RecordingReader(path: path, disk: disk))
    return try verifier.run()
}

/// The segment files of a recording, oldest first.
func segments(_ disk: SimulatedFileSystem, _ path: String = source) throws -> [String] {
    try disk.list(path + "/segments").filter { $0.hasSuffix(".seg") }
        .map { path + "/segments/" + $0 }
}
