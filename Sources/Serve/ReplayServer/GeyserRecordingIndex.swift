// What a server must know of a recording before it can answer its first Yellowstone client. One
// pass when the server starts; the messages stay in the log.

import GeyserDecoding
import Inflation
package import RecordModel
import SegmentFormat
package import SegmentLog

/// The recorded Subscribe streams of a recording, the slots they brought, and where damage begins.
package struct GeyserRecordingIndex: Sendable {
    /// In the order of their opening.
    package private(set) var streams: [GeyserRecordedStream] = []
    /// The first damage at or below the end of the range; nil for none, or when it is skipped.
    package private(set) var damage: DamageReport?
    /// How many places were skipped as damaged.
    package private(set) var skipped = 0
    /// The first and last record that can be served.
    package let first: Sequence
    package private(set) var last: Sequence
    /// Gaps that were opened and not filled.
    package private(set) var openGaps = 0

    private(set) var periods: [GeyserPeriod] = []
    private(set) var slots = GeyserSlotIndex()

    /// Longest request that is kept, in bytes.
    private static let requestBytesMax = SubscribeRequest.byteCountMax

    private var places: [StreamID: Int] = [:]
    private var open: Set<StreamID> = []

    /// Reads a recording up to the end of the range.
    ///
    /// - Parameters:
    ///   - reader: the recording.
    ///   - first: the first record that will be served; streams opened before it count.
    ///   - last: the last one, or a sequence beyond the newest.
    ///   - skipsDamage: whether to go on behind damage.
    /// - Throws: `system` or `newerVersion`.
    package init(
        _ reader: RecordingReader,
        from first: Sequence,
        through last: Sequence,
        skipsDamage: Bool
    ) throws(LogError) {
        self.first = first
        self.last = first.previous
        let cursor = try RecordCursor(reader)
        let inflater = Inflater(.gzip)
        var inflated: [UInt8] = []
        for entry in try reader.recordsBefore() { take(entry, inflater, &inflated) }
        var afterLoss = ContextAfterLoss(reader)
        reading: while true {
            switch try cursor.next() {
            case .record:
                guard cursor.envelope.sequence <= last else { break reading }
                self.last = max(self.last, cursor.envelope.sequence)
                if let told = try afterLoss.context(before: cursor.envelope.sequence) {
                    for entry in told.lost { take(entry, inflater, &inflated) }
                }
                take(cursor, inflater, &inflated)
            case .hole(let hole):
                afterLoss.lost(hole.from, through: hole.last)
                let end = cursor.expected.previous
                guard end <= last else { break reading }
                self.last = max(self.last, end)
            case .damage(let report):
                afterLoss.lost(report)
                // What lies below the range is not served, damaged or not.
                if report.isBelow(first, next: cursor.expected) { continue }
                if skipsDamage {
                    skipped += 1
                    continue
                }
                damage = report
                break reading
            case .end: break reading
            }
        }
        slots.finish()
        places.removeAll()
    }

    private mutating func take(
        _ cursor: some RecordAtHand,
        _ inflater: Inflater,
        _ inflated: inout [UInt8]
    ) {
        let envelope = cursor.envelope
        switch envelope.kind {
        case .grpcMessageIn: received(cursor, inflater, &inflated)
        case .grpcMessageOut: sent(cursor.payloadBytes, envelope)
        case .streamOpened: opened(cursor)
        case .subscriptionDecided: decided(cursor)
        case .streamClosed, .connectError: closed(cursor)
        case .runStarted: open.removeAll()
        case .gapOpened: openGaps += 1
        case .gapFilled: openGaps -= min(1, openGaps)
        default: break
        }
    }

    private static func fields(_ cursor: some RecordAtHand) -> EventFields? {
        do throws(EventFieldsError) {
            return try cursor.withPayload { bytes throws(EventFieldsError) in
                try EventFields(decoding: bytes)
            }
        } catch {
            // The event is passed on opaque: nothing follows from it.
            return nil
        }
    }

    private mutating func opened(_ cursor: some RecordAtHand) {
        guard let fields = Self.fields(cursor), fields.text(.transport) != "websocket",
            // A stream that names no method is taken for what all but a few calls are.
            fields.text(.method)?.hasSuffix("/Subscribe") ?? true
        else { return }
        let id = cursor.envelope.sequence
        places[id] = streams.count
        open.insert(id)
        streams.append(
            GeyserRecordedStream(
                id: id,
                source: fields.text(.source) ?? "",  // one without a source belongs to none
                last: id
            )
        )
    }

    /// The request that the configuration decided counts where none was recorded on the wire.
    private mutating func decided(_ cursor: some RecordAtHand) {
        guard let place = places[cursor.envelope.stream], streams[place].request == nil,
            let bytes = Self.fields(cursor)?.bytes(.request)
        else { return }
        begin(place, bytes, at: cursor.envelope.sequence)
    }

    private mutating func sent(_ bytes: [UInt8], _ envelope: RecordEnvelope) {
        guard let place = places[envelope.stream] else { return }
        streams[place].last = envelope.sequence
        begin(place, bytes, at: envelope.sequence)
    }

    private mutating func begin(_ place: Int, _ bytes: [UInt8], at sequence: Sequence) {
        guard bytes.count <= Self.requestBytesMax else { return }
        let request: SubscribeRequest
        do throws(ProtobufError) {
            request = try SubscribeRequest(decoding: bytes)
        } catch {
            // What it asked for is unknown: from here on the stream covers nothing.
            periods.removeAll { $0.stream == streams[place].id && $0.first == sequence }
            return
        }
        if request.ping != nil, streams[place].request != nil { return }
        if streams[place].request == nil { streams[place].request = request }
        if let known = periods.last(where: { $0.stream == streams[place].id }),
            known.request == request
        {
            return
        }
        slots.hasParts = slots.hasParts || request.hasParts
        if periods.isEmpty { slots.hasParts = request.hasParts }
        periods.append(
            GeyserPeriod(
                stream: streams[place].id,
                source: streams[place].source,
                first: sequence,
                request: request
            )
        )
    }

    private mutating func received(
        _ cursor: some RecordAtHand,
        _ inflater: Inflater,
        _ inflated: inout [UInt8]
    ) {
        let envelope = cursor.envelope
        guard let place = places[envelope.stream] else { return }
        streams[place].last = envelope.sequence
        if envelope.isCompressed {
            guard unzip(cursor, place, inflater, &inflated), envelope.sequence >= first else {
                return
            }
            note(inflated.span.bytes, at: envelope.sequence)
        } else if envelope.sequence >= first {
            cursor.withPayload { note($0, at: envelope.sequence) }
        }
    }

    private mutating func unzip(
        _ cursor: some RecordAtHand,
        _ place: Int,
        _ inflater: Inflater,
        _ inflated: inout [UInt8]
    ) -> Bool {
        let bytes = cursor.payloadBytes
        let isGzip = bytes.starts(with: [0x1F, 0x8B])
        if streams[place].compression == .none {
            streams[place].compression = isGzip ? .gzip : .other
        }
        guard isGzip else { return false }
        do throws(InflationError) {
            try inflater.inflate(bytes.span, limit: 256 << 20, into: &inflated)
            return true
        } catch {
            // Served verbatim as it is; it tells nothing here.
            return false
        }
    }

    private mutating func note(_ update: RawSpan, at sequence: Sequence) {
        do throws(ProtobufError) {
            slots.note(update, try UpdateSummary(of: update), at: sequence)
        } catch {
            // Served verbatim as it is; it tells nothing here.
        }
    }

    private mutating func closed(_ cursor: some RecordAtHand) {
        let envelope = cursor.envelope
        guard let place = places[envelope.stream], open.remove(envelope.stream) != nil else {
            return
        }
        streams[place].last = envelope.sequence
        guard let fields = Self.fields(cursor) else { return }
        // Without a code the stream had no status: the connection was lost.
        let code = fields.unsigned(.statusCode) ?? 14
        streams[place].end = GeyserRecordedStream.End(
            sequence: envelope.sequence,
            code: Int32(truncatingIfNeeded: code),
            text: fields.text(.statusText) ?? "",  // no text is an empty one
            trailers: fields.pairs(.trailer),
            isOnRequest: fields.boolean(.onRequest) == true
        )
    }

    /// The same for some sources only; nil for all.
    func selected(
        _ sources: Set<String>?
    ) -> (
        streams: [GeyserRecordedStream], periods: [GeyserPeriod]
    ) {
        guard let sources else { return (streams, periods) }
        return (
            streams.filter { sources.contains($0.source) },
            periods.filter { sources.contains($0.source) }
        )
    }
}

extension SubscribeRequest {
    /// Whether it asks for what a slot is made of, piece by piece.
    fileprivate var hasParts: Bool {
        !accounts.isEmpty || !transactions.isEmpty || !transactionsStatus.isEmpty || !entry.isEmpty
    }
}

extension DamageReport {
    /// Whether it lies before a sequence with all that it costs; `next` is the record behind it.
    fileprivate func isBelow(_ sequence: Sequence, next: Sequence) -> Bool {
        guard isLoss else { return next < sequence }
        return missingThrough >= missingFrom && missingThrough < sequence
    }
}
