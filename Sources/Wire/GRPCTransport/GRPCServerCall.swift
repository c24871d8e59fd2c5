import CGRPC
import Platform

/// Takes the events of one call of a server, on the server's event thread: it must be quick.
package protocol GRPCServerCallObserver: AnyObject, Sendable {
    /// The client sent a message. Its bytes are valid during this event only.
    func callReceived(_ call: GRPCServerCall, message: GRPCMessage)
    /// The client sends no more messages. It still wants ours.
    func callHalfClosed(_ call: GRPCServerCall)
    /// A send started with `trySend` is complete: the next one may start.
    func callReadyToSend(_ call: GRPCServerCall)
    /// The call is over. Comes once, as the last event.
    ///
    /// - Parameters:
    ///   - call: the call of the event.
    ///   - isCancelled: true when it did not end by our status reaching the wire.
    func callClosed(_ call: GRPCServerCall, isCancelled: Bool)
}

extension GRPCServerCallObserver {
    /// Does nothing, for an observer that has no use for the event.
    package func callReceived(_ call: GRPCServerCall, message: GRPCMessage) {}
    /// Does nothing, for an observer that has no use for the event.
    package func callHalfClosed(_ call: GRPCServerCall) {}
    /// Does nothing, for an observer that has no use for the event.
    package func callReadyToSend(_ call: GRPCServerCall) {}
    /// Does nothing, for an observer that has no use for the event.
    package func callClosed(_ call: GRPCServerCall, isCancelled: Bool) {}
}

/// A call that a server has got. Whoever has it must `finish` it some time. Operations may come
/// from any thread, also from inside events; only `send` blocks.
package final class GRPCServerCall: CompletionTarget, @unchecked Sendable {
    // safety: the pointers are written in init only; the core writes what they point to while an
    // operation is under way, and the queue's thread reads it afterwards. `observer` and
    // `gatherer` are used by the queue's thread only. Everything else is in `state`.

    /// What became of a send that does not wait.
    package enum SendResult: Sendable {
        /// Under way; `callReadyToSend` follows.
        case started
        /// Another message is under way; nothing was taken.
        case busy
        /// The call is over or finished; nothing was taken.
        case over
    }

    /// `/service/name` as the client wrote it.
    package let method: String
    /// The authority that the client asked for.
    package let host: String
    /// The address of the client, such as `ipv4:127.0.0.1:40000`; one for each connection.
    package let peer: String
    /// The metadata of the request.
    package let metadata: [GRPCMetadataEntry]
    /// The encodings that the client can read (`grpc-accept-encoding`).
    package let acceptedEncodings: Set<GRPCEncoding>

    /// A send without flush is still flushed so often: the core may hold what is not.
    private static let flushInterval = 64
    private static let queuedMessagesMax = 256
    private static let queuedBytesMax = 1 << 20

    private let raw: OpaquePointer
    private let server: GRPCServer
    private let incoming: UnsafeMutablePointer<UnsafeMutablePointer<grpc_byte_buffer>?>
    private let receiveOperation: UnsafeMutablePointer<grpc_op>
    private let cancelled: UnsafeMutablePointer<Int32>
    private var observer: (any GRPCServerCallObserver)?
    private var gatherer = MessageGatherer()
    private let state = Monitor(State())

    private struct Ending {
        let code: GRPCStatusCode
        let message: String
        let trailers: [GRPCMetadataEntry]
    }

    private struct State {
        var hasBegun = false
        var isPaused = false
        var isReceiving = false
        var hasClosed = false
        /// No operation may start any more.
        var isOver = false
        var encoding = GRPCEncoding.identity
        var isAccepted = false
        var initial: OutgoingMetadata?
        var trailing: OutgoingMetadata?
        var sending: OutgoingMessage?
        var queue = OutgoingQueue()
        /// The producer waits until the queue is half empty.
        var isProducerHeld = false
        var isReadyEventWanted = false
        var unflushed = 0
        var isFinished = false
        /// Waits for the message under way.
        var ending: Ending?
    }

    init(
        raw: OpaquePointer,
        server: GRPCServer,
        method: String,
        host: String,
        metadata: [GRPCMetadataEntry]
    ) {
        self.raw = raw
        self.server = server
        self.method = method
        self.host = host
        self.metadata = metadata
        peer = peerText(raw)
        acceptedEncodings = GRPCEncoding.set(bits: cgrpc_peer_encodings(raw))
        incoming = .allocate(capacity: 1)
        incoming.initialize(to: nil)
        cancelled = .allocate(capacity: 1)
        cancelled.initialize(to: 0)
        receiveOperation = .allocate(capacity: 1)
        receiveOperation.initialize(to: grpc_op())
        receiveOperation.pointee.op = GRPC_OP_RECV_MESSAGE
        receiveOperation.pointee.data.recv_message.recv_message = incoming
        super.init()
    }

    deinit {
        state.withLock { state in
            state.sending?.destroy()
            state.queue.destroy()
            state.initial?.destroy()
            state.trailing?.destroy()
        }
        grpc_call_unref(raw)
        if let buffer = incoming.pointee { grpc_byte_buffer_destroy(buffer) }
        incoming.deallocate()
        cancelled.deallocate()
        receiveOperation.deallocate()
        gatherer.release()
    }

    /// Shows the call to `acceptor` and lets messages flow. On the queue's thread.
    func begin(_ acceptor: any GRPCAcceptor) {
        var close = grpc_op()
        close.op = GRPC_OP_RECV_CLOSE_ON_SERVER
        close.data.recv_close_on_server.cancelled = cancelled
        state.withLock { _ in start(&close, on: raw, as: .closing) }
        observer = acceptor.serverCalled(self)
        state.withLock { state in
            state.hasBegun = true
            startReceiving(&state)
        }
    }

    // MARK: Operations

    /// Answers that the call is accepted. The first send or `finish` does it, with no metadata, if
    /// this did not.
    ///
    /// - Parameters:
    ///   - metadata: the initial metadata.
    ///   - encoding: what the compressed messages of the answer are encoded with. The client must
    ///     be able to read it (`acceptedEncodings`).
    /// - Throws: `invalidMetadata`. A second acceptance is our bug and traps.
    package func accept(
        _ metadata: [GRPCMetadataEntry] = [],
        encoding: GRPCEncoding = .identity
    ) throws(GRPCError) {
        try GRPCMetadataEntry.check(metadata)
        state.withLock { state in
            if state.isOver || state.isFinished { return }
            precondition(!state.isAccepted, "a call is accepted once, before the first message")
            startAccepting(metadata, encoding: encoding, &state)
        }
    }

    /// Sends a message, behind those under way. Blocks while too many wait, because flow control
    /// holds them back: for a producer's own thread, never inside an event.
    ///
    /// Up to 256 messages or 1 MiB wait here, so that the core's thread sends one after the other
    /// without changing threads for each.
    ///
    /// - Parameters:
    ///   - bytes: copied before this returns.
    ///   - isCompressed: sets the compressed flag; the bytes are already in the encoding that was
    ///     accepted with.
    ///   - flush: puts the message on the wire at once. Without it the core may hold the message
    ///     while others wait behind it, which is much faster; the last one never stays behind.
    /// - Returns: false when the call is over or finished, and the message was not taken.
    package func send(
        _ bytes: UnsafeRawBufferPointer,
        isCompressed: Bool = false,
        flush: Bool = true
    ) -> Bool {
        state.wait { (state: inout State) -> Bool? in
            if state.isOver || state.isFinished { return false }
            if state.isProducerHeld { return nil }
            let isFull =
                state.queue.count >= Self.queuedMessagesMax
                || state.queue.byteCount >= Self.queuedBytesMax
            if isFull {
                state.isProducerHeld = true
                return nil
            }
            let message = message(bytes, isCompressed: isCompressed, flush: flush, &state)
            if state.sending == nil {
                startSending(message, &state)
            } else {
                state.queue.append(message)
            }
            return true
        }
    }

    /// Sends a message from an array, as above.
    package func send(_ bytes: [UInt8], isCompressed: Bool = false, flush: Bool = true) -> Bool {
        bytes.withUnsafeBytes { send($0, isCompressed: isCompressed, flush: flush) }
    }

    /// Sends a message if none is under way; the parameters are those of `send`.
    package func trySend(
        _ bytes: UnsafeRawBufferPointer,
        isCompressed: Bool = false,
        flush: Bool = true
    ) -> SendResult {
        state.withLock { state in
            if state.isOver || state.isFinished { return .over }
            if state.sending != nil { return .busy }
            state.isReadyEventWanted = true
            let message = message(bytes, isCompressed: isCompressed, flush: flush, &state)
            startSending(message, &state)
            return .started
        }
    }

    /// Ends the call. Messages taken before are sent first; nothing can be sent after. A second
    /// `finish`, or one after the call is over, does nothing.
    ///
    /// - Parameters:
    ///   - code: any number.
    ///   - message: the text beside it.
    ///   - trailers: trailing metadata.
    /// - Throws: `invalidMetadata`; the call is not finished then.
    package func finish(
        _ code: GRPCStatusCode,
        message: String = "",
        trailers: [GRPCMetadataEntry] = []
    ) throws(GRPCError) {
        try GRPCMetadataEntry.check(trailers)
        state.update { state in
            if state.isOver || state.isFinished { return }
            state.isFinished = true
            let ending = Ending(code: code, message: message, trailers: trailers)
            if state.sending == nil {
                startFinishing(ending, &state)
            } else {
                state.ending = ending
            }
        }
    }

    /// Breaks the call off: the client sees CANCELLED.
    package func cancel() { _ = grpc_call_cancel(raw, nil) }

    /// Stops the flow of messages from the client, as `GRPCCall.pause`.
    package func pause() { state.withLock { $0.isPaused = true } }

    /// Lets messages flow again.
    package func resume() {
        state.withLock { state in
            state.isPaused = false
            if state.hasBegun { startReceiving(&state) }
        }
    }

    /// Whether nothing can be sent any more. The producer that blocks in `send` learns it there.
    package var isOver: Bool { state.withLock { $0.isOver || $0.isFinished } }

    // MARK: Under the lock

    private func startReceiving(_ state: inout State) {
        if state.isReceiving || state.isPaused || state.hasClosed || state.isOver { return }
        state.isReceiving = true
        start(receiveOperation, on: raw, as: .receiving)
    }

    private func startAccepting(
        _ metadata: [GRPCMetadataEntry],
        encoding: GRPCEncoding,
        _ state: inout State
    ) {
        state.isAccepted = true
        state.encoding = encoding
        let initial = OutgoingMetadata(metadata, encoding: encoding)
        state.initial = initial
        var operation = initial.initialOperation
        start(&operation, on: raw, as: .opening)
    }

    /// A message that is ready to be sent; accepts the call first if nothing did.
    private func message(
        _ bytes: UnsafeRawBufferPointer,
        isCompressed: Bool,
        flush: Bool,
        _ state: inout State
    ) -> OutgoingMessage {
        if !state.isAccepted { startAccepting([], encoding: .identity, &state) }
        return OutgoingMessage(
            bytes,
            isCompressed: isCompressed,
            encoding: state.encoding,
            isBuffered: !flush
        )
    }

    private func startSending(_ message: OutgoingMessage, _ state: inout State) {
        var message = message
        // Held back only while another one follows for certain.
        state.unflushed = state.queue.isEmpty ? 0 : (state.unflushed + 1) % Self.flushInterval
        if state.unflushed == 0 { message.isBuffered = false }
        state.sending = message
        var operation = message.operation
        start(&operation, on: raw, as: .sending)
    }

    private func startFinishing(_ ending: Ending, _ state: inout State) {
        let trailing = OutgoingMetadata(ending.trailers)
        state.trailing = trailing
        var details = makeSlice(ending.message)
        defer { grpc_slice_unref(details) }
        var status = grpc_op()
        status.op = GRPC_OP_SEND_STATUS_FROM_SERVER
        status.data.send_status_from_server.status = grpc_status_code(
            rawValue: ending.code.rawValue
        )
        status.data.send_status_from_server.trailing_metadata_count = trailing.count
        status.data.send_status_from_server.trailing_metadata = trailing.start
        let isAccepted = state.isAccepted
        state.isAccepted = true
        withUnsafeMutablePointer(to: &details) { details in
            status.data.send_status_from_server.status_details = details
            // A status without initial metadata before or beside it never reaches the wire, and
            // the client waits for ever.
            let empty = OutgoingMetadata([])
            let error = start(
                isAccepted ? [status] : [empty.initialOperation, status],
                on: raw,
                as: .ending
            )
            empty.destroy()
            precondition(error == GRPC_CALL_OK, "finish: \(coreText(error))")
        }
    }

    private func takeClose(_ state: inout State) -> Bool {
        guard state.hasClosed, !state.isReceiving, !state.isOver else { return false }
        state.isOver = true
        state.queue.destroy()
        state.isProducerHeld = false
        return true
    }

    // MARK: Completions, on the queue's thread

    override func completed(_ operation: Operation, ok: Bool) {
        switch operation {
        case .receiving: messageCompleted(ok)
        case .sending: sendCompleted(ok)
        case .closing:
            let isEnd = state.update { state in
                state.hasClosed = true
                return takeClose(&state)
            }
            if isEnd { deliverClose() }
        case .opening, .ending: break
        case .requesting, .stopping: preconditionFailure("not an operation of a server's call")
        }
    }

    private func messageCompleted(_ ok: Bool) {
        let buffer = incoming.pointee
        incoming.pointee = nil
        if let buffer {
            if ok, let observer {
                gatherer.deliver(buffer, of: raw) { observer.callReceived(self, message: $0) }
            }
            grpc_byte_buffer_destroy(buffer)
        } else {
            // No buffer: the client sends no more. The core may call that a failure when other
            // operations of the call race with it; after a cancellation the close follows anyway.
            observer?.callHalfClosed(self)
        }
        let isEnd = state.update { state in
            state.isReceiving = false
            if ok, buffer != nil { startReceiving(&state) }
            return takeClose(&state)
        }
        if isEnd { deliverClose() }
    }

    private func sendCompleted(_ ok: Bool) {
        let (isReadyEventDue, wakes) = state.withLock { state -> (Bool, Bool) in
            state.sending?.destroy()
            state.sending = nil
            let isDue = state.isReadyEventWanted && !state.isOver
            state.isReadyEventWanted = false
            if !ok || state.isOver { state.queue.destroy() }
            if let next = state.queue.popFirst() {
                startSending(next, &state)
            } else if let ending = state.ending {
                state.ending = nil
                if !state.isOver { startFinishing(ending, &state) }
            }
            let wakes =
                state.isProducerHeld && state.queue.count <= Self.queuedMessagesMax / 2
                && state.queue.byteCount <= Self.queuedBytesMax / 2
            if wakes { state.isProducerHeld = false }
            return (isDue, wakes)
        }
        if wakes { state.wakeAll() }
        if isReadyEventDue { observer?.callReadyToSend(self) }
    }

    private func deliverClose() {
        observer?.callClosed(self, isCancelled: cancelled.pointee != 0)
        observer = nil
        server.callClosed()
    }
}
