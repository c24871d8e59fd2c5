import Capture
import WebSocketProtocol
import WebSocketTransport

/// What the end of a WebSocket means.
enum EthereumEnding {
    static func ending(_ end: ConnectionEnd, isOnRequest: Bool) -> StreamEnding {
        switch end.cause {
        case .closedByPeer(let body):
            let code = end.closeCode
            let reason = String(decoding: body.reason, as: UTF8.self)
            return StreamEnding(
                cause: "closed_\(code)",
                text: "the server closed the connection with code \(code)"
                    + (reason.isEmpty ? "" : ": \(reason)"),
                advice: .init(closeCode: code),
                isOrderly: code == CloseCode.normal || code == CloseCode.goingAway
            )
        case .closedByUs, .aborted, .stopped:
            return StreamEnding(
                cause: isOnRequest ? "on_request" : "closed_by_us",
                text: isOnRequest ? "ended on request" : "the connection was closed on our side",
                isOnRequest: isOnRequest
            )
        case .streamEnd(let isClean):
            return StreamEnding(
                cause: "connection_lost",
                text: "the server ended the connection without a close frame"
                    + (isClean ? "" : ", cut off under TLS")
            )
        case .broken(let failure):
            return StreamEnding(
                cause: "connection_broken",
                text: "the connection broke: \(failure)"
            )
        case .violation(.messageOverLimit(let limit)):
            return StreamEnding(
                cause: "message_too_large",
                text: "a message is over the receive limit of \(limit) bytes"
            )
        case .violation(.frame(.overLimit(let length, let limit))):
            return StreamEnding(
                cause: "message_too_large",
                text: "a frame of \(length) bytes is over the receive limit of \(limit) bytes"
            )
        case .violation(let violation):
            return StreamEnding(
                cause: "protocol_violation",
                text: "the server broke the WebSocket protocol: \(violation)"
            )
        case .pingTimeout:
            return StreamEnding(cause: "ping_timeout", text: "a ping was not answered in time")
        case .idleTimeout:
            return StreamEnding(cause: "idle_timeout", text: "nothing came for too long")
        }
    }

    static func ending(_ failure: ConnectFailure, isOnRequest: Bool) -> StreamEnding {
        if isOnRequest, failure == .cancelled || failure == .stopped {
            return StreamEnding(cause: "on_request", text: "ended on request", isOnRequest: true)
        }
        switch failure {
        case .dns(let words):
            return StreamEnding(cause: "name_unknown", text: "the name has no address: \(words)")
        case .refused:
            return StreamEnding(cause: "connect_failed", text: "the connection was refused")
        case .unreachable(let errno):
            return StreamEnding(
                cause: "connect_failed",
                text: "the endpoint cannot be reached (errno \(errno))"
            )
        case .timedOut(let stage):
            return StreamEnding(cause: "connect_timeout", text: "no answer in time (\(stage))")
        case .tls(let reason):
            return StreamEnding(
                cause: "tls_refused",
                text: "TLS failed: \(reason)",
                advice: .refused
            )
        case .closedEarly(let stage):
            return StreamEnding(
                cause: "connect_failed",
                text: "the connection ended before it was open (\(stage))"
            )
        case .malformedAnswer(let error):
            return StreamEnding(
                cause: "not_websocket",
                text: "the answer is no HTTP: \(error)",
                advice: .refused
            )
        case .handshake(let error):
            return StreamEnding(
                cause: "not_websocket",
                text: "the endpoint did not accept a WebSocket: \(error)",
                advice: .refused
            )
        case .cancelled, .stopped:
            return StreamEnding(cause: "connect_failed", text: "the attempt was broken off")
        case .system(let errno):
            return StreamEnding(
                cause: "connect_failed",
                text: "no socket or thread could be made (errno \(errno))"
            )
        }
    }
}
