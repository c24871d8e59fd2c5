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

    @Test func `clients wait at the head and follow where it is set`() throws {
        let maker = try EthereumRecordingMaker()
        try long(maker, count: 10)
        let stage = try EthereumStage(maker, head: 0)
        let clients = try [EthereumClient(stage.server), EthereumClient(stage.server)]
        for client in clients { _ = try client.ask(1, "eth_subscribe", heads) }
        // Run started, opened, accepted, call, answer: the first head is record 6.
        stage.play(through: Sequence(8))
        for client in clients { #expect(try client.messages(4).count == 4) }
        // Forward over five of them, then back.
        for (count, place) in [(5, 9), (6, 1)] {
            stage.stage.seek(to: Sequence(UInt64(place) + 5))
            #expect(stage.stage.step(1))
            let expected = notification("0xa1", header(place, hash: place, parent: place - 1))
            for client in clients { #expect(try client.messages(count).last == expected) }
        }
        stage.stage.resume()
        for client in clients {
            #expect(EthereumClient.messages(try client.allFrames()).count == 15)
            #expect(client.end?.closeCode == CloseCode.normal)
        }
    }

    @Test func `the play begins again for those who come after its end`() throws {
        let maker = try EthereumRecordingMaker()
        try long(maker, count: 3)
        let stage = try EthereumStage(maker, head: 0, loops: true)
        for _ in 0..<2 {
            let client = try EthereumClient(stage.server)
            _ = try client.ask(1, "eth_subscribe", heads)
            stage.stage.resume()
            #expect(EthereumClient.messages(try client.allFrames()).count == 4)
        }
    }

    @Test func `a client that comes late is served from the head on`() throws {
        let maker = try EthereumRecordingMaker()
        try long(maker, count: 10)
        let stage = try EthereumStage(maker, head: 13)
        let client = try EthereumClient(stage.server)
        #expect(try client.ask(1, "eth_subscribe", heads).contains("0xa1"))
        stage.playOn()
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
        let stage = try EthereumStage(maker, head: 0) {
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
