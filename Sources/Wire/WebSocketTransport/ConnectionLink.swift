internal import CLinux
internal import Glibc
internal import Platform
internal import WebSocketProtocol

/// The loop's side of an open WebSocket: moves bytes between socket, decoder, rules and events.
///
/// Stages: open, then finishing (the end is decided; what is queued still goes out), then draining
/// (our side of the stream is ended; input is thrown away until the peer ends its own), then over.
/// Draining keeps the kernel from answering late input with a reset that would destroy what the
/// peer has not read yet.
final class ConnectionLink: EventSource {
    private enum Stage { case open, finishing, draining, over }

    // Holds its owner, and is held by it, until `finish` breaks the circle.
    private let owner: WebSocketConnection
    private let loop: EventLoop
    private let stream: SocketStream
    private let opening: Opening
    private var random: any RandomSource
    private var token: UInt64 = 0

    /// What every frame touches. It stands behind a pointer, because exclusive access to stored
    /// properties of a class is checked at run time, which costs more than reading a frame.
    private struct Hot: ~Copyable {
        var stage = Stage.open
        var decoder: FrameDecoder
        var rules: FrameRules
        var receivedFrameCount: UInt64 = 0
    }

    // safety: allocated by init, freed by deinit; touched by the loop's thread alone. While
    // `withPayload` lends the decoder's buffer, nothing changes the decoder.
    private let hot: UnsafeMutablePointer<Hot>
    private var stage: Stage {
        get { hot.pointee.stage }
        set { hot.pointee.stage = newValue }
    }
    /// Why it ended; never nil in a later stage than open.
    private var cause: ConnectionEnd.Cause?
    private var closing = CloseHandshake()
    private var unread: [UInt8] = []
    private var isInputOver = false
    /// How the input ended; acted on once every frame before it has been reported.
    private var pendingInputEnd: ConnectionEnd.Cause?

    /// Bytes being written; only ever refilled when empty, as TLS repeats a write from its start.
    private var writing = ByteQueue()
    private var isWriteBlocked = false
    private var isWriteBroken = false
    private var writeFailure: ConnectionEnd.Cause?
    private var readWaitsForWrite = false

    private var watched: UInt32?
    private var receivedByteCount: UInt64 = 0
    private var sentByteCount: UInt64 = 0
    private var discardedByteCount: UInt64 = 0

    private var endDeadline = UInt64.max
    private var lastInput: UInt64 = 0
    private var pingSentAt: UInt64?
    private(set) var deadline = UInt64.max

    init(
        _ owner: WebSocketConnection,
        _ stream: SocketStream,
        _ opening: Opening,
        random: any RandomSource
    ) {
        self.owner = owner
        self.stream = stream
        self.opening = opening
        self.random = random
        loop = owner.loop
        hot = .allocate(capacity: 1)
        hot.initialize(
            to: Hot(
                decoder: FrameDecoder(
                    payloadLimit: owner.limits.framePayloadBytesMax,
                    capacityUsual: owner.limits.receiveBufferBytes
                ),
                rules: FrameRules(
                    sender: owner.role == .client ? .server : .client,
                    allowsCompression: opening.agreement.isCompressed,
                    messageLimit: owner.limits.messageBytesMax
                )
            )
        )
    }

    deinit {
        hot.deinitialize(count: 1)
        hot.deallocate()
    }

    /// Reports the opening and takes the bytes that came with the handshake.
    func begin(_ early: Span<UInt8>) {
        token = loop.add(self)
        lastInput = loop.now
        setDeadline()
        owner.events.opened(owner, opening)
        if !early.isEmpty {
            receivedByteCount += UInt64(early.count)
            hot.pointee.decoder.append(early)
        }
        service()
        // TLS may hold bytes that epoll will never report.
        if stage != .over, !isPaused { readable() }
        updateWatch()
    }

    private var isPaused: Bool { owner.isPaused }

    // MARK: Requests of other threads

    func service() {
        if stage == .over { return }
        let (isAborted, isEnding) = owner.shared.withLock { state in
            (state.isAborted, state.hasClose || state.endsStream)
        }
        if isAborted {
            finish(.aborted)
            return
        }
        if isEnding, endDeadline == .max { setEndDeadline() }
        takeFrames()
        if stage == .over { return }
        if !isPaused, !isInputOver, stream.hasBufferedInput { readable() }
        flush()
        updateWatch()
    }

    // MARK: Socket

    func ready(_ events: UInt32) {
        if stage == .over { return }
        let broken = EPOLLERR.rawValue | EPOLLHUP.rawValue
        if events & (EPOLLOUT.rawValue | broken) != 0 {
            isWriteBlocked = false
            if readWaitsForWrite, !isPaused { readable() }
            flush()
        }
        if stage == .over { return }
        if events & (EPOLLIN.rawValue | broken) != 0 {
            if isPaused, stage == .open {
                // epoll reports these whatever is watched: look again after `resume`.
                if events & broken != 0 { watch(nil) } else { updateWatch() }
                return
            }
            readable()
            if stage != .over, !writing.isEmpty { flush() }
        }
        updateWatch()
    }

    private func updateWatch() {
        if stage == .over { return }
        var events: UInt32 = 0
        let reads = !isInputOver && (stage != .open || !isPaused)
        if reads { events |= EPOLLIN.rawValue }
        if isWriteBlocked || (reads && readWaitsForWrite) { events |= EPOLLOUT.rawValue }
        // A paused connection with nothing to write may hang up; unwatched it stays silent.
        watch(events == 0 ? nil : events)
    }

    private func watch(_ events: UInt32?) {
        if events == watched { return }
        switch (watched, events) {
        case (nil, .some(let events)): loop.watch(stream.descriptor, token, events)
        case (.some, .some(let events)): loop.rewatch(stream.descriptor, token, events)
        case (.some, nil): loop.unwatch(stream.descriptor)
        case (nil, nil): break
        }
        watched = events
    }

    // MARK: Input

    private func readable() {
        readWaitsForWrite = false
        // A few turns at most, so that one busy peer does not starve the others of the loop.
        for _ in 0..<8 {
            if stage == .over || isInputOver { return }
            if stage == .draining || cause != nil {
                if !discard() { return }
                continue
            }
            var outcome = SocketStream.Outcome.wait(forWrite: false)
            let count = hot.pointee.decoder.receive { room in
                room.withUnsafeMutableBytes { buffer in
                    let (count, last) = self.fill(buffer)
                    outcome = last
                    return count
                }
            }
            if count > 0 {
                receivedByteCount += UInt64(count)
                lastInput = loop.now
                if pingSentAt != nil {
                    pingSentAt = nil
                    setDeadline()
                }
                takeFrames()
                if stage == .over { return }
            }
            if !goOn(outcome) { return }
            if stage == .open, cause == nil, isPaused { return }
        }
        // TLS may hold more, of which epoll knows nothing.
        if stage != .over, stream.hasBufferedInput { loop.service(owner) }
    }

    /// Reads until the room is full or nothing is left; TLS gives 16 KiB at a time.
    private func fill(
        _ buffer: UnsafeMutableRawBufferPointer
    ) -> (count: Int, last: SocketStream.Outcome) {
        var count = 0
        while count < buffer.count {
            let room = UnsafeMutableRawBufferPointer(rebasing: buffer[count...])
            let outcome = stream.read(into: room)
            guard case .bytes(let more) = outcome else { return (count, outcome) }
            count += more
            if !stream.hasBufferedInput { break }
        }
        return (count, .bytes(count))
    }

    /// Whether reading may go on after this.
    private func goOn(_ outcome: SocketStream.Outcome) -> Bool {
        switch outcome {
        case .bytes: return true
        case .wait(let forWrite):
            readWaitsForWrite = forWrite
            return false
        case .end(let isClean):
            isInputOver = true
            inputEnded(.streamEnd(isClean: isClean))
            return false
        case .failed(let failure):
            isInputOver = true
            inputEnded(.broken(failure))
            return false
        }
    }

    private func discard() -> Bool {
        var outcome = SocketStream.Outcome.wait(forWrite: false)
        withUnsafeTemporaryAllocation(byteCount: 16 << 10, alignment: 16) { buffer in
            outcome = stream.read(into: buffer)
        }
        if case .bytes(let count) = outcome {
            receivedByteCount += UInt64(count)
            discardedByteCount += UInt64(count)
        }
        return goOn(outcome)
    }

    /// Reports whole frames and lets the rules act on each, until paused or out of bytes.
    private func takeFrames() {
        let (hot, owner) = (hot, owner)
        let events = owner.events
        while hot.pointee.stage == .open, !owner.isPaused {
            let header: FrameHeader
            do throws(FrameError) {
                guard let next = try hot.pointee.decoder.nextFrame() else { break }
                header = next
            } catch {
                violate(.frame(error))
                return
            }
            hot.pointee.receivedFrameCount += 1
            hot.pointee.decoder.withPayload { payload in
                events.frameReceived(owner, header, payload)
                let judgement = hot.pointee.rules.judge(header, payload)
                switch judgement {
                case .message: events.frameAccepted(owner, header, payload)
                case .ping, .pong, .close:
                    events.frameAccepted(owner, header, payload)
                    act(judgement, payload)
                case .afterClose, .violation: act(judgement, payload)
                }
            }
        }
        if isInputOver, stage == .open, !isPaused { settleInputEnd() }
    }

    private func act(_ judgement: Judgement, _ payload: Span<UInt8>) {
        switch judgement {
        case .message, .pong, .afterClose: break
        case .ping:
            owner.shared.withLock { state in
                // Behind our own close frame nothing may be sent.
                if !state.hasClose, !state.endsStream {
                    owner.append(opcode: Opcode.pong, payload, &state)
                }
            }
            flush()
        case .close(let body): closeReceived(body)
        case .violation(let violation): violate(violation)
        }
    }

    private func closeReceived(_ body: CloseBody) {
        if let answer = closing.receive(body) {
            owner.shared.withLock { state in
                // Ours may lie in the queue already: then that one is the answer.
                if !state.hasClose, !state.endsStream { owner.appendClose(answer, &state) }
            }
            decide(.closedByPeer(body))
        } else {
            decide(.closedByUs(closing.sent ?? CloseBody(code: nil), answer: body))
        }
    }

    private func violate(_ violation: Violation) {
        owner.shared.withLock { state in
            if state.hasClose || state.endsStream { return }
            let body = CloseBody(code: violation.closeCode, reason: violation.description)
            owner.appendClose(body, &state)
        }
        decide(.violation(violation))
    }

    /// The end is decided: what is queued goes out, then our side of the stream ends.
    private func decide(_ cause: ConnectionEnd.Cause) {
        if stage != .open || self.cause != nil { return }
        self.cause = cause
        unread = hot.pointee.decoder.unreadBytes()
        stage = .finishing
        owner.shared.update { $0.stage = .closing }
        setEndDeadline()
        flush()
    }

    private func inputEnded(_ cause: ConnectionEnd.Cause) {
        pendingInputEnd = cause
        if self.cause != nil {
            finish(cause)
        } else if !isPaused {
            settleInputEnd()
        }
    }

    /// Every frame that came before the end of input has been reported.
    private func settleInputEnd() {
        guard let cause = pendingInputEnd else { return }
        if let sent = closing.sent {
            finish(.closedByUs(sent, answer: nil))
        } else {
            finish(cause)
        }
    }

    // MARK: Output

    private func flush() {
        while stage != .over, !isWriteBlocked, !isWriteBroken {
            if writing.isEmpty, !refill() { break }
            switch stream.write(UnsafeRawBufferPointer(writing.bytes)) {
            case .bytes(let count):
                writing.consume(count)
                sentByteCount += UInt64(count)
                // A slow reader has all the time it needs as long as it reads.
                if endDeadline != .max { setEndDeadline() }
                written(count)
            case .wait(let forWrite):
                // TLS that wants to read first is woken by input.
                isWriteBlocked = forWrite
                if !forWrite { return }
            case .end: writeFailed(.broken(.reset(errno: EPIPE)))
            case .failed(let failure): writeFailed(.broken(failure))
            }
        }
        if stage == .over || isWriteBlocked { return }
        endIfSent()
    }

    /// Takes over what other threads have queued.
    private func refill() -> Bool {
        let (hasMore, close) = owner.shared.withLock { state -> (Bool, CloseBody?) in
            if state.pending.isEmpty { return (false, nil) }
            swap(&writing, &state.pending)
            // A close frame is the last that is ever queued, so it is part of what was taken.
            return (true, state.closeBody)
        }
        if let close, closing.send(close) { setEndDeadline() }
        if hasMore, owner.role == .client || owner.limits.reportsSentFrames { reportSent() }
        return hasMore && !writing.isEmpty
    }

    /// Reports each frame in `writing`, then masks it if it is a client's.
    private func reportSent() {
        let bytes = writing.bytes
        var place = 0
        while place < bytes.count {
            let rest = UnsafeMutableRawBufferPointer(rebasing: bytes[place...])
                .bindMemory(to: UInt8.self)
            guard let (decoded, headerByteCount) = decodeOwn(rest.span) else { return }
            var header = decoded
            let payload = headerByteCount..<headerByteCount + Int(header.payloadLength)
            // What `endStream` sends last may be no whole frame.
            if payload.upperBound > rest.count { return }
            if header.maskKey != nil {
                header.maskKey = UInt32(truncatingIfNeeded: random.next())
            }
            owner.events.frameSent(owner, header, rest.span.extracting(payload))
            if let key = header.maskKey {
                var room = rest.mutableSpan
                header.encode(into: &room)
                var masked = room._mutatingExtracting(payload)
                Mask.apply(key, to: &masked)
            }
            place += payload.upperBound
        }
    }

    private func decodeOwn(_ bytes: Span<UInt8>) -> (FrameHeader, Int)? {
        do throws(FrameError) {
            return try FrameHeader.decode(bytes)
        } catch {
            // The unfinished frame of a recording, sent by `endStream`, may be a broken one.
            return nil
        }
    }

    private func written(_ count: Int) {
        let half = owner.limits.queuedBytesMax / 2
        let (hasCrossed, isDrained) = owner.shared.withLock { state in
            let before = state.queuedByteCount
            state.queuedByteCount -= count
            let isBelow = state.queuedByteCount <= half
            defer { if isBelow { state.wasRefused = false } }
            return (before > half && isBelow, isBelow && state.wasRefused)
        }
        if hasCrossed { owner.shared.wakeAll() }
        if isDrained { owner.events.drained(owner) }
    }

    /// The peer may have said why before it went: what it sent is still read.
    private func writeFailed(_ cause: ConnectionEnd.Cause) {
        isWriteBroken = true
        writing.removeAll()
        owner.shared.update { state in
            state.hasClose = true
            state.pending.removeAll()
            state.queuedByteCount = 0
        }
        if isInputOver || stage != .open { finish(cause) } else { setEndDeadline() }
        writeFailure = cause
    }

    /// Once everything is out, our side of the stream ends if that is due.
    private func endIfSent() {
        let endsStream = owner.shared.withLock(\.endsStream)
        let isDue = stage == .finishing || (stage == .open && endsStream)
        guard isDue, writing.isEmpty || isWriteBroken else { return }
        if stage == .open {
            cause = .aborted
            unread = hot.pointee.decoder.unreadBytes()
            setEndDeadline()
        }
        stage = .draining
        if isInputOver {
            finish(.aborted)
        } else {
            stream.endWriting()
        }
    }

    // MARK: Time

    private func setEndDeadline() {
        endDeadline = loop.now &+ owner.limits.closeMilliseconds &* 1_000_000
        setDeadline()
    }

    private func setDeadline() {
        var next = endDeadline
        if stage == .open, endDeadline == .max {
            let limits = owner.limits
            if let idle = limits.idleMilliseconds {
                next = min(next, lastInput &+ idle &* 1_000_000)
            }
            if let pingSentAt {
                next = min(next, pingSentAt &+ limits.pingTimeoutMilliseconds &* 1_000_000)
            } else if let ping = limits.pingMilliseconds {
                next = min(next, lastInput &+ ping &* 1_000_000)
            }
        }
        deadline = next
        loop.deadlineChanged(next)
    }

    func deadlinePassed() {
        if stage == .over { return }
        let now = loop.now
        if endDeadline <= now {
            endTimedOut()
            return
        }
        if isPaused {
            // We do not read, so silence says nothing about the peer.
            lastInput = now
            if pingSentAt != nil { pingSentAt = now }
        } else if let sentAt = pingSentAt {
            if sentAt &+ owner.limits.pingTimeoutMilliseconds &* 1_000_000 <= now {
                finish(.pingTimeout)
                return
            }
        } else if let ping = owner.limits.pingMilliseconds,
            lastInput &+ ping &* 1_000_000 <= now
        {
            pingSentAt = now
            let nothing: [UInt8] = []
            owner.shared.withLock { state in
                if !state.hasClose, !state.endsStream {
                    owner.append(opcode: Opcode.ping, nothing.span, &state)
                }
            }
            flush()
        }
        if stage == .over { return }
        if !isPaused, let idle = owner.limits.idleMilliseconds,
            lastInput &+ idle &* 1_000_000 <= now
        {
            finish(.idleTimeout)
            return
        }
        setDeadline()
        updateWatch()
    }

    private func endTimedOut() {
        if isWriteBroken, stage == .open, isPaused {
            // The peer may have sent what nobody has read yet: that waits for `resume`.
            setEndDeadline()
            return
        }
        if let sent = closing.sent, cause == nil {
            finish(.closedByUs(sent, answer: nil))
        } else {
            finish(writeFailure ?? .aborted)
        }
    }

    func loopStopped() { finish(.stopped) }

    // MARK: The end

    /// Ends everything; `fallback` is the cause when none was decided before.
    private func finish(_ fallback: ConnectionEnd.Cause) {
        if stage == .over { return }
        if cause == nil { unread = hot.pointee.decoder.unreadBytes() }
        stage = .over
        watch(nil)
        loop.remove(token)
        deadline = .max
        stream.close()
        let end = ConnectionEnd(
            cause: cause ?? fallback,
            unreadBytes: unread,
            receivedByteCount: receivedByteCount,
            sentByteCount: sentByteCount,
            discardedByteCount: discardedByteCount,
            receivedFrameCount: hot.pointee.receivedFrameCount
        )
        let owner = owner
        owner.linkEnded()
        owner.events.ended(owner, end)
    }
}
