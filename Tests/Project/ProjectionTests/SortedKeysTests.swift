import Testing

@testable import Projection

@Suite struct SortedKeysTests {
    @Test func `keys come out as from a sorted array, whatever the order of changes`() {
        for seed in 0..<6 as Range<UInt64> {
            var random = ToyRandom(state: seed)
            var keys = SortedKeys<UInt64>()
            var plain: Set<UInt64> = []
            let span = [40, 2_000][Int(seed % 2)] as UInt64
            for _ in 0..<2_000 {
                let key = random.next(below: span)
                if plain.remove(key) != nil {
                    keys.remove(key)
                } else {
                    plain.insert(key)
                    keys.insert(key)
                }
            }
            #expect(keys.count == plain.count)
            #expect(keys.keys(in: 0...UInt64.max) == plain.sorted())
            for _ in 0..<30 {
                let low = random.next(below: span)
                let high = low + random.next(below: span)
                let expected = plain.filter { $0 >= low && $0 <= high }.sorted()
                #expect(keys.keys(in: low...high) == expected)
            }
        }
    }

    @Test func `rising keys fill their chunks`() {
        var keys = SortedKeys<Int>()
        for key in 0..<10_000 { keys.insert(key) }
        #expect(keys.chunks.count < 90)
    }
}
