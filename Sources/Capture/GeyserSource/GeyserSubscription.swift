package import Capture
package import GRPCTransport
package import GeyserDecoding
package import Platform

/// A configured Yellowstone subscription.
package struct GeyserSubscription: FrameSource {
    /// What is subscribed to and how.
    package struct Options: Sendable {
        package var id: String
        package var address: GeyserAddress
        package var request: SubscribeRequest
        /// Sent as `x-token`.
        package var token: String?
        /// Sent beside it; keys in lower case.
        package var metadata: [GRPCMetadataEntry] = []
        /// PEM of the only trusted roots; nil for the roots of the machine.
        package var rootsPEM: String?
        /// The name that the certificate must bear; nil for the host.
        package var serverName: String?
        package var acceptedEncodings: Set<GRPCEncoding> = [.identity]
        /// Largest message taken, in bytes as on the wire.
        package var receiveBytesMax = 64 << 20
        /// HTTP/2 pings; nil for none.
        package var keepaliveMilliseconds: Int? = 20_000
        package var keepaliveTimeoutMilliseconds = 10_000
        /// Nanoseconds between pings inside the stream; nil for none. Load balancers cut clients
        /// that never send, whatever the HTTP/2 pings do.
        package var pingNanoseconds: UInt64? = 30_000_000_000
        package var policy = SourceMachine.Policy()

        package init(id: String, address: GeyserAddress, request: SubscribeRequest) {
            self.id = id
            self.address = address
            self.request = request
        }
    }

    /// The method that is called.
    package static let method = "/geyser.Geyser/Subscribe"

    package let declaration: SourceDeclaration
    package let policy: SourceMachine.Policy
    private let options: Options
    private let channelOptions: GRPCChannelOptions
    private let metadata: [GRPCMetadataEntry]
    private let request: [UInt8]
    private let clock: any Clock

    /// - Parameters:
    ///   - options: what to subscribe to.
    ///   - clock: for the pings.
    package init(_ options: Options, clock: any Clock) {
        self.options = options
        self.clock = clock
        policy = options.policy
        request = options.request.encoded()
        var channel = GRPCChannelOptions(
            target: options.address.target,
            security: options.address.isSecure
                ? .tls(rootsPEM: options.rootsPEM, serverName: options.serverName) : .plaintext
        )
        channel.receiveBytesMax = options.receiveBytesMax
        channel.acceptedEncodings = options.acceptedEncodings
        channel.keepaliveMilliseconds = options.keepaliveMilliseconds
        channel.keepaliveTimeoutMilliseconds = options.keepaliveTimeoutMilliseconds
        channelOptions = channel
        var metadata = options.metadata
        if let token = options.token { metadata.insert(GRPCMetadataEntry("x-token", token), at: 0) }
        self.metadata = metadata
        declaration = SourceDeclaration(
            id: options.id,
            chain: "solana",
            transport: "grpc",
            endpoint: options.address.text,
            method: Self.method,
            metadata: metadata.map { .init($0.key, $0.value) },
            requests: [request],
            settings: Self.settings(options)
        )
    }

    private static func settings(_ options: Options) -> String {
        let encodings = options.acceptedEncodings.map(\.name).sorted().joined(separator: ",")
        let keepalive = options.keepaliveMilliseconds.map {
            "\($0) ms, answer within \(options.keepaliveTimeoutMilliseconds) ms"
        }
        let ping = options.pingNanoseconds.map { "\($0 / 1_000_000) ms" }
        return "encodings \(encodings); messages up to \(options.receiveBytesMax) bytes; "
            + "keepalive \(keepalive ?? "off"); ping \(ping ?? "off")"
    }

    package func open(_ recorder: StreamRecorder) -> any OpenStream {
        let stream = GeyserStream(recorder, clock: clock, pingNanoseconds: options.pingNanoseconds)
        stream.start(channelOptions, metadata: metadata, request: request)
        return stream
    }
}
