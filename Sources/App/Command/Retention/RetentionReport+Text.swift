import JSONText
import RecordModel
import SegmentLog

extension RetentionPolicy {
    /// The limits that `--keep-bytes`, `--keep-age` and `--min-free` give.
    init(_ arguments: ParsedArguments) {
        self.init()
        bytesMax = arguments.size("keep-bytes")
        ageMax = arguments.duration("keep-age")
        freeBytesMin = arguments.size("min-free")
    }

    /// The limits in words.
    var text: String {
        var parts: [String] = []
        if let bytesMax { parts.append(ByteCount.text(bytesMax)) }
        if let ageMax { parts.append("an age of \(TimeSpan.text(ageMax))") }
        if let freeBytesMin {
            parts.append("a disk with \(ByteCount.text(freeBytesMin)) free")
        }
        return parts.joined(separator: ", ")
    }
}

extension RetentionDecision.Limit {
    /// The flag that sets the limit.
    var flag: String {
        switch self {
        case .bytes: "--keep-bytes"
        case .age: "--keep-age"
        case .freeSpace: "--min-free"
        }
    }
}

extension RetentionDecision.Obstacle {
    /// The one word that scripts see.
    var word: String {
        switch self {
        case .newest: "newest"
        case .open: "open"
        case .pin: "pin"
        case .checkpoint: "checkpoint"
        case .quarantined: "quarantined"
        }
    }

    /// For people: what holds the segment.
    var text: String {
        switch self {
        case .newest: "it is the newest segment"
        case .open: "it is not sealed"
        case .pin(let pin): "pin '\(pin.name)' keeps sequence \(pin.sequence) and all behind it"
        case .checkpoint(let sequence):
            "the oldest checkpoint needs sequence \(sequence) ('tapedeck rebuild' moves it on)"
        case .quarantined: "it is damaged; look at it with 'tapedeck verify' first"
        }
    }
}

extension RetentionReport {
    /// What went, in a line; nil when nothing did.
    var summary: String? {
        guard let first = retired.first, let last = retired.last else { return nil }
        return "retired \(retired.count) \(retired.count == 1 ? "segment" : "segments"), "
            + "\(ByteCount.text(retiredBytes)): sequences \(first.firstSequence) to "
            + "\(last.lastSequence)"
    }

    /// What stands, or would stand, for the segments that go; nil when none does.
    func standIn(isDryRun: Bool) -> String? {
        guard !retired.isEmpty else { return nil }
        if isDryRun {
            return situation.oldestCheckpoint == nil
                ? "no state is stored: nothing would stand for them, and a rebuild would be partial"
                : "a base anchor would stand for them"
        }
        guard !baseAnchors.isEmpty else {
            return "nothing stands for them: a rebuild is partial"
        }
        return baseAnchors.map {
            "base anchor of \($0.chain), slot \($0.position), stands for records below "
                + "\($0.resume)"
        }.joined(separator: "; ")
    }

    /// Why limits are not met, a line each.
    var complaints: [String] {
        decision.shortfalls.map { shortfall in
            let reason =
                shortfall.obstacle.map { "segment \(shortfall.ordinal) stays: \($0.text)" }
                ?? "nothing is left that could go"
            return "\(shortfall.limit.flag) cannot be met: \(reason)"
        }
    }

    /// The table of what goes and what stays.
    var table: String {
        var rows = [["segment", "sequences", "size", "latest record", "verdict"]]
        for (segment, verdict) in zip(situation.segments, decision.verdicts) {
            rows.append([
                "\(segment.ordinal)",
                segment.lastSequence < segment.firstSequence
                    ? "\(segment.firstSequence)-"
                    : "\(segment.firstSequence)-\(segment.lastSequence)",
                ByteCount.text(segment.bytes),
                segment.latest.map(RFC3339.text) ?? "-",
                Self.text(verdict),
            ])
        }
        let widths = (0..<4).map { column in rows.map { $0[column].count }.max() ?? 0 }  // no rows
        return rows.map { row in
            let cells = (0..<4).map { column in
                row[column] + String(repeating: " ", count: widths[column] - row[column].count)
            }
            return (cells + [row[4]]).joined(separator: "  ") + "\n"
        }.joined()
    }

    private static func text(_ verdict: RetentionDecision.Verdict) -> String {
        func flags(_ limits: [RetentionDecision.Limit]) -> String {
            limits.map(\.flag).joined(separator: ", ")
        }
        return switch verdict {
        case .retire(let limits): "goes (\(flags(limits)))"
        case .fits: "stays"
        case .blocked(let limits, by: let obstacle):
            "stays although \(flags(limits)): \(obstacle.text)"
        case .behind(let limits): "stays although \(flags(limits)): an older one must stay"
        }
    }

    /// The same as one JSON object on a line.
    func json(path: String, isDryRun: Bool) -> String {
        var writer = JSONWriter()
        writer.beginObject()
        writer.key("recording")
        writer.string(path)
        writer.key("dry_run")
        writer.boolean(isDryRun)
        writer.key("retired_segments")
        writer.integer(UInt64(decision.retired))
        writer.key("retired_bytes")
        writer.integerString(retiredBytes)
        writer.key("base_anchors")
        writer.beginArray()
        for anchor in baseAnchors { writer.string(anchor.file) }
        writer.endArray()
        writer.key("segments")
        writer.beginArray()
        for (segment, verdict) in zip(situation.segments, decision.verdicts) {
            append(segment, verdict, to: &writer)
        }
        writer.endArray()
        writer.key("unmet")
        writer.beginArray()
        for shortfall in decision.shortfalls {
            writer.beginObject()
            writer.key("limit")
            writer.string(shortfall.limit.rawValue)
            if let obstacle = shortfall.obstacle {
                writer.key("segment")
                writer.integerString(shortfall.ordinal)
                writer.key("obstacle")
                writer.string(obstacle.word)
            }
            writer.endObject()
        }
        writer.endArray()
        writer.endObject()
        writer.endLine()
        return String(decoding: writer.bytes, as: UTF8.self)
    }

    private func append(
        _ segment: RetentionSegment,
        _ verdict: RetentionDecision.Verdict,
        to writer: inout JSONWriter
    ) {
        writer.beginObject()
        writer.key("segment")
        writer.integerString(segment.ordinal)
        writer.key("first_sequence")
        writer.integerString(segment.firstSequence.value)
        writer.key("last_sequence")
        writer.integerString(segment.lastSequence.value)
        writer.key("bytes")
        writer.integerString(segment.bytes)
        if let latest = segment.latest {
            writer.key("latest_ns")
            writer.integerString(latest)
        }
        let word: String
        let asked: [RetentionDecision.Limit]
        var obstacle: RetentionDecision.Obstacle?
        switch verdict {
        case .retire(let limits): (word, asked) = ("retire", limits)
        case .fits: (word, asked) = ("fits", [])
        case .blocked(let limits, by: let reason):
            (word, asked, obstacle) = ("blocked", limits, reason)
        case .behind(let limits): (word, asked) = ("behind", limits)
        }
        writer.key("verdict")
        writer.string(word)
        writer.key("limits")
        writer.beginArray()
        for limit in asked { writer.string(limit.rawValue) }
        writer.endArray()
        if let obstacle {
            writer.key("obstacle")
            writer.string(obstacle.word)
            if case .pin(let pin) = obstacle {
                writer.key("pin")
                writer.string(pin.name)
            }
        }
        writer.endObject()
    }
}
