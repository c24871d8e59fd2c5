/// What a field of an event means. One register for all events; numbers are never reused.
package struct FieldID: RawRepresentable, Hashable, Sendable {
    package let rawValue: UInt16
    package init(rawValue: UInt16) { self.rawValue = rawValue }

    /// Text: the id of a configured source.
    package static let source = FieldID(rawValue: 1)
    /// Text: the address, without credentials.
    package static let endpoint = FieldID(rawValue: 2)
    /// Text: the gRPC method path or the WebSocket request path, redacted.
    package static let method = FieldID(rawValue: 3)
    /// Pair, repeated: request metadata or HTTP headers, secrets masked.
    package static let requestMetadata = FieldID(rawValue: 4)
    /// Pair, repeated: response metadata or HTTP headers, secrets masked.
    package static let responseMetadata = FieldID(rawValue: 5)
    /// Pair, repeated: gRPC trailers, secrets masked.
    package static let trailer = FieldID(rawValue: 6)
    /// Unsigned: HTTP status.
    package static let httpStatus = FieldID(rawValue: 7)
    /// Unsigned: gRPC status code.
    package static let statusCode = FieldID(rawValue: 8)
    /// Text: gRPC status message or error text, secrets masked.
    package static let statusText = FieldID(rawValue: 9)
    /// Unsigned: WebSocket close code; 1006 stands for an end without a close frame.
    package static let closeCode = FieldID(rawValue: 10)
    /// Text: WebSocket close reason, secrets masked.
    package static let closeReason = FieldID(rawValue: 11)
    /// Text: a cause by its name (StreamEnd.Cause, GapCause).
    package static let cause = FieldID(rawValue: 12)
    /// Text: what speaks for the statement.
    package static let evidence = FieldID(rawValue: 13)
    /// Unsigned: first or last known sequence below a range.
    package static let fromSequence = FieldID(rawValue: 14)
    /// Unsigned: last sequence of a range, or the first one above a gap.
    package static let toSequence = FieldID(rawValue: 15)
    /// Unsigned: slot or block at the lower end.
    package static let fromPosition = FieldID(rawValue: 16)
    /// Unsigned: slot or block at the upper end.
    package static let toPosition = FieldID(rawValue: 17)
    /// Signed: wall-clock nanoseconds at the lower end.
    package static let fromTime = FieldID(rawValue: 18)
    /// Signed: wall-clock nanoseconds at the upper end.
    package static let toTime = FieldID(rawValue: 19)
    /// Unsigned: the writer epoch of a run.
    package static let writerEpoch = FieldID(rawValue: 20)
    /// Text: version of the program that wrote.
    package static let toolVersion = FieldID(rawValue: 21)
    /// Unsigned: ordinal of the segment that recovery worked on.
    package static let segmentOrdinal = FieldID(rawValue: 22)
    /// Unsigned: offset in bytes at which recovery cut.
    package static let cutOffset = FieldID(rawValue: 23)
    /// Unsigned: bytes that recovery cut and kept aside.
    package static let cutBytes = FieldID(rawValue: 24)
    /// Unsigned: the last sequence that recovery kept.
    package static let lastSequenceKept = FieldID(rawValue: 25)
    /// Text: the chain, such as `solana` or `evm:137`.
    package static let chain = FieldID(rawValue: 26)
    /// Text: `grpc` or `websocket`.
    package static let transport = FieldID(rawValue: 27)
    /// Bytes: a request as it goes on the wire.
    package static let request = FieldID(rawValue: 28)
    /// Unsigned: the sequence of a gap-opened record.
    package static let gap = FieldID(rawValue: 29)
    /// Boolean: the end was asked for on our side.
    package static let onRequest = FieldID(rawValue: 30)
    /// Text: negotiated WebSocket extensions.
    package static let extensions = FieldID(rawValue: 31)
    /// Text: a remark.
    package static let text = FieldID(rawValue: 32)
    /// Text: where imported or derived records come from.
    package static let origin = FieldID(rawValue: 33)
    /// Text: the subscription group.
    package static let group = FieldID(rawValue: 34)
    /// Unsigned: frames that a stream or run delivered.
    package static let frames = FieldID(rawValue: 35)
    /// Unsigned: payload bytes that a stream or run delivered.
    package static let bytes = FieldID(rawValue: 36)
    /// Unsigned: the try's number, from 1.
    package static let attempt = FieldID(rawValue: 37)
    /// Unsigned: nanoseconds until the next try.
    package static let delay = FieldID(rawValue: 38)
    /// Text: address of the peer as the transport tells it.
    package static let peer = FieldID(rawValue: 39)
    /// Bytes: the answer to a request, as it came on the wire.
    package static let answer = FieldID(rawValue: 40)
    /// Text: what the key of a fact belongs to, such as `price`.
    package static let namespace = FieldID(rawValue: 41)
    /// Text: what a fact is about, such as `SOL/USD`.
    package static let key = FieldID(rawValue: 42)
    /// Text or bytes: what is known of it.
    package static let value = FieldID(rawValue: 43)
    /// Unsigned: slot or block that a fact was true at, as its source says.
    package static let asOfPosition = FieldID(rawValue: 44)

    /// The field's name in every output, or nil for an id that this build does not know.
    package var name: String? {
        let index = Int(rawValue)
        return index >= 1 && index <= Self.names.count ? Self.names[index - 1] : nil
    }

    private static let names = [
        "source", "endpoint", "method", "request_metadata", "response_metadata", "trailer",
        "http_status", "status_code", "status_text", "close_code", "close_reason", "cause",
        "evidence", "from_sequence", "to_sequence", "from_position", "to_position", "from_time_ns",
        "to_time_ns", "writer_epoch", "tool_version", "segment_ordinal", "cut_offset", "cut_bytes",
        "last_sequence_kept", "chain", "transport", "request", "gap", "on_request", "extensions",
        "text", "origin", "group", "frames", "bytes", "attempt", "delay_ns", "peer",
        "answer", "namespace", "key", "value", "as_of_position",
    ]
}

extension FieldID: CustomStringConvertible {
    package var description: String { name ?? "field_\(rawValue)" }
}
