import Platform
import RecordModel
import SegmentFormat

/// A raw block being filled by appends, then waiting to be compressed.
///
/// safety: owned by exactly one stage at a time. Under the queue's lock it is filled and handed
/// to one compressor; that compressor gives it back under the same lock.
final class RawBlock: PooledMemory, @unchecked Sendable {
    let storage: UnsafeMutableRawBufferPointer
    var used = 0
    var recordCount: UInt32 = 0
    var firstSequence = Sequence.none
    var earliest = Int64.max
    var latest = Int64.min
    /// Monotonic nanoseconds when its first record came.
    var startedAt: UInt64 = 0
    var hasEvents = false
    /// Written last, into the reserve if need be.
    var isClosing = false

    init(capacity: Int) {
        storage = .allocate(byteCount: capacity, alignment: 64)
    }

    /// A block for one record that is larger than an ordinary block.
    convenience init(oversizedFor bytes: Int) {
        self.init(capacity: OversizedPool<RawBlock>.capacity(for: bytes))
    }

    deinit { storage.deallocate() }

    var heldBytes: Int { storage.count }

    func reset() {
        used = 0
        recordCount = 0
        firstSequence = .none
        earliest = .max
        latest = .min
        hasEvents = false
        isClosing = false
    }

    var bytes: UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(storage)[0..<used])
    }

    /// Takes over what was filled in.
    func take(_ fill: BlockFill) {
        used = fill.used
        recordCount = fill.recordCount
        firstSequence = fill.firstSequence
        earliest = fill.earliest
        latest = fill.latest
        startedAt = fill.startedAt
        hasEvents = fill.hasEvents
    }
}

/// The block that is being filled, as plain values: appending touches no reference count.
struct BlockFill {
    private let base: UnsafeMutableRawPointer
    let capacity: Int
    private(set) var used = 0
    private(set) var recordCount: UInt32 = 0
    private(set) var firstSequence = Sequence.none
    private(set) var earliest = Int64.max
    private(set) var latest = Int64.min
    private(set) var hasEvents = false
    let startedAt: UInt64

    /// - Parameters:
    ///   - block: whose storage is filled; it must outlive this value.
    ///   - startedAt: monotonic nanoseconds.
    init(_ block: RawBlock, startedAt: UInt64) {
        guard let base = block.storage.baseAddress else { preconditionFailure("no storage") }
        self.base = base
        capacity = block.storage.count
        self.startedAt = startedAt
    }

    @inline(__always)
    func hasRoom(for bytes: Int) -> Bool { capacity - used >= bytes }

    @inline(__always)
    mutating func append(_ envelope: RecordEnvelope, payload: UnsafeRawBufferPointer) {
        let count = FormatLimits.recordHeaderBytes + payload.count
        precondition(hasRoom(for: count), "no room in the block")
        RecordCodec.encode(envelope, payload: payload, into: base + used)
        used += count
        if recordCount == 0 { firstSequence = envelope.sequence }
        recordCount += 1
        if envelope.receivedAt < earliest { earliest = envelope.receivedAt }
        if envelope.receivedAt > latest { latest = envelope.receivedAt }
        if !envelope.kind.isDataFrame { hasEvents = true }
    }
}

/// A block in stored form: room for the header, then the stored bytes. Kept until it is durable.
///
/// safety: owned by one compressor until it is written, then by the gate's list of unsynced
/// blocks under the gate's lock, then by the pool under the pool's lock.
final class StoredBuffer: PooledMemory, @unchecked Sendable {
    let storage: UnsafeMutableRawBufferPointer
    /// Header without number, marks and links until the block is written.
    var header: BlockHeader
    /// The context before this block, if the block holds events.
    var contextBefore: ContextState?
    var slots = PositionRange()
    var blocks = PositionRange()
    /// The last sequence that the block accounts for, holes included.
    var lastSequence = Sequence.none

    /// A buffer with room for a block of so many raw bytes.
    init(rawBytes: Int) {
        let ordinary = StoredBlock.room(for: FormatLimits.blockRawBytesMax)
        let room = StoredBlock.room(for: rawBytes)
        storage = .allocate(
            byteCount: room <= ordinary
                ? ordinary : OversizedPool<StoredBuffer>.capacity(for: room),
            alignment: 64
        )
        header = BlockHeader(
            kind: .mark,
            codec: .raw,
            storedBytes: 0,
            rawBytes: 0,
            recordCount: 0,
            number: 0,
            firstSequence: .none,
            earliest: 0,
            latest: 0,
            durableMark: .none,
            previousLink: 0,
            payloadChecksum: 0
        )
    }

    deinit { storage.deallocate() }

    /// Whether the buffer has grown beyond the room for an ordinary block.
    var isOversized: Bool {
        storage.count > StoredBlock.room(for: FormatLimits.blockRawBytesMax)
    }

    /// Bytes of memory that keeping the buffer costs.
    var heldBytes: Int { storage.count }

    /// Compresses raw bytes into the buffer and prepares the header.
    func fill(
        kind: BlockKind,
        raw: UnsafeRawBufferPointer,
        recordCount: UInt32,
        firstSequence: Sequence,
        lastSequence: Sequence,
        earliest: Int64,
        latest: Int64,
        acceleration: Int32 = 1
    ) {
        precondition(storage.count >= StoredBlock.room(for: raw.count), "no room for the block")
        let stored = StoredBlock(compressing: raw, into: storage, acceleration: acceleration)
        header = BlockHeader(
            kind: kind,
            codec: stored.codec,
            storedBytes: UInt32(stored.storedBytes),
            rawBytes: UInt32(raw.count),
            recordCount: recordCount,
            number: 0,
            firstSequence: firstSequence,
            earliest: earliest,
            latest: latest,
            durableMark: .none,
            previousLink: 0,
            payloadChecksum: 0
        )
        contextBefore = nil
        slots = PositionRange()
        blocks = PositionRange()
        self.lastSequence = lastSequence
    }

    /// Header and stored bytes.
    var bytes: UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(
            rebasing: UnsafeRawBufferPointer(storage)[
                0..<(FormatLimits.blockHeaderBytes + Int(header.storedBytes))
            ]
        )
    }

    /// The stored bytes alone.
    var stored: UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(rebasing: bytes[FormatLimits.blockHeaderBytes...])
    }

    /// Completes and writes the header.
    func encodeHeader(salt: UInt64) -> UInt64 { header.encode(into: storage, salt: salt) }
}
