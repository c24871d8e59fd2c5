import GRPCTransport
import Platform
import Testing

@Suite struct `A server` {
    @Test func `has its port for itself`() throws {
        let first = try TestServer(respond: echo)
        defer { first.close() }
        #expect(first.port > 0)
        let taken = GRPCError.cannotListen(
            address: first.target,
            reason: "Address already in use"
        )
        #expect(throws: taken) {
            try TestServer({ $0.address = first.target }, respond: echo)
        }
        #expect(taken.description == "cannot listen on \(first.target): Address already in use")
        // The first is not harmed.
        let recorder = CallRecorder()
        try withChannel(first.target) { channel in
            let call = try channel.startCall("/test/Echo", observer: recorder)
            call.halfClose()
            #expect(try recorder.end().code == .ok)
        }
    }

    @Test func `frees its port when it closes`() throws {
        let first = try TestServer(respond: echo)
        let target = first.target
        first.close()
        let second = try TestServer({ $0.address = target }, respond: echo)
        #expect(second.target == target)
        second.close()
    }

    @Test func `does not listen where it cannot`() throws {
        #expect(throws: GRPCError.invalidTarget("nonsense")) {
            try TestServer({ $0.address = "nonsense" }, respond: echo)
        }
        // TEST-NET-1: no machine has this address.
        let foreign = GRPCError.cannotListen(
            address: "192.0.2.1:1234",
            reason: "Cannot assign requested address"
        )
        #expect(throws: foreign) {
            try TestServer({ $0.address = "192.0.2.1:1234" }, respond: echo)
        }
    }

    @Test func `that closes gives its calls the grace time, and takes no new ones`() throws {
        let served = ServedCall()
        let server = try TestServer { _ in served }
        let recorder = CallRecorder()
        try withChannel(server.target) { channel in
            let call = try channel.startCall("/test/Long", observer: recorder)
            try call.send([1])
            let answer = try server.firstCall()
            let closing = Monitor(false)
            let thread = try Thread(name: "closer") {
                server.close(graceMilliseconds: 60_000)
                closing.update { $0 = true }
            }
            // The call works on while the server closes, and its end lets the server go.
            for number in 0..<10 { #expect(answer.send([UInt8(number)])) }
            _ = try recorder.messages(10)
            #expect(closing.withLock { $0 } == false)
            try answer.finish(.ok, message: "done")
            #expect(try recorder.end().description == "OK (0): done")
            ending("the closing") { thread.join() }
            #expect(closing.withLock { $0 })
            #expect(try served.isCancelledAtEnd() == false)
            let late = CallRecorder()
            _ = try channel.startCall("/test/Late", observer: late)
            #expect(try late.end().code == .unavailable)
        }
    }

    @Test func `that closes cancels what outlasts the grace time`() throws {
        let served = ServedCall()
        let sent = Monitor(0)
        let producer = Monitor<Thread?>(nil)
        let server = try TestServer { call in
            let thread = try? Thread(name: "endless") {
                while call.send([UInt8](repeating: 1, count: 1_000), flush: false) {
                    sent.update { $0 += 1 }
                }
            }
            producer.withLock { $0 = thread }
            return served
        }
        let recorder = CallRecorder(keepsMessages: false)
        try withChannel(server.target) { channel in
            _ = try channel.startCall("/test/Endless", observer: recorder)
            _ = try recorder.messages(100)
            server.close(graceMilliseconds: 100)
            // All of it is over when `close` returns.
            #expect(server.callCount == 0)
            #expect(served.seen.withLock { $0.closes } == [true])
            ending("the producer") { producer.withLock { $0 }?.join() }
            #expect(try recorder.end().code != .ok)
        }
    }

    @Test func `with an idle client closes without waiting for it`() throws {
        let server = try TestServer(respond: echo)
        let recorder = CallRecorder()
        try withChannel(server.target) { channel in
            let call = try channel.startCall("/test/Echo", observer: recorder)
            call.halfClose()
            #expect(try recorder.end().code == .ok)
            server.close(graceMilliseconds: 600_000)
            server.close(graceMilliseconds: 600_000)
        }
    }

    @Test func `turns calls away beyond its limit, and takes them again after`() throws {
        let server = try TestServer({ $0.callsMax = 2 }) { _ in ServedCall() }
        defer { server.close() }
        try withChannel(server.target) { channel in
            let kept = try (0..<2).map { _ in
                let recorder = CallRecorder()
                return (try channel.startCall("/test/Stay", observer: recorder), recorder)
            }
            _ = try awaited(server.calls, "two calls") { $0.count == 2 ? true : nil }
            let third = CallRecorder()
            _ = try channel.startCall("/test/Third", observer: third)
            #expect(try third.end().code == .resourceExhausted)
            for (call, recorder) in kept {
                call.cancel()
                #expect(try recorder.end().code == .cancelled)
            }
            // The server learns of a cancellation a moment later than the client.
            var code = GRPCStatusCode.resourceExhausted
            for _ in 0..<10_000 where code == .resourceExhausted {
                let fourth = CallRecorder()
                let call = try channel.startCall(
                    "/test/Fourth",
                    timeoutNanoseconds: 200_000_000,
                    observer: fourth
                )
                _ = call
                code = try fourth.end().code
            }
            #expect(code == .deadlineExceeded)
        }
    }

    @Test func `refuses metadata that may not be sent, and the call lives on`() throws {
        let server = try TestServer { call in
            #expect(throws: GRPCError.self) { try call.accept([GRPCMetadataEntry("Bad", "v")]) }
            #expect(throws: GRPCError.self) {
                try call.finish(.ok, trailers: [GRPCMetadataEntry("grpc-status", "0")])
            }
            expectNoError {
                try call.finish(.ok, message: "fine")
                try call.finish(.internal, message: "too late")
            }
            return nil
        }
        defer { server.close() }
        let recorder = CallRecorder()
        try withChannel(server.target) { channel in
            _ = try channel.startCall("/test/Bad", observer: recorder)
            #expect(try recorder.end().description == "OK (0): fine")
        }
    }
}
