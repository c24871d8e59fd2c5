import Capture
import Inflation
import Platform
import RecordModel
import WebSocketProtocol
import WebSocketTransport

/// One WebSocket connection with its calls.
///
/// Its events come on the event loop's thread; `end` on the capture loop's.
final class EthereumStream: OpenStream, WebSocketEvents {
    /// Touched by events only, except `connection`.
    private struct Transport {
        var connection: WebSocketConnection?
        var answers: CallAnswers
        var assembler = MessageAssembler(messageLimit: CallAnswers.messageBytesMax)
        /// Why we close although nobody asked.
        var refusal: StreamEnding?
    }

    private let recorder: StreamRecorder
    private let calls: [EthereumCall]
    private let transport: Monitor<Transport>

    init(_ recorder: StreamRecorder, _ calls: [EthereumCall]) {
        self.recorder = recorder
        self.calls = calls
        transport = Monitor(Transport(answers: CallAnswers(calls)))
    }

    /// Starts to connect.
    func start(_ url: WebSocketURL, _ options: ClientOptions, _ loop: EventLoop) {
        let connection = WebSocketClient.connect(url, options: options, loop: loop, events: self)
        transport.withLock { $0.connection = connection }
    }

    // MARK: OpenStream

    func end() { transport.withLock { $0.connection }?.close(code: CloseCode.normal) }

    // Pings are the connection's own.
    func tick(now: UInt64) -> UInt64? { nil }

    func release() { transport.withLock { $0.connection = nil } }

    // MARK: WebSocketEvents

    func opened(_ connection: WebSocketConnection, _ opening: Opening) {
        let fields = opening.response?.fields.all ?? []  // A client always has an answer.
        recorder.accepted(
            peer: opening.peer,
            metadata: fields.map { .init($0.name, Array($0.value.utf8)) },
            httpStatus: opening.response.map { UInt64(clamping: $0.status) },
            extensions: opening.agreement.isCompressed ? "permessage-deflate" : nil,
            // Not before the calls are answered.
            serves: calls.isEmpty
        )
        for (index, call) in calls.enumerated() {
            do throws(SendError) {
                let message = call.message(id: index + 1)
                try connection.send(opcode: Opcode.text, payload: message.span)
            } catch {
                refuse(
                    StreamEnding(cause: "send_failed", text: "call \(index + 1) was not sent"),
                    connection
                )
                return
            }
        }
    }

    func rejected(_ connection: WebSocketConnection, _ rejection: Rejection) {
        let response = rejection.response
        var details = EventFields()
        details.add(.httpStatus, UInt64(clamping: response.status))
        for field in response.fields.all {
            details.add(
                .responseMetadata,
                .init(field.name, Array(field.value.utf8)),
                by: recorder.redactor
            )
        }
        let body = String(decoding: rejection.body, as: UTF8.self)
        if !body.isEmpty { details.add(.evidence, recorder.redactor.text(body)) }
        let reason = response.reason.isEmpty ? "" : " \(response.reason)"
        let pause = recorder.pause(
            retryAfter: response.fields.only("retry-after"),
            date: response.fields.only("date")
        )
        // Without a pause there is nothing to say of it.
        let asks = pause.map { " and asks for \($0 / 1_000_000_000) s of patience" } ?? ""
        recorder.ended(
            StreamEnding(
                cause: "http_\(response.status)",
                text: "the endpoint answered HTTP \(response.status)\(reason)\(asks)",
                advice: .init(httpStatus: response.status),
                retryAfter: pause
            ),
            details: details,
            wasReached: false
        )
    }

    func connectFailed(_ connection: WebSocketConnection, _ failure: ConnectFailure) {
        recorder.ended(
            EthereumEnding.ending(failure, isOnRequest: recorder.isEndAsked),
            details: EventFields(),
            wasReached: false
        )
    }

    func frameReceived(
        _ connection: WebSocketConnection,
        _ header: FrameHeader,
        _ payload: Span<UInt8>
    ) {
        let ticket = recorder.received(
            .webSocketFrameIn,
            wireByte: header.firstByte,
            flags: header.maskKey == nil ? [] : .masked,
            maskKey: header.maskKey?.byteSwapped ?? 0,  // Only read when the flag is set.
            counts: !header.isControl,
            payload: payload.bytes
        )
        if let ticket {
            connection.pause()
            recorder.paused(ticket) { connection.resume() }
        }
    }

    func frameAccepted(
        _ connection: WebSocketConnection,
        _ header: FrameHeader,
        _ payload: Span<UInt8>
    ) {
        if !header.isControl { watchAnswers(connection, header, payload) }
    }

    func frameSent(
        _ connection: WebSocketConnection,
        _ header: FrameHeader,
        _ payload: Span<UInt8>
    ) {
        recorder.sent(
            .webSocketFrameOut,
            wireByte: header.firstByte,
            flags: header.maskKey == nil ? [] : .masked,
            maskKey: header.maskKey?.byteSwapped ?? 0,  // Only read when the flag is set.
            payload: payload.bytes
        )
    }

    func ended(_ connection: WebSocketConnection, _ end: ConnectionEnd) {
        end.unreadBytes.withUnsafeBytes {
            recorder.receivedPartial(RawSpan(_unsafeBytes: $0))
        }
        var details = EventFields()
        details.add(.closeCode, UInt64(end.closeCode))
        switch end.cause {
        case .closedByPeer(let body), .closedByUs(_, .some(let body)):
            let reason = String(decoding: body.reason, as: UTF8.self)
            if !reason.isEmpty { details.add(.closeReason, recorder.redactor.text(reason)) }
        default: break
        }
        let refusal = transport.withLock { $0.refusal }
        recorder.ended(
            refusal ?? EthereumEnding.ending(end, isOnRequest: recorder.isEndAsked),
            details: details,
            wasReached: true
        )
    }

    // MARK: Answers

    private func watchAnswers(
        _ connection: WebSocketConnection,
        _ header: FrameHeader,
        _ payload: Span<UInt8>
    ) {
        var message: [UInt8] = []
        let meaning = transport.withLock { transport -> CallAnswers.Meaning? in
            if transport.answers.isComplete { return nil }
            var isCompressed: Bool?
            do throws(Violation) {
                try transport.assembler.append(header, payload) { about, bytes in
                    isCompressed = about.isCompressed
                    message = bytes.bytes.withUnsafeBytes { Array($0) }
                }
            } catch {
                // The connection judges what is against the protocol; a long message is data.
                return .delivery
            }
            guard let isCompressed else { return nil }
            if isCompressed {
                do throws(InflationError) {
                    let limit = CallAnswers.messageBytesMax
                    message = try Inflater(.messageDeflate).inflate(message.span, limit: limit)
                } catch { return .delivery }
            }
            return transport.answers.take(message)
        }
        switch meaning {
        case nil: break
        case .delivery: recorder.serves()
        case .answered(let number, let isLast):
            tookCall(number, answer: message)
            if isLast { recorder.serves() }
        case .refused(let refusal): take(refusal, connection)
        }
    }

    /// Longer answers are not those to what gives a connection its meaning.
    private static let answerBytesMax = 1024

    private func tookCall(_ number: Int, answer: [UInt8]) {
        guard calls[number - 1].givesMeaning, answer.count <= Self.answerBytesMax else { return }
        recorder.took(request: calls[number - 1].message(id: number), answer: answer)
    }

    private func take(_ refusal: CallAnswers.Refusal, _ connection: WebSocketConnection) {
        let text =
            "call \(refusal.number) (\(refusal.method)) was refused: \(refusal.message) "
            + "(\(refusal.code))"
        guard refusal.isPermanent || refusal.isSubscription else {
            recorder.warn(text)
            if transport.withLock({ $0.answers.isComplete }) { recorder.serves() }
            return
        }
        refuse(
            StreamEnding(
                cause: "call_refused",
                text: text,
                advice: refusal.isPermanent ? .refused : .busy
            ),
            connection
        )
    }

    private func refuse(_ ending: StreamEnding, _ connection: WebSocketConnection) {
        transport.withLock { if $0.refusal == nil { $0.refusal = ending } }
        connection.close(code: CloseCode.normal)
    }
}
