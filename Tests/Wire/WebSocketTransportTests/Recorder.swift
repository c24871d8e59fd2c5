import Platform
import Testing
import WebSocketProtocol
import WebSocketTransport

/// One thing that a connection reported.
enum Event: Equatable {
    case opened(compressed: Bool, subprotocol: String?)
    case rejected(status: Int, body: String)
    case connectFailed(ConnectFailure)
    case received(UInt8, [UInt8])
    case sent(UInt8, [UInt8])
    case drained
    case ended(ConnectionEnd.Cause)

    var isLast: Bool {
        switch self {
        case .rejected, .connectFailed, .ended: true
        default: false
        }
    }
}

/// Collects events; tests wait for what they need. Ten seconds mean "never".
final class Recorder: WebSocketEvents {
    struct State {
        var events: [Event] = []
        var end: ConnectionEnd?
        var connection: WebSocketConnection?
        /// First bytes of the frames that keep the rules.
        var accepted: [UInt8] = []
        var maskKeys: [UInt32?] = []
        var lateEvents = 0
    }

    let state = Monitor(State())
    /// Called on the loop for each frame received, before it is noted.
    private let onFrame: @Sendable (WebSocketConnection, UInt8, [UInt8]) -> Void

    init(
        onFrame: @escaping @Sendable (WebSocketConnection, UInt8, [UInt8]) -> Void = { _, _, _ in }
    ) {
        self.onFrame = onFrame
    }

    private func note(_ event: Event, _ change: (inout State) -> Void = { _ in }) {
        state.update { state in
            if state.events.last?.isLast == true { state.lateEvents += 1 }
            state.events.append(event)
            change(&state)
        }
    }

    func opened(_ connection: WebSocketConnection, _ opening: Opening) {
        let agreement = opening.agreement
        note(.opened(compressed: agreement.isCompressed, subprotocol: agreement.subprotocol)) {
            $0.connection = connection
        }
    }

    func rejected(_ connection: WebSocketConnection, _ rejection: Rejection) {
        let body = String(decoding: rejection.body, as: UTF8.self)
        note(.rejected(status: rejection.response.status, body: body))
    }

    func connectFailed(_ connection: WebSocketConnection, _ failure: ConnectFailure) {
        note(.connectFailed(failure))
    }

    func frameReceived(
        _ connection: WebSocketConnection,
        _ header: FrameHeader,
        _ payload: Span<UInt8>
    ) {
        let bytes = payload.withUnsafeBufferPointer { Array($0) }
        // First the action, so that a test that sees the frame knows that a pause has begun.
        onFrame(connection, header.firstByte, bytes)
        note(.received(header.firstByte, bytes))
    }

    func frameAccepted(
        _ connection: WebSocketConnection,
        _ header: FrameHeader,
        _ payload: Span<UInt8>
    ) {
        state.update { $0.accepted.append(header.firstByte) }
    }

    func frameSent(
        _ connection: WebSocketConnection,
        _ header: FrameHeader,
        _ payload: Span<UInt8>
    ) {
        note(.sent(header.firstByte, payload.withUnsafeBufferPointer { Array($0) })) {
            $0.maskKeys.append(header.maskKey)
        }
    }

    func drained(_ connection: WebSocketConnection) { note(.drained) }

    func ended(_ connection: WebSocketConnection, _ end: ConnectionEnd) {
        note(.ended(end.cause)) { $0.end = end }
    }

    // MARK: Waiting

    func wait<Result>(_ look: (State) -> Result?) -> Result? {
        let deadline = SystemClock().monotonicNanoseconds() + 10_000_000_000
        return state.wait(deadline: deadline) { look($0) }
    }

    /// Waits for the last event.
    func last() -> Event? { wait { state in state.events.last.flatMap { $0.isLast ? $0 : nil } } }

    /// Waits for the WebSocket to open.
    func connection() -> WebSocketConnection? { wait(\.connection) }

    /// Waits for so many frames received, of any kind.
    func frames(_ count: Int) -> [Event] {
        wait { state in
            let frames = state.events.filter { if case .received = $0 { true } else { false } }
            return frames.count >= count ? frames : nil
        } ?? []
    }

    var events: [Event] { state.withLock(\.events) }
    var end: ConnectionEnd? { wait(\.end) }
}

/// Accepts everything, with the recorder that a closure makes; or refuses.
final class Acceptor: WebSocketAcceptor {
    private let make: @Sendable (UpgradeRequest) -> UpgradeDecision
    let recorders = Monitor<[Recorder]>([])

    init(decide: @escaping @Sendable (UpgradeRequest) -> UpgradeDecision) { make = decide }

    /// Accepts and keeps one recorder for each connection.
    convenience init(
        onFrame: @escaping @Sendable (WebSocketConnection, UInt8, [UInt8]) -> Void = { _, _, _ in }
    ) {
        self.init { _ in .accept(Recorder(onFrame: onFrame)) }
    }

    func decide(_ request: UpgradeRequest, peer: String) -> UpgradeDecision {
        let decision = make(request)
        if case .accept(let events, _, _) = decision, let recorder = events as? Recorder {
            recorders.update { $0.append(recorder) }
        }
        return decision
    }

    /// Waits for the recorder of a connection.
    func recorder(_ index: Int = 0) -> Recorder? {
        let deadline = SystemClock().monotonicNanoseconds() + 10_000_000_000
        return recorders.wait(deadline: deadline) { $0.count > index ? $0[index] : nil }
    }
}

/// Runs what blocks until something of ours has ended; when it does not return the test fails, and
/// the thread is left behind.
func ending(_ what: String, _ body: @escaping @Sendable () -> Void) {
    let isDone = Monitor(false)
    do {
        _ = try Thread(name: "ending") {
            body()
            isDone.update { $0 = true }
        }
        let deadline = SystemClock().monotonicNanoseconds() + 30_000_000_000
        let ended: Bool? = isDone.wait(deadline: deadline) { $0 ? true : nil }
        #expect(ended == true, "\(what) does not end")
    } catch { Issue.record(error) }
}

/// A server and a client's loop for one test; both stop at its end.
final class Bench {
    let serverLoop: EventLoop
    let clientLoop: EventLoop
    let server: WebSocketServer
    let acceptor: Acceptor

    init(_ options: ServerOptions = ServerOptions(), _ acceptor: Acceptor = Acceptor()) throws {
        serverLoop = try EventLoop(name: "ws-test-server")
        clientLoop = try EventLoop(name: "ws-test-client")
        self.acceptor = acceptor
        server = try WebSocketServer(options: options, loop: serverLoop, acceptor: acceptor)
    }

    deinit {
        let (clientLoop, server, serverLoop) = (clientLoop, server, serverLoop)
        ending("the bench") {
            clientLoop.stop()
            server.stop()
            serverLoop.stop()
        }
    }

    /// A client of this server.
    func connect(
        _ recorder: Recorder,
        scheme: String = "ws",
        host: String = "127.0.0.1",
        path: String = "/",
        options: ClientOptions = ClientOptions()
    ) throws -> WebSocketConnection {
        WebSocketClient.connect(
            try WebSocketURL("\(scheme)://\(host):\(server.port)\(path)"),
            options: options,
            loop: clientLoop,
            random: SeededRandom(seed: 1),
            events: recorder
        )
    }
}

extension WebSocketConnection {
    func send(_ firstByte: UInt8, _ payload: [UInt8]) throws(SendError) {
        try send(firstByte: firstByte, payload: payload.span)
    }

    func send(_ firstByte: UInt8, _ text: String) throws(SendError) {
        try send(firstByte, Array(text.utf8))
    }

    /// Sends, waiting for space as often as needed.
    func sendWaiting(_ firstByte: UInt8, _ payload: [UInt8]) throws(SendError) {
        while true {
            do throws(SendError) {
                try send(firstByte, payload)
                return
            } catch .queueFull {
                let deadline = SystemClock().monotonicNanoseconds() + 10_000_000_000
                if !waitForSpace(deadline: deadline) { throw .closed }
            } catch {
                throw error
            }
        }
    }
}
