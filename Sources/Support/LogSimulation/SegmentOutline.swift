/// Where the blocks of a segment file begin, read from the page of the format and nothing else:
/// 128 bytes of header, then blocks with 80 bytes of header that tell their size at byte 8.
struct SegmentOutline {
    private let offsets: [Int]

    init(_ bytes: [UInt8]) {
        var offsets: [Int] = []
        var place = 128
        while place + 80 <= bytes.count, Array(bytes[place..<(place + 4)]) == Array("TBLK".utf8) {
            offsets.append(place)
            let size = (0..<4).reduce(0) { $0 | Int(bytes[place + 8 + $1]) << (8 * $1) }
            place += 80 + size
        }
        self.offsets = offsets
    }

    /// The offset of a block's header, counted from 1; the context is the first. Behind the last
    /// one it is the end of the file's header.
    func offset(of block: Int) -> Int {
        offsets.indices.contains(block - 1) ? offsets[block - 1] : 128
    }
}
