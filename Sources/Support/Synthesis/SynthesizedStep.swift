/// One thing that happened on one stream of a synthetic market, in the order a recorder saw it.
package struct SynthesizedStep: Equatable, Sendable {
    /// Ordinal of the stream in this run, from 1; each `opened` brings the next number.
    package var stream: UInt32
    /// Nanoseconds since 1970-01-01T00:00:00Z.
    package var wallNanoseconds: Int64
    /// Nanoseconds since an arbitrary start; never steps back from one step to the next.
    package var monotonicNanoseconds: UInt64
    package var event: Event
    /// Of the end of a stream: whether its source opens another one.
    package var comesBack = false

    /// What happened.
    package enum Event: Equatable, Sendable {
        case opened(SynthesizedStream)
        /// What the server answered: HTTP status and the metadata or header fields in wire order.
        case accepted(status: UInt16, fields: [SynthesizedField])
        /// The bytes of one gRPC message, uncompressed, without the five bytes before it.
        case message(FrameDirection, [UInt8])
        case frame(FrameDirection, SynthesizedFrame)
        case closed(SynthesizedEnd)
    }

    /// Which way bytes went.
    package enum FrameDirection: Equatable, Sendable {
        /// From the server to the client.
        case incoming
        /// From the client to the server.
        case outgoing
    }
}

/// The identity of a stream when it opens.
package struct SynthesizedStream: Equatable, Sendable {
    /// The protocol of a stream.
    package enum Kind: Equatable, Sendable {
        /// A call of `/geyser.Geyser/Subscribe`.
        case geyser
        /// A WebSocket connection that carries Ethereum JSON-RPC.
        case ethereum
    }

    /// The stable id of the configured source that the stream serves, from 1.
    package var source: UInt32
    package var kind: Kind
    /// The address, without secrets.
    package var endpoint: String
    /// The gRPC method path, or the HTTP method of the upgrade.
    package var method: String
    /// Request metadata or request header fields in wire order.
    package var fields: [SynthesizedField]
}

/// One metadata entry or HTTP header field.
package struct SynthesizedField: Equatable, Sendable {
    package var name: String
    package var value: String
}

/// One WebSocket frame (RFC 6455 section 5.2); a message over 1024 bytes is several of them.
package struct SynthesizedFrame: Equatable, Sendable {
    /// 0 continuation, 1 text, 8 close, 9 ping, 10 pong.
    package var opcode: UInt8
    package var isFinal: Bool
    /// The three reserved bits; always 0 here, since no extension is negotiated.
    package var reservedBits: UInt8 = 0
    /// Unmasked.
    package var payload: [UInt8]
    /// The masking key in wire order as a big-endian number; set on every client frame.
    package var maskKey: UInt32?
}

/// How a stream ended.
package enum SynthesizedEnd: Equatable, Sendable {
    /// A gRPC status; 0 is OK. Trailers in wire order.
    case grpc(status: UInt8, message: String, trailers: [SynthesizedField])
    /// A close code; 1006 when no close frame was seen.
    case webSocket(code: UInt16, reason: String)
}
