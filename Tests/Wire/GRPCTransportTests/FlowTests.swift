import GRPCTransport
import Platform
import Testing

@Suite struct `The flow of messages` {
    /// A server that sends numbered messages from a thread of its own until the call is over.
    private final class Producer: Sendable {
        let sent = Monitor(0)
        private let thread = Monitor<Thread?>(nil)
        let count: Int
        let bytes: Int
        let flush: Bool

        init(count: Int, bytes: Int, flush: Bool = false) {
            self.count = count
            self.bytes = bytes
            self.flush = flush
        }

        func start(_ call: GRPCServerCall) {
            let started = try? Thread(name: "producer") { [self] in
                var message = [UInt8](repeating: 0x5a, count: bytes)
                for number in 0..<count {
                    message.withUnsafeMutableBytes {
                        $0.storeBytes(of: UInt64(number), as: UInt64.self)
                    }
                    guard call.send(message, flush: flush) else { return }
                    sent.update { $0 += 1 }
                }
                expectNoError { try call.finish(.ok) }
            }
            thread.withLock { $0 = started }
        }

        func join() { ending("a producer") { self.thread.withLock { $0 }?.join() } }
    }

    @Test func `keeps order and loses nothing with buffered sends`() throws {
        let producer = Producer(count: 5_001, bytes: 1_000)
        let server = try TestServer { call in
            producer.start(call)
            return nil
        }
        defer { server.close() }
        let recorder = CallRecorder()
        try withChannel(server.target) { channel in
            _ = try channel.startCall("/test/Stream", observer: recorder)
            #expect(try recorder.end().code == .ok)
        }
        producer.join()
        let numbers = recorder.seen.withLock { seen in
            seen.messages.map { message in
                message.bytes.withUnsafeBytes { $0.loadUnaligned(as: UInt64.self) }
            }
        }
        #expect(numbers == Array(0..<5_001))
        #expect(recorder.seen.withLock { $0.messages.allSatisfy { $0.bytes.count == 1_000 } })
    }

    @Test func `stops while the client pauses, and goes on after`() throws {
        // Far more than the windows of HTTP/2 and the sockets hold.
        let total = 20_000
        let pauseAt = 100
        let producer = Producer(count: total, bytes: 2_048)
        let server = try TestServer { call in
            producer.start(call)
            return nil
        }
        defer { server.close() }
        let recorder = CallRecorder(keepsMessages: false) { call, count in
            if count == pauseAt { call.pause() }
        }
        try withChannel(server.target) { channel in
            let call = try channel.startCall("/test/Stream", observer: recorder)
            _ = try awaited(recorder.seen, "the pause") { $0.messageCount >= pauseAt ? true : nil }
            // Until the producer makes no progress any more.
            var last = -1
            while true {
                let now = producer.sent.withLock { $0 }
                if now == last { break }
                last = now
                let clock = SystemClock()
                let quiet = clock.monotonicNanoseconds() + 500_000_000
                _ = producer.sent.wait(deadline: quiet) { $0 > now + 200 ? true : nil }
            }
            #expect(recorder.seen.withLock { $0.messageCount } == pauseAt)
            #expect(last < total, "the producer must be held back")
            #expect(last >= pauseAt)
            call.resume()
            #expect(try recorder.end().code == .ok)
            #expect(recorder.seen.withLock { $0.messageCount } == total)
        }
        producer.join()
        #expect(producer.sent.withLock { $0 } == total)
    }

    @Test func `paused for ever does not hold the end back`() throws {
        let producer = Producer(count: 20_000, bytes: 2_048)
        let served = ServedCall()
        let server = try TestServer { call in
            producer.start(call)
            return served
        }
        defer { server.close() }
        let recorder = CallRecorder(keepsMessages: false) { call, _ in call.pause() }
        try withChannel(server.target) { channel in
            let call = try channel.startCall("/test/Stream", observer: recorder)
            _ = try awaited(recorder.seen, "a message") { $0.messageCount > 0 ? true : nil }
            call.cancel()
            #expect(try recorder.end().code == .cancelled)
        }
        #expect(try served.isCancelledAtEnd())
        producer.join()
        #expect(recorder.seen.withLock { $0.messageCount } == 1)
    }

    @Test func `may be stopped and released inside every event`() throws {
        let producer = Producer(count: 500, bytes: 100)
        let server = try TestServer { call in
            producer.start(call)
            return nil
        }
        defer { server.close() }
        let recorder = CallRecorder(keepsMessages: false) { call, count in
            call.pause()
            if count % 2 == 0 { call.pause() }
            call.resume()
        }
        try withChannel(server.target) { channel in
            _ = try channel.startCall("/test/Stream", observer: recorder)
            #expect(try recorder.end().code == .ok)
        }
        producer.join()
        #expect(recorder.seen.withLock { $0.messageCount } == 500)
    }

    @Test func `from a client stops while the server pauses`() throws {
        let served = ServedCall()
        let server = try TestServer { call in
            call.pause()
            return served
        }
        defer { server.close() }
        let recorder = CallRecorder()
        try withChannel(server.target) { channel in
            let call = try channel.startCall("/test/Take", observer: recorder)
            try call.send([1])
            try call.send([2])
            call.halfClose()
            let answer = try server.firstCall()
            #expect(answer.send([9]))
            _ = try recorder.messages(1)
            #expect(served.seen.withLock { $0.messages.isEmpty })
            answer.resume()
            _ = try awaited(served.seen, "the half close") { $0.halfCloses == 1 ? true : nil }
            #expect(served.seen.withLock { $0.messages.map(\.bytes) } == [[1], [2]])
            try answer.finish(.ok)
            #expect(try recorder.end().code == .ok)
        }
    }

    @Test func `finished behind a message under way sends that message first`() throws {
        let server = try TestServer { call in
            expectNoError {
                let text = noise(3 << 20, seed: 4)
                #expect(text.withUnsafeBytes { call.trySend($0, flush: false) } == .started)
                #expect(text.withUnsafeBytes { call.trySend($0) } == .busy)
                try call.finish(.dataLoss, message: "lagged")
                #expect(text.withUnsafeBytes { call.trySend($0) } == .over)
            }
            return nil
        }
        defer { server.close() }
        let recorder = CallRecorder()
        try withChannel(server.target) { channel in
            _ = try channel.startCall("/test/Finish", observer: recorder)
            let status = try recorder.end()
            #expect(status.description == "DATA_LOSS (15): lagged")
            #expect(
                recorder.seen.withLock { $0.messages.map(\.bytes) } == [noise(3 << 20, seed: 4)]
            )
        }
    }

    @Test func `to 64 clients at once loses nothing`() throws {
        let perClient = 300
        let producers = Monitor<[Producer]>([])
        let server = try TestServer { call in
            let producer = Producer(count: perClient, bytes: 500)
            producers.withLock { $0.append(producer) }
            producer.start(call)
            return nil
        }
        defer { server.close() }
        let channels = try (0..<64).map { _ in
            try GRPCChannel(GRPCChannelOptions(target: server.target, security: .plaintext))
        }
        defer { for channel in channels { ending("a channel") { channel.close() } } }
        let recorders = try channels.map { channel in
            let recorder = CallRecorder()
            _ = try channel.startCall("/test/Stream", observer: recorder)
            return recorder
        }
        for recorder in recorders {
            #expect(try recorder.end().code == .ok)
            let numbers = recorder.seen.withLock { seen in
                seen.messages.map { message in
                    message.bytes.withUnsafeBytes { $0.loadUnaligned(as: UInt64.self) }
                }
            }
            #expect(numbers == Array(0..<UInt64(perClient)))
        }
        // One connection each.
        #expect(server.calls.withLock { Set($0.map(\.peer)).count } == 64)
        for producer in producers.withLock({ $0 }) { producer.join() }
    }
}
