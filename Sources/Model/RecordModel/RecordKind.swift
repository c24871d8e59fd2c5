/// What a record is. Kinds that this build does not know are carried as they are.
///
/// Zero is never a kind, so unwritten bytes never read as a record. The numbers are part of the
/// format (Sources/Log/README.md) and never change their meaning.
public struct RecordKind: RawRepresentable, Hashable, Sendable {
    /// The number as stored.
    public let rawValue: UInt8

    /// The kind of a stored number.
    @inlinable
    public init(rawValue: UInt8) { self.rawValue = rawValue }

    // Data frames: the payload is what the wire carried.

    /// A gRPC message that arrived; the payload is its bytes, compressed or not.
    @inlinable
    public static var grpcMessageIn: RecordKind { RecordKind(rawValue: 1) }
    /// A gRPC message that we sent.
    @inlinable
    public static var grpcMessageOut: RecordKind { RecordKind(rawValue: 2) }
    /// A WebSocket frame that arrived, control frames and fragments too; payload unmasked.
    @inlinable
    public static var webSocketFrameIn: RecordKind { RecordKind(rawValue: 3) }
    /// A WebSocket frame that we sent; payload unmasked, the mask key is kept.
    @inlinable
    public static var webSocketFrameOut: RecordKind { RecordKind(rawValue: 4) }
    /// What had arrived of a frame when its stream broke: raw bytes, frame header included.
    @inlinable
    public static var partialFrameIn: RecordKind { RecordKind(rawValue: 5) }

    // Stream events: the payload is a list of fields (EventFields).

    /// A stream is being opened; its sequence becomes the stream's id.
    @inlinable
    public static var streamOpened: RecordKind { RecordKind(rawValue: 16) }
    /// The other side took the stream: response metadata or HTTP status and headers.
    @inlinable
    public static var streamAccepted: RecordKind { RecordKind(rawValue: 17) }
    /// The stream has ended, and why.
    @inlinable
    public static var streamClosed: RecordKind { RecordKind(rawValue: 18) }
    /// No stream came about, and why.
    @inlinable
    public static var connectError: RecordKind { RecordKind(rawValue: 19) }

    // Recorder events.

    /// A process began to write the recording.
    @inlinable
    public static var runStarted: RecordKind { RecordKind(rawValue: 32) }
    /// The process stopped writing in good order.
    @inlinable
    public static var runEnded: RecordKind { RecordKind(rawValue: 33) }
    /// A source and its configuration.
    @inlinable
    public static var sourceDeclared: RecordKind { RecordKind(rawValue: 34) }
    /// What a stream subscribes to from here on; with an `answer`, that the other side took it.
    @inlinable
    public static var subscriptionDecided: RecordKind { RecordKind(rawValue: 35) }
    /// Something may be missing from here.
    @inlinable
    public static var gapOpened: RecordKind { RecordKind(rawValue: 36) }
    /// What was missing has been fetched and proved.
    @inlinable
    public static var gapFilled: RecordKind { RecordKind(rawValue: 37) }
    /// What was missing is given up, with a reason.
    @inlinable
    public static var gapAbandoned: RecordKind { RecordKind(rawValue: 38) }
    /// Another connection took a group over.
    @inlinable
    public static var failover: RecordKind { RecordKind(rawValue: 39) }
    /// A circuit breaker changed its state.
    @inlinable
    public static var breakerTransition: RecordKind { RecordKind(rawValue: 40) }
    /// The rate limiter held a subscription back.
    @inlinable
    public static var rateLimitWait: RecordKind { RecordKind(rawValue: 41) }
    /// A fact from outside the streams.
    @inlinable
    public static var enrichment: RecordKind { RecordKind(rawValue: 42) }
    /// A remark by the recorder or a person.
    @inlinable
    public static var note: RecordKind { RecordKind(rawValue: 43) }
    /// The upper end of an open gap is known: its source delivers again.
    @inlinable
    public static var gapBounded: RecordKind { RecordKind(rawValue: 44) }

    /// Whether the payload is what a wire carried rather than a list of fields.
    @inlinable
    public var isDataFrame: Bool { rawValue >= 1 && rawValue < 16 }
    /// Whether the payload is a list of fields as far as this build knows.
    public var isEvent: Bool { rawValue >= 16 && rawValue <= 44 && name != nil }

    /// The kind's name in every output, or nil for a kind that this build does not know.
    public var name: String? {
        switch self {
        case .grpcMessageIn: "grpc_message_in"
        case .grpcMessageOut: "grpc_message_out"
        case .webSocketFrameIn: "websocket_frame_in"
        case .webSocketFrameOut: "websocket_frame_out"
        case .partialFrameIn: "partial_frame_in"
        case .streamOpened: "stream_opened"
        case .streamAccepted: "stream_accepted"
        case .streamClosed: "stream_closed"
        case .connectError: "connect_error"
        case .runStarted: "run_started"
        case .runEnded: "run_ended"
        case .sourceDeclared: "source_declared"
        case .subscriptionDecided: "subscription_decided"
        case .gapOpened: "gap_opened"
        case .gapFilled: "gap_filled"
        case .gapAbandoned: "gap_abandoned"
        case .failover: "failover"
        case .breakerTransition: "breaker_transition"
        case .rateLimitWait: "rate_limit_wait"
        case .enrichment: "enrichment"
        case .note: "note"
        case .gapBounded: "gap_bounded"
        default: nil
        }
    }
}

extension RecordKind: CustomStringConvertible {
    /// The name, or `kind_N`.
    public var description: String { name ?? "kind_\(rawValue)" }
}
