import BlockCodec
import Testing

@Suite struct BlockCodecTests {
    private func compressed(_ input: [UInt8], room: Int? = nil) -> [UInt8]? {
        var out = [UInt8](repeating: 0, count: room ?? BlockCoding.compressBound(input.count))
        let count = input.withUnsafeBytes { source in
            out.withUnsafeMutableBytes { BlockCoding.compress(source, into: $0) }
        }
        return count.map { Array(out[..<$0]) }
    }

    private func decompressed(_ input: [UInt8], count: Int) -> [UInt8]? {
        var out = [UInt8](repeating: 0, count: count)
        let isWhole = input.withUnsafeBytes { source in
            out.withUnsafeMutableBytes { BlockCoding.decompress(source, into: $0) }
        }
        return isWhole ? out : nil
    }

    @Test(arguments: [0, 1, 15, 65_536, 65_547, 300_000])
    func `a block comes back byte for byte`(count: Int) throws {
        let input = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31 >> 3) }
        let block = try #require(compressed(input))
        #expect(decompressed(block, count: count) == input)
    }

    @Test func `a wrong size is refused`() throws {
        let block = try #require(compressed([UInt8](repeating: 7, count: 1000)))
        #expect(decompressed(block, count: 999) == nil)
        #expect(decompressed(block, count: 1001) == nil)
    }

    @Test func `a target that is too small is refused`() {
        let noise = (0..<1000).map { UInt8(truncatingIfNeeded: ($0 &* 2_654_435_761) >> 13) }
        #expect(compressed(noise, room: 10) == nil)
    }

    @Test func `fingerprints equal those of the library`() {
        // XXH3_128bits of libxxhash.so.0 (0.8.1), high half first; the first two are published.
        let long = (0..<1_280).map { UInt8(truncatingIfNeeded: $0) }
        let known: [([UInt8], UInt128)] = [
            ([], 0x99aa_06d3_0147_98d8_6001_c324_468d_497f),
            ([0x61], 0xa96f_af70_5af1_6834_e6c6_32b6_1e96_4e1f),
            (long, 0xd92a_b3a1_cb05_42a7_4844_b009_e164_352e),
        ]
        for (bytes, value) in known {
            #expect(BlockCoding.fingerprint(bytes.span.bytes) == value)
        }
    }

    @Test func `checksums equal the published XXH3 value and depend on the salt`() {
        // XXH3_64bits("a") as printed by `xxhsum -H3` of xxHash 0.8.1.
        let bytes: [UInt8] = [0x61]
        let published: UInt64 = 16_629_034_431_890_738_719
        #expect(
            bytes.withUnsafeBytes { BlockCoding.checksum($0, salt: 0) } == published
        )
        #expect(
            bytes.withUnsafeBytes { BlockCoding.checksum($0, salt: 1) } != published
        )
    }
}
