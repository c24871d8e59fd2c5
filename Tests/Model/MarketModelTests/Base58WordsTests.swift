import MarketModel
import Testing

@Suite struct Base58WordsTests {
    /// Numbers of every size, with and without leading zeros.
    static func samples(_ count: Int) -> [[UInt8]] {
        var samples = [[UInt8](repeating: 0, count: count), [UInt8](repeating: 255, count: count)]
        var state: UInt64 = 1
        for zeros in 0..<count {
            for _ in 0..<6 {
                var bytes = [UInt8](repeating: 0, count: count)
                for index in zeros..<count {
                    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                    bytes[index] = UInt8(truncatingIfNeeded: state >> 33)
                }
                samples.append(bytes)
                bytes[zeros] = 1
                samples.append(bytes)
            }
        }
        return samples
    }

    @Test func `32 bytes give the text that any bytes give, and come back`() throws {
        for bytes in Base58WordsTests.samples(32) {
            let value = try #require(Bytes32(bytes))
            var text: [UInt8] = [7]
            Base58.append(value, to: &text)
            #expect(String(decoding: text.dropFirst(), as: UTF8.self) == Base58.encode(bytes))
            let plain = Array(text.dropFirst())
            #expect(Base58.bytes32(plain.span.bytes) == value)
        }
    }

    @Test func `64 bytes give the text that any bytes give, and come back`() throws {
        for bytes in Base58WordsTests.samples(64) {
            let value = try #require(Signature(bytes))
            var text: [UInt8] = []
            Base58.append(value, to: &text)
            #expect(String(decoding: text, as: UTF8.self) == Base58.encode(bytes))
            #expect(Base58.signature(text.span.bytes) == value)
        }
    }

    @Test(arguments: [
        "", "1", "11111111111111111111111111111111x", "1111111111111111111111111111111",
        "111111111111111111111111111111111", "0OIl", "\u{0}",
        "zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz",
        "So11111111111111111111111111111111111111112 ",
        "1So11111111111111111111111111111111111111112",
        "JEKNVnkbo3jma5nREBBJCDoXFVeKkD56V3xKrvRmWxFH",
    ])
    func `what is not exactly 32 bytes is refused`(text: String) {
        let text = Array(text.utf8)
        #expect(Base58.bytes32(text.span.bytes) == nil)
    }

    @Test func `the greatest text is 32 bytes of ones`() {
        // 2^256 - 1 in Base58; the text after it is refused above.
        let text = Array("JEKNVnkbo3jma5nREBBJCDoXFVeKkD56V3xKrvRmWxFG".utf8)
        #expect(Base58.bytes32(text.span.bytes)?.bytes == [UInt8](repeating: 255, count: 32))
    }
}
