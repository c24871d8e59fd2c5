import GRPCTransport
import GeyserDecoding
import RecordModel
import Replay
import ReplayServer
import Testing

struct GeyserMergedTests {
    private typealias Sample = GeyserSample

    /// Two sources with everything of slots 100 and 101; the second one brings it all again.
    private func twoSources() throws -> GeyserRecordingMaker {
        let maker = try GeyserRecordingMaker()
        let one = try maker.open("one", Sample.everything())
        var again = Sample.everything()
        again.commitment = 0
        let two = try maker.open("two", again)
        for slot: UInt64 in [100, 101] {
            for stream in [one, two] {
                try maker.receive(
                    stream,
                    Sample.ping,
                    Sample.transaction(slot, 1),
                    Sample.transaction(slot, 2, vote: true),
                    Sample.account(slot, 1, owner: 7),
                    Sample.account(slot, 2, owner: 8),
                    Sample.entry(slot, 0),
                    Sample.blockMeta(slot),
                    Sample.slot(slot, 0),
                    Sample.block(slot),
                    Sample.slot(slot, 3),
                    Sample.slot(slot, 1)
                )
            }
        }
        try maker.close(one)
        try maker.close(two)
        try maker.finish()
        return maker
    }

    private func answer(
        _ maker: GeyserRecordingMaker,
        _ request: SubscribeRequest
    ) throws -> (messages: [[UInt8]], status: GRPCStatus) {
        let serving = try GeyserServing(maker)
        let (messages, status) = try GeyserClient(serving, requests: [request]).finished()
        #expect(messages.first?.first == 0x32, "the server's own ping comes first")
        return (withoutPings(messages), status)
    }

    @Test func `every kind comes once, under all names that match`() throws {
        let maker = try twoSources()
        var request = SubscribeRequest()
        request.entry = ["y": UnconditionalFilter(), "x": UnconditionalFilter()]
        let (entries, status) = try answer(maker, request)
        #expect(
            entries == [
                Sample.entry(100, 0, as: ["x", "y"]), Sample.entry(101, 0, as: ["x", "y"]),
            ]
        )
        #expect(status.code == .ok)

        request = SubscribeRequest()
        request.blocksMeta = ["q": UnconditionalFilter()]
        #expect(
            try answer(maker, request).messages == [
                Sample.blockMeta(100, as: ["q"]), Sample.blockMeta(101, as: ["q"]),
            ]
        )

        request = SubscribeRequest()
        request.slots = ["q": SlotsFilter()]
        #expect(
            try answer(maker, request).messages == [
                Sample.slot(100, 0, as: ["q"]), Sample.slot(100, 1, as: ["q"]),
                Sample.slot(101, 0, as: ["q"]), Sample.slot(101, 1, as: ["q"]),
            ]
        )

        request = SubscribeRequest()
        var notVotes = TransactionsFilter()
        notVotes.vote = false
        request.transactions = ["q": notVotes, "r": TransactionsFilter()]
        #expect(
            try answer(maker, request).messages == [
                Sample.transaction(100, 1, as: ["q", "r"]),
                Sample.transaction(100, 2, vote: true, as: ["r"]),
                Sample.transaction(101, 1, as: ["q", "r"]),
                Sample.transaction(101, 2, vote: true, as: ["r"]),
            ]
        )

        request = SubscribeRequest()
        var owned = AccountsFilter()
        // The Base58 of 32 bytes of 7.
        owned.owner = ["US517G5965aydkZ46HS38QLi7UQiSojurfbQfKCELFx"]
        request.accounts = ["q": owned]
        #expect(
            try answer(maker, request).messages == [
                Sample.account(100, 1, owner: 7, as: ["q"]),
                Sample.account(101, 1, owner: 7, as: ["q"]),
            ]
        )

        request = SubscribeRequest()
        request.blocks = ["q": BlocksFilter(), "r": BlocksFilter()]
        #expect(
            try answer(maker, request).messages == [
                Sample.block(100, as: ["q"]), Sample.block(100, as: ["r"]),
                Sample.block(101, as: ["q"]), Sample.block(101, as: ["r"]),
            ]
        )
    }

    @Test func `what no stream covers is refused on the stream`() throws {
        let maker = try GeyserRecordingMaker()
        let stream = try maker.open(request: Sample.everything("sm"))
        try maker.receive(stream, Sample.slot(5, 0))
        try maker.close(stream)
        try maker.finish()
        let serving = try GeyserServing(maker)
        var confirmed = Sample.everything("s")
        confirmed.commitment = 1
        var badName = SubscribeRequest()
        badName.slots = [UTF8Text(String(repeating: "n", count: 129)): SlotsFilter()]
        for request in [
            Sample.everything("e"), Sample.everything("t"), Sample.everything("b"), confirmed,
            badName,
        ] {
            let (messages, status) = try GeyserClient(serving, requests: [request])
                .finished()
            #expect(withoutPings(messages).isEmpty)
            #expect(status.code == .invalidArgument)
            #expect(status.message.hasPrefix("failed to create filter: "))
        }
    }

    @Test func `pings are answered, and change nothing`() throws {
        let maker = try twoSources()
        let serving = try GeyserServing(maker, stage: { $0.startsPaused = true })
        var ping = SubscribeRequest()
        ping.ping = SubscribePing(id: 42)
        var request = SubscribeRequest()
        request.entry = ["x": UnconditionalFilter()]
        let client = try GeyserClient(serving, requests: [ping, request, ping])
        #expect(client.wait(3).filter { $0 == Sample.pong42 }.count == 2)
        serving.stage.resume()
        #expect(
            client.finished().messages.suffix(2) == [
                Sample.entry(100, 0, as: ["x"]), Sample.entry(101, 0, as: ["x"]),
            ]
        )
    }

    @Test func `a further request replaces all filters from where the client is`() throws {
        let maker = try twoSources()
        let serving = try GeyserServing(maker, stage: { $0.startsPaused = true })
        var request = SubscribeRequest()
        request.entry = ["x": UnconditionalFilter()]
        let client = try GeyserClient(serving, requests: [request])
        _ = client.wait(1)
        // Up to and with the first slot of the first source, whose last status is record 16.
        #expect(serving.stage.step(16))
        #expect(client.wait(for: Sample.entry(100, 0, as: ["x"])))
        request = SubscribeRequest()
        request.slots = ["z": SlotsFilter()]
        try client.send(request)
        var ping = SubscribeRequest()
        ping.ping = SubscribePing(id: 42)
        try client.send(ping)
        #expect(client.wait(for: Sample.pong42))
        serving.stage.resume()
        let rest = withoutPings(client.finished().messages).filter { $0 != Sample.pong42 }
        #expect(rest.first == Sample.entry(100, 0, as: ["x"]))
        #expect(rest.dropFirst().allSatisfy { UpdateSummary.slot(of: $0.span.bytes) != nil })
        #expect(
            rest.suffix(2) == [
                Sample.slot(101, 0, as: ["z"]), Sample.slot(101, 1, as: ["z"]),
            ]
        )
    }

    @Test func `closing its side does not end a client's stream`() throws {
        let maker = try twoSources()
        let serving = try GeyserServing(maker, stage: { $0.startsPaused = true })
        var request = SubscribeRequest()
        request.entry = ["x": UnconditionalFilter()]
        let client = try GeyserClient(serving, requests: [request])
        client.halfClose()
        _ = client.wait(1)
        serving.stage.resume()
        let (messages, status) = client.finished()
        #expect(withoutPings(messages).count == 2)
        #expect(status.code == .ok)
    }

    @Test func `a port serves the sources it is given`() throws {
        let maker = try GeyserRecordingMaker()
        let one = try maker.open("one", Sample.everything("e"))
        let two = try maker.open("two", Sample.everything("s"))
        try maker.receive(one, Sample.entry(5, 0))
        try maker.receive(two, Sample.slot(5, 0))
        try maker.close(one)
        try maker.close(two)
        try maker.finish()
        let serving = try GeyserServing(maker, options: { $0.sources = ["two"] })
        let refused = try GeyserClient(serving, requests: [Sample.everything("e")])
        #expect(refused.finished().status.code == .invalidArgument)
        let served = try GeyserClient(serving, requests: [Sample.everything("s")])
        #expect(served.finished().messages == [Sample.slot(5, 0)])
    }
}
