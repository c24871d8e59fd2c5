import BlockCodec
import Inflation
import RecordModel

/// Writes an MCAP file: chunks with checksums and indexes, a summary, a footer.
///
/// Memory follows the largest message, the channels and the number of chunks.
struct McapWriter {
    private let sink: ([UInt8]) throws -> Void
    private let compression: McapFormat.Compression
    private var offset: UInt64 = 0
    private var dataChecksum: UInt32 = 0

    private var schemas: [[UInt8]] = []
    private var channels: [[UInt8]] = []
    private var counts: [UInt16: UInt64] = [:]
    private var metadataIndexes: [[UInt8]] = []
    private var chunkIndexes: [[UInt8]] = []
    private var earliest: UInt64?
    private var latest: UInt64 = 0

    private var chunk: [UInt8] = []
    private var chunkMessages: [UInt16: [UInt8]] = [:]
    private var chunkEarliest: UInt64?
    private var chunkLatest: UInt64 = 0

    /// Begins a file.
    ///
    /// - Parameters:
    ///   - profile: what the file's channels mean.
    ///   - library: who writes it.
    ///   - compression: of the chunks.
    ///   - sink: takes the bytes in order.
    /// - Throws: what the sink throws, as everything that writes here does.
    init(
        profile: String,
        library: String,
        compression: McapFormat.Compression = .none,
        sink: @escaping ([UInt8]) throws -> Void
    ) throws {
        self.sink = sink
        self.compression = compression
        var content: [UInt8] = []
        content.appendMcap(profile)
        content.appendMcap(library)
        var bytes = McapFormat.magic
        bytes.appendMcap(.header, content)
        try put(bytes)
    }

    /// Bytes of the chunk that is being filled.
    var chunkBytes: Int { chunk.count }

    /// Adds a metadata record.
    mutating func add(metadata name: String, _ map: [(String, String)]) throws {
        var content: [UInt8] = []
        content.appendMcap(name)
        content.appendMcap(map)
        var bytes: [UInt8] = []
        bytes.appendMcap(.metadata, content)
        var index: [UInt8] = []
        index.appendLittleEndian(offset)
        index.appendLittleEndian(UInt64(bytes.count))
        index.appendMcap(name)
        metadataIndexes.append(index)
        try put(bytes)
    }

    /// Adds a schema to the open chunk; its number must be free and not 0.
    mutating func add(schema: UInt16, name: String, encoding: String, text: String) {
        var content: [UInt8] = []
        content.appendLittleEndian(schema)
        content.appendMcap(name)
        content.appendMcap(encoding)
        content.appendMcap(text)
        schemas.append(content)
        chunk.appendMcap(.schema, content)
    }

    /// Adds a channel to the open chunk; its number must be free. Schema 0 is none.
    mutating func add(
        channel: UInt16,
        schema: UInt16,
        topic: String,
        encoding: String,
        _ metadata: [(String, String)]
    ) {
        var content: [UInt8] = []
        content.appendLittleEndian(channel)
        content.appendLittleEndian(schema)
        content.appendMcap(topic)
        content.appendMcap(encoding)
        content.appendMcap(metadata)
        channels.append(content)
        chunk.appendMcap(.channel, content)
    }

    /// Adds a message to the open chunk.
    mutating func add(message payload: [UInt8], channel: UInt16, sequence: UInt32, time: UInt64) {
        var entry = chunkMessages[channel] ?? []  // the channel's first message in this chunk
        entry.appendLittleEndian(time)
        entry.appendLittleEndian(UInt64(chunk.count))
        chunkMessages[channel] = entry
        chunk.append(McapFormat.Opcode.message.rawValue)
        chunk.appendLittleEndian(UInt64(payload.count + 22))
        chunk.appendLittleEndian(channel)
        chunk.appendLittleEndian(sequence)
        chunk.appendLittleEndian(time)
        chunk.appendLittleEndian(time)
        chunk.append(contentsOf: payload)
        counts[channel, default: 0] += 1
        chunkEarliest = min(chunkEarliest ?? time, time)
        chunkLatest = max(chunkLatest, time)
        earliest = min(earliest ?? time, time)
        latest = max(latest, time)
    }

    /// Writes the open chunk with its indexes; nothing when it is empty.
    mutating func endChunk() throws {
        guard !chunk.isEmpty else { return }
        let stored =
            switch compression {
            case .none: chunk
            case .lz4: LZ4Frame.compress(chunk.span)
            }
        var head: [UInt8] = []
        head.appendLittleEndian(chunkEarliest ?? 0)  // 0 is the format's "no message"
        head.appendLittleEndian(chunkLatest)
        head.appendLittleEndian(UInt64(chunk.count))
        head.appendLittleEndian(CRC32.update(0, chunk.span))
        head.appendMcap(compression.rawValue)
        head.appendLittleEndian(UInt64(stored.count))
        var bytes: [UInt8] = [McapFormat.Opcode.chunk.rawValue]
        bytes.appendLittleEndian(UInt64(head.count + stored.count))
        bytes += head
        let start = offset
        try put(bytes)
        try put(stored)
        let length = offset - start
        var index: [UInt8] = []
        index.appendLittleEndian(chunkEarliest ?? 0)  // as above
        index.appendLittleEndian(chunkLatest)
        index.appendLittleEndian(start)
        index.appendLittleEndian(length)
        let indexStart = offset
        var places: [UInt8] = []
        for (channel, entries) in chunkMessages.sorted(by: { $0.key < $1.key }) {
            places.appendLittleEndian(channel)
            places.appendLittleEndian(offset)
            var content: [UInt8] = []
            content.appendLittleEndian(channel)
            content.appendLittleEndian(UInt32(entries.count))
            content += entries
            var record: [UInt8] = []
            record.appendMcap(.messageIndex, content)
            try put(record)
        }
        index.appendLittleEndian(UInt32(places.count))
        index += places
        index.appendLittleEndian(offset - indexStart)
        index.appendMcap(compression.rawValue)
        index.appendLittleEndian(UInt64(stored.count))
        index.appendLittleEndian(UInt64(chunk.count))
        chunkIndexes.append(index)
        chunk.removeAll(keepingCapacity: chunk.count <= 2 * McapFormat.chunkBytes)
        chunkMessages.removeAll()
        chunkEarliest = nil
        chunkLatest = 0
    }

    /// Ends the file.
    mutating func end() throws {
        try endChunk()
        var content: [UInt8] = []
        content.appendLittleEndian(dataChecksum)
        var bytes: [UInt8] = []
        bytes.appendMcap(.dataEnd, content)
        try put(bytes)
        let summaryStart = offset
        var summary: [UInt8] = []
        var groups: [UInt8] = []
        for (opcode, records) in [
            (McapFormat.Opcode.schema, schemas), (.channel, channels), (.statistics, [statistics]),
            (.chunkIndex, chunkIndexes), (.metadataIndex, metadataIndexes),
        ] where !records.isEmpty {
            let start = summary.count
            for record in records { summary.appendMcap(opcode, record) }
            var group: [UInt8] = [opcode.rawValue]
            group.appendLittleEndian(summaryStart + UInt64(start))
            group.appendLittleEndian(UInt64(summary.count - start))
            groups.appendMcap(.summaryOffset, group)
        }
        let offsetsStart = summaryStart + UInt64(summary.count)
        summary += groups
        summary.append(McapFormat.Opcode.footer.rawValue)
        summary.appendLittleEndian(20 as UInt64)
        summary.appendLittleEndian(summaryStart)
        summary.appendLittleEndian(offsetsStart)
        summary.appendLittleEndian(CRC32.update(0, summary.span))
        summary += McapFormat.magic
        try put(summary)
    }

    private var statistics: [UInt8] {
        var content: [UInt8] = []
        content.appendLittleEndian(counts.values.reduce(0, +))
        content.appendLittleEndian(UInt16(schemas.count))
        content.appendLittleEndian(UInt32(channels.count))
        content.appendLittleEndian(0 as UInt32)
        content.appendLittleEndian(UInt32(metadataIndexes.count))
        content.appendLittleEndian(UInt32(chunkIndexes.count))
        content.appendLittleEndian(earliest ?? 0)  // 0 is the format's "no message"
        content.appendLittleEndian(latest)
        var map: [UInt8] = []
        for (channel, count) in counts.sorted(by: { $0.key < $1.key }) {
            map.appendLittleEndian(channel)
            map.appendLittleEndian(count)
        }
        content.appendLittleEndian(UInt32(map.count))
        content += map
        return content
    }

    private mutating func put(_ bytes: [UInt8]) throws {
        try sink(bytes)
        offset += UInt64(bytes.count)
        dataChecksum = CRC32.update(dataChecksum, bytes.span)
    }
}
