import GRPCTransport
import GeyserDecoding
import Observability
import Platform
import RecordModel
import SegmentLog
import Testing

@testable import Capture
@testable import GeyserSource

/// A Yellowstone-shaped server: each call gets a thread that runs the script of its number.
private final class ScriptedServer: GRPCAcceptor {
    typealias Script = @Sendable (GRPCServerCall, Int) throws -> Void
    private let script: Script
    private let threads = Monitor<[Thread]>([])
    private let server = Monitor<GRPCServer?>(nil)
    let requests = Monitor<[[UInt8]]>([])

    private final class Requests: GRPCServerCallObserver {
        let server: ScriptedServer
        init(_ server: ScriptedServer) { self.server = server }
        func callReceived(_ call: GRPCServerCall, message: GRPCMessage) {
            server.requests.update { $0.append(Array(message.bytes)) }
        }
    }

    init(_ script: @escaping Script) throws {
        self.script = script
        let made = try GRPCServer(GRPCServerOptions(address: "127.0.0.1:0"), acceptor: self)
        server.withLock { $0 = made }
    }

    func serverCalled(_ call: GRPCServerCall) -> (any GRPCServerCallObserver)? {
        let number = threads.withLock { $0.count + 1 }
        do {
            let thread = try Thread(name: "script") { [script] in
                do { try script(call, number) } catch { Issue.record(error) }
            }
            threads.withLock { $0.append(thread) }
        } catch { Issue.record(error) }
        return Requests(self)
    }

    func source(
        _ change: (inout GeyserSubscription.Options) -> Void = { _ in }
    ) throws -> GeyserSubscription {
        let port = server.withLock { $0?.port ?? 0 }
        var request = SubscribeRequest()
        request.commitment = 1
        var options = GeyserSubscription.Options(
            id: "geyser-1",
            address: try GeyserAddress("http://127.0.0.1:\(port)"),
            request: request
        )
        options.policy.backoff.first = 20_000_000
        change(&options)
        return GeyserSubscription(options, clock: SystemClock())
    }

    func close() {
        server.withLock { $0 }?.close(graceMilliseconds: 0)
        for thread in threads.withLock({ $0 }) { thread.join() }
    }
}

private func message(_ number: Int) -> [UInt8] {
    (0..<(number * 37 % 3_000)).map { UInt8(truncatingIfNeeded: $0 &* 7 &+ number) }
}

@Suite struct GeyserCaptureTests {
    @Test func `every message is recorded byte for byte`() throws {
        let count = 2_000
        let server = try ScriptedServer { call, _ in
            try call.accept([GRPCMetadataEntry("x-server", "a")])
            for number in 0..<count { _ = call.send(message(number)) }
            try call.finish(.ok, message: "", trailers: [GRPCMetadataEntry("x-end", "b")])
        }
        defer { server.close() }
        let deck = try Deck()
        let source = try server.source { $0.policy.endsWithStream = true }
        let statuses = try deck.record([source])
        #expect(statuses.first?.state == .ended(.done))
        let records = try deck.records()
        let frames = records.of(.grpcMessageIn)
        #expect(frames.map(\.payload) == (0..<count).map(message))
        #expect(records.of(.grpcMessageOut).map(\.payload) == [[0x30, 1]])
        #expect(server.requests.withLock { $0 } == [[0x30, 1]])
        #expect(records.of(.gapOpened).isEmpty)
        let closed = try #require(records.of(.streamClosed).first?.fields)
        #expect(closed.unsigned(.statusCode) == 0)
        #expect(closed.unsigned(.frames) == UInt64(count))
        #expect(closed.pairs(.trailer).map(\.name).contains("x-end"))
        let order: [RecordKind] = [
            .runStarted, .sourceDeclared, .streamOpened, .subscriptionDecided, .grpcMessageOut,
            .streamAccepted,
        ]
        #expect(Array(records.kinds.prefix(6)) == order)
        let stream = try #require(records.of(.streamOpened).first).envelope.sequence
        #expect(frames.allSatisfy { $0.envelope.stream == stream })
    }

    @Test func `a broken stream leaves a gap with both ends and is opened again`() throws {
        let server = try ScriptedServer { call, number in
            _ = call.send([UInt8(number)])
            if number == 1 {
                try call.finish(.internal, message: "lagged to send an update")
            } else {
                _ = call.send([9])
                try call.finish(.ok, message: "")
            }
        }
        defer { server.close() }
        let deck = try Deck()
        try deck.record([try server.source()]) { $0.frames.value >= 3 }
        let records = try deck.records()
        let gap = try #require(records.of(.gapOpened).first)
        let frames = records.of(.grpcMessageIn)
        let closed = try #require(records.of(.streamClosed).first)
        #expect(gap.fields.unsigned(.fromSequence) == closed.envelope.sequence.value)
        #expect(gap.fields.text(.cause) == "grpc_internal")
        #expect(gap.fields.text(.source) == "geyser-1")
        #expect(gap.envelope.stream == .none)
        let bound = try #require(records.of(.gapBounded).first?.fields)
        #expect(bound.unsigned(.gap) == gap.envelope.sequence.value)
        #expect(bound.unsigned(.toSequence) == frames[1].envelope.sequence.value)
        #expect(records.of(.gapOpened).count == 1)
    }

    /// Breaks once, then goes on.
    private static func breaking() throws -> ScriptedServer {
        try ScriptedServer { call, number in
            _ = call.send([UInt8(truncatingIfNeeded: number)])
            guard number > 1 else {
                try call.finish(.unavailable, message: "restart")
                return
            }
            while call.send([9]) { Thread.sleep(nanoseconds: 1_000_000) }
        }
    }

    @Test func `a bounded gap is given up, and no frame is needed for it`() throws {
        let server = try Self.breaking()
        defer { server.close() }
        let deck = try Deck()
        let policy = GapMachine.Policy(hold: 30_000_000, reason: "not filled within 30ms")
        try deck.record([try server.source()], gapPolicy: policy) { $0.gapsAbandoned.value == 1 }
        let records = try deck.records()
        let gap = try #require(records.of(.gapOpened).first)
        let bound = try #require(records.of(.gapBounded).first)
        let end = try #require(records.of(.gapAbandoned).first)
        #expect(records.of(.gapAbandoned).count == 1)
        #expect(end.envelope.stream == .none)
        #expect(end.envelope.monotonic >= bound.envelope.monotonic + 30_000_000)
        #expect(end.fields.unsigned(.gap) == gap.envelope.sequence.value)
        #expect(end.fields.text(.source) == "geyser-1")
        #expect(end.fields.text(.cause) == "grpc_unavailable")
        #expect(end.fields.text(.text) == "not filled within 30ms")
        #expect(end.fields.unsigned(.toSequence) == bound.fields.unsigned(.toSequence))
        #expect(deck.notices.withLock { $0 }.contains { $0.text.contains("is given up") })
        // Nothing of it is in force any more: the next run finds no gap.
        let log = try LogWriter(
            path: deck.path,
            disk: LinuxFileSystem(),
            clock: SystemClock(),
            random: SystemRandom(),
            options: LogOptions()
        )
        #expect(GapLedger(log.recovery).open.isEmpty)
        try log.close(cause: "test")
    }

    @Test func `a gap that is left at the end is given up by a later run, by the time between`()
        throws
    {
        let server = try Self.breaking()
        defer { server.close() }
        let deck = try Deck()
        let patient = GapMachine.Policy(hold: 3_600_000_000_000, reason: "not filled within 1h")
        try deck.record([try server.source()], gapPolicy: patient) { $0.frames.value >= 5 }
        var records = try deck.records()
        #expect(records.of(.gapBounded).count == 1)
        #expect(records.of(.gapAbandoned).isEmpty)
        // One nanosecond has passed since the bound, whatever the machine's speed.
        let hasty = GapMachine.Policy(hold: 1, reason: "not filled within 1ns")
        try deck.record([try server.source()], gapPolicy: hasty) { $0.gapsAbandoned.value == 1 }
        records = try deck.records()
        let gap = try #require(records.of(.gapOpened).first)
        let end = try #require(records.of(.gapAbandoned).first)
        #expect(records.of(.gapOpened).count == 1)
        #expect(records.of(.gapAbandoned).count == 1)
        #expect(end.fields.unsigned(.gap) == gap.envelope.sequence.value)
        #expect(end.fields.text(.cause) == "grpc_unavailable")
        #expect(end.fields.unsigned(.toSequence) != nil)
    }

    @Test func `a refused token ends the source and is nowhere to be read`() throws {
        let token = "tok-3f9a8b7c6d5e4f30"
        let server = try ScriptedServer { call, _ in
            try call.finish(
                .unauthenticated,
                message: "token \(token) is not known",
                trailers: [GRPCMetadataEntry("x-echo", token)]
            )
        }
        defer { server.close() }
        let deck = try Deck()
        let source = try server.source { $0.token = token }
        let statuses = try deck.record([source], secrets: [token])
        guard case .ended(.failed(let text))? = statuses.first?.state else {
            Issue.record("not given up: \(statuses)")
            return
        }
        #expect(text.contains("UNAUTHENTICATED"))
        #expect(!text.contains(token))
        #expect(!deck.notices.withLock { $0 }.contains { $0.text.contains(token) })
        let records = try deck.records()
        #expect(records.of(.gapOpened).isEmpty)
        for record in records where record.envelope.kind.isEvent {
            #expect(!String(decoding: record.payload, as: UTF8.self).contains(token))
        }
        let opened = try #require(records.of(.streamOpened).first?.fields)
        #expect(
            opened.pairs(.requestMetadata).first { $0.name == "x-token" }?.value
                == Array("***".utf8)
        )
        let closed = try #require(records.of(.streamClosed).first?.fields)
        #expect(closed.unsigned(.statusCode) == 16)
        #expect(closed.text(.statusText) == "token *** is not known")
        #expect(try !deck.holds(token))
    }

    @Test func `a frame with a secret is kept as it is and flagged`() throws {
        let token = "tok-3f9a8b7c6d5e4f30"
        let server = try ScriptedServer { call, _ in
            _ = call.send(Array("clean".utf8))
            _ = call.send(Array("your \(token)!".utf8))
            _ = call.send(Array("again \(token)!".utf8))
            try call.finish(.ok, message: "")
        }
        defer { server.close() }
        let deck = try Deck()
        let source = try server.source { $0.policy.endsWithStream = true }
        try deck.record([source], secrets: [token])
        let frames = try deck.records().of(.grpcMessageIn)
        #expect(frames.map { $0.envelope.flags.contains(.containsSecret) } == [false, true, true])
        #expect(frames[1].payload == Array("your \(token)!".utf8))
        let alerts = deck.notices.withLock { $0 }.filter { $0.text.contains("secret") }
        #expect(alerts.count == 1)
    }

    @Test func `nothing listening is a connect error without a gap`() throws {
        let server = try ScriptedServer { _, _ in }
        let source = try server.source {
            $0.policy.endsWithStream = true
            $0.policy.attemptsMax = 2
        }
        server.close()
        let deck = try Deck()
        let statuses = try deck.record([source])
        #expect(statuses.first?.wasAccepted == false)
        let records = try deck.records()
        #expect(records.of(.connectError).count == 2)
        #expect(records.of(.streamClosed).isEmpty)
        #expect(records.of(.gapOpened).isEmpty)
        #expect(records.of(.connectError).first?.fields.text(.cause) == "connect_failed")
    }

    @Test func `a message over the limit ends the stream with its cause`() throws {
        let server = try ScriptedServer { call, _ in
            _ = call.send([1])
            _ = call.send([UInt8](repeating: 7, count: 5_000))
            try call.finish(.ok, message: "")
        }
        defer { server.close() }
        let deck = try Deck()
        let source = try server.source {
            $0.receiveBytesMax = 2_048
            $0.policy.endsWithStream = true
        }
        try deck.record([source])
        let records = try deck.records()
        #expect(records.of(.streamClosed).first?.fields.text(.cause) == "message_too_large")
        #expect(records.of(.gapOpened).first?.fields.text(.cause) == "message_too_large")
        #expect(records.of(.grpcMessageIn).map(\.payload) == [[1]])
    }

    @Test func `compressed messages stay compressed and their encoding is told before them`()
        throws
    {
        let server = try ScriptedServer { call, _ in
            try call.accept(encoding: .gzip)
            _ = call.send([1], isCompressed: false)
            _ = call.send([2, 2], isCompressed: true)
            _ = call.send([3, 3], isCompressed: true)
            try call.finish(.ok, message: "")
        }
        defer { server.close() }
        let deck = try Deck()
        let source = try server.source {
            $0.acceptedEncodings = [.identity, .gzip]
            $0.policy.endsWithStream = true
        }
        try deck.record([source])
        let records = try deck.records()
        let frames = records.of(.grpcMessageIn)
        #expect(frames.map(\.payload) == [[1], [2, 2], [3, 3]])
        #expect(frames.map(\.envelope.wireByte) == [0, 1, 1])
        let told = records.of(.streamAccepted).filter {
            $0.fields.pairs(.responseMetadata).contains {
                $0.name == "grpc-encoding" && $0.value == Array("gzip".utf8)
            }
        }
        #expect(told.count == 1)
        #expect(told[0].envelope.sequence < frames[1].envelope.sequence)
    }

    @Test func `a stop on request closes without a gap`() throws {
        let server = try ScriptedServer { call, _ in
            var number = 0
            while call.send([UInt8(truncatingIfNeeded: number)]) { number += 1 }
        }
        defer { server.close() }
        let deck = try Deck()
        let statuses = try deck.record([try server.source()]) { $0.frames.value > 100 }
        #expect(statuses.first?.state == .ended(.done))
        let records = try deck.records()
        #expect(records.of(.gapOpened).isEmpty)
        #expect(records.of(.streamClosed).first?.fields.boolean(.onRequest) == true)
        #expect(records.kinds.last == .runEnded)
    }

    @Test func `exactly as many frames as wanted are recorded`() throws {
        let server = try ScriptedServer { call, _ in
            var number = 0
            while call.send(message(number)) { number += 1 }
        }
        defer { server.close() }
        let deck = try Deck()
        try deck.record([try server.source()], framesMax: 137)
        let frames = try deck.records().of(.grpcMessageIn)
        #expect(frames.map(\.payload) == (0..<137).map(message))
    }

    @Test func `a tiny queue pauses the source and loses nothing`() throws {
        let count = 3_000
        let server = try ScriptedServer { call, _ in
            for number in 0..<count {
                _ = call.send([UInt8](repeating: UInt8(number % 251), count: 9_000))
            }
            try call.finish(.ok, message: "")
        }
        defer { server.close() }
        let deck = try Deck()
        var options = LogOptions()
        options.queueBytesMax = 1
        options.compressors = 1
        let source = try server.source { $0.policy.endsWithStream = true }
        try deck.record([source], options: options)
        let frames = try deck.records().of(.grpcMessageIn)
        #expect(frames.count == count)
        #expect(frames.indices.allSatisfy { frames[$0].payload.first == UInt8($0 % 251) })
    }

    @Test func `a run that crashed leaves a gap for its open stream`() throws {
        let deck = try Deck()
        try deck.crash { log in
            var fields = EventFields()
            fields.add(.source, "geyser-1")
            let stream = try log.append(event: .streamOpened, fields: fields).sequence
            try log.append(event: .streamAccepted, stream: stream, fields: EventFields())
            var second = EventFields()
            second.add(.source, "never-accepted")
            try log.append(event: .streamOpened, fields: second)
        }
        let server = try ScriptedServer { call, _ in
            _ = call.send([1])
            try call.finish(.ok, message: "")
        }
        defer { server.close() }
        let source = try server.source { $0.policy.endsWithStream = true }
        try deck.record([source])
        let records = try deck.records()
        let gap = try #require(records.of(.gapOpened).first)
        #expect(records.of(.gapOpened).count == 1)
        #expect(gap.fields.text(.cause) == "crash")
        #expect(gap.fields.text(.source) == "geyser-1")
        let bound = try #require(records.of(.gapBounded).first?.fields)
        #expect(bound.unsigned(.gap) == gap.envelope.sequence.value)
        let frame = try #require(records.of(.grpcMessageIn).first)
        #expect(bound.unsigned(.toSequence) == frame.envelope.sequence.value)
    }

    @Test func `pings go out inside the stream and are recorded`() throws {
        let isRecorded = Monitor(false)
        let server = try ScriptedServer { call, _ in
            try call.accept([GRPCMetadataEntry("x-server", "a")])
            isRecorded.wait { $0 ? () : nil }
        }
        defer { server.close() }
        defer { isRecorded.update { $0 = true } }
        let deck = try Deck()
        let source = try server.source { $0.pingNanoseconds = 10_000_000 }
        let requests = server.requests
        try deck.record([source]) { _ in requests.withLock { $0.count } >= 3 }
        let sent = try deck.records().of(.grpcMessageOut).map(\.payload)
        // SubscribeRequest { ping: { id: 1 } }, { id: 2 }, by hand.
        #expect(Array(sent.prefix(3)) == [[0x30, 1], [0x4A, 2, 0x08, 1], [0x4A, 2, 0x08, 2]])
    }

    @Test(arguments: [
        ("https://example.org", "example.org:443", true),
        ("http://127.0.0.1:10000/", "127.0.0.1:10000", false),
        ("HTTPS://[::1]:9", "[::1]:9", true),
    ])
    func `an address is understood`(text: String, target: String, isSecure: Bool) throws {
        let address = try GeyserAddress(text)
        #expect(address.target == target)
        #expect(address.isSecure == isSecure)
    }

    @Test(arguments: [
        ("ftp://a", GeyserAddress.ParseError.unsupportedScheme), ("https://", .invalidHost),
        ("https://u:p@h", .credentials), ("https://h/key", .path), ("https://h?x", .path),
        ("https://h:0", .invalidPort), ("https://h:65536", .invalidPort),
        ("https://h:+1", .invalidPort), ("https://h:", .invalidPort),
        ("https://a b", .invalidHost), ("https://[::1", .invalidHost),
    ])
    func `a wrong address is refused`(text: String, error: GeyserAddress.ParseError) {
        #expect(throws: error) { try GeyserAddress(text) }
    }
}
