import Inflation
import WebSocketProtocol

let webSocketTargets = [
    FuzzTarget("websocket") { bytes in
        var input = FuzzInput(bytes)
        let switches = input.byte()
        let chunk = Int(input.byte())
        let wire = Array(input.all())
        let whole = decode(wire, chunk: wire.count, switches)
        // However the bytes are cut, the same frames come out.
        let pieces = decode(wire, chunk: max(chunk, 1), switches)
        check(whole == pieces, "frames do not depend on how their bytes arrive")
    },
    FuzzTarget("websocket-url") { bytes in
        let text = String(decoding: bytes, as: UTF8.self)
        guard let url = attempt({ try WebSocketURL(text) }) else { return }
        _ = (url.hostField, url.redacted)
        _ = attempt { try ClientHandshake(url: url, nonce: (1, 2)) }
    },
    FuzzTarget("http-server") { bytes in
        guard let reader = readHead(bytes), let head = attempt(reader.request),
            let upgrade = attempt({ try UpgradeRequest(head) })
        else { return }
        let agreement = HandshakeAgreement(
            isCompressed: upgrade.offersCompression,
            subprotocol: upgrade.subprotocols.first
        )
        let answer = upgrade.acceptance(agreement)
        check(
            readHead(answer).flatMap { reader in attempt(reader.response) }?.status == 101,
            "what a server answers is a head"
        )
    },
    FuzzTarget("http-client") { bytes in
        guard let reader = readHead(bytes), let head = attempt(reader.response) else { return }
        for handshake in clientHandshakes { _ = attempt { try handshake.check(head) } }
    },
    FuzzTarget("inflate") { bytes in
        var input = FuzzInput(bytes)
        let format: CompressedFormat = input.byte() & 1 == 0 ? .gzip : .messageDeflate
        let rest = Array(input.all())
        let limit = 1 << 20
        if let output = attempt({ try Inflater(format).inflate(rest.span, limit: limit) }) {
            check(output.count <= limit, "inflation keeps to its limit")
        }
        var deflated: [UInt8] = []
        Deflater(format, level: 1).deflate(rest.span, into: &deflated)
        let again = attempt { try Inflater(format).inflate(deflated.span, limit: rest.count) }
        check(again == rest, "what was deflated inflates again")
    },
]

/// One frame with what the rules and the assembler made of it.
private struct Seen: Equatable {
    var header: FrameHeader
    var payload: [UInt8]
    var judgement: Judgement
    var message: [UInt8]?
    var violation: Violation?
}

private struct Decoded: Equatable {
    var frames: [Seen] = []
    var error: FrameError?
    var unread: [UInt8] = []
}

private func decode(_ wire: [UInt8], chunk: Int, _ switches: UInt8) -> Decoded {
    let isCompressed = switches & 2 != 0
    var decoder = FrameDecoder(payloadLimit: 4096, capacityUsual: 4096)
    var rules = FrameRules(
        sender: switches & 1 == 0 ? .client : .server,
        allowsCompression: isCompressed,
        messageLimit: 6000
    )
    var assembler = MessageAssembler(messageLimit: 6000)
    let inflater = Inflater(.messageDeflate)
    var decoded = Decoded()
    var place = 0
    while place < wire.count {
        let end = min(place + max(chunk, 1), wire.count)
        decoder.append(wire[place..<end].span)
        place = end
        do throws(FrameError) {
            while let header = try decoder.nextFrame() {
                decoded.frames.append(
                    decoder.withPayload { see(header, $0, &rules, &assembler, inflater) }
                )
            }
        } catch {
            decoded.error = error
            // What arrived behind the fault depends on the cut.
            return decoded
        }
    }
    decoded.unread = decoder.unreadBytes()
    return decoded
}

private func see(
    _ header: FrameHeader,
    _ payload: Span<UInt8>,
    _ rules: inout FrameRules,
    _ assembler: inout MessageAssembler,
    _ inflater: Inflater
) -> Seen {
    check(UInt64(payload.count) == header.payloadLength, "a payload has the length of its header")
    var seen = Seen(
        header: header,
        payload: payload.indices.map { payload[$0] },
        judgement: rules.judge(header, payload)
    )
    do throws(Violation) {
        try assembler.append(header, payload) { message, bytes in
            guard message.isCompressed else {
                seen.message = bytes.indices.map { bytes[$0] }
                return
            }
            seen.message = attempt { try inflater.inflate(bytes, limit: 1 << 16) }
        }
    } catch { seen.violation = error }
    if let message = seen.message, message.count < 256 {
        var validator = TextValidator()
        var isText = true
        for byte in message { isText = validator.append([byte].span) && isText }
        check(
            (isText && validator.isComplete) == TextValidator.isUTF8(message.span),
            "text is judged alike in pieces"
        )
    }
    return seen
}

private let clientHandshakes: [ClientHandshake] = [false, true].map { offersCompression in
    do {
        return try ClientHandshake(
            url: WebSocketURL("wss://node.example/v2"),
            nonce: (1, 2),
            subprotocols: ["json", "rpc"],
            offersCompression: offersCompression
        )
    } catch { fatalError("a handshake is refused: \(error)") }
}

private func readHead(_ bytes: some Collection<UInt8>) -> HTTPHeadReader? {
    var reader = HTTPHeadReader()
    for half in [Array(bytes.prefix(bytes.count / 2)), Array(bytes.dropFirst(bytes.count / 2))] {
        do throws(HTTPHeadError) {
            if try reader.append(half.span) != nil { return reader }
        } catch { return nil }
    }
    return nil
}
