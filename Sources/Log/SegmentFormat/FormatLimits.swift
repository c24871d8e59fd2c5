/// Every limit of the format, with its reason. Readers refuse what exceeds them before they
/// allocate; writers stay below them.
package enum FormatLimits {
    /// The version that this build writes. A reader refuses a higher major number; a higher
    /// minor number adds only what older readers may ignore.
    package static let versionMajor: UInt16 = 1
    package static let versionMinor: UInt16 = 0

    /// Raw bytes of an ordinary block. LZ4 keeps 16-bit tables below 65,547 bytes, measured on
    /// real frames as about 30 % faster than larger blocks for 5 % less ratio.
    package static let blockRawBytesMax = 65_536

    /// Payload bytes of one record: whole chain blocks are a few MiB today.
    package static let payloadBytesMax = 64 << 20

    /// Raw bytes of a block that holds one oversized record, or a context.
    package static let oversizedRawBytesMax = payloadBytesMax + recordHeaderBytes

    /// Stored bytes of a block: LZ4's bound for the largest raw block. A block is stored raw when
    /// LZ4 does not make it smaller, so raw bytes bound it.
    package static let storedBytesMax = oversizedRawBytesMax

    /// Blocks of a segment, so that an index stays below 256 MiB.
    package static let blocksPerSegmentMax = 4 << 20

    /// Bytes of `recording.json`.
    package static let identityBytesMax = 64 << 10

    /// Bytes of the manifest: about a million segments.
    package static let manifestBytesMax = 256 << 20

    /// Fixed sizes of the structures, in bytes.
    package static let segmentHeaderBytes = 128
    package static let blockHeaderBytes = 80
    package static let recordHeaderBytes = 36
    package static let indexEntryBytes = 64
    package static let trailerBytes = 80
    package static let manifestHeaderBytes = 64
    package static let manifestEntryBytes = 96
}
