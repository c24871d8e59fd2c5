/// Everything about a record except its payload.
public struct RecordEnvelope: Hashable, Sendable {
    /// The record's place in the recording.
    public var sequence: Sequence
    /// What the record is.
    public var kind: RecordKind
    /// What the payload does not tell.
    public var flags: RecordFlags
    /// The first byte of a WebSocket frame as on the wire (FIN, RSV1-3, opcode), or the
    /// compressed flag (0 or 1) of a gRPC message; 0 for events.
    public var wireByte: UInt8
    /// The four bytes of a WebSocket mask key as on the wire, first byte lowest; 0 unless masked.
    public var maskKey: UInt32
    /// The stream that the record belongs to; `none` for the recorder.
    public var stream: StreamID
    /// Wall-clock nanoseconds since 1970 when the record's bytes were in our hands.
    public var receivedAt: Int64
    /// Monotonic nanoseconds at the same moment; comparable within one run only.
    public var monotonic: UInt64

    /// An envelope; the log gives the sequence when it is appended.
    @inlinable
    public init(
        sequence: Sequence = .none,
        kind: RecordKind,
        flags: RecordFlags = [],
        wireByte: UInt8 = 0,
        maskKey: UInt32 = 0,
        stream: StreamID = .none,
        receivedAt: Int64,
        monotonic: UInt64
    ) {
        self.sequence = sequence
        self.kind = kind
        self.flags = flags
        self.wireByte = wireByte
        self.maskKey = maskKey
        self.stream = stream
        self.receivedAt = receivedAt
        self.monotonic = monotonic
    }
}

extension RecordEnvelope {
    /// Whether a gRPC message is compressed.
    @inlinable
    public var isCompressed: Bool { wireByte & 1 == 1 }
    /// Whether a WebSocket frame is the last one of its message.
    @inlinable
    public var isFinal: Bool { wireByte & 0x80 != 0 }
    /// The opcode of a WebSocket frame.
    @inlinable
    public var opcode: UInt8 { wireByte & 0x0F }
    /// RSV1, RSV2, RSV3 of a WebSocket frame as bits 2, 1, 0.
    @inlinable
    public var reservedBits: UInt8 { (wireByte >> 4) & 0x7 }
}

/// A place on a chain that a record speaks of, for seeking by slot or block.
package struct ChainPosition: Hashable, Sendable {
    /// Which kind of number it is.
    package enum Family: UInt8, Sendable {
        /// Solana slots.
        case slot = 1
        /// EVM block numbers.
        case block = 2
    }

    /// Which numbers are counted, and the slot or block number.
    package let family: Family
    package let number: UInt64

    package init(family: Family, number: UInt64) {
        self.family = family
        self.number = number
    }
}

/// Finds the chain position of records, fed in sequence order.
///
/// The log itself never looks into a frame: whoever opens it supplies this reader. It must be a
/// pure function of the records fed so far.
package protocol PositionReader: Sendable {
    /// The slot or block that a record speaks of, or nil.
    mutating func position(of envelope: RecordEnvelope, payload: RawSpan) -> ChainPosition?
}
