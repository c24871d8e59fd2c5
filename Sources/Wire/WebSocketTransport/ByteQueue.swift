internal import Glibc

/// Bytes on their way out: written at the back, taken from the front, in one piece of memory that
/// is used again. Never zeroed, never copied element by element.
final class ByteQueue {
    private var storage: UnsafeMutableRawPointer
    private var capacity: Int
    private var start = 0
    private var end = 0
    private static let capacityMin = 4 << 10
    /// Memory kept when the queue is empty.
    private static let capacityKept = 2 << 20

    init() {
        capacity = Self.capacityMin
        storage = .allocate(byteCount: capacity, alignment: 16)
    }

    deinit { storage.deallocate() }

    var count: Int { end - start }
    var isEmpty: Bool { start == end }

    /// The bytes, in order. Valid until the queue is changed.
    var bytes: UnsafeMutableRawBufferPointer {
        UnsafeMutableRawBufferPointer(start: storage + start, count: end - start)
    }

    /// Drops bytes at the front.
    func consume(_ count: Int) {
        precondition(count <= self.count, "more consumed than there is")
        start += count
        if start == end { removeAll() }
    }

    /// Drops everything.
    func removeAll() {
        start = 0
        end = 0
        if capacity > Self.capacityKept { resize(to: Self.capacityMin) }
    }

    /// Room for `count` bytes at the back, to be filled entirely at once.
    @inline(__always)
    func extend(by count: Int) -> UnsafeMutableRawBufferPointer {
        if capacity - end < count { makeRoom(count) }
        defer { end += count }
        return UnsafeMutableRawBufferPointer(start: storage + end, count: count)
    }

    /// Adds bytes at the back.
    func append(_ bytes: UnsafeRawBufferPointer) {
        if bytes.isEmpty { return }
        extend(by: bytes.count).copyMemory(from: bytes)
    }

    private func makeRoom(_ count: Int) {
        if start > 0, capacity - self.count >= count {
            memmove(storage, storage + start, self.count)
            end -= start
            start = 0
            return
        }
        resize(to: max(capacity * 2, self.count + count))
    }

    private func resize(to capacity: Int) {
        let grown = UnsafeMutableRawPointer.allocate(byteCount: capacity, alignment: 16)
        let count = self.count
        grown.copyMemory(from: storage + start, byteCount: count)
        storage.deallocate()
        storage = grown
        self.capacity = capacity
        start = 0
        end = count
    }
}
