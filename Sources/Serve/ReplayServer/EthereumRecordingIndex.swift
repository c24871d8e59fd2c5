// What a server must know of the recorded EVM connections before it can answer its first call:
// which subscriptions there were, from where to where, and how each connection ended. It is read
// in one pass when the server starts, and keeps calls and short answers only.

import EthereumDecoding
import Inflation
import JSONText
import MarketModel
package import Platform
import RecordModel
import SegmentFormat
package import SegmentLog
import WebSocketProtocol

/// Why a recording cannot be served on an EVM port.
package enum EthereumServeError: Error, Sendable {
    /// The recording is damaged here and `skipsDamage` is off. Stop before it, exit 3.
    case damaged(String)
    /// It cannot be read. Exit 1.
    case unreadable(LogError)
    /// No recorded WebSocket connection belongs to the sources asked for. Exit 2.
    case nothingRecorded
    /// The sources belong to several chains: name those of one. Exit 2.
    case severalChains([UInt64])
    /// The port cannot be opened, or no thread can be started. Exit 1.
    case system(SystemError)
}

/// The recorded EVM connections of a recording.
struct EthereumRecordingIndex: Sendable {
    /// Longest call or answer that is kept, in bytes.
    static let keptBytesMax = 64 << 10
    /// Most calls of a stream that are kept.
    static let callsMax = 65_536

    private(set) var streams: [EthereumRecordedStream] = []
    /// The chain of all of them; nil when the recording does not tell.
    private(set) var chainID: UInt64?
    /// The first and last sequence that is served.
    let first: Sequence
    let last: Sequence

    /// What was subscribed to on any of them.
    private(set) var requests: Set<EthereumSubscription> = []

    /// Which of `streams` a stream is.
    func position(of stream: StreamID) -> Int? {
        // Sorted, as streams are found in the order of their ids.
        var low = 0
        var high = streams.count
        while low < high {
            let middle = (low + high) / 2
            if streams[middle].id < stream {
                low = middle + 1
            } else {
                high = middle
            }
        }
        return low < streams.count && streams[low].id == stream ? low : nil
    }

    /// Reads the recording up to the end of the range; subscriptions from before its start count.
    init(
        _ reader: RecordingReader,
        options: EthereumServeOptions,
        first: Sequence,
        last: Sequence
    ) throws(EthereumServeError) {
        self.first = first
        self.last = last
        var scan = EthereumIndexScan()
        do throws(LogError) {
            for entry in try reader.recordsBefore() { scan.take(entry) }
            let cursor = try RecordCursor(reader)
            var afterLoss = ContextAfterLoss(reader)
            // Damage behind the range is nothing to us.
            reading: while cursor.expected <= last {
                switch try cursor.next() {
                case .record:
                    if cursor.envelope.sequence > last { break reading }
                    if let told = try afterLoss.context(before: cursor.envelope.sequence) {
                        for entry in told.lost { scan.take(entry) }
                    }
                    scan.take(cursor)
                case .hole(let hole): afterLoss.lost(hole.from, through: hole.last)
                case .damage(let damage):
                    afterLoss.lost(damage)
                    guard options.skipsDamage else {
                        throw .damaged(
                            path: damage.path,
                            offset: damage.offset,
                            error: damage.error
                        )
                    }
                case .end: break reading
                }
            }
        } catch {
            switch error {
            case .damaged: throw .damaged("\(error)")
            default: throw .unreadable(error)
            }
        }
        try choose(scan.finished(), options)
        requests = Set(feeds.compactMap { call($0).subscription?.request })
    }

    private mutating func choose(
        _ found: [EthereumRecordedStream],
        _ options: EthereumServeOptions
    ) throws(EthereumServeError) {
        streams = found.filter { options.sources?.contains($0.source) != false }
        guard !streams.isEmpty else { throw .nothingRecorded }
        if let wanted = options.chainID {
            // A stream whose chain nobody told may be of the one that is wanted.
            streams.removeAll { $0.chainID.map { $0 != wanted } ?? false }
            guard !streams.isEmpty else { throw .nothingRecorded }
            chainID = wanted
            return
        }
        let chains = Set(streams.compactMap(\.chainID)).sorted()
        guard chains.count <= 1 else { throw .severalChains(chains) }
        chainID = chains.first
    }
}

/// One pass over the records.
private struct EthereumIndexScan {
    private struct Open {
        var place: Int
        var sent = EthereumMessageFrames()
        var received = EthereumMessageFrames()
        /// Calls that wait for an answer: places by the id's text.
        var awaited: [[UInt8]: Int] = [:]
        var sawOther = false
        /// The message that is arriving began when no call was awaited.
        var passesOver = false
        var closeFrame: [UInt8]?
    }

    /// A whole message as it is taken from frames, or from an event that has a copy.
    private struct Message {
        var text: [UInt8]
        var frames: [EthereumFrame]
        /// The record of its first frame.
        var first: Sequence

        init(_ frames: EthereumMessageFrames) {
            text = frames.message
            self.frames = frames.frames
            first = frames.first
        }

        init(copy text: [UInt8], in envelope: RecordEnvelope) {
            self.text = text
            frames = [EthereumFrame(firstByte: 0x80 | Opcode.text, payload: text)]
            first = envelope.sequence
        }
    }

    private var streams: [EthereumRecordedStream] = []
    private var open: [StreamID: Open] = [:]
    private var chains: [String: UInt64] = [:]
    private let reader = JSONRPCReader()
    private let inflater = Inflater(.messageDeflate)

    mutating func take(_ cursor: some RecordAtHand) {
        let envelope = cursor.envelope
        switch envelope.kind {
        case .runStarted: endRun(at: envelope.sequence)
        case .sourceDeclared: declare(cursor)
        case .streamOpened: begin(cursor)
        case .streamAccepted:
            guard let place = open[envelope.stream]?.place,
                let extensions = Self.fields(cursor)?.text(.extensions)
            else { return }
            streams[place].isCompressed = extensions.contains("permessage-deflate")
        case .streamClosed, .connectError: end(cursor)
        case .subscriptionDecided: decided(cursor)
        case .webSocketFrameOut: sent(cursor)
        case .webSocketFrameIn: received(cursor)
        default: return
        }
    }

    func finished() -> [EthereumRecordedStream] {
        var streams = streams
        // A stream that never spoke is no endpoint of ours.
        streams.removeAll { $0.calls.isEmpty && $0.source.isEmpty }
        for index in streams.indices where streams[index].chainID == nil {
            streams[index].chainID = chains[streams[index].source]
        }
        return streams
    }

    private static func fields(_ cursor: some RecordAtHand) -> EventFields? {
        do throws(EventFieldsError) {
            return try cursor.withPayload { bytes throws(EventFieldsError) in
                try EventFields(decoding: bytes)
            }
        } catch {
            // The event is passed on opaque: nothing follows from it.
            return nil
        }
    }

    private static func chainID(_ chain: String?) -> UInt64? {
        guard let chain, chain.hasPrefix("evm:") else { return nil }
        return UInt64(chain.dropFirst(4))
    }

    private mutating func declare(_ cursor: some RecordAtHand) {
        guard let fields = Self.fields(cursor), let source = fields.text(.source),
            let chain = Self.chainID(fields.text(.chain))
        else { return }
        chains[source] = chain
    }

    private mutating func begin(_ cursor: some RecordAtHand) {
        guard let fields = Self.fields(cursor), fields.text(.transport) == "websocket" else {
            return
        }
        let id = cursor.envelope.sequence
        open[id] = Open(place: streams.count)
        streams.append(
            EthereumRecordedStream(
                id: id,
                source: fields.text(.source) ?? "",  // one without a source is of none
                chainID: Self.chainID(fields.text(.chain)),
                openedAt: cursor.envelope.receivedAt
            )
        )
    }

    /// Streams do not outlive the process that recorded them.
    private mutating func endRun(at sequence: Sequence) {
        for state in open.values {
            streams[state.place].ended = sequence
            streams[state.place].ending = .abrupt
        }
        open.removeAll()
    }

    private mutating func end(_ cursor: some RecordAtHand) {
        guard let state = open.removeValue(forKey: cursor.envelope.stream) else { return }
        let fields = Self.fields(cursor)
        // Code 1000 without a close frame: an import, whose data does not tell how it ended.
        let isOrderly =
            fields?.boolean(.onRequest) == true
            || fields?.unsigned(.closeCode) == UInt64(CloseCode.normal)
        streams[state.place].ended = cursor.envelope.sequence
        streams[state.place].ending =
            if let frame = state.closeFrame {
                .closeFrame(frame)
            } else {
                isOrderly ? .orderly : .abrupt
            }
    }

    private mutating func sent(_ cursor: some RecordAtHand) {
        let envelope = cursor.envelope
        guard var state = open.removeValue(forKey: envelope.stream) else { return }
        defer { open[envelope.stream] = state }
        guard
            state.sent.append(envelope.wireByte, cursor.payloadBytes, at: envelope.sequence)
                == .message, state.sent.inflate(by: inflater),
            let text = read(state.sent.message)
        else { return }
        let sent = state.sent.message
        switch text {
        case .single(let message): note(message, sent, false, envelope, &state)
        case .batch(let messages):
            for message in messages { note(message, sent, true, envelope, &state) }
        }
    }

    /// A request with its answer counts where the frames that say so are gone: they were retired
    /// with the oldest segments, or lost.
    private mutating func decided(_ cursor: some RecordAtHand) {
        let envelope = cursor.envelope
        guard let fields = Self.fields(cursor), let request = fields.bytes(.request),
            let text = fields.bytes(.answer), var state = open.removeValue(forKey: envelope.stream)
        else { return }
        defer { open[envelope.stream] = state }
        guard case .single(let asked)? = read(request), case .call(let call) = asked,
            let id = call.id?.rawBytes
        else { return }
        let isKnown = streams[state.place].calls.contains { $0.id == id && $0.answer != nil }
        guard !isKnown else { return }
        if state.awaited[id] == nil { note(asked, request, false, envelope, &state) }
        // From here on what was read of the request is gone.
        guard case .single(let answer)? = read(text), case .answer(let about) = answer,
            about.id.rawBytes == id
        else { return }
        // The answer was the node's, so it comes at once when the call is made again.
        let sawOther = state.sawOther
        state.sawOther = false
        answered(answer, Message(copy: text, in: envelope), envelope, &state)
        state.sawOther = sawOther
    }

    private mutating func note(
        _ message: JSONRPCMessage,
        _ text: [UInt8],
        _ isBatched: Bool,
        _ envelope: RecordEnvelope,
        _ state: inout Open
    ) {
        guard case .call(let call) = message, let id = call.id,
            streams[state.place].calls.count < EthereumRecordingIndex.callsMax
        else { return }
        state.awaited[id.rawBytes] = streams[state.place].calls.count
        streams[state.place].calls.append(
            EthereumRecordedCall(
                sequence: envelope.sequence,
                id: id.rawBytes,
                ask: EthereumAsk(call),
                text: text.count <= EthereumRecordingIndex.keptBytesMax ? text : [],
                isBatched: isBatched
            )
        )
    }

    private mutating func received(_ cursor: some RecordAtHand) {
        let envelope = cursor.envelope
        guard let index = open.index(forKey: envelope.stream) else { return }
        let isControl = envelope.opcode & 8 != 0
        if envelope.opcode == 8 {
            if open.values[index].closeFrame == nil {
                open.values[index].closeFrame = cursor.payloadBytes
            }
            return
        }
        if !isControl, envelope.opcode != 0 {
            open.values[index].passesOver = open.values[index].awaited.isEmpty
        }
        if open.values[index].passesOver {
            if !isControl { open.values[index].sawOther = true }
            return
        }
        guard
            open.values[index].received.append(
                envelope.wireByte,
                cursor.payloadBytes,
                at: envelope.sequence
            ) == .message, open.values[index].received.inflate(by: inflater)
        else { return }
        if NotificationScan.subscription(of: open.values[index].received.message) != nil {
            open.values[index].sawOther = true
            return
        }
        guard let text = read(open.values[index].received.message) else {
            open.values[index].sawOther = true
            return
        }
        var state = open.values[index]
        let whole = Message(state.received)
        switch text {
        case .single(let message): answered(message, whole, envelope, &state)
        case .batch(let messages):
            for message in messages { answered(message, whole, envelope, &state) }
        }
        open.values[index] = state
    }

    private mutating func answered(
        _ message: JSONRPCMessage,
        _ whole: Message,
        _ envelope: RecordEnvelope,
        _ state: inout Open
    ) {
        guard case .answer(let answer) = message,
            let number = state.awaited.removeValue(forKey: answer.id.rawBytes)
        else {
            state.sawOther = true
            return
        }
        let isKept = whole.text.count <= EthereumRecordingIndex.keptBytesMax
        let call = streams[state.place].calls[number]
        streams[state.place].calls[number].answer = EthereumRecordedCall.Answer(
            first: whole.first,
            last: envelope.sequence,
            time: envelope.receivedAt,
            outcome: outcome(of: answer, to: call, state.place),
            text: isKept ? whole.text : [],
            frames: isKept ? whole.frames : [],
            isPrompt: !state.sawOther && isKept
        )
        guard case .unsubscribe(let id) = call.ask, case .result = answer.outcome else { return }
        for other in streams[state.place].calls.indices
        where streams[state.place].calls[other].subscription?.id == id {
            streams[state.place].calls[other].unsubscribed = envelope.sequence
        }
    }

    private mutating func outcome(
        of answer: JSONRPCAnswer,
        to call: EthereumRecordedCall,
        _ place: Int
    ) -> EthereumRecordedCall.Answer.Outcome {
        switch answer.outcome {
        case .error(_, _, let value): return .failure(value.rawBytes)
        case .result(let value):
            if case .subscribe = call.ask, value.kind == .string {
                return .subscription(id: EthereumAsk.content(of: value))
            }
            if case .other("eth_chainId", _) = call.ask, let text = value.stringBytes,
                let number = Self.quantity(text)
            {
                streams[place].chainID = number
            }
            return .result
        }
    }

    private static func quantity(_ text: [UInt8]) -> UInt64? {
        do throws(HexQuantity.Fault) {
            return try HexQuantity.read(text.span)
        } catch {
            return nil
        }
    }

    private func read(_ message: [UInt8]) -> JSONRPCText? {
        do throws(JSONError) {
            return try reader.read(message)
        } catch {
            return nil
        }
    }
}
