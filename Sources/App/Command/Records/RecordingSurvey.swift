import Platform
import RecordModel
import SegmentFormat
import SegmentLog

/// What a recording holds: a fold over its records, and the indexes of its segments.
struct RecordingSurvey {
    /// One process lifetime that wrote.
    struct Run: Equatable {
        var epoch: UInt64?
        var tool: String?
        var first: Sequence
        var startedAt: Int64
        var endedAt: Int64?
        var cause: String?
    }

    /// One stream and how it ended.
    struct Stream: Equatable {
        var source: String
        var frames: UInt64 = 0
        var bytes: UInt64 = 0
        /// Nil while it is open.
        var end: String?
    }

    /// One gap and what became of it.
    struct Gap: Equatable {
        var source: String
        var cause: String
        var openedAt: Int64
        /// `open`, `bounded`, `filled` or `abandoned`.
        var state = "open"
    }

    /// Whether every record was looked at, or only those of the newest segment.
    let isComplete: Bool
    private(set) var runs: [Run] = []
    /// The fields of each declared source, by rising id.
    private(set) var sources: [String: EventFields] = [:]
    private(set) var streams: [StreamID: Stream] = [:]
    private(set) var gaps: [Sequence: Gap] = [:]
    private(set) var frames: UInt64 = 0
    private(set) var events: UInt64 = 0
    /// Raw bytes of the records, headers included.
    private(set) var rawBytes: UInt64 = 0
    private(set) var payloadBytes: UInt64 = 0
    private(set) var earliest: Int64?
    private(set) var latest: Int64?
    private(set) var slots = PositionRange()
    private(set) var blocks = PositionRange()
    private(set) var holes: [Hole] = []
    private(set) var damage: [DamageReport] = []
    private(set) var tornBytes: UInt64 = 0

    var records: UInt64 { frames + events }

    /// Surveys a recording.
    ///
    /// - Parameters:
    ///   - reader: the recording.
    ///   - isComplete: whether to read every record; otherwise the newest segment with what was in
    ///     force before it, and the indexes of the others.
    ///   - progress: told the number of records now and then.
    /// - Throws: `LogError` when a file cannot be read.
    init(
        _ reader: RecordingReader,
        isComplete: Bool,
        progress: (UInt64) -> Void = { _ in }
    ) throws(LogError) {
        self.isComplete = isComplete
        damage = [reader.folderLoss].compactMap(\.self)
        guard let begin = isComplete ? reader.segments.first : reader.segments.last else { return }
        try takeContext(of: begin, reader)
        let unindexed = try takeIndexes(reader)
        var positions = RecordedPositions()
        let cursor = try RecordCursor(reader, from: begin.firstSequence)
        var afterLoss = ContextAfterLoss(reader)
        loop: while true {
            switch try cursor.next() {
            case .record:
                let envelope = cursor.envelope
                if let told = try afterLoss.context(before: envelope.sequence) {
                    for entry in told.lost { takeEvent(entry.envelope, entry.payload) }
                }
                cursor.withPayload { payload in
                    take(envelope, payload)
                    guard let unindexed, envelope.sequence >= unindexed else { return }
                    insert(positions.position(of: envelope, payload: payload))
                }
                if records % 65_536 == 0 { progress(records) }
            case .hole(let hole):
                holes.append(hole)
                afterLoss.lost(hole.from, through: hole.last)
            case .damage(let report):
                damage.append(report)
                afterLoss.lost(report)
            case .end: break loop
            }
        }
        tornBytes = cursor.tornBytes
    }

    // MARK: Segments

    private mutating func takeContext(
        of segment: SegmentDescriptor,
        _ reader: RecordingReader
    ) throws(LogError) {
        do {
            guard let context = try reader.context(of: segment) else { return }
            for entry in context.entries { takeEvent(entry.envelope, entry.payload) }
        } catch {
            // The cursor meets the same damage and reports it.
            guard error.isDamageOrAbsence else { throw error }
        }
    }

    /// Takes slots and blocks from the indexes.
    ///
    /// - Returns: the first sequence whose positions are in no index; nil when all are.
    private mutating func takeIndexes(_ reader: RecordingReader) throws(LogError) -> Sequence? {
        var unindexed: Sequence?
        for segment in reader.segments {
            do {
                let walk = try BlockWalk(reader: reader, segment: segment)
                if !walk.hasPositions { unindexed = unindexed ?? segment.firstSequence }
                for entry in walk.entries where walk.hasPositions {
                    for (range, family) in [(entry.slots, 0), (entry.blocks, 1)]
                    where !range.isEmpty {
                        widen(family, range.lowest)
                        widen(family, range.highest)
                    }
                }
            } catch {
                // The cursor meets and reports it.
                guard error.isDamageOrAbsence else { throw error }
                unindexed = unindexed ?? segment.firstSequence
            }
        }
        return unindexed
    }

    private mutating func insert(_ position: ChainPosition?) {
        guard let position else { return }
        widen(position.family == .slot ? 0 : 1, position.number)
    }

    private mutating func widen(_ family: Int, _ number: UInt64) {
        if family == 0 { slots.insert(number) } else { blocks.insert(number) }
    }

    // MARK: Records

    private mutating func take(_ envelope: RecordEnvelope, _ payload: RawSpan) {
        rawBytes += UInt64(FormatLimits.recordHeaderBytes + payload.byteCount)
        payloadBytes += UInt64(payload.byteCount)
        earliest = earliest.map { min($0, envelope.receivedAt) } ?? envelope.receivedAt
        latest = latest.map { max($0, envelope.receivedAt) } ?? envelope.receivedAt
        guard envelope.kind.isDataFrame else {
            events += 1
            takeEvent(envelope, payload.copyBytes())
            return
        }
        frames += 1
        streams[envelope.stream, default: Stream(source: "")].frames += 1
        streams[envelope.stream, default: Stream(source: "")].bytes += UInt64(payload.byteCount)
    }

    private mutating func takeEvent(_ envelope: RecordEnvelope, _ payload: [UInt8]) {
        guard let fields = EventFields(orNil: payload) else { return }
        let source = fields.text(.source) ?? ""  // not every event has one
        switch envelope.kind {
        case .runStarted:
            runs.append(
                Run(
                    epoch: fields.unsigned(.writerEpoch),
                    tool: fields.text(.toolVersion),
                    first: envelope.sequence,
                    startedAt: envelope.receivedAt
                )
            )
        case .runEnded:
            guard !runs.isEmpty else { return }
            runs[runs.count - 1].endedAt = envelope.receivedAt
            runs[runs.count - 1].cause = fields.text(.cause)
        case .sourceDeclared: sources[source] = fields
        case .streamOpened: streams[envelope.sequence] = Stream(source: source)
        case .streamClosed, .connectError:
            guard envelope.stream > .none else { return }
            streams[envelope.stream, default: Stream(source: source)].end =
                envelope.kind == .connectError ? "connect error" : Self.end(fields)
        default: takeGap(envelope, fields, source)
        }
    }

    private mutating func takeGap(
        _ envelope: RecordEnvelope,
        _ fields: EventFields,
        _ source: String
    ) {
        let state: String
        switch envelope.kind {
        case .gapOpened:
            gaps[envelope.sequence] = Gap(
                source: source,
                cause: fields.text(.cause) ?? "no cause given",
                openedAt: envelope.receivedAt
            )
            return
        case .gapBounded: state = "bounded"
        case .gapFilled: state = "filled"
        case .gapAbandoned: state = "abandoned"
        default: return
        }
        guard let gap = fields.unsigned(.gap) else { return }
        gaps[Sequence(gap)]?.state = state
    }

    /// How a stream ended, in a few words.
    private static func end(_ fields: EventFields) -> String {
        if let code = fields.unsigned(.statusCode) { return "gRPC status \(code)" }
        if let code = fields.unsigned(.closeCode) { return "WebSocket close \(code)" }
        return fields.text(.cause) ?? "closed"
    }

    // MARK: Sums

    /// Streams of one source taken together.
    struct SourceSum: Equatable {
        var name: String
        var streams = 0
        var open = 0
        var frames: UInt64 = 0
        var bytes: UInt64 = 0
        /// How many streams ended in which way, sorted by the words.
        var ends: [(words: String, count: Int)] = []

        static func == (left: Self, right: Self) -> Bool {
            left.name == right.name && left.streams == right.streams && left.open == right.open
                && left.frames == right.frames && left.bytes == right.bytes
                && left.ends.elementsEqual(right.ends) { $0 == $1 }
        }
    }

    /// Every source, declared or not, by name.
    var sourceSums: [SourceSum] {
        var names = Set(sources.keys)
        names.formUnion(streams.values.map(\.source))
        return names.sorted().map { name in
            var sum = SourceSum(name: name)
            var ends: [String: Int] = [:]
            for stream in streams.values where stream.source == name {
                sum.streams += 1
                sum.frames += stream.frames
                sum.bytes += stream.bytes
                if let end = stream.end { ends[end, default: 0] += 1 } else { sum.open += 1 }
            }
            sum.ends = ends.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
            return sum
        }
    }

    /// How many gaps are in a state.
    func gapCount(_ state: String) -> Int { gaps.values.count { $0.state == state } }
}
