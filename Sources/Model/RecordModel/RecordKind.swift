/// What a record is. Kinds that this build does not know are carried as they are.
///
/// Zero is never a kind, so unwritten bytes never read as a record. The numbers are part of the
/// format (Sources/Log/README.md) and never change their meaning.
package struct RecordKind: RawRepresentable, Hashable, Sendable {
    package let rawValue: UInt8

    package init(rawValue: UInt8) { self.rawValue = rawValue }

    // Data frames: the payload is what the wire carried.

    /// A gRPC message that arrived; the payload is its bytes, compressed or not.
    package static let grpcMessageIn = RecordKind(rawValue: 1)
    /// A gRPC message that we sent.
    package static let grpcMessageOut = RecordKind(rawValue: 2)
    /// A WebSocket frame that arrived, control frames and fragments too; payload unmasked.
    package static let webSocketFrameIn = RecordKind(rawValue: 3)
    /// A WebSocket frame that we sent; payload unmasked, the mask key is kept.
    package static let webSocketFrameOut = RecordKind(rawValue: 4)
    /// What had arrived of a frame when its stream broke: raw bytes, frame header included.
    package static let partialFrameIn = RecordKind(rawValue: 5)

    // Stream events: the payload is a list of fields (EventFields).

    /// A stream is being opened; its sequence becomes the stream's id.
    package static let streamOpened = RecordKind(rawValue: 16)
    /// The other side took the stream: response metadata or HTTP status and headers.
    package static let streamAccepted = RecordKind(rawValue: 17)
    /// The stream has ended, and why.
    package static let streamClosed = RecordKind(rawValue: 18)
    /// No stream came about, and why.
    package static let connectError = RecordKind(rawValue: 19)

    // Recorder events.

    /// A process began to write the recording.
    package static let runStarted = RecordKind(rawValue: 32)
    /// The process stopped writing in good order.
    package static let runEnded = RecordKind(rawValue: 33)
    /// A source and its configuration.
    package static let sourceDeclared = RecordKind(rawValue: 34)
    /// What a stream subscribes to from here on.
    package static let subscriptionDecided = RecordKind(rawValue: 35)
    /// Something may be missing from here.
    package static let gapOpened = RecordKind(rawValue: 36)
    /// What was missing has been fetched and proved.
    package static let gapFilled = RecordKind(rawValue: 37)
    /// What was missing is given up, with a reason.
    package static let gapAbandoned = RecordKind(rawValue: 38)
    /// Another connection took a group over.
    package static let failover = RecordKind(rawValue: 39)
    /// A circuit breaker changed its state.
    package static let breakerTransition = RecordKind(rawValue: 40)
    /// The rate limiter held a subscription back.
    package static let rateLimitWait = RecordKind(rawValue: 41)
    /// A fact from outside the streams.
    package static let enrichment = RecordKind(rawValue: 42)
    /// A remark by the recorder or a person.
    package static let note = RecordKind(rawValue: 43)
    /// The upper end of an open gap is known: its source delivers again.
    package static let gapBounded = RecordKind(rawValue: 44)

    /// Whether the payload is what a wire carried rather than a list of fields.
    package var isDataFrame: Bool { rawValue >= 1 && rawValue < 16 }
    /// Whether the payload is a list of fields as far as this build knows.
    package var isEvent: Bool { rawValue >= 16 && rawValue <= 44 && name != nil }

    /// The kind's name in every output, or nil for a kind that this build does not know.
    package var name: String? {
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
    package var description: String { name ?? "kind_\(rawValue)" }
}
