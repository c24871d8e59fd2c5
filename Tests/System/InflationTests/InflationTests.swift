import Foundation
import Inflation
import Testing

/// 40 lines of JSON, as Python's gzip and zlib compress them (mtime 0; sync flush without tail).
private let plain = Array(
    String(repeating: "{\"jsonrpc\":\"2.0\",\"method\":\"eth_subscription\"}\n", count: 40).utf8
)
private let gzipped: [UInt8] = [
    0x1F, 0x8B, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x03, 0xAB, 0x56, 0xCA, 0x2A, 0xCE,
    0xCF, 0x2B, 0x2A, 0x48, 0x56, 0xB2, 0x52, 0x32, 0xD2, 0x33, 0x50, 0xD2, 0x51, 0xCA, 0x4D,
    0x2D, 0xC9, 0xC8, 0x4F, 0x01, 0x72, 0x81, 0x74, 0x7C, 0x71, 0x69, 0x52, 0x71, 0x72, 0x51,
    0x66, 0x41, 0x49, 0x66, 0x7E, 0x9E, 0x52, 0x2D, 0x57, 0xF5, 0xA8, 0xEA, 0x51, 0xD5, 0xA3,
    0xAA, 0x47, 0x55, 0x8F, 0xAA, 0x1E, 0x55, 0x3D, 0x22, 0x55, 0x03, 0x00, 0xA8, 0xD6, 0xB1,
    0x1E, 0x30, 0x07, 0x00, 0x00,
]
private let messageDeflated: [UInt8] = [
    0xAA, 0x56, 0xCA, 0x2A, 0xCE, 0xCF, 0x2B, 0x2A, 0x48, 0x56, 0xB2, 0x52, 0x32, 0xD2, 0x33,
    0x50, 0xD2, 0x51, 0xCA, 0x4D, 0x2D, 0xC9, 0xC8, 0x4F, 0x01, 0x72, 0x81, 0x74, 0x7C, 0x71,
    0x69, 0x52, 0x71, 0x72, 0x51, 0x66, 0x41, 0x49, 0x66, 0x7E, 0x9E, 0x52, 0x2D, 0x57, 0xF5,
    0xA8, 0xEA, 0x51, 0xD5, 0xA3, 0xAA, 0x47, 0x55, 0x8F, 0xAA, 0x1E, 0x55, 0x3D, 0x22, 0x55,
    0x03, 0x00,
]
private let hello = Array("Hello".utf8)

private func inflate(
    _ format: CompressedFormat,
    _ bytes: [UInt8],
    limit: Int = 1 << 20
) throws(InflationError) -> [UInt8] {
    try Inflater(format).inflate(bytes.span, limit: limit)
}

private func deflate(_ format: CompressedFormat, _ bytes: [UInt8], level: Int32 = 6) -> [UInt8] {
    var output: [UInt8] = []
    Deflater(format, level: level).deflate(bytes.span, into: &output)
    return output
}

@Suite struct InflaterTests {
    @Test func `gzip of another implementation inflates`() throws {
        #expect(try inflate(.gzip, gzipped) == plain)
    }

    @Test func `a message of another implementation inflates`() throws {
        #expect(try inflate(.messageDeflate, messageDeflated) == plain)
    }

    @Test(
        arguments: [
            // RFC 7692 sections 7.2.3.1 to 7.2.3.5: fixed block, stored block, final block, two blocks.
            [0xF2, 0x48, 0xCD, 0xC9, 0xC9, 0x07, 0x00],
            [0x00, 0x05, 0x00, 0xFA, 0xFF, 0x48, 0x65, 0x6C, 0x6C, 0x6F, 0x00],
            [0xF3, 0x48, 0xCD, 0xC9, 0xC9, 0x07, 0x00, 0x00],
            [0xF2, 0x48, 0x05, 0x00, 0x00, 0x00, 0xFF, 0xFF, 0xCA, 0xC9, 0xC9, 0x07, 0x00],
        ] as [[UInt8]]
    )
    func `the examples of RFC 7692 inflate`(bytes: [UInt8]) throws {
        #expect(try inflate(.messageDeflate, bytes) == hello)
    }

    @Test func `an empty message is one zero byte`() throws {
        #expect(try inflate(.messageDeflate, [0]) == [])
        #expect(deflate(.messageDeflate, []) == [0])
    }

    @Test func `an inflater serves many messages and recovers from errors`() throws {
        let inflater = Inflater(.messageDeflate)
        var output: [UInt8] = [1, 2, 3]
        for _ in 0..<3 {
            try inflater.inflate(messageDeflated.span, limit: 1 << 20, into: &output)
            #expect(output == plain)
            let cut = Array(messageDeflated.dropLast(4))
            #expect(throws: InflationError.self) {
                try inflater.inflate(cut.span, limit: 1 << 20, into: &output)
            }
            #expect(output == [])
        }
    }

    @Test func `the limit is exact`() throws {
        #expect(try inflate(.gzip, gzipped, limit: plain.count) == plain)
        #expect(throws: InflationError.overLimit(limit: plain.count - 1)) {
            try inflate(.gzip, gzipped, limit: plain.count - 1)
        }
        #expect(try inflate(.messageDeflate, messageDeflated, limit: plain.count) == plain)
        #expect(throws: InflationError.overLimit(limit: 0)) {
            try inflate(.messageDeflate, messageDeflated, limit: 0)
        }
        #expect(try inflate(.messageDeflate, [0], limit: 0) == [])
    }

    @Test func `a bomb stops at the limit`() throws {
        let bomb = deflate(.gzip, [UInt8](repeating: 0, count: 8 << 20), level: 9)
        #expect(bomb.count < 10_000)
        #expect(throws: InflationError.overLimit(limit: 1 << 20)) {
            try inflate(.gzip, bomb, limit: 1 << 20)
        }
    }

    @Test func `every cut of a gzip member is truncated`() {
        for length in 0..<gzipped.count {
            #expect(throws: InflationError.truncated) {
                try inflate(.gzip, Array(gzipped.prefix(length)))
            }
        }
    }

    @Test func `every cut of a message is refused or shorter`() {
        for length in 0..<messageDeflated.count {
            let cut = Array(messageDeflated.prefix(length))
            let result = Result { () throws(InflationError) in try inflate(.messageDeflate, cut) }
            if case .success(let bytes) = result { #expect(plain.starts(with: bytes)) }
            if length + 2 < messageDeflated.count, length > 0 {
                #expect(throws: InflationError.self) { try result.get() }
            }
        }
    }

    @Test func `a wrong checksum and bytes behind the end are malformed`() {
        var wrong = gzipped
        wrong[wrong.count - 6] ^= 1
        #expect(throws: InflationError.malformed) { try inflate(.gzip, wrong) }
        #expect(throws: InflationError.malformed) { try inflate(.gzip, gzipped + [0]) }
        #expect(throws: InflationError.malformed) { try inflate(.gzip, hello) }
        #expect(throws: InflationError.malformed) { try inflate(.messageDeflate, [0xFF, 0xFF]) }
    }

    @Test func `random damage never gives more than the limit`() {
        var seed: UInt64 = 7
        for _ in 0..<5_000 {
            seed = seed &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            var bytes = seed & 1 == 0 ? gzipped : messageDeflated
            bytes[Int(seed >> 33) % bytes.count] ^= UInt8(truncatingIfNeeded: seed >> 20) | 1
            let format = seed & 1 == 0 ? CompressedFormat.gzip : .messageDeflate
            let result = Result { () throws(InflationError) in
                try inflate(format, bytes, limit: 4_000)
            }
            if case .success(let output) = result { #expect(output.count <= 4_000) }
        }
    }
}

@Suite struct DeflaterTests {
    @Test(arguments: [0, 1, 6, 9] as [Int32])
    func `what is deflated inflates again`(level: Int32) throws {
        var random = [UInt8]()
        var seed: UInt64 = 3
        for _ in 0..<300_000 {
            seed = seed &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            random.append(UInt8(truncatingIfNeeded: seed >> 40))
        }
        for input in [[], hello, plain, random] {
            let message = deflate(.messageDeflate, input, level: level)
            #expect(try inflate(.messageDeflate, message) == input)
            #expect(try inflate(.gzip, deflate(.gzip, input, level: level)) == input)
        }
    }

    @Test func `messages are compressed without the context of others`() {
        let deflater = Deflater(.messageDeflate)
        var first: [UInt8] = []
        var second: [UInt8] = []
        deflater.deflate(plain.span, into: &first)
        deflater.deflate(plain.span, into: &second)
        #expect(first == second)
        #expect(!first.suffix(4).elementsEqual([0, 0, 0xFF, 0xFF]))
    }
}
