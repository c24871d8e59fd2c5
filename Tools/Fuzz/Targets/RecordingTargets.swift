import LogCare
import LogSimulation
import Platform
import RecordModel
import SegmentFormat
import SegmentLog
import Simulation

let recordingTargets = [
    FuzzTarget("recording", bytesMax: 24 << 10) { bytes in
        let disk = ForeignRecording(bytes).disk
        let whole = records(of: ForeignRecording.path, on: disk)
        survey(disk)
        verify(disk, whole)
    },
    FuzzTarget("recovery", bytesMax: 24 << 10) { bytes in
        let disk = ForeignRecording(bytes).disk
        salvage(disk)
        recover(disk)
    },
    FuzzTarget("identity", bytesMax: 2048) { bytes in
        let disk = emptyRecording()
        let layout = RecordingLayout(ForeignRecording.path)
        disk.replace(layout.identity, with: Array(bytes))
        guard let first = attempt({ try RecordingIdentity.read(layout, on: disk) }) else { return }
        disk.replace(layout.identity, with: first.encoded())
        let again = attempt { try RecordingIdentity.read(layout, on: disk) }
        check(again?.recording == first.recording, "an identity that was read is written alike")
    },
    FuzzTarget("pins", bytesMax: 2048) { bytes in
        let disk = emptyRecording()
        let layout = RecordingLayout(ForeignRecording.path)
        disk.replace(layout.pins, with: Array(bytes))
        let pins = RetentionPins(layout, on: disk)
        guard let found = attempt(pins.read) else { return }
        check(found.count <= FormatLimits.pinsMax, "pins are bounded")
        check(found.allSatisfy { RetentionPin.isName($0.name) }, "every pin has a name")
    },
]

private func emptyRecording() -> SimulatedFileSystem {
    let disk = SimulatedFileSystem()
    do {
        try disk.createDirectory(ForeignRecording.path)
        try disk.createDirectory(RecordingLayout(ForeignRecording.path).segments)
    } catch { fatalError("a healthy disk refuses: \(error)") }
    return disk
}

/// What a cursor delivers.
private struct Delivery {
    var sequences: [UInt64] = []
    var digest: UInt64 = 0
    /// Nothing but records came.
    var isClean = true
}

/// Reads a recording as any reader does. Nil when it is refused.
private func records(of path: String, on disk: SimulatedFileSystem) -> Delivery? {
    guard let reader = attempt({ try RecordingReader(path: path, disk: disk.observer) }),
        let cursor = attempt({ try RecordCursor(reader) })
    else { return nil }
    return read(cursor)
}

private func read(_ cursor: RecordCursor) -> Delivery? {
    var delivery = Delivery()
    var last = Sequence.none
    for _ in 0..<4_000_000 {
        guard let step = attempt(cursor.next) else { return nil }
        switch step {
        case .end: return delivery
        case .hole, .damage: delivery.isClean = false
        case .record:
            let envelope = cursor.envelope
            check(envelope.sequence > last, "sequences rise")
            last = envelope.sequence
            delivery.sequences.append(last.value)
            cursor.withPayload { payload in
                if payload.byteCount > 0 {
                    delivery.digest &+= UInt64(payload.byte(at: payload.byteCount - 1))
                }
                if attempt({ try EventFields(decoding: payload) }) != nil {
                    delivery.digest &*= 31
                }
            }
        }
    }
    fatalError("broken: reading comes to an end")
}

/// Asks a reader everything else that it answers.
private func survey(_ disk: SimulatedFileSystem) {
    let path = ForeignRecording.path
    if let reader = attempt({ try RecordingReader(salvaging: path, disk: disk.observer) }),
        let cursor = attempt({ try RecordCursor(reader) })
    {
        _ = read(cursor)
    }
    guard let reader = attempt({ try RecordingReader(path: path, disk: disk.observer) }) else {
        return
    }
    _ = attempt(reader.segmentBytes)
    _ = attempt(reader.durableMark)
    for segment in reader.segments { _ = attempt { try reader.context(of: segment) } }
    guard let range = attempt(reader.sequenceRange) ?? nil else { return }
    for sequence in [range.first.value, range.last.value, range.last.value / 2] {
        guard let cursor = attempt({ try RecordCursor(reader, from: Sequence(sequence)) }) else {
            continue
        }
        if case .record? = attempt(cursor.next) {
            check(cursor.envelope.sequence.value >= sequence, "a seek never lands before its aim")
        }
    }
    let seek = RecordingSeek(reader, positions: NoPositions())
    _ = attempt { try seek.first(atOrAfter: 0) }
    _ = attempt { try seek.first(atOrAfter: .max) }
    _ = attempt { try seek.first(atOrAbove: ChainPosition(family: .slot, number: 7)) }
    _ = attempt { try seek.last(atOrBelow: ChainPosition(family: .block, number: .max)) }
}

private struct NoPositions: PositionReader {
    mutating func position(of envelope: RecordEnvelope, payload: RawSpan) -> ChainPosition? { nil }
}

private func verify(_ disk: SimulatedFileSystem, _ delivery: Delivery?) {
    let path = ForeignRecording.path
    guard let reader = attempt({ try RecordingReader(path: path, disk: disk.observer) }) else {
        return
    }
    var verifier = RecordingVerifier(reader)
    guard let report = attempt({ try verifier.run() }), let delivery else { return }
    guard report.isWhole, delivery.isClean else { return }
    check(
        report.records == UInt64(delivery.sequences.count),
        "whoever verifies counts the records that a reader gets"
    )
}

/// Makes a new recording out of what is readable; it must be whole.
private func salvage(_ disk: SimulatedFileSystem) {
    var setting = CareSetting(
        disk: disk,
        clock: SteppedClock(),
        random: SeededRandom(seed: 1),
        positions: nil,
        toolVersion: "fuzz"
    )
    setting.rotateBytes = 1 << 20
    var salvage = Salvage(of: ForeignRecording.path, to: "/copy", setting)
    do { _ = try salvage.run() } catch CareError.notTheSame {
        fatalError("broken: a salvaged recording is whole")
    } catch { return }
}

/// Opens the recording for writing, as after a crash, and ends it.
private func recover(_ disk: SimulatedFileSystem) {
    let before = records(of: ForeignRecording.path, on: disk)
    var options = LogOptions()
    options.durability = .everyBlock
    options.reserveBytes = 4096
    options.onFull = .exit
    options.stepped = SteppedWork(onPause: { false })
    let writer = attempt {
        try LogWriter(
            path: ForeignRecording.path,
            disk: disk,
            clock: SteppedClock(),
            random: SeededRandom(seed: 2),
            options: options
        )
    }
    guard let writer else { return }
    let isClosed = attempt { try writer.close(cause: "fuzz") } != nil
    let after = records(of: ForeignRecording.path, on: disk)
    guard isClosed, let before, before.isClean else { return }
    check(
        after?.sequences.starts(with: before.sequences) == true,
        "a recovery keeps every record that could be read"
    )
}
