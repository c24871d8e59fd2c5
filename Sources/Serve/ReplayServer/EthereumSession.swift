// One client: a thread that reads the recording with a cursor of its own, as far as the head lets
// it, and writes as fast as the client reads. The loop's events only fill its inbox.

import EthereumDecoding
import Inflation
import Platform
import RecordModel
import Replay
import SegmentLog
import WebSocketProtocol
import WebSocketTransport

/// The thread of one client.
final class EthereumSession: WebSocketEvents, Sendable {
    /// What a session needs of its server.
    struct Surroundings: Sendable {
        let index: EthereumRecordingIndex
        let options: EthereumServeOptions
        let stage: ReplayStage
        let path: String
        let disk: any FileSystem
        let clock: any Clock
        let random: any RandomSource
        /// Shared by all clients that share a head.
        let answers: EthereumAnswers
    }

    /// What the loop and the server leave for the thread.
    private struct Inbox {
        var messages: [[UInt8]] = []
        var byteCount = 0
        var isPaused = false
        var isOver = false
        /// Monotonic nanoseconds of the last frame from the client.
        var heardAt: UInt64 = 0
        var thread: Thread?
        var hasThreadEnded = false
    }

    /// Messages and bytes that wait before the socket is not read any more.
    private static let messagesMax = 256
    private static let bytesMax = 1 << 20

    private let surroundings: Surroundings
    private let door: EthereumDoor
    // safety: a Monitor; filled by the loop's thread, emptied by the session's.
    private let inbox: Monitor<Inbox>
    /// Loop only.
    private let incoming: Monitor<Incoming>

    private struct Incoming {
        var assembler: MessageAssembler
        var inflater: Inflater?
    }

    init(_ surroundings: Surroundings, door: EthereumDoor) {
        self.surroundings = surroundings
        self.door = door
        inbox = Monitor(Inbox())
        incoming = Monitor(
            Incoming(
                assembler: MessageAssembler(messageLimit: surroundings.options.messageBytesMax)
            )
        )
    }

    /// Whether the thread has returned.
    var hasEnded: Bool { inbox.withLock(\.hasThreadEnded) }

    /// Waits for the thread, after the connection has ended.
    func join() { inbox.withLock(\.thread)?.join() }

    // MARK: On the loop

    func opened(_ connection: WebSocketConnection, _ opening: Opening) {
        let isCompressed = opening.agreement.isCompressed
        if isCompressed { incoming.withLock { $0.inflater = Inflater(.messageDeflate) } }
        door.enter(self)
        do throws(SystemError) {
            let thread = try Thread(name: "ethereum-client") { [self] in
                EthereumSessionLoop(self, connection, isCompressed: isCompressed).run()
                inbox.update { $0.hasThreadEnded = true }
            }
            inbox.withLock { $0.thread = thread }
        } catch {
            inbox.update { $0.hasThreadEnded = true }
            connection.close(code: CloseCode.tryAgainLater)
        }
    }

    /// Does nothing: a frame is looked at once it is known to keep the rules.
    func frameReceived(
        _ connection: WebSocketConnection,
        _ header: FrameHeader,
        _ payload: Span<UInt8>
    ) {}

    func frameAccepted(
        _ connection: WebSocketConnection,
        _ header: FrameHeader,
        _ payload: Span<UInt8>
    ) {
        let message: [UInt8]?
        do throws(Violation) {
            message = try self.message(header, payload)
        } catch {
            connection.close(code: error.closeCode, reason: error.description)
            return
        }
        let now = surroundings.clock.monotonicNanoseconds()
        let mustPause = inbox.update { inbox in
            inbox.heardAt = now
            guard let message else { return false }
            inbox.messages.append(message)
            inbox.byteCount += message.count
            let isFull =
                inbox.messages.count >= Self.messagesMax || inbox.byteCount >= Self.bytesMax
            defer { inbox.isPaused = inbox.isPaused || isFull }
            return isFull && !inbox.isPaused
        }
        if mustPause { connection.pause() }
        if message != nil { surroundings.stage.wakeAll() }
    }

    /// The message that a frame completes, inflated; nil when it completes none.
    private func message(
        _ header: FrameHeader,
        _ payload: Span<UInt8>
    ) throws(Violation) -> [UInt8]? {
        try incoming.withLock { state throws(Violation) in
            let (inflater, limit) = (state.inflater, surroundings.options.messageBytesMax)
            var message: [UInt8]?
            var violation: Violation?
            try state.assembler.append(header, payload) { about, bytes in
                do throws(Violation) {
                    message = try Self.text(about, bytes, inflater, limit)
                } catch { violation = error }
            }
            if let violation { throw violation }
            return message
        }
    }

    private static func text(
        _ about: AssembledMessage,
        _ bytes: Span<UInt8>,
        _ inflater: Inflater?,
        _ limit: Int
    ) throws(Violation) -> [UInt8] {
        guard about.isCompressed, let inflater else { return bytes.withUnsafeBytes { Array($0) } }
        let text: [UInt8]
        do throws(InflationError) {
            text = try inflater.inflate(bytes, limit: limit)
        } catch {
            if case .overLimit = error { throw .messageOverLimit(limit: limit) }
            throw .malformedCompression
        }
        // The transport has judged the compressed bytes only.
        if about.opcode == Opcode.text, !TextValidator.isUTF8(text.span) { throw .malformedText }
        return text
    }

    func ended(_ connection: WebSocketConnection, _ end: ConnectionEnd) {
        inbox.update { $0.isOver = true }
        surroundings.stage.wakeAll()
    }

    // MARK: On the session's thread

    /// What the thread has to look at.
    struct News {
        var messages: [[UInt8]]
        var isOver: Bool
        var heardAt: UInt64
    }

    var needs: Surroundings { surroundings }

    /// Whether the client has said something, or is gone.
    var hasNews: Bool { inbox.withLock { $0.isOver || !$0.messages.isEmpty } }

    /// Takes what has come, and lets the socket be read again.
    func news(_ connection: WebSocketConnection) -> News {
        let (news, mustResume) = inbox.withLock { inbox in
            let news = News(
                messages: inbox.messages,
                isOver: inbox.isOver,
                heardAt: inbox.heardAt
            )
            inbox.messages.removeAll()
            inbox.byteCount = 0
            defer { inbox.isPaused = false }
            return (news, inbox.isPaused)
        }
        if mustResume { connection.resume() }
        return news
    }

    /// Waits until the client says something or is gone, or the deadline has passed.
    func waitForNews(deadline: UInt64) {
        let look: (inout Inbox) -> Bool? = { inbox in
            inbox.isOver || !inbox.messages.isEmpty ? true : nil
        }
        if deadline == .max {
            _ = inbox.wait(until: look)
        } else {
            _ = inbox.wait(deadline: deadline, until: look)
        }
    }
}
