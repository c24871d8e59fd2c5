import Capture
import GRPCTransport
import GeyserDecoding
import Platform
import RecordModel

/// One Subscribe call on a connection of its own.
///
/// The call's events come on the channel's thread; `end`, `tick` and `release` on the capture
/// loop's.
final class GeyserStream: OpenStream, GRPCCallObserver {
    private struct Transport {
        var channel: GRPCChannel?
        var call: GRPCCall?
        var isOver = false
        var wasAccepted = false
        var peer = ""
        /// The encoding of compressed messages is in the log.
        var hasEncoding = false
        /// When a ping is due, in nanoseconds of the monotonic clock.
        var nextPing: UInt64?
        var pings: Int32 = 0
    }

    private let recorder: StreamRecorder
    private let clock: any Clock
    private let pingNanoseconds: UInt64?
    private let transport = Monitor(Transport())

    init(_ recorder: StreamRecorder, clock: any Clock, pingNanoseconds: UInt64?) {
        self.recorder = recorder
        self.clock = clock
        self.pingNanoseconds = pingNanoseconds
    }

    /// Connects, calls, and sends the request.
    func start(_ options: GRPCChannelOptions, metadata: [GRPCMetadataEntry], request: [UInt8]) {
        do throws(GRPCError) {
            let channel = try GRPCChannel(options)
            transport.withLock { $0.channel = channel }
            // Before the call, or its first answer could stand before the request in the log.
            recordSent(request)
            let call = try channel.startCall(
                GeyserSubscription.method,
                metadata: metadata,
                observer: self
            )
            transport.withLock {
                $0.call = call
                $0.nextPing = pingNanoseconds.map { clock.monotonicNanoseconds() &+ $0 }
            }
            try? call.send(request)  // A call that is over tells why by its end.
        } catch {
            transport.withLock { $0.isOver = true }
            recorder.ended(
                StreamEnding(cause: "not_started", text: "\(error)", advice: .refused),
                details: EventFields(),
                wasReached: false
            )
        }
    }

    private func recordSent(_ message: [UInt8]) {
        recorder.sent(.grpcMessageOut, wireByte: 0, payload: message.span.bytes)
    }

    // MARK: OpenStream

    func end() { transport.withLock { $0.call }?.cancel() }

    func tick(now: UInt64) -> UInt64? {
        guard let pingNanoseconds else { return nil }
        let due = transport.withLock { transport -> (GRPCCall, Int32)? in
            guard !transport.isOver, let call = transport.call, let next = transport.nextPing,
                next <= now
            else { return nil }
            transport.nextPing = now &+ pingNanoseconds
            guard transport.wasAccepted else { return nil }
            transport.pings = transport.pings == .max ? 1 : transport.pings + 1
            return (call, transport.pings)
        }
        if let (call, id) = due {
            var ping = SubscribeRequest()
            ping.ping = SubscribePing(id: id)
            let bytes = ping.encoded()
            recordSent(bytes)
            // A call that is over tells why by its end; one whose queue is full does not read, and
            // needs no ping to be noticed.
            try? call.send(bytes)
        }
        return transport.withLock { $0.isOver ? nil : $0.nextPing }
    }

    func release() {
        let channel = transport.withLock { transport in
            defer { transport.channel = nil }
            transport.call = nil
            return transport.channel
        }
        channel?.close()
    }

    // MARK: GRPCCallObserver

    func callAccepted(_ call: GRPCCall, metadata: [GRPCMetadataEntry], peer: String) {
        transport.withLock {
            $0.wasAccepted = true
            $0.peer = peer
        }
        recorder.accepted(
            peer: peer,
            metadata: metadata.map { .init($0.key, $0.value) },
            // A refusal without metadata looks the same.
            isCertain: !metadata.isEmpty
        )
    }

    func callReceived(_ call: GRPCCall, message: GRPCMessage) {
        if message.isCompressed { recordEncoding(message.encoding) }
        let ticket = recorder.received(
            .grpcMessageIn,
            wireByte: message.isCompressed ? 1 : 0,
            payload: RawSpan(_unsafeBytes: message.bytes)
        )
        if let ticket {
            call.pause()
            recorder.paused(ticket) { call.resume() }
        }
    }

    /// The core keeps `grpc-encoding` from the metadata and tells it only with a compressed
    /// message: a second acceptance says it, before the first such message.
    private func recordEncoding(_ encoding: GRPCEncoding) {
        let peer = transport.withLock { transport -> String? in
            defer { transport.hasEncoding = true }
            return transport.hasEncoding ? nil : transport.peer
        }
        guard let peer else { return }
        recorder.accepted(
            peer: peer,
            metadata: [.init("grpc-encoding", Array(encoding.name.utf8))]
        )
    }

    func callEnded(_ call: GRPCCall, status: GRPCStatus) {
        let wasReached = transport.withLock { transport in
            transport.isOver = true
            return transport.wasAccepted
        }
        var details = EventFields()
        details.add(.statusCode, UInt64(UInt32(bitPattern: status.code.rawValue)))
        let text = recorder.redactor.text(status.message)
        // A connect error gets the ending's own text in this field.
        if wasReached { details.add(.statusText, text) }
        for trailer in status.trailers {
            details.add(.trailer, .init(trailer.key, trailer.value), by: recorder.redactor)
        }
        if !status.debug.isEmpty { details.add(.evidence, recorder.redactor.text(status.debug)) }
        let ending = GeyserEnding.ending(
            code: status.code,
            message: status.message,
            debug: status.debug,
            wasReached: wasReached,
            isOnRequest: recorder.isEndAsked
        )
        recorder.ended(ending, details: details, wasReached: wasReached)
    }
}

/// What the end of a call means.
enum GeyserEnding {
    static func ending(
        code: GRPCStatusCode,
        message: String,
        debug: String,
        wasReached: Bool,
        isOnRequest: Bool
    ) -> StreamEnding {
        if isOnRequest, code == .cancelled {
            return StreamEnding(cause: "on_request", text: "ended on request", isOnRequest: true)
        }
        if code == .ok {
            return StreamEnding(
                cause: "server_ended",
                text: "the server ended the stream (OK)",
                isOrderly: true
            )
        }
        let words = message.isEmpty ? "" : ": \(message)"
        if code == .resourceExhausted, message.contains("larger than max") {
            return StreamEnding(
                cause: "message_too_large",
                text: "a message is over the receive limit\(words)"
            )
        }
        if code == .unimplemented, let name = refusedEncoding(in: message) {
            return StreamEnding(
                cause: "encoding_not_accepted",
                text: "the server compresses with \(name), which was not offered; offer it in the "
                    + "source's configuration with encodings: [\"\(name)\"]",
                advice: .refused
            )
        }
        if !wasReached {
            let lowered = (message + debug).lowercased()
            let isTLS =
                lowered.contains("certificate") || lowered.contains("hostname verification")
            return StreamEnding(
                cause: isTLS ? "tls_refused" : "connect_failed",
                text: "no connection\(words)",
                advice: isTLS ? .refused : .init(grpcStatus: code.rawValue)
            )
        }
        let name = code.name?.lowercased() ?? "code_\(code.rawValue)"
        return StreamEnding(
            cause: "grpc_\(name)",
            text: "the stream ended with \(code)\(words)",
            advice: .init(grpcStatus: code.rawValue)
        )
    }

    /// The encoding that the core refused, from its own words in call.cc; nil for anything else.
    private static func refusedEncoding(in message: String) -> String? {
        GRPCEncoding.allCases.map(\.name).first {
            message == "Compression algorithm '\($0)' is disabled."
        }
    }
}
