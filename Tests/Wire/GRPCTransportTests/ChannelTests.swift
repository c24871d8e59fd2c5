import Foundation
import GRPCTransport
import Platform
import Testing

@Suite struct `A channel` {
    @Test func `has a connection of its own, shared by its calls`() throws {
        let server = try TestServer(respond: echo)
        defer { server.close() }
        let channels = try (0..<3).map { _ in
            try GRPCChannel(GRPCChannelOptions(target: server.target, security: .plaintext))
        }
        defer { for channel in channels { ending("a channel") { channel.close() } } }
        for channel in channels {
            for _ in 0..<2 {
                let recorder = CallRecorder()
                let call = try channel.startCall("/test/Echo", observer: recorder)
                call.halfClose()
                #expect(try recorder.end().code == .ok)
            }
        }
        let peers = server.calls.withLock { $0.map(\.peer) }
        #expect(peers.count == 6)
        #expect(Set(peers).count == 3)
    }

    @Test func `takes no notice of a proxy in the environment`() async {
        // In a process of its own: the environment belongs to all threads.
        await #expect(processExitsWith: .success) {
            for name in ["http_proxy", "https_proxy", "grpc_proxy", "HTTP_PROXY", "all_proxy"] {
                setenv(name, "http://127.0.0.1:9", 1)
            }
            unsetenv("no_proxy")
            unsetenv("no_grpc_proxy")
            let server = try TestServer(respond: echo)
            defer { server.close() }
            let recorder = CallRecorder()
            let status = try withChannel(server.target) { channel in
                let call = try channel.startCall("/test/Echo", observer: recorder)
                call.halfClose()
                return try recorder.end()
            }
            guard status.code == .ok else {
                print(status)
                exit(1)
            }
        }
    }

    @Test func `closed cancels its calls and starts no more`() throws {
        let served = ServedCall()
        let server = try TestServer { _ in served }
        defer { server.close() }
        let channel = try GRPCChannel(
            GRPCChannelOptions(target: server.target, security: .plaintext)
        )
        let recorders = try (0..<5).map { _ in
            let recorder = CallRecorder()
            _ = try channel.startCall("/test/Never", observer: recorder)
            return recorder
        }
        ending("a channel") { channel.close() }
        ending("a closed channel") { channel.close() }
        for recorder in recorders {
            // The end has come before `close` returned.
            #expect(recorder.seen.withLock { $0.statuses.map(\.code) } == [.cancelled])
        }
        #expect(throws: GRPCError.closed) {
            try channel.startCall("/test/Never", observer: CallRecorder())
        }
    }

    @Test(arguments: [
        "", "127.0.0.1", "127.0.0.1:", "127.0.0.1:http", "127.0.0.1:65536", "127.0.0.1:+1", ":1",
        "unix:", "xds:///a:1", "http://a:1", "a b:1", "::1:50", "a,b:1", "dns:///a:1", "a/b:1",
        "a:1\u{0}", "[::1]", "[::1:5",
    ])
    func `is not made for an address that is none`(target: String) {
        #expect(throws: GRPCError.invalidTarget(target)) {
            try GRPCChannel(GRPCChannelOptions(target: target, security: .plaintext))
        }
    }

    @Test func `reaches a Unix socket`() throws {
        let path = "/tmp/tapedeck-grpc-\(getpid()).sock"
        defer { unlink(path) }
        let server = try TestServer({ $0.address = "unix:\(path)" }, respond: echo)
        defer { server.close() }
        #expect(server.port == 0)
        let recorder = CallRecorder()
        try withChannel("unix:\(path)") { channel in
            let call = try channel.startCall("/test/Echo", observer: recorder)
            try call.send([5])
            call.halfClose()
            #expect(try recorder.end().code == .ok)
        }
        #expect(recorder.seen.withLock { $0.messages.map(\.bytes) } == [[5]])
    }

    @Test func `gives up on a peer that accepts but never speaks`() throws {
        let listener = try SilentListener(greeting: [])
        defer { listener.close() }
        let recorder = CallRecorder()
        try withChannel(listener.target, { $0.connectMillisecondsMax = 300 }) { channel in
            _ = try channel.startCall("/test/Silent", observer: recorder)
            #expect(try recorder.end().code == .unavailable)
        }
    }

    @Test func `finds a peer that has stopped answering by its pings`() throws {
        // An empty SETTINGS frame: the connection stands, then nothing ever comes.
        let listener = try SilentListener(greeting: [0, 0, 0, 4, 0, 0, 0, 0, 0])
        defer { listener.close() }
        let recorder = CallRecorder()
        let change = { (options: inout GRPCChannelOptions) in
            options.keepaliveMilliseconds = 1_000
            options.keepaliveTimeoutMilliseconds = 500
        }
        try withChannel(listener.target, change) { channel in
            _ = try channel.startCall("/test/Frozen", observer: recorder)
            let status = try recorder.end()
            #expect(status.code == .unavailable)
            #expect((status.message + status.debug).contains("keepalive watchdog timeout"))
        }
    }

    @Test func `sends its lines of error to a sink`() throws {
        let lines = Monitor<[String]>([])
        CoreLog.setSink { line in lines.update { $0.append(line) } }
        defer { CoreLog.setSink(nil) }
        let first = try TestServer(respond: echo)
        defer { first.close() }
        #expect(throws: GRPCError.self) {
            try TestServer({ $0.address = first.target }, respond: echo)
        }
        #expect(lines.withLock { $0.contains { $0.contains("\(first.port)") } })
    }
}

/// A TCP listener that accepts, says one thing and then neither reads nor writes.
final class SilentListener: Sendable {
    private let listening: Int32
    private let accepted = Monitor<[Int32]>([])
    private let greeting: [UInt8]
    private let thread = Monitor<Platform.Thread?>(nil)
    let port: UInt16

    init(greeting: [UInt8]) throws {
        self.greeting = greeting
        listening = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = in_addr_t(bigEndian: 0x7f00_0001)
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let descriptor = listening
        let isListening = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                bind(descriptor, address, length) == 0 && listen(descriptor, 8) == 0
                    && getsockname(descriptor, address, &length) == 0
            }
        }
        try #require(isListening)
        port = UInt16(bigEndian: address.sin_port)
        let started = try Platform.Thread(name: "silent") { [self] in
            while true {
                let connection = accept(descriptor, nil, nil)
                if connection < 0 { return }
                _ = self.greeting.withUnsafeBytes {
                    send(connection, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
                }
                accepted.withLock { $0.append(connection) }
            }
        }
        thread.withLock { $0 = started }
    }

    var target: String { "127.0.0.1:\(port)" }

    func close() {
        shutdown(listening, Int32(SHUT_RDWR))
        ending("the listener") { self.thread.withLock { $0 }?.join() }
        for descriptor in accepted.withLock({ $0 }) + [listening] { Foundation.close(descriptor) }
    }
}
