package import Platform
package import RecordModel
package import SegmentLog

/// Writes a synthetic market into a recording, as a recorder would have: same options, same bytes.
///
/// Nothing of the machine enters the recording: its clock is the market's, its identity and salts
/// come from the seed, and blocks close by size alone.
package struct SynthesizedRecording {
    /// What has been written.
    package struct Summary: Equatable, Sendable {
        package var frames: UInt64 = 0
        package var payloadBytes: UInt64 = 0
        package var streams: UInt64 = 0
    }

    private let options: SynthesisOptions
    private let toolVersion: String

    /// - Parameters:
    ///   - options: the market.
    ///   - toolVersion: written into the recording.
    package init(_ options: SynthesisOptions, toolVersion: String) {
        self.options = options
        self.toolVersion = toolVersion
    }

    /// Writes the recording.
    ///
    /// - Parameters:
    ///   - path: a directory that does not exist yet.
    ///   - disk: the file system.
    ///   - schedule: the machine's clock, by which threads wait; it reaches no byte.
    ///   - positions: finds slots and blocks for the index.
    ///   - progress: told the records written so far, now and then.
    /// - Returns: what was written.
    /// - Throws: the log's error.
    package func write(
        to path: String,
        disk: any FileSystem,
        schedule: any Clock,
        positions: (any PositionReader)?,
        progress: (UInt64) -> Void = { _ in }
    ) throws(LogError) -> Summary {
        let clock = MarketClock(wall: options.startWallNanoseconds)
        var log = LogOptions()
        log.durability = .none
        log.blockNanosecondsMax = .max / 4
        log.rotateNanoseconds = .max
        log.rotateBytes = 64 << 20
        log.reserveBytes = 0
        log.toolVersion = toolVersion
        log.positionReader = positions
        let writer = try LogWriter(
            path: path,
            disk: disk,
            clock: clock,
            schedule: schedule,
            random: SeededRandom(seed: options.seed ^ 0x7461_7065_6465_636B),
            options: log
        )
        var scribe = MarketScribe(writer: writer, clock: clock)
        try MarketSynthesis(options).run { step throws(LogError) in
            try scribe.write(step)
            if scribe.summary.frames % 4096 == 0 { progress(scribe.summary.frames) }
        }
        try writer.close(cause: "end of the market")
        return scribe.summary
    }
}

/// The market's time as the recorder's clock.
private final class MarketClock: Clock {
    private let time: Monitor<(wall: Int64, monotonic: UInt64)>

    init(wall: Int64) { time = Monitor((wall, 0)) }

    func set(wall: Int64, monotonic: UInt64) {
        time.withLock { $0 = (wall, monotonic) }
    }

    func wallNanoseconds() -> Int64 { time.withLock { $0.wall } }
    func monotonicNanoseconds() -> UInt64 { time.withLock { $0.monotonic } }
}

/// Turns steps of a market into records.
private struct MarketScribe {
    let writer: LogWriter
    let clock: MarketClock
    var summary = SynthesizedRecording.Summary()

    private struct OpenStream {
        var id: StreamID
        var source: String
        var frames: UInt64 = 0
        var bytes: UInt64 = 0
    }

    /// Open streams by their ordinal, which is small.
    private var streams: [UInt32: OpenStream] = [:]
    private var declared: [String] = []

    init(writer: LogWriter, clock: MarketClock) {
        self.writer = writer
        self.clock = clock
    }

    mutating func write(_ step: SynthesizedStep) throws(LogError) {
        clock.set(wall: step.wallNanoseconds, monotonic: step.monotonicNanoseconds)
        switch step.event {
        case .opened(let stream): try open(stream, ordinal: step.stream)
        case .accepted(let status, let fields): try accept(status, fields, step)
        case .message(let direction, let bytes):
            let kind: RecordKind =
                direction == .incoming ? .grpcMessageIn : .grpcMessageOut
            try append(step, kind: kind, payload: bytes)
        case .frame(let direction, let frame): try append(step, direction, frame)
        case .closed(let end): try close(end, step)
        }
    }

    private mutating func open(
        _ stream: SynthesizedStream,
        ordinal: UInt32
    ) throws(LogError) {
        let isGeyser = stream.kind == .geyser
        let source = isGeyser ? "geyser-\(stream.source)" : "ws-\(stream.source)"
        var fields = EventFields()
        fields.add(.source, source)
        fields.add(.endpoint, stream.endpoint)
        fields.add(.method, stream.method)
        fields.add(.transport, isGeyser ? "grpc" : "websocket")
        fields.add(.chain, isGeyser ? "solana" : "evm:137")
        if !declared.contains(source) {
            declared.append(source)
            var declaration = fields
            declaration.add(.text, "synthetic")
            try writer.append(event: .sourceDeclared, fields: declaration)
        }
        for field in stream.fields {
            fields.add(.requestMetadata, name: field.name, value: Array(field.value.utf8))
        }
        fields.add(.attempt, 1 as UInt64)
        let id = try writer.append(event: .streamOpened, fields: fields).sequence
        streams[ordinal] = OpenStream(id: id, source: source)
        summary.streams += 1
    }

    private func stream(of step: SynthesizedStep) -> OpenStream {
        guard let stream = streams[step.stream] else {
            preconditionFailure("stream \(step.stream) is not open")
        }
        return stream
    }

    private func accept(
        _ status: UInt16,
        _ fields: [SynthesizedField],
        _ step: SynthesizedStep
    ) throws(LogError) {
        var event = EventFields()
        event.add(.peer, "synthetic")
        event.add(.httpStatus, UInt64(status))
        for field in fields {
            event.add(.responseMetadata, name: field.name, value: Array(field.value.utf8))
        }
        try writer.append(event: .streamAccepted, stream: stream(of: step).id, fields: event)
    }

    private mutating func append(
        _ step: SynthesizedStep,
        _ direction: SynthesizedStep.FrameDirection,
        _ frame: SynthesizedFrame
    ) throws(LogError) {
        let first =
            (frame.isFinal ? 0x80 : 0) | (frame.reservedBits & 7) << 4 | frame.opcode & 0x0F
        // The envelope keeps the key's first byte lowest.
        let key = (frame.maskKey ?? 0).byteSwapped  // 0 stands for "not masked"
        try append(
            step,
            kind: direction == .incoming ? .webSocketFrameIn : .webSocketFrameOut,
            flags: frame.maskKey == nil ? [] : .masked,
            wireByte: first,
            maskKey: key,
            payload: frame.payload
        )
    }

    private mutating func append(
        _ step: SynthesizedStep,
        kind: RecordKind,
        flags: RecordFlags = [],
        wireByte: UInt8 = 0,
        maskKey: UInt32 = 0,
        payload: [UInt8]
    ) throws(LogError) {
        let envelope = RecordEnvelope(
            kind: kind,
            flags: flags,
            wireByte: wireByte,
            maskKey: maskKey,
            stream: stream(of: step).id,
            receivedAt: step.wallNanoseconds,
            monotonic: step.monotonicNanoseconds
        )
        _ = try writer.append(envelope, payload: payload.span.bytes)
        streams[step.stream]?.frames += 1
        streams[step.stream]?.bytes += UInt64(payload.count)
        summary.frames += 1
        summary.payloadBytes += UInt64(payload.count)
    }

    private mutating func close(
        _ end: SynthesizedEnd,
        _ step: SynthesizedStep
    ) throws(LogError) {
        let stream = stream(of: step)
        streams[step.stream] = nil
        var fields = EventFields()
        fields.add(.source, stream.source)
        switch end {
        case .grpc(let status, let message, let trailers):
            fields.add(.cause, status == 0 ? "ended" : "status_\(status)")
            fields.add(.onRequest, false)
            fields.add(.statusCode, UInt64(status))
            fields.add(.statusText, message)
            for trailer in trailers {
                fields.add(.trailer, name: trailer.name, value: Array(trailer.value.utf8))
            }
        case .webSocket(let code, let reason):
            fields.add(.cause, code == 1000 || code == 1001 ? "ended" : "closed_\(code)")
            fields.add(.onRequest, false)
            fields.add(.closeCode, UInt64(code))
            fields.add(.closeReason, reason)
        }
        fields.add(.frames, stream.frames)
        fields.add(.bytes, stream.bytes)
        try writer.append(event: .streamClosed, stream: stream.id, fields: fields)
    }
}
