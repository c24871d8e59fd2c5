import MarketModel
import Projection
import Testing

@testable import Projectors

/// Numbers and bytes are those of a sketch written in Python over the C library of XXH3.
@Suite struct TraderSetTests {
    private func set(_ traders: some Sequence<UInt64>) -> TraderSet {
        var set = TraderSet()
        for trader in traders { set.insert(address(trader)) }
        return set
    }

    private func bytes(_ set: TraderSet) throws -> [UInt8] {
        var writer = RowWriter()
        set.encode(to: &writer)
        var reader = RowReader(writer.bytes)
        let bytes = try reader.byteString()
        try reader.finish()
        return bytes
    }

    private func decoded(_ bytes: [UInt8]) throws -> TraderSet {
        var writer = RowWriter()
        writer.add(bytes)
        var reader = RowReader(writer.bytes)
        return try TraderSet(from: &reader, column: 4)
    }

    /// A short name of bytes.
    private func fold(_ bytes: [UInt8]) -> UInt64 {
        bytes.reduce(0) { $0 &* 1_099_511_628_211 ^ UInt64($1) }
    }

    @Test func `the hash is XXH3 of the address with seed 0`() throws {
        #expect(TraderHash.of(address(7)) == 0x1912_ff66_2427_5340)
        let vectors: [([UInt8], UInt64)] = [
            ([UInt8](repeating: 0, count: 32), 0xa057_271c_9071_c99d),
            ([UInt8](0..<32), 0x3523_581f_e96e_4c05),
            ((0..<32).map { 255 - 7 * UInt8($0) }, 0x4a09_5e76_740b_210c),
        ]
        for (bytes, hash) in vectors {
            #expect(TraderHash.of(Address(try #require(Bytes32(bytes)))) == hash)
        }
    }

    @Test(
        arguments: [
            (0, 0), (1, 1), (64, 64), (65, 64), (190, 186), (1_000, 983), (5_000, 4_907),
            (20_000, 19_758), (100_000, 99_725),
        ] as [(UInt64, UInt64)]
    )
    func `counts are those of the other implementation`(traders: UInt64, count: UInt64) {
        var set = set(0..<traders)
        #expect(set.count == count)
        #expect(set.isExact == (traders <= 64))
        let before = set
        // Whoever was added before changes nothing.
        for trader in 0..<min(traders, 100) { set.insert(address(trader)) }
        #expect(set == before)
    }

    @Test func `bytes are those of the other implementation`() throws {
        #expect(try bytes(set([])).isEmpty)
        let list = "0124f4935e54ec234934af93b33c1254028c9dbabb606090e2"
        #expect(Hex.text(try bytes(set(0..<3))) == "0x" + list)
        let sparse = try bytes(set(0..<65))
        #expect(sparse.count == 193)
        #expect(fold(sparse) == 0x6967_ce9d_36f3_46e1)
        let dense = try bytes(set(0..<5_000))
        #expect(dense.count == 3_073)
        #expect(fold(dense) == 0x31f1_5ec3_c3d1_c753)
    }

    @Test func `whatever the order and the way of joining, bytes are the same`() throws {
        let sizes: [UInt64] = [0, 3, 60, 64, 70, 500, 1_100, 1_500, 4_000]
        for size in sizes {
            let whole = set(0..<size)
            #expect(set((0..<size).reversed()) == whole)
            for split in sizes where split <= size {
                for overlap in [0, split / 2] {
                    var first = set(0..<split)
                    let second = set(split - overlap..<size)
                    var other = second
                    other.formUnion(first)
                    first.formUnion(second)
                    #expect(first == whole, "\(split) and the rest of \(size)")
                    #expect(other == whole, "the rest of \(size) and \(split)")
                }
            }
            var thirds = TraderSet()
            for part in [2, 0, 1] as [UInt64] {
                thirds.formUnion(set((0..<size).filter { $0 % 3 == part }))
            }
            #expect(thirds == whole)
            #expect(try decoded(bytes(whole)) == whole)
        }
    }

    @Test func `bytes that no set has are refused`() throws {
        let list = try bytes(set(0..<3))
        let sparse = try bytes(set(0..<65))
        let dense = try bytes(set(0..<5_000))
        var wrong: [[UInt8]] = [
            [0], [1], [2], [3], [4] + list.dropFirst(), list.dropLast(),
            // Falling, twice the same, more than are listed.
            [1] + list[9..<17] + list[1..<9], list + list[17...],
            [1] + (0..<65).flatMap { [0, 0, 0, 0, 0, 0, 0, UInt8($0)] },
            [2] + sparse[4..<7] + sparse[1..<4], sparse + sparse[190...],
            // Rank 0, rank 54, register 4,096, one register of two ranks.
            [2, 0, 1, 0], [2, 0, 1, 54], [2, 0x10, 0, 1], [2, 0, 1, 1, 0, 1, 2],
            dense.dropLast(8), [3] + [UInt8](repeating: 0, count: 3_072),
            [3] + [UInt8](repeating: 0xff, count: 3_072),
        ]
        wrong.append([2] + (0..<1_024).flatMap { [UInt8($0 >> 8), UInt8($0 & 0xff), 1] })
        for bytes in wrong {
            #expect(throws: RowError.invalid(column: 4), "\(bytes.prefix(8))") {
                try decoded(bytes)
            }
        }
        #expect(try decoded([2, 0x0f, 0xff, 53]).count == 1)
    }
}
