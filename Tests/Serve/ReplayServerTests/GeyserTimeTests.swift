import GRPCTransport
import GeyserDecoding
import RecordModel
import Replay
import ReplayServer
import Testing

struct GeyserTimeTests {
    private typealias Sample = GeyserSample

    /// Slots 100 to 103, each with two entries, its block meta and statuses; CONFIRMED comes one
    /// slot later. The first two records are the run's start and the stream's opening.
    private func slots() throws -> GeyserRecordingMaker {
        let maker = try GeyserRecordingMaker()
        let stream = try maker.open(request: Sample.everything("sem"))
        for slot: UInt64 in 100...103 {
            try maker.receive(
                stream,
                Sample.entry(slot, 0),
                Sample.blockMeta(slot),
                Sample.entry(slot, 1),
                Sample.slot(slot, 0),
                Sample.slot(slot - 1, 1)
            )
        }
        try maker.close(stream)
        try maker.finish()
        return maker
    }

    /// Records 1 to 3 come before the first message.
    private static let before: UInt64 = 3

    private func request(from slot: UInt64?) -> SubscribeRequest {
        var request = Sample.everything("sem")
        request.blocksMeta = ["m": UnconditionalFilter()]
        request.entry = ["e": UnconditionalFilter()]
        request.commitment = 0
        request.fromSlot = slot
        return request
    }

    private func inOrder(_ slot: UInt64, isConfirmed: Bool) -> [[UInt8]] {
        var messages = [
            Sample.entry(slot, 0), Sample.entry(slot, 1), Sample.blockMeta(slot),
            Sample.slot(slot, 0),
        ]
        if isConfirmed { messages.append(Sample.slot(slot, 1)) }
        return messages
    }

    @Test func `without a rate from_slot answers from that slot through the end`() throws {
        let maker = try slots()
        let serving = try GeyserServing(maker)
        let client = try GeyserClient(serving, requests: [request(from: 102)])
        let (messages, status) = client.finished()
        #expect(
            withoutPings(messages)
                == inOrder(102, isConfirmed: true) + inOrder(103, isConfirmed: false)
        )
        #expect(status.code == .ok)
    }

    @Test func `behind a shared head complete slots come first, then what follows`() throws {
        let maker = try slots()
        let serving = try GeyserServing(
            maker,
            rate: .millionths(1_000_000_000_000),
            stage: { $0.startsPaused = true }
        )
        // 101 is complete but for its CONFIRMED, 102 has its first entry.
        #expect(serving.stage.step(Self.before + 11))
        let client = try GeyserClient(serving, requests: [request(from: 101)])
        let history = inOrder(101, isConfirmed: false)
        #expect(withoutPings(client.wait(6)) == history + [Sample.entry(102, 0)])
        serving.stage.resume()
        let (messages, _) = client.finished()
        let rest = [
            Sample.blockMeta(102), Sample.entry(102, 1), Sample.slot(102, 0),
            Sample.slot(101, 1), Sample.entry(103, 0), Sample.blockMeta(103),
            Sample.entry(103, 1), Sample.slot(103, 0), Sample.slot(102, 1),
        ]
        #expect(withoutPings(messages) == history + [Sample.entry(102, 0)] + rest)
    }

    @Test func `what was sent as history does not come again behind it`() throws {
        let maker = try GeyserRecordingMaker()
        let stream = try maker.open(request: Sample.everything("e"))
        // Slot 102 begins before 101 ends, and is not complete at the head.
        try maker.receive(
            stream,
            Sample.entry(101, 0),
            Sample.entry(102, 0),
            Sample.entry(101, 1),
            Sample.entry(100, 9),
            Sample.entry(102, 1),
            Sample.entry(101, 2)
        )
        try maker.close(stream)
        try maker.finish()
        let serving = try GeyserServing(
            maker,
            last: Self.before + 5,
            rate: .millionths(1_000_000_000_000),
            stage: { $0.startsPaused = true }
        )
        #expect(serving.stage.step(Self.before + 4))
        var request = Sample.everything("e")
        request.fromSlot = 101
        let client = try GeyserClient(serving, requests: [request])
        _ = client.wait(3)
        serving.stage.resume()
        #expect(
            withoutPings(client.finished().messages) == [
                Sample.entry(101, 0), Sample.entry(101, 1), Sample.entry(102, 0),
                Sample.entry(102, 1),
            ]
        )
    }

    @Test func `a slot that is too old is out of range`() throws {
        let maker = try slots()
        let serving = try GeyserServing(maker)
        let client = try GeyserClient(serving, requests: [request(from: 99)])
        let (messages, status) = client.finished()
        #expect(withoutPings(messages).isEmpty)
        #expect(status.code == .outOfRange)
        #expect(
            status.message == "broadcast from 99 is not available, last available: 100"
        )
    }

    @Test func `the first slot counts only when the recording has its start`() throws {
        let maker = try GeyserRecordingMaker()
        let stream = try maker.open(request: Sample.everything("se"))
        try maker.receive(stream, Sample.entry(100, 7), Sample.entry(101, 0))
        try maker.close(stream)
        try maker.finish()
        let serving = try GeyserServing(maker)
        let answer = try callOnce(serving, "/geyser.Geyser/SubscribeReplayInfo")
        #expect(answer.message == [0x08, 101])
    }

    @Test func `unary methods answer as of the head`() throws {
        let maker = try slots()
        let serving = try GeyserServing(
            maker,
            rate: .millionths(1_000_000_000_000),
            stage: { $0.startsPaused = true }
        )
        let early = try callOnce(serving, "/geyser.Geyser/GetSlot")
        #expect(early.status.code == .internal)
        #expect(early.status.message == "block is not available yet")
        // Up to and with CONFIRMED of 101.
        #expect(serving.stage.step(Self.before + 15))
        func ask(_ method: String, _ request: [UInt8] = []) throws -> [UInt8]? {
            try callOnce(serving, "/geyser.Geyser/\(method)", request).message
        }
        #expect(try ask("GetSlot") == [0x08, 102])
        #expect(try ask("GetSlot", [0x08, 1]) == [0x08, 101])
        #expect(try ask("GetSlot", [0x08, 2]) == nil)
        #expect(try ask("GetBlockHeight", [0x08, 1]) == [0x08, 91])
        // Height 91 and 150 blocks on: 241.
        let latest =
            [0x08, 101, 0x12, 32] + Array(Sample.hash(101).utf8) + [0x18, 0xF1, 0x01]
        #expect(try ask("GetLatestBlockhash", [0x08, 1]) == latest)
        let hash = [0x0A, 32] + Array(Sample.hash(102).utf8)
        #expect(try ask("IsBlockhashValid", hash) == [0x08, 102, 0x10, 1])
        // Processed but not confirmed, and no 150 blocks are known: nothing can be said.
        #expect(try ask("IsBlockhashValid", hash + [0x10, 1]) == nil)
        #expect(try ask("SubscribeReplayInfo") == [0x08, 100])
        #expect(try ask("Ping", [0x08, 7]) == [0x08, 7])
        let version = String(decoding: try ask("GetVersion") ?? [], as: UTF8.self)
        #expect(version.contains(#""package":"tapedeck","version":"9.9.9""#))
        #expect(try callOnce(serving, "/geyser.Geyser/Nope").status.code == .unimplemented)
    }

    @Test func `a seek takes merged and verbatim clients along`() throws {
        let maker = try slots()
        let serving = try GeyserServing(maker, stage: { $0.startsPaused = true })
        let verbatim = try GeyserClient(serving, requests: [Sample.everything("sem")])
        let merged = try GeyserClient(serving, requests: [request(from: nil)])
        #expect(serving.stage.step(Self.before + 1))
        #expect(verbatim.wait(1) == [Sample.entry(100, 0)])
        #expect(merged.wait(for: Sample.entry(100, 0)))
        // The last five messages begin here.
        serving.stage.seek(to: Sequence(Self.before + 16))
        serving.stage.resume()
        let last = [
            Sample.entry(100, 0), Sample.entry(103, 0), Sample.blockMeta(103),
            Sample.entry(103, 1), Sample.slot(103, 0), Sample.slot(102, 1),
        ]
        #expect(verbatim.finished().messages == last)
        #expect(withoutPings(merged.finished().messages) == last)
    }

    @Test func `at the end a loop begins again for new connections only`() throws {
        let maker = try slots()
        for loops in [true, false] {
            let serving = try GeyserServing(
                maker,
                rate: .millionths(1_000_000_000_000),
                stage: { $0.loops = loops }
            )
            let counts = try (0..<2).map { _ in
                try GeyserClient(serving, requests: [Sample.everything("sem")])
                    .finished().messages.count
            }
            #expect(counts == (loops ? [20, 20] : [20, 0]))
        }
    }

    @Test func `the token is asked for everywhere`() throws {
        let maker = try slots()
        let serving = try GeyserServing(maker, options: { $0.token = "secret" })
        for metadata in [[], [GRPCMetadataEntry("x-token", "secre")]] {
            let client = try GeyserClient(
                serving,
                metadata: metadata,
                requests: [Sample.everything("sem")]
            )
            let status = client.finished().status
            #expect(status.code == .unauthenticated)
            #expect(status.message == "No valid auth token")
            let answer = try callOnce(
                serving,
                "/geyser.Geyser/Ping",
                metadata: metadata
            )
            #expect(answer.status.code == .unauthenticated)
        }
        let client = try GeyserClient(
            serving,
            metadata: [GRPCMetadataEntry("x-token", "secret")],
            requests: [Sample.everything("sem")]
        )
        #expect(client.finished().messages.count == 20)
    }

    @Test func `one client too many is refused, and a place becomes free again`() throws {
        let maker = try slots()
        let serving = try GeyserServing(
            maker,
            stage: { $0.startsPaused = true },
            options: { $0.subscriptionsMax = 1 }
        )
        let first = try GeyserClient(serving, requests: [request(from: nil)])
        _ = first.wait(1)
        let second = try GeyserClient(serving, requests: [request(from: nil)])
        let status = second.finished().status
        #expect(status.code == .resourceExhausted)
        #expect(status.message == "max subscription limit exceeded")
        first.cancel()
        _ = first.finished()
        while serving.server.subscriptionCount > 0 { serving.stage.wakeAll() }
        let third = try GeyserClient(serving, requests: [request(from: nil)])
        #expect(!third.wait(1).isEmpty)
    }

    @Test func `a client that does not read or goes away holds nobody up`() throws {
        let maker = try GeyserRecordingMaker()
        let stream = try maker.open(request: Sample.everything("e"))
        for index in 0..<30_000 { try maker.receive(stream, Sample.entry(7, UInt64(index))) }
        try maker.close(stream)
        try maker.finish()
        let serving = try GeyserServing(maker, stage: { $0.waitsFor = 3 })
        let stuck = try GeyserClient(serving, requests: [Sample.everything("e")])
        stuck.pauseReading()
        let gone = try GeyserClient(serving, requests: [Sample.everything("e")])
        let reader = try GeyserClient(serving, requests: [Sample.everything("e")])
        _ = gone.wait(100)
        gone.cancel()
        #expect(reader.finished().messages.count == 30_000)
        stuck.resumeReading()
        #expect(stuck.finished().messages.count == 30_000)
    }

    @Test func `stopping ends streams as the reference server does`() throws {
        let maker = try slots()
        let serving = try GeyserServing(maker, stage: { $0.startsPaused = true })
        let client = try GeyserClient(serving, requests: [request(from: nil)])
        _ = client.wait(1)
        serving.server.close()
        let status = client.finished().status
        #expect(status.code == .unavailable)
        #expect(status.message == "server is shutting down try again later")
    }
}
