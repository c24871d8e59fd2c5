import Foundation
import Platform
import RecordModel
import Replay
import Testing
import WebSocketProtocol
import WebSocketTransport

@testable import ReplayServer

/// A WebSocket client that keeps what it gets; tests wait for what they need.
final class EthereumClient: WebSocketEvents {
    struct State {
        var frames: [WireFrame] = []
        var end: ConnectionEnd?
        var status: Int?
        var isOpen = false
    }

    private let state = Monitor(State())
    private let loop: EventLoop
    private let connection = Monitor<WebSocketConnection?>(nil)

    init(
        _ server: EthereumReplayServer,
        fields: [HTTPField] = [],
        compression: Bool = false,
        receives: Bool = true
    ) throws {
        loop = try EventLoop(name: "test-client")
        var options = ClientOptions()
        options.fields = fields
        options.offersCompression = compression
        options.limits.receiveBufferBytes = 4 << 10
        let made = WebSocketClient.connect(
            try WebSocketURL("ws://127.0.0.1:\(server.port)/"),
            options: options,
            loop: loop,
            events: self
        )
        connection.withLock { $0 = made }
        if !receives { made.pause() }
        _ = wait { $0.isOpen || $0.status != nil ? true : nil }
    }

    deinit { loop.stop() }

    func opened(_ connection: WebSocketConnection, _ opening: Opening) {
        state.update { $0.isOpen = true }
    }

    func rejected(_ connection: WebSocketConnection, _ rejection: Rejection) {
        state.update { $0.status = rejection.response.status }
    }

    func frameReceived(
        _ connection: WebSocketConnection,
        _ header: FrameHeader,
        _ payload: Span<UInt8>
    ) {
        let bytes = payload.withUnsafeBytes { Array($0) }
        state.update { $0.frames.append(WireFrame(header.firstByte, bytes)) }
    }

    func ended(_ connection: WebSocketConnection, _ end: ConnectionEnd) {
        state.update { $0.end = end }
    }

    func send(_ text: String, firstByte: UInt8 = 0x81) throws {
        try send(WireFrame(firstByte, text))
    }

    func send(_ frame: WireFrame) throws {
        let connection = try #require(connection.withLock { $0 })
        try connection.send(firstByte: frame.firstByte, payload: frame.payload.span)
    }

    func close() { connection.withLock { $0 }?.close() }
    func abort() { connection.withLock { $0 }?.abort() }
    func resume() { connection.withLock { $0 }?.resume() }

    func wait<Result>(_ look: (State) -> Result?) -> Result? {
        let deadline = SystemClock().monotonicNanoseconds() + 20_000_000_000
        return state.wait(deadline: deadline) { look($0) }
    }

    /// All frames up to the end of the connection, but the close frame.
    func allFrames() throws -> [WireFrame] {
        _ = try #require(end)
        return frames.filter { $0.firstByte & 0x0F != 8 }
    }

    var frames: [WireFrame] { state.withLock(\.frames) }
    var status: Int? { state.withLock(\.status) }
    var end: ConnectionEnd? { wait(\.end) }

    /// Waits for so many messages.
    func messages(_ count: Int) throws -> [String] {
        try #require(
            wait { state -> [String]? in
                let found = EthereumClient.messages(state.frames)
                return found.count >= count ? found : nil
            }
        )
    }

    /// Sends a call and waits for the answer to it.
    func ask(_ id: Int, _ method: String, _ params: String) throws -> String {
        try send(jsonCall(id, method, params))
        return try #require(
            wait { state in
                EthereumClient.messages(state.frames).first { $0.contains("\"id\":\(id),") }
            },
            "call \(id); so far: \(frames)"
        )
    }

    /// The texts that frames add up to.
    static func messages(_ frames: [WireFrame]) -> [String] {
        var texts: [String] = []
        var open: [UInt8] = []
        for frame in frames where frame.firstByte & 0x08 == 0 {
            open += frame.payload
            if frame.firstByte & 0x80 == 0 { continue }
            texts.append(String(decoding: open, as: UTF8.self))
            open = []
        }
        return texts
    }
}

/// A server over a made recording, and the stage it follows; all go at the end of the test.
final class EthereumStage {
    let stage: ReplayStage
    let server: EthereumReplayServer
    private let maker: EthereumRecordingMaker

    // `head` is where the play stands, paused; nil plays as fast as each client reads.
    init(
        _ maker: EthereumRecordingMaker,
        head: UInt64? = nil,
        loops: Bool = false,
        clock: any Clock = SystemClock(),
        random: any RandomSource = SeededRandom(seed: 1),
        _ change: (inout EthereumServeOptions) -> Void = { _ in }
    ) throws {
        self.maker = maker
        var played = ReplayStageOptions(first: .first, last: maker.last)
        played.rate = head == nil ? .unlimited : .recorded
        played.startsPaused = head != nil
        played.loops = loops
        let stage = try ReplayStage(
            path: maker.path,
            disk: LinuxFileSystem(),
            clock: SystemClock(),
            options: played
        )
        self.stage = stage
        var options = EthereumServeOptions()
        // Times that a client is given for its next request: no test may depend on being fast
        // enough. Those in which they are to run out set them.
        options.settlingMilliseconds = 3_600_000
        options.settlingMillisecondsMax = 3_600_000
        options.callGraceMilliseconds = 3_600_000
        change(&options)
        do {
            server = try EthereumReplayServer(
                path: maker.path,
                disk: LinuxFileSystem(),
                options: options,
                stage: stage,
                clock: clock,
                random: random
            )
        } catch {
            stage.stop()
            throw error
        }
        if let head, head > 0 { play(through: Sequence(head)) }
    }

    /// Plays up to a record and pauses there.
    func play(through sequence: Sequence) {
        _ = stage.step(sequence.value - stage.status.position.value)
    }

    /// Plays the rest.
    func playOn() { play(through: maker.last) }

    deinit {
        stage.stop()
        server.stop()
    }
}
