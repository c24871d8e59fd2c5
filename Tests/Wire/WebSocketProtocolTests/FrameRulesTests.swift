import Testing
import WebSocketProtocol

/// Judges frames of a server (or, with masks, of a client) one after another.
private func judge(
    _ frames: [Frame],
    sender: FrameRules.Sender = .server,
    compression: Bool = false,
    limit: Int = 1 << 20
) -> [Judgement] {
    var rules = FrameRules(sender: sender, allowsCompression: compression, messageLimit: limit)
    return frames.map { rules.judge($0.header, $0.payload.span) }
}

@Suite struct FrameRulesTests {
    @Test func `fragments as real nodes send them are legal`() {
        let verdicts = judge([
            Frame(0x01, "{\"a\":"), Frame(0x89), Frame(0x00, "1}"), Frame(0x8A, "x"), Frame(0x80),
            Frame(0x82, [0xFF, 0xFE]), Frame(0x81, ""),
        ])
        #expect(
            verdicts == [
                .message(isEnd: false), .ping, .message(isEnd: false), .pong,
                .message(isEnd: true), .message(isEnd: true), .message(isEnd: true),
            ]
        )
    }

    @Test(
        arguments: [
            (Frame(0x83), .reservedOpcode(3), 1002),
            (Frame(0x8B), .reservedOpcode(11), 1002),
            (Frame(0xC1), .reservedBits(firstByte: 0xC1), 1002),
            (Frame(0xA1), .reservedBits(firstByte: 0xA1), 1002),
            (Frame(0x91), .reservedBits(firstByte: 0x91), 1002),
            (Frame(0x09), .fragmentedControl(opcode: 9), 1002),
            (
                Frame(0x89, [UInt8](repeating: 0, count: 126)),
                .oversizedControl(opcode: 9, length: 126), 1002
            ),
            (Frame(0x80), .unexpectedContinuation, 1002),
            (Frame(0x81, "a", mask: 1), .maskForbidden, 1002),
            (Frame(0x81, [0xC0, 0x80]), .malformedText, 1007),
            (Frame(0x88, [0x03]), .malformedClose, 1002),
            (Frame(0x88, [0x03, 0xED]), .invalidCloseCode(1005), 1002),
            (Frame(0x88, [0x03, 0xEE]), .invalidCloseCode(1006), 1002),
            (Frame(0x88, [0x03, 0xE7]), .invalidCloseCode(999), 1002),
            (Frame(0x88, [0x13, 0x88]), .invalidCloseCode(5000), 1002),
            (Frame(0x88, [0x03, 0xE8, 0xFF]), .malformedCloseReason, 1007),
            (
                Frame(0x82, [UInt8](repeating: 0, count: 2_000)), .messageOverLimit(limit: 1_000),
                1009
            ),
        ] as [(Frame, Violation, UInt16)]
    )
    func `each violation has its close code`(frame: Frame, violation: Violation, code: UInt16) {
        #expect(
            judge([frame, Frame(0x81)], limit: 1_000) == [
                .violation(violation), .violation(violation),
            ]
        )
        #expect(violation.closeCode == code)
        #expect(!violation.description.isEmpty)
    }

    @Test func `frame errors have their close codes`() {
        #expect(Violation.frame(.overLimit(length: 2, limit: 1)).closeCode == 1009)
        #expect(Violation.frame(.nonMinimalLength).closeCode == 1002)
    }

    @Test func `clients must mask`() {
        #expect(judge([Frame(0x81, "a")], sender: .client) == [.violation(.maskMissing)])
        #expect(judge([Frame(0x81, "a", mask: 0)], sender: .client) == [.message(isEnd: true)])
    }

    @Test func `a new message inside another is refused`() {
        #expect(judge([Frame(0x01), Frame(0x81)])[1] == .violation(.interruptedMessage))
        #expect(judge([Frame(0x02), Frame(0x02)])[1] == .violation(.interruptedMessage))
    }

    @Test func `fragments count together towards the limit`() {
        let part = Frame(0x00, [UInt8](repeating: 65, count: 400))
        let verdicts = judge(
            [Frame(0x01, part.payload), part, part],
            limit: 1_000
        )
        #expect(verdicts[1] == .message(isEnd: false))
        #expect(verdicts[2] == .violation(.messageOverLimit(limit: 1_000)))
    }

    @Test func `a character cut by a fragment is fine, a lost rest is not`() {
        let euro = Array("€".utf8)
        #expect(
            judge([Frame(0x01, [euro[0]]), Frame(0x00, [euro[1]]), Frame(0x80, [euro[2]])])
                .last == .message(isEnd: true)
        )
        #expect(
            judge([Frame(0x01, [euro[0]]), Frame(0x80, [euro[1]])]).last
                == .violation(.malformedText)
        )
        #expect(
            judge([Frame(0x01, [euro[0]]), Frame(0x00, [0x41])]).last
                == .violation(.malformedText)
        )
    }

    @Test func `compression allows RSV1 on the first frame only and leaves text alone`() {
        let noise: [UInt8] = [0xFF, 0xC0]
        #expect(
            judge([Frame(0x41, noise), Frame(0x80, noise)], compression: true) == [
                .message(isEnd: false), .message(isEnd: true),
            ]
        )
        #expect(
            judge([Frame(0x41, noise), Frame(0xC0, noise)], compression: true)[1]
                == .violation(.reservedBits(firstByte: 0xC0))
        )
        #expect(
            judge([Frame(0xC9)], compression: true)[0]
                == .violation(.reservedBits(firstByte: 0xC9))
        )
        #expect(judge([Frame(0x81, noise)], compression: true)[0] == .violation(.malformedText))
    }

    @Test func `frames behind a close frame are not acted on`() {
        let verdicts = judge([Frame(0x88, [0x03, 0xE8, 0x6F, 0x6B]), Frame(0x89), Frame(0x83)])
        guard case .close(let body) = verdicts[0] else {
            Issue.record("no close")
            return
        }
        #expect(body.code == 1000 && body.reason == Array("ok".utf8))
        #expect(Array(verdicts[1...]) == [.afterClose, .afterClose])
    }
}

@Suite struct CloseTests {
    @Test func `a peer that closes first gets its code back`() {
        var close = CloseHandshake()
        #expect(close.receive(CloseBody(code: 1001, reason: "bye")) == CloseBody(code: 1001))
        #expect(close.isPeerFirst)
        #expect(close.send(CloseBody(code: 1001)) == true)
        #expect(close.isComplete)
        #expect(close.send(CloseBody(code: 1000)) == false)
    }

    @Test func `our close is answered and not repeated`() {
        var close = CloseHandshake()
        #expect(close.send(CloseBody(code: 1000)) == true)
        #expect(!close.isComplete)
        #expect(close.receive(CloseBody(code: 1000)) == nil)
        #expect(close.isComplete && !close.isPeerFirst)
    }

    @Test func `a reason is cut at a character`() {
        let body = CloseBody(code: 1000, reason: String(repeating: "€", count: 60))
        #expect(body.payload.count == 2 + 123)
        #expect(String(validating: body.reason, as: UTF8.self) != nil)
        #expect(CloseBody(code: nil, reason: "x").payload == [])
    }

    @Test func `codes on the wire follow the registry`() {
        let valid = (0...65_535).filter { CloseCode.isValidOnWire(UInt16($0)) }
        #expect(valid == Array(1000...1003) + Array(1007...1014) + Array(3000...4999))
    }
}

@Suite struct TextValidatorTests {
    /// Well-formed and ill-formed texts; Swift's String decides which is which.
    private static let samples: [[UInt8]] = [
        Array("aé€😀".utf8), [0xED, 0xA0, 0x80], [0xF4, 0x90, 0x80, 0x80], [0xE0, 0x80, 0x80],
        [0xF0, 0x80, 0x80, 0x80], [0xC1, 0xBF], [0xF5, 0x80, 0x80, 0x80], [0x80], [0xEF, 0xBF],
        [0xEE, 0x80, 0x80, 0x41], [0xF4, 0x8F, 0xBF, 0xBF], [0xED, 0x9F, 0xBF],
        Array(String(repeating: "Zürich → 東京 🚀 ", count: 9).utf8),
    ]

    @Test(arguments: samples)
    func `every split judges a text as a whole`(bytes: [UInt8]) {
        let expected = String(validating: bytes, as: UTF8.self) != nil
        for first in 0...bytes.count {
            for second in first...bytes.count {
                var validator = TextValidator()
                var isGood = true
                for piece in [bytes[..<first], bytes[first..<second], bytes[second...]] {
                    isGood = validator.append(Array(piece).span) && isGood
                }
                #expect((isGood && validator.isComplete) == expected)
            }
        }
    }

    @Test func `random bytes in random pieces agree with String`() {
        var dice = Dice(state: 11)
        for _ in 0..<3_000 {
            var bytes = Array("a€é😀".utf8)
            for _ in 0..<dice.roll(3) { bytes[dice.roll(bytes.count)] = UInt8(dice.roll(256)) }
            var validator = TextValidator()
            var isGood = true
            var place = 0
            while place < bytes.count {
                let end = min(bytes.count, place + 1 + dice.roll(4))
                isGood = validator.append(Array(bytes[place..<end]).span) && isGood
                place = end
            }
            let expected = String(validating: bytes, as: UTF8.self) != nil
            #expect((isGood && validator.isComplete) == expected, "\(bytes)")
        }
    }
}

@Suite struct MessageAssemblerTests {
    private typealias Message = (about: AssembledMessage, bytes: [UInt8])

    private func feed(
        _ assembler: inout MessageAssembler,
        _ frame: Frame
    ) throws(Violation) -> Message? {
        var message: Message?
        try assembler.append(frame.header, frame.payload.span) { about, span in
            message = (about, span.indices.map { span[$0] })
        }
        return message
    }

    @Test func `fragments add up and control frames pass by`() throws {
        var assembler = MessageAssembler()
        #expect(try feed(&assembler, Frame(0x41, "He")) == nil)
        #expect(try feed(&assembler, Frame(0x89, "ping")) == nil)
        #expect(try feed(&assembler, Frame(0x00, "llo")) == nil)
        #expect(assembler.heldByteCount == 5)
        let message = try feed(&assembler, Frame(0x80))
        #expect(message?.bytes == Array("Hello".utf8))
        #expect(message?.about.opcode == 1 && message?.about.isCompressed == true)
        #expect(message?.about.frameCount == 3)
        #expect(!assembler.isInsideMessage)
        let next = try feed(&assembler, Frame(0x82, [1]))
        #expect(next?.bytes == [1] && next?.about.frameCount == 1)
    }

    @Test func `a message over the limit is passed over to its end`() throws {
        var assembler = MessageAssembler(messageLimit: 4)
        #expect(try feed(&assembler, Frame(0x02, [1, 2, 3])) == nil)
        #expect(throws: Violation.messageOverLimit(limit: 4)) {
            try feed(&assembler, Frame(0x00, [4, 5]))
        }
        #expect(try feed(&assembler, Frame(0x80, [6])) == nil)
        #expect(try feed(&assembler, Frame(0x82, [1, 2, 3, 4]))?.bytes == [1, 2, 3, 4])
        #expect(throws: Violation.messageOverLimit(limit: 4)) {
            try feed(&assembler, Frame(0x82, [1, 2, 3, 4, 5]))
        }
        #expect(try feed(&assembler, Frame(0x82, [7]))?.bytes == [7])
    }

    @Test func `broken orders are reported and can be gone on from`() throws {
        var assembler = MessageAssembler()
        #expect(throws: Violation.unexpectedContinuation) { try feed(&assembler, Frame(0x80)) }
        _ = try feed(&assembler, Frame(0x01, "a"))
        #expect(throws: Violation.interruptedMessage) { try feed(&assembler, Frame(0x81, "b")) }
        #expect(try feed(&assembler, Frame(0x81, "b"))?.bytes == Array("b".utf8))
    }
}
