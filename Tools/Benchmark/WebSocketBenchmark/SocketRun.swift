import AllocationCount
import Platform
import WebSocketProtocol
import WebSocketTransport

/// A server of ours sends batches of frames to a client of ours over loopback.
struct SocketRun {
    let payloadBytes: Int
    let frameCount: Int

    func run() throws {
        let stream = WireStream(payloadBytes: payloadBytes)
        let sender = Sender()
        let serverLoop = try EventLoop(name: "ws-bench-server")
        let clientLoop = try EventLoop(name: "ws-bench-client")
        let server = try WebSocketServer(loop: serverLoop, acceptor: sender)
        let receiver = Receiver(warmUp: frameCount / 5, frameCount: frameCount)
        let client = WebSocketClient.connect(
            try WebSocketURL("ws://127.0.0.1:\(server.port)/"),
            loop: clientLoop,
            events: receiver
        )
        let connection = sender.opened.wait { $0 }
        let frameBytes = stream.bytes.count / stream.frameCount
        let batch = Array(stream.bytes.prefix(max(1, (64 << 10) / frameBytes) * frameBytes))
        var isOver = false
        while !isOver {
            do throws(SendError) {
                try connection.send(encodedFrames: batch.span)
            } catch {
                isOver = !connection.waitForSpace()
            }
            if receiver.result.withLock({ $0 != nil }) { isOver = true }
        }
        let result = receiver.result.wait { $0 }
        client.abort()
        clientLoop.stop()
        server.stop()
        serverLoop.stop()
        row(
            "receive \(payloadBytes)-byte frames over loopback",
            millions(frameCount, result.wall),
            "server, sender and client share the processors"
        )
        row(
            "  by processor time of the client",
            millions(frameCount, result.processor),
            payloadBytes == 700 ? "goal at least 1.5 M/s" : ""
        )
        row(
            "  allocations per frame, both sides",
            fixed(Double(result.allocations) / Double(frameCount), 4),
            "goal 0"
        )
    }
}

/// What the receiver measured between the warm-up and the last frame.
struct ReceiverResult {
    var wall: Double
    var processor: Double
    var allocations: UInt64
}

/// Accepts one client and hands its connection out.
final class Sender: WebSocketAcceptor, WebSocketEvents {
    let opened = Monitor<WebSocketConnection?>(nil)

    func decide(_ request: UpgradeRequest, peer: String) -> UpgradeDecision { .accept(self) }
    func opened(_ connection: WebSocketConnection, _ opening: Opening) {
        opened.update { $0 = connection }
    }
    func frameReceived(
        _ connection: WebSocketConnection,
        _ header: FrameHeader,
        _ payload: Span<UInt8>
    ) {}
    func ended(_ connection: WebSocketConnection, _ end: ConnectionEnd) {}
}

/// Counts frames.
final class Receiver: WebSocketEvents, @unchecked Sendable {
    // safety: everything but `result`, a Monitor, is touched by the client's loop alone.
    let result = Monitor<ReceiverResult?>(nil)
    private let warmUp: Int
    private let frameCount: Int
    private let clock = SystemClock()
    private var count = 0
    private var start = ReceiverResult(wall: 0, processor: 0, allocations: 0)

    init(warmUp: Int, frameCount: Int) {
        self.warmUp = warmUp
        self.frameCount = frameCount
    }

    private func now() -> ReceiverResult {
        ReceiverResult(
            wall: Double(clock.monotonicNanoseconds()) / 1e9,
            processor: threadSeconds(),
            allocations: UInt64(allocation_count())
        )
    }

    func opened(_ connection: WebSocketConnection, _ opening: Opening) {}
    func frameReceived(
        _ connection: WebSocketConnection,
        _ header: FrameHeader,
        _ payload: Span<UInt8>
    ) {
        count += 1
        if count == warmUp { start = now() }
        guard count == warmUp + frameCount else { return }
        let end = now()
        result.update {
            $0 = ReceiverResult(
                wall: end.wall - start.wall,
                processor: end.processor - start.processor,
                allocations: end.allocations - start.allocations
            )
        }
    }
    func connectFailed(_ connection: WebSocketConnection, _ failure: ConnectFailure) {
        preconditionFailure("no connection over loopback: \(failure)")
    }
    func ended(_ connection: WebSocketConnection, _ end: ConnectionEnd) {}
}
