import Testing
import WebSocketProtocol

@Suite struct FrameHeaderTests {
    @Test func `the examples of RFC 6455 section 5,7 decode`() {
        let single: [UInt8] = [0x81, 0x05, 0x48, 0x65, 0x6C, 0x6C, 0x6F]
        #expect(decode([single]).frames == [Frame(0x81, "Hello")])
        let masked: [UInt8] = [
            0x81, 0x85, 0x37, 0xFA, 0x21, 0x3D, 0x7F, 0x9F, 0x4D, 0x51, 0x58,
        ]
        #expect(decode([masked]).frames == [Frame(0x81, "Hello", mask: 0x37FA_213D)])
        let fragments: [UInt8] = [0x01, 0x03, 0x48, 0x65, 0x6C, 0x80, 0x02, 0x6C, 0x6F]
        #expect(decode([fragments]).frames == [Frame(0x01, "Hel"), Frame(0x80, "lo")])
        let ping: [UInt8] = [0x89, 0x05, 0x48, 0x65, 0x6C, 0x6C, 0x6F]
        #expect(decode([ping]).frames == [Frame(0x89, "Hello")])
    }

    @Test(arguments: [0, 1, 125, 126, 127, 65_535, 65_536, 100_000])
    func `a header encodes in its shortest form and decodes again`(length: Int) throws {
        for mask in [nil, 0x0102_0304] as [UInt32?] {
            let frame = Frame(0xF3, [UInt8](repeating: 7, count: length), mask: mask)
            var bytes: [UInt8] = []
            frame.header.encode(to: &bytes)
            #expect(bytes == Array(frame.wire.dropLast(length)))
            #expect(bytes.count == frame.header.encodedByteCount)
            let decoded = try FrameHeader.decode(bytes.span)
            #expect(decoded?.header == frame.header)
            #expect(decoded?.byteCount == bytes.count)
            for cut in 0..<bytes.count {
                #expect(try FrameHeader.decode(Array(bytes.prefix(cut)).span) == nil)
            }
        }
    }

    @Test func `the parts of the first byte read and write`() {
        let header = FrameHeader(firstByte: 0b1101_1010, payloadLength: 0)
        #expect(header.isFinal && header.hasRSV1 && !header.hasRSV2 && header.hasRSV3)
        #expect(header.opcode == Opcode.pong && header.isControl)
        let built = FrameHeader(
            opcode: Opcode.text,
            isFinal: false,
            isCompressed: true,
            payloadLength: 1
        )
        #expect(built.firstByte == 0x41 && !built.isFinal && !built.isControl)
    }

    @Test func `longer length forms than needed and the top bit are refused`() {
        #expect(decode([[0x81, 126, 0, 125]]).error == .nonMinimalLength)
        #expect(decode([[0x81, 127, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF]]).error == .nonMinimalLength)
        #expect(decode([[0x81, 127, 0x80, 0, 0, 0, 0, 0, 0, 0]]).error == .lengthTopBit)
        #expect(decode([[0x81, 127] + [UInt8](repeating: 0xFF, count: 8)]).error == .lengthTopBit)
    }

    @Test func `a length beyond the limit is refused before its bytes arrive`() {
        let huge: [UInt8] = [0x82, 127, 0x7F, 255, 255, 255, 255, 255, 255, 255]
        let (frames, error, unread) = decode([Frame(0x81, "a").wire + huge], limit: 100)
        #expect(frames == [Frame(0x81, "a")])
        #expect(error == .overLimit(length: UInt64(Int64.max), limit: 100))
        #expect(unread == huge)
        #expect(decode([[0x82, 101]], limit: 100).error == .overLimit(length: 101, limit: 100))
        #expect(decode([[0x82, 100]], limit: 100).error == nil)
    }
}

@Suite struct FrameDecoderTests {
    /// A stream of frames of many sizes, with its bytes.
    private func stream(_ dice: inout Dice) -> (frames: [Frame], bytes: [UInt8]) {
        let sizes = [0, 1, 3, 4, 5, 125, 126, 700, 1_024, 5_000, 65_535, 65_536, 90_001]
        let frames = (0..<20).map { _ in
            let count = dice.roll(6) == 0 ? sizes[dice.roll(sizes.count)] : dice.roll(300)
            let mask = dice.roll(2) == 0 ? nil : UInt32(dice.roll(1 << 30))
            return Frame(UInt8(dice.roll(256)), dice.bytes(count), mask: mask)
        }
        return (frames, frames.flatMap(\.wire))
    }

    @Test(arguments: 1...30)
    func `any split of a stream gives the same frames`(seed: Int) {
        var dice = Dice(state: UInt64(seed))
        let (frames, bytes) = stream(&dice)
        var pieces: [[UInt8]] = []
        var place = 0
        let largest = [1, 7, 100, 5_000, 200_000][dice.roll(5)]
        while place < bytes.count {
            let count = min(bytes.count - place, 1 + dice.roll(largest))
            pieces.append(Array(bytes[place..<place + count]))
            place += count
        }
        let (decoded, error, unread) = decode(pieces)
        #expect(decoded == frames)
        #expect(error == nil && unread.isEmpty)
    }

    @Test func `receive takes what fits and gives the same frames`() throws {
        var dice = Dice(state: 5)
        let (frames, bytes) = stream(&dice)
        var decoder = FrameDecoder(payloadLimit: 1 << 20, capacityUsual: 8 << 10)
        var place = 0
        var decoded: [Frame] = []
        while place < bytes.count {
            let count = decoder.receive { room in
                #expect(room.count > 0)
                let count = min(room.count, bytes.count - place, 1 + dice.roll(20_000))
                for index in 0..<count { room[index] = bytes[place + index] }
                return count
            }
            place += count
            while let header = try decoder.nextFrame() {
                let payload = decoder.withPayload { span in span.indices.map { span[$0] } }
                decoded.append(Frame(header.firstByte, payload, mask: header.maskKey))
            }
        }
        #expect(decoded == frames)
    }

    @Test func `the bytes of an unfinished frame stay readable as they came`() {
        let whole = Frame(0x81, "whole", mask: 9).wire
        let cut = Array(Frame(0x82, "unfinished", mask: 0xA1B2_C3D4).wire.dropLast(3))
        let (frames, error, unread) = decode([whole + cut])
        #expect(frames.count == 1 && error == nil)
        #expect(unread == cut)
    }

    @Test func `an error repeats and keeps the bytes`() {
        var decoder = FrameDecoder()
        let bad: [UInt8] = [0x81, 126, 0, 1, 0x81, 0]
        decoder.append(bad.span)
        for _ in 0..<3 {
            #expect(throws: FrameError.nonMinimalLength) { try decodeOne(&decoder) }
        }
        #expect(decoder.unreadBytes() == bad)
    }

    private func decodeOne(_ decoder: inout FrameDecoder) throws(FrameError) -> FrameHeader? {
        try decoder.nextFrame()
    }

    @Test(arguments: 1...300)
    func `random and damaged bytes never trap`(seed: Int) {
        var dice = Dice(state: UInt64(seed) &* 977)
        var bytes = dice.bytes(dice.roll(400))
        if seed % 2 == 0 {
            bytes = (0..<5).flatMap { _ in
                Frame(UInt8(dice.roll(256)), dice.bytes(dice.roll(200)), mask: 77).wire
            }
            for _ in 0..<3 { bytes[dice.roll(bytes.count)] = UInt8(dice.roll(256)) }
        }
        let (frames, error, unread) = decode([bytes], limit: 10_000)
        let taken = frames.reduce(0) { $0 + $1.wire.count }
        #expect(taken + unread.count == bytes.count)
        #expect(bytes.starts(with: frames.flatMap(\.wire)))
        for sender in [FrameRules.Sender.client, .server] {
            var rules = FrameRules(sender: sender, allowsCompression: seed % 3 == 0)
            var assembler = MessageAssembler(messageLimit: 500)
            for frame in frames {
                _ = rules.judge(frame.header, frame.payload.span)
                _ = try? assembler.append(frame.header, frame.payload.span) { _, _ in }
            }
        }
        _ = error
    }
}
