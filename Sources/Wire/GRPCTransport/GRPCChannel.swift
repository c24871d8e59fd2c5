import CGRPC
import Platform

/// What a channel connects to and how. The defaults suit a recorder.
package struct GRPCChannelOptions: Sendable {
    /// How the connection is protected.
    package enum Security: Sendable {
        /// HTTP/2 without TLS.
        case plaintext
        /// TLS; chain and name are always verified.
        ///
        /// - Parameters:
        ///   - rootsPEM: the only trusted roots; nil for the roots of the machine.
        ///   - serverName: the name the certificate must bear; nil for the target's host.
        case tls(rootsPEM: String?, serverName: String?)
    }

    /// `host:port`, `[v6]:port` or `unix:path`.
    package var target: String
    package var security: Security
    /// Largest message taken, in bytes as on the wire. A larger one ends its call with
    /// RESOURCE_EXHAUSTED; the core has buffered it whole by then.
    package var receiveBytesMax = 64 << 20
    /// Largest message sent, and most bytes that wait for sending in one call.
    package var sendBytesMax = 4 << 20
    /// Largest metadata taken, in bytes.
    package var metadataBytesMax = 64 << 10
    /// What the peer may compress messages with. They arrive compressed.
    package var acceptedEncodings: Set<GRPCEncoding> = [.identity]
    /// A ping is sent when nothing came for so long; nil for no pings. The core makes it at least
    /// 1 s. A server may refuse frequent pings.
    package var keepaliveMilliseconds: Int? = 20_000
    /// The connection is given up when a ping is not answered for so long.
    package var keepaliveTimeoutMilliseconds = 10_000
    /// An attempt to connect, with TLS and HTTP/2 handshake, is given up after so long.
    package var connectMillisecondsMax = 10_000
    /// Stands before the core's own words in the `user-agent` header; empty for none.
    package var userAgent = "tapedeck"

    package init(target: String, security: Security) {
        self.target = target
        self.security = security
    }

    fileprivate func arguments() -> ChannelArguments {
        var arguments = ChannelArguments()
        // Without this, channels of equal target and settings share one connection.
        arguments.set(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, true)
        // `http_proxy` in the environment would be obeyed, even for 127.0.0.1.
        arguments.set(GRPC_ARG_ENABLE_HTTP_PROXY, false)
        // Messages arrive as they stood on the wire, and no small one unfolds to a gigabyte.
        arguments.set(GRPC_ARG_ENABLE_PER_MESSAGE_DECOMPRESSION, false)
        arguments.set(
            GRPC_COMPRESSION_CHANNEL_ENABLED_ALGORITHMS_BITSET,
            Int(GRPCEncoding.bits(acceptedEncodings))
        )
        arguments.set(GRPC_ARG_MAX_RECEIVE_MESSAGE_LENGTH, receiveBytesMax)
        arguments.set(GRPC_ARG_MAX_SEND_MESSAGE_LENGTH, sendBytesMax)
        arguments.set(GRPC_ARG_MAX_METADATA_SIZE, metadataBytesMax)
        // When to try again is the caller's decision: no hidden second call, no settings by DNS.
        arguments.set(GRPC_ARG_ENABLE_RETRIES, false)
        arguments.set(GRPC_ARG_SERVICE_CONFIG_DISABLE_RESOLUTION, true)
        arguments.set(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, connectMillisecondsMax)
        if let keepaliveMilliseconds {
            arguments.set(GRPC_ARG_KEEPALIVE_TIME_MS, keepaliveMilliseconds)
            arguments.set(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, keepaliveTimeoutMilliseconds)
            arguments.set(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, true)
            arguments.set(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0)
        }
        if !userAgent.isEmpty { arguments.set(GRPC_ARG_PRIMARY_USER_AGENT_STRING, userAgent) }
        if case .tls(_, let serverName?) = security {
            arguments.set(GRPC_SSL_TARGET_NAME_OVERRIDE_ARG, serverName)
        }
        return arguments
    }
}

/// A client's connection to one address, of its own: two equal channels are two connections.
///
/// The connection is made by the first call. After it has broken the core waits (1 s and more)
/// before it connects again, and calls fail at once meanwhile: a caller with a schedule of its own
/// closes the channel and makes a new one. All events of all calls come on one thread, one after
/// the other.
package final class GRPCChannel: @unchecked Sendable {
    // safety: `raw` is written in init only and destroyed after the last call has ended; the core
    // takes calls on a channel from any thread. The rest is in `state`.
    private let raw: OpaquePointer
    let queue: CompletionQueue
    /// The limit for messages sent, in bytes.
    let sendBytesMax: Int
    private let state = Monitor(State())

    private struct State {
        var isClosed = false
        var isDestroyed = false
        /// Calls that have not delivered their end.
        var calls: [ObjectIdentifier: GRPCCall] = [:]
    }

    /// - Throws: `invalidTarget`, or `noThread`. Nothing is connected yet, and a root certificate
    ///   that cannot be read shows when a call fails.
    package init(_ options: GRPCChannelOptions) throws(GRPCError) {
        let target = try GRPCTarget.core(options.target)
        guard !options.userAgent.utf8.contains(where: { $0 < 0x20 || $0 > 0x7e }) else {
            throw .invalidMetadata(key: "user-agent", reason: "it is not printable ASCII")
        }
        queue = try CompletionQueue(name: "grpc-client")
        sendBytesMax = options.sendBytesMax
        let credentials: OpaquePointer? =
            switch options.security {
            case .plaintext: grpc_insecure_credentials_create()
            case .tls(let roots?, _): grpc_ssl_credentials_create(roots, nil, nil, nil)
            case .tls(nil, _): grpc_ssl_credentials_create(nil, nil, nil, nil)
            }
        let made = options.arguments().withCore { grpc_channel_create(target, credentials, $0) }
        grpc_channel_credentials_release(credentials)
        // The core gives a channel that fails every call rather than none.
        guard let made else { preconditionFailure("the core made no channel") }
        raw = made
    }

    /// Starts a call; its events go to `observer`, perhaps before this returns.
    ///
    /// - Parameters:
    ///   - method: `/service/name`.
    ///   - metadata: sent as it is, less nothing; checked first.
    ///   - encoding: what compressed messages of this call are encoded with.
    ///   - timeoutNanoseconds: the call ends with DEADLINE_EXCEEDED after so long; nil for never.
    ///   - observer: kept until the call has ended.
    /// - Returns: the call; it lives on without being kept until it has ended.
    /// - Throws: `invalidMethod`, `invalidMetadata`, `closed`; then no event comes.
    package func startCall(
        _ method: String,
        metadata: [GRPCMetadataEntry] = [],
        encoding: GRPCEncoding = .identity,
        timeoutNanoseconds: UInt64? = nil,
        observer: any GRPCCallObserver
    ) throws(GRPCError) -> GRPCCall {
        guard method.utf8.first == UInt8(ascii: "/"), method.utf8.count <= 1_024,
            method.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f })
        else { throw .invalidMethod(method) }
        try GRPCMetadataEntry.check(metadata)
        let call = try state.withLock { state throws(GRPCError) in
            if state.isClosed { throw .closed }
            let call = GRPCCall(
                raw: makeCall(method, timeoutNanoseconds: timeoutNanoseconds),
                channel: self,
                metadata: OutgoingMetadata(metadata, encoding: encoding),
                encoding: encoding,
                observer: observer
            )
            state.calls[ObjectIdentifier(call)] = call
            return call
        }
        queue.handOver()
        do {
            try call.begin()
        } catch {
            ended(call)
            throw error
        }
        return call
    }

    private func makeCall(_ method: String, timeoutNanoseconds: UInt64?) -> OpaquePointer {
        var deadline = gpr_inf_future(GPR_CLOCK_MONOTONIC)
        if let timeoutNanoseconds {
            let span = gpr_time_from_nanos(Int64(clamping: timeoutNanoseconds), GPR_TIMESPAN)
            deadline = gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC), span)
        }
        let path = makeSlice(method)
        defer { grpc_slice_unref(path) }
        let propagateDefaults: UInt32 = 0xffff
        guard
            let made = grpc_channel_create_call(
                raw,
                nil,
                propagateDefaults,
                queue.raw,
                path,
                nil,
                deadline,
                nil
            )
        else { preconditionFailure("the core made no call") }
        return made
    }

    /// Called by a call after its last event.
    func ended(_ call: GRPCCall) {
        state.update { _ = $0.calls.removeValue(forKey: ObjectIdentifier(call)) }
    }

    /// Cancels the calls under way, waits until each has delivered its end, and closes the
    /// connection. Every channel must be closed before its last reference goes. Must not be called
    /// from an event of the channel. A second call returns after the first.
    package func close() {
        let running = state.withLock { state in
            state.isClosed = true
            return Array(state.calls.values)
        }
        for call in running { call.cancel() }
        state.wait { (state: inout State) -> Void? in state.calls.isEmpty ? () : nil }
        queue.close()
        let isFirst = state.withLock { state in
            defer { state.isDestroyed = true }
            return !state.isDestroyed
        }
        if isFirst { grpc_channel_destroy(raw) }
    }
}

/// Addresses as users write them.
enum GRPCTarget {
    /// The core's name of an address. It also knows schemes of its own (`xds:`, `ipv4:`); only the
    /// two that are meant are let through.
    static func core(_ target: String) throws(GRPCError) -> String {
        guard !target.isEmpty, target.utf8.count <= 512,
            target.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f && $0 != UInt8(ascii: "%") })
        else { throw .invalidTarget(target) }
        if target.hasPrefix("unix:") {
            guard target.utf8.count > 5 else { throw .invalidTarget(target) }
            return target
        }
        let parts = target.split(separator: ":", omittingEmptySubsequences: false)
        guard let port = parts.last, let number = UInt16(port), port.utf8.first != 0x2b,
            parts.count == 2 || (target.hasPrefix("[") && parts.dropLast().last?.last == "]"),
            let host = parts.first, !host.isEmpty,
            !target.utf8.contains(where: { "/?#@,".utf8.contains($0) })
        else { throw .invalidTarget(target) }
        _ = number
        return "dns:///\(target)"
    }
}
