import Platform
import RecordModel
import Replay
import Testing
import WebSocketProtocol
import WebSocketTransport

@testable import ReplayServer

/// What a client gets that asks for something else than the recorder did, or for more.
struct EthereumMergedTests {
    /// Two overlapping connections of two sources to one chain, with all heads and all logs.
    private func overlapping(_ maker: EthereumRecordingMaker) throws {
        let one = try maker.open(source: "one")
        try maker.call(one, 1, "eth_subscribe", #"["newHeads"]"#, answer: "\"0xa1\"")
        try maker.call(one, 2, "eth_subscribe", #"["logs",{}]"#, answer: "\"0xa2\"")
        let two = try maker.open(source: "two")
        try maker.call(two, 1, "eth_subscribe", #"["newHeads"]"#, answer: "\"0xb1\"")
        try maker.call(two, 2, "eth_subscribe", #"["logs",{}]"#, answer: "\"0xb2\"")
        for number in 1...4 {
            // The second one is first with even blocks.
            for isOne in [number % 2 == 1, number % 2 == 0] {
                let stream = isOne ? one : two
                let names = isOne ? ("0xa1", "0xa2") : ("0xb1", "0xb2")
                let head = header(number, hash: number, parent: number - 1)
                try maker.received(stream, .text(notification(names.0, head)))
                for index in 0..<3 {
                    let log = log(
                        block: number,
                        hash: number,
                        index: index,
                        address: index,
                        topics: [number, 40 + index]
                    )
                    try maker.received(stream, .text(notification(names.1, log)))
                }
            }
        }
        try maker.finish()
    }

    private func id(of answer: String) throws -> String {
        let parts = answer.split(separator: "\"")
        return String(try #require(parts.dropLast().last))
    }

    @Test func `a narrower filter gets the logs it selects, each once, under an id of its own`()
        throws
    {
        let maker = try EthereumRecordingMaker()
        try overlapping(maker)
        let stage = try EthereumStage(maker) { $0.settlingMilliseconds = 20 }
        let client = try EthereumClient(stage.server)
        let params =
            #"["logs",{"address":"\#(address(1))","topics":[["\#(hash(2))","\#(hash(3))"]]}]"#
        try client.send(jsonCall(5, "eth_subscribe", params))
        let messages = EthereumClient.messages(try client.allFrames())
        let own = try id(of: messages[0])
        #expect(!["0xa1", "0xa2", "0xb1", "0xb2"].contains(own))
        #expect(
            Array(messages.dropFirst())
                == [2, 3].map {
                    notification(
                        own,
                        log(block: $0, hash: $0, index: 1, address: 1, topics: [$0, 41])
                    )
                }
        )
        #expect(client.end?.closeCode == CloseCode.normal)
    }

    @Test func `the same call twice on one connection gets two ids`() throws {
        let maker = try EthereumRecordingMaker()
        let stream = try maker.open()
        try maker.call(stream, 1, "eth_subscribe", #"["newHeads"]"#, answer: "\"0xa1\"")
        try maker.received(stream, .text(notification("0xa1", header(1, hash: 1, parent: 0))))
        try maker.finish()
        let stage = try EthereumStage(maker, head: 5)
        let client = try EthereumClient(stage.server)
        let first = try id(of: client.ask(1, "eth_subscribe", #"["newHeads"]"#))
        let second = try id(of: client.ask(2, "eth_subscribe", #"["newHeads"]"#))
        #expect(first == "0xa1")
        #expect(second != "0xa1")
        stage.playOn()
        let head = header(1, hash: 1, parent: 0)
        #expect(
            Set(EthereumClient.messages(try client.allFrames()).dropFirst(2))
                == [notification(first, head), notification(second, head)]
        )
    }

    @Test func `a block taken back and adopted again is told as often as the node told it`() throws
    {
        let maker = try EthereumRecordingMaker()
        let stream = try maker.open()
        try maker.call(stream, 1, "eth_subscribe", #"["logs",{}]"#, answer: "\"0xa1\"")
        let other = try maker.open(source: "other")
        try maker.call(other, 1, "eth_subscribe", #"["logs",{}]"#, answer: "\"0xb1\"")
        let story = [
            log(block: 5, hash: 51, index: 0), log(block: 5, hash: 51, index: 0, removed: true),
            log(block: 5, hash: 52, index: 0), log(block: 5, hash: 52, index: 0, removed: true),
            log(block: 5, hash: 51, index: 0),
        ]
        for text in story { try maker.received(stream, .text(notification("0xa1", text))) }
        for text in story { try maker.received(other, .text(notification("0xb1", text))) }
        try maker.finish()
        let stage = try EthereumStage(maker) { $0.settlingMilliseconds = 20 }
        let client = try EthereumClient(stage.server)
        let params = #"["logs",{"address":"\#(address(7))"}]"#
        try client.send(jsonCall(1, "eth_subscribe", params))
        let messages = EthereumClient.messages(try client.allFrames())
        let own = try id(of: messages[0])
        #expect(Array(messages.dropFirst()) == story.map { notification(own, $0) })
    }

    @Test func `a long message is cut as the recorded one, or as nodes do`() throws {
        let maker = try EthereumRecordingMaker()
        let stream = try maker.open()
        let id = "0x" + String(repeating: "a", count: 32)
        try maker.call(stream, 1, "eth_subscribe", #"["logs",{}]"#, answer: "\"\(id)\"")
        for size in [1_400, 3_000] {
            let data = "0x" + String(repeating: "0", count: size)
            let bytes = Array(
                notification(id, log(block: 1, hash: 1, index: size, data: data)).utf8
            )
            // Cut in a way no node cuts.
            try maker.received(
                stream,
                WireFrame(0x01, Array(bytes[..<100])),
                WireFrame(0x00, Array(bytes[100..<200])),
                WireFrame(0x80, Array(bytes[200...]))
            )
        }
        try maker.finish()
        for (random, counts) in [(FixedRandom(.max), true), (FixedRandom(1), false)] {
            let stage = try EthereumStage(maker, random: random) {
                $0.settlingMilliseconds = 20
            }
            let client = try EthereumClient(stage.server)
            try client.send(
                jsonCall(1, "eth_subscribe", #"["logs",{"address":"\#(address(7))"}]"#)
            )
            let frames = try client.allFrames().dropFirst()
            if counts {
                #expect(frames.map(\.payload.count).prefix(2) == [100, 100])
                #expect(frames.map(\.firstByte) == [0x01, 0x00, 0x80, 0x01, 0x00, 0x80])
            } else {
                #expect(frames.map(\.firstByte) == [0x01, 0x80, 0x01, 0x80])
                #expect(frames.first?.payload.count == 1_024)
                #expect(frames.last?.payload.isEmpty == true)
            }
        }
    }

    @Test func `unsubscribing stops the notifications, once`() throws {
        let maker = try EthereumRecordingMaker()
        let stream = try maker.open()
        try maker.call(stream, 1, "eth_subscribe", #"["newHeads"]"#, answer: "\"0xa1\"")
        try maker.received(stream, .text(notification("0xa1", header(1, hash: 1, parent: 0))))
        let edge = maker.last
        try maker.received(stream, .text(notification("0xa1", header(2, hash: 2, parent: 1))))
        try maker.finish()
        let stage = try EthereumStage(maker, head: 0)
        let client = try EthereumClient(stage.server)
        _ = try client.ask(1, "eth_subscribe", #"["newHeads"]"#)
        stage.play(through: edge)
        _ = try client.messages(2)
        #expect(try client.ask(2, "eth_unsubscribe", #"["0xa1"]"#).contains(#""result":true}"#))
        let again = try client.ask(3, "eth_unsubscribe", #"["0xa1"]"#)
        #expect(again.contains(#"{"code":-32000,"message":"subscription not found"}"#))
        stage.playOn()
        #expect(EthereumClient.messages(try client.allFrames()).count == 4)
    }

    @Test func `what the recording does not hold is refused in the nodes' words`() throws {
        let maker = try EthereumRecordingMaker()
        let stream = try maker.open()
        let own = #"["logs",{"address":"\#(address(7))"}]"#
        try maker.call(stream, 1, "eth_subscribe", own, answer: "\"0xa1\"")
        try maker.finish()
        let stage = try EthereumStage(maker)
        let client = try EthereumClient(stage.server)
        let cases = [
            ("eth_subscribe", #"["tea"]"#, #"-32601,"message":"no \"tea\" subscription in eth"#),
            ("eth_subscribe", #"["newHeads"]"#, "-32000"),
            ("eth_subscribe", #"["logs",{}]"#, "-32000"),
            ("eth_subscribe", #"["logs",{"address":"0x1"}]"#, "-32602"),
            ("eth_getBalance", "[]", "-32601"),
            ("eth_getLogs", #"[{"fromBlock":"0x1","toBlock":"0x2"}]"#, "-32000"),
            ("eth_unsubscribe", #"["0xa1"]"#, "-32000"),
        ]
        for (number, (method, params, error)) in cases.enumerated() {
            #expect(try client.ask(number, method, params).contains("\"error\":{\"code\":\(error)"))
        }
        #expect(try client.ask(50, "eth_chainId", "[]").contains(#""result":"0x89""#))
        #expect(try client.ask(51, "net_version", "[]").contains(#""result":"137""#))
        try client.send("{ this is no json")
        #expect(
            try client.messages(10).last?.contains(#""id":null,"error":{"code":-32700"#) == true
        )
        #expect(client.end?.closeCode == CloseCode.abnormal)
    }

    @Test func `a batch is answered in one message, within limits`() throws {
        let maker = try EthereumRecordingMaker()
        try overlapping(maker)
        let stage = try EthereumStage(maker) { $0.batchCallsMax = 3 }
        let client = try EthereumClient(stage.server)
        let calls = [
            jsonCall(1, "eth_chainId", "[]"), jsonCall(2, "eth_nothing", "[]"),
            #"{"jsonrpc":"2.0","method":"eth_chainId"}"#,
        ]
        try client.send("[" + calls.joined(separator: ",") + "]")
        try client.send("[]")
        try client.send("[" + (calls + calls).joined(separator: ",") + "]")
        let answers = try client.messages(3)
        #expect(answers[0].hasPrefix(#"[{"jsonrpc":"2.0","id":1,"result":"0x89"},{"jsonrpc""#))
        #expect(answers[0].contains("-32601"))
        #expect(answers[1].contains("empty batch"))
        #expect(answers[2].contains(#"[{"jsonrpc":"2.0","id":1,"error":{"code":-32600"#))
    }

    @Test func `logs up to the head are all there as soon as a node has them, or none`() throws {
        let maker = try EthereumRecordingMaker()
        let stream = try maker.open()
        try maker.call(stream, 1, "eth_subscribe", #"["newHeads"]"#, answer: "\"0xa1\"")
        try maker.call(stream, 2, "eth_subscribe", #"["logs",{}]"#, answer: "\"0xa2\"")
        // The place of each header, and its logs.
        var places: [Sequence] = []
        var logs: [[String]] = []
        for number in 1...3 {
            let head = header(number, hash: number, parent: number - 1)
            places.append(try maker.received(stream, .text(notification("0xa1", head))))
            logs.append((0..<3).map { log(block: number, hash: number, index: $0) })
            for log in logs[number - 1] {
                try maker.received(stream, .text(notification("0xa2", log)))
            }
        }
        try maker.finish()
        let stage = try EthereumStage(maker, head: places[0].value)
        let client = try EthereumClient(stage.server)
        func list(_ blocks: [[String]]) -> String {
            "\"result\":[\(blocks.joined().joined(separator: ","))]}"
        }
        // Between the header and its logs, and between two of its logs.
        var id = 0
        for place in [places[0], places[0].next, places[1], places[1].next] {
            if stage.stage.status.position < place { stage.play(through: place) }
            let known = place < places[1] ? 1 : 2
            for range in [
                #"[{"fromBlock":"0x1"}]"#, #"[{"fromBlock":"0x1","toBlock":"latest"}]"#,
                #"[{"fromBlock":"0x1","toBlock":"0x\#(known)"}]"#,
            ] {
                id += 1
                let answer = try client.ask(id, "eth_getLogs", range)
                #expect(answer.contains(list(Array(logs.prefix(known)))), "\(place) \(answer)")
            }
            id += 1
            let beyond = #"[{"fromBlock":"0x1","toBlock":"0x\#(known + 1)"}]"#
            #expect(try client.ask(id, "eth_getLogs", beyond).contains("error"))
        }
        // Nothing proves the last block whole.
        stage.playOn()
        let last = try client.ask(100, "eth_getLogs", #"[{"fromBlock":"0x1"}]"#)
        #expect(last.contains("is not available in this recording"))
        let before = try client.ask(101, "eth_getLogs", #"[{"fromBlock":"0x1","toBlock":"0x2"}]"#)
        #expect(before.contains(list(Array(logs.prefix(2)))))
    }

    @Test func `queries are answered as of the head, on the chain that was canonical there`() throws
    {
        let maker = try EthereumRecordingMaker()
        let stream = try maker.open()
        try maker.call(stream, 1, "eth_subscribe", #"["newHeads"]"#, answer: "\"0xa1\"")
        try maker.call(stream, 2, "eth_subscribe", #"["logs",{}]"#, answer: "\"0xa2\"")
        func block(_ number: Int, _ own: Int, _ parent: Int) throws {
            let head = header(number, hash: own, parent: parent)
            try maker.received(stream, .text(notification("0xa1", head)))
            try maker.received(
                stream,
                .text(notification("0xa2", log(block: number, hash: own, index: 0)))
            )
        }
        try block(1, 1, 0)
        try block(2, 2, 1)
        try block(3, 3, 2)
        let before = maker.last
        // Block 3 leaves the chain.
        let gone = log(block: 3, hash: 3, index: 0, removed: true)
        try maker.received(stream, .text(notification("0xa2", gone)))
        try block(3, 33, 2)
        try block(4, 44, 33)
        let after = maker.last
        try maker.finish()
        let stage = try EthereumStage(maker, head: before.value)
        let client = try EthereumClient(stage.server)
        let range = #"[{"fromBlock":"0x1","toBlock":"0x2"}]"#
        let byHash = #"[{"blockHash":"\#(hash(2))"}]"#
        let list = "[\(log(block: 1, hash: 1, index: 0)),\(log(block: 2, hash: 2, index: 0))]"
        #expect(try client.ask(1, "eth_blockNumber", "[]").contains(#""result":"0x3""#))
        #expect(try client.ask(2, "eth_getLogs", range).contains("\"result\":\(list)}"))
        #expect(
            try client.ask(3, "eth_getLogs", byHash).contains(
                "\"result\":[\(log(block: 2, hash: 2, index: 0))]"
            )
        )
        stage.play(through: after)
        let later = #"[{"fromBlock":"0x3","toBlock":"0x3"}]"#
        #expect(try client.ask(4, "eth_blockNumber", "[]").contains(#""result":"0x4""#))
        let replaced = try client.ask(5, "eth_getLogs", later)
        #expect(replaced.contains("\"result\":[\(log(block: 3, hash: 33, index: 0))]"))
        let orphan = try client.ask(6, "eth_getLogs", #"[{"blockHash":"\#(hash(3))"}]"#)
        #expect(orphan.contains("unknown block"))
        // The head goes back, and with it what is known.
        stage.stage.seek(to: before.next)
        #expect(try client.ask(7, "eth_blockNumber", "[]").contains(#""result":"0x3""#))
    }
}

/// The same number for ever.
struct FixedRandom: RandomSource {
    let value: UInt64

    init(_ value: UInt64) { self.value = value }

    mutating func next() -> UInt64 { value }
}
