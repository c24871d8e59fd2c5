/// How late records were delivered: counts by nanoseconds, with an error of at most 1/16.
package struct JitterHistogram: Equatable, Sendable {
    /// Records measured.
    package private(set) var count: UInt64 = 0
    /// The latest one, in nanoseconds; 0 without any.
    package private(set) var max: UInt64 = 0

    // Sixteen buckets for each power of two; below 16 every value has its own.
    private var buckets = [UInt64](repeating: 0, count: 16 * 61)

    package init() {}

    /// Adds one record.
    ///
    /// - Parameters:
    ///   - due: when it should have been delivered, monotonic nanoseconds.
    ///   - delivered: when it was; earlier than `due` counts as 0.
    package mutating func add(due: UInt64, delivered: UInt64) {
        let late = delivered > due ? delivered - due : 0
        count += 1
        if late > max { max = late }
        buckets[Self.bucket(of: late)] += 1
    }

    /// The lateness that a share of the records does not exceed.
    ///
    /// - Parameter perThousand: the share, 0...1000.
    /// - Returns: nanoseconds, at most 1/16 too high; 0 without records.
    package func percentile(perThousand: UInt64) -> UInt64 {
        precondition(perThousand <= 1000, "a share of more than all")
        let rank = (count * perThousand + 999) / 1000
        var seen: UInt64 = 0
        for (index, bucket) in buckets.enumerated() where bucket > 0 {
            seen += bucket
            if seen >= rank { return min(Self.highest(in: index), max) }
        }
        return max
    }

    private static func bucket(of value: UInt64) -> Int {
        guard value >= 16 else { return Int(value) }
        let exponent = 63 - value.leadingZeroBitCount
        return (exponent - 3) * 16 + Int(value >> UInt64(exponent - 4)) - 16
    }

    private static func highest(in bucket: Int) -> UInt64 {
        guard bucket >= 16 else { return UInt64(bucket) }
        let exponent = bucket / 16 + 3
        let lowest = UInt64(bucket % 16 + 16) << UInt64(exponent - 4)
        // In this order: the last bucket ends at the greatest number there is.
        return lowest + ((1 << UInt64(exponent - 4)) - 1)
    }
}
