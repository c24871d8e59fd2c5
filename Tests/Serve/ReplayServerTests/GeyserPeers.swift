import GRPCTransport
import GeyserDecoding
import Platform
import RecordModel
import Replay
import ReplayServer
import SegmentLog

/// A server over a recording, on a port of its own.
final class GeyserServing: @unchecked Sendable {
    // safety: nothing changes after init.
    let stage: ReplayStage
    let server: GeyserServer
    let port: Int

    // Kept as long as it is served.
    private let maker: GeyserRecordingMaker

    init(
        _ maker: GeyserRecordingMaker,
        last: UInt64 = .max,
        rate: ReplayRate = .unlimited,
        stage change: (inout ReplayStageOptions) -> Void = { _ in },
        options change2: (inout GeyserServeOptions) -> Void = { _ in }
    ) throws {
        self.maker = maker
        let path = maker.path
        let disk = LinuxFileSystem()
        let reader = try RecordingReader(path: path, disk: disk)
        let index = try GeyserRecordingIndex(
            reader,
            from: .first,
            through: Sequence(last),
            skipsDamage: false
        )
        var stageOptions = ReplayStageOptions(first: index.first, last: index.last)
        stageOptions.rate = rate
        change(&stageOptions)
        stage = try ReplayStage(
            path: path,
            disk: disk,
            clock: SystemClock(),
            options: stageOptions
        )
        var options = GeyserServeOptions()
        options.toolVersion = "9.9.9"
        change2(&options)
        server = try GeyserServer(
            path: path,
            disk: disk,
            index: index,
            stage: stage,
            clock: SystemClock(),
            options: options,
            say: { _ in }
        )
        port = try server.listen()
    }

    deinit {
        server.close()
        stage.stop()
    }
}

/// Keeps what a call brings. On its own, so that a call under way keeps no client alive.
private final class GeyserGathering: GRPCCallObserver, Sendable {
    struct Got {
        var messages: [[UInt8]] = []
        var compressed: [Bool] = []
        var status: GRPCStatus?
    }

    let got = Monitor(Got())

    func callAccepted(_ call: GRPCCall, metadata: [GRPCMetadataEntry], peer: String) {}

    func callReceived(_ call: GRPCCall, message: GRPCMessage) {
        got.update { got in
            got.messages.append(Array(message.bytes))
            got.compressed.append(message.isCompressed)
        }
    }

    func callEnded(_ call: GRPCCall, status: GRPCStatus) { got.update { $0.status = status } }
}

/// A client that keeps what it gets, and goes when nobody holds it.
final class GeyserClient: Sendable {
    private let gathering = GeyserGathering()
    private var got: Monitor<GeyserGathering.Got> { gathering.got }
    private let channel: GRPCChannel
    private let call = Monitor<GRPCCall?>(nil)

    // Kept as long as there is a client.
    private let serving: GeyserServing

    init(
        _ serving: GeyserServing,
        metadata: [GRPCMetadataEntry] = [],
        encodings: Set<GRPCEncoding> = [.identity],
        requests: [SubscribeRequest]
    ) throws {
        self.serving = serving
        var options = GRPCChannelOptions(target: "127.0.0.1:\(serving.port)", security: .plaintext)
        options.acceptedEncodings = encodings
        channel = try GRPCChannel(options)
        let call = try channel.startCall(
            "/geyser.Geyser/Subscribe",
            metadata: metadata,
            observer: gathering
        )
        self.call.withLock { $0 = call }
        for request in requests {
            // A call that was refused may be over already.
            try? send(request)
        }
    }

    deinit {
        call.withLock { $0 }?.cancel()
        channel.close()
    }

    func send(_ request: SubscribeRequest) throws {
        try call.withLock { $0 }?.send(request.encoded())
    }

    func halfClose() { call.withLock { $0 }?.halfClose() }
    func pauseReading() { call.withLock { $0 }?.pause() }
    func resumeReading() { call.withLock { $0 }?.resume() }
    func cancel() { call.withLock { $0 }?.cancel() }

    /// Waits for the end.
    func finished() -> (messages: [[UInt8]], status: GRPCStatus) {
        got.wait { got in got.status.map { (got.messages, $0) } }
    }

    /// Waits for so many messages, or the end.
    func wait(_ count: Int) -> [[UInt8]] {
        got.wait { got in
            got.messages.count >= count || got.status != nil ? got.messages : nil
        }
    }

    /// Waits until a message has come.
    func wait(for message: [UInt8]) -> Bool {
        got.wait { got in
            if got.messages.contains(message) { return true }
            return got.status != nil ? false : nil
        }
    }

    var compressed: [Bool] { got.withLock { $0.compressed } }
}

/// What a merged stream carries, without the server's own pings.
func withoutPings(_ messages: [[UInt8]]) -> [[UInt8]] {
    messages.filter { $0.first != 0x32 }
}

/// One unary call.
func callOnce(
    _ serving: GeyserServing,
    _ method: String,
    _ request: [UInt8] = [],
    metadata: [GRPCMetadataEntry] = []
) throws -> GRPCUnaryAnswer {
    let channel = try GRPCChannel(
        GRPCChannelOptions(target: "127.0.0.1:\(serving.port)", security: .plaintext)
    )
    defer { channel.close() }
    let answer = Monitor<GRPCUnaryAnswer?>(nil)
    try channel.callOnce(
        method,
        request: request,
        metadata: metadata,
        timeoutNanoseconds: 30_000_000_000
    ) { given in answer.update { $0 = given } }
    return withExtendedLifetime(serving) { answer.wait { $0 } }
}
