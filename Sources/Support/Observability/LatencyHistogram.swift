/// How long things took: counts in buckets of nanoseconds, of a fixed size whatever is recorded.
///
/// Buckets are log-linear: eight to a power of two, so that a bucket's bounds lie within an eighth
/// of each other; below 16 ns every value has its own. Counts stop at the largest number instead of
/// wrapping. Adding is commutative: how things were shared out among threads never shows.
package struct LatencyHistogram: Hashable, Sendable {
    /// How often each bucket was met.
    private var counts = [UInt64](repeating: 0, count: bucketCount)
    /// How many lengths were recorded.
    package private(set) var count: UInt64 = 0
    /// The longest that was recorded, exactly; zero without any.
    package private(set) var longest: UInt64 = 0

    /// Eight buckets for each power of two from 2^3 on, and the eight values below.
    private static let bucketCount = 62 * 8

    package init() {}

    /// Records a length of time.
    ///
    /// - Parameters:
    ///   - nanoseconds: how long it took.
    ///   - times: how many things took that long.
    package mutating func record(_ nanoseconds: UInt64, times: UInt64 = 1) {
        guard times > 0 else { return }
        let bucket = LatencyHistogram.bucket(of: nanoseconds)
        counts[bucket] = LatencyHistogram.sum(counts[bucket], times)
        count = LatencyHistogram.sum(count, times)
        longest = max(longest, nanoseconds)
    }

    /// Adds what another histogram has.
    package mutating func add(_ other: LatencyHistogram) {
        for bucket in counts.indices {
            counts[bucket] = LatencyHistogram.sum(counts[bucket], other.counts[bucket])
        }
        count = LatencyHistogram.sum(count, other.count)
        longest = max(longest, other.longest)
    }

    /// A length that at least a share of all did not exceed: the upper bound of the bucket in which
    /// the share is reached, or the longest where that is less.
    ///
    /// - Parameter perMille: the share in thousandths, 1 to 1,000.
    /// - Returns: nanoseconds; nil when nothing was recorded.
    package func bound(perMille: UInt64) -> UInt64? {
        precondition((1...1_000).contains(perMille), "a share of \(perMille) thousandths")
        guard count > 0 else { return nil }
        // The rank is the share of the count, rounded up; it is at most the count.
        let product = count.multipliedFullWidth(by: perMille)
        let (quotient, remainder) = UInt64(1_000).dividingFullWidth(product)
        let rank = remainder > 0 ? quotient + 1 : quotient
        var seen: UInt64 = 0
        for (bucket, count) in counts.enumerated() {
            seen = LatencyHistogram.sum(seen, count)
            if seen >= rank { return min(LatencyHistogram.upperBound(of: bucket), longest) }
        }
        preconditionFailure("\(count) lengths recorded, \(seen) of them in buckets")
    }

    private static func sum(_ left: UInt64, _ right: UInt64) -> UInt64 {
        let (sum, overflow) = left.addingReportingOverflow(right)
        return overflow ? .max : sum
    }

    private static func bucket(of nanoseconds: UInt64) -> Int {
        guard nanoseconds >= 8 else { return Int(nanoseconds) }
        let power = 63 - nanoseconds.leadingZeroBitCount
        return (power - 2) * 8 + Int(nanoseconds >> UInt64(power - 3) & 7)
    }

    /// The largest value of a bucket.
    private static func upperBound(of bucket: Int) -> UInt64 {
        guard bucket >= 8 else { return UInt64(bucket) }
        let shift = UInt64(bucket / 8 - 1)
        let leading = UInt64(8 + bucket % 8)
        return leading << shift | ((1 << shift) - 1)
    }
}
