import EthereumDecoding
import JSONText

let textTargets = [
    FuzzTarget("json") { bytes in
        let span = RawSpan(_unsafeBytes: bytes)
        let limits = JSONLimits(bytesMax: 1 << 20, depthMax: 32, valuesMax: 4096)
        guard let root = attempt({ try JSONDocument(limits: limits).parse(span) }) else { return }
        visit(root, 0)
        var canonical: [UInt8] = []
        root.appendCanonical(to: &canonical)
        guard let again = attempt({ try JSONDocument.parse(canonical) }) else {
            fatalError("broken: canonical JSON is JSON")
        }
        var repeated: [UInt8] = []
        again.appendCanonical(to: &repeated)
        check(repeated == canonical, "canonical JSON stays as it is")
    },
    FuzzTarget("base64") { bytes in
        let text = Array(bytes)
        _ = Base64.decode(text)
        check(Base64.decode(Base64.encode(text)) == text, "Base64 gives the bytes back")
    },
    FuzzTarget("json-rpc") { bytes in
        let text = Array(bytes)
        _ = NotificationScan.blockNumber(of: text)
        let reader = JSONRPCReader(limits: JSONLimits(bytesMax: 1 << 20, valuesMax: 4096))
        let message = attempt { try reader.read(text) }
        if case .single(.call(let call))? = message {
            _ = attempt { try EthereumSubscription(params: call.params) }
            _ = attempt { try EthereumSubscription.unsubscribed(params: call.params) }
        }
        guard let range = NotificationScan.subscription(of: text) else { return }
        check(range.upperBound <= text.count, "a subscription's id lies within its text")
        var rewritten: [UInt8] = []
        NotificationScan.rewrite(
            text,
            subscription: range,
            with: Array("0x1".utf8),
            into: &rewritten
        )
        guard message != nil else { return }
        check(
            attempt { try JSONDocument.parse(rewritten) } != nil,
            "a notification is JSON after its id was changed"
        )
    },
    FuzzTarget("chain-view") { bytes in
        var view = ChainView(
            limits: ChainViewLimits(blocksMax: 4, bytesMax: 1 << 16, callsMax: 4, answersMax: 4)
        )
        let reader = JSONRPCReader(limits: JSONLimits(bytesMax: 1 << 16, valuesMax: 1024))
        for line in bytes.split(separator: UInt8(ascii: "\n")) {
            feed(&view, Array(line), reader)
            check(view.blockCount <= 5, "a view keeps to its limits")
        }
        view.closeNewest()
        _ = (view.newest, view.isNewestOpen, view.byteCount)
    },
]

private func visit(_ value: JSONValue, _ depth: Int) {
    check(depth <= 32, "nesting is bounded")
    _ = (value.string, value.numberText, value.int64, value.uint64, value.boolean, value.isNull)
    check(!value.rawBytes.isEmpty, "every value has its text")
    for element in value.elements { visit(element, depth + 1) }
    for (key, member) in value.members {
        check(key.stringBytes != nil, "every key is a string")
        visit(member, depth + 1)
    }
    _ = value.member("a")
}

/// A line of a story: who speaks, on which of two connections, and the message.
private func feed(_ view: inout ChainView, _ line: [UInt8], _ reader: JSONRPCReader) {
    guard line.count >= 2 else { return }
    let stream = UInt64(line[1] & 1)
    guard let text = attempt({ try reader.read(Array(line[2...])) }) else {
        if line[0] == UInt8(ascii: "e") { view.streamEnded(stream) }
        return
    }
    switch line[0] {
    case UInt8(ascii: "s"): view.sent(text, on: stream)
    case UInt8(ascii: "r"): view.received(text, on: stream)
    case UInt8(ascii: "h"): view.holdHead()
    default:
        guard case .single(.call(let call)) = text,
            let answer = attempt({ try view.answer(call.method, params: call.params) }) ?? nil
        else { return }
        check(
            attempt { try JSONDocument.parse(answer) } != nil,
            "an answer out of a view is JSON"
        )
    }
}
