import GRPCTransport
import Platform
import Testing

@Suite struct `A call` {
    @Test func `carries messages of every size both ways unchanged`() throws {
        let server = try TestServer({ $0.receiveBytesMax = 32 << 20 }, respond: echo)
        defer { server.close() }
        let sizes = [0, 1, 5, 23, 24, 2_000, 16_384, 65_536, 100_003, 5 << 20, 20 << 20]
        let sent = sizes.enumerated().map { noise($1, seed: UInt64($0)) }
        let recorder = CallRecorder()
        try withChannel(server.target, { $0.sendBytesMax = 64 << 20 }) { channel in
            let call = try channel.startCall("/test.Echo/Run", observer: recorder)
            for message in sent { try call.send(message) }
            call.halfClose()
            #expect(try recorder.end().code == .ok)
        }
        let received = recorder.seen.withLock { $0.messages }
        #expect(received.count == sent.count)
        for (got, want) in zip(received, sent) {
            #expect(got.bytes == want, "a message of \(want.count) bytes")
            #expect(!got.isCompressed)
        }
    }

    @Test func `shows method, peer, host and metadata to the server, and the answer's to us`()
        throws
    {
        let odd: [UInt8] = [0, 255, 1, 44, 10, 13, 32]
        let initial = [
            GRPCMetadataEntry("x-answer", "first"), GRPCMetadataEntry("x-answer", "second"),
            GRPCMetadataEntry("x-answer-bin", bytes: odd),
        ]
        let trailers = [
            GRPCMetadataEntry("x-trailer", "t"), GRPCMetadataEntry("x-trailer-bin", bytes: []),
            GRPCMetadataEntry("x-more-bin", bytes: odd + odd),
            GRPCMetadataEntry("grpc-status-details-bin", bytes: [8, 0] + odd),
        ]
        let server = try TestServer { call in
            expectNoError {
                try call.accept(initial)
                try call.finish(.ok, message: "all is well: \u{e9}", trailers: trailers)
            }
            return nil
        }
        defer { server.close() }
        let recorder = CallRecorder()
        let request = [
            GRPCMetadataEntry("x-token", "secret"), GRPCMetadataEntry("x-raw-bin", bytes: odd),
            GRPCMetadataEntry("grpc-status-details-bin", bytes: odd),
        ]
        try withChannel(server.target, { $0.userAgent = "tapedeck/1" }) { channel in
            _ = try channel.startCall("/a.B/C", metadata: request, observer: recorder)
            let status = try recorder.end()
            #expect(status.code == .ok)
            #expect(status.message == "all is well: \u{e9}")
            #expect(status.trailers == trailers)
        }
        recorder.seen.withLock { seen in
            #expect(seen.accepted == [initial])
            #expect(seen.peer == "ipv4:\(server.target)")
        }
        let call = try server.firstCall()
        #expect(call.method == "/a.B/C")
        #expect(call.host == server.target)
        #expect(call.peer.hasPrefix("ipv4:127.0.0.1:"))
        let ours = ["x-", "grpc-status-details"]
        let seen = call.metadata.filter { entry in ours.contains { entry.key.hasPrefix($0) } }
        #expect(Set(seen) == Set(request))
        #expect(seen.count == request.count)
        let agent = call.metadata.first { $0.key == "user-agent" }
        #expect(agent?.text.hasPrefix("tapedeck/1 ") == true)
        #expect(call.acceptedEncodings == [.identity])
    }

    @Test func `rejected without initial metadata ends at the client`() throws {
        let server = try TestServer { call in
            expectNoError {
                try call.finish(
                    .unauthenticated,
                    message: "No valid auth token",
                    trailers: [GRPCMetadataEntry("x-why", "token")]
                )
            }
            return nil
        }
        defer { server.close() }
        let recorder = CallRecorder()
        try withChannel(server.target) { channel in
            _ = try channel.startCall("/geyser.Geyser/Subscribe", observer: recorder)
            let status = try recorder.end()
            #expect(status.code == .unauthenticated)
            #expect(status.code.rawValue == 16)
            #expect(status.description == "UNAUTHENTICATED (16): No valid auth token")
            #expect(status.trailers == [GRPCMetadataEntry("x-why", "token")])
        }
    }

    @Test func `of an unknown method is for the acceptor to refuse`() throws {
        let server = try TestServer { call in
            if call.method == "/known/Method" { return echo(call) }
            expectNoError { try call.finish(.unimplemented, message: "no \(call.method)") }
            return nil
        }
        defer { server.close() }
        try withChannel(server.target) { channel in
            let refused = CallRecorder()
            _ = try channel.startCall("/unknown/Method", observer: refused)
            #expect(try refused.end().description == "UNIMPLEMENTED (12): no /unknown/Method")
            let answered = CallRecorder()
            let call = try channel.startCall("/known/Method", observer: answered)
            call.halfClose()
            #expect(try answered.end().code == .ok)
        }
    }

    @Test func `keeps a status number that has no name`() throws {
        let code = GRPCStatusCode(rawValue: 99)
        #expect(code.name == nil)
        #expect(code.description == "CODE (99)")
        #expect(GRPCStatusCode(rawValue: -1).name == nil)
        #expect(GRPCStatusCode.unavailable.description == "UNAVAILABLE (14)")
    }

    @Test func `goes on after our half close`() throws {
        let served = ServedCall(onHalfClose: { call in
            let text = Array("after".utf8)
            let result = text.withUnsafeBytes { call.trySend($0) }
            #expect(result == .started)
        })
        let server = try TestServer { _ in served }
        defer { server.close() }
        let recorder = CallRecorder()
        try withChannel(server.target) { channel in
            let call = try channel.startCall("/test/Half", observer: recorder)
            try call.send([1])
            call.halfClose()
            call.halfClose()
            #expect(throws: GRPCSendError.over) { try call.send([2]) }
            #expect(try recorder.messages(1).first?.bytes == Array("after".utf8))
            // Still open: the server decides when it ends.
            let text = Array("later".utf8)
            #expect(try server.firstCall().send(text))
            #expect(try recorder.messages(2).last?.bytes == text)
            #expect(recorder.seen.withLock { $0.statuses.isEmpty })
            try server.firstCall().finish(.ok)
            #expect(try recorder.end().code == .ok)
        }
        #expect(try served.isCancelledAtEnd() == false)
        #expect(served.seen.withLock { $0.halfCloses } == 1)
    }

    @Test func `ends with DEADLINE_EXCEEDED when its time is over`() throws {
        let served = ServedCall()
        let server = try TestServer { _ in served }
        defer { server.close() }
        let recorder = CallRecorder()
        try withChannel(server.target) { channel in
            _ = try channel.startCall(
                "/test/Never",
                timeoutNanoseconds: 200_000_000,
                observer: recorder
            )
            #expect(try recorder.end().code == .deadlineExceeded)
        }
    }

    @Test func `is cancelled by the client, and the server learns it`() throws {
        let served = ServedCall()
        let server = try TestServer { _ in served }
        defer { server.close() }
        let recorder = CallRecorder()
        try withChannel(server.target) { channel in
            let call = try channel.startCall("/test/Never", observer: recorder)
            let answer = try server.firstCall()
            #expect(answer.send([1, 2, 3]))
            _ = try recorder.messages(1)
            call.cancel()
            #expect(try recorder.end().code == .cancelled)
            call.cancel()
            call.resume()
            #expect(throws: GRPCSendError.over) { try call.send([1]) }
            #expect(try served.isCancelledAtEnd())
            #expect(answer.send([4]) == false)
            #expect(answer.isOver)
            try answer.finish(.ok)
        }
    }

    @Test func `is broken off by the server`() throws {
        let server = try TestServer { call in
            expectNoError { try call.accept() }
            return ServedCall(onMessage: { call, _ in call.cancel() })
        }
        defer { server.close() }
        let recorder = CallRecorder()
        try withChannel(server.target) { channel in
            let call = try channel.startCall("/test/Break", observer: recorder)
            try call.send([1])
            #expect(try recorder.end().code == .cancelled)
        }
    }

    @Test func `with nothing listening ends at once with UNAVAILABLE`() throws {
        let server = try TestServer(respond: echo)
        let target = server.target
        server.close()
        let recorder = CallRecorder()
        try withChannel(target) { channel in
            let call = try channel.startCall("/test/Echo", observer: recorder)
            let status = try recorder.end()
            #expect(status.code == .unavailable)
            #expect(status.message.contains("failed to connect") || !status.message.isEmpty)
            #expect(recorder.seen.withLock { $0.accepted.isEmpty })
            #expect(throws: GRPCSendError.over) { try call.send([1]) }
        }
    }

    @Test func `refuses a message over its limit with RESOURCE_EXHAUSTED`() throws {
        let server = try TestServer(respond: echo)
        defer { server.close() }
        try withChannel(server.target, { $0.receiveBytesMax = 1_024 }) { channel in
            let fits = CallRecorder()
            let first = try channel.startCall("/test/Echo", observer: fits)
            try first.send([UInt8](repeating: 7, count: 1_024))
            first.halfClose()
            #expect(try fits.end().code == .ok)
            let tooMuch = CallRecorder()
            let second = try channel.startCall("/test/Echo", observer: tooMuch)
            try second.send([UInt8](repeating: 7, count: 1_025))
            let status = try tooMuch.end()
            #expect(status.code == .resourceExhausted)
            #expect(status.message.contains("larger than max (1025 vs. 1024)"))
            #expect(tooMuch.seen.withLock { $0.messageCount } == 0)
        }
    }

    @Test func `over the server's limit is refused with RESOURCE_EXHAUSTED`() throws {
        let server = try TestServer({ $0.receiveBytesMax = 100 }, respond: echo)
        defer { server.close() }
        let recorder = CallRecorder()
        try withChannel(server.target) { channel in
            let call = try channel.startCall("/test/Echo", observer: recorder)
            try call.send([UInt8](repeating: 7, count: 101))
            #expect(try recorder.end().code == .resourceExhausted)
        }
    }

    @Test func `does not take a message over the send limit, nor more than its queue holds`() throws
    {
        let server = try TestServer { call in
            // Reads nothing, so that what is sent waits.
            call.pause()
            return nil
        }
        defer { server.close() }
        let recorder = CallRecorder()
        try withChannel(server.target, { $0.sendBytesMax = 1 << 20 }) { channel in
            let call = try channel.startCall("/test/Wait", observer: recorder)
            #expect(throws: GRPCSendError.tooLarge(bytesMax: 1 << 20)) {
                try call.send([UInt8](repeating: 0, count: (1 << 20) + 1))
            }
            let message = noise(1 << 20, seed: 9)
            #expect(throws: GRPCSendError.queueFull) {
                for _ in 0..<64 { try call.send(message) }
            }
            call.cancel()
            #expect(try recorder.end().code == .cancelled)
        }
    }

    @Test(arguments: [
        ("X-Token", "upper case"), ("", "empty"), ("x token", "space"), (":path", "pseudo"),
        ("grpc-timeout", "protocol"), ("te", "protocol"), ("content-type", "protocol"),
        ("x-\u{e9}", "not ASCII"),
    ])
    func `does not start with a key that is illegal`(key: String, why: String) throws {
        let recorder = CallRecorder()
        try withChannel("127.0.0.1:1") { channel in
            do {
                _ = try channel.startCall(
                    "/a/b",
                    metadata: [GRPCMetadataEntry(key, "v")],
                    observer: recorder
                )
                Issue.record("taken: \(key)")
            } catch GRPCError.invalidMetadata(let named, _) {
                #expect(named == key)
            }
        }
        #expect(recorder.seen.withLock { $0.statuses.isEmpty })
    }

    @Test func `does not start with an illegal value, too much metadata or an odd method`() throws {
        let recorder = CallRecorder()
        try withChannel("127.0.0.1:1") { channel in
            for value in ["a\nb", "\u{e9}", "a\u{0}"] {
                #expect(throws: GRPCError.self, "\(value)") {
                    try channel.startCall(
                        "/a/b",
                        metadata: [GRPCMetadataEntry("x-a", value)],
                        observer: recorder
                    )
                }
            }
            let many = (0...256).map { GRPCMetadataEntry("x-\($0)", "v") }
            #expect(throws: GRPCError.self) {
                try channel.startCall("/a/b", metadata: many, observer: recorder)
            }
            let long = [GRPCMetadataEntry("x-bin", bytes: noise(65_536, seed: 1))]
            #expect(throws: GRPCError.self) {
                try channel.startCall("/a/b", metadata: long, observer: recorder)
            }
            for method in [
                "", "a/b", "/a b", "/a\n", "/\u{e9}", "/" + String(repeating: "a", count: 1_024),
            ] {
                #expect(throws: GRPCError.invalidMethod(method)) {
                    try channel.startCall(method, observer: recorder)
                }
            }
        }
        #expect(recorder.seen.withLock { $0.statuses.isEmpty })
    }

    @Test func `brings its events off the main actor`() async throws {
        // A callback that the compiler took for one of the main actor's would trap on the core's
        // thread; here everything is started from the main actor on purpose.
        try await MainActor.run {
            let server = try TestServer(respond: echo)
            defer { server.close() }
            let recorder = CallRecorder()
            try withChannel(server.target) { channel in
                let call = try channel.startCall("/test/Echo", observer: recorder)
                try call.send([1, 2, 3])
                call.halfClose()
                #expect(try recorder.end().code == .ok)
                #expect(recorder.seen.withLock { $0.messages.map(\.bytes) } == [[1, 2, 3]])
            }
        }
    }

    @Test func `of one message each way gives its answer`() throws {
        let server = try TestServer { call in
            if call.method == "/test/Refuse" {
                expectNoError { try call.finish(.internal, message: "startup") }
                return nil
            }
            return echo(call)
        }
        defer { server.close() }
        let answers = Monitor<[GRPCUnaryAnswer]>([])
        try withChannel(server.target) { channel in
            for method in ["/test/Echo", "/test/Refuse"] {
                let count = answers.withLock { $0.count }
                try channel.callOnce(method, request: [8, 1], timeoutNanoseconds: 30_000_000_000) {
                    answer in answers.update { $0.append(answer) }
                }
                _ = try awaited(answers, "an answer") { $0.count > count ? true : nil }
            }
        }
        let (echoed, refused) = try answers.withLock { all in
            (try #require(all.first), try #require(all.last))
        }
        #expect(echoed.status.code == .ok)
        #expect(echoed.message == [8, 1])
        #expect(refused.status.description == "INTERNAL (13): startup")
        #expect(refused.message == nil)
    }
}
