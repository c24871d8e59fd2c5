import EthereumDecoding
import Foundation
import JSONText
import MarketModel
import Testing

private let a1 = "0x" + String(repeating: "a1", count: 20)
private let a2 = "0x" + String(repeating: "a2", count: 20)
private let t1 = "0x" + String(repeating: "b1", count: 32)
private let t2 = "0x" + String(repeating: "b2", count: 32)

@Suite struct EthereumSubscriptionTests {
    private func subscription(_ params: String?) throws -> EthereumSubscription {
        try EthereumSubscription(params: params.map { try JSONDocument.parse(Array($0.utf8)) })
    }

    private func filter(_ text: String) throws -> EthereumLogFilter {
        try EthereumLogFilter(try JSONDocument.parse(Array(text.utf8)), argument: 0)
    }

    private func fault(_ params: String?) -> JSONRPCError? {
        do {
            _ = try subscription(params)
            return nil
        } catch {
            return error as? JSONRPCError
        }
    }

    @Test(arguments: [
        (#"["newHeads"]"#, #" [ "newHeads" ] "#),
        (
            #"["logs",{"address":"\#(a1)","topics":["\#(t1)"]}]"#,
            #"["logs",{"topics":[["\#(t1)"]],"address":["\#(a1.uppercased().replacingOccurrences(of: "0X", with: "0x"))"]}]"#
        ),
        (
            #"["logs",{"address":["\#(a1)","\#(a2)"]}]"#,
            #"["logs",{"address":["\#(a2)","\#(a1)","\#(a2)"],"topics":null}]"#
        ),
        (
            #"["logs",{"topics":[null,"\#(t1)"]}]"#,
            #"["logs",{"topics":[["\#(t2)",null],"\#(t1)"]}]"#
        ),
        (#"["logs",{}]"#, #"["logs",{"address":[],"topics":[]}]"#),
        (#"["logs",{"a":1,"b":{"c":1,"d":2}}]"#, #"["logs",{"b":{"d":2,"c":1},"a":1}]"#),
        (#"["newPendingTransactions"]"#, #"["newPendingTransactions",false]"#),
        (#"["alchemy_x",{"a":1,"b":"A"}]"#, #"["alchemy_x", {"b":"\u0041","a":1}]"#),
    ])
    func `equal calls are equal whatever their order and case`(one: String, other: String) throws {
        let one = try subscription(one)
        let other = try subscription(other)
        #expect(one == other)
        #expect(one.hashValue == other.hashValue)
        #expect(one.covers(other) && other.covers(one))
    }

    @Test(arguments: [
        (#"["newHeads"]"#, #"["logs",{}]"#),
        (#"["logs",{"topics":["\#(t1)"]}]"#, #"["logs",{"topics":["\#(t1)",null]}]"#),
        (#"["logs",{"topics":["\#(t1)"]}]"#, #"["logs",{"topics":[null,"\#(t1)"]}]"#),
        (#"["logs",{}]"#, #"["logs",{"fromBlock":"0x1"}]"#),
        (#"["newPendingTransactions"]"#, #"["newPendingTransactions",true]"#),
        (#"["x",1]"#, #"["x",2]"#), (#"["x"]"#, #"["y"]"#),
    ])
    func `different calls differ`(one: String, other: String) throws {
        #expect(try subscription(one) != (try subscription(other)))
    }

    @Test(
        arguments: [
            (nil, -32602, "non-array args"),
            ("{}", -32602, "non-array args"),
            ("[]", -32602, "expected subscription name as first argument"),
            ("[1]", -32602, "expected subscription name as first argument"),
            (#"["newHeads",1]"#, -32602, "too many arguments, want at most 1"),
            (#"["logs"]"#, -32602, "missing value for required argument 1"),
            (#"["logs",null]"#, -32602, "missing value for required argument 1"),
            (#"["logs",{},1]"#, -32602, "too many arguments, want at most 2"),
            (#"["logs",5]"#, -32602, "invalid argument 1: filter is not an object"),
            (#"["logs",{"address":5}]"#, -32602, "invalid argument 1: invalid addresses in query"),
            (#"["logs",{"address":"0x12"}]"#, -32602, "invalid argument 1: invalid address"),
            (
                #"["logs",{"address":[null]}]"#, -32602,
                "invalid argument 1: non-string address at index 0"
            ),
            (#"["logs",{"topics":["0x1"]}]"#, -32602, "invalid argument 1: invalid topic(s)"),
            (#"["logs",{"topics":5}]"#, -32602, "invalid argument 1: invalid topic(s)"),
            (#"["logs",{"topics":[null,null,null,null,null]}]"#, -32000, "exceed max topics"),
            (
                #"["logs",{"fromBlock":"0x01"}]"#, -32602,
                "invalid argument 1: hex number with leading zero digits"
            ),
            (
                #"["logs",{"toBlock":"1"}]"#, -32602,
                "invalid argument 1: hex string without 0x prefix"
            ),
            (
                #"["logs",{"blockHash":"\#(t1)","fromBlock":"0x1"}]"#, -32602,
                "invalid argument 1: cannot specify both BlockHash and FromBlock/ToBlock, choose one or the other"
            ),
            (#"["newPendingTransactions",1]"#, -32602, "invalid argument 1: not a boolean"),
        ] as [(String?, Int, String)]
    )
    func `a call that cannot be used gets the node's words`(
        params: String?,
        code: Int,
        message: String
    ) {
        #expect(fault(params) == JSONRPCError(code: code, message: message))
    }

    @Test func `a thousand alternatives are the most`() {
        func params(_ count: Int) -> String {
            let topics = Array(repeating: "\"\(t1)\"", count: count).joined(separator: ",")
            return "[\"logs\",{\"topics\":[[\(topics)]]}]"
        }
        #expect(fault(params(1000)) == nil)
        #expect(fault(params(1001)) == .exceedMaxTopics)
    }

    @Test func `the codes and words of the nodes stay`() {
        let table: [(JSONRPCError, Int, String)] = [
            (.parse, -32700, "parse error"),
            (.invalidRequest, -32600, "invalid request"),
            (.emptyBatch, -32600, "empty batch"),
            (.batchTooLarge, -32600, "batch too large"),
            (.responseTooLarge, -32003, "response too large"),
            (.exceedMaxTopics, -32000, "exceed max topics"),
            (.invalidRange, -32000, "invalid block range params"),
            (.rangeAboveHead, -32602, "block range extends beyond current head block"),
            (.unknownBlock, -32000, "unknown block"),
            (.pendingLogs, -32000, "pending logs are not supported"),
            (.subscriptionNotFound, -32000, "subscription not found"),
            (.methodNotFound("x"), -32601, "the method x does not exist/is not available"),
            (.noSubscription("x"), -32601, "no \"x\" subscription in eth namespace"),
            (.missingArgument(0), -32602, "missing value for required argument 0"),
        ]
        for (error, code, message) in table {
            #expect(error == JSONRPCError(code: code, message: message))
        }
    }

    @Test func `an unsubscribe names one id`() throws {
        func id(_ text: String) throws -> String? {
            let params = try JSONDocument.parse(Array(text.utf8))
            return try EthereumSubscription.unsubscribed(params: params).string
        }
        #expect(try id(#"["0x1"]"#) == "0x1")
        #expect(throws: JSONRPCError.missingArgument(0)) { try id("[]") }
        #expect(throws: JSONRPCError.tooManyArguments(max: 1)) { try id(#"["a","b"]"#) }
        #expect(throws: JSONRPCError.self) { try id("[1]") }
    }

    @Test(
        arguments: [
            ("{}", [a1], [], true), (#"{"address":"\#(a1)"}"#, [a1], [], true),
            (#"{"address":"\#(a2)"}"#, [a1], [], false),
            (#"{"address":["\#(a2)","\#(a1)"]}"#, [a1], [], true),
            (#"{"topics":[]}"#, [a1], [], true),
            // A position asks for a topic to be there, even when any will do.
            (#"{"topics":[null]}"#, [a1], [], false), (#"{"topics":[null]}"#, [a1], [t1], true),
            (#"{"topics":[[]]}"#, [a1], [t1], true),
            (#"{"topics":["\#(t1)"]}"#, [a1], [t1, t2], true),
            (#"{"topics":["\#(t2)"]}"#, [a1], [t1, t2], false),
            (#"{"topics":[null,"\#(t2)"]}"#, [a1], [t1, t2], true),
            (#"{"topics":[["\#(t1)","\#(t2)"],"\#(t2)"]}"#, [a1], [t2, t2], true),
            (#"{"topics":["\#(t1)","\#(t2)"]}"#, [a1], [t1], false),
            (#"{"fromBlock":"0x7"}"#, [a1], [], true), (#"{"fromBlock":"0x8"}"#, [a1], [], false),
            (#"{"toBlock":"0x7"}"#, [a1], [], true), (#"{"toBlock":"0x6"}"#, [a1], [], false),
            (#"{"fromBlock":"earliest","toBlock":"latest"}"#, [a1], [], true),
        ] as [(String, [String], [String], Bool)]
    )
    func `a filter matches as a node's`(
        text: String,
        address: [String],
        topics: [String],
        expected: Bool
    ) throws {
        let list = topics.map { "\"\($0)\"" }.joined(separator: ",")
        let json = """
            {"address":"\(address[0])","topics":[\(list)],"data":"0x","blockNumber":"0x7",\
            "transactionHash":"\(t1)","transactionIndex":"0x0","blockHash":"\(t2)",\
            "logIndex":"0x0","removed":false}
            """
        let log = try EthereumLog(try JSONDocument.parse(Array(json.utf8)))
        #expect(try filter(text).matches(log) == expected)
    }

    @Test(arguments: [
        ("{}", #"{"address":"\#(a1)","topics":["\#(t1)"]}"#, true),
        (#"{"address":["\#(a1)","\#(a2)"]}"#, #"{"address":"\#(a1)"}"#, true),
        (#"{"address":"\#(a1)"}"#, #"{"address":["\#(a1)","\#(a2)"]}"#, false),
        (#"{"address":"\#(a1)"}"#, "{}", false),
        (#"{"topics":["\#(t1)"]}"#, "{}", false),
        (#"{"topics":["\#(t1)"]}"#, #"{"topics":["\#(t1)","\#(t2)"]}"#, true),
        (#"{"topics":["\#(t1)","\#(t2)"]}"#, #"{"topics":["\#(t1)"]}"#, false),
        (#"{"topics":[["\#(t1)","\#(t2)"]]}"#, #"{"topics":["\#(t2)"]}"#, true),
        (#"{"topics":[null]}"#, "{}", false),
        (#"{"topics":[null]}"#, #"{"topics":["\#(t1)"]}"#, true),
        (#"{"topics":["\#(t1)"]}"#, #"{"topics":[null]}"#, false),
        ("{}", #"{"fromBlock":"0x5"}"#, true), (#"{"fromBlock":"0x5"}"#, "{}", false),
        (#"{"fromBlock":"0x5"}"#, #"{"fromBlock":"0x5","address":"\#(a1)"}"#, true),
        (#"{"fromBlock":"latest"}"#, "{}", true), (#"{"x":1}"#, "{}", false),
        ("{}", #"{"x":1}"#, true),
    ])
    func `a filter covers only what it surely selects`(
        own: String,
        asked: String,
        covers: Bool
    )
        throws
    {
        #expect(try filter(own).covers(try filter(asked)) == covers)
        let logs = EthereumSubscription.logs(try filter(own))
        #expect(logs.covers(.logs(try filter(asked))) == covers)
        #expect(!logs.covers(.newHeads))
    }

    @Test(arguments: [
        ("address", "\"0x1\"", EthereumFault.invalid(.address)), ("topics", "5", .invalid(.topics)),
        ("topics", "[\"\(t1)\",\"\(t1)\",\"\(t1)\",\"\(t1)\",\"\(t1)\"]", .invalid(.topics)),
        ("blockNumber", "null", .missing(.blockNumber)), ("logIndex", "1", .invalid(.logIndex)),
        ("removed", "0", .invalid(.removed)), ("blockHash", "\"\"", .invalid(.blockHash)),
        ("transactionHash", "[]", .invalid(.transactionHash)),
    ])
    func `a log that lacks something says what`(
        key: String,
        value: String,
        fault: EthereumFault
    )
        throws
    {
        let good = [
            "address": "\"\(a1)\"", "topics": "[]", "blockNumber": "\"0x1\"", "removed": "true",
            "transactionHash": "\"\(t1)\"", "blockHash": "\"\(t2)\"", "logIndex": "\"0x2\"",
        ]
        func log(_ members: [String: String]) throws -> EthereumLog {
            let text = members.map { "\"\($0.key)\":\($0.value)" }.joined(separator: ",")
            return try EthereumLog(try JSONDocument.parse(Array("{\(text)}".utf8)))
        }
        #expect(try log(good).removed)
        #expect(throws: fault) { try log(good.merging([key: value]) { $1 }) }
        var short = good
        short[key] = nil
        let name = try #require(EthereumKeyName(rawValue: key))
        #expect(throws: EthereumFault.missing(name)) { try log(short) }
        #expect(throws: EthereumFault.notAnObject) {
            try EthereumLog(try JSONDocument.parse(Array("[]".utf8)))
        }
    }
}
