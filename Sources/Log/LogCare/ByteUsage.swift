// `du`: where the bytes of a recording's segments went, to the last one.
//
// A block is compressed as a whole, so what a record takes of it can only be shared out: by its
// raw bytes, in whole numbers, the rest to the largest share. The sums are exact.

import Platform
import RecordModel
import SegmentFormat
package import SegmentLog

/// Where the bytes went.
package struct ByteUsage: Sendable {
    /// What the bytes are counted by.
    package enum Grouping: String, Sendable, CaseIterable {
        case source, stream, kind, segment
    }

    /// One group.
    package struct Row: Sendable, Equatable {
        /// A source, the id of a stream, a kind, or the ordinal of a segment. What no record takes
        /// is called `(log)`, what cannot be read `(damaged)`, records without a name `(none)`.
        package let name: String
        package var frames: UInt64 = 0
        package var events: UInt64 = 0
        /// Bytes of payload, and of records with their headers.
        package var payloadBytes: UInt64 = 0
        package var rawBytes: UInt64 = 0
        /// Bytes of files.
        package var storedBytes: UInt64 = 0

        package init(name: String) { self.name = name }
    }

    /// By falling stored bytes, then by name; segments in their order.
    package private(set) var rows: [Row] = []

    /// All rows together; the stored bytes are those of all segment files.
    package var total: Row {
        rows.reduce(into: Row(name: "total")) { sum, row in
            sum.frames += row.frames
            sum.events += row.events
            sum.payloadBytes += row.payloadBytes
            sum.rawBytes += row.rawBytes
            sum.storedBytes += row.storedBytes
        }
    }

    private let grouping: Grouping
    private var places: [String: Int] = [:]
    /// Sources of streams.
    private var sources: [StreamID: String] = [:]
    /// Raw bytes of the block at hand, by row.
    private var shares: [Int: UInt64] = [:]

    /// Reads a whole recording.
    ///
    /// - Parameters:
    ///   - reader: the recording.
    ///   - grouping: what the bytes are counted by.
    ///   - progress: told the bytes that have been passed over, now and then.
    /// - Throws: `log` when a file cannot be read.
    package init(
        _ reader: RecordingReader,
        by grouping: Grouping,
        progress: (UInt64) -> Void = { _ in }
    ) throws(CareError) {
        self.grouping = grouping
        var done: UInt64 = 0
        for segment in reader.segments {
            let blocks: SegmentBlocks
            do throws(LogError) { blocks = try SegmentBlocks(reader, segment) } catch {
                guard let bytes = try Self.damagedBytes(error, reader, segment) else { continue }
                rows[row("(damaged)", segment)].storedBytes += bytes
                continue
            }
            try take(segment, blocks) { bytes in
                done += bytes
                progress(done)
            }
        }
        guard grouping != .segment else { return }
        rows.sort { ($1.storedBytes, $0.name) < ($0.storedBytes, $1.name) }
    }

    private static func damagedBytes(
        _ error: LogError,
        _ reader: RecordingReader,
        _ segment: SegmentDescriptor
    ) throws(CareError) -> UInt64? {
        switch error {
        case .damaged: return try logging { () throws(LogError) in try reader.bytes(of: segment) }
        case .system(let cause) where cause.isNotFound: return nil
        default: throw .log(error)
        }
    }

    private mutating func take(
        _ segment: SegmentDescriptor,
        _ blocks: SegmentBlocks,
        _ progress: (UInt64) -> Void
    ) throws(CareError) {
        let header = UInt64(FormatLimits.blockHeaderBytes)
        rows[row("(log)", segment)].storedBytes += UInt64(FormatLimits.segmentHeaderBytes)
        var count: UInt64 = 0
        while true {
            switch try logging(blocks.next) {
            case .end: return
            case .rest(let bytes): rows[row("(log)", segment)].storedBytes += bytes
            case .invalid(let bytes): rows[row("(damaged)", segment)].storedBytes += bytes
            case .block(let block):
                let stored = header + UInt64(block.storedBytes)
                count += 1
                if count % 256 == 0 { progress(stored * 256) }
                do throws(FormatError) {
                    try take(block, try blocks.raw(), stored, segment)
                } catch {
                    rows[row("(damaged)", segment)].storedBytes += stored
                }
            }
        }
    }

    private mutating func take(
        _ block: BlockHeader,
        _ raw: UnsafeRawBufferPointer,
        _ stored: UInt64,
        _ segment: SegmentDescriptor
    ) throws(FormatError) {
        if block.kind == .context {
            for entry in try ContextState(decoding: raw).openStreams {
                note(entry.envelope, entry.payload.span.bytes)
            }
        }
        guard block.kind == .data else {
            rows[row("(log)", segment)].storedBytes += stored
            return
        }
        shares.removeAll(keepingCapacity: true)
        var found: [(row: Int, isFrame: Bool, payload: Int)] = []
        found.reserveCapacity(Int(block.recordCount))
        var offset = 0
        var sequence = block.firstSequence
        for _ in 0..<block.recordCount {
            let (envelope, range) = try RecordCodec.decode(raw, at: &offset, sequence: sequence)
            let payload = RawSpan(_unsafeBytes: UnsafeRawBufferPointer(rebasing: raw[range]))
            if envelope.kind == .streamOpened { note(envelope, payload) }
            let name = name(envelope, payload)
            found.append((row(name, segment), envelope.kind.isDataFrame, range.count))
            sequence = sequence.next
        }
        for record in found {
            let bytes = UInt64(FormatLimits.recordHeaderBytes + record.payload)
            rows[record.row].rawBytes += bytes
            rows[record.row].payloadBytes += UInt64(record.payload)
            if record.isFrame {
                rows[record.row].frames += 1
            } else {
                rows[record.row].events += 1
            }
            shares[record.row, default: 0] += bytes
        }
        share(stored)
    }

    /// Shares the stored bytes of a block out by raw bytes.
    private mutating func share(_ stored: UInt64) {
        let whole = shares.values.reduce(0, +)
        guard whole > 0 else { return }
        var rest = stored
        for (row, raw) in shares {
            // A block is below 2^27 bytes, so the product fits.
            let part = stored * raw / whole
            rows[row].storedBytes += part
            rest -= part
        }
        let largest = shares.max { ($0.value, $1.key) < ($1.value, $0.key) }
        if let largest { rows[largest.key].storedBytes += rest }
    }

    private mutating func note(_ envelope: RecordEnvelope, _ payload: RawSpan) {
        do {
            sources[envelope.sequence] = try EventFields(decoding: payload).text(.source)
        } catch {
            // An event that cannot be read names no source.
            return
        }
    }

    private func name(_ envelope: RecordEnvelope, _ payload: RawSpan) -> String {
        switch grouping {
        case .segment: return ""
        case .kind: return envelope.kind.description
        case .stream:
            let stream = envelope.kind == .streamOpened ? envelope.sequence : envelope.stream
            return stream > .none ? "\(stream)" : "(none)"
        case .source:
            if let name = sources[envelope.stream] { return name }
            guard !envelope.kind.isDataFrame else { return "(none)" }
            do { return try EventFields(decoding: payload).text(.source) ?? "(none)" } catch {
                return "(none)"
            }
        }
    }

    /// The row of a name; of segments the name is the ordinal.
    private mutating func row(_ name: String, _ segment: SegmentDescriptor) -> Int {
        let key = grouping == .segment ? "\(segment.ordinal)" : name
        if let place = places[key] { return place }
        places[key] = rows.count
        rows.append(Row(name: key))
        return rows.count - 1
    }
}
