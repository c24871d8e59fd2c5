import Assembly
import GeyserDecoding
import MarketModel
package import RecordModel

/// The first stage: takes records in log order, keeps what belongs to Solana's chain, and says at
/// once what events say. It knows which streams are open and what they were asked for.
package struct RecordIntake {
    private struct OpenStream {
        var source: String
        var context: StreamContext
        var request: [UInt8]?
    }

    /// Streams that carry Subscribe calls, open or of the same source as an open gap.
    private var streams: [StreamID: OpenStream] = [:]
    /// The newest stream of a source, also when it has ended: gaps name sources.
    private struct Newest {
        let stream: StreamID
        var promise: StreamPromise?
        /// The record that ended it.
        var endedAt: Sequence?
    }

    private var newest: [String: Newest] = [:]
    /// Whether requests are those that a context block tells, which began before what is read.
    private var isPriming = false
    /// Whether the event that is being taken could not be read.
    private var isUnreadable = false

    package init() {}

    /// Takes what was in force before the first record that is read.
    ///
    /// - Parameters:
    ///   - context: events of a context block, in order.
    ///   - first: the first record that will be taken.
    ///   - batch: what they say is added here, at the sequence before `first`.
    package mutating func prime(
        _ context: [(envelope: RecordEnvelope, payload: [UInt8])],
        before first: Sequence,
        into batch: RecordBatch
    ) {
        isPriming = true
        defer { isPriming = false }
        for event in context {
            var said: [AssemblerInput] = []
            let held = event.payload
            take(event: event.envelope, held.span.bytes, &said)
            batch.add(first.previous, receivedAt: event.envelope.receivedAt, said)
        }
    }

    /// Takes an event that lies between a context block and the first record that is read: it
    /// counts like the context.
    package mutating func prime(
        _ envelope: RecordEnvelope,
        _ payload: RawSpan,
        before first: Sequence,
        into batch: RecordBatch
    ) {
        isPriming = true
        defer { isPriming = false }
        var said: [AssemblerInput] = []
        take(event: envelope, payload, &said)
        batch.add(first.previous, receivedAt: envelope.receivedAt, said)
    }

    /// Takes the next record.
    package mutating func take(
        _ envelope: RecordEnvelope,
        _ payload: UnsafeRawBufferPointer,
        into batch: RecordBatch
    ) {
        batch.count(envelope.sequence, payloadBytes: payload.count)
        if envelope.kind == .grpcMessageIn {
            // A message of a stream that is no Subscribe call is nobody's here.
            guard let stream = streams[envelope.stream] else {
                batch.tally.intake.foreign &+= 1
                return
            }
            batch.add(envelope, payload, scope: stream.context)
            batch.tally.intake.kept &+= 1
            return
        }
        guard envelope.kind == .grpcMessageOut || !envelope.kind.isDataFrame else {
            batch.tally.intake.foreign &+= 1
            return
        }
        var said: [AssemblerInput] = []
        isUnreadable = false
        take(event: envelope, RawSpan(_unsafeBytes: payload), &said)
        batch.add(envelope.sequence, receivedAt: envelope.receivedAt, said)
        if isUnreadable {
            batch.tally.intake.unreadable &+= 1
        } else if said.isEmpty {
            batch.tally.intake.silent &+= 1
        } else {
            batch.tally.intake.kept &+= 1
        }
    }

    /// Takes a statement that records are missing: a hole, or damage that is skipped. It counts as
    /// one record.
    package mutating func takeMissing(
        through last: Sequence,
        isDamage: Bool,
        into batch: RecordBatch
    ) {
        batch.count(last, payloadBytes: 0)
        batch.add(last, receivedAt: 0, [.recordsMissing(nil)])
        if isDamage {
            batch.tally.intake.damaged &+= 1
        } else {
            batch.tally.intake.kept &+= 1
        }
    }

    // MARK: Events

    private mutating func take(
        event envelope: RecordEnvelope,
        _ payload: RawSpan,
        _ said: inout [AssemblerInput]
    ) {
        switch envelope.kind {
        case .grpcMessageOut:
            guard !envelope.isCompressed else { return }
            asked(envelope.stream, payload.copyBytes(), &said)
        case .runStarted: runStarted(envelope.sequence, &said)
        case .streamOpened: opened(envelope.sequence, fields(payload))
        case .subscriptionDecided:
            guard let request = fields(payload)?.bytes(.request) else { return }
            asked(envelope.stream, request, &said)
        case .streamClosed, .connectError:
            guard let ended = streams.removeValue(forKey: envelope.stream) else { return }
            if newest[ended.source]?.stream == envelope.stream {
                newest[ended.source]?.endedAt = envelope.sequence
            }
            said.append(.streamClosed(envelope.stream))
        case .gapOpened: gapOpened(envelope.sequence, fields(payload), &said)
        case .gapBounded:
            guard let fields = fields(payload), let gap = gap(fields) else { return }
            said.append(
                .gapBounded(gap: Sequence(gap), through: fields.unsigned(.toPosition))
            )
        case .gapFilled:
            guard let gap = gap(fields(payload)) else { return }
            said.append(.gapFilled(gap: Sequence(gap)))
        case .gapAbandoned:
            let fields = fields(payload)
            guard let gap = gap(fields), let fields else { return }
            said.append(.gapAbandoned(gap: Sequence(gap), reason: Self.reason(gap, fields)))
        case .enrichment:
            if let fact = fact(envelope.sequence, fields(payload)) { said.append(.fact(fact)) }
        default: break
        }
    }

    /// What a record tells from outside; nil for one of another chain, or told before what is read:
    /// a checkpoint has that.
    private mutating func fact(_ sequence: Sequence, _ fields: EventFields?) -> OutsideFact? {
        guard let fields, !isPriming, fields.text(.chain) ?? Self.chain == Self.chain else {
            return nil
        }
        let value =
            fields.text(.value).map(OutsideFact.Value.text)
            ?? fields.bytes(.value).map(OutsideFact.Value.bytes)
        let fact = fields.text(.namespace).flatMap { namespace in
            fields.text(.key).flatMap { key in
                value.map { value in
                    OutsideFact(
                        namespace: namespace,
                        key: key,
                        value: value,
                        asOf: fields.unsigned(.asOfPosition),
                        origin: fields.text(.origin),
                        sequence: sequence.value
                    )
                }
            }
        }
        let texts = [fact?.namespace, fact?.key, fact?.origin].compactMap(\.self)
        guard let fact, fact.value.byteCount <= Self.factBytesMax,
            texts.allSatisfy({ $0.utf8.count <= Self.factNameBytesMax })
        else {
            isUnreadable = true
            return nil
        }
        return fact
    }

    private static let chain = "\(Chain.solana)"
    /// Longer values are no facts but documents: their digest belongs here.
    private static let factBytesMax = 1 << 16
    private static let factNameBytesMax = 1 << 10

    private mutating func fields(_ payload: RawSpan) -> EventFields? {
        do throws(EventFieldsError) { return try EventFields(decoding: payload) } catch {
            // Counted; nothing follows from such an event.
            isUnreadable = true
            return nil
        }
    }

    /// The gap that an event is about; one that names none cannot be used.
    private mutating func gap(_ fields: EventFields?) -> UInt64? {
        let gap = fields?.unsigned(.gap)
        if gap == nil { isUnreadable = true }
        return gap
    }

    /// Streams of a run that has crashed have no end of their own.
    private mutating func runStarted(_ sequence: Sequence, _ said: inout [AssemblerInput]) {
        for stream in streams.keys.sorted() { said.append(.streamClosed(stream)) }
        for source in Set(streams.values.map(\.source)) {
            if newest[source]?.endedAt == nil { newest[source]?.endedAt = sequence }
        }
        streams.removeAll()
    }

    private mutating func opened(_ stream: StreamID, _ fields: EventFields?) {
        guard let fields, fields.text(.transport) != "websocket",
            // A stream that names no method is taken for what all but a few calls are.
            fields.text(.method)?.hasSuffix("/Subscribe") ?? true
        else { return }
        let source = fields.text(.source) ?? ""  // one without a source belongs to none
        streams[stream] = OpenStream(source: source, context: StreamContext(nil, fromSlot: nil))
        newest[source] = Newest(stream: stream)
    }

    private mutating func asked(
        _ stream: StreamID,
        _ bytes: [UInt8],
        _ said: inout [AssemblerInput]
    ) {
        guard var open = streams[stream], open.request != bytes else { return }
        guard bytes.count <= SubscribeRequest.byteCountMax else {
            isUnreadable = true
            return
        }
        let scope: StreamScope?
        var fromSlot: Slot?
        do throws(ProtobufError) {
            let request = try SubscribeRequest(decoding: bytes)
            // One that only answers a ping changes nothing.
            guard let asked = StreamScope(request) else { return }
            scope = asked
            if !isPriming { fromSlot = asked.fromSlot }
        } catch {
            // What it asked for is unknown: from here on the stream promises nothing.
            isUnreadable = true
            scope = nil
        }
        open.request = bytes
        open.context = StreamContext(scope, fromSlot: fromSlot)
        streams[stream] = open
        newest[open.source] = Newest(stream: stream, promise: open.context.promise)
        said.append(.streamOpened(stream, open.context.promise ?? .none))
    }

    private func gapOpened(
        _ gap: Sequence,
        _ fields: EventFields?,
        _ said: inout [AssemblerInput]
    ) {
        guard let fields else { return }
        // A gap of a source of another chain holds nothing back here.
        let source = fields.text(.source)
        let subject = source.flatMap { newest[$0] }
        if source != nil, subject == nil { return }
        let groups = subject?.promise?.groups ?? .everything
        said.append(
            .gapOpened(
                GapInput(
                    id: gap,
                    since: subject?.endedAt,
                    stream: subject?.stream,
                    groups: groups.isEmpty ? .everything : groups,
                    from: fields.unsigned(.fromPosition),
                    through: fields.unsigned(.toPosition)
                )
            )
        )
    }

    /// Why a gap was given up, with what it was.
    private static func reason(_ gap: UInt64, _ fields: EventFields) -> String {
        let names = [fields.text(.source), fields.text(.cause)].compactMap { $0 }
        let reason = fields.text(.text).map { ": \($0)" } ?? ""  // older records tell none
        return (["gap \(gap)"] + names).joined(separator: ", ") + reason
    }
}
