import Foundation
import Platform
import Testing
import WebSocketProtocol
import WebSocketTransport

/// A private authority and a server certificate for `localhost` and 127.0.0.1, made by the
/// `openssl` command once a test run.
private struct Certificates: Sendable {
    let authority: [UInt8]
    let chain: [UInt8]
    let key: [UInt8]
    /// The certificate of another authority.
    let stranger: [UInt8]

    static let made = Result { try Certificates() }

    private init() throws {
        let folder = FileManager.default.temporaryDirectory
            .appendingPathComponent("tls-test-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        func openssl(_ arguments: String) throws {
            let process = Process()
            process.executableURL = URL(fileURLWithPath: "/usr/bin/openssl")
            process.arguments = arguments.split(separator: " ").map(String.init)
            process.currentDirectoryURL = folder
            process.standardError = FileHandle.nullDevice
            try process.run()
            process.waitUntilExit()
            #expect(process.terminationStatus == 0, "openssl \(arguments)")
        }
        func read(_ name: String) throws -> [UInt8] {
            Array(try Data(contentsOf: folder.appendingPathComponent(name)))
        }
        let newKey = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2"
        for name in ["ca", "other"] {
            try openssl(
                "req -x509 \(newKey) -keyout \(name).key -out \(name).pem -subj /CN=test-\(name)"
            )
        }
        try openssl("req \(newKey) -keyout server.key -out server.csr -subj /CN=server")
        try Data("subjectAltName=DNS:localhost,IP:127.0.0.1\n".utf8)
            .write(to: folder.appendingPathComponent("names"))
        try openssl(
            "x509 -req -in server.csr -CA ca.pem -CAkey ca.key -set_serial 7 -days 2 "
                + "-extfile names -out server.pem"
        )
        authority = try read("ca.pem")
        chain = try read("server.pem")
        key = try read("server.key")
        stranger = try read("other.pem")
    }

    func serverOptions() throws -> ServerOptions {
        var options = ServerOptions()
        options.tls = try TLSContext.server(
            certificateChain: .bytes(chain),
            privateKey: .bytes(key)
        )
        return options
    }

    func clientOptions(_ authority: [UInt8]? = nil) throws -> ClientOptions {
        var options = ClientOptions()
        options.tls = try TLSContext.client(trust: .only(.bytes(authority ?? self.authority)))
        return options
    }
}

@Suite(.serialized, .timeLimit(.minutes(1))) struct TLSTests {
    private let certificates: Certificates

    init() throws { certificates = try Certificates.made.get() }

    private func echo() throws -> Bench {
        try Bench(
            certificates.serverOptions(),
            Acceptor { connection, firstByte, payload in
                if !Opcode.isControl(firstByte & 0x0F) { try? connection.send(firstByte, payload) }
            }
        )
    }

    @Test(arguments: ["localhost", "127.0.0.1"])
    func `frames of every size pass under TLS`(host: String) throws {
        let bench = try echo()
        let client = Recorder()
        let options = try certificates.clientOptions()
        let connection = try bench.connect(client, scheme: "wss", host: host, options: options)
        _ = client.connection()
        for (index, size) in [0, 5, 16_384, 16_385, 1_100_000].enumerated() {
            let payload = (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 7 &+ index) }
            try connection.sendWaiting(0x82, payload)
            #expect(client.frames(index + 1).last == .received(0x82, payload))
        }
        connection.close()
        let end = ConnectionEnd.Cause.closedByUs(
            CloseBody(code: 1000),
            answer: CloseBody(code: 1000)
        )
        #expect(client.last() == .ended(end))
    }

    @Test func `many frames under TLS survive pauses`() throws {
        let bench = try Bench(certificates.serverOptions())
        let client = Recorder { connection, _, _ in
            connection.pause()
            connection.resume()
        }
        let options = try certificates.clientOptions()
        _ = try bench.connect(client, scheme: "wss", options: options)
        let server = try #require(bench.acceptor.recorder()?.connection())
        let payloads = (0..<400).map { [UInt8](repeating: UInt8($0 & 255), count: 100 * $0) }
        for payload in payloads { try server.sendWaiting(0x82, payload) }
        server.close()
        #expect(client.last() == .ended(.closedByPeer(CloseBody(code: 1000))))
        let received = client.events.compactMap { event -> [UInt8]? in
            if case .received(0x82, let payload) = event { payload } else { nil }
        }
        #expect(received == payloads)
    }

    @Test func `an end under TLS without close frame is clean`() throws {
        let bench = try Bench(certificates.serverOptions())
        let client = Recorder()
        let options = try certificates.clientOptions()
        _ = try bench.connect(client, scheme: "wss", options: options)
        try #require(bench.acceptor.recorder()?.connection()).endStream()
        #expect(client.last() == .ended(.streamEnd(isClean: true)))
    }

    @Test func `a cut TLS stream is not clean`() throws {
        let bench = try Bench(certificates.serverOptions())
        let client = Recorder()
        let options = try certificates.clientOptions()
        _ = try bench.connect(client, scheme: "wss", options: options)
        try #require(bench.acceptor.recorder()?.connection()).abort()
        #expect(client.last() == .ended(.streamEnd(isClean: false)))
    }

    @Test func `another name is refused`() throws {
        let bench = try Bench(certificates.serverOptions())
        let client = Recorder()
        let options = try certificates.clientOptions()
        _ = try bench.connect(client, scheme: "wss", host: "127.0.0.2", options: options)
        // 127.0.0.2 reaches no listener on 127.0.0.1; the name is tested through a listener on all.
        #expect(client.last() == .connectFailed(.refused))
        let server = try WebSocketServer(
            address: "127.0.0.2",
            options: certificates.serverOptions(),
            loop: bench.serverLoop,
            acceptor: Acceptor()
        )
        let other = Recorder()
        _ = WebSocketClient.connect(
            try WebSocketURL("wss://127.0.0.2:\(server.port)/"),
            options: options,
            loop: bench.clientLoop,
            events: other
        )
        guard case .connectFailed(.tls(let reason)) = other.last() else {
            Issue.record("\(other.events)")
            return
        }
        #expect(reason.contains("IP address mismatch"))
        #expect(server.connectionCount == 0)
        ending("the server") { server.stop() }
    }

    @Test func `an authority that is not trusted is refused`() throws {
        let bench = try Bench(certificates.serverOptions())
        for trust in [certificates.stranger, nil] {
            var options = ClientOptions()
            if let trust { options = try certificates.clientOptions(trust) }
            let client = Recorder()
            _ = try bench.connect(client, scheme: "wss", host: "localhost", options: options)
            guard case .connectFailed(.tls(let reason)) = client.last() else {
                Issue.record("\(client.events)")
                return
            }
            #expect(reason.contains("certificate verify failed"))
        }
    }

    @Test func `plaintext and TLS do not mix`() throws {
        let secure = try Bench(certificates.serverOptions())
        let client = Recorder()
        _ = try secure.connect(client, scheme: "ws")
        guard case .connectFailed = client.last() else {
            Issue.record("\(client.events)")
            return
        }
        let plain = try Bench()
        let other = Recorder()
        _ = try plain.connect(other, scheme: "wss", options: certificates.clientOptions())
        guard case .connectFailed(.tls) = other.last() else {
            Issue.record("\(other.events)")
            return
        }
    }

    @Test func `broken PEM is refused with a reason`() throws {
        #expect(throws: TLSError.self) {
            try TLSContext.client(trust: .only(.bytes(Array("nonsense".utf8))))
        }
        #expect(throws: TLSError.self) {
            try TLSContext.client(trust: .only(.file("/nonexistent.pem")))
        }
        #expect(throws: TLSError.self) {
            try TLSContext.server(
                certificateChain: .bytes(certificates.stranger),
                privateKey: .bytes(certificates.key)
            )
        }
    }
}
