// The two ends that the tests put together: an observer that keeps what it sees, and a server
// whose behaviour is a closure.

import GRPCTransport
import Platform
import Testing

/// How long a test waits for something that must happen before it gives up.
private let patience: UInt64 = 180_000_000_000

/// Waits until `body` gives a value; a test that waits in vain fails here instead of hanging.
func awaited<State, Result>(
    _ monitor: Monitor<State>,
    _ what: String,
    _ body: (inout State) -> Result?
) throws -> Result {
    let deadline = SystemClock().monotonicNanoseconds() + patience
    let result = monitor.wait(deadline: deadline, until: body)
    return try #require(result, "waited for \(what)")
}

/// Runs what blocks until something of ours has ended, such as a close or a join; when it does not
/// return the test fails, and the thread is left behind.
func ending(_ what: String, _ body: @escaping @Sendable () -> Void) {
    let isDone = Monitor(false)
    do {
        _ = try Thread(name: "ending") {
            body()
            isDone.update { $0 = true }
        }
        _ = try awaited(isDone, "\(what) to end") { $0 ? true : nil }
    } catch { Issue.record(error) }
}

/// A message as a test keeps it.
struct KeptMessage: Equatable {
    var bytes: [UInt8]
    var isCompressed = false
    var encoding = GRPCEncoding.identity
}

/// Keeps all events of a client's call, in order.
final class CallRecorder: GRPCCallObserver {
    struct Seen {
        var accepted: [[GRPCMetadataEntry]] = []
        var peer = ""
        var messages: [KeptMessage] = []
        var messageCount = 0
        var statuses: [GRPCStatus] = []
        var eventsAfterEnd = 0
        var messagesBeforeAcceptance = 0
    }
    let seen = Monitor(Seen())
    private let keepsMessages: Bool
    private let onMessage: (@Sendable (GRPCCall, Int) -> Void)?

    /// `onMessage` runs inside the event, with the number of messages so far.
    init(keepsMessages: Bool = true, onMessage: (@Sendable (GRPCCall, Int) -> Void)? = nil) {
        self.keepsMessages = keepsMessages
        self.onMessage = onMessage
    }

    func callAccepted(_ call: GRPCCall, metadata: [GRPCMetadataEntry], peer: String) {
        seen.update { seen in
            seen.accepted.append(metadata)
            seen.peer = peer
            if !seen.statuses.isEmpty { seen.eventsAfterEnd += 1 }
        }
    }

    func callReceived(_ call: GRPCCall, message: GRPCMessage) {
        let kept = KeptMessage(
            bytes: keepsMessages ? [UInt8](message.bytes) : [],
            isCompressed: message.isCompressed,
            encoding: message.encoding
        )
        let count = seen.update { seen in
            if keepsMessages { seen.messages.append(kept) }
            seen.messageCount += 1
            if seen.accepted.isEmpty { seen.messagesBeforeAcceptance += 1 }
            if !seen.statuses.isEmpty { seen.eventsAfterEnd += 1 }
            return seen.messageCount
        }
        onMessage?(call, count)
    }

    func callEnded(_ call: GRPCCall, status: GRPCStatus) {
        seen.update { $0.statuses.append(status) }
    }

    /// Waits for the end and checks what holds for every call.
    func end() throws -> GRPCStatus {
        let status = try awaited(seen, "the end of a call") { $0.statuses.first }
        seen.withLock { seen in
            #expect(seen.statuses.count == 1)
            #expect(seen.eventsAfterEnd == 0)
            #expect(seen.messagesBeforeAcceptance == 0)
        }
        return status
    }

    func messages(_ count: Int) throws -> [KeptMessage] {
        try awaited(seen, "\(count) messages") { $0.messageCount >= count ? $0.messages : nil }
    }
}

/// Keeps all events of a server's call, and reacts to messages by a closure.
final class ServedCall: GRPCServerCallObserver {
    struct Seen {
        var messages: [KeptMessage] = []
        var halfCloses = 0
        var readies = 0
        var closes: [Bool] = []
        var eventsAfterClose = 0
    }
    let seen = Monitor(Seen())
    private let onMessage: (@Sendable (GRPCServerCall, [UInt8]) -> Void)?
    private let onHalfClose: (@Sendable (GRPCServerCall) -> Void)?

    init(
        onMessage: (@Sendable (GRPCServerCall, [UInt8]) -> Void)? = nil,
        onHalfClose: (@Sendable (GRPCServerCall) -> Void)? = nil
    ) {
        self.onMessage = onMessage
        self.onHalfClose = onHalfClose
    }

    func callReceived(_ call: GRPCServerCall, message: GRPCMessage) {
        let bytes = [UInt8](message.bytes)
        let kept = KeptMessage(
            bytes: bytes,
            isCompressed: message.isCompressed,
            encoding: message.encoding
        )
        seen.update { seen in
            seen.messages.append(kept)
            if !seen.closes.isEmpty { seen.eventsAfterClose += 1 }
        }
        onMessage?(call, bytes)
    }

    func callHalfClosed(_ call: GRPCServerCall) {
        seen.update { seen in
            seen.halfCloses += 1
            if !seen.closes.isEmpty { seen.eventsAfterClose += 1 }
        }
        onHalfClose?(call)
    }

    func callReadyToSend(_ call: GRPCServerCall) { seen.update { $0.readies += 1 } }

    func callClosed(_ call: GRPCServerCall, isCancelled: Bool) {
        seen.update { $0.closes.append(isCancelled) }
    }

    /// Waits for the end; says whether it was a cancellation.
    func isCancelledAtEnd() throws -> Bool {
        let isCancelled = try awaited(seen, "the end of a served call") { $0.closes.first }
        seen.withLock { seen in
            #expect(seen.closes.count == 1)
            #expect(seen.eventsAfterClose == 0)
        }
        return isCancelled
    }
}

/// A server on 127.0.0.1 whose calls go to a closure; it keeps the calls.
final class TestServer: GRPCAcceptor {
    private let respond: @Sendable (GRPCServerCall) -> (any GRPCServerCallObserver)?
    let calls = Monitor<[GRPCServerCall]>([])
    private let server = Monitor<GRPCServer?>(nil)

    init(
        _ change: (inout GRPCServerOptions) -> Void = { _ in },
        respond: @escaping @Sendable (GRPCServerCall) -> (any GRPCServerCallObserver)?
    ) throws {
        self.respond = respond
        var options = GRPCServerOptions(address: "127.0.0.1:0")
        change(&options)
        let made = try GRPCServer(options, acceptor: self)
        server.withLock { $0 = made }
    }

    func serverCalled(_ call: GRPCServerCall) -> (any GRPCServerCallObserver)? {
        calls.update { $0.append(call) }
        return respond(call)
    }

    var port: Int { server.withLock { $0?.port ?? 0 } }
    var target: String { "127.0.0.1:\(port)" }
    var callCount: Int { server.withLock { $0?.callCount ?? 0 } }

    func close(graceMilliseconds: Int = 0) {
        let server = server.withLock { $0 }
        ending("a server") { server?.close(graceMilliseconds: graceMilliseconds) }
        calls.withLock { $0 = [] }
    }

    /// The first call served, once there is one.
    func firstCall() throws -> GRPCServerCall { try awaited(calls, "a call") { $0.first } }
}

/// Opens a channel, runs `body`, closes the channel in any case.
func withChannel<Result>(
    _ target: String,
    _ change: (inout GRPCChannelOptions) -> Void = { _ in },
    _ body: (GRPCChannel) throws -> Result
) throws -> Result {
    var options = GRPCChannelOptions(target: target, security: .plaintext)
    change(&options)
    let channel = try GRPCChannel(options)
    defer { ending("a channel") { channel.close() } }
    return try body(channel)
}

/// Runs a body that cannot fail for reasons of the outside world; a failure is a test failure.
func expectNoError(_ body: () throws -> Void) {
    do { try body() } catch { Issue.record(error) }
}

/// Answers each message with itself and ends with OK after the half close.
@Sendable func echo(_ call: GRPCServerCall) -> (any GRPCServerCallObserver)? {
    // Messages wait in `Echo` while one is under way; nothing here blocks the event thread.
    Echo()
}

private final class Echo: GRPCServerCallObserver {
    private struct State {
        var waiting: [KeptMessage] = []
        var isHalfClosed = false
    }
    private let state = Monitor(State())

    func callReceived(_ call: GRPCServerCall, message: GRPCMessage) {
        let kept = KeptMessage(bytes: [UInt8](message.bytes), isCompressed: message.isCompressed)
        state.withLock { $0.waiting.append(kept) }
        sendNext(call)
    }

    func callHalfClosed(_ call: GRPCServerCall) {
        state.withLock { $0.isHalfClosed = true }
        sendNext(call)
    }

    func callReadyToSend(_ call: GRPCServerCall) { sendNext(call) }

    private func sendNext(_ call: GRPCServerCall) {
        let isDone = state.withLock { state in
            if let next = state.waiting.first {
                let result = next.bytes.withUnsafeBytes {
                    call.trySend($0, isCompressed: next.isCompressed)
                }
                if result == .started { state.waiting.removeFirst() }
                return false
            }
            return state.isHalfClosed
        }
        if isDone { expectNoError { try call.finish(.ok) } }
    }
}

/// Bytes that look random and are the same in every run.
func noise(_ count: Int, seed: UInt64) -> [UInt8] {
    var state = seed | 1
    return (0..<count).map { _ in
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return UInt8(truncatingIfNeeded: state >> 56)
    }
}
