internal import CLinux
internal import Glibc
internal import Platform
internal import Synchronization
internal import WebSocketProtocol

/// One WebSocket, of a client or of a server.
///
/// The `package` methods may be called from any thread, events included. Sending copies the frame
/// into the outgoing queue and returns; the loop's thread writes many frames with one system call.
/// No call allocates memory per frame.
package final class WebSocketConnection: @unchecked Sendable {
    // safety: `shared` is a Monitor. `loop`, `role`, `limits` and `events` never change. `link`,
    // and everything in it, is touched by the loop's thread alone.
    /// Which side of the WebSocket this is.
    package enum Role: Sendable { case client, server }

    /// Which side this is: a client masks what it sends.
    package let role: Role
    let loop: EventLoop
    let limits: ConnectionLimits
    let events: any WebSocketEvents
    let shared: Monitor<Shared>
    // safety: written under the lock of `shared`, read by the loop before each frame. A frame that
    // is read just before a `pause` of another thread still comes, as it may; on the loop's own
    // thread the order is that of the program.
    private let pauses = Atomic<Bool>(false)
    /// Loop only: the live WebSocket; nil before it is open and after it has ended.
    private var link: ConnectionLink?
    /// Loop only: stops the attempt to open it.
    var cancelOpening: (() -> Void)?

    /// What other threads ask for and what the loop tells them.
    struct Shared {
        enum Stage { case opening, open, closing, over }

        var stage = Stage.opening
        /// Frames not yet taken by the loop, encoded; a client's with an empty mask key.
        var pending = ByteQueue()
        /// Bytes in `pending` and bytes that the loop is writing.
        var queuedByteCount = 0
        var isDirty = false
        var wasRefused = false
        /// A close frame lies in `pending`, or was sent.
        var hasClose = false
        /// What that close frame says.
        var closeBody: CloseBody?
        /// After the queue, the stream ends without close frame.
        var endsStream = false
        var isAborted = false
    }

    init(
        role: Role,
        loop: EventLoop,
        limits: ConnectionLimits,
        events: any WebSocketEvents
    ) {
        self.role = role
        self.loop = loop
        self.limits = limits
        self.events = events
        shared = Monitor(Shared())
    }

    // MARK: Sending

    /// Sends one frame.
    ///
    /// - Parameters:
    ///   - opcode: 0...15; a close frame is better sent by `close`.
    ///   - isFinal: whether it ends its message.
    ///   - payload: at most `framePayloadBytesMax` of the peer.
    /// - Throws: `queueFull` or `closed`; nothing has been sent then.
    package func send(
        opcode: UInt8,
        isFinal: Bool = true,
        payload: Span<UInt8>
    ) throws(SendError) {
        precondition(opcode < 16, "an opcode has four bits")
        try send(firstByte: (isFinal ? 0x80 : 0) | opcode, payload: payload)
    }

    /// Sends one frame with exactly this first byte (FIN, RSV bits, opcode) and this payload, such
    /// as one from a recording. Nothing is checked. After a close frame nothing more is taken.
    ///
    /// - Throws: `queueFull` or `closed`; nothing has been sent then.
    package func send(firstByte: UInt8, payload: Span<UInt8>) throws(SendError) {
        let header = FrameHeader(
            firstByte: firstByte,
            maskKey: role == .client ? 0 : nil,
            payloadLength: UInt64(payload.count)
        )
        let byteCount = header.encodedByteCount + payload.count
        let (error, mustWake) = shared.withLock { state -> (SendError?, Bool) in
            if let error = refusal(&state, byteCount) { return (error, false) }
            Self.append(header, payload, to: state.pending)
            if header.opcode == Opcode.close {
                state.hasClose = true
                state.closeBody = Self.closeBody(payload)
            }
            return (nil, markDirty(&state))
        }
        if let error { throw error }
        if mustWake { loop.service(self) }
    }

    /// Sends many frames at once, encoded one after another by `FrameHeader.encode` without masks.
    /// Servers only, and data frames, pings and pongs only.
    ///
    /// - Throws: `queueFull` or `closed`; nothing has been sent then.
    package func send(encodedFrames bytes: Span<UInt8>) throws(SendError) {
        precondition(role == .server, "a client masks each frame")
        let (error, mustWake) = shared.withLock { state -> (SendError?, Bool) in
            if let error = refusal(&state, bytes.count) { return (error, false) }
            bytes.withUnsafeBytes { state.pending.append($0) }
            return (nil, markDirty(&state))
        }
        if let error { throw error }
        if mustWake { loop.service(self) }
    }

    /// Waits until the queue has fallen to half its limit or the connection is closing.
    /// Not to be called from an event.
    ///
    /// - Parameter deadline: nanoseconds of the monotonic clock; nil waits for ever.
    /// - Returns: whether there is space; false when sending is over or the deadline has passed.
    @discardableResult
    package func waitForSpace(deadline: UInt64? = nil) -> Bool {
        precondition(!loop.isOnLoop, "the loop cannot wait for itself")
        let half = limits.queuedBytesMax / 2
        let look: (inout Shared) -> Bool? = { state in
            if state.stage != .open || state.hasClose || state.endsStream { return false }
            return state.queuedByteCount <= half ? true : nil
        }
        guard let deadline else { return shared.wait(until: look) }
        // The deadline came first: there is no space.
        return shared.wait(deadline: deadline, until: look) ?? false
    }

    /// Bytes that wait to be sent.
    package var queuedByteCount: Int { shared.withLock(\.queuedByteCount) }

    // MARK: Ending

    /// Starts the closing handshake behind everything queued. Reading goes on until the peer's
    /// close frame or `closeMilliseconds`. Before the WebSocket is open it cancels the attempt.
    /// Later calls do nothing.
    ///
    /// - Parameters:
    ///   - code: valid on the wire (`CloseCode.isValidOnWire`); nil sends an empty close frame.
    ///   - reason: cut to 123 bytes of UTF-8.
    package func close(code: UInt16? = CloseCode.normal, reason: String = "") {
        precondition(
            code.map(CloseCode.isValidOnWire) != false,
            "code is not for the wire"
        )
        let body = CloseBody(code: code, reason: reason)
        request { state in
            if state.stage == .opening { state.isAborted = true }
            if state.stage != .open || state.hasClose || state.endsStream { return }
            self.appendClose(body, &state)
        }
    }

    /// As `endStream()`, with raw bytes at the very end.
    ///
    /// - Parameter partial: raw bytes sent last, such as the unfinished frame with which a recorded
    ///   stream broke off; servers only.
    package func endStream(partial: Span<UInt8>) {
        precondition(partial.isEmpty || role == .server, "a client masks what it sends")
        let mustWake = shared.update { state in
            if state.stage == .opening { state.isAborted = true }
            if state.stage == .open, !state.hasClose, !state.endsStream, !partial.isEmpty {
                partial.withUnsafeBytes { state.pending.append($0) }
                state.queuedByteCount += partial.count
            }
            state.endsStream = true
            return markDirty(&state)
        }
        if mustWake { loop.service(self) }
    }

    /// Ends the stream behind everything queued, without close frame: the peer sees 1006, as it
    /// does when a node goes away.
    package func endStream() {
        let nothing: [UInt8] = []
        endStream(partial: nothing.span)
    }

    /// Ends the connection at once. What is queued is thrown away.
    package func abort() { request { $0.isAborted = true } }

    // MARK: Reading

    /// Stops reading: bytes stay in the kernel, and the peer is held up when its buffers are full.
    /// Called from an event, no other frame is reported until `resume`; called elsewhere, one that
    /// is being reported still comes. Ping and idle timeouts rest meanwhile.
    package func pause() { request { _ in pauses.store(true, ordering: .relaxed) } }

    /// Goes on reading.
    package func resume() { request { _ in pauses.store(false, ordering: .relaxed) } }

    // MARK: Shared with the loop

    /// Whether reading is stopped. Costs no lock, as it is asked for each frame.
    @inline(__always)
    var isPaused: Bool { pauses.load(ordering: .relaxed) }

    private func refusal(_ state: inout Shared, _ byteCount: Int) -> SendError? {
        if state.stage != .open || state.hasClose || state.endsStream { return .closed }
        if state.queuedByteCount > 0, state.queuedByteCount + byteCount > limits.queuedBytesMax {
            state.wasRefused = true
            return .queueFull
        }
        state.queuedByteCount += byteCount
        return nil
    }

    private func request(_ change: (inout Shared) -> Void) {
        // Threads in `waitForSpace` look again.
        let mustWake = shared.update { state in
            change(&state)
            return markDirty(&state)
        }
        if mustWake { loop.service(self) }
    }

    /// Whether the loop has to be told; once is enough until it has looked.
    private func markDirty(_ state: inout Shared) -> Bool {
        if state.isDirty || state.stage == .over { return false }
        state.isDirty = true
        return true
    }

    /// Queues a close frame, whatever the queue's limit.
    func appendClose(_ body: CloseBody, _ state: inout Shared) {
        append(opcode: Opcode.close, body.payload.span, &state)
        state.hasClose = true
        state.closeBody = body
    }

    private static func closeBody(_ payload: Span<UInt8>) -> CloseBody {
        do throws(Violation) {
            return try CloseBody(payload: payload)
        } catch {
            // A recording may hold a close frame that the rules forbid; it is sent as it is.
            return CloseBody(code: nil)
        }
    }

    /// Queues a control frame of the loop's, whatever the queue's limit.
    func append(opcode: UInt8, _ payload: Span<UInt8>, _ state: inout Shared) {
        let header = FrameHeader(
            opcode: opcode,
            maskKey: role == .client ? 0 : nil,
            payloadLength: UInt64(payload.count)
        )
        Self.append(header, payload, to: state.pending)
        state.queuedByteCount += header.encodedByteCount + payload.count
    }

    private static func append(
        _ header: FrameHeader,
        _ payload: Span<UInt8>,
        to queue: ByteQueue
    ) {
        let headerByteCount = header.encodedByteCount
        let room = queue.extend(by: headerByteCount + payload.count)
        var span = room.bindMemory(to: UInt8.self).mutableSpan
        header.encode(into: &span)
        if payload.isEmpty { return }
        payload.withUnsafeBytes { bytes in
            UnsafeMutableRawBufferPointer(rebasing: room[headerByteCount...]).copyMemory(
                from: bytes
            )
        }
    }

    // MARK: Loop only

    /// Makes the connection live on a stream whose handshake is done.
    func begin(
        _ stream: SocketStream,
        _ opening: Opening,
        early: Span<UInt8>,
        random: any RandomSource
    ) {
        cancelOpening = nil
        let link = ConnectionLink(self, stream, opening, random: random)
        self.link = link
        shared.withLock { $0.stage = .open }
        link.begin(early)
    }

    /// Looks at what other threads ask for.
    func service() {
        let (isAborted, stage) = shared.withLock { state in
            state.isDirty = false
            return (state.isAborted, state.stage)
        }
        if stage == .opening {
            if isAborted { cancelOpening?() }
            return
        }
        link?.service()
    }

    /// Notes that the attempt to open failed, before its last event is reported.
    func openingFailed() {
        cancelOpening = nil
        markOver()
    }

    /// Notes that the WebSocket is over, before `ended` is reported.
    func linkEnded() {
        link = nil
        markOver()
    }

    private func markOver() {
        shared.update { state in
            state.stage = .over
            state.queuedByteCount = 0
            state.pending.removeAll()
        }
    }
}
