import EthereumDecoding
import JSONText
import MarketModel
import Testing

/// A recorded node in miniature: feeds a view and asks it.
private struct Recorded {
    var view: ChainView
    let reader = JSONRPCReader()
    let asker = JSONDocument()
    var nextID = 100

    init(_ limits: ChainViewLimits = ChainViewLimits(), chainID: UInt64? = nil) {
        view = ChainView(limits: limits, chainID: chainID)
    }

    mutating func sent(_ text: String, on stream: UInt64 = 1) throws {
        view.sent(try reader.read(Array(text.utf8)), on: stream)
    }

    mutating func received(_ text: String, on stream: UInt64 = 1) throws {
        view.received(try reader.read(Array((text + "\n").utf8)), on: stream)
    }

    mutating func call(
        _ method: String,
        _ params: String,
        result: String,
        on stream: UInt64 = 1
    ) throws {
        nextID += 1
        try sent(
            #"{"jsonrpc":"2.0","id":\#(nextID),"method":"\#(method)","params":\#(params)}"#,
            on: stream
        )
        try received(#"{"jsonrpc":"2.0","id":\#(nextID),"result":\#(result)}"#, on: stream)
    }

    /// Subscribes to heads and to logs.
    mutating func subscribe(_ filter: String = "{}", on stream: UInt64 = 1) throws {
        try call("eth_subscribe", #"["newHeads"]"#, result: "\"0xaa\"", on: stream)
        try call("eth_subscribe", "[\"logs\",\(filter)]", result: "\"0xbb\"", on: stream)
    }

    mutating func head(
        _ number: UInt64,
        _ name: String,
        after parent: String,
        on stream: UInt64 = 1
    )
        throws
    {
        let result = header(number, name, after: parent)
        try received(notification("0xaa", result), on: stream)
    }

    mutating func log(
        _ number: UInt64,
        _ block: String,
        _ index: UInt64,
        removed: Bool = false,
        address: String = "01",
        on stream: UInt64 = 1
    ) throws {
        let text = logText(number, block, index, removed: removed, address: address)
        try received(notification("0xbb", text), on: stream)
    }

    private func notification(_ id: String, _ result: String) -> String {
        #"{"jsonrpc":"2.0","method":"eth_subscription","params":{"subscription":"\#(id)","result":\#(result)}}"#
    }

    func ask(_ method: String, _ params: String) throws -> String? {
        let params = try asker.parse(Array(params.utf8))
        return try view.answer(method, params: params).map { String(decoding: $0, as: UTF8.self) }
    }

    func fault(_ method: String, _ params: String) -> JSONRPCError? {
        do {
            _ = try ask(method, params)
            return nil
        } catch {
            return error as? JSONRPCError
        }
    }

    func logs(_ filter: String) throws -> String? { try ask("eth_getLogs", "[\(filter)]") }

    func isRefused(_ filter: String) -> Bool {
        fault("eth_getLogs", "[\(filter)]")?.message.hasSuffix("not available in this recording")
            == true
    }
}

/// A hash by a short name of hexadecimal digits.
private func hash(_ name: String) -> String {
    "0x" + String(repeating: "0", count: 64 - name.count) + name
}

private func header(_ number: UInt64, _ name: String, after parent: String) -> String {
    #"{"parentHash":"\#(hash(parent))","number":"\#(HexQuantity.text(number))","timestamp":"0x5","withdrawalsRoot":null,"hash":"\#(hash(name))"}"#
}

private func logText(
    _ number: UInt64,
    _ block: String,
    _ index: UInt64,
    removed: Bool = false,
    address: String = "01"
) -> String {
    let address = "0x" + String(repeating: address, count: 20)
    let number = HexQuantity.text(number)
    let index = HexQuantity.text(index)
    return
        #"{"address":"\#(address)","topics":["\#(hash("f0"))"],"data":"0x","blockNumber":"\#(number)","transactionHash":"\#(hash("77"))","transactionIndex":"0x0","blockHash":"\#(hash(block))","logIndex":"\#(index)","removed":\#(removed)}"#
}

private func range(_ first: UInt64, _ last: UInt64) -> String {
    #"{"fromBlock":"\#(HexQuantity.text(first))","toBlock":"\#(HexQuantity.text(last))"}"#
}

@Suite struct ChainViewTests {
    /// Blocks 10 (a), 11 (b), 12 (c); two logs in each but 11; 12 is not whole yet.
    private func threeBlocks(_ filter: String = "{}") throws -> Recorded {
        var recorded = Recorded()
        try recorded.subscribe(filter)
        try recorded.head(10, "a", after: "9")
        try recorded.log(10, "a", 0)
        try recorded.log(10, "a", 1, address: "02")
        try recorded.head(11, "b", after: "a")
        try recorded.head(12, "c", after: "b")
        try recorded.log(12, "c", 0)
        return recorded
    }

    @Test func `the head is the newest block announced`() throws {
        var recorded = Recorded()
        #expect(recorded.fault("eth_blockNumber", "[]") == .notRecorded("the head"))
        try recorded.subscribe()
        try recorded.call("eth_blockNumber", "[]", result: "\"0x9\"")
        #expect(try recorded.ask("eth_blockNumber", "[]") == "\"0x9\"")
        try recorded.head(10, "a", after: "9")
        #expect(try recorded.ask("eth_blockNumber", "[]") == "\"0xa\"")
        #expect(recorded.fault("eth_blockNumber", "[1]") == .tooManyArguments(max: 0))
        #expect(try recorded.ask("eth_gasPrice", "[]") == nil)
    }

    @Test func `logs of whole blocks come in order, byte for byte`() throws {
        let recorded = try threeBlocks()
        let first = logText(10, "a", 0)
        let second = logText(10, "a", 1, address: "02")
        #expect(try recorded.logs(range(10, 11)) == "[\(first),\(second)]")
        #expect(try recorded.logs(range(11, 11)) == "[]")
        #expect(try recorded.logs(#"{"blockHash":"\#(hash("a"))"}"#) == "[\(first),\(second)]")
        let address = "0x" + String(repeating: "02", count: 20)
        #expect(
            try recorded.logs(
                #"{"fromBlock":"0xa","toBlock":"0xb","address":"\#(address)"}"#
            ) == "[\(second)]"
        )
        let other = #"{"fromBlock":"0xa","toBlock":"0xb","topics":["\#(hash("f1"))"]}"#
        #expect(try recorded.logs(other) == "[]")
    }

    @Test func `logs that arrive in another order or twice are the same`() throws {
        var recorded = Recorded()
        try recorded.subscribe()
        try recorded.subscribe(on: 2)
        try recorded.log(10, "a", 1)
        try recorded.head(10, "a", after: "9")
        try recorded.log(10, "a", 0)
        try recorded.log(10, "a", 0, on: 2)
        try recorded.head(11, "b", after: "a")
        #expect(
            try recorded.logs(range(10, 10)) == "[\(logText(10, "a", 0)),\(logText(10, "a", 1))]"
        )
    }

    @Test func `a block that is not whole is refused until its child comes`() throws {
        var recorded = try threeBlocks()
        #expect(recorded.isRefused(range(12, 12)))
        #expect(recorded.isRefused(range(10, 12)))
        #expect(recorded.isRefused("{}"))
        #expect(recorded.isRefused(#"{"blockHash":"\#(hash("c"))"}"#))
        try recorded.head(13, "d", after: "c")
        #expect(try recorded.logs(range(12, 12)) == "[\(logText(12, "c", 0))]")
        recorded.view.closeNewest()
        #expect(try recorded.logs("{}") == "[]")
    }

    @Test func `only what a recorded selection covers is answered`() throws {
        let address = "0x" + String(repeating: "01", count: 20)
        let recorded = try threeBlocks(#"{"address":"\#(address)"}"#)
        #expect(recorded.isRefused(range(10, 10)))
        let covered = #"{"fromBlock":"0xa","toBlock":"0xa","address":"\#(address)"}"#
        #expect(try recorded.logs(covered) == "[\(logText(10, "a", 0))]")
    }

    @Test func `a subscription that came late or left early covers nothing`() throws {
        var late = Recorded()
        try late.call("eth_subscribe", #"["newHeads"]"#, result: "\"0xaa\"")
        try late.head(10, "a", after: "9")
        try late.call("eth_subscribe", #"["logs",{}]"#, result: "\"0xbb\"")
        // A second subscription to heads repeats the header.
        try late.head(10, "a", after: "9")
        try late.log(10, "a", 5)
        try late.head(11, "b", after: "a")
        #expect(late.isRefused(range(10, 10)))

        var early = Recorded()
        try early.subscribe()
        try early.head(10, "a", after: "9")
        try early.call("eth_unsubscribe", #"["0xbb"]"#, result: "true")
        try early.head(11, "b", after: "a")
        #expect(early.isRefused(range(10, 10)))

        var ended = Recorded()
        try ended.subscribe()
        try ended.head(10, "a", after: "9")
        ended.view.streamEnded(1)
        try ended.subscribe(on: 2)
        try ended.head(11, "b", after: "a", on: 2)
        #expect(ended.isRefused(range(10, 10)))
        ended.view.closeNewest()
        #expect(ended.isRefused(range(10, 10)))
        #expect(try ended.logs(range(11, 11)) == "[]")
        #expect(ended.view.newest == 11)
    }

    @Test func `a log that cannot be read leaves no block of its stream whole`() throws {
        var recorded = try threeBlocks()
        try recorded.received(
            #"{"jsonrpc":"2.0","method":"eth_subscription","params":{"subscription":"0xbb","result":{"logIndex":"zero"}}}"#
        )
        try recorded.head(13, "d", after: "c")
        #expect(recorded.isRefused(range(12, 12)))
        #expect(try recorded.logs(range(11, 11)) == "[]")
    }

    @Test func `an orphaned block is unknown and its logs are gone`() throws {
        var recorded = try threeBlocks()
        try recorded.log(12, "c", 0, removed: true)
        // Between the removal and the new head nothing is known of height 12.
        #expect(recorded.isRefused(range(12, 12)))
        try recorded.head(12, "c2", after: "b")
        try recorded.log(12, "c2", 0, address: "02")
        try recorded.head(13, "d2", after: "c2")
        #expect(try recorded.logs(range(12, 12)) == "[\(logText(12, "c2", 0, address: "02"))]")
        #expect(
            recorded.fault("eth_getLogs", #"[{"blockHash":"\#(hash("c"))"}]"#) == .unknownBlock
        )
        #expect(
            recorded.fault("eth_getLogs", #"[{"blockHash":"\#(hash("ee"))"}]"#) == .unknownBlock
        )
        #expect(try recorded.logs(range(10, 11)) != nil)
    }

    @Test func `a removal takes a whole block from the chain before the new head comes`() throws {
        var recorded = try threeBlocks()
        try recorded.head(13, "d", after: "c")
        #expect(try recorded.logs(range(12, 12)) != nil)
        try recorded.log(12, "c", 0, removed: true)
        #expect(recorded.isRefused(range(12, 12)))
        #expect(recorded.isRefused(range(11, 11)))
        #expect(recorded.isRefused(#"{"blockHash":"\#(hash("c"))"}"#))
    }

    @Test func `a block that is adopted again is canonical again`() throws {
        var recorded = try threeBlocks()
        try recorded.log(12, "c", 0, removed: true)
        try recorded.head(12, "c2", after: "b")
        try recorded.head(12, "c", after: "b")
        try recorded.log(12, "c", 0)
        try recorded.head(13, "d", after: "c")
        #expect(try recorded.logs(range(12, 12)) == "[\(logText(12, "c", 0))]")
        #expect(
            recorded.fault("eth_getLogs", #"[{"blockHash":"\#(hash("c2"))"}]"#) == .unknownBlock
        )
    }

    @Test func `below a head whose parent is unknown nothing is answered`() throws {
        var recorded = try threeBlocks()
        try recorded.head(14, "e", after: "d9")
        try recorded.head(15, "f", after: "e")
        #expect(try recorded.ask("eth_blockNumber", "[]") == "\"0xf\"")
        #expect(try recorded.logs(range(14, 14)) == "[]")
        #expect(recorded.isRefused(range(10, 10)))
        #expect(recorded.isRefused(range(13, 14)))
        // A block fetched by its hash mends the row.
        let mended = header(13, "d9", after: "c")
        try recorded.call("eth_getBlockByHash", #"["\#(hash("d9"))",false]"#, result: mended)
        #expect(try recorded.logs(range(10, 11)) != nil)
        #expect(recorded.isRefused(range(12, 13)))
        try recorded.call(
            "eth_getLogs",
            #"[{"blockHash":"\#(hash("d9"))"}]"#,
            result: "[\(logText(13, "d9", 4))]"
        )
        #expect(try recorded.logs(range(13, 14)) == "[\(logText(13, "d9", 4))]")
    }

    @Test func `ranges that make no sense get the node's words`() throws {
        let recorded = try threeBlocks()
        #expect(recorded.fault("eth_getLogs", "[\(range(11, 10))]") == .invalidRange)
        #expect(recorded.fault("eth_getLogs", "[\(range(10, 13))]") == .rangeAboveHead)
        #expect(recorded.fault("eth_getLogs", "[\(range(0, UInt64.max))]") == .rangeAboveHead)
        #expect(recorded.fault("eth_getLogs", #"[{"toBlock":"pending"}]"#) == .pendingLogs)
        #expect(recorded.fault("eth_getLogs", "[]") == .missingArgument(0))
        #expect(recorded.isRefused(range(9, 10)))
        #expect(recorded.isRefused(range(0, 10)))
        #expect(recorded.isRefused(#"{"fromBlock":"earliest"}"#))
        #expect(recorded.isRefused(#"{"fromBlock":"safe"}"#))
    }

    @Test func `an answer to an equal call holds until the chain turns`() throws {
        var recorded = try threeBlocks()
        let asked = #"{"fromBlock":"0x5","toBlock":"0x8"}"#
        try recorded.call("eth_getLogs", "[\(asked)]", result: "[\(logText(6, "6", 1))]")
        #expect(try recorded.logs(#"{"toBlock":"0x8","fromBlock":"0x5"}"#) != nil)
        #expect(recorded.isRefused(range(5, 7)))
        try recorded.head(13, "d", after: "c")
        #expect(try recorded.logs(asked) == "[\(logText(6, "6", 1))]")
        try recorded.head(13, "d2", after: "c")
        #expect(recorded.isRefused(asked))
        // A range that moves with the head is no fact.
        try recorded.call("eth_getLogs", #"[{"fromBlock":"0x5"}]"#, result: "[]")
        #expect(recorded.isRefused(#"{"fromBlock":"0x5"}"#))
    }

    @Test func `block objects are answered only as recorded`() throws {
        var recorded = try threeBlocks()
        #expect(
            recorded.fault("eth_getBlockByNumber", #"["latest",false]"#)
                == .notRecorded("block \(hash("c"))")
        )
        let object = String(header(11, "b", after: "a").dropLast()) + #", "transactions":["0x1"]}"#
        try recorded.call("eth_getBlockByNumber", #"["0xb",false]"#, result: object)
        #expect(try recorded.ask("eth_getBlockByNumber", #"["0xb",false]"#) == object)
        #expect(try recorded.ask("eth_getBlockByHash", #"["\#(hash("b"))",false]"#) == object)
        #expect(recorded.fault("eth_getBlockByNumber", #"["0xb",true]"#) != nil)
        #expect(try recorded.ask("eth_getBlockByNumber", #"["0xd",false]"#) == "null")
        #expect(recorded.fault("eth_getBlockByNumber", #"["earliest",false]"#) != nil)
        #expect(recorded.fault("eth_getBlockByNumber", #"["finalized",false]"#) != nil)
        #expect(recorded.fault("eth_getBlockByNumber", #"["0xb"]"#) == .missingArgument(1))
        #expect(recorded.fault("eth_getBlockByNumber", "[]") == .missingArgument(0))
        #expect(recorded.fault("eth_getBlockByHash", #"["0x1",false]"#)?.code == -32602)
        // After a reorg the height has another block.
        try recorded.head(11, "b2", after: "a")
        #expect(recorded.fault("eth_getBlockByNumber", #"["0xb",false]"#) != nil)
    }

    @Test func `chain id and network are recorded or configured`() throws {
        var recorded = Recorded()
        #expect(recorded.fault("eth_chainId", "[]") == .notRecorded("eth_chainId"))
        try recorded.call("eth_chainId", "[]", result: "\"0x89\"")
        try recorded.call("net_version", "[]", result: "\"137\"")
        #expect(try recorded.ask("eth_chainId", "[]") == "\"0x89\"")
        #expect(try recorded.ask("net_version", "null") == "\"137\"")
        let configured = Recorded(chainID: 137)
        #expect(try configured.ask("eth_chainId", "[]") == "\"0x89\"")
        #expect(try configured.ask("net_version", "[]") == "\"137\"")
    }

    @Test func `a stream that lags does not pull the head back`() throws {
        var recorded = try threeBlocks()
        try recorded.subscribe(on: 2)
        try recorded.head(11, "b", after: "a", on: 2)
        #expect(recorded.view.newest == 12)
        recorded.view.streamEnded(1)
        #expect(recorded.view.newest == 12)
        try recorded.head(12, "c", after: "b", on: 2)
        try recorded.head(13, "d", after: "c", on: 2)
        #expect(recorded.view.newest == 13)
    }

    @Test func `old blocks are forgotten and stay so`() throws {
        var recorded = Recorded(ChainViewLimits(blocksMax: 4))
        try recorded.subscribe()
        for number in UInt64(1)...40 {
            let name = String(number, radix: 16)
            try recorded.head(number, name, after: String(number - 1, radix: 16))
            try recorded.log(number, name, 0)
            #expect(recorded.view.blockCount <= 4)
        }
        #expect(try recorded.logs(range(38, 39)) != nil)
        #expect(recorded.isRefused(range(30, 30)))
        // A late log below the floor does not bring a block back.
        try recorded.log(30, "1e", 1)
        #expect(recorded.view.blockCount <= 4)
        #expect(recorded.isRefused(range(30, 30)))
    }

    @Test func `bytes are bounded`() throws {
        let one = logText(1, "1", 0).utf8.count
        var recorded = Recorded(ChainViewLimits(bytesMax: one * 3))
        try recorded.subscribe()
        for number in UInt64(1)...20 {
            let name = String(number, radix: 16)
            try recorded.head(number, name, after: String(number - 1, radix: 16))
            try recorded.log(number, name, 0)
            #expect(recorded.view.byteCount <= one * 3)
        }
        #expect(try recorded.logs(range(19, 19)) != nil)
        #expect(recorded.isRefused(range(10, 10)))
    }
}
