import JSONText
import Platform
import RecordModel
import SegmentFormat
import SegmentLog

/// A survey with its recording, as text and as JSON.
struct SurveyReport {
    /// A segment as a file.
    struct Segment {
        let ordinal: UInt64
        let first: Sequence
        let last: Sequence?
        /// Nil when the file is not there.
        let bytes: UInt64?
        /// `sealed`, `active`, `superseded` or `quarantined`.
        let state: String
    }

    let reader: RecordingReader
    let survey: RecordingSurvey
    let segments: [Segment]
    /// What makes the exit code 3, one sentence each.
    let damage: [String]

    /// Rows of a table that text shows.
    private static let rowsMax = 24

    init(_ reader: RecordingReader, _ survey: RecordingSurvey) {
        self.reader = reader
        self.survey = survey
        segments = reader.segments.map { Self.segment($0) }
        let manifest = [reader.manifestDamage].compactMap { $0.map { "\($0)" } }
        damage = manifest + survey.damage.map(\.description)
    }

    private static func segment(_ segment: SegmentDescriptor) -> Segment {
        let state: String
        if segment.quarantined != nil {
            state = "quarantined"
        } else if segment.limit != nil {
            state = "superseded"
        } else {
            state = segment.isSealed ? "sealed" : "active"
        }
        return Segment(
            ordinal: segment.ordinal,
            first: segment.firstSequence,
            last: segment.lastSequence,
            bytes: size(of: segment.path),
            state: state
        )
    }

    private static func size(of path: String) -> UInt64? {
        do throws(SystemError) {
            let disk = LinuxFileSystem()
            // What is no file is not opened: a pipe would wait for ever.
            guard try disk.kind(of: path) == .file else { return nil }
            let file = try disk.open(path, .readOnly)
            let size = try file.size()
            try file.close()
            return size
        } catch {
            // A missing file is told as such; the survey reports what it costs.
            return nil
        }
    }

    private var storedBytes: UInt64 { segments.reduce(0) { $0 + ($1.bytes ?? 0) } }  // absent: 0

    /// The first and last sequence; nil when there is none, or damage hides the end.
    private var sequences: (first: Sequence, last: Sequence)? {
        do { return try reader.sequenceRange() } catch {
            // Told as damage by the survey.
            return nil
        }
    }

    // MARK: Text

    var text: String {
        var lines = [reader.layout.path]
        let identity = reader.identity
        lines.append("  id         \(identity.recording)")
        lines.append(
            "  format     \(identity.versionMajor).\(identity.versionMinor), created "
                + "\(RFC3339.textInSeconds(identity.createdAt)) by \(safe(identity.tool))"
        )
        if let origin = identity.origin { lines.append("  origin     \(safe(origin))") }
        for anchor in identity.baseAnchors {
            lines.append(
                "  anchor     \(safe(anchor.chain)) after slot \(anchor.position), "
                    + "\(ByteCount.text(anchor.bytes)), stands for records below \(anchor.resume)"
            )
        }
        lines += amounts
        lines += runLines
        lines += sourceLines
        lines += gapLines
        lines += segmentLines
        for hole in survey.holes.prefix(Self.rowsMax) {
            lines.append(
                "  hole       sequences \(hole.from) to \(hole.last): \(safe(hole.cause))"
            )
        }
        if survey.tornBytes > 0 {
            lines.append("  torn tail  \(survey.tornBytes) bytes, or a writer at work")
        }
        lines.append("  damage     \(damage.isEmpty ? "none found" : "\(damage.count) found")")
        if !survey.isComplete {
            lines.append(
                "  read       the newest segment and the indexes; --deep reads every record"
            )
        }
        return lines.joined(separator: "\n") + "\n"
    }

    private func safe(_ text: String) -> String { RecordPreview.shown(Array(text.utf8)) }

    private var amounts: [String] {
        var lines: [String] = []
        if let (first, last) = sequences {
            let counted =
                ", \(survey.records) records: \(survey.frames) frames, "
                + "\(survey.events) events"
            lines.append("  sequences  \(first) to \(last)\(survey.isComplete ? counted : "")")
        } else {
            lines.append("  sequences  none")
        }
        var size = "  size       \(ByteCount.text(storedBytes)) stored"
        if survey.isComplete, storedBytes > 0 {
            let tenths = survey.rawBytes * 10 / storedBytes
            size += ", \(ByteCount.text(survey.rawBytes)) raw, ratio \(tenths / 10).\(tenths % 10)"
        }
        lines.append(size)
        if let earliest = survey.earliest, let latest = survey.latest {
            let (span, overflow) = latest.subtractingReportingOverflow(earliest)
            let length = overflow ? "" : " (\(TimeSpan.text(UInt64(span))))"
            lines.append(
                "  time       \(RFC3339.text(earliest)) to \(RFC3339.text(latest))\(length)"
            )
        }
        for (name, range) in [("slots ", survey.slots), ("blocks", survey.blocks)]
        where !range.isEmpty { lines.append("  \(name)     \(range.lowest) to \(range.highest)") }
        return lines
    }

    private var runLines: [String] {
        rows(
            survey.runs.enumerated().map { index, run in
                let end: String
                if let endedAt = run.endedAt {
                    end =
                        "ended \(RFC3339.textInSeconds(endedAt)) (\(safe(run.cause ?? "no cause")))"
                } else {
                    end =
                        index < survey.runs.count - 1 ? "crashed" : "not ended: running or crashed"
                }
                let epoch = run.epoch.map { "\($0)" } ?? "?"
                return "  run        \(epoch) from sequence \(run.first), started "
                    + "\(RFC3339.textInSeconds(run.startedAt)), \(end)"
            }
        )
    }

    private var sourceLines: [String] {
        rows(
            survey.sourceSums.map { sum in
                let fields = survey.sources[sum.name]
                let facts = [fields?.text(.chain), fields?.text(.transport)].compactMap { $0 }
                var line = "  source     \(sum.name.isEmpty ? "(unnamed)" : safe(sum.name))"
                if !facts.isEmpty { line += " (\(safe(facts.joined(separator: ", "))))" }
                line +=
                    ": \(sum.streams) \(sum.streams == 1 ? "stream" : "streams"), \(sum.frames) frames, \(ByteCount.text(sum.bytes))"
                let ends = sum.ends.map { "\($0.count) x \(safe($0.words))" }
                let states = (sum.open > 0 ? ["\(sum.open) open"] : []) + ends
                return states.isEmpty ? line : line + "; " + states.joined(separator: ", ")
            }
        )
    }

    private var gapLines: [String] {
        guard !survey.gaps.isEmpty else { return ["  gaps       none"] }
        let counts = ["open", "bounded", "filled", "abandoned"].map {
            "\(survey.gapCount($0)) \($0)"
        }
        let open = survey.gaps.sorted { $0.key < $1.key }.filter {
            $0.value.state == "open" || $0.value.state == "bounded"
        }
        return ["  gaps       " + counts.joined(separator: ", ")]
            + rows(
                open.map { sequence, gap in
                    "             \(gap.state) since sequence \(sequence), "
                        + "\(RFC3339.textInSeconds(gap.openedAt)), "
                        + "\(safe(gap.source)): \(safe(gap.cause))"
                }
            )
    }

    private var segmentLines: [String] {
        rows(
            segments.map { segment in
                let last = segment.last.map { "\($0)" } ?? ""  // active: not known
                let bytes = segment.bytes.map { ByteCount.text($0) } ?? "file missing"
                return "  segment    \(segment.ordinal): \(segment.first)-\(last), \(bytes), "
                    + segment.state
            }
        )
    }

    /// A table's rows, the middle of a long one left out.
    private func rows(_ all: [String]) -> [String] {
        guard all.count > Self.rowsMax else { return all }
        let half = Self.rowsMax / 2
        return all.prefix(half)
            + ["             ... \(all.count - 2 * half) more; --format json lists all"]
            + all.suffix(half)
    }

    // MARK: JSON

    var json: String {
        var writer = JSONWriter()
        writer.beginObject()
        let identity = reader.identity
        put(&writer, "recording", reader.layout.path)
        put(&writer, "uuid", "\(identity.recording)")
        put(&writer, "format", "\(identity.versionMajor).\(identity.versionMinor)")
        put(&writer, "created_ns", identity.createdAt)
        put(&writer, "tool", identity.tool)
        put(&writer, "origin", identity.origin)
        list(&writer, "base_anchors", identity.baseAnchors) { writer, anchor in
            put(&writer, "file", anchor.file)
            put(&writer, "chain", anchor.chain)
            put(&writer, "position", anchor.position)
            put(&writer, "resume", anchor.resume.value)
            put(&writer, "bytes", anchor.bytes)
        }
        writer.key("complete")
        writer.boolean(survey.isComplete)
        put(&writer, "first_sequence", sequences?.first.value)
        put(&writer, "last_sequence", sequences?.last.value)
        put(&writer, "records", survey.isComplete ? survey.records : nil)
        put(&writer, "frames", survey.isComplete ? survey.frames : nil)
        put(&writer, "stored_bytes", storedBytes)
        put(&writer, "raw_bytes", survey.isComplete ? survey.rawBytes : nil)
        put(&writer, "earliest_ns", survey.earliest)
        put(&writer, "latest_ns", survey.latest)
        put(&writer, "first_slot", survey.slots.isEmpty ? nil : survey.slots.lowest)
        put(&writer, "last_slot", survey.slots.isEmpty ? nil : survey.slots.highest)
        put(&writer, "first_block", survey.blocks.isEmpty ? nil : survey.blocks.lowest)
        put(&writer, "last_block", survey.blocks.isEmpty ? nil : survey.blocks.highest)
        put(&writer, "torn_bytes", survey.tornBytes)
        list(&writer, "runs", survey.runs) { writer, run in
            put(&writer, "writer_epoch", run.epoch)
            put(&writer, "tool_version", run.tool)
            put(&writer, "first_sequence", run.first.value)
            put(&writer, "started_ns", run.startedAt)
            put(&writer, "ended_ns", run.endedAt)
            put(&writer, "cause", run.cause)
        }
        putSources(&writer)
        list(&writer, "gaps", survey.gaps.sorted { $0.key < $1.key }) { writer, gap in
            put(&writer, "sequence", gap.key.value)
            put(&writer, "source", gap.value.source)
            put(&writer, "cause", gap.value.cause)
            put(&writer, "opened_ns", gap.value.openedAt)
            put(&writer, "state", gap.value.state)
        }
        list(&writer, "segments", segments) { writer, segment in
            put(&writer, "ordinal", segment.ordinal)
            put(&writer, "first_sequence", segment.first.value)
            put(&writer, "last_sequence", segment.last?.value)
            put(&writer, "bytes", segment.bytes)
            put(&writer, "state", segment.state)
        }
        writer.key("holes")
        writer.beginArray()
        for hole in survey.holes { RecordJSON.append(hole, to: &writer) }
        writer.endArray()
        writer.key("damage")
        writer.beginArray()
        for place in damage { writer.string(place) }
        writer.endArray()
        writer.endObject()
        writer.endLine()
        return String(decoding: writer.bytes, as: UTF8.self)
    }

    private func putSources(_ writer: inout JSONWriter) {
        list(&writer, "sources", survey.sourceSums) { writer, sum in
            let fields = survey.sources[sum.name]
            put(&writer, "source", sum.name)
            put(&writer, "chain", fields?.text(.chain))
            put(&writer, "transport", fields?.text(.transport))
            put(&writer, "frames", sum.frames)
            put(&writer, "bytes", sum.bytes)
            let streams = survey.streams.filter { $0.value.source == sum.name }
            list(&writer, "streams", streams.sorted { $0.key < $1.key }) { writer, stream in
                put(&writer, "stream", stream.key.value)
                put(&writer, "frames", stream.value.frames)
                put(&writer, "bytes", stream.value.bytes)
                put(&writer, "end", stream.value.end)
            }
        }
    }

    private func put(_ writer: inout JSONWriter, _ key: String, _ value: String?) {
        writer.key(key)
        if let value { writer.string(value) } else { writer.null() }
    }

    private func put(_ writer: inout JSONWriter, _ key: String, _ value: (some BinaryInteger)?) {
        writer.key(key)
        if let value { writer.integerString(value) } else { writer.null() }
    }

    private func list<Element>(
        _ writer: inout JSONWriter,
        _ key: String,
        _ all: [Element],
        _ body: (inout JSONWriter, Element) -> Void
    ) {
        writer.key(key)
        writer.beginArray()
        for element in all {
            writer.beginObject()
            body(&writer, element)
            writer.endObject()
        }
        writer.endArray()
    }
}
