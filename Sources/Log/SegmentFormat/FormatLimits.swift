/// Every limit of the format, with its reason. Readers refuse what exceeds them before they
/// allocate; writers stay below them.
public enum FormatLimits {
    /// The version that this build writes. A reader refuses a higher major number; a higher
    /// minor number adds only what older readers may ignore.
    @inlinable
    public static var versionMajor: UInt16 { 1 }
    /// As `versionMajor`.
    @inlinable
    public static var versionMinor: UInt16 { 0 }

    /// Raw bytes of an ordinary block. LZ4 keeps 16-bit tables below 65,547 bytes, measured on
    /// real frames as about 30 % faster than larger blocks for 5 % less ratio.
    @inlinable
    public static var blockRawBytesMax: Int { 65_536 }

    /// Payload bytes of one record: whole chain blocks are a few MiB today.
    @inlinable
    public static var payloadBytesMax: Int { 64 << 20 }

    /// Raw bytes of a block that holds one oversized record, or a context.
    @inlinable
    public static var oversizedRawBytesMax: Int { payloadBytesMax + recordHeaderBytes }

    /// Stored bytes of a block: LZ4's bound for the largest raw block. A block is stored raw when
    /// LZ4 does not make it smaller, so raw bytes bound it.
    @inlinable
    public static var storedBytesMax: Int { oversizedRawBytesMax }

    /// Blocks of a segment, so that an index stays below 256 MiB.
    @inlinable
    public static var blocksPerSegmentMax: Int { 4 << 20 }

    /// Events in a context: far more than streams and gaps are ever open at once. What comes
    /// beyond is not kept, in the writer and in whoever checks it alike.
    @inlinable
    public static var contextEntriesMax: Int { 65_536 }
    /// Bytes of a context; what comes beyond is not kept.
    @inlinable
    public static var contextBytesMax: Int { 32 << 20 }

    /// Bytes of `recording.json`.
    @inlinable
    public static var identityBytesMax: Int { 64 << 10 }

    /// Bytes of `pins.json`.
    @inlinable
    public static var pinsBytesMax: Int { 64 << 10 }
    /// Pins of a recording.
    @inlinable
    public static var pinsMax: Int { 256 }

    /// Base anchors that `recording.json` names.
    @inlinable
    public static var baseAnchorsMax: Int { 16 }

    /// Bytes of the manifest: about a million segments.
    @inlinable
    public static var manifestBytesMax: Int { 256 << 20 }

    /// Fixed sizes of the structures, in bytes.
    @inlinable
    public static var segmentHeaderBytes: Int { 128 }
    /// A block's header.
    @inlinable
    public static var blockHeaderBytes: Int { 80 }
    /// What stands before a record's payload.
    @inlinable
    public static var recordHeaderBytes: Int { 36 }
    /// One entry of a segment's index.
    @inlinable
    public static var indexEntryBytes: Int { 64 }
    /// The trailer of a sealed segment.
    @inlinable
    public static var trailerBytes: Int { 80 }
    /// The header of the manifest.
    @inlinable
    public static var manifestHeaderBytes: Int { 64 }
    /// One entry of the manifest.
    @inlinable
    public static var manifestEntryBytes: Int { 96 }
}
