package import GRPCTransport
import GeyserDecoding
package import Platform
import RecordModel
package import Replay
import SegmentLog
import Synchronization

/// Serves the recorded Subscribe streams of a recording on one port, as the server they came
/// from would: Sources/Serve/README.md says what clients see.
package final class GeyserServer: GRPCAcceptor, Sendable {
    private struct State {
        var subscribers: [ObjectIdentifier: GeyserSubscriber] = [:]
        var threads: [ObjectIdentifier: Thread] = [:]
        /// Threads at their end, to be joined by another one.
        var finished: [Thread] = []
        var isStopping = false
    }

    let stage: ReplayStage
    let index: GeyserRecordingIndex
    let options: GeyserServeOptions
    let clock: any Clock
    /// What was recorded of the sources that are served here.
    let periods: [GeyserPeriod]
    private let streams: [GeyserRecordedStream]
    private let path: String
    private let disk: any FileSystem
    private let encodings: Set<GRPCEncoding>
    private let say: @Sendable (String) -> Void
    private let state = Monitor(State())
    private let transport = Monitor<GRPCServer?>(nil)

    private static let subscribe = "/geyser.Geyser/Subscribe"

    /// A server that takes no calls yet.
    ///
    /// - Parameters:
    ///   - path: the recording's directory.
    ///   - disk: where it lies.
    ///   - index: what it holds.
    ///   - stage: what all listeners follow.
    ///   - clock: for our own pings.
    ///   - options: what to serve.
    ///   - say: takes lines for people.
    /// - Throws: `nothingRecorded`.
    package init(
        path: String,
        disk: any FileSystem,
        index: GeyserRecordingIndex,
        stage: ReplayStage,
        clock: any Clock,
        options: GeyserServeOptions,
        say: @escaping @Sendable (String) -> Void
    ) throws(GeyserServeError) {
        (streams, periods) = index.selected(options.sources)
        guard !streams.isEmpty else { throw .nothingRecorded }
        if let stream = options.stream {
            guard streams.contains(where: { $0.id == stream }) else { throw .nothingRecorded }
        }
        var encodings: Set<GRPCEncoding> = []
        if streams.contains(where: { $0.compression == .gzip }) { encodings.insert(.gzip) }
        if streams.contains(where: { $0.compression == .other }) { encodings.insert(.deflate) }
        self.encodings = encodings
        self.path = path
        self.disk = disk
        self.index = index
        self.stage = stage
        self.clock = clock
        self.options = options
        self.say = say
    }

    /// Takes calls from now on.
    ///
    /// - Returns: the port listened on.
    /// - Throws: `transport`.
    package func listen() throws(GeyserServeError) -> Int {
        var transportOptions = GRPCServerOptions(address: options.address)
        transportOptions.streamsMax = 4 * options.subscriptionsMax
        transportOptions.callsMax = 8 * options.subscriptionsMax
        do throws(GRPCError) {
            let server = try GRPCServer(transportOptions, acceptor: self)
            transport.withLock { $0 = server }
            return server.port
        } catch { throw .transport(error) }
    }

    /// Ends every subscription with UNAVAILABLE, and frees the port. Blocks.
    package func close() {
        let (subscribers, threads) = state.withLock { state in
            state.isStopping = true
            return (Array(state.subscribers.values), Array(state.threads.values))
        }
        joinFinished()
        for subscriber in subscribers { subscriber.end(.shuttingDown) }
        let server = transport.withLock { server in
            defer { server = nil }
            return server
        }
        server?.close(graceMilliseconds: 1_000)
        for thread in threads { thread.join() }
    }

    /// Subscriptions under way.
    package var subscriptionCount: Int { state.withLock { $0.subscribers.count } }

    // MARK: Calls

    package func serverCalled(_ call: GRPCServerCall) -> (any GRPCServerCallObserver)? {
        if let token = options.token,
            call.metadata.last(where: { $0.key == "x-token" })?.value != Array(token.utf8)
        {
            GeyserEnding.unauthenticated.finish(call)
            return nil
        }
        if GeyserUnary.methods.contains(call.method) { return GeyserUnary(call.method, self) }
        guard call.method == Self.subscribe else {
            GeyserEnding(code: .unimplemented).finish(call)
            return nil
        }
        return startSubscriber(call)
    }

    private func joinFinished() {
        let finished = state.withLock { state in
            defer { state.finished = [] }
            return state.finished
        }
        for thread in finished { thread.join() }
    }

    private func startSubscriber(_ call: GRPCServerCall) -> (any GRPCServerCallObserver)? {
        joinFinished()
        let encoding = GRPCEncoding.allCases.last {
            encodings.contains($0) && call.acceptedEncodings.contains($0)
        }
        let subscriber = GeyserSubscriber(call, self, encoding: encoding ?? .identity)
        let id = ObjectIdentifier(subscriber)
        let isTaken = state.withLock { state in
            guard !state.isStopping, state.subscribers.count < options.subscriptionsMax else {
                return false
            }
            state.subscribers[id] = subscriber
            return true
        }
        guard isTaken else {
            GeyserEnding.tooMany.finish(call)
            return nil
        }
        do {
            // At once: clients wait for it before they send their first request.
            try call.accept(encoding: encoding ?? .identity)
            let thread = try Thread(name: "geyser-client") { [self] in
                subscriber.run()
                state.withLock { state in
                    state.subscribers[id] = nil
                    if !state.isStopping, let thread = state.threads.removeValue(forKey: id) {
                        state.finished.append(thread)
                    }
                }
            }
            state.withLock { state in
                if state.subscribers[id] != nil || state.isStopping {
                    state.threads[id] = thread
                } else {
                    state.finished.append(thread)
                }
            }
            return subscriber
        } catch {
            state.withLock { $0.subscribers[id] = nil }
            GeyserEnding(code: .resourceExhausted, message: "\(error)").finish(call)
            return nil
        }
    }

    // MARK: For subscribers

    /// The recorded streams that answer a request verbatim: those of the first source that asked
    /// for the same.
    func streams(answering request: SubscribeRequest) -> [GeyserRecordedStream] {
        if let id = options.stream { return streams.filter { $0.id == id } }
        guard let source = streams.first(where: { $0.request == request })?.source else {
            return []
        }
        return streams.filter { $0.source == source && $0.request == request }
    }

    /// A way of its own behind the head; counts as a subscription.
    func cursor() throws(LogError) -> ReplayListener {
        try ReplayListener(stage, path: path, disk: disk)
    }

    /// A way through the recording without regard to the head.
    func records() throws(LogError) -> RecordCursor {
        try RecordCursor(RecordingReader(path: path, disk: disk), from: index.first)
    }

    /// Waits until the play has begun.
    ///
    /// - Throws: the end of the server. Returns also when interrupted.
    func waitForStart(_ cursor: ReplayListener, isInterrupted: () -> Bool) throws {
        while !stage.status.isStarted {
            if isInterrupted() { return }
            cursor.wait(isInterrupted: isInterrupted)
        }
    }

    /// The last record that counts as past for a subscription: the head, or everything when each
    /// has its own.
    func past(_ cursor: ReplayListener) -> RecordModel.Sequence {
        stage.status.rate == .unlimited ? index.last : cursor.position
    }

    /// The head that the unary calls of a connection are answered as of. Without a shared one it
    /// is that of the connection's furthest subscription, or the end when it has none.
    func head(for peer: String) -> RecordModel.Sequence {
        let status = stage.status
        guard status.rate == .unlimited else { return status.position }
        let positions = state.withLock { state in
            state.subscribers.values.filter { $0.peer == peer }.map {
                $0.position.load(ordering: .relaxed)
            }
        }
        return positions.filter { $0 > 0 }.max().map { RecordModel.Sequence($0) } ?? index.last
    }

    /// What a subscription ends with at the end of the range.
    var endOfRange: GeyserEnding {
        index.damage == nil ? .ok : .damaged(behind: index.last.value)
    }

    /// Tells a person.
    func report(_ text: String) { say(text) }
}
