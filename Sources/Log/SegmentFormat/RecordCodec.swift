public import RecordModel

/// A record inside a raw block: 36 bytes of envelope, then the payload. The sequence is not
/// stored; it follows from the block. Layout: Sources/Log/README.md, "Record".
public enum RecordCodec {
    /// Writes a record; the caller has made sure of the room.
    ///
    /// - Parameters:
    ///   - envelope: all but the sequence is stored.
    ///   - payload: at most `payloadBytesMax` bytes.
    ///   - target: room for 36 bytes and the payload.
    @inlinable
    @inline(__always)
    public static func encode(
        _ envelope: RecordEnvelope,
        payload: UnsafeRawBufferPointer,
        into target: UnsafeMutableRawPointer
    ) {
        target.put(UInt32(truncatingIfNeeded: payload.count), at: 0)
        target.put(envelope.kind.rawValue, at: 4)
        target.put(envelope.wireByte, at: 5)
        target.put(envelope.flags.rawValue, at: 6)
        target.put(UInt8(0), at: 7)
        target.put(envelope.maskKey, at: 8)
        target.put(envelope.stream.value, at: 12)
        target.put(envelope.receivedAt, at: 20)
        target.put(envelope.monotonic, at: 28)
        if let source = payload.baseAddress {
            (target + FormatLimits.recordHeaderBytes).copyMemory(
                from: source,
                byteCount: payload.count
            )
        }
    }

    /// Reads the record at `offset` of a raw block and moves `offset` behind it.
    ///
    /// - Parameters:
    ///   - block: the raw bytes of the block.
    ///   - offset: where the record begins.
    ///   - sequence: the record's sequence, which the block's header tells.
    /// - Returns: the envelope and where the payload lies in `block`.
    /// - Throws: `truncated` when the record runs past the block, `invalid` for kind 0.
    @inlinable
    @inline(__always)
    public static func decode(
        _ block: UnsafeRawBufferPointer,
        at offset: inout Int,
        sequence: Sequence
    ) throws(FormatError) -> (envelope: RecordEnvelope, payload: Range<Int>) {
        let available = block.count &- offset
        guard available >= FormatLimits.recordHeaderBytes, offset >= 0,
            let base = block.baseAddress
        else {
            throw .truncated(
                structure: "record",
                needed: FormatLimits.recordHeaderBytes,
                available: max(available, 0)
            )
        }
        let start = base + offset
        let count = Int(truncatingIfNeeded: start.u32(0))
        guard count <= available &- FormatLimits.recordHeaderBytes else {
            throw .truncated(
                structure: "record",
                needed: count &+ FormatLimits.recordHeaderBytes,
                available: available
            )
        }
        let kind = start.u8(4)
        guard kind != 0 else { throw .invalid(structure: "record", field: "kind", value: 0) }
        let envelope = RecordEnvelope(
            sequence: sequence,
            kind: RecordKind(rawValue: kind),
            flags: RecordFlags(rawValue: start.u8(6)),
            wireByte: start.u8(5),
            maskKey: start.u32(8),
            stream: Sequence(start.u64(12)),
            receivedAt: start.i64(20),
            monotonic: start.u64(28)
        )
        let first = offset &+ FormatLimits.recordHeaderBytes
        offset = first &+ count
        return (envelope, first..<offset)
    }
}
