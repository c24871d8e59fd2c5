import BlockCodec
import Inflation
import JSONText
import Platform
import RecordModel
import SegmentFormat
import SegmentLog

/// Reads an MCAP file that `export` wrote, and makes the same records of it again.
///
/// Nothing of the file is believed: every length is held against what is there, every chunk against
/// its checksum, and everything is walked before the first record is written. Memory follows the
/// largest chunk, compressed or not, which has a limit.
struct McapImport {
    /// What the records of a file add up to.
    struct Summary {
        var first = Sequence.none
        var last = Sequence.none
        var frames: UInt64 = 0
        var bytes: UInt64 = 0
        /// Which recording it was, for people.
        var origin = ""
        var context = ContextState()
    }

    /// What stands in the file, in order.
    enum Item {
        case record(RecordEnvelope, ArraySlice<UInt8>)
        /// What is in force before the next record, which a hole makes the records not tell.
        case context(ContextState)
        case hole(Hole)
    }

    private let file: ImportFile
    private let document = JSONDocument(limits: McapImport.limits)

    init(_ file: ImportFile) { self.file = file }

    /// Whether a file begins as MCAP files do.
    static func isMcap(_ file: ImportFile) throws -> Bool {
        try file.read(McapFormat.magic.count, at: 0).elementsEqual(McapFormat.magic)
    }

    private static var limits: JSONLimits {
        var limits = JSONLimits()
        limits.bytesMax = McapFormat.chunkBytesMax
        return limits
    }

    // MARK: Making a recording

    /// Walks the whole file.
    ///
    /// - Throws: `VerbFailure` with the first thing that is wrong.
    func check() throws -> Summary {
        var summary = Summary()
        try walk(&summary) { _ in }
        return summary
    }

    /// Makes a recording of a file that was checked.
    ///
    /// - Parameters:
    ///   - path: where; nothing stands there.
    ///   - checked: what `check` gave.
    ///   - progress: told the records so far, now and then; may throw to stop.
    /// - Throws: `VerbFailure`, `LogError`, or what `progress` throws.
    func write(
        to path: String,
        _ checked: Summary,
        progress: (UInt64) throws -> Void
    ) throws {
        var options = LogOptions()
        options.toolVersion = toolVersion
        options.origin = "import of \(file.name), \(checked.origin)"
        options.positionReader = RecordedPositions()
        let writer = try SequencedWriter(
            path: path,
            disk: LinuxFileSystem(),
            clock: SystemClock(),
            random: SystemRandom(),
            options: options,
            start: .init(first: checked.first, context: checked.context)
        )
        var count: UInt64 = 0
        var again = Summary()
        try walk(&again) { item in
            switch item {
            case .record(let envelope, let payload):
                // The file is read a second time: it may have changed since it was checked.
                guard envelope.sequence == writer.next else { throw changed }
                try payload.withUnsafeBytes { try writer.append(envelope, payload: $0) }
            case .context(let context): try writer.begin(with: context)
            case .hole(let hole):
                guard hole.from == writer.next else { throw changed }
                try writer.append(hole)
            }
            count += 1
            if count % 1024 == 0 { try progress(count) }
        }
        guard again.last == checked.last else { throw changed }
        try writer.close()
    }

    private var changed: VerbFailure {
        VerbFailure(code: .failed, message: "\(file.name) was changed while it was read")
    }

    // MARK: Walking the file

    /// What is known while walking.
    private struct Walk {
        var next = Sequence.none
        var hasContext = false
        /// A further context, for before the next record.
        var context: ContextState?
        /// What a damage entry said of what is missing next, and through where.
        var cause: String?
        var lost = Sequence.none
    }

    private func walk(_ summary: inout Summary, _ visit: (Item) throws -> Void) throws {
        var walk = Walk()
        var offset = McapFormat.magic.count
        guard try Self.isMcap(file) else { throw file.failure(at: 0, "it is no MCAP file") }
        var isFirst = true
        let magic = McapFormat.magic
        var checksum = CRC32.update(0, magic.span)
        while true {
            let (opcode, length) = try record(at: offset)
            let start = offset + 9
            if isFirst, opcode != .header {
                throw file.failure(at: offset, "an MCAP file begins with a header")
            }
            if opcode == .dataEnd {
                try checkEnd(try read(start, length, McapFormat.recordBytesMax), start, checksum)
                // What was lost behind the last record.
                if walk.lost >= walk.next { try fill(to: walk.lost.next, &walk, visit) }
                summary.last = walk.next.previous
                return
            }
            checksum = try self.checksum(checksum, of: offset..<(start + length))
            switch opcode {
            case .header: try checkHeader(read(start, length, McapFormat.recordBytesMax), start)
            case .metadata:
                let content = try read(start, length, McapFormat.recordBytesMax)
                try takeIdentity(content, start, &walk, &summary)
            case .chunk:
                guard summary.first > .none else {
                    throw file.failure(at: offset, "the recording's identity is missing")
                }
                let content = try read(start, length, McapFormat.chunkBytesMax)
                try takeChunk(content, start, &walk, &summary, visit)
            case .message:
                throw file.failure(at: offset, "a message outside of a chunk is not of tapedeck")
            default: break
            }
            isFirst = false
            offset = start + length
        }
    }

    private func record(at offset: Int) throws -> (McapFormat.Opcode?, length: Int) {
        let head = try file.read(9, at: offset)
        var bytes = McapBytes(head)
        do {
            let opcode = try bytes.integer(UInt8.self)
            let length = try bytes.integer(UInt64.self)
            guard let length = Int(exactly: length), length <= file.count - offset - 9 else {
                throw file.failure(at: offset, "a record of \(length) bytes reaches past the end")
            }
            return (McapFormat.Opcode(rawValue: opcode), length)
        } catch is McapBytes.Ended {
            throw file.failure(at: offset, "the file ends before its footer; export it again")
        }
    }

    private func read(_ start: Int, _ length: Int, _ limit: Int) throws -> ArraySlice<UInt8> {
        guard length <= limit else {
            throw file.failure(at: start, "a record of \(length) bytes exceeds the limit, \(limit)")
        }
        return try file.read(length, at: start)
    }

    /// Runs a reading of a record's content.
    private func reading<Value>(_ start: Int, _ body: () throws -> Value) throws -> Value {
        do { return try body() } catch is McapBytes.Ended {
            throw file.failure(at: start, "a record ends before its fields do")
        }
    }

    private func checkHeader(_ content: ArraySlice<UInt8>, _ start: Int) throws {
        var bytes = McapBytes(content)
        let (profile, library) = try reading(start) { (try bytes.text(), try bytes.text()) }
        guard profile == McapFormat.profile else {
            let shown = RecordPreview.shown(Array("\(profile)' by '\(library)".utf8))
            throw file.failure(
                at: start,
                "it was not exported by tapedeck (its profile is '\(shown)'); frames of other MCAP "
                    + "files have no meaning here"
            )
        }
    }

    private func takeIdentity(
        _ content: ArraySlice<UInt8>,
        _ start: Int,
        _ walk: inout Walk,
        _ summary: inout Summary
    ) throws {
        var bytes = McapBytes(content)
        let (name, facts) = try reading(start) { (try bytes.text(), try bytes.map()) }
        guard name == McapFormat.metadataName else { return }
        guard facts["version"] == McapFormat.version else {
            throw file.failure(at: start, "a newer version of tapedeck wrote it")
        }
        guard let first = facts["first_sequence"].flatMap({ UInt64($0) }), first > 0,
            first < .max - 1, summary.first == .none
        else { throw file.failure(at: start, "the first sequence is none") }
        summary.first = Sequence(first)
        walk.next = Sequence(first)
        let recording = facts["recording"] ?? "unknown"  // only for people
        summary.origin = "recording " + RecordPreview.shown(Array(recording.utf8))
    }

    private func checksum(_ checksum: UInt32, of range: Range<Int>) throws -> UInt32 {
        var checksum = checksum
        var offset = range.lowerBound
        while offset < range.upperBound {
            let count = min(range.upperBound - offset, McapFormat.chunkBytes)
            let piece = try file.read(count, at: offset)
            checksum = CRC32.update(checksum, piece.span)
            offset += count
        }
        return checksum
    }

    private func checkEnd(
        _ content: ArraySlice<UInt8>,
        _ start: Int,
        _ checksum: UInt32
    ) throws {
        var bytes = McapBytes(content)
        let found = try reading(start) { try bytes.integer(UInt32.self) }
        guard found == checksum, bytes.count == 0 else {
            throw file.failure(at: start, "the file is damaged: its checksum does not match")
        }
        let magic = McapFormat.magic
        guard try file.read(magic.count, at: file.count - magic.count).elementsEqual(magic) else {
            throw file.failure(at: file.count, "the file ends before its footer; export it again")
        }
    }

    // MARK: Chunks

    private func takeChunk(
        _ content: ArraySlice<UInt8>,
        _ start: Int,
        _ walk: inout Walk,
        _ summary: inout Summary,
        _ visit: (Item) throws -> Void
    ) throws {
        let records = try reading(start) { () throws -> ArraySlice<UInt8> in
            var bytes = McapBytes(content)
            _ = try bytes.take(16)
            let size = try bytes.integer(UInt64.self)
            let checksum = try bytes.integer(UInt32.self)
            let compression = try bytes.text()
            let stored = try bytes.take(try bytes.integer(UInt64.self))
            let records = try open(stored, compression, size, start)
            guard CRC32.update(0, records.span) == checksum else {
                throw file.failure(at: start, "a chunk is damaged: its checksum does not match")
            }
            return records
        }
        var messages: [(channel: UInt16, payload: ArraySlice<UInt8>)] = []
        var envelopes: ArraySlice<UInt8>?
        var bytes = McapBytes(records)
        try reading(start) {
            while bytes.count > 0 {
                let opcode = try bytes.integer(UInt8.self)
                var content = McapBytes(try bytes.take(try bytes.integer(UInt64.self)))
                guard opcode == McapFormat.Opcode.message.rawValue else { continue }
                let channel = try content.integer(UInt16.self)
                _ = try content.take(20)
                let payload = try content.take(UInt64(content.count))
                switch channel {
                case McapFormat.Channel.context:
                    guard messages.isEmpty, walk.context == nil else {
                        throw file.failure(at: start, "a context does not come first in its chunk")
                    }
                    try takeContext(payload, start, &walk, &summary)
                case McapFormat.Channel.envelopes:
                    guard envelopes == nil else {
                        throw file.failure(at: start, "a chunk has two lists of envelopes")
                    }
                    envelopes = payload
                default: messages.append((channel, payload))
                }
            }
        }
        let entries = envelopes?.count ?? 0
        guard entries == messages.count * McapFormat.envelopeBytes else {
            throw file.failure(at: start, "a chunk's envelopes are not those of its messages")
        }
        guard let envelopes else { return }
        var list = McapBytes(envelopes)
        for message in messages {
            let (entry, envelope) = try reading(start) { try self.envelope(&list) }
            guard let entry else { throw file.failure(at: start, "an envelope of no known kind") }
            try take(entry, envelope, message, start, &walk, &summary, visit)
        }
    }

    /// The records of a chunk, as many bytes as it says.
    private func open(
        _ stored: ArraySlice<UInt8>,
        _ compression: String,
        _ size: UInt64,
        _ start: Int
    ) throws -> ArraySlice<UInt8> {
        switch McapFormat.Compression(rawValue: compression) {
        case .none?:
            guard UInt64(stored.count) == size else {
                throw file.failure(at: start, "a chunk is damaged: it has another size")
            }
            return stored
        case .lz4?:
            guard let count = Int(exactly: size), count <= McapFormat.chunkBytesMax else {
                throw file.failure(
                    at: start,
                    "a chunk of \(size) bytes exceeds the limit, \(McapFormat.chunkBytesMax)"
                )
            }
            guard let records = LZ4Frame.decompress(stored.span, count: count) else {
                throw file.failure(
                    at: start,
                    "a chunk is damaged: it does not decompress to \(size) bytes"
                )
            }
            return records[...]
        case nil:
            let shown = RecordPreview.shown(Array(compression.utf8))
            throw file.failure(
                at: start,
                "its chunks are compressed by '\(shown)', which is not read here; export it again "
                    + "with --compression lz4 or none"
            )
        }
    }

    private func takeContext(
        _ payload: ArraySlice<UInt8>,
        _ start: Int,
        _ walk: inout Walk,
        _ summary: inout Summary
    ) throws {
        let context: ContextState
        do {
            context = try payload.withUnsafeBytes { bytes throws(FormatError) in
                try ContextState(decoding: bytes)
            }
        } catch { throw file.failure(at: start, "\(error)") }
        if walk.hasContext || walk.next != summary.first {
            walk.context = context
        } else {
            walk.hasContext = true
            summary.context = context
        }
    }

    private func envelope(
        _ list: inout McapBytes
    ) throws(McapBytes.Ended) -> (McapExport.Entry?, RecordEnvelope) {
        let sequence = Sequence(try list.integer(UInt64.self))
        let stream = Sequence(try list.integer(UInt64.self))
        let receivedAt = Int64(bitPattern: try list.integer(UInt64.self))
        let monotonic = try list.integer(UInt64.self)
        let maskKey = try list.integer(UInt32.self)
        let kind = RecordKind(rawValue: try list.integer(UInt8.self))
        let wireByte = try list.integer(UInt8.self)
        let flags = RecordFlags(rawValue: try list.integer(UInt8.self))
        let entry = McapExport.Entry(rawValue: try list.integer(UInt8.self))
        return (
            entry,
            RecordEnvelope(
                sequence: sequence,
                kind: kind,
                flags: flags,
                wireByte: wireByte,
                maskKey: maskKey,
                stream: stream,
                receivedAt: receivedAt,
                monotonic: monotonic
            )
        )
    }

    // MARK: Records

    private func take(
        _ entry: McapExport.Entry,
        _ envelope: RecordEnvelope,
        _ message: (channel: UInt16, payload: ArraySlice<UInt8>),
        _ start: Int,
        _ walk: inout Walk,
        _ summary: inout Summary,
        _ visit: (Item) throws -> Void
    ) throws {
        let isFrame = message.channel >= McapFormat.Channel.frames
        guard isFrame == envelope.kind.isDataFrame, entry == .record || !isFrame else {
            throw file.failure(at: start, "a message stands in the wrong channel")
        }
        switch entry {
        case .damage:
            walk.cause = try text("cause", of: message.payload, start)
            let last = try text("through", of: message.payload, start).flatMap { UInt64($0) }
            // Nobody may know how much was lost.
            walk.lost = last.map { $0 < .max - 1 ? Sequence($0) : .none } ?? .none
        case .hole:
            let last = try text("through", of: message.payload, start).flatMap { UInt64($0) }
            guard envelope.sequence >= walk.next, let last, last >= envelope.sequence.value,
                last < .max - 1
            else { throw file.failure(at: start, "a hole that is none") }
            try fill(to: envelope.sequence, &walk, visit)
            let cause = try text("cause", of: message.payload, start)
            let count = last - envelope.sequence.value + 1
            try visit(
                .hole(Hole(from: envelope.sequence, count: count, cause: cause ?? "unknown"))
            )
            walk.next = Sequence(last).next
        case .record:
            guard envelope.sequence >= walk.next, envelope.sequence.value < .max - 1,
                envelope.kind.rawValue > 0
            else { throw file.failure(at: start, "record \(envelope.sequence) is out of order") }
            try fill(to: envelope.sequence, &walk, visit)
            walk.cause = nil
            if let context = walk.context {
                walk.context = nil
                try visit(.context(context))
            }
            let payload =
                isFrame ? message.payload : try self.payload(of: message.payload, start)[...]
            guard payload.count <= FormatLimits.payloadBytesMax else {
                throw file.failure(at: start, "record \(envelope.sequence) is too large")
            }
            if isFrame {
                summary.frames += 1
                summary.bytes += UInt64(payload.count)
            }
            try visit(.record(envelope, payload))
            walk.next = envelope.sequence.next
        }
    }

    /// States a hole for what the file passes over.
    private func fill(
        to sequence: Sequence,
        _ walk: inout Walk,
        _ visit: (Item) throws -> Void
    ) throws {
        guard sequence > walk.next else { return }
        let count = sequence.value - walk.next.value
        let cause = walk.cause.map { "damage: \($0)" } ?? "not in the file"
        try visit(.hole(Hole(from: walk.next, count: count, cause: cause)))
        walk.next = sequence
    }

    private func text(
        _ key: StaticString,
        of json: ArraySlice<UInt8>,
        _ start: Int
    ) throws -> String? {
        do { return try document.parse(Array(json)).member(key)?.string } catch {
            throw file.failure(at: start, "an event is not JSON (\(error.kind))")
        }
    }

    private func payload(of json: ArraySlice<UInt8>, _ start: Int) throws -> [UInt8] {
        do {
            let text = try document.parse(Array(json)).member("payload")?.stringBytes
            if let payload = text.flatMap({ Base64.decode($0) }) { return payload }
        } catch {
            throw file.failure(at: start, "an event is not JSON (\(error.kind))")
        }
        throw file.failure(at: start, "an event has no payload")
    }
}
