import CGRPC
package import Platform

/// Decides what becomes of the calls that reach a server.
package protocol GRPCAcceptor: AnyObject, Sendable {
    /// A client has called, any method. On the server's event thread: it must be quick.
    ///
    /// - Parameter call: to be answered, here or later, by `accept`, `send` and `finish`.
    /// - Returns: who takes the events of the call; nil when nobody needs them.
    func serverCalled(_ call: GRPCServerCall) -> (any GRPCServerCallObserver)?
}

/// Where a server listens and what it takes.
package struct GRPCServerOptions: Sendable {
    /// How connections are protected.
    package enum Security: Sendable {
        /// HTTP/2 without TLS.
        case plaintext
        /// TLS with this certificate; clients are not asked for one.
        case tls(certificatePEM: String, keyPEM: String)
    }

    /// `host:port` or `unix:path`; port 0 takes a free one. The core of this version has known
    /// weaknesses against hostile clients: give 127.0.0.1 unless the network is trusted.
    package var address: String
    package var security: Security
    /// Largest message taken, in bytes as on the wire.
    package var receiveBytesMax = 4 << 20
    /// Largest metadata taken, in bytes.
    package var metadataBytesMax = 16 << 10
    /// Most calls at once on one connection; more wait at the client.
    package var streamsMax = 128
    /// Most calls at once in all; one more is rejected with RESOURCE_EXHAUSTED.
    package var callsMax = 1_024
    /// What clients may compress their messages with. They arrive compressed.
    package var acceptedEncodings: Set<GRPCEncoding> = [.identity, .deflate, .gzip]

    package init(address: String, security: Security = .plaintext) {
        self.address = address
        self.security = security
    }

    fileprivate func arguments() -> ChannelArguments {
        var arguments = ChannelArguments()
        // Otherwise a second server takes the same port and half of the clients, silently.
        arguments.set(GRPC_ARG_ALLOW_REUSEPORT, false)
        arguments.set(GRPC_ARG_ENABLE_PER_MESSAGE_DECOMPRESSION, false)
        arguments.set(
            GRPC_COMPRESSION_CHANNEL_ENABLED_ALGORITHMS_BITSET,
            Int(GRPCEncoding.bits(acceptedEncodings))
        )
        arguments.set(GRPC_ARG_MAX_RECEIVE_MESSAGE_LENGTH, receiveBytesMax)
        arguments.set(GRPC_ARG_MAX_SEND_MESSAGE_LENGTH, -1)
        arguments.set(GRPC_ARG_MAX_METADATA_SIZE, metadataBytesMax)
        arguments.set(GRPC_ARG_MAX_CONCURRENT_STREAMS, streamsMax)
        // By default fast keepalive pings end a connection with "too many pings".
        arguments.set(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, 5_000)
        arguments.set(GRPC_ARG_HTTP2_MAX_PING_STRIKES, 0)
        arguments.set(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, true)
        return arguments
    }
}

/// A server on one address that hands every call to one acceptor. All events come on one thread.
package final class GRPCServer: CompletionTarget, @unchecked Sendable {
    // safety: `raw` is written in init only and destroyed after the last call is over. `acceptor`
    // is used by the queue's thread only. Everything else is in `state`.
    private let raw: OpaquePointer
    private let queue: CompletionQueue
    private let callsMax: Int
    private let acceptor: any GRPCAcceptor
    private let state = Monitor(State())
    /// The port listened on; 0 for a Unix socket.
    package let port: Int

    /// Calls that the core may hand over before we ask again.
    private static let requestsAtOnce = 4

    private struct State {
        /// Requests for a next call that are with the core.
        var requests = 0
        /// Calls that have not delivered their end.
        var calls = 0
        var isStopping = false
        var hasStopped = false
        var isClosed = false
    }

    /// Listens and serves from now on.
    ///
    /// - Throws: `invalidTarget`, `cannotListen` with the core's reason, or `noThread`.
    package init(_ options: GRPCServerOptions, acceptor: any GRPCAcceptor) throws(GRPCError) {
        // The core's own address form; the check is the same as for a client.
        _ = try GRPCTarget.core(options.address)
        let queue = try CompletionQueue(name: "grpc-server")
        self.queue = queue
        self.acceptor = acceptor
        callsMax = options.callsMax
        guard let made = options.arguments().withCore({ grpc_server_create($0, nil) }) else {
            preconditionFailure("the core made no server")
        }
        raw = made
        grpc_server_register_completion_queue(made, queue.raw, nil)
        let (bound, lines) = CoreLog.capture { listen(made, options) }
        port = options.address.hasPrefix("unix:") ? 0 : Int(bound)
        super.init()
        guard bound > 0 else {
            close(graceMilliseconds: 0)
            throw .cannotListen(address: options.address, reason: Self.reason(lines))
        }
        grpc_server_start(made)
        let places = (0..<Self.requestsAtOnce).map { _ in RequestedCall(server: self) }
        queue.handOver()
        for place in places { request(place) }
    }

    /// The reason of a failed bind from the core's log lines.
    private static func reason(_ lines: [String]) -> String {
        let known = [
            "Address already in use", "Permission denied", "Cannot assign requested address",
        ]
        for reason in known where lines.contains(where: { $0.contains(reason) }) { return reason }
        return lines.last ?? "the address, the certificate or the key cannot be used"
    }

    // MARK: Calls

    /// Asks the core for the next call.
    fileprivate func request(_ place: RequestedCall) {
        let isAsked = state.update { state in
            if state.isStopping { return false }
            let error = place.request(raw, queue.raw)
            if error == GRPC_CALL_OK { state.requests += 1 }
            return error == GRPC_CALL_OK
        }
        if !isAsked { place.close() }
    }

    /// A request came back. On the queue's thread.
    fileprivate func requested(_ place: RequestedCall, ok: Bool) {
        let call = ok ? place.take(for: self) : nil
        if call != nil { state.withLock { $0.calls += 1 } }
        state.update { $0.requests -= 1 }
        guard let call else { return place.close() }
        request(place)
        let isTooMany = state.withLock { $0.calls > callsMax }
        call.begin(isTooMany ? Refusal.shared : acceptor)
    }

    /// Called by a call after its last event.
    func callClosed() { state.update { $0.calls -= 1 } }

    /// The number of calls under way.
    package var callCount: Int { state.withLock { $0.calls } }

    // MARK: The end

    /// Takes no new calls, gives those under way the grace time to finish, cancels the rest, and
    /// frees the address. Every server must be closed. Blocks; must not be called from an event of
    /// the server. A second call returns after the first.
    ///
    /// - Parameters:
    ///   - graceMilliseconds: how long calls may go on; 0 cancels at once.
    ///   - clock: measures the grace time.
    package func close(graceMilliseconds: Int, clock: any Clock = SystemClock()) {
        let isFirst = state.withLock { state in
            defer { state.isStopping = true }
            return !state.isStopping
        }
        if !isFirst {
            return state.wait { (state: inout State) -> Void? in state.isClosed ? () : nil }
        }
        queue.handOver()
        grpc_server_shutdown_and_notify(raw, queue.raw, tag(.stopping))
        let grace = UInt64(clamping: graceMilliseconds).multipliedReportingOverflow(by: 1_000_000)
        let deadline = clock.monotonicNanoseconds().addingReportingOverflow(grace.partialValue)
        let isDone = state.wait(
            deadline: grace.overflow || deadline.overflow ? .max : deadline.partialValue
        ) { (state: inout State) -> Bool? in
            state.hasStopped && state.calls == 0 ? true : nil
        }
        if isDone == nil { grpc_server_cancel_all_calls(raw) }
        // Nothing may start an operation once the queue is closed, so every call must be over and
        // every request back.
        state.wait { (state: inout State) -> Void? in
            state.hasStopped && state.calls == 0 && state.requests == 0 ? () : nil
        }
        grpc_server_destroy(raw)
        queue.close()
        state.update { $0.isClosed = true }
    }

    override func completed(_ operation: Operation, ok: Bool) {
        precondition(operation == .stopping, "not an operation of a server")
        state.update { $0.hasStopped = true }
    }
}

private func listen(_ server: OpaquePointer, _ options: GRPCServerOptions) -> Int32 {
    let credentials: OpaquePointer? =
        switch options.security {
        case .plaintext: grpc_insecure_server_credentials_create()
        case .tls(let certificate, let key):
            certificate.withCString { certificate in
                key.withCString { key in
                    var pair = grpc_ssl_pem_key_cert_pair(
                        private_key: key,
                        cert_chain: certificate
                    )
                    return grpc_ssl_server_credentials_create(nil, &pair, 1, 0, nil)
                }
            }
        }
    guard let credentials else { return 0 }
    defer { grpc_server_credentials_release(credentials) }
    return grpc_server_add_http2_port(server, options.address, credentials)
}

/// Turns calls away when there are too many.
private final class Refusal: GRPCAcceptor {
    static let shared = Refusal()

    func serverCalled(_ call: GRPCServerCall) -> (any GRPCServerCallObserver)? {
        do {
            try call.finish(.resourceExhausted, message: "too many calls at once")
        } catch {
            preconditionFailure("no metadata, yet: \(error)")
        }
        return nil
    }
}

/// The place where the core writes one new call; used again for the next.
private final class RequestedCall: CompletionTarget, @unchecked Sendable {
    // safety: the core writes the places while a request is under way; the queue's thread reads
    // them afterwards. `server` is cleared when no request follows, which breaks the cycle.
    private var server: GRPCServer?
    private let call: UnsafeMutablePointer<OpaquePointer?>
    private let details: UnsafeMutablePointer<grpc_call_details>
    private let metadata: UnsafeMutablePointer<grpc_metadata_array>

    init(server: GRPCServer) {
        self.server = server
        call = .allocate(capacity: 1)
        call.initialize(to: nil)
        details = .allocate(capacity: 1)
        metadata = .allocate(capacity: 1)
        grpc_call_details_init(details)
        grpc_metadata_array_init(metadata)
        super.init()
    }

    deinit {
        grpc_call_details_destroy(details)
        grpc_metadata_array_destroy(metadata)
        call.deallocate()
        details.deallocate()
        metadata.deallocate()
    }

    func close() { server = nil }

    func request(_ server: OpaquePointer, _ queue: OpaquePointer) -> grpc_call_error {
        let error = grpc_server_request_call(
            server,
            call,
            details,
            metadata,
            queue,
            queue,
            tag(.requesting)
        )
        if error != GRPC_CALL_OK { withdrawTag() }
        return error
    }

    /// The call that has come; the places are ready for the next one afterwards.
    func take(for server: GRPCServer) -> GRPCServerCall? {
        guard let raw = call.pointee else { return nil }
        let taken = GRPCServerCall(
            raw: raw,
            server: server,
            method: copyText(details.pointee.method),
            host: copyText(details.pointee.host),
            metadata: GRPCMetadataEntry.read(metadata.pointee)
        )
        call.pointee = nil
        grpc_call_details_destroy(details)
        grpc_metadata_array_destroy(metadata)
        grpc_call_details_init(details)
        grpc_metadata_array_init(metadata)
        return taken
    }

    override func completed(_ operation: Operation, ok: Bool) {
        precondition(operation == .requesting, "not an operation of a request")
        server?.requested(self, ok: ok)
    }
}
