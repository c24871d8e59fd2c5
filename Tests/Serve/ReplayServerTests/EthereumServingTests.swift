import Platform
import RecordModel
import Replay
import Testing
import WebSocketProtocol
import WebSocketTransport

@testable import ReplayServer

/// Many clients, slow clients, strangers, and a head that is moved about.
struct EthereumServingTests {
    private let heads = #"["newHeads"]"#

    /// One connection with so many heads of so many bytes.
    private func long(_ maker: EthereumRecordingMaker, count: Int, padding: Int = 0) throws {
        let stream = try maker.open()
        try maker.call(stream, 1, "eth_subscribe", heads, answer: "\"0xa1\"")
        for number in 1...count {
            let head = header(number, hash: number, parent: number - 1, padding: padding)
            try maker.received(stream, .text(notification("0xa1", head)))
        }
        try maker.finish()
    }

    @Test func `many clients each get everything, whatever becomes of others`() throws {
        let maker = try EthereumRecordingMaker()
        try long(maker, count: 2_000, padding: 400)
        let stage = try EthereumStage(maker) { $0.queuedBytesMax = 64 << 10 }
        // One reads nothing, one vanishes.
        let idle = try EthereumClient(stage.server, receives: false)
        let gone = try EthereumClient(stage.server)
        let clients = try (0..<12).map { _ in try EthereumClient(stage.server) }
        for client in [idle, gone] + clients {
            try client.send(jsonCall(1, "eth_subscribe", heads))
        }
        gone.abort()
        for client in clients {
            let messages = EthereumClient.messages(try client.allFrames())
            #expect(messages.count == 2_001)
            let last = notification("0xa1", header(2_000, hash: 2_000, parent: 1_999, padding: 400))
            #expect(messages.last == last)
        }
        idle.resume()
        #expect(EthereumClient.messages(try idle.allFrames()).count == 2_001)
    }

    @Test func `clients wait at the head and follow it`() throws {
        let maker = try EthereumRecordingMaker()
        try long(maker, count: 10)
        let begun = Monitor(0)
        let first = EthereumHead(through: .none)
        let server = try EthereumReplayServer(
            path: maker.path,
            disk: LinuxFileSystem(),
            options: EthereumServeOptions(),
            sharedHead: first,
            subscribed: { begun.update { $0 += 1 } }
        )
        defer { server.stop() }
        let client = try EthereumClient(server)
        _ = try client.ask(1, "eth_subscribe", heads)
        begun.wait { $0 == 1 ? () : nil }
        // Run started, opened, accepted, call, answer: the first head is record 6.
        server.setHead(EthereumHead(through: Sequence(8)))
        #expect(try client.messages(4).count == 4)
        // Forward over five of them, then back.
        let later = Sequence(14)
        server.setHead(EthereumHead(through: later, moves: 1, start: later))
        #expect(try client.messages(5).last == notification("0xa1", header(9, hash: 9, parent: 8)))
        let early = Sequence(6)
        server.setHead(EthereumHead(through: early, moves: 2, start: early))
        #expect(try client.messages(6).last == notification("0xa1", header(1, hash: 1, parent: 0)))
    }

    @Test func `a replay's head paces all clients, pauses and seeks`() throws {
        let maker = try EthereumRecordingMaker()
        try long(maker, count: 10)
        let head = ReplayHead(from: .first, rate: .recorded, isPaused: true)
        let server = try EthereumReplayServer(
            path: maker.path,
            disk: LinuxFileSystem(),
            options: EthereumServeOptions(),
            sharedHead: EthereumHead(through: .none),
            subscribed: { head.start() }
        )
        let follower = try EthereumHeadFollower(
            head,
            path: maker.path,
            disk: LinuxFileSystem(),
            server: server,
            report: { Issue.record("\($0)") }
        )
        defer {
            head.stop()
            follower.join()
            server.stop()
        }
        let clients = try [EthereumClient(server), EthereumClient(server)]
        for client in clients { _ = try client.ask(1, "eth_subscribe", heads) }
        head.step(7)
        for client in clients { #expect(try client.messages(3).count == 3) }
        head.seek(to: Sequence(14))
        head.step(1)
        for client in clients {
            let ninth = notification("0xa1", header(9, hash: 9, parent: 8))
            #expect(try client.messages(4).last == ninth)
        }
        head.resume()
        for client in clients {
            #expect(EthereumClient.messages(try client.allFrames()).count == 5)
            #expect(client.end?.closeCode == CloseCode.normal)
        }
    }

    @Test func `a client that comes late is served from the head on`() throws {
        let maker = try EthereumRecordingMaker()
        try long(maker, count: 10)
        let stage = try EthereumStage(maker, head: EthereumHead(through: Sequence(13)))
        let client = try EthereumClient(stage.server)
        #expect(try client.ask(1, "eth_subscribe", heads).contains("0xa1"))
        stage.server.setHead(EthereumHead(through: .endless))
        let messages = EthereumClient.messages(try client.allFrames())
        #expect(messages.count == 3)
        #expect(messages[1] == notification("0xa1", header(9, hash: 9, parent: 8)))
    }

    @Test func `only those with the token come in`() throws {
        let maker = try EthereumRecordingMaker()
        try long(maker, count: 1)
        let stage = try EthereumStage(maker) { $0.token = "se:cret" }
        for field in [
            HTTPField("Authorization", "Bearer se:cret"), HTTPField("X-Token", "se:cret"),
        ] {
            let client = try EthereumClient(stage.server, fields: [field])
            #expect(client.status == nil)
            #expect(try client.ask(1, "eth_chainId", "[]").contains("0x89"))
        }
        for field in [HTTPField("Authorization", "Bearer secret"), HTTPField("X-Token", "se:cre")] {
            #expect(try EthereumClient(stage.server, fields: [field]).status == 401)
        }
        #expect(try EthereumClient(stage.server).status == 401)
    }

    @Test func `beyond the limit clients are turned away`() throws {
        let maker = try EthereumRecordingMaker()
        try long(maker, count: 1)
        let stage = try EthereumStage(maker) { $0.connectionCountMax = 1 }
        let client = try EthereumClient(stage.server)
        #expect(try EthereumClient(stage.server).status == 503)
        #expect(client.status == nil)
    }

    @Test func `an idle client is pinged, unless it is bound to a recorded connection`() throws {
        let maker = try EthereumRecordingMaker()
        try long(maker, count: 1)
        let stage = try EthereumStage(maker, head: EthereumHead(through: .none)) {
            $0.pingMilliseconds = 20
        }
        let client = try EthereumClient(stage.server)
        #expect(client.wait { $0.frames.contains(WireFrame(0x89, "")) ? true : nil } == true)
    }

    @Test func `only the sources asked for are served, and of one chain`() throws {
        let maker = try EthereumRecordingMaker()
        for (source, chain) in [("one", "evm:1"), ("two", "evm:137")] {
            let stream = try maker.open(source: source, chain: chain)
            try maker.call(stream, 1, "eth_subscribe", heads, answer: "\"0xa1\"")
        }
        try maker.finish()
        do {
            _ = try EthereumStage(maker)
            Issue.record("two chains on one port")
        } catch EthereumServeError.severalChains(let chains) {
            #expect(chains == [1, 137])
        }
        let stage = try EthereumStage(maker) { $0.sources = ["one"] }
        let client = try EthereumClient(stage.server)
        #expect(try client.ask(1, "eth_chainId", "[]").contains(#""result":"0x1""#))
        #expect(throws: EthereumServeError.self) {
            _ = try EthereumStage(maker) { $0.sources = ["three"] }
        }
    }
}
