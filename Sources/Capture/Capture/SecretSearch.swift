// Finds any of a few byte strings in frames and texts. Wu and Manber's method (1994): two bytes at
// a time are looked up in a table that says how far the next possible match is, so most bytes are
// never read. With tokens of 36 bytes a frame of 2 KiB costs some 60 look-ups.

/// A search for many needles at once.
package struct SecretSearch: Sendable {
    /// Shorter needles are not searched: they would be found everywhere.
    package static let needleBytesMin = 4

    private static let tableBits = 12

    /// Longest first, so that of two that match at one place the longer is taken.
    private let needles: [[UInt8]]
    /// Bytes of the shortest needle; only the first so many bytes of each are in the table.
    private let window: Int
    /// By the hash of two bytes: how far the window may move on.
    private let shifts: [UInt8]

    /// - Parameter needles: those shorter than `needleBytesMin` are left out.
    package init(_ needles: some Swift.Sequence<[UInt8]>) {
        self.needles = Set(needles).filter { $0.count >= Self.needleBytesMin }
            .sorted { ($1.count, $0.description) < ($0.count, $1.description) }
        window = min(self.needles.last?.count ?? 2, 255)
        var shifts = [UInt8](repeating: UInt8(window - 1), count: 1 << Self.tableBits)
        for needle in self.needles {
            for end in 1..<window {
                let slot = Self.hash(needle[end - 1], needle[end])
                shifts[slot] = min(shifts[slot], UInt8(window - 1 - end))
            }
        }
        self.shifts = shifts
    }

    /// Whether there is nothing to search for.
    package var isEmpty: Bool { needles.isEmpty }

    /// Whether any needle occurs.
    package func matches(in bytes: RawSpan) -> Bool { first(in: bytes, from: 0) != nil }

    /// The first occurrence of a needle at or after `start`, the longest one there.
    package func first(in bytes: RawSpan, from start: Int) -> Range<Int>? {
        guard !needles.isEmpty else { return nil }
        var end = start + window - 1
        let count = bytes.byteCount
        while end < count {
            let shift = shifts[Self.hash(load(bytes, end - 1), load(bytes, end))]
            if shift > 0 {
                end += Int(shift)
                continue
            }
            let from = end - window + 1
            for needle in needles where isAt(needle, in: bytes, from) {
                return from..<from + needle.count
            }
            end += 1
        }
        return nil
    }

    private func isAt(_ needle: [UInt8], in bytes: RawSpan, _ start: Int) -> Bool {
        guard needle.count <= bytes.byteCount - start else { return false }
        for index in needle.indices where load(bytes, start + index) != needle[index] {
            return false
        }
        return true
    }

    @inline(__always)
    private func load(_ bytes: RawSpan, _ offset: Int) -> UInt8 {
        unsafe bytes.unsafeLoad(fromByteOffset: offset, as: UInt8.self)
    }

    @inline(__always)
    private static func hash(_ first: UInt8, _ second: UInt8) -> Int {
        Int(first) ^ Int(second) << 4
    }
}
