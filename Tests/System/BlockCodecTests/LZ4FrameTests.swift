import BlockCodec
import Testing

@Suite struct LZ4FrameTests {
    private static func input(_ count: Int) -> [UInt8] {
        (0..<count).map { UInt8(truncatingIfNeeded: ($0 &* $0) >> 7) }
    }

    @Test(arguments: [0, 1, 20, 65_537, 1 << 20, 3 << 20])
    func `a frame comes back byte for byte`(count: Int) {
        let input = Self.input(count)
        let frame = LZ4Frame.compress(input.span)
        #expect(Array(frame.prefix(4)) == [0x04, 0x22, 0x4D, 0x18])
        #expect(LZ4Frame.decompress(frame.span, count: count) == input)
        #expect(LZ4Frame.compress(input.span) == frame)
    }

    @Test func `a frame of the command line tool is opened`() {
        // printf 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa' | lz4 -c
        let frame: [UInt8] = [
            0x04, 0x22, 0x4D, 0x18, 0x64, 0x40, 0xA7, 0x0B, 0x00, 0x00, 0x00, 0x1F, 0x61, 0x01,
            0x00, 0x07, 0x50, 0x61, 0x61, 0x61, 0x61, 0x61, 0x00, 0x00, 0x00, 0x00, 0xBE, 0x4F,
            0x23, 0xA3,
        ]
        #expect(LZ4Frame.decompress(frame.span, count: 32) == [UInt8](repeating: 0x61, count: 32))
        // The checksum of the content, at its end.
        let spoilt = frame.dropLast() + [0]
        #expect(LZ4Frame.decompress(spoilt.span, count: 32) == nil)
    }

    @Test func `another size, a part and what follows are refused`() {
        let input = Self.input(5_000)
        let frame = LZ4Frame.compress(input.span)
        for count in [0, 4_999, 5_001, 5_000 * 300, -1] {
            #expect(LZ4Frame.decompress(frame.span, count: count) == nil, "\(count)")
        }
        for length in 0..<frame.count {
            #expect(
                LZ4Frame.decompress(frame.span.extracting(first: length), count: 5_000) == nil,
                "\(length)"
            )
        }
        for longer in [frame + [0], frame + frame] {
            #expect(LZ4Frame.decompress(longer.span, count: 5_000) == nil)
        }
    }

    @Test func `no byte of a frame can be changed into a trap`() {
        let frame = LZ4Frame.compress(Self.input(3_000).span)
        for index in frame.indices {
            for bit in 0..<8 {
                var spoilt = frame
                spoilt[index] ^= 1 << bit
                if let opened = LZ4Frame.decompress(spoilt.span, count: 3_000) {
                    #expect(opened.count == 3_000)
                }
            }
        }
    }
}
