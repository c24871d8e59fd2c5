import EthereumDecoding
import Inflation
import JSONText
import Platform
import RecordModel
import SegmentLog

/// Answers calls from the recording as of a record: a `ChainView` and the place up to which it has
/// been fed. It is fed when it is asked, so whoever never asks costs nothing.
///
/// With a shared head all clients share one; at full speed each client has its own.
final class EthereumAnswers: Sendable {
    // safety: everything mutable is inside the monitor.
    private let state: Monitor<State>
    private let index: EthereumRecordingIndex

    private let path: String
    private let disk: any FileSystem

    private struct State {
        var feed: Feed?
        /// A copy of the feed's view at a place, with the newest block completed from what was
        /// recorded behind it.
        var completed: (position: Sequence, view: ChainView)?
    }

    /// - Parameters:
    ///   - index: the connections that are served.
    ///   - path: the recording's directory.
    ///   - disk: where it lies.
    init(_ index: EthereumRecordingIndex, path: String, disk: any FileSystem) {
        self.index = index
        self.path = path
        self.disk = disk
        state = Monitor(State())
    }

    /// Answers a call.
    ///
    /// - Parameters:
    ///   - method: the method.
    ///   - params: its parameters; used during the call only.
    ///   - sequence: the last record that the answer may know of.
    /// - Returns: one JSON value; nil when the method is not one that the recording can answer.
    /// - Throws: what to answer instead.
    func answer(
        _ method: String,
        params: JSONValue?,
        asOf sequence: Sequence
    ) throws(JSONRPCError) -> [UInt8]? {
        try state.withLock { state throws(JSONRPCError) in
            do throws(LogError) {
                // The head went back: what came later must not be known.
                if let feed = state.feed, feed.position > sequence { state.feed = nil }
                if state.feed == nil {
                    let reader = try RecordingReader(path: path, disk: disk)
                    state.feed = Feed(index, try RecordCursor(reader))
                }
                try state.feed?.advance(through: sequence)
            } catch {
                state.feed = nil
                throw JSONRPCError(code: -32603, message: "the recording cannot be read: \(error)")
            }
            guard let feed = state.feed else { return nil }
            do throws(JSONRPCError) {
                return try feed.view.answer(method, params: params)
            } catch {
                guard method == "eth_getLogs", feed.view.isNewestOpen else { throw error }
            }
            return try completed(&state, feed).answer(method, params: params)
        }
    }

    /// The chain as of the place of the feed, as a node knows it: with every log of its newest
    /// block, of which the recording may tell some behind that place.
    private func completed(
        _ state: inout State,
        _ feed: Feed
    ) throws(JSONRPCError) -> ChainView {
        if let completed = state.completed, completed.position == feed.position {
            return completed.view
        }
        do throws(LogError) {
            let reader = try RecordingReader(path: path, disk: disk)
            let ahead = Feed(feed, try RecordCursor(reader, from: feed.position.next))
            try ahead.completeNewest(through: index.last)
            state.completed = (feed.position, ahead.view)
            return ahead.view
        } catch {
            throw JSONRPCError(code: -32603, message: "the recording cannot be read: \(error)")
        }
    }

    /// The view and the cursor that feeds it.
    private final class Feed {
        private(set) var view: ChainView
        private(set) var position = Sequence.none
        private let index: EthereumRecordingIndex
        private let cursor: RecordCursor
        private let reader = JSONRPCReader()
        private let inflater = Inflater(.messageDeflate)
        private var sent: [StreamID: EthereumMessageFrames] = [:]
        private var received: [StreamID: EthereumMessageFrames] = [:]
        /// The cursor stands on a record that has not been taken.
        private var isHeld = false

        init(_ index: EthereumRecordingIndex, _ cursor: RecordCursor) {
            self.index = index
            self.cursor = cursor
            view = ChainView(chainID: index.chainID)
        }

        /// A copy that goes on with a cursor behind the other's place.
        init(_ other: Feed, _ cursor: RecordCursor) {
            index = other.index
            self.cursor = cursor
            view = other.view
            position = other.position
            sent = other.sent
            received = other.received
        }

        func advance(through last: Sequence) throws(LogError) {
            while position < last { try step(through: last) }
        }

        /// Reads on until nothing more can come of the newest block, which stays the newest.
        func completeNewest(through last: Sequence) throws(LogError) {
            view.holdHead()
            while view.isNewestOpen, position < last { try step(through: last) }
        }

        /// Takes the next record, or comes to the end of what may be taken.
        private func step(through last: Sequence) throws(LogError) {
            if !isHeld {
                switch try cursor.next() {
                case .record: isHeld = true
                case .hole, .damage: return
                case .end:
                    position = last
                    return
                }
            }
            guard cursor.envelope.sequence <= last else {
                position = last
                return
            }
            isHeld = false
            take(cursor.envelope)
            position = cursor.envelope.sequence
        }

        private func take(_ envelope: RecordEnvelope) {
            switch envelope.kind {
            case .webSocketFrameOut:
                if let text = message(in: &sent, envelope) {
                    view.sent(text, on: envelope.stream.value)
                }
            case .webSocketFrameIn:
                if let text = message(in: &received, envelope) {
                    view.received(text, on: envelope.stream.value)
                }
            case .streamClosed: end(envelope.stream)
            case .runStarted: for stream in index.streams { end(stream.id) }
            case .gapOpened: endStreamsOfGap()
            default: return
            }
        }

        private func message(
            in frames: inout [StreamID: EthereumMessageFrames],
            _ envelope: RecordEnvelope
        ) -> JSONRPCText? {
            guard index.position(of: envelope.stream) != nil else { return nil }
            let payload = cursor.payloadBytes
            let inflater = inflater
            let isWhole = { (frames: inout EthereumMessageFrames) in
                frames.append(envelope.wireByte, payload, at: envelope.sequence) == .message
                    && frames.inflate(by: inflater)
            }
            guard isWhole(&frames[envelope.stream, default: EthereumMessageFrames()]),
                let bytes = frames[envelope.stream]?.message
            else { return nil }
            do throws(JSONError) {
                return try reader.read(bytes)
            } catch {
                return nil
            }
        }

        private func end(_ stream: StreamID) {
            sent[stream] = nil
            received[stream] = nil
            view.streamEnded(stream.value)
        }

        /// Something may be missing from every stream of the source.
        private func endStreamsOfGap() {
            var source: String?
            do throws(EventFieldsError) {
                source = try cursor.withPayload { bytes throws(EventFieldsError) in
                    try EventFields(decoding: bytes).text(.source)
                }
            } catch {
                // A gap that cannot be read may be anyone's.
            }
            for stream in index.streams where source == nil || stream.source == source {
                view.streamEnded(stream.id.value)
            }
        }
    }
}
