import Observability
import Platform
package import RecordModel
import SegmentLog

/// Writes the records of one stream and tells what became of it.
///
/// The transport calls it from its own thread as things happen; each call takes the time and
/// appends before anything else is done with the bytes.
package final class StreamRecorder: Sendable {
    /// What the recording knows of a stream at its end.
    struct Summary: Sendable, Equatable {
        var stream: StreamID
        var lastSequence: RecordModel.Sequence
        /// Wall-clock nanoseconds of the last frame that came in, or of the opening.
        var lastTime: Int64
        var lastPosition: ChainPosition?
        /// The first frame of what was asked for.
        var firstFrame: (sequence: RecordModel.Sequence, time: Int64, position: ChainPosition?)?

        static func == (left: Summary, right: Summary) -> Bool {
            left.stream == right.stream && left.lastSequence == right.lastSequence
        }
    }

    private struct Progress {
        var summary: Summary
        var frames: UInt64 = 0
        var bytes: UInt64 = 0
        var positions: (any PositionReader)?
        /// What was asked for is being delivered: frames from here on count as such.
        var isServing = false
        var heldAcceptance: (RecordEnvelope, EventFields)?
        var isEnded = false
        var hasAlerted = false
    }

    /// The stream's id: the sequence of its opened record; `none` when the log has failed.
    package let stream: StreamID
    /// The source's id.
    package let source: String
    /// Masks secrets.
    package var redactor: Redactor { capture.redactor }

    private let capture: CaptureLog
    private let progress: Monitor<Progress>
    private let endAsked = Counter()
    private let tell: @Sendable (SourceMachine.Event) -> Void

    /// Records that a stream is being opened, and what it asks for.
    ///
    /// - Parameters:
    ///   - declaration: the source.
    ///   - attempt: the try's number, from 1.
    ///   - capture: the log.
    ///   - positions: finds slots and blocks, for the ends of gaps; nil to go without.
    ///   - tell: gets `accepted`, `delivered` and `streamEnded`, on the transport's thread.
    init(
        opening declaration: SourceDeclaration,
        attempt: UInt64,
        capture: CaptureLog,
        positions: (any PositionReader)?,
        tell: @escaping @Sendable (SourceMachine.Event) -> Void
    ) {
        self.capture = capture
        self.tell = tell
        source = declaration.id
        var fields = EventFields()
        fields.add(.source, declaration.id)
        fields.add(.endpoint, capture.redactor.text(declaration.endpoint))
        fields.add(.method, capture.redactor.text(declaration.method))
        fields.add(.transport, declaration.transport)
        if let chain = declaration.chain { fields.add(.chain, chain) }
        for pair in declaration.metadata {
            fields.add(.requestMetadata, pair, by: capture.redactor)
        }
        fields.add(.attempt, attempt)
        let time = capture.clock.wallNanoseconds()
        // `none` after a failure of the log: the recording is ending, and the records of this
        // stream fail the same way.
        stream = capture.append(event: .streamOpened, fields) ?? .none
        progress = Monitor(
            Progress(
                summary: Summary(stream: stream, lastSequence: stream, lastTime: time),
                positions: positions
            )
        )
        var decided = EventFields()
        decided.add(.source, declaration.id)
        for request in declaration.requests { decided.add(.request, bytes: request) }
        append(event: .subscriptionDecided, decided)
    }

    /// The other side took one of the requests. The frames that say so leave the recording with
    /// its oldest segments; this record stays in force with the stream. What holds a secret is not
    /// copied out of its frame.
    ///
    /// - Parameters:
    ///   - request: as it went out.
    ///   - answer: as it came, uncompressed.
    package func took(request: [UInt8], answer: [UInt8]) {
        let hasSecret = [request, answer].contains {
            unsafe redactor.hasSecret(in: $0.span.bytes)
        }
        guard !hasSecret else { return }
        var decided = EventFields()
        decided.add(.source, source)
        decided.add(.request, bytes: request)
        decided.add(.answer, bytes: answer)
        append(event: .subscriptionDecided, decided)
    }

    /// Whether our side has asked the stream to end.
    package var isEndAsked: Bool { endAsked.value > 0 }

    func askEnd() { endAsked.add() }

    /// Frames that the stream has delivered so far.
    var frameCount: UInt64 { progress.withLock { $0.frames } }

    /// The stream as known now.
    var summary: Summary { progress.withLock { $0.summary } }

    // MARK: Events

    /// The other side took the stream.
    ///
    /// - Parameters:
    ///   - peer: the address reached.
    ///   - metadata: initial metadata or HTTP fields; secrets are masked here.
    ///   - httpStatus: of a WebSocket's upgrade.
    ///   - extensions: negotiated ones.
    ///   - isCertain: false when a refusal looks the same so far: the record then waits for a
    ///     message or a good end, and keeps its time.
    ///   - serves: whether frames may come from here on without another answer.
    package func accepted(
        peer: String,
        metadata: [SourceDeclaration.Pair],
        httpStatus: UInt64? = nil,
        extensions: String? = nil,
        isCertain: Bool = true,
        serves: Bool = true
    ) {
        var fields = EventFields()
        fields.add(.peer, peer)
        if let httpStatus { fields.add(.httpStatus, httpStatus) }
        for pair in metadata { fields.add(.responseMetadata, pair, by: redactor) }
        if let extensions { fields.add(.extensions, redactor.text(extensions)) }
        let envelope = envelope(.streamAccepted)
        if isCertain { confirmAcceptance() }
        guard isCertain else {
            progress.withLock { $0.heldAcceptance = (envelope, fields) }
            return
        }
        _ = append(envelope, unsafe fields.encoded.span.bytes)
        if serves { self.serves() }
    }

    /// What was asked for is being delivered. From here on a bad end opens a gap.
    package func serves() {
        let isFirst = progress.withLock { progress in
            defer { progress.isServing = true }
            return !progress.isServing
        }
        if isFirst { tell(.accepted) }
    }

    /// Writes the acceptance that is held back, if any.
    private func confirmAcceptance() {
        let held = progress.withLock { progress in
            defer { progress.heldAcceptance = nil }
            return progress.heldAcceptance
        }
        guard let (envelope, fields) = held else { return }
        _ = append(envelope, unsafe fields.encoded.span.bytes)
        serves()
    }

    /// A frame has arrived.
    ///
    /// - Parameters:
    ///   - kind: `grpcMessageIn`, `webSocketFrameIn`.
    ///   - wireByte: see `RecordEnvelope.wireByte`.
    ///   - flags: `masked`, if so.
    ///   - maskKey: see `RecordEnvelope.maskKey`.
    ///   - counts: whether it is one of the frames that `--frames` counts; control frames are not.
    ///   - payload: copied before this returns.
    /// - Returns: a ticket when the transport must stop reading and then call `paused`.
    package func received(
        _ kind: RecordKind,
        wireByte: UInt8,
        flags: RecordFlags = [],
        maskKey: UInt32 = 0,
        counts: Bool = true,
        payload: RawSpan
    ) -> CaptureLog.PauseTicket? {
        var envelope = envelope(kind, wireByte: wireByte, flags: flags, maskKey: maskKey)
        if counts, !capture.takeFrame() { return nil }
        if progress.withLock({ $0.heldAcceptance != nil }) { confirmAcceptance() }
        if redactor.hasSecret(in: payload) { envelope.flags.insert(.containsSecret) }
        let ticket = capture.pauseTicket()
        guard let appended = append(envelope, payload) else { return nil }
        if counts {
            capture.frames.add()
            capture.bytes.add(UInt64(payload.byteCount))
        }
        envelope.sequence = appended.sequence
        let (isFirst, alerts) = note(envelope, payload)
        if isFirst { tell(.delivered) }
        if alerts {
            capture.framesWithSecret.add()
            capture.notify(
                .warning,
                source: source,
                "a frame of this source holds a secret of yours (record \(appended.sequence)); "
                    + "frames are never altered, so treat the recording as secret"
            )
        }
        return appended.shouldPause ? ticket : nil
    }

    /// Keeps the books for a frame that came in.
    private func note(
        _ envelope: RecordEnvelope,
        _ payload: RawSpan
    ) -> (isFirst: Bool, alerts: Bool) {
        progress.withLock { progress in
            progress.frames += 1
            progress.bytes += UInt64(payload.byteCount)
            progress.summary.lastTime = envelope.receivedAt
            let position = progress.positions?.position(of: envelope, payload: payload)
            if let position {
                let isHigher = progress.summary.lastPosition.map { $0.number < position.number }
                // The first position is the highest.
                if isHigher ?? true { progress.summary.lastPosition = position }
            }
            let isFirst = progress.isServing && progress.summary.firstFrame == nil
            if isFirst {
                progress.summary.firstFrame = (envelope.sequence, envelope.receivedAt, position)
            }
            let alerts = envelope.flags.contains(.containsSecret) && !progress.hasAlerted
            if alerts { progress.hasAlerted = true }
            return (isFirst, alerts)
        }
    }

    /// A frame is about to go out.
    package func sent(
        _ kind: RecordKind,
        wireByte: UInt8,
        flags: RecordFlags = [],
        maskKey: UInt32 = 0,
        payload: RawSpan
    ) {
        var envelope = envelope(kind, wireByte: wireByte, flags: flags, maskKey: maskKey)
        if redactor.hasSecret(in: payload) { envelope.flags.insert(.containsSecret) }
        _ = append(envelope, payload)
    }

    /// The transport has stopped reading, as `received` asked.
    package func paused(
        _ ticket: CaptureLog.PauseTicket,
        resume: @escaping @Sendable () -> Void
    ) { capture.paused(ticket, resume: resume) }

    /// The stream broke inside a frame; these bytes had arrived.
    package func receivedPartial(_ bytes: RawSpan) {
        guard bytes.byteCount > 0 else { return }
        _ = append(envelope(.partialFrameIn), bytes)
    }

    /// The stream is over. The last call for it.
    ///
    /// - Parameters:
    ///   - ending: how; its text is redacted here.
    ///   - details: status, trailers, close code, already redacted.
    ///   - wasReached: false when no server was reached: a connect error is recorded.
    package func ended(_ ending: StreamEnding, details: EventFields, wasReached: Bool) {
        if ending.isOrderly || ending.isOnRequest { confirmAcceptance() }
        let isFirst = progress.withLock { progress in
            defer { progress.isEnded = true }
            return !progress.isEnded
        }
        guard isFirst else { return }
        var ending = ending
        ending.text = redactor.text(ending.text)
        var fields = details
        fields.add(.source, source)
        fields.add(.cause, ending.cause)
        fields.add(.onRequest, ending.isOnRequest)
        if !wasReached { fields.add(.statusText, ending.text) }
        let (frames, bytes) = progress.withLock { ($0.frames, $0.bytes) }
        fields.add(.frames, frames)
        fields.add(.bytes, bytes)
        append(event: wasReached ? .streamClosed : .connectError, fields)
        tell(.streamEnded(ending))
    }

    /// How long the server asked to be left alone.
    ///
    /// - Parameters:
    ///   - value: its `Retry-After`; nil without one.
    ///   - date: its `Date`; nil without one.
    /// - Returns: nanoseconds; nil when it asked for nothing that can be understood.
    package func pause(retryAfter value: String?, date: String?) -> UInt64? {
        guard let value else { return nil }
        return RetryAfter.nanoseconds(value, date: date, now: capture.clock.wallNanoseconds())
    }

    /// Tells a person something about the source.
    package func warn(_ text: String) { capture.notify(.warning, source: source, text) }

    // MARK: Appending

    private func envelope(
        _ kind: RecordKind,
        wireByte: UInt8 = 0,
        flags: RecordFlags = [],
        maskKey: UInt32 = 0
    ) -> RecordEnvelope {
        RecordEnvelope(
            kind: kind,
            flags: flags,
            wireByte: wireByte,
            maskKey: maskKey,
            stream: stream,
            receivedAt: capture.clock.wallNanoseconds(),
            monotonic: capture.clock.monotonicNanoseconds()
        )
    }

    private func append(event kind: RecordKind, _ fields: EventFields) {
        _ = append(envelope(kind), unsafe fields.encoded.span.bytes)
    }

    private func append(_ envelope: RecordEnvelope, _ payload: RawSpan) -> Appended? {
        // Records of no stream would read as the recorder's own.
        guard stream > .none else { return nil }
        do throws(LogError) {
            let appended = try capture.log.append(envelope, payload: payload)
            progress.withLock {
                $0.summary.lastSequence = max($0.summary.lastSequence, appended.sequence)
            }
            return appended
        } catch {
            capture.fail(error)
            return nil
        }
    }
}

extension EventFields {
    /// Adds a metadata entry or HTTP field with its secrets masked.
    package mutating func add(
        _ id: FieldID,
        _ pair: SourceDeclaration.Pair,
        by redactor: Redactor
    ) {
        add(
            id,
            name: redactor.text(pair.name),
            value: redactor.value(pair.value, of: pair.name)
        )
    }
}
