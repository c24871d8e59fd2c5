import EthereumDecoding
import JSONText
import MarketModel
import Testing

@Suite struct JSONRPCMessageTests {
    private func read(_ text: String) throws -> JSONRPCMessage {
        guard case .single(let message) = try JSONRPCReader().read(Array(text.utf8)) else {
            throw JSONRPCError.invalidRequest
        }
        return message
    }

    private func kind(_ message: String) throws -> String {
        switch try read(message) {
        case .call(let call): "call \(call.method) \(text(call.id))"
        case .answer(let answer): "answer \(text(answer.id))"
        case .notification: "notification"
        case .invalid(let id): "invalid \(text(id))"
        }
    }

    private func text(_ value: JSONValue?) -> String {
        value.map { String(decoding: $0.rawBytes, as: UTF8.self) } ?? "-"
    }

    @Test(arguments: [
        (#"{"jsonrpc":"2.0","id":1,"method":"eth_chainId"}"#, "call eth_chainId 1"),
        (#"{"id":"a\"b","method":"m","params":[],"jsonrpc":"2.0"}"# + "\n", #"call m "a\"b""#),
        (#"{"jsonrpc":"2.0","id":null,"method":"m"}"#, "call m null"),
        (
            #"{"jsonrpc":"2.0","id":12345678901234567890123,"method":"m"}"#,
            "call m 12345678901234567890123"
        ),
        (#"{"jsonrpc":"2.0","method":"m"}"#, "call m -"),
        (#"{"jsonrpc":"2.0","id":[1],"method":"m"}"#, "call m -"),
        (#"{"jsonrpc":"2.0","id":1,"result":null}"#, "answer 1"),
        (#"{"jsonrpc":"2.0","id":1,"error":{"code":1,"message":"x"}}"#, "answer 1"),
        (
            #"{"jsonrpc":"2.0","method":"eth_subscription","params":{"subscription":"0x1","result":1}}"#,
            "notification"
        ),
        (
            #"{"jsonrpc":"2.0","method":"eth_subscription","params":{"subscription":1,"result":1}}"#,
            "call eth_subscription -"
        ),
        (
            #"{"jsonrpc":"2.0","method":"eth_subscription","params":{"subscription":"0x1"}}"#,
            "call eth_subscription -"
        ),
        (#"{"jsonrpc":"1.0","id":7,"method":"m"}"#, "invalid 7"),
        (#"{"id":7,"method":"m"}"#, "invalid 7"),
        (#"{"jsonrpc":"2.0","id":7}"#, "invalid 7"),
        (#"{"jsonrpc":"2.0","id":7,"method":""}"#, "invalid 7"),
        (#"{"jsonrpc":"2.0","id":7,"method":5}"#, "invalid 7"),
        (#"{"jsonrpc":"2.0","id":{},"result":1}"#, "invalid -"),
        (#"{}"#, "invalid -"), ("1", "invalid -"), ("null", "invalid -"), ("\"x\"", "invalid -"),
    ])
    func `a message is classified as nodes do`(message: String, expected: String) throws {
        #expect(try kind(message) == expected)
    }

    @Test func `a batch keeps the order and the faults of its elements`() throws {
        let text = #"[{"jsonrpc":"2.0","id":1,"method":"a"},5,{"jsonrpc":"2.0","id":2,"result":0}]"#
        guard case .batch(let messages) = try JSONRPCReader().read(Array(text.utf8)) else {
            Issue.record("no batch")
            return
        }
        #expect(messages.count == 3)
        guard case .call = messages[0], case .invalid = messages[1], case .answer = messages[2]
        else {
            Issue.record("wrong kinds")
            return
        }
        guard case .batch(let none) = try JSONRPCReader().read(Array("[]".utf8)) else {
            Issue.record("no batch")
            return
        }
        #expect(none.isEmpty)
    }

    @Test func `an error answer gives its code and words`() throws {
        let text =
            #"{"jsonrpc":"2.0","id":1,"error":{"code":-32000,"message":"unknown block","data":1}}"#
        guard case .answer(let answer) = try read(text),
            case .error(let code, let message, let value) = answer.outcome
        else {
            Issue.record("no error")
            return
        }
        #expect(code == -32000)
        #expect(message == "unknown block")
        #expect(value.member("data")?.uint64 == 1)
    }

    @Test func `answers are written as nodes write them`() {
        func text(_ body: (inout [UInt8]) -> Void) -> String {
            var bytes: [UInt8] = []
            body(&bytes)
            return String(decoding: bytes, as: UTF8.self)
        }
        let id = Array(#""a\u0062""#.utf8)
        let ok = text { JSONRPCWriter.append(result: Array("\"0x1\"".utf8), id: id, to: &$0) }
        #expect(ok == #"{"jsonrpc":"2.0","id":"a\u0062","result":"0x1"}"# + "\n")
        let failed = text {
            JSONRPCWriter.append(error: .noSubscription("a\"b"), id: JSONRPCWriter.null, to: &$0)
        }
        #expect(
            failed
                == #"{"jsonrpc":"2.0","id":null,"error":{"code":-32601,"message":"no \"a\"b\" subscription in eth namespace"}}"#
                + "\n"
        )
        let batch = text {
            JSONRPCWriter.append(batch: [Array("1\n".utf8), Array("2".utf8)], to: &$0)
        }
        #expect(batch == "[1,2]\n")
        let note = text {
            JSONRPCWriter.append(
                result: Array("{}".utf8),
                subscription: Array("0xab".utf8),
                to: &$0
            )
        }
        #expect(
            note
                == #"{"jsonrpc":"2.0","method":"eth_subscription","params":{"subscription":"0xab","result":{}}}"#
                + "\n"
        )
    }

    @Test(
        arguments: [
            (
                #"{"method":"eth_subscription","params":{"subscription":"0x1","result":{"number":"0x1f"}}}"#,
                31
            ),
            (
                #"{ "params" : {"result" : { "a":[{"number":"0x5"}], "blockNumber" : "0x10" } , "subscription":"0x1"} , "method":"eth_subscription" }"#,
                16
            ),
            (
                #"{"method":"eth_subscription","params":{"result":{"x":"a\"number\":\"0x9\\","number":"0xffffffffffffffff"}}}"#,
                UInt64.max
            ),
            (
                #"{"method":"eth_subscription","params":{"result":{"number":"0x10000000000000000"}}}"#,
                nil
            ),
            (#"{"method":"eth_subscription","params":{"result":{"number":"0x"}}}"#, nil),
            (#"{"method":"eth_subscription","params":{"result":{"number":5}}}"#, nil),
            (#"{"method":"eth_subscription","params":{"result":{"blockNumber":null}}}"#, nil),
            (#"{"method":"eth_subscription","params":{"result":"0x12"}}"#, nil),
            (#"{"method":"eth_subscribe","params":{"result":{"number":"0x1"}}}"#, nil),
            (#"{"id":1,"result":{"number":"0x1"}}"#, nil),
            (#"{"number":"0x1"}"#, nil), ("", nil), ("{", nil), ("{\"method\"", nil), ("[]", nil),
            (#"{"method":"eth_subscription","params":{"result":{"number":"0x1"#, nil),
            (#"{"method":"eth_subscription","params":{"result":{"a":"\"#, nil),
        ] as [(String, UInt64?)]
    )
    func `the block number is read at the right place or not at all`(text: String, number: UInt64?)
    {
        #expect(NotificationScan.blockNumber(of: Array(text.utf8))?.number == number)
    }
}
