package import Platform
package import WebSocketProtocol

/// What a client asks for when it connects.
package struct ClientOptions: Sendable {
    /// Limits of the connection once it is open.
    package var limits = ConnectionLimits()
    /// Further fields of the request, such as Authorization or Origin.
    package var fields: [HTTPField] = []
    /// Subprotocols offered; usually none.
    package var subprotocols: [String] = []
    /// Whether permessage-deflate without context takeover is offered.
    package var offersCompression = false
    /// TLS settings for `wss`; nil trusts the authorities of the operating system.
    package var tls: TLSContext?
    /// Time for the name and for TCP, over all addresses of the host.
    package var connectMilliseconds: UInt64 = 10_000
    /// Time for TLS and the upgrade, each.
    package var handshakeMilliseconds: UInt64 = 10_000

    package init() {}
}

/// Opens WebSockets as a client. Proxies are never used, whatever the environment says.
package enum WebSocketClient {
    /// Starts to connect and returns at once; everything else comes through `events`.
    ///
    /// Events come on the loop's thread; only when the loop has stopped already, `connectFailed`
    /// comes on the caller's, before this returns. A redirect is reported as `rejected`.
    ///
    /// - Parameters:
    ///   - url: where to.
    ///   - options: what to ask for.
    ///   - loop: whose thread serves the connection.
    ///   - random: for the key and the masks.
    ///   - events: kept until the last event.
    /// - Returns: the connection, not open yet.
    package static func connect(
        _ url: WebSocketURL,
        options: ClientOptions = ClientOptions(),
        loop: EventLoop,
        random: any RandomSource = SystemRandom(),
        events: any WebSocketEvents
    ) -> WebSocketConnection {
        let connection = WebSocketConnection(
            role: .client,
            loop: loop,
            limits: options.limits,
            events: events
        )
        let isTaken = loop.submit {
            ClientOpening(connection, url, options, random: random).start()
        }
        if !isTaken {
            connection.openingFailed()
            events.connectFailed(connection, .stopped)
        }
        return connection
    }
}
