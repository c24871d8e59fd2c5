import Platform
import RecordModel
import SegmentFormat

/// The one segment that is being written: where its end is and what its index will hold.
struct ActiveSegment {
    let file: any File
    let path: String
    let header: SegmentHeader
    /// The link that the next block carries.
    var link: UInt64
    /// Where the next block goes.
    var offset: UInt64
    var entries: [BlockIndexEntry] = []
    /// The number of the next block.
    var number: UInt32 = 1
    /// The last sequence accounted for in this segment.
    var lastSequence: Sequence
    var latest: Int64 = .min
    var recordCount: UInt64 = 0
    /// Kept from call to call so that writing allocates nothing.
    private var links: [UInt64] = []
    private var pieces: [UnsafeRawBufferPointer] = []
    /// Monotonic nanoseconds at creation, for rotation by age.
    let startedAt: UInt64

    init(
        file: any File,
        path: String,
        header: SegmentHeader,
        link: UInt64,
        startedAt: UInt64
    ) {
        self.file = file
        self.path = path
        self.header = header
        self.link = link
        offset = UInt64(FormatLimits.segmentHeaderBytes)
        lastSequence = header.firstSequence.previous
        self.startedAt = startedAt
        entries.reserveCapacity(1024)
    }

    /// Completes the headers of some blocks and writes them at the end of the segment in one call.
    ///
    /// - Throws: the failure of the write, which is final for the file.
    mutating func write(
        _ buffers: ArraySlice<StoredBuffer>,
        durable: Sequence
    ) throws(SystemError) {
        var last = lastSequence
        var next = link
        links.removeAll(keepingCapacity: true)
        pieces.removeAll(keepingCapacity: true)
        for buffer in buffers {
            precondition(
                buffer.header.kind == .context || buffer.header.kind == .mark
                    || buffer.header.firstSequence == last.next,
                "block \(buffer.header.firstSequence) does not follow \(last)"
            )
            buffer.header.number = number &+ UInt32(links.count)
            buffer.header.durableMark = durable
            buffer.header.previousLink = next
            buffer.header.payloadChecksum = BlockHeader.payloadChecksum(
                buffer.stored,
                salt: header.salt
            )
            next = buffer.encodeHeader(salt: header.salt)
            links.append(next)
            pieces.append(buffer.bytes)
            if buffer.lastSequence > last { last = buffer.lastSequence }
        }
        try pieces.withUnsafeBufferPointer { pieces throws(SystemError) in
            try file.write(gathering: pieces, at: offset)
        }
        for (buffer, link) in zip(buffers, links) { note(buffer, link: link) }
    }

    /// Completes the header of one block and writes it at the end of the segment.
    ///
    /// - Throws: the failure of the write, which is final for the file.
    mutating func write(_ buffer: StoredBuffer, durable: Sequence) throws(SystemError) {
        try write([buffer], durable: durable)
    }

    private mutating func note(_ buffer: StoredBuffer, link next: UInt64) {
        if buffer.header.kind == .data, buffer.header.latest > latest {
            latest = buffer.header.latest
        }
        entries.append(
            BlockIndexEntry(
                offset: offset,
                firstSequence: buffer.header.firstSequence,
                recordCount: buffer.header.recordCount,
                storedBytes: buffer.header.storedBytes,
                runningLatest: latest,
                slots: buffer.slots,
                blocks: buffer.blocks
            )
        )
        offset += UInt64(buffer.bytes.count)
        link = next
        number += 1
        recordCount += buffer.header.sequenceCount
        if buffer.lastSequence > lastSequence { lastSequence = buffer.lastSequence }
    }

    /// What the index and trailer will say.
    var seal: SegmentSeal {
        SegmentSeal(
            ordinal: header.ordinal,
            lastSequence: lastSequence,
            endLink: link,
            recordCount: recordCount,
            latest: latest,
            entries: entries
        )
    }
}
