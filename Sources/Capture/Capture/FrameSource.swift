/// What a recording says about a source before anything else.
package struct SourceDeclaration: Sendable, Equatable {
    /// Stable over restarts: gaps and checkpoints name the source by it.
    package var id: String
    /// Such as `solana` or `evm:137`; nil when it is not known.
    package var chain: String?
    /// `grpc` or `websocket`.
    package var transport: String
    /// The address without credentials.
    package var endpoint: String
    /// The gRPC method path or the path of the WebSocket request, without keys.
    package var method: String
    /// Metadata or header fields that are sent; secrets are masked when they are written.
    package var metadata: [Pair]
    /// The requests as they go on the wire.
    package var requests: [[UInt8]]
    /// Settings worth knowing later, for people.
    package var settings: String

    /// A name with a value.
    package struct Pair: Sendable, Equatable {
        package let name: String
        package let value: [UInt8]

        package init(_ name: String, _ value: [UInt8]) {
            self.name = name
            self.value = value
        }
    }

    package init(
        id: String,
        chain: String?,
        transport: String,
        endpoint: String,
        method: String,
        metadata: [Pair] = [],
        requests: [[UInt8]],
        settings: String
    ) {
        self.id = id
        self.chain = chain
        self.transport = transport
        self.endpoint = endpoint
        self.method = method
        self.metadata = metadata
        self.requests = requests
        self.settings = settings
    }
}

/// A configured subscription: opens streams, one at a time.
package protocol FrameSource: Sendable {
    var declaration: SourceDeclaration { get }
    var policy: SourceMachine.Policy { get }

    /// Opens a stream. Everything it brings goes to the recorder, perhaps before this returns, and
    /// last its end.
    ///
    /// - Parameter recorder: records the stream; its opening is recorded already.
    /// - Returns: the stream, to be released when its end has been told.
    func open(_ recorder: StreamRecorder) -> any OpenStream
}

/// A stream on its way, open, or ended.
package protocol OpenStream: AnyObject, Sendable {
    /// Asks the stream to end; the end is told to the recorder. More calls do nothing.
    func end()
    /// Does what is due, such as a ping.
    ///
    /// - Parameter now: nanoseconds of the monotonic clock.
    /// - Returns: when to call again; nil for never.
    func tick(now: UInt64) -> UInt64?
    /// Frees what the stream holds, after its end. May take a moment.
    func release()
}
