import GRPCTransport
import GeyserDecoding
import Inflation
import Platform
import RecordModel
import Replay
import SegmentLog
import Synchronization

/// One Subscribe call: its events come on the server's thread, everything else happens on a
/// thread of its own, so that a slow client holds up nobody.
final class GeyserSubscriber: GRPCServerCallObserver, Sendable {
    private struct Inbox {
        /// Requests that wait, with whether they came compressed.
        var requests: [(bytes: [UInt8], isCompressed: Bool)] = []
        var isOver = false
        var ending: GeyserEnding?
    }

    /// Requests that may wait; a client that sends more without reading is ended.
    private static let requestsMax = 1_024
    /// Records between two looks at the clock while there is no need to wait.
    private static let recordsPerLook = 256

    /// The client's connection.
    let peer: String
    /// The last record that this subscription has passed; 0 before it has begun.
    // safety: written by the subscriber's thread, read by unary calls; a number on its own.
    let position = Atomic<UInt64>(0)

    private let call: GRPCServerCall
    private let server: GeyserServer
    private let encoding: GRPCEncoding
    private let inbox = Monitor(Inbox())
    /// Whether something waits in `inbox`.
    // safety: set behind every change of `inbox` and cleared before it is read, so that a change
    // is never missed; the Monitor orders the contents.
    private let hasNews = Atomic<Bool>(false)

    init(_ call: GRPCServerCall, _ server: GeyserServer, encoding: GRPCEncoding) {
        self.call = call
        self.server = server
        self.encoding = encoding
        peer = call.peer
    }

    // MARK: Events, on the server's thread

    func callReceived(_ call: GRPCServerCall, message: GRPCMessage) {
        tell { inbox in
            guard inbox.requests.count < Self.requestsMax else {
                inbox.ending = GeyserEnding(
                    code: .resourceExhausted,
                    message: "too many requests wait on this stream"
                )
                return
            }
            inbox.requests.append((Array(message.bytes), message.isCompressed))
        }
    }

    func callClosed(_ call: GRPCServerCall, isCancelled: Bool) {
        tell { $0.isOver = true }
    }

    /// Ends the subscription from outside.
    func end(_ ending: GeyserEnding) {
        // Also frees a thread that is blocked in a send.
        ending.finish(call)
        tell { $0.isOver = true }
    }

    private func tell(_ change: (inout Inbox) -> Void) {
        inbox.update { change(&$0) }
        hasNews.store(true, ordering: .releasing)
        server.stage.wakeAll()
    }

    // MARK: The subscriber's thread

    /// The whole life of the subscription.
    func run() {
        do {
            try serve()
        } catch let ending as GeyserEnding {
            ending.finish(call)
        } catch {
            server.report("a subscription from \(peer) ended: \(error)")
            GeyserEnding(code: .internal, message: "\(error)").finish(call)
        }
    }

    private func serve() throws {
        let outbox = GeyserOutbox(call)
        var nextPing = UInt64.max
        guard let request = try firstRequest(outbox, &nextPing) else { return }
        let streams = nextPing == .max ? server.streams(answering: request) : []
        let cursor = try server.cursor()
        var play: any GeyserPlay
        do {
            if streams.isEmpty {
                if nextPing == .max { nextPing = try ping(outbox) }
                play = try begin(request, cursor, outbox)
            } else {
                play = GeyserVerbatimPlay(
                    streams,
                    encoding: encoding,
                    inflatedBytesMax: server.options.inflatedBytesMax
                )
                try play.move(to: cursor.position.next)
            }
            while try step(&play, cursor, outbox, &nextPing) {}
        } catch let ending as GeyserEnding {
            guard outbox.flush() else { return }
            throw ending
        }
    }

    /// Plays until there is a reason to look at the clock or at the client.
    ///
    /// - Returns: false when the client has gone.
    private func step(
        _ play: inout any GeyserPlay,
        _ cursor: ReplayListener,
        _ outbox: GeyserOutbox,
        _ nextPing: inout UInt64
    ) throws -> Bool {
        if hasNews.load(ordering: .acquiring) {
            guard try takeNews(&play, cursor, outbox, &nextPing) else { return false }
        }
        if nextPing < .max, server.clock.monotonicNanoseconds() >= nextPing {
            nextPing = try ping(outbox)
        }
        for _ in 0..<Self.recordsPerLook {
            switch try cursor.next() {
            case .record:
                guard try play.take(cursor, outbox) else { return false }
            case .caughtUp:
                position.store(cursor.position.value, ordering: .relaxed)
                guard outbox.flush() else { return false }
                cursor.wait(deadline: nextPing) { hasNews.load(ordering: .acquiring) }
                return true
            case .moved(let sequence): try play.move(to: sequence)
            case .ended: throw server.endOfRange
            case .stopped: throw GeyserEnding.shuttingDown
            }
        }
        position.store(cursor.position.value, ordering: .relaxed)
        return true
    }

    // MARK: What the client says

    /// Waits for the first subscription; nil when the client has gone before.
    private func firstRequest(
        _ outbox: GeyserOutbox,
        _ nextPing: inout UInt64
    ) throws -> SubscribeRequest? {
        while true {
            guard let messages = try nextMessages(deadline: nextPing) else { return nil }
            for (index, message) in messages.enumerated() {
                let request = try decode(message)
                guard let ping = request.ping, server.streams(answering: request).isEmpty else {
                    let rest = messages.dropFirst(index + 1)
                    if !rest.isEmpty {
                        inbox.update { $0.requests.insert(contentsOf: rest, at: 0) }
                        hasNews.store(true, ordering: .releasing)
                    }
                    return request
                }
                if nextPing == .max { nextPing = try self.ping(outbox) }
                guard outbox.send(GeyserReplies.pong(ping.id)), outbox.flush() else { return nil }
            }
            if nextPing < .max, server.clock.monotonicNanoseconds() >= nextPing {
                nextPing = try ping(outbox)
                guard outbox.flush() else { return nil }
            }
        }
    }

    private typealias Message = (bytes: [UInt8], isCompressed: Bool)

    /// What the client has sent; nil when it has gone; empty when the deadline has passed.
    private func nextMessages(deadline: UInt64) throws(GeyserEnding) -> [Message]? {
        let look = { (inbox: inout Inbox) -> Void? in
            inbox.isOver || inbox.ending != nil || !inbox.requests.isEmpty ? () : nil
        }
        if deadline == .max {
            inbox.wait(until: look)
        } else {
            _ = inbox.wait(deadline: deadline, until: look)
        }
        return try takeMessages()
    }

    private func takeMessages() throws(GeyserEnding) -> [Message]? {
        hasNews.store(false, ordering: .relaxed)
        return try inbox.withLock { inbox throws(GeyserEnding) in
            if let ending = inbox.ending { throw ending }
            if inbox.isOver { return nil }
            defer { inbox.requests = [] }
            return inbox.requests
        }
    }

    /// Answers pings, and takes the newest subscription over.
    private func takeNews(
        _ play: inout any GeyserPlay,
        _ cursor: ReplayListener,
        _ outbox: GeyserOutbox,
        _ nextPing: inout UInt64
    ) throws -> Bool {
        guard let messages = try takeMessages() else { return false }
        var newest: SubscribeRequest?
        for message in messages {
            let request = try decode(message)
            guard let ping = request.ping else {
                newest = request
                continue
            }
            // A recorded stream has its own pongs.
            guard play.addsOwn else { continue }
            guard outbox.send(GeyserReplies.pong(ping.id)) else { return false }
        }
        guard let newest else { return true }
        if nextPing == .max { nextPing = try self.ping(outbox) }
        play = try begin(newest, cursor, outbox)
        return true
    }

    private func decode(_ message: Message) throws(GeyserEnding) -> SubscribeRequest {
        do {
            guard message.isCompressed else { return try SubscribeRequest(decoding: message.bytes) }
            let bytes = try Inflater(.gzip).inflate(
                message.bytes.span,
                limit: SubscribeRequest.byteCountMax
            )
            return try SubscribeRequest(decoding: bytes)
        } catch {
            throw GeyserEnding(code: .internal, message: "failed to decode the request: \(error)")
        }
    }

    // MARK: What we add

    /// Sends a ping of our own.
    ///
    /// - Returns: when the next one is due.
    private func ping(_ outbox: GeyserOutbox) throws(GeyserEnding) -> UInt64 {
        // A client that has gone is noticed by the next send.
        _ = outbox.send(GeyserReplies.ping(at: server.clock.wallNanoseconds()))
        return server.clock.monotonicNanoseconds() &+ server.options.pingNanoseconds
    }

    /// Takes a subscription on, with the history that it asks for.
    private func begin(
        _ request: SubscribeRequest,
        _ cursor: ReplayListener,
        _ outbox: GeyserOutbox
    ) throws -> GeyserMergedPlay {
        let play = try GeyserMergedPlay(
            request,
            server.periods,
            inflatedBytesMax: server.options.inflatedBytesMax
        )
        guard let slot = request.fromSlot else { return play }
        guard outbox.flush() else { throw GeyserEnding.ok }
        try server.waitForStart(cursor) { hasNews.load(ordering: .acquiring) }
        let head = server.past(cursor)
        let history = try GeyserHistory(
            from: slot,
            server.index.slots,
            at: head,
            last: server.index.last
        )
        let records = try server.records()
        // The end of a client that has gone reaches nobody.
        guard try history.send(play, by: records, outbox) else { throw GeyserEnding.ok }
        play.joined(history.slots, through: head)
        if history.join != cursor.position.next { try cursor.rewind(to: history.join) }
        return play
    }
}
