import Platform
import RecordModel
import SegmentLog
import WebSocketProtocol
import WebSocketTransport

/// What the thread of a session does from beginning to end. It belongs to that thread.
final class EthereumSessionLoop {
    /// How far the records of one turn went.
    private enum Turn {
        /// There is more to do at once.
        case more
        /// The next record is beyond the head.
        case atHead
        /// The client is given time for a call of the recorder's, at this record.
        case awaitingCall(Sequence)
        /// The conversation is over.
        case ended
        /// The recording cannot be read.
        case failed
    }

    /// Bytes gathered before they are sent, and records taken before the inbox is looked at.
    private static let chunkBytes = 32 << 10
    private static let turnRecords = 512

    private let session: EthereumSession
    private let connection: WebSocketConnection
    private let needs: EthereumSession.Surroundings
    private var conversation: EthereumConversation
    private var head: EthereumHead
    private var cursor: RecordCursor?
    /// The cursor stands on a record that has not been taken.
    private var isHeld = false
    private var hasBegun = false
    private var grace: (sequence: Sequence, deadline: UInt64)?
    private var wroteAt: UInt64
    private var pingedAt: UInt64?

    init(_ session: EthereumSession, _ connection: WebSocketConnection, isCompressed: Bool) {
        self.session = session
        self.connection = connection
        needs = session.needs
        head = session.head
        wroteAt = needs.clock.monotonicNanoseconds()
        let makeCursor = needs.makeCursor
        conversation = EthereumConversation(
            needs.index,
            options: needs.options,
            answers: needs.answers
                ?? EthereumAnswers(needs.index) { () throws(LogError) in try makeCursor(.none) },
            random: needs.random,
            isCompressed: isCompressed
        )
    }

    /// The whole life of the client.
    func run() {
        while true {
            let news = session.news(connection)
            if news.isOver { return }
            follow(news.head)
            for message in news.messages {
                begin()
                conversation.said(message)
                grace = nil
                guard flush() else { return }
            }
            if conversation.ending != nil { return finish() }
            if !hasBegun, conversation.isSubscribed {
                hasBegun = true
                needs.subscribed()
            }
            guard hasBegun else {
                session.waitForNews(beyond: head, deadline: ping(news))
                continue
            }
            let turn = turn()
            guard flush() else { return }
            switch turn {
            case .more: continue
            case .atHead: session.waitForNews(beyond: head, deadline: ping(news))
            case .awaitingCall(let sequence): waitForCall(at: sequence)
            case .ended: return finish()
            case .failed: return connection.close(code: CloseCode.internalError)
            }
        }
    }

    // MARK: Reading

    /// Takes over where the head is now.
    private func follow(_ newHead: EthereumHead) {
        let hasMoved = newHead.moves != head.moves
        head = newHead
        guard hasMoved, hasBegun else { return }
        grace = nil
        conversation.moved(to: place(at: head.start.previous))
    }

    /// Before the first subscription the client is where the head is.
    private func begin() {
        if hasBegun { return }
        let start = needs.answers == nil ? needs.index.first.previous : head.through
        if cursor != nil, conversation.place.sequence == start { return }
        conversation.begin(at: place(at: start))
    }

    /// Sets the cursor behind a record.
    ///
    /// - Returns: that place with the time of the record that follows.
    private func place(at sequence: Sequence) -> EthereumPlace {
        var place = EthereumPlace(sequence: sequence)
        isHeld = false
        do throws(LogError) {
            let next = max(sequence.next, needs.index.first)
            if let cursor { try cursor.seek(to: next) } else { cursor = try needs.makeCursor(next) }
            if try fetch() { place.time = cursor?.envelope.receivedAt ?? place.time }  // just read
        } catch {
            // The next turn meets the same error and ends the connection.
            cursor = nil
        }
        return place
    }

    /// Sees to it that the cursor stands on a record.
    ///
    /// - Returns: false at the end of the recording.
    private func fetch() throws(LogError) -> Bool {
        guard let cursor else { return false }
        while !isHeld {
            switch try cursor.next() {
            case .record: isHeld = true
            // The server has refused a damaged recording, or was told to pass over damage.
            case .hole, .damage: continue
            case .end: return false
            }
        }
        return true
    }

    /// Takes records up to the head, or as many as make a chunk.
    private func turn() -> Turn {
        guard let cursor else { return .failed }
        for _ in 0..<Self.turnRecords {
            do throws(LogError) {
                guard try fetch(), cursor.envelope.sequence <= needs.index.last else {
                    conversation.recordingEnded()
                    return .ended
                }
            } catch {
                return .failed
            }
            let envelope = cursor.envelope
            if envelope.sequence > head.through { return .atHead }
            let step = cursor.withPayload { conversation.take(envelope, $0) }
            if step == .awaitingCall { return .awaitingCall(envelope.sequence) }
            isHeld = false
            if conversation.ending != nil { return .ended }
            if conversation.output.bytes.count >= Self.chunkBytes { return .more }
        }
        return .more
    }

    /// Gives the client time for a call; when it is over, goes on without.
    private func waitForCall(at sequence: Sequence) {
        let now = needs.clock.monotonicNanoseconds()
        let deadline: UInt64
        if let grace, grace.sequence == sequence {
            deadline = grace.deadline
        } else {
            deadline = now &+ needs.options.callGraceMilliseconds &* 1_000_000
            grace = (sequence, deadline)
        }
        if now >= deadline {
            conversation.stopWaiting(at: sequence)
            grace = nil
            return
        }
        session.waitForNews(beyond: head, deadline: deadline)
    }

    // MARK: Writing

    /// Sends what the conversation has put out, at the client's pace.
    ///
    /// - Returns: false when the connection is over.
    private func flush() -> Bool {
        if conversation.output.bytes.isEmpty { return true }
        defer { conversation.output.bytes.removeAll(keepingCapacity: true) }
        while true {
            do throws(SendError) {
                try connection.send(encodedFrames: conversation.output.bytes.span)
                wroteAt = needs.clock.monotonicNanoseconds()
                pingedAt = nil
                return true
            } catch .queueFull {
                guard waitForSpace() else { return false }
            } catch {
                return false
            }
        }
    }

    private func waitForSpace() -> Bool {
        guard connection.waitForSpace() else { return false }
        // A chunk of more than half the queue goes only into an empty one.
        if conversation.output.bytes.count > needs.options.queuedBytesMax / 2,
            connection.queuedByteCount > 0
        {
            Thread.sleep(nanoseconds: 1_000_000)
        }
        return true
    }

    /// Pings an unbound client to which nothing was written for long, and gives up one that is
    /// silent after that.
    ///
    /// - Returns: when to look again.
    private func ping(_ news: EthereumSession.News) -> UInt64 {
        if conversation.isBound { return .max }
        let now = needs.clock.monotonicNanoseconds()
        if let pingedAt {
            let deadline = pingedAt &+ needs.options.pongMilliseconds &* 1_000_000
            if news.heardAt > pingedAt {
                self.pingedAt = nil
                wroteAt = now
            } else if now >= deadline {
                connection.abort()
                return .max
            } else {
                return deadline
            }
        }
        let due = wroteAt &+ needs.options.pingMilliseconds &* 1_000_000
        if now < due { return due }
        let frame: [UInt8] = [0x80 | Opcode.ping, 0]
        conversation.output.bytes.append(contentsOf: frame)
        if flush() { pingedAt = now }
        return now &+ needs.options.pongMilliseconds &* 1_000_000
    }

    /// Ends the connection behind what was sent.
    private func finish() {
        switch conversation.ending {
        case .close(let code): connection.close(code: code)
        case .closeFrame(let payload): sendClose(payload)
        case .abrupt(let partial): connection.endStream(partial: partial.span)
        case nil: preconditionFailure("a conversation that is over without an end")
        }
    }

    private func sendClose(_ payload: [UInt8]) {
        while true {
            do throws(SendError) {
                return try connection.send(firstByte: 0x80 | Opcode.close, payload: payload.span)
            } catch .queueFull {
                guard connection.waitForSpace() else { return }
            } catch {
                return
            }
        }
    }
}
