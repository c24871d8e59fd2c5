package import Capture
package import WebSocketProtocol
package import WebSocketTransport

/// Configured calls on a JSON-RPC WebSocket endpoint.
package struct EthereumSubscription: FrameSource {
    /// What is called and how.
    package struct Options: Sendable {
        package var id: String
        package var url: WebSocketURL
        /// Sent in this order with the ids 1, 2, 3... on every connection.
        package var calls: [EthereumCall]
        /// Further header fields of the upgrade request.
        package var fields: [HTTPField] = []
        /// Such as `evm:137`, if it is known.
        package var chain: String?
        /// nil trusts the authorities of the operating system.
        package var tls: TLSContext?
        /// Whether permessage-deflate without context takeover is offered.
        package var offersCompression = false
        /// Largest message taken, in bytes.
        package var receiveBytesMax = 64 << 20
        /// A ping is sent when nothing has come for so long; nil for none.
        package var pingMilliseconds: UInt64? = 20_000
        /// How long after such a ping something must come.
        package var pingTimeoutMilliseconds: UInt64 = 10_000
        package var policy = SourceMachine.Policy()

        package init(id: String, url: WebSocketURL, calls: [EthereumCall]) {
            self.id = id
            self.url = url
            self.calls = calls
        }
    }

    package let declaration: SourceDeclaration
    package let policy: SourceMachine.Policy
    private let options: Options
    private let loop: EventLoop

    /// - Parameters:
    ///   - options: what to call.
    ///   - loop: serves the connections; the owner stops it after the last has ended.
    package init(_ options: Options, loop: EventLoop) {
        self.options = options
        self.loop = loop
        policy = options.policy
        let url = options.url.redacted
        let scheme = options.url.isSecure ? "wss://" : "ws://"
        let place = url.dropFirst(scheme.count).prefix { $0 != "/" && $0 != "?" }
        declaration = SourceDeclaration(
            id: options.id,
            chain: options.chain,
            transport: "websocket",
            endpoint: scheme + place,
            method: String(url.dropFirst(scheme.count + place.count)),
            metadata: options.fields.map { .init($0.name, Array($0.value.utf8)) }
                + (options.url.authorization == nil ? [] : [.init("Authorization", [0x2A])]),
            requests: options.calls.indices.map { options.calls[$0].message(id: $0 + 1) },
            settings: Self.settings(options)
        )
    }

    private static func settings(_ options: Options) -> String {
        let ping = options.pingMilliseconds.map {
            "\($0) ms, answer within \(options.pingTimeoutMilliseconds) ms"
        }
        return "permessage-deflate \(options.offersCompression ? "offered" : "off"); messages up "
            + "to \(options.receiveBytesMax) bytes; ping \(ping ?? "off")"
    }

    package func open(_ recorder: StreamRecorder) -> any OpenStream {
        var client = ClientOptions()
        client.fields = options.fields
        client.tls = options.tls
        client.offersCompression = options.offersCompression
        client.limits.framePayloadBytesMax = options.receiveBytesMax
        client.limits.messageBytesMax = options.receiveBytesMax
        client.limits.pingMilliseconds = options.pingMilliseconds
        client.limits.pingTimeoutMilliseconds = options.pingTimeoutMilliseconds
        let stream = EthereumStream(recorder, options.calls)
        stream.start(options.url, client, loop)
        return stream
    }
}
