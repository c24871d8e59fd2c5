import Foundation
import Testing

@testable import Synthesis

struct EthereumWireTests {
    private static let steps: [SynthesizedStep] = {
        var options = SynthesisRun.options
        options.slots = 0
        options.ethereumBlocks = 40
        return SynthesisRun.steps(options)
    }()

    /// Data messages of the node, put together from their frames.
    private func messages(_ steps: [SynthesizedStep] = Self.steps) -> [[UInt8]] {
        var messages: [[UInt8]] = []
        var partial: [UInt8] = []
        for frame in SynthesisRun.frames(steps, .incoming) where frame.opcode < 8 {
            partial += frame.payload
            guard frame.isFinal else { continue }
            messages.append(partial)
            partial = []
        }
        return messages
    }

    private func object(_ message: [UInt8]) throws -> [String: Any] {
        try #require(try JSONSerialization.jsonObject(with: Data(message)) as? [String: Any])
    }

    /// Results of the notifications of one kind, in order of arrival.
    private func results(_ key: String) throws -> [[String: Any]] {
        try messages().compactMap { message in
            let parameters = try object(message)["params"] as? [String: Any]
            guard let result = parameters?["result"] as? [String: Any] else { return nil }
            return result[key] == nil ? nil : result
        }
    }

    private func number(_ value: Any?) throws -> UInt64 {
        let text = try #require(value as? String)
        return try #require(UInt64(text.dropFirst(2), radix: 16))
    }

    @Test func `every message is one line of JSON`() throws {
        let all = messages()
        #expect(all.count > 100)
        for message in all {
            _ = try object(message)
            #expect(message.last == 10)
            #expect(message.count { $0 == 10 } == 1)
            #expect(!message.contains(UInt8(ascii: " ")))
        }
    }

    @Test func `frames follow the node's write buffer`() {
        var sizes: [Int] = []
        var shapes: Set<String> = []
        for frame in SynthesisRun.frames(Self.steps, .incoming) where frame.opcode < 8 {
            #expect(frame.opcode == (sizes.isEmpty ? 1 : 0))
            #expect(frame.maskKey == nil)
            sizes.append(frame.payload.count)
            guard frame.isFinal else { continue }
            switch sizes.reduce(0, +) {
            case ...1_024:
                #expect(sizes.count == 1)
                shapes.insert("whole")
            case ...2_076:
                #expect(sizes[0] == 1_024)
                #expect(sizes.dropFirst().dropLast().allSatisfy { $0 == 1_024 })
                #expect(sizes.dropFirst().allSatisfy { (1...1_024).contains($0) })
                shapes.insert("split")
            default:
                #expect(sizes.count == 2)
                #expect(sizes[1] == 0)
                shapes.insert("direct")
            }
            sizes = []
        }
        #expect(shapes == ["whole", "split", "direct"])
    }

    @Test(arguments: [
        (1_024, [1_024]), (1_025, [1_024, 1]), (2_048, [1_024, 1_024]),
        (2_076, [1_024, 1_024, 28]), (2_077, [2_077, 0]), (0, [0]),
    ])
    func `a message is cut at the bounds`(size: Int, expected: [Int]) {
        let frames = NodeFraming.frames([UInt8](repeating: 7, count: size))
        #expect(frames.map(\.payload.count) == expected)
        #expect(frames.dropLast().allSatisfy { !$0.isFinal })
        #expect(frames.last?.isFinal == true)
    }

    @Test func `client frames are masked and answer each ping`() {
        let outgoing = SynthesisRun.frames(Self.steps, .outgoing)
        #expect(outgoing.allSatisfy { $0.maskKey != nil })
        let pings = SynthesisRun.frames(Self.steps, .incoming).count { $0.opcode == 9 }
        #expect(pings == 2)
        #expect(outgoing.count { $0.opcode == 10 } == pings)
    }

    @Test func `heads have the node's keys in the node's order`() throws {
        let keys = [
            "parentHash", "sha3Uncles", "miner", "stateRoot", "transactionsRoot", "receiptsRoot",
            "logsBloom", "difficulty", "number", "gasLimit", "gasUsed", "timestamp", "extraData",
            "mixHash", "nonce", "baseFeePerGas", "withdrawalsRoot", "blobGasUsed",
            "excessBlobGas", "parentBeaconBlockRoot", "requestsHash", "hash",
        ]
        let heads = messages().map { String(decoding: $0, as: UTF8.self) }
            .filter { $0.contains("parentHash") }
        #expect(heads.count == 40)
        for head in heads {
            var rest = head[...]
            for key in keys {
                let place = try #require(rest.range(of: "\"\(key)\":"))
                rest = rest[place.upperBound...]
            }
        }
    }

    @Test func `hexadecimal values have the node's forms`() throws {
        let hash = try Regex("0x[0-9a-f]{64}")
        let quantity = try Regex("0x(0|[1-9a-f][0-9a-f]*)")
        for log in try results("logIndex") {
            let address = try #require(log["address"] as? String)
            #expect(try address.wholeMatch(of: Regex("0x[0-9a-f]{40}")) != nil)
            for topic in try #require(log["topics"] as? [String]) {
                #expect(topic.wholeMatch(of: hash) != nil)
            }
            #expect(try #require(log["data"] as? String).count % 64 == 2)
            for key in ["blockHash", "transactionHash"] {
                #expect(try #require(log[key] as? String).wholeMatch(of: hash) != nil)
            }
            for key in ["blockNumber", "transactionIndex", "logIndex"] {
                #expect(try #require(log[key] as? String).wholeMatch(of: quantity) != nil)
            }
        }
        for head in try results("parentHash") {
            for key in ["hash", "parentHash", "stateRoot", "receiptsRoot", "mixHash"] {
                #expect(try #require(head[key] as? String).wholeMatch(of: hash) != nil)
            }
            for key in ["number", "timestamp", "gasUsed", "baseFeePerGas", "difficulty"] {
                #expect(try #require(head[key] as? String).wholeMatch(of: quantity) != nil)
            }
            #expect(try #require(head["logsBloom"] as? String).count == 514)
            #expect(try #require(head["extraData"] as? String).count >= 2 + 2 * 97)
        }
    }

    @Test func `subscriptions are answered before their first notification`() throws {
        var known: [String] = []
        for message in messages() {
            let object = try object(message)
            if let id = object["result"] as? String {
                #expect(try Regex("0x[1-9a-f][0-9a-f]{0,31}").wholeMatch(in: id) != nil)
                known.append(id)
                continue
            }
            let parameters = try #require(object["params"] as? [String: Any])
            #expect(known.contains(try #require(parameters["subscription"] as? String)))
        }
        #expect(known.count == 2)
    }

    @Test func `heads link but for reorganisations`() throws {
        let heads = try results("parentHash")
        var breaks = 0
        for (parent, child) in zip(heads, heads.dropFirst()) {
            #expect(try number(child["number"]) == number(parent["number"]) + 1)
            if child["parentHash"] as? String != parent["hash"] as? String { breaks += 1 }
        }
        #expect(breaks == 2)
    }

    @Test func `a block's logs come in the order of their index`() throws {
        var last: [String: UInt64] = [:]
        for log in try results("logIndex") {
            let removed = try #require(log["removed"] as? Bool)
            let block = try #require(log["blockHash"] as? String) + (removed ? "-" : "+")
            let index = try number(log["logIndex"])
            if let before = last[block] { #expect(index > before) }
            last[block] = index
        }
    }

    @Test func `removed logs repeat the logs they take back`() throws {
        var sent: Set<String> = []
        var removed = 0
        for message in messages() {
            let text = String(decoding: message, as: UTF8.self)
            if text.contains("\"removed\":false") { sent.insert(text) }
            guard text.contains("\"removed\":true") else { continue }
            let original = text.replacingOccurrences(
                of: "\"removed\":true",
                with: "\"removed\":false"
            )
            #expect(sent.contains(original))
            removed += 1
        }
        #expect(removed > 0)
    }

    @Test func `each swap is paid by the reserves just before it`() throws {
        var reserves: [String: [UInt128]] = [:]
        var swaps = 0
        for log in try results("logIndex") where log["removed"] as? Bool == false {
            let pool = try #require(log["address"] as? String)
            let topic = try #require((log["topics"] as? [String])?.first)
            let data = try #require(log["data"] as? String).dropFirst(2)
            let words = try stride(from: 0, to: data.count, by: 64).map { start in
                try #require(UInt128(data.dropFirst(start).prefix(64), radix: 16))
            }
            if topic.hasPrefix("0x1c411e9a") { reserves[pool] = words }
            guard topic.hasPrefix("0xd78ad95f") else { continue }
            let after = try #require(reserves[pool])
            let before = (after[0] - words[0] + words[2], after[1] - words[1] + words[3])
            // The contract's own check, with fees on the way in.
            let left = (after[0] * 1_000 - words[0] * 3)
                .multipliedFullWidth(by: after[1] * 1_000 - words[1] * 3)
            let right = (before.0 * 1_000).multipliedFullWidth(by: before.1 * 1_000)
            #expect((left.high, left.low) >= (right.high, right.low))
            swaps += 1
        }
        #expect(swaps > 20)
    }

    @Test func `a cut connection stops inside a message`() throws {
        var options = SynthesisRun.options
        options.slots = 0
        options.end = .cut
        let steps = SynthesisRun.steps(options)
        let last = try #require(SynthesisRun.frames(steps, .incoming).last)
        #expect(!last.isFinal)
        #expect(steps.last?.event == .closed(.webSocket(code: 1_006, reason: "")))
    }

    @Test func `a clean end is a handshake of close frames`() throws {
        let ends = [SynthesizedStep.FrameDirection.outgoing, .incoming].map {
            SynthesisRun.frames(Self.steps, $0).last
        }
        for end in ends {
            #expect(end?.opcode == 8)
            #expect(end?.payload == [0x03, 0xe8])
        }
        #expect(Self.steps.last?.event == .closed(.webSocket(code: 1_000, reason: "")))
    }
}
