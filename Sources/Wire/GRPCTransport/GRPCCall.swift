import CGRPC
import Platform

/// Takes the events of one call, on the thread of the call's channel.
package protocol GRPCCallObserver: AnyObject, Sendable {
    /// The server answered. Also comes, with empty metadata, when the server rejects a call
    /// without metadata: the core does not tell the two apart. Does not come when no server was
    /// reached.
    ///
    /// - Parameters:
    ///   - call: the call of the event.
    ///   - metadata: the initial metadata of the server.
    ///   - peer: the address reached, such as `ipv4:127.0.0.1:10000`.
    func callAccepted(_ call: GRPCCall, metadata: [GRPCMetadataEntry], peer: String)
    /// A message has arrived. Its bytes are valid during this event only.
    func callReceived(_ call: GRPCCall, message: GRPCMessage)
    /// The call is over. Comes once, as the last event.
    ///
    /// Any end, OK too, may hide messages: after a reset the core drops those it has not handed
    /// over, and a stream cut inside a message ends as if it had been whole.
    func callEnded(_ call: GRPCCall, status: GRPCStatus)
}

/// A client's call: any number of messages both ways. Operations may come from any thread, also
/// from inside events.
package final class GRPCCall: CompletionTarget, @unchecked Sendable {
    // safety: the pointers are written in init only. What they point to is written by the core
    // while the operation they belong to is under way, and read on the queue's thread after it is
    // complete. `observer` and `gatherer` are used by the queue's thread only, once the call has
    // begun. Everything else is in `state`.
    private let raw: OpaquePointer
    private let channel: GRPCChannel
    private let encoding: GRPCEncoding
    private let metadata: OutgoingMetadata
    private let received: Received
    private var observer: (any GRPCCallObserver)?
    private var gatherer = MessageGatherer()
    private let state = Monitor(State())

    /// Most messages that may wait for being sent.
    package static let queuedMessagesMax = 64

    private struct State {
        var hasOpened = false
        var isPaused = false
        var isReceiving = false
        var hasStatus = false
        var isEnded = false
        var sending: OutgoingMessage?
        var queue: [OutgoingMessage] = []
        var queuedBytes = 0
        var isHalfCloseAsked = false
        var isHalfClosed = false
    }

    /// Where the core writes what it receives: addresses that stay.
    private struct Received {
        let initial = UnsafeMutablePointer<grpc_metadata_array>.allocate(capacity: 1)
        let trailing = UnsafeMutablePointer<grpc_metadata_array>.allocate(capacity: 1)
        let code = UnsafeMutablePointer<grpc_status_code>.allocate(capacity: 1)
        let details = UnsafeMutablePointer<grpc_slice>.allocate(capacity: 1)
        let debug = UnsafeMutablePointer<UnsafePointer<CChar>?>.allocate(capacity: 1)
        let message = UnsafeMutablePointer<UnsafeMutablePointer<grpc_byte_buffer>?>
            .allocate(capacity: 1)
        let operation = UnsafeMutablePointer<grpc_op>.allocate(capacity: 1)

        init() {
            grpc_metadata_array_init(initial)
            grpc_metadata_array_init(trailing)
            code.initialize(to: GRPC_STATUS_UNKNOWN)
            details.initialize(to: grpc_empty_slice())
            debug.initialize(to: nil)
            message.initialize(to: nil)
            operation.initialize(to: grpc_op())
            operation.pointee.op = GRPC_OP_RECV_MESSAGE
            operation.pointee.data.recv_message.recv_message = message
        }

        func destroy() {
            grpc_metadata_array_destroy(initial)
            grpc_metadata_array_destroy(trailing)
            grpc_slice_unref(details.pointee)
            gpr_free(UnsafeMutableRawPointer(mutating: debug.pointee))
            if let buffer = message.pointee { grpc_byte_buffer_destroy(buffer) }
            initial.deallocate()
            trailing.deallocate()
            code.deallocate()
            details.deallocate()
            debug.deallocate()
            message.deallocate()
            operation.deallocate()
        }
    }

    init(
        raw: OpaquePointer,
        channel: GRPCChannel,
        metadata: OutgoingMetadata,
        encoding: GRPCEncoding,
        observer: any GRPCCallObserver
    ) {
        self.raw = raw
        self.channel = channel
        self.metadata = metadata
        self.encoding = encoding
        self.observer = observer
        received = Received()
        super.init()
    }

    deinit {
        state.withLock { state in
            state.sending?.destroy()
            for message in state.queue { message.destroy() }
        }
        grpc_call_unref(raw)
        received.destroy()
        metadata.destroy()
        gatherer.release()
    }

    /// Starts the call. After an error there is no operation under way.
    func begin() throws(GRPCError) {
        var answer = grpc_op()
        answer.op = GRPC_OP_RECV_INITIAL_METADATA
        answer.data.recv_initial_metadata.recv_initial_metadata = received.initial
        var status = grpc_op()
        status.op = GRPC_OP_RECV_STATUS_ON_CLIENT
        status.data.recv_status_on_client.trailing_metadata = received.trailing
        status.data.recv_status_on_client.status = received.code
        status.data.recv_status_on_client.status_details = received.details
        status.data.recv_status_on_client.error_string = received.debug
        try state.withLock { _ throws(GRPCError) in
            let error = start([metadata.initialOperation, answer], on: raw, as: .opening)
            if error != GRPC_CALL_OK { throw .refused(coreText(error)) }
            start(&status, on: raw, as: .closing)
        }
    }

    // MARK: Operations

    /// Sends a message, or queues it behind the one under way.
    ///
    /// - Parameters:
    ///   - bytes: copied before this returns.
    ///   - isCompressed: sets the compressed flag; the bytes are already in the call's encoding.
    ///   - isBuffered: the core may keep the message until another one follows.
    /// - Throws: nothing has been sent then.
    package func send(
        _ bytes: UnsafeRawBufferPointer,
        isCompressed: Bool = false,
        isBuffered: Bool = false
    ) throws(GRPCSendError) {
        let bytesMax = channel.sendBytesMax
        guard bytes.count <= bytesMax else { throw .tooLarge(bytesMax: bytesMax) }
        try state.withLock { state throws(GRPCSendError) in
            if state.isEnded || state.hasStatus || state.isHalfCloseAsked { throw .over }
            let isQueued = state.sending != nil
            if isQueued {
                guard state.queue.count < Self.queuedMessagesMax,
                    state.queuedBytes <= bytesMax - bytes.count
                else { throw .queueFull }
            }
            let message = OutgoingMessage(
                bytes,
                isCompressed: isCompressed,
                encoding: encoding,
                isBuffered: isBuffered
            )
            if isQueued {
                state.queue.append(message)
                state.queuedBytes += message.byteCount
            } else {
                startSending(message, &state)
            }
        }
    }

    /// Sends a message from an array.
    package func send(
        _ bytes: [UInt8],
        isCompressed: Bool = false,
        isBuffered: Bool = false
    ) throws(GRPCSendError) {
        // A closure cannot pass a typed error through `withUnsafeBytes`.
        let result = bytes.withUnsafeBytes { bytes in
            Result { () throws(GRPCSendError) in
                try send(bytes, isCompressed: isCompressed, isBuffered: isBuffered)
            }
        }
        try result.get()
    }

    /// Says that no more messages follow. Messages that wait are sent first. A Yellowstone server
    /// keeps sending after it.
    package func halfClose() {
        state.withLock { state in
            if state.isEnded || state.isHalfCloseAsked { return }
            state.isHalfCloseAsked = true
            if state.sending == nil { startHalfClose(&state) }
        }
    }

    /// Ends the call with CANCELLED, unless it has ended by itself. The end still comes as an
    /// event; messages not yet delivered may be lost.
    package func cancel() { _ = grpc_call_cancel(raw, nil) }

    /// Stops the flow of messages. Called inside a message event, no further message event comes
    /// until `resume`; called elsewhere, one more may come. The peer is stopped by flow control,
    /// after a few MiB that are under way. The end of the call may come while it is paused.
    package func pause() { state.withLock { $0.isPaused = true } }

    /// Lets messages flow again.
    package func resume() {
        state.withLock { state in
            state.isPaused = false
            if state.hasOpened { startReceiving(&state) }
        }
    }

    // MARK: Under the lock

    private func startReceiving(_ state: inout State) {
        if state.isReceiving || state.isPaused || state.isEnded { return }
        state.isReceiving = true
        start(received.operation, on: raw, as: .receiving)
    }

    private func startSending(_ message: OutgoingMessage, _ state: inout State) {
        state.sending = message
        var operation = message.operation
        start(&operation, on: raw, as: .sending)
    }

    private func startHalfClose(_ state: inout State) {
        if state.isHalfClosed { return }
        state.isHalfClosed = true
        var operation = grpc_op()
        operation.op = GRPC_OP_SEND_CLOSE_FROM_CLIENT
        start(&operation, on: raw, as: .ending)
    }

    /// Whether the end is to be delivered now: nothing else can follow.
    private func takeEnd(_ state: inout State) -> Bool {
        guard state.hasStatus, state.hasOpened, !state.isReceiving, !state.isEnded else {
            return false
        }
        state.isEnded = true
        return true
    }

    // MARK: Completions, on the queue's thread

    override func completed(_ operation: Operation, ok: Bool) {
        switch operation {
        case .opening: opened(ok)
        case .receiving: messageCompleted(ok)
        case .closing:
            let isEnd = state.withLock { state in
                state.hasStatus = true
                return takeEnd(&state)
            }
            if isEnd { deliverEnd() }
        case .sending: sendCompleted(ok)
        case .ending: break
        case .requesting, .stopping: preconditionFailure("not an operation of a client's call")
        }
    }

    private func opened(_ ok: Bool) {
        if ok {
            observer?.callAccepted(
                self,
                metadata: GRPCMetadataEntry.read(received.initial.pointee),
                peer: peerText(raw)
            )
        }
        let isEnd = state.withLock { state in
            state.hasOpened = true
            // Not before the answer: so that no message is delivered ahead of it.
            if ok { startReceiving(&state) }
            return takeEnd(&state)
        }
        if isEnd { deliverEnd() }
    }

    private func messageCompleted(_ ok: Bool) {
        let buffer = received.message.pointee
        received.message.pointee = nil
        if let buffer {
            if ok, let observer {
                gatherer.deliver(buffer, of: raw) { observer.callReceived(self, message: $0) }
            }
            grpc_byte_buffer_destroy(buffer)
        }
        let isEnd = state.withLock { state in
            state.isReceiving = false
            // No buffer: the peer sends no more, and the status follows or is here.
            if ok, buffer != nil { startReceiving(&state) }
            return takeEnd(&state)
        }
        if isEnd { deliverEnd() }
    }

    private func sendCompleted(_ ok: Bool) {
        state.withLock { state in
            state.sending?.destroy()
            state.sending = nil
            guard ok else {
                for message in state.queue { message.destroy() }
                state.queue = []
                state.queuedBytes = 0
                return
            }
            if !state.queue.isEmpty {
                let next = state.queue.removeFirst()
                state.queuedBytes -= next.byteCount
                startSending(next, &state)
            } else if state.isHalfCloseAsked {
                startHalfClose(&state)
            }
        }
    }

    private func deliverEnd() {
        let status = GRPCStatus(
            code: GRPCStatusCode(rawValue: received.code.pointee.rawValue),
            message: copyText(received.details.pointee),
            trailers: GRPCMetadataEntry.read(received.trailing.pointee),
            // The core writes no account when the peer ended the call in good order.
            debug: received.debug.pointee.map { String(cString: $0) } ?? ""
        )
        observer?.callEnded(self, status: status)
        observer = nil
        channel.ended(self)
    }
}

/// The address of the other end of a call.
func peerText(_ call: OpaquePointer) -> String {
    guard let text = grpc_call_get_peer(call) else { return "" }
    defer { gpr_free(text) }
    return String(cString: text)
}
