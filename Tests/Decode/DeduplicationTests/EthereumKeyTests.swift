import Deduplication
import MarketModel
import Testing

@Suite struct EthereumKeyTests {
    private func hash(_ number: Int) throws -> Hash256 {
        let digits = String(number, radix: 16)
        return try #require(
            Hash256("0x" + String(repeating: "0", count: 64 - digits.count) + digits)
        )
    }

    @Test func `a log of two feeds is one, and its removal is another`() throws {
        var first = EthereumOccurrences()
        var second = EthereumOccurrences()
        let block = try hash(1)
        let sent = first.log(blockHash: block, logIndex: 3, removed: false)
        #expect(sent == second.log(blockHash: block, logIndex: 3, removed: false))
        let removed = first.log(blockHash: block, logIndex: 3, removed: true)
        #expect(removed != sent)
        #expect(removed == second.log(blockHash: block, logIndex: 3, removed: true))
    }

    @Test func `a block that is adopted again is not a duplicate`() throws {
        var leading = EthereumOccurrences()
        var lagging = EthereumOccurrences()
        let block = try hash(1)
        func story(_ feed: inout EthereumOccurrences) -> [EthereumKey] {
            [
                feed.head(block),
                feed.log(blockHash: block, logIndex: 0, removed: false),
                feed.log(blockHash: block, logIndex: 0, removed: true),
                feed.head(block),
                feed.log(blockHash: block, logIndex: 0, removed: false),
            ]
        }
        let keys = story(&leading)
        #expect(Set(keys).count == 5)
        #expect(story(&lagging) == keys)
    }

    @Test func `index, block and kind tell apart`() throws {
        var feed = EthereumOccurrences()
        let keys = [
            feed.log(blockHash: try hash(1), logIndex: 0, removed: false),
            feed.log(blockHash: try hash(1), logIndex: 1, removed: false),
            feed.log(blockHash: try hash(2), logIndex: 0, removed: false),
            feed.head(try hash(1)),
            .pendingTransaction(hash: try hash(1)),
        ]
        #expect(Set(keys).count == keys.count)
    }

    @Test func `memory is bounded and the oldest is forgotten first`() throws {
        var feed = EthereumOccurrences(countMax: 2)
        let first = feed.head(try hash(1))
        _ = feed.head(try hash(2))
        #expect(feed.head(try hash(1)) != first)
        _ = feed.head(try hash(3))
        #expect(feed.head(try hash(1)) == first)
        #expect(feed.head(try hash(3)) == .head(hash: try hash(3), occurrence: 1))
    }
}
