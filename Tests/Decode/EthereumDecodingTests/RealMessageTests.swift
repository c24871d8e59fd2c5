import EthereumDecoding
import Foundation
import JSONText
import MarketModel
import Testing

@Suite(.enabled(if: SharedCapture.isThere, "no real messages beside the repository"))
struct RealMessageTests {
    private func object(_ bytes: [UInt8]) throws -> [String: Any] {
        let value = try JSONSerialization.jsonObject(with: Data(bytes))
        return try #require(value as? [String: Any])
    }

    private func quantity(_ text: Any?) throws -> UInt64 {
        let text = try #require(text as? String)
        return try #require(UInt64(text.dropFirst(2), radix: 16))
    }

    @Test func `every message is what an independent reader sees`() throws {
        let reader = JSONRPCReader()
        var heads = 0
        var logs = 0
        var removed = 0
        var others = 0
        for line in try SharedCapture.lines() {
            let expected = try object(line.payload)
            guard case .single(let message) = try reader.read(line.payload) else {
                Issue.record("a batch")
                continue
            }
            switch message {
            case .call(let call):
                #expect(call.method == expected["method"] as? String)
                #expect(call.id?.uint64 == (expected["id"] as? NSNumber)?.uint64Value)
                #expect(!line.isFromNode)
            case .answer(let answer):
                #expect(answer.id.uint64 == (expected["id"] as? NSNumber)?.uint64Value)
                guard case .result(let result) = answer.outcome else {
                    Issue.record("an error answer")
                    continue
                }
                #expect(result.string == expected["result"] as? String)
            case .notification(let notification):
                let params = try #require(expected["params"] as? [String: Any])
                #expect(notification.subscription.string == params["subscription"] as? String)
                guard let result = params["result"] as? [String: Any] else {
                    #expect(notification.result.string == params["result"] as? String)
                    #expect(NotificationScan.blockNumber(of: line.payload) == nil)
                    others += 1
                    continue
                }
                if result["parentHash"] != nil {
                    heads += 1
                    try check(try EthereumHeader(notification.result), result, line.payload)
                } else {
                    logs += 1
                    let log = try EthereumLog(notification.result)
                    removed += log.removed ? 1 : 0
                    try check(log, result, line.payload)
                }
            case .invalid: Issue.record("invalid")
            }
        }
        // The counts of the capture's own description.
        #expect(heads == 233)
        #expect(logs == 5_288 + 17)
        #expect(removed == 17)
        #expect(others == 403)
    }

    private func check(
        _ header: EthereumHeader,
        _ expected: [String: Any],
        _ payload: [UInt8]
    ) throws {
        #expect(header.number.number == (try quantity(expected["number"])))
        #expect(header.timestamp == (try quantity(expected["timestamp"])))
        #expect(header.hash.description == expected["hash"] as? String)
        #expect(header.parentHash.description == expected["parentHash"] as? String)
        #expect(NotificationScan.blockNumber(of: payload) == header.number)
    }

    private func check(
        _ log: EthereumLog,
        _ expected: [String: Any],
        _ payload: [UInt8]
    ) throws {
        #expect(log.blockNumber.number == (try quantity(expected["blockNumber"])))
        #expect(log.logIndex == (try quantity(expected["logIndex"])))
        #expect(log.blockHash.description == expected["blockHash"] as? String)
        #expect(log.transactionHash.description == expected["transactionHash"] as? String)
        #expect(log.address.description == expected["address"] as? String)
        #expect(log.removed == expected["removed"] as? Bool)
        let topics = (0..<log.topics.count).map { log.topics[$0].description }
        #expect(topics == expected["topics"] as? [String])
        #expect(NotificationScan.blockNumber(of: payload) == log.blockNumber)
    }

    @Test func `another subscription id changes nothing else`() throws {
        let id = Array("0x1234".utf8)
        for line in try SharedCapture.lines() {
            let expected = try object(line.payload)
            let params = expected["params"] as? [String: Any]
            guard let old = params?["subscription"] as? String else {
                #expect(NotificationScan.subscription(of: line.payload) == nil)
                continue
            }
            let range = try #require(NotificationScan.subscription(of: line.payload))
            #expect(Array(line.payload[range]) == Array(old.utf8))
            var rewritten: [UInt8] = []
            NotificationScan.rewrite(line.payload, subscription: range, with: id, into: &rewritten)
            let text = String(decoding: line.payload, as: UTF8.self)
            // An id is random and long: it stands in its message once.
            let wanted = text.replacingOccurrences(of: "\"\(old)\"", with: "\"0x1234\"")
            #expect(rewritten == Array(wanted.utf8))
        }
    }

    @Test func `every recorded log matches the filter that asked for it`() throws {
        let reader = JSONRPCReader()
        var calls: [String: [UInt64: EthereumSubscription]] = [:]
        var subscriptions: [String: [String: EthereumSubscription]] = [:]
        var matched = 0
        for line in try SharedCapture.lines() {
            guard case .single(let message) = try reader.read(line.payload) else { continue }
            switch message {
            case .call(let call):
                let id = try #require(call.id?.uint64)
                calls[line.connection, default: [:]][id] =
                    try EthereumSubscription(params: call.params)
            case .answer(let answer):
                guard case .result(let result) = answer.outcome else { continue }
                let id = try #require(answer.id.uint64)
                let call = calls[line.connection]?[id]
                subscriptions[line.connection, default: [:]][try #require(result.string)] = call
            case .notification(let notification):
                let id = try #require(notification.subscription.string)
                let subscription = try #require(subscriptions[line.connection]?[id])
                guard case .logs(let filter) = subscription else { continue }
                #expect(filter.matches(try EthereumLog(notification.result)))
                #expect(EthereumLogFilter().covers(filter))
                matched += 1
            case .invalid: Issue.record("invalid")
            }
        }
        #expect(matched == 5_305)
    }

    @Test func `seeded damage never stops the program`() throws {
        var state: UInt64 = 99
        func random(_ limit: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int((state >> 33) % UInt64(limit))
        }
        let lines = try SharedCapture.lines()
        let reader = JSONRPCReader()
        var view = ChainView(limits: ChainViewLimits(blocksMax: 8, bytesMax: 100_000, callsMax: 4))
        for _ in 0..<4_000 {
            let line = lines[random(lines.count)]
            var bytes = line.payload
            for _ in 0...random(3) {
                let at = random(bytes.count)
                switch random(5) {
                case 0: bytes[at] = UInt8(random(256))
                case 1: bytes.removeSubrange(at..<min(bytes.count, at + random(9)))
                case 2: bytes.insert(contentsOf: Array("\"{}[],:0".utf8), at: at)
                case 3: bytes = Array(bytes[..<at])
                default: bytes[at] = Array("0123456789abcdefx\"".utf8)[random(18)]
                }
                if bytes.isEmpty { bytes = [0] }
            }
            _ = NotificationScan.blockNumber(of: bytes)
            if let range = NotificationScan.subscription(of: bytes) {
                #expect(range.upperBound <= bytes.count)
            }
            guard let text = try? reader.read(bytes) else { continue }
            if line.isFromNode {
                view.received(text, on: UInt64(random(3)))
            } else {
                view.sent(text, on: UInt64(random(3)))
            }
            #expect(view.blockCount <= 8)
            #expect(view.byteCount <= 100_000)
        }
    }

    @Test func `every block of a recorded connection is answered with all its logs`() throws {
        let reader = JSONRPCReader()
        let asker = JSONDocument()
        var byConnection: [String: [SharedCapture.Line]] = [:]
        for line in try SharedCapture.lines() {
            byConnection[line.connection, default: []].append(line)
        }
        var answered = 0
        var logCount = 0
        for (_, lines) in byConnection.sorted(by: { $0.key < $1.key }) {
            var view = ChainView()
            var expected: [String: [(index: UInt64, log: NSDictionary)]] = [:]
            var call: [String: Any] = [:]
            for line in lines {
                let text = try reader.read(line.payload)
                if line.isFromNode {
                    view.received(text, on: 1)
                } else {
                    view.sent(text, on: 1)
                    let message = try object(line.payload)
                    let params = message["params"] as? [Any]
                    if params?.first as? String == "logs" {
                        call = params?.last as? [String: Any] ?? [:]
                    }
                }
                let params = try object(line.payload)["params"] as? [String: Any]
                guard let log = params?["result"] as? [String: Any],
                    let block = log["blockHash"] as? String
                else { continue }
                let index = try quantity(log["logIndex"])
                expected[block, default: []].removeAll { $0.index == index }
                if log["removed"] as? Bool == false {
                    expected[block, default: []].append((index, log as NSDictionary))
                }
            }
            view.closeNewest()
            for (block, logs) in expected.sorted(by: { $0.key < $1.key }) where !logs.isEmpty {
                var query = call
                query["blockHash"] = block
                let params = try JSONSerialization.data(withJSONObject: [query])
                let value = try asker.parse(Array(params))
                // Blocks that a reorg left aside, or that no header announced, are refused.
                guard let answer = try? view.answer("eth_getLogs", params: value) else { continue }
                let found = try JSONSerialization.jsonObject(with: Data(answer))
                let sorted = logs.sorted { $0.index < $1.index }.map(\.log)
                #expect((found as? [NSDictionary]) == sorted)
                answered += 1
                logCount += sorted.count
            }
        }
        #expect(answered > 150)
        #expect(logCount > 4_500)
    }
}
