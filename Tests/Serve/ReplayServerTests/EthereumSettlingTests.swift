import Platform
import Testing
import WebSocketProtocol
import WebSocketTransport

@testable import ReplayServer

/// At full speed: subscriptions that come one by one all begin where the first one does.
@Suite(.timeLimit(.minutes(1))) struct EthereumSettlingTests {
    private let heads = #"["newHeads"]"#
    private let logs = #"["logs",{}]"#

    /// The machine's clock, which a test may set forward.
    private final class SettableClock: Clock {
        private let ahead = Monitor<UInt64>(0)

        func wallNanoseconds() -> Int64 { SystemClock().wallNanoseconds() }
        func monotonicNanoseconds() -> UInt64 {
            SystemClock().monotonicNanoseconds() + ahead.withLock { $0 }
        }
        func set(forward seconds: UInt64) { ahead.withLock { $0 += seconds * 1_000_000_000 } }
    }

    /// Four blocks with a head and two logs each; their messages by subscription.
    private func recording(
        _ maker: EthereumRecordingMaker
    ) throws -> (heads: [String], logs: [String]) {
        let stream = try maker.open()
        try maker.call(stream, 1, "eth_subscribe", heads, answer: "\"0xa1\"")
        try maker.call(stream, 2, "eth_subscribe", logs, answer: "\"0xa2\"")
        var made: (heads: [String], logs: [String]) = ([], [])
        for number in 1...4 {
            made.heads.append(header(number, hash: number, parent: number - 1))
            try maker.received(stream, .text(notification("0xa1", made.heads[number - 1])))
            for place in 0..<2 {
                let log = log(block: number, hash: number, index: place, address: place)
                made.logs.append(log)
                try maker.received(stream, .text(notification("0xa2", log)))
            }
        }
        try maker.finish()
        return made
    }

    private func sent(_ client: EthereumClient, _ id: String) throws -> [String] {
        EthereumClient.messages(try client.allFrames()).filter {
            $0.contains("\"subscription\":\"\(id)\"")
        }
    }

    @Test func `the recorded subscriptions in another order are whole, and wait for nobody`() throws
    {
        let maker = try EthereumRecordingMaker()
        let made = try recording(maker)
        let stage = try EthereumStage(maker) {
            $0.settlingMilliseconds = 3_600_000
            $0.settlingMillisecondsMax = 3_600_000
        }
        let client = try EthereumClient(stage.server)
        // Each waits for the answer to the one before.
        #expect(try client.ask(1, "eth_subscribe", logs).contains("0xa2"))
        #expect(try client.ask(2, "eth_subscribe", heads).contains("0xa1"))
        #expect(try sent(client, "0xa1") == made.heads.map { notification("0xa1", $0) })
        #expect(try sent(client, "0xa2") == made.logs.map { notification("0xa2", $0) })
        #expect(client.end?.closeCode == CloseCode.normal)
    }

    @Test(arguments: [true, false])
    func `subscriptions of a client's own begin together; the play begins when no other comes`(
        isBoundFirst: Bool
    ) throws {
        let maker = try EthereumRecordingMaker()
        let made = try recording(maker)
        let clock = SettableClock()
        let stage = try EthereumStage(maker, clock: clock) {
            $0.settlingMilliseconds = 1_000_000
            $0.settlingMillisecondsMax = 2_000_000
        }
        let client = try EthereumClient(stage.server)
        var own: [String] = []
        if isBoundFirst { _ = try client.ask(9, "eth_subscribe", heads) }
        for place in 0..<2 {
            let filter = #"["logs",{"address":"\#(address(place))"}]"#
            let answer = try client.ask(place, "eth_subscribe", filter).split(separator: "\"")
            own.append(String(try #require(answer.dropLast().last)))
            // Less than the time to the next one, and together more.
            clock.set(forward: 900)
        }
        #expect(EthereumClient.messages(client.frames).count == (isBoundFirst ? 3 : 2))
        // Altogether the time is over, whatever the client still asks.
        clock.set(forward: 900)
        // Makes the server look at its clock, if it has not yet.
        try? client.send(jsonCall(8, "eth_chainId", "[]"))
        for (place, id) in own.enumerated() {
            let wanted = made.logs.enumerated().filter { $0.offset % 2 == place }.map(\.element)
            #expect(try sent(client, id) == wanted.map { notification(id, $0) })
        }
        let headsSent = isBoundFirst ? made.heads.map { notification("0xa1", $0) } : []
        #expect(try sent(client, "0xa1") == headsSent)
    }

    @Test func `a client that asks for no more gets what it asked for`() throws {
        let maker = try EthereumRecordingMaker()
        let made = try recording(maker)
        let stage = try EthereumStage(maker) { $0.settlingMilliseconds = 20 }
        let client = try EthereumClient(stage.server)
        #expect(try client.ask(1, "eth_subscribe", logs).contains("0xa2"))
        #expect(try sent(client, "0xa2") == made.logs.map { notification("0xa2", $0) })
        #expect(client.end?.closeCode == CloseCode.normal)
    }

    @Test func `a frame against the rules is not answered, nor any behind it`() throws {
        let maker = try EthereumRecordingMaker()
        _ = try recording(maker)
        let stage = try EthereumStage(maker)
        // 0xA1: an RSV bit that nothing explains; 0xC1: compressed, which was not agreed on.
        for firstByte: UInt8 in [0xA1, 0xC1, 0x83] {
            let client = try EthereumClient(stage.server)
            for first in [firstByte, 0x81, 0x81] {
                try client.send(jsonCall(1, "eth_chainId", "[]"), firstByte: first)
            }
            #expect(try client.allFrames() == [])
            #expect(client.end?.closeCode == CloseCode.protocolError)
        }
    }

    @Test func `a compressed message that is none fails the connection`() throws {
        let maker = try EthereumRecordingMaker()
        let stream = try maker.open(
            extensions: "permessage-deflate; server_no_context_takeover; client_no_context_takeover"
        )
        try maker.call(stream, 1, "eth_subscribe", heads, answer: "\"0xa1\"")
        try maker.finish()
        let stage = try EthereumStage(maker)
        // Not deflate; and a stored block of one byte that is no UTF-8.
        let cases: [([UInt8], UInt16)] = [
            ([0xFF, 0xFF, 0xFF], CloseCode.protocolError),
            ([0x00, 0x01, 0x00, 0xFE, 0xFF, 0xFF, 0x00], CloseCode.invalidPayload),
        ]
        for (payload, code) in cases {
            let client = try EthereumClient(stage.server, compression: true)
            try client.send(WireFrame(0xC1, payload))
            #expect(try client.allFrames() == [])
            #expect(client.end?.closeCode == code)
        }
    }
}
