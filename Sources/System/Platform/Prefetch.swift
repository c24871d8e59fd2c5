internal import CLinux

/// Asking the processor for memory before it is read.
package enum Prefetch {
    /// Begins to bring the first bytes into the cache, without waiting for them.
    ///
    /// - Parameters:
    ///   - bytes: what is read soon.
    ///   - count: no more than so many of them.
    @inline(__always)
    package static func begin(_ bytes: UnsafeRawBufferPointer, atMost count: Int) {
        clinux_prefetch(bytes.baseAddress, min(bytes.count, count))
    }
}
