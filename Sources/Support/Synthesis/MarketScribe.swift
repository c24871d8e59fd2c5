import Platform
import RecordModel
import SegmentLog

/// Turns steps of a market into records.
struct MarketScribe {
    let writer: LogWriter
    let clock: MarketClock
    var summary = SynthesizedRecording.Summary()

    private struct OpenStream {
        var id: StreamID
        var source: String
        var frames: UInt64 = 0
        var bytes: UInt64 = 0
        /// For the gap behind it, should it break.
        var last: (sequence: Sequence, time: Int64)?
        var lastPosition: UInt64?
    }

    /// A source whose stream has broken.
    private struct BrokenSource {
        /// The gap that the next stream's first frame bounds.
        var gap: Sequence?
        var attempts: UInt64
    }

    /// Open streams by their ordinal, which is small.
    private var streams: [UInt32: OpenStream] = [:]
    private var declared: [String] = []
    /// By name.
    private var broken: [String: BrokenSource] = [:]
    private var positions: (any PositionReader)?

    init(writer: LogWriter, clock: MarketClock, positions: (any PositionReader)?) {
        self.writer = writer
        self.clock = clock
        self.positions = positions
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
        fields.add(.attempt, broken[source].map { $0.attempts + 1 } ?? 1)
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
        let sequence = try writer.append(envelope, payload: payload.span.bytes).sequence
        if kind == .grpcMessageIn { try note(envelope, sequence, payload, step) }
        streams[step.stream]?.frames += 1
        streams[step.stream]?.bytes += UInt64(payload.count)
        summary.frames += 1
        summary.payloadBytes += UInt64(payload.count)
    }

    /// Keeps what a gap would tell, and bounds the one that the stream before has left.
    private mutating func note(
        _ envelope: RecordEnvelope,
        _ sequence: Sequence,
        _ payload: [UInt8],
        _ step: SynthesizedStep
    ) throws(LogError) {
        let position = positions?.position(of: envelope, payload: payload.span.bytes)?.number
        streams[step.stream]?.last = (sequence, step.wallNanoseconds)
        if let position {
            let highest = streams[step.stream]?.lastPosition ?? 0  // none so far
            streams[step.stream]?.lastPosition = max(highest, position)
        }
        let source = stream(of: step).source
        guard let gap = broken[source]?.gap else { return }
        broken[source]?.gap = nil
        var fields = EventFields()
        fields.add(.gap, gap.value)
        fields.add(.source, source)
        fields.add(.toSequence, sequence.value)
        fields.add(.toTime, step.wallNanoseconds)
        if let position { fields.add(.toPosition, position) }
        try writer.append(event: .gapBounded, fields: fields)
    }

    /// A stream that broke in the middle of the run leaves a gap, as a recorder writes it.
    private mutating func openGap(behind stream: OpenStream, _ text: String) throws(LogError) {
        var fields = EventFields()
        fields.add(.source, stream.source)
        fields.add(.fromSequence, (stream.last?.sequence ?? stream.id).value)
        if let position = stream.lastPosition { fields.add(.fromPosition, position) }
        if let last = stream.last { fields.add(.fromTime, last.time) }
        fields.add(.cause, "status_14")
        fields.add(.evidence, "stream \(stream.id): \(text)")
        let gap = try writer.append(event: .gapOpened, fields: fields).sequence
        let attempts = broken[stream.source].map { $0.attempts + 1 } ?? 1
        broken[stream.source] = BrokenSource(gap: gap, attempts: attempts)
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
        if case .grpc(_, let message, _) = end, step.comesBack {
            try openGap(behind: stream, message)
        }
    }
}
