import Observability
import Testing

/// Held against all values in order, which the test keeps itself.
@Suite struct LatencyHistogramTests {
    /// A row of numbers that is the same each time (xorshift64).
    private struct Numbers {
        var state: UInt64

        mutating func next() -> UInt64 {
            state ^= state << 13
            state ^= state >> 7
            state ^= state << 17
            return state
        }
    }

    /// Values of every size: each bit length about equally often, besides the ends.
    private func values(_ count: Int, seed: UInt64) -> [UInt64] {
        var numbers = Numbers(state: seed)
        return (0..<count).map { _ in
            let shift = numbers.next() % 64
            return numbers.next() >> shift
        } + [0, 1, 7, 8, 15, 16, 17, .max, .max - 1]
    }

    /// The smallest value that a share of all does not exceed.
    private func exact(_ sorted: [UInt64], perMille: Int) -> UInt64 {
        sorted[(sorted.count * perMille + 999) / 1_000 - 1]
    }

    @Test(arguments: [UInt64(1), 2, 3, 4])
    func `a share's bound is never below the exact value nor an eighth above`(seed: UInt64) {
        let all = values(5_000, seed: seed)
        var histogram = LatencyHistogram()
        for value in all { histogram.record(value) }
        let sorted = all.sorted()
        for perMille in [1, 10, 250, 500, 900, 990, 999, 1_000] {
            let exact = exact(sorted, perMille: perMille)
            guard let bound = histogram.bound(perMille: UInt64(perMille)) else {
                Issue.record("nothing at \(perMille)")
                continue
            }
            #expect(bound >= exact, "\(perMille)")
            #expect(bound - exact <= exact / 8, "\(perMille): \(bound) for \(exact)")
        }
        #expect(histogram.count == UInt64(all.count))
        #expect(histogram.longest == sorted.last)
        #expect(histogram.bound(perMille: 1_000) == sorted.last)
    }

    @Test func `every bucket begins where the one before it ends`() {
        // One value beside a longer one: its bound is that of its bucket.
        func bound(_ value: UInt64) -> UInt64? {
            var histogram = LatencyHistogram()
            histogram.record(value)
            histogram.record(.max)
            return histogram.bound(perMille: 500)
        }
        var value: UInt64 = 0
        var buckets = 1
        while let end = bound(value), end < .max {
            #expect(end >= value)
            #expect(bound(end) == end)
            #expect(end - value <= value / 8)
            value = end + 1
            buckets += 1
        }
        // 16 values of their own, then eight for each of 60 powers of two.
        #expect(buckets == 16 + 60 * 8)
    }

    @Test func `parts added in any order are the whole`() {
        let all = values(3_000, seed: 9)
        var whole = LatencyHistogram()
        for value in all { whole.record(value) }
        var parts = (0..<3).map { _ in LatencyHistogram() }
        for (number, value) in all.enumerated() { parts[number * number % 3].record(value) }
        for order in [[0, 1, 2], [2, 0, 1], [1, 2, 0]] {
            var sum = LatencyHistogram()
            for part in order { sum.add(parts[part]) }
            #expect(sum == whole)
        }
    }

    @Test func `many at once count like as many one by one`() {
        var one = LatencyHistogram()
        for _ in 0..<1_000 { one.record(12_345) }
        var other = LatencyHistogram()
        other.record(12_345, times: 1_000)
        other.record(99, times: 0)
        #expect(one == other)
    }

    @Test func `nothing recorded has no bounds`() {
        #expect(LatencyHistogram().bound(perMille: 500) == nil)
        #expect(LatencyHistogram().longest == 0)
    }

    @Test func `counts stop at the largest number`() {
        var histogram = LatencyHistogram()
        histogram.record(5, times: .max - 1)
        histogram.record(5, times: 10)
        histogram.record(1_000)
        #expect(histogram.count == .max)
        #expect(histogram.bound(perMille: 1_000) == 5)
        var sum = histogram
        sum.add(histogram)
        #expect(sum.count == .max)
        #expect(sum.bound(perMille: 1_000) == 5)
    }
}
