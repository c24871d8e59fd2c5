// What one client is sent: a fold over its messages and the records that the head lets through.
// No I/O and no clock: the session that owns it reads, waits and writes.

import EthereumDecoding
import Inflation
import JSONText
import Platform
import RecordModel
import WebSocketProtocol

/// The conversation with one client. Belongs to the thread of its session.
struct EthereumConversation {
    /// What became of a record.
    enum Step: Equatable {
        case taken
        /// The recorder made a call here that the client has not made: give it time, and the
        /// record again; or call `stopWaiting`.
        case awaitingCall
    }

    /// How the connection ends behind everything in `output`.
    enum Ending: Equatable {
        case close(code: UInt16)
        /// The node's close frame.
        case closeFrame([UInt8])
        /// Without a close frame, after these raw bytes.
        case abrupt(partial: [UInt8])
    }

    /// Frames to be sent; emptied by the session.
    var output: EthereumOutput
    /// Set once: nothing follows.
    private(set) var ending: Ending?
    /// How far the client has been served.
    private(set) var place = EthereumPlace()
    /// The last record that answers may know of; nil for the client's own place.
    var knowledge: Sequence?
    private var table: EthereumSubscriptionTable

    private let index: EthereumRecordingIndex
    private let options: EthereumServeOptions
    private let answers: EthereumAnswers
    private let callReader: JSONRPCReader
    private let inflater = Inflater(.messageDeflate)

    private var binding: EthereumBinding?
    private var hasParted = false
    /// The client came in between two frames of the connection it is bound to: what continues a
    /// message that it has no beginning of is not for it.
    private var isCutIn = false
    private var incoming: [Int: EthereumMessageFrames] = [:]
    private var partial: [UInt8] = []

    init(
        _ index: EthereumRecordingIndex,
        options: EthereumServeOptions,
        answers: EthereumAnswers,
        random: any RandomSource,
        isCompressed: Bool
    ) {
        self.index = index
        self.options = options
        self.answers = answers
        callReader = JSONRPCReader(limits: JSONLimits(bytesMax: options.messageBytesMax))
        table = EthereumSubscriptionTable(index, options, random: random)
        output = EthereumOutput(isCompressed: isCompressed)
    }

    /// Whether the client has subscriptions.
    var isSubscribed: Bool { !table.subscriptions.isEmpty }

    /// Whether the client has subscribed to everything that was ever recorded.
    var hasAskedForAll: Bool {
        index.requests.isSubset(of: table.subscriptions.lazy.map(\.request))
    }

    /// Whether the client is sent a recorded connection with everything in it.
    var isBound: Bool { binding != nil }

    /// Sets the place of a client that has not subscribed to anything.
    mutating func begin(at place: EthereumPlace) {
        guard !isSubscribed, binding == nil else { return }
        self.place = place
    }

    // MARK: What the client says

    /// Takes a message of the client.
    mutating func said(_ message: [UInt8]) {
        let text: JSONRPCText
        do throws(JSONError) {
            text = try callReader.read(message)
        } catch {
            output.send(error: .parse, id: JSONRPCWriter.null)
            // As the nodes do: the answer, then the end.
            end(.abrupt(partial: []))
            return
        }
        switch text {
        case .single(let message):
            if let answer = answer(message, isAlone: true) { output.send(answer) }
        case .batch(let messages): said(messages)
        }
    }

    private mutating func said(_ messages: [JSONRPCMessage]) {
        if messages.isEmpty {
            output.send(error: .emptyBatch, id: JSONRPCWriter.null)
            return
        }
        var answers: [[UInt8]] = []
        var byteCount = 0
        if messages.count > options.batchCallsMax {
            let first = messages.lazy.compactMap { Self.id(of: $0) }.first
            var text: [UInt8] = []
            JSONRPCWriter.append(
                error: .batchTooLarge,
                id: first ?? JSONRPCWriter.null,  // no call has an id
                to: &text
            )
            answers.append(text)
        } else {
            for message in messages {
                if byteCount > options.batchBytesMax {
                    guard let id = Self.id(of: message) else { continue }
                    var text: [UInt8] = []
                    JSONRPCWriter.append(error: .responseTooLarge, id: id, to: &text)
                    answers.append(text)
                    continue
                }
                guard let answer = answer(message, isAlone: false) else { continue }
                byteCount += answer.count
                answers.append(answer)
            }
        }
        if answers.isEmpty { return }
        var text: [UInt8] = []
        JSONRPCWriter.append(batch: answers, to: &text)
        output.send(text)
    }

    private static func id(of message: JSONRPCMessage) -> [UInt8]? {
        if case .call(let call) = message { return call.id?.rawBytes }
        return nil
    }

    /// The answer to a message; nil when there is none to send here.
    private mutating func answer(_ message: JSONRPCMessage, isAlone: Bool) -> [UInt8]? {
        var text: [UInt8] = []
        switch message {
        case .call(let call):
            // Without an id no answer is wanted, and what a node would do has no effect here.
            guard let id = call.id?.rawBytes else { return nil }
            let ask = EthereumAsk(call)
            if isAlone, answerAsRecorded(ask, id) { return nil }
            do throws(JSONRPCError) {
                JSONRPCWriter.append(result: try result(of: call, ask), id: id, to: &text)
            } catch {
                JSONRPCWriter.append(error: error, id: id, to: &text)
            }
        case .invalid(let id):
            JSONRPCWriter.append(
                error: .invalidRequest,
                id: id?.rawBytes ?? JSONRPCWriter.null,  // as the protocol has it
                to: &text
            )
        // Nothing was asked of the client.
        case .answer, .notification: return nil
        }
        return text
    }

    private mutating func result(
        of call: JSONRPCCall,
        _ ask: EthereumAsk
    ) throws(JSONRPCError) -> [UInt8] {
        switch call.method {
        case "eth_subscribe":
            part()
            let request = try EthereumSubscription(params: call.params)
            let id = try table.subscribe(request, after: place)
            return [0x22] + id + [0x22]
        case "eth_unsubscribe":
            part()
            let id = try EthereumSubscription.unsubscribed(params: call.params)
            guard table.unsubscribe(EthereumAsk.content(of: id)) else {
                throw .subscriptionNotFound
            }
            return Array("true".utf8)
        default:
            let known = try answers.answer(
                call.method,
                params: call.params,
                asOf: knowledge ?? place.sequence
            )
            guard let known else { throw .methodNotFound(call.method) }
            return known
        }
    }

    // MARK: Bound to a recorded connection

    /// Answers a call with the recorded answer to the same call, now or in its place.
    ///
    /// - Returns: false when the call has to be answered otherwise.
    private mutating func answerAsRecorded(_ ask: EthereumAsk, _ id: [UInt8]) -> Bool {
        if binding == nil { bind(ask) }
        switch binding?.match(ask, id: id, at: place) {
        case .now(let number):
            adopt(number)
            sendAnswer(number, id: id)
            return true
        case .inPlace(let number):
            adopt(number)
            return true
        case .foreign, nil: return false
        case .parted:
            part()
            return false
        }
    }

    /// Binds the client to the connection that began with this subscription.
    private mutating func bind(_ ask: EthereumAsk) {
        guard !hasParted, !isSubscribed, case .subscribe(let request) = ask else { return }
        let feed = index.equalFeed(to: request, after: place) { feed in
            let calls = index.streams[feed.stream].calls
            return calls.firstIndex { $0.ask.isSubscription } == feed.call
        }
        guard let feed else { return }
        binding = EthereumBinding(feed.stream, in: index)
        isCutIn = index.streams[feed.stream].id <= place.sequence
    }

    /// Makes a recorded call's effect the client's.
    private mutating func adopt(_ number: Int) {
        guard let stream = binding?.stream else { return }
        let feed = EthereumFeed(stream: stream, call: number)
        if case .unsubscribe(let id) = index.call(feed).ask { _ = table.unsubscribe(id) }
        table.adopt(feed)
    }

    /// Sends a recorded answer, with the client's id if it is another one.
    private mutating func sendAnswer(_ number: Int, id: [UInt8]) {
        guard let binding else { return }
        let call = index.streams[binding.stream].calls[number]
        guard let answer = call.answer else { return }
        let isCompressed = answer.frames.first.map { $0.firstByte & 0x40 != 0 }
        output.answer(
            call,
            id: id,
            frames: answer.frames,
            message: answer.text,
            isCompressed: isCompressed == true
        )
    }

    /// Ends the binding; the subscriptions stay what they are.
    private mutating func part() {
        hasParted = true
        guard let binding else { return }
        for (number, id) in binding.unanswered { sendAnswer(number, id: id) }
        self.binding = nil
        incoming[binding.stream]?.dropControlFrames()
    }

    /// The time that a client was given for the recorder's next call is over.
    mutating func stopWaiting(at sequence: Sequence) {
        if binding?.stopWaiting(at: sequence) == false { part() }
    }

    // MARK: Records

    /// Takes the next record.
    mutating func take(_ envelope: RecordEnvelope, _ payload: RawSpan) -> Step {
        if ending != nil { return .taken }
        leaveEndedStream(at: envelope.sequence)
        if envelope.sequence >= table.lifetime.end {
            endAsRecorded()
            return .taken
        }
        defer { place.time = envelope.receivedAt }
        switch envelope.kind {
        case .webSocketFrameOut:
            if let binding, index.streams[binding.stream].id == envelope.stream,
                binding.mustWait(at: envelope.sequence)
            {
                return .awaitingCall
            }
        case .webSocketFrameIn:
            if let stream = index.position(of: envelope.stream) {
                arrived(envelope, payload, on: stream)
            }
        case .partialFrameIn:
            if let binding, index.streams[binding.stream].id == envelope.stream {
                partial = payload.withUnsafeBytes { Array($0) }
            }
        default: break
        }
        place.sequence = envelope.sequence
        return .taken
    }

    private mutating func arrived(
        _ envelope: RecordEnvelope,
        _ payload: RawSpan,
        on stream: Int
    ) {
        let isBound = binding?.stream == stream
        if !isBound, table.routes[stream].isEmpty { return }
        if envelope.opcode == Opcode.close || envelope.opcode == Opcode.pong { return }
        if isBound, envelope.opcode == Opcode.text || envelope.opcode == Opcode.binary {
            isCutIn = false
        }
        if envelope.wireByte == 0x80 | Opcode.text, incoming[stream]?.isInsideMessage != true,
            passWhole(payload, on: stream)
        {
            return
        }
        let bytes = payload.withUnsafeBytes { Array($0) }
        var frames = incoming.removeValue(forKey: stream) ?? EthereumMessageFrames()
        switch frames.append(envelope.wireByte, bytes, at: envelope.sequence) {
        case .control:
            if isBound { output.pass(envelope.wireByte, payload) }
        case .stray:
            if isBound, !isCutIn { output.pass(envelope.wireByte, payload) }
        case .unfinished:
            // A frame between others is kept with them; for others it has no meaning.
            if !isBound { frames.dropControlFrames() }
        case .message:
            let wireCount = frames.isCompressed ? -1 : frames.message.count
            if frames.inflate(by: inflater) {
                completed(frames, wireCount, on: stream, at: envelope.sequence)
            } else if isBound, output.isCompressed {
                output.pass(frames.frames, [], isCompressed: true)
            } else if isBound {
                // It cannot be told to this client, and leaving it out would be a lie.
                end(.close(code: CloseCode.internalError))
            }
            frames.clear()
        }
        incoming[stream] = frames
    }

    /// Passes a message of one frame, when it goes to one subscription and as it is. This is the
    /// usual case, and nothing is allocated for it.
    private mutating func passWhole(_ payload: RawSpan, on stream: Int) -> Bool {
        guard let range = NotificationScan.subscription(of: payload) else { return false }
        for route in table.routes[stream] where Self.isEqual(payload, range, route.id) {
            guard table.isPassedWhole(route) else { return false }
            output.pass(0x80 | Opcode.text, payload)
            return true
        }
        return false
    }

    private static func isEqual(_ bytes: RawSpan, _ range: Range<Int>, _ id: [UInt8]) -> Bool {
        guard range.count == id.count else { return false }
        return bytes.withUnsafeBytes { bytes in
            UnsafeRawBufferPointer(rebasing: bytes[range]).elementsEqual(id)
        }
    }

    /// A whole message of a recorded stream.
    private mutating func completed(
        _ frames: EthereumMessageFrames,
        _ wireCount: Int,
        on stream: Int,
        at sequence: Sequence
    ) {
        let isBound = binding?.stream == stream
        var isPassed = false
        if let range = NotificationScan.subscription(of: frames.message) {
            let id = frames.message[range]
            if let route = table.routes[stream].first(where: { $0.id.elementsEqual(id) }) {
                isPassed = table.deliver(
                    frames,
                    wireCount: wireCount,
                    range,
                    at: sequence,
                    by: route,
                    to: &output
                )
            } else if isBound {
                isPassed = !index.streams[stream].calls.contains {
                    $0.subscription?.id.elementsEqual(id) == true
                }
                if isPassed { pass(frames) }
            }
        } else if isBound, let numbers = binding?.answers(at: sequence) {
            for number in numbers {
                guard let id = binding?.takeAnswer(number) else { continue }
                let call = index.streams[stream].calls[number]
                isPassed = !call.isBatched && id == call.id
                output.answer(
                    call,
                    id: id,
                    frames: frames.frames,
                    message: frames.message,
                    isCompressed: frames.isCompressed
                )
            }
        } else if isBound {
            isPassed = true
            pass(frames)
        }
        if isBound, !isPassed { output.passControlFrames(frames.frames) }
    }

    private mutating func pass(_ frames: EthereumMessageFrames) {
        output.pass(frames.frames, frames.message, isCompressed: frames.isCompressed)
    }

    // MARK: Ends

    private mutating func end(_ ending: Ending) {
        if self.ending == nil { self.ending = ending }
    }

    /// Where the recorded connection ended, the binding goes over to the one that carries on.
    private mutating func leaveEndedStream(at sequence: Sequence) {
        guard options.joinsConnections, let binding,
            let end = index.streams[binding.stream].ended, end <= sequence,
            table.lifetime.end > sequence
        else { return }
        // What was cut off there is never finished.
        incoming[binding.stream] = nil
        partial = []
        isCutIn = false
        let next = table.subscriptions.first?.feeds.first { index.end(of: $0) > sequence }
        self.binding = next.map { EthereumBinding($0.stream, in: index, continues: true) }
    }

    /// The connection ends as the recorded one did that it depends on.
    private mutating func endAsRecorded() {
        flushUnfinished()
        let lifetime = table.lifetime
        let stream = index.streams[lifetime.stream]
        guard lifetime.end == stream.ended else {
            // The recorder gave the subscription up; a node gives none up but with the connection.
            end(.abrupt(partial: []))
            return
        }
        switch stream.ending {
        case .closeFrame(let payload): end(.closeFrame(payload))
        case .abrupt: end(.abrupt(partial: binding?.stream == lifetime.stream ? partial : []))
        case .orderly: end(.close(code: CloseCode.normal))
        }
    }

    /// There is no further record.
    mutating func recordingEnded() {
        flushUnfinished()
        end(.close(code: options.endsAtDamage ? CloseCode.internalError : CloseCode.normal))
    }

    /// The first frames of a message that was never finished are part of the connection too.
    private mutating func flushUnfinished() {
        guard let binding, let held = incoming.removeValue(forKey: binding.stream),
            output.isCompressed || !held.isCompressed
        else { return }
        output.pass(held.frames, [], isCompressed: held.isCompressed)
    }

    /// The head has been set elsewhere: what is served next comes after `place`.
    mutating func moved(to place: EthereumPlace) {
        if ending != nil { return }
        part()
        self.place = place
        incoming.removeAll()
        // The client has to subscribe again, and is told then what there is.
        if !table.move(to: place) { end(.close(code: CloseCode.serviceRestart)) }
    }
}

extension CloseCode {
    /// IANA: the server restarts; the client may come again at once.
    static let serviceRestart: UInt16 = 1012
}
