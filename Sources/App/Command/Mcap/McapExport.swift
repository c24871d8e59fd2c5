import JSONText
import RecordModel
import SegmentFormat
import SegmentLog

/// Writes the records of a range as an MCAP file from which `import` makes the same records again.
struct McapExport {
    let reader: RecordingReader
    let range: ResolvedRange
    /// Of the chunks.
    var compression = McapFormat.Compression.lz4
    /// Tells the person one thing.
    var report: (String) -> Void = { _ in }
    /// Told the records written, now and then.
    var progress: (UInt64) -> Void = { _ in }
    /// Whether to stop.
    var isAsked: () -> Bool = { false }

    private struct StreamChannel: Hashable {
        let stream: StreamID
        let kind: RecordKind
    }

    private var channels: [StreamChannel: UInt16] = [:]
    /// The envelopes of the messages in the open chunk.
    private var envelopes: [UInt8] = []
    private var records: UInt64 = 0
    private var lastTime: UInt64 = 0

    init(reader: RecordingReader, range: ResolvedRange) {
        self.reader = reader
        self.range = range
    }

    /// Writes the file.
    ///
    /// - Returns: `ok`, or `findings` when damage was met.
    /// - Throws: `LogError`, `VerbFailure` when interrupted, or what the sink throws.
    mutating func run(sink: @escaping ([UInt8]) throws -> Void) throws -> ExitCode {
        var code = ExitCode.ok
        if let damage = reader.manifestDamage {
            report("damage: \(damage)")
            code = .findings
        }
        var writer = try McapWriter(
            profile: McapFormat.profile,
            library: "tapedeck \(toolVersion)",
            compression: compression,
            sink: sink
        )
        try begin(&writer)
        let sources = StreamSources(reader)
        let cursor = try RecordCursor(reader, from: range.first)
        var afterLoss = ContextAfterLoss(reader)
        loop: while !range.isPast(cursor.expected) {
            switch try cursor.next() {
            case .end: break loop
            case .record:
                let envelope = cursor.envelope
                if range.isPast(envelope.sequence) { break loop }
                if let told = try afterLoss.context(before: envelope.sequence) {
                    try endChunk(&writer)
                    add(told.context, to: &writer)
                }
                try add(envelope, cursor.payloadBytes, sources, to: &writer)
            case .hole(let hole):
                afterLoss.lost(hole.from, through: hole.last)
                add(.hole, from: hole.from, to: &writer) { RecordJSON.append(hole, to: &$0) }
            case .damage(let damage):
                if damage.isLoss, range.isPast(damage.missingFrom) { break loop }
                report("damage: \(damage)")
                afterLoss.lost(damage)
                add(.damage, from: damage.missingFrom, to: &writer) {
                    RecordJSON.append(damage, to: &$0)
                }
                code = .findings
            }
            if writer.chunkBytes >= McapFormat.chunkBytes { try endChunk(&writer) }
        }
        try endChunk(&writer)
        try writer.end()
        return code
    }

    /// What an entry of an envelopes message stands for.
    enum Entry: UInt8 { case record, hole, damage }

    private func begin(_ writer: inout McapWriter) throws {
        let identity = reader.identity
        var facts = [
            ("version", McapFormat.version), ("recording", identity.recording.description),
            ("created_ns", String(identity.createdAt)), ("tool", identity.tool),
            ("first_sequence", range.first.description),
        ]
        if let origin = identity.origin { facts.append(("origin", origin)) }
        try writer.add(metadata: McapFormat.metadataName, facts)
        writer.add(
            schema: 1,
            name: "tapedeck.Event",
            encoding: "jsonschema",
            text: #"{"type":"object","properties":{"kind":{"type":"string"}},"required":["kind"]}"#
        )
        writer.add(
            channel: McapFormat.Channel.events,
            schema: 1,
            topic: "tapedeck/events",
            encoding: "json",
            []
        )
        writer.add(
            channel: McapFormat.Channel.envelopes,
            schema: 0,
            topic: "tapedeck/envelopes",
            encoding: "x-tapedeck-envelopes",
            []
        )
        writer.add(
            channel: McapFormat.Channel.context,
            schema: 0,
            topic: "tapedeck/context",
            encoding: "x-tapedeck-context",
            []
        )
        add(try context(), to: &writer)
    }

    /// Adds what is in force before the next record; it must be the first message of its chunk.
    private func add(_ context: ContextState, to writer: inout McapWriter) {
        writer.add(
            message: context.encoded(),
            channel: McapFormat.Channel.context,
            sequence: 0,
            time: lastTime
        )
    }

    /// What is in force before the first record.
    private func context() throws -> ContextState {
        guard let segment = reader.segments.last(where: { $0.firstSequence <= range.first }) else {
            return ContextState()
        }
        var context: ContextState
        do { context = try reader.context(of: segment) ?? ContextState() } catch {
            // Told as damage where the records are read.
            guard error.isDamageOrAbsence else { throw error }
            context = ContextState()
        }
        let cursor = try RecordCursor(reader, from: segment.firstSequence)
        while cursor.expected < range.first {
            switch try cursor.next() {
            case .end: return context
            case .hole, .damage: continue
            case .record:
                let envelope = cursor.envelope
                guard envelope.sequence < range.first else { return context }
                guard !envelope.kind.isDataFrame else { continue }
                cursor.withPayload { context.apply(envelope, payload: $0) }
            }
        }
        return context
    }

    // MARK: Records

    private mutating func add(
        _ envelope: RecordEnvelope,
        _ payload: [UInt8],
        _ sources: StreamSources,
        to writer: inout McapWriter
    ) throws {
        records += 1
        if records % 1024 == 0 {
            progress(records)
            if isAsked() {
                throw VerbFailure(code: .failed, message: "interrupted; nothing was kept")
            }
        }
        let time = UInt64(clamping: envelope.receivedAt)
        lastTime = time
        let sequence = UInt32(truncatingIfNeeded: envelope.sequence.value)
        if envelope.kind.isDataFrame {
            let channel = try self.channel(of: envelope, sources, &writer)
            writer.add(message: payload, channel: channel, sequence: sequence, time: time)
        } else {
            // Everything is in the payload; the detail of a huge one would burst a chunk.
            let fields = payload.count > 4 << 20 ? nil : EventFields(orNil: payload)
            var json = JSONWriter()
            RecordJSON.append(
                envelope,
                payload: payload,
                source: try sources.source(of: envelope, fields: fields),
                fields: fields,
                to: &json
            )
            writer.add(
                message: json.bytes,
                channel: McapFormat.Channel.events,
                sequence: sequence,
                time: time
            )
        }
        add(.record, envelope)
    }

    /// A statement that something is missing.
    private mutating func add(
        _ what: Entry,
        from sequence: Sequence,
        to writer: inout McapWriter,
        _ body: (inout JSONWriter) -> Void
    ) {
        var json = JSONWriter()
        body(&json)
        writer.add(
            message: json.bytes,
            channel: McapFormat.Channel.events,
            sequence: UInt32(truncatingIfNeeded: sequence.value),
            time: lastTime
        )
        let nothing = RecordKind(rawValue: 0)
        add(
            what,
            RecordEnvelope(sequence: sequence, kind: nothing, receivedAt: 0, monotonic: 0)
        )
    }

    private mutating func add(_ what: Entry, _ envelope: RecordEnvelope) {
        envelopes.appendLittleEndian(envelope.sequence.value)
        envelopes.appendLittleEndian(envelope.stream.value)
        envelopes.appendLittleEndian(UInt64(bitPattern: envelope.receivedAt))
        envelopes.appendLittleEndian(envelope.monotonic)
        envelopes.appendLittleEndian(envelope.maskKey)
        envelopes += [
            envelope.kind.rawValue, envelope.wireByte, envelope.flags.rawValue, what.rawValue,
        ]
    }

    private mutating func channel(
        of envelope: RecordEnvelope,
        _ sources: StreamSources,
        _ writer: inout McapWriter
    ) throws -> UInt16 {
        var key = StreamChannel(stream: envelope.stream, kind: envelope.kind)
        if let known = channels[key] { return known }
        let isShared = channels.count >= Int(McapFormat.Channel.streamsMax)
        if isShared {
            key = StreamChannel(stream: Sequence(.max), kind: envelope.kind)
            if let known = channels[key] { return known }
        }
        let number = McapFormat.Channel.frames + UInt16(channels.count)
        channels[key] = number
        let source = isShared ? "others" : try sources.source(of: envelope, fields: nil)
        let isGRPC = [.grpcMessageIn, .grpcMessageOut].contains(envelope.kind)
        writer.add(
            channel: number,
            schema: 0,
            topic: isShared
                ? "others/\(envelope.kind)" : "\(source)/\(envelope.stream)/\(envelope.kind)",
            encoding: isGRPC ? "x-grpc-message" : "x-websocket-payload",
            [
                ("source", source), ("stream", isShared ? "" : envelope.stream.description),
                ("kind", envelope.kind.description),
            ]
        )
        return number
    }

    private mutating func endChunk(_ writer: inout McapWriter) throws {
        if !envelopes.isEmpty {
            writer.add(
                message: envelopes,
                channel: McapFormat.Channel.envelopes,
                sequence: 0,
                time: lastTime
            )
            envelopes.removeAll(keepingCapacity: true)
        }
        try writer.endChunk()
    }
}
