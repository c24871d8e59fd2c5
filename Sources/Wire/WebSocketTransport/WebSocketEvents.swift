package import WebSocketProtocol

/// What a connection reports, on the loop's thread, one call at a time.
///
/// A client connection gives exactly one last event: `connectFailed`, `rejected` or, after
/// `opened`, `ended`. Nothing comes after it. A server connection gives `opened` and `ended`.
package protocol WebSocketEvents: AnyObject, Sendable {
    /// The handshake is done; frames may be sent from now on.
    func opened(_ connection: WebSocketConnection, _ opening: Opening)
    /// The server answered, but refused the upgrade (401, 403, 429, 503, a redirect, ...).
    func rejected(_ connection: WebSocketConnection, _ rejection: Rejection)
    /// There never was a WebSocket.
    func connectFailed(_ connection: WebSocketConnection, _ failure: ConnectFailure)
    /// A whole frame has arrived: any frame, control frames and those against the rules included,
    /// before anything is done about it. Its payload, unmasked, is valid during the call. For
    /// whoever keeps frames; who answers them does so in `frameAccepted`.
    func frameReceived(
        _ connection: WebSocketConnection,
        _ header: FrameHeader,
        _ payload: Span<UInt8>
    )
    /// The frame that has just been reported keeps the rules: act on it here. Not called for a
    /// frame against them, nor for any that follows it or a close frame. Its payload is valid
    /// during the call.
    func frameAccepted(
        _ connection: WebSocketConnection,
        _ header: FrameHeader,
        _ payload: Span<UInt8>
    )
    /// A frame of ours is about to go to the socket: the caller's, an automatic pong, a close. Its
    /// header has the mask key used; its payload, not masked, is valid during the call. Servers
    /// report it only when asked to (`ConnectionLimits.reportsSentFrames`).
    func frameSent(
        _ connection: WebSocketConnection,
        _ header: FrameHeader,
        _ payload: Span<UInt8>
    )
    /// The outgoing queue has fallen to half its limit after a send was refused for space.
    func drained(_ connection: WebSocketConnection)
    /// The WebSocket is over. Comes exactly once after `opened`.
    func ended(_ connection: WebSocketConnection, _ end: ConnectionEnd)
}

extension WebSocketEvents {
    /// Does nothing; servers never reject through events.
    package func rejected(_ connection: WebSocketConnection, _ rejection: Rejection) {}
    /// Does nothing; servers never connect.
    package func connectFailed(_ connection: WebSocketConnection, _ failure: ConnectFailure) {}
    /// Does nothing.
    package func frameAccepted(
        _ connection: WebSocketConnection,
        _ header: FrameHeader,
        _ payload: Span<UInt8>
    ) {}
    /// Does nothing.
    package func frameSent(
        _ connection: WebSocketConnection,
        _ header: FrameHeader,
        _ payload: Span<UInt8>
    ) {}
    /// Does nothing; `waitForSpace` tells as much.
    package func drained(_ connection: WebSocketConnection) {}
}

/// How a WebSocket began.
package struct Opening: Sendable {
    /// The server's answer; nil on the server's side.
    package let response: HTTPResponseHead?
    /// The client's request; nil on the client's side.
    package let request: HTTPRequestHead?
    /// Compression and subprotocol.
    package let agreement: HandshakeAgreement
    /// The peer as `address:port`.
    package let peer: String
}

/// An answer other than 101.
package struct Rejection: Sendable {
    package let response: HTTPResponseHead
    /// The first bytes of the body as they came (a chunked one with its chunk marks), at most
    /// `WebSocketLimits.rejectionBodyBytesMax`.
    package let body: [UInt8]
}

/// Why no WebSocket came about.
package enum ConnectFailure: Error, Equatable, Sendable {
    /// How far the attempt had come.
    package enum Stage: Sendable { case resolve, connect, tls, upgrade }

    /// The name has no address: getaddrinfo's words. Retry later; the name may be wrong.
    case dns(String)
    /// Every address refused the connection (ECONNREFUSED). Retry later.
    case refused
    /// The last address failed otherwise: the errno. Retry later.
    case unreachable(errno: Int32)
    /// The time for this stage was over. Retry later.
    case timedOut(Stage)
    /// TLS failed: OpenSSL's reason, such as an untrusted chain or a wrong name. Do not retry.
    case tls(String)
    /// The stream broke before the answer was whole. Retry later.
    case closedEarly(Stage)
    /// The answer is no HTTP. The endpoint is something else.
    case malformedAnswer(HTTPHeadError)
    /// The answer or our request breaks the handshake. The endpoint or the options are wrong.
    case handshake(HandshakeError)
    /// `close` or `abort` was called first.
    case cancelled
    /// The loop stopped first.
    case stopped
    /// No socket or thread could be made: the errno.
    case system(errno: Int32)
}

/// How and after how much a WebSocket ended.
package struct ConnectionEnd: Sendable {
    /// Why it ended.
    package enum Cause: Equatable, Sendable {
        /// The peer's close frame came first.
        case closedByPeer(CloseBody)
        /// Our close frame came first; the peer's answer, or nil when none came in time.
        case closedByUs(CloseBody, answer: CloseBody?)
        /// The stream ended without close frame (code 1006); under TLS, whether the peer ended
        /// that properly (without, an attacker may have cut it).
        case streamEnd(isClean: Bool)
        /// The stream broke (code 1006).
        case broken(StreamFailure)
        /// The peer broke the rules, its frame has been reported, and we closed with the
        /// violation's code.
        case violation(Violation)
        /// No byte came within the ping's timeout (code 1006).
        case pingTimeout
        /// No byte came within the idle timeout (code 1006).
        case idleTimeout
        /// We ended it without close frame: `abort` or `endStream`.
        case aborted
        /// The loop stopped.
        case stopped
    }

    /// Why it ended.
    package let cause: Cause
    /// Bytes that arrived and were part of no reported frame, as on the wire: an unfinished frame,
    /// or what followed the frame that ended it all.
    package let unreadBytes: [UInt8]
    /// Bytes read after the handshake, after TLS.
    package let receivedByteCount: UInt64
    /// Bytes given to the socket after the handshake, before TLS.
    package let sentByteCount: UInt64
    /// Bytes that came after the end was decided and were thrown away.
    package let discardedByteCount: UInt64
    /// Frames reported as received.
    package let receivedFrameCount: UInt64

    /// The close code as RFC 6455 section 7.1.5 has it: the peer's, 1005 for a close frame without
    /// one, 1006 for none.
    package var closeCode: UInt16 {
        switch cause {
        case .closedByPeer(let body): body.code ?? CloseCode.none
        case .closedByUs(_, .some(let answer)): answer.code ?? CloseCode.none
        default: CloseCode.abnormal
        }
    }
}

/// Limits and timeouts of one connection.
package struct ConnectionLimits: Sendable {
    /// Largest payload of a frame, in bytes.
    package var framePayloadBytesMax = WebSocketLimits.framePayloadBytesMax
    /// Largest message, in bytes, fragments together.
    package var messageBytesMax = WebSocketLimits.messageBytesMax
    /// Bytes that may wait to be sent. A single larger frame is taken when nothing waits.
    package var queuedBytesMax = 1 << 20
    /// Bytes of receive buffer on a busy connection.
    package var receiveBufferBytes = 256 << 10
    /// How long the closing handshake and the end of the stream may take.
    package var closeMilliseconds: UInt64 = 3_000
    /// A ping is sent when nothing has come for so long; nil sends none.
    package var pingMilliseconds: UInt64?
    /// How long after such a ping something must come.
    package var pingTimeoutMilliseconds: UInt64 = 10_000
    /// The connection is ended when nothing has come for so long; nil waits for ever.
    package var idleMilliseconds: UInt64?
    /// Whether `frameSent` is called. Always true for clients.
    package var reportsSentFrames = true

    package init() {}
}

/// Why a frame was not taken.
package enum SendError: Error, Equatable, Sendable {
    /// The outgoing queue is full: wait for `drained` or call `waitForSpace`.
    case queueFull
    /// Not open yet, closing or over: the frame will never be sent.
    case closed
}
