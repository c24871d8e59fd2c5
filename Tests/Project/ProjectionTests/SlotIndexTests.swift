import Testing

@testable import Projection

@Suite struct SlotIndexTests {
    /// All numbers found under a hash.
    static func found(_ index: SlotIndex, _ hash: UInt32) -> Set<Int32> {
        var numbers: Set<Int32> = []
        var position = Int(hash) & index.mask
        while index.entries[position] != 0 {
            let entry = index.entries[position]
            if entry >> 32 == UInt64(hash) {
                numbers.insert(Int32(bitPattern: UInt32(truncatingIfNeeded: entry) &- 1))
            }
            position = (position + 1) & index.mask
        }
        return numbers
    }

    @Test func `every number stays findable while others with near hashes come and go`() {
        for seed in 0..<10 as Range<UInt64> {
            var random = ToyRandom(state: seed)
            var index = SlotIndex()
            var plain: [UInt32: Set<Int32>] = [:]
            var next: Int32 = 0
            // Few hashes, near the end of any table: long runs that wrap around.
            let hashes = (0..<30).map { UInt32.max - UInt32($0 / 2) &+ UInt32($0 % 2) * 1_024 }
            for _ in 0..<3_000 {
                let hash = hashes[Int(random.next(below: 30))]
                if random.next(below: 2) == 0 {
                    index.insert(next, hash: hash)
                    plain[hash, default: []].insert(next)
                    next += 1
                } else if let number = plain[hash]?.min() {
                    index.remove(number, hash: hash)
                    plain[hash]?.remove(number)
                }
            }
            for hash in hashes {
                #expect(SlotIndexTests.found(index, hash) == plain[hash, default: []])
            }
            #expect(index.count == plain.values.reduce(0) { $0 + $1.count })
        }
    }
}
