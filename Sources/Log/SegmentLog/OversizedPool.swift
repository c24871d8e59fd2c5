import SegmentFormat

/// Memory of one size that is kept to be used again.
protocol PooledMemory {
    /// Bytes that it holds.
    var heldBytes: Int { get }
}

/// Buffers of uncommon sizes that wait to be used again, within a limit of bytes.
struct OversizedPool<Buffer: PooledMemory> {
    private let bytesMax: Int
    private var buffers: [Buffer] = []
    private var bytes = 0

    init(bytesMax: Int) {
        self.bytesMax = bytesMax
        buffers.reserveCapacity(bytesMax / FormatLimits.blockRawBytesMax)
    }

    /// The smallest buffer that has room for `needed` bytes, unless that would waste most of it.
    mutating func take(for needed: Int) -> Buffer? {
        var best: Int?
        for (index, buffer) in buffers.enumerated() {
            guard buffer.heldBytes >= needed, buffer.heldBytes / 8 <= needed else { continue }
            if let known = best, buffers[known].heldBytes <= buffer.heldBytes { continue }
            best = index
        }
        guard let best else { return nil }
        bytes -= buffers[best].heldBytes
        buffers.swapAt(best, buffers.count - 1)
        return buffers.removeLast()
    }

    /// Keeps a buffer; the oldest ones go when there are too many bytes.
    mutating func give(_ buffer: Buffer) {
        guard buffer.heldBytes <= bytesMax else { return }
        while bytes + buffer.heldBytes > bytesMax {
            bytes -= buffers[0].heldBytes
            buffers.removeFirst()
        }
        bytes += buffer.heldBytes
        buffers.append(buffer)
    }

    /// A capacity for `needed` bytes that buffers of about that size share.
    static func capacity(for needed: Int) -> Int {
        let step = needed < 1 << 20 ? 1 << 16 : 1 << 20
        return (needed + step - 1) / step * step
    }
}
