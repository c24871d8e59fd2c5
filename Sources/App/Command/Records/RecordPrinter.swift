import JSONText
import RecordModel
import SegmentFormat
import SegmentLog

/// Turns records into lines of one format, collected in one buffer that its owner writes away.
struct RecordPrinter {
    /// How a record becomes a line.
    enum Format: String, CaseIterable, Sendable {
        /// For people.
        case text
        /// For programs: one canonical JSON object a line.
        case ndjson
        /// For spreadsheets: the same columns, with a line of names first.
        case csv
    }

    /// Lines that wait to be written.
    private(set) var output: [UInt8] = []
    private let format: Format
    private let sources: StreamSources

    init(_ format: Format, sources: StreamSources) {
        self.format = format
        self.sources = sources
        if format == .csv { output += Array((Self.columns + "\n").utf8) }
    }

    private static let columns =
        "sequence,kind,stream,source,received_ns,monotonic_ns,flags,payload,detail"

    /// Forgets the lines that have been written, and keeps the memory.
    mutating func removeWritten() { output.removeAll(keepingCapacity: true) }

    /// Adds the line of a record.
    ///
    /// - Throws: `LogError` when the source of its stream cannot be looked up.
    mutating func add(_ envelope: RecordEnvelope, payload: [UInt8]) throws(LogError) {
        let fields = envelope.kind.isEvent ? EventFields(orNil: payload) : nil
        let source = try sources.source(of: envelope, fields: fields)
        switch format {
        case .text: addText(envelope, payload, source, fields)
        case .csv: addRow(envelope, payload, source, fields)
        case .ndjson:
            withWriter { writer in
                RecordJSON.append(
                    envelope,
                    payload: payload,
                    source: source,
                    fields: fields,
                    to: &writer
                )
                writer.endLine()
            }
        }
    }

    /// Adds the line of a hole.
    mutating func add(_ hole: Hole) {
        switch format {
        case .text:
            line("hole: sequences \(hole.from) to \(hole.last) are missing: ", hole.cause)
        case .csv:
            addRow(kind: "hole", detail: json { RecordJSON.append(hole, to: &$0) })
        case .ndjson:
            withWriter {
                RecordJSON.append(hole, to: &$0)
                $0.endLine()
            }
        }
    }

    /// Adds the line of a damaged place.
    mutating func add(_ damage: DamageReport) {
        switch format {
        case .text: line("damage: ", damage.description)
        case .csv:
            addRow(kind: "damage", detail: json { RecordJSON.append(damage, to: &$0) })
        case .ndjson:
            withWriter {
                RecordJSON.append(damage, to: &$0)
                $0.endLine()
            }
        }
    }

    /// Lets a JSON writer go on in the buffer, without a copy of it.
    private mutating func withWriter(_ body: (inout JSONWriter) -> Void) {
        var bytes: [UInt8] = []
        swap(&bytes, &output)
        var writer = JSONWriter(appendingTo: bytes)
        bytes = []
        body(&writer)
        output = writer.bytes
    }

    private func json(_ body: (inout JSONWriter) -> Void) -> [UInt8] {
        var writer = JSONWriter()
        body(&writer)
        return writer.bytes
    }

    // MARK: Text

    private mutating func line(_ label: String, _ text: String) {
        output += Array(label.utf8)
        output += Array(RecordPreview.shown(Array(text.utf8)).utf8)
        output.append(UInt8(ascii: "\n"))
    }

    private mutating func addText(
        _ envelope: RecordEnvelope,
        _ payload: [UInt8],
        _ source: String,
        _ fields: EventFields?
    ) {
        var parts = [
            RFC3339.text(envelope.receivedAt), envelope.sequence.description,
            envelope.kind.description,
        ]
        let name = RecordPreview.shown(Array(source.utf8))
        switch (envelope.stream > .none, name.isEmpty) {
        case (true, true): parts.append("stream \(envelope.stream)")
        case (true, false): parts.append("stream \(envelope.stream) (\(name))")
        case (false, false): parts.append("(\(name))")
        case (false, true): break
        }
        if fields == nil { parts.append("\(payload.count) B") }
        let marks: [(RecordFlags, String)] = [
            (.timeSynthetic, "[time made up]"), (.containsSecret, "[contains a secret]"),
        ]
        parts += marks.filter { envelope.flags.contains($0.0) }.map(\.1)
        let preview = RecordPreview.text(envelope, payload: payload, fields: fields)
        if !preview.isEmpty { parts.append(preview) }
        output += Array(parts.joined(separator: "  ").utf8)
        output.append(UInt8(ascii: "\n"))
    }

    // MARK: CSV, RFC 4180 with bare line feeds

    private mutating func addRow(
        _ envelope: RecordEnvelope,
        _ payload: [UInt8],
        _ source: String,
        _ fields: EventFields?
    ) {
        let head = "\(envelope.sequence),\(envelope.kind),\(envelope.stream),"
        output += Array(head.utf8)
        addCell(Array(source.utf8))
        output += Array(",\(envelope.receivedAt),\(envelope.monotonic),".utf8)
        addCell(json { RecordJSON.appendFlags(envelope, to: &$0) })
        output.append(UInt8(ascii: ","))
        Base64.encode(payload, into: &output)
        output.append(UInt8(ascii: ","))
        if let fields { addCell(json { RecordJSON.append(fields, to: &$0) }) }
        output.append(UInt8(ascii: "\n"))
    }

    private mutating func addRow(kind: String, detail: [UInt8]) {
        output += Array(",\(kind),,,,,,,".utf8)
        addCell(detail)
        output.append(UInt8(ascii: "\n"))
    }

    private mutating func addCell(_ text: [UInt8]) {
        let special: [UInt8] = [0x22, 0x2C, 0x0A, 0x0D]
        guard text.contains(where: special.contains) else {
            output += text
            return
        }
        output.append(0x22)
        for byte in text {
            if byte == 0x22 { output.append(0x22) }
            output.append(byte)
        }
        output.append(0x22)
    }
}
