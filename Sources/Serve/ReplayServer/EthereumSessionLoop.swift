import Platform
import RecordModel
import Replay
import SegmentLog
import WebSocketProtocol
import WebSocketTransport

/// What the thread of a session does from beginning to end. It belongs to that thread.
final class EthereumSessionLoop {
    /// How far the records of one turn went.
    private enum Turn {
        /// There is more to do at once.
        case more
        /// Nothing more is due.
        case atHead
        /// The client is given time for a call of the recorder's, at this record.
        case awaitingCall(Sequence)
        /// The conversation is over.
        case ended
        /// The play was stopped: what the client has is not all.
        case stopped
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
    /// Nil before the first subscription.
    private var listener: ReplayListener?
    /// The listener stands on a record that has not been taken.
    private var isHeld = false
    private var grace: (sequence: Sequence, deadline: UInt64)?
    /// When the first subscription and the last message came, while the client is given time to
    /// subscribe to more; nil before the first, and once records are taken.
    private var settling: (since: UInt64, heardAt: UInt64)?
    /// The last message of a client that was given that time in vain; nil once it is sent records.
    private var silentSince: UInt64?
    private var wroteAt: UInt64
    private var pingedAt: UInt64?

    init(_ session: EthereumSession, _ connection: WebSocketConnection, isCompressed: Bool) {
        self.session = session
        self.connection = connection
        needs = session.needs
        wroteAt = needs.clock.monotonicNanoseconds()
        let ownAnswers = EthereumAnswers(needs.index, path: needs.path, disk: needs.disk)
        let isShared = needs.stage.status.rate != .unlimited
        conversation = EthereumConversation(
            needs.index,
            options: needs.options,
            answers: isShared ? needs.answers : ownAnswers,
            random: needs.random,
            isCompressed: isCompressed
        )
    }

    /// The whole life of the client.
    func run() {
        while true {
            let news = session.news(connection)
            if news.isOver { return }
            for message in news.messages {
                guard take(message) else { return }
            }
            if conversation.ending != nil { return finish() }
            guard let listener else {
                session.waitForNews(deadline: ping(news))
                continue
            }
            if let deadline = settlingDeadline() {
                session.waitForNews(deadline: deadline)
                continue
            }
            let turn = turn(listener)
            if !conversation.output.bytes.isEmpty { silentSince = nil }
            guard flush() else { return }
            switch turn {
            case .more: continue
            case .atHead:
                let deadline = ping(news)
                listener.wait(deadline: deadline) { session.hasNews }
            case .awaitingCall(let sequence): waitForCall(at: sequence)
            case .ended: return finish()
            case .stopped: return connection.close(code: CloseCode.goingAway)
            case .failed: return connection.close(code: CloseCode.internalError)
            }
        }
    }

    /// Takes a message of the client.
    ///
    /// - Returns: false when the connection is over.
    private func take(_ message: [UInt8]) -> Bool {
        let status = needs.stage.status
        let isShared = status.rate != .unlimited
        if listener == nil { conversation.begin(at: start(status)) }
        // With a head of its own a client that follows nothing may know everything.
        conversation.knowledge =
            isShared ? status.position : listener == nil ? needs.index.last : nil
        conversation.said(message)
        grace = nil
        let now = needs.clock.monotonicNanoseconds()
        settling?.heardAt = now
        if listener == nil, conversation.isSubscribed {
            if !isShared { settling = (now, now) }
            guard begin() else { return false }
        }
        return flush()
    }

    /// Until when a client with a head of its own is given time for further subscriptions: all of
    /// them are to begin where the first one does.
    ///
    /// - Returns: nil when its play goes on now.
    private func settlingDeadline() -> UInt64? {
        guard let settling else { return nil }
        let now = needs.clock.monotonicNanoseconds()
        let deadline = min(
            settling.heardAt &+ needs.options.settlingMilliseconds &* 1_000_000,
            settling.since &+ needs.options.settlingMillisecondsMax &* 1_000_000
        )
        if now < deadline, !conversation.hasAskedForAll { return deadline }
        self.settling = nil
        if now >= deadline { silentSince = settling.heardAt }
        return nil
    }

    // MARK: Reading

    /// Where a client stands that subscribes now.
    private func start(_ status: ReplayStage.Status) -> EthereumPlace {
        let beginsAgain = status.isAtEnd && needs.stage.options.loops
        let isAtStart = status.rate == .unlimited || beginsAgain
        return place(isAtStart ? needs.index.first.previous : status.position)
    }

    /// A place with the time of the record that follows, if there is one.
    private func place(_ sequence: Sequence) -> EthereumPlace {
        var place = EthereumPlace(sequence: sequence)
        if place.sequence == conversation.place.sequence { return conversation.place }
        do throws(LogError) {
            let reader = try RecordingReader(path: needs.path, disk: needs.disk)
            let cursor = try RecordCursor(reader, from: sequence.next)
            while true {
                switch try cursor.next() {
                case .hole, .damage: continue
                case .end: return place
                case .record:
                    place.time = cursor.envelope.receivedAt
                    return place
                }
            }
        } catch {
            // Without the time a subscription is rather refused; reading on meets the same error.
            return place
        }
    }

    /// Follows the stage from the client's place on.
    ///
    /// - Returns: false when the recording cannot be read.
    private func begin() -> Bool {
        do throws(LogError) {
            let listener = try ReplayListener(needs.stage, path: needs.path, disk: needs.disk)
            // The head may have moved on since the client was told what it gets.
            try listener.rewind(to: conversation.place.sequence.next)
            self.listener = listener
            return true
        } catch {
            connection.close(code: CloseCode.internalError)
            return false
        }
    }

    /// Takes records up to the head, or as many as make a chunk.
    private func turn(_ listener: ReplayListener) -> Turn {
        for _ in 0..<Self.turnRecords {
            if !isHeld {
                do throws(LogError) {
                    switch try listener.next() {
                    case .record: isHeld = true
                    case .caughtUp: return .atHead
                    case .moved(let sequence):
                        grace = nil
                        conversation.moved(to: place(sequence.previous))
                        if conversation.ending != nil { return .ended }
                        continue
                    case .ended:
                        conversation.recordingEnded()
                        return .ended
                    case .stopped: return .stopped
                    }
                } catch {
                    return .failed
                }
            }
            let envelope = listener.records.envelope
            let step = listener.records.withPayload { conversation.take(envelope, $0) }
            if step == .awaitingCall { return .awaitingCall(envelope.sequence) }
            isHeld = false
            if conversation.ending != nil { return .ended }
            if conversation.output.bytes.count >= Self.chunkBytes { return .more }
        }
        return .more
    }

    /// Gives the client time for a call, counted from its last one when it is sent nothing yet;
    /// when it is over, goes on without.
    private func waitForCall(at sequence: Sequence) {
        let now = needs.clock.monotonicNanoseconds()
        let deadline: UInt64
        if let grace, grace.sequence == sequence {
            deadline = grace.deadline
        } else {
            deadline = (silentSince ?? now) &+ needs.options.callGraceMilliseconds &* 1_000_000
            grace = (sequence, deadline)
        }
        if now >= deadline {
            conversation.stopWaiting(at: sequence)
            grace = nil
            return
        }
        session.waitForNews(deadline: deadline)
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
