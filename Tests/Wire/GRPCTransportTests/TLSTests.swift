import Foundation
import GRPCTransport
import Platform
import Testing

/// Certificates made anew with the `openssl` command: two authorities, and a server certificate
/// of the first for `replay.test` and 127.0.0.1.
private struct Certificates {
    let root: String
    let otherRoot: String
    let certificate: String
    let key: String

    init() throws {
        let folder = FileManager.default.temporaryDirectory
            .appendingPathComponent("tapedeck-tls-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        func openssl(_ line: String) throws {
            let process = Process()
            process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
            process.arguments = ["openssl"] + line.split(separator: " ").map(String.init)
            process.currentDirectoryURL = folder
            process.standardError = FileHandle.nullDevice
            process.standardOutput = FileHandle.nullDevice
            try process.run()
            process.waitUntilExit()
            try #require(process.terminationStatus == 0, "openssl \(line)")
        }
        func read(_ name: String) throws -> String {
            try String(contentsOf: folder.appendingPathComponent(name), encoding: .utf8)
        }
        let newKey = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes"
        for name in ["root", "other"] {
            try openssl(
                "req -x509 \(newKey) -keyout \(name).key -out \(name).pem -days 2 -subj /CN=\(name)"
            )
        }
        try openssl("req \(newKey) -keyout server.key -out server.csr -subj /CN=replay.test")
        try "subjectAltName=DNS:replay.test,IP:127.0.0.1\n".write(
            to: folder.appendingPathComponent("names"),
            atomically: true,
            encoding: .utf8
        )
        try openssl(
            "x509 -req -in server.csr -CA root.pem -CAkey root.key -CAcreateserial -days 2 "
                + "-extfile names -out server.pem"
        )
        root = try read("root.pem")
        otherRoot = try read("other.pem")
        certificate = try read("server.pem")
        key = try read("server.key")
    }
}

@Suite struct `A connection under TLS` {
    private func call(
        _ target: String,
        roots: String?,
        name: String?
    ) throws -> (GRPCStatus, [[UInt8]]) {
        let recorder = CallRecorder()
        let change = { (options: inout GRPCChannelOptions) in
            options.security = .tls(rootsPEM: roots, serverName: name)
        }
        let status = try withChannel(target, change) { channel in
            let call = try channel.startCall("/test/Echo", observer: recorder)
            // Refused when the call has failed already.
            try? call.send(noise(100_000, seed: 3))
            call.halfClose()
            return try recorder.end()
        }
        return (status, recorder.seen.withLock { $0.messages.map(\.bytes) })
    }

    @Test func `is made with the right root and name only`() throws {
        let made = try Certificates()
        let change = { (options: inout GRPCServerOptions) in
            options.security = .tls(certificatePEM: made.certificate, keyPEM: made.key)
        }
        let server = try TestServer(change, respond: echo)
        defer { server.close() }
        for name in ["replay.test", nil] {
            let (status, messages) = try call(server.target, roots: made.root, name: name)
            #expect(status.code == .ok, "\(status)")
            #expect(messages == [noise(100_000, seed: 3)])
        }
        let (wrongName, _) = try call(server.target, roots: made.root, name: "other.test")
        #expect(wrongName.code == .unavailable)
        #expect((wrongName.message + wrongName.debug).contains("other.test"))
        let (unknownRoot, _) = try call(server.target, roots: made.otherRoot, name: "replay.test")
        #expect(unknownRoot.code == .unavailable)
        #expect(
            (unknownRoot.message + unknownRoot.debug).contains("CERTIFICATE_VERIFY_FAILED")
                || (unknownRoot.message + unknownRoot.debug).contains("certificate verify failed")
        )
        let (machineRoots, _) = try call(server.target, roots: nil, name: "replay.test")
        #expect(machineRoots.code == .unavailable)
        let (noRoots, _) = try call(server.target, roots: "not a certificate", name: nil)
        #expect(noRoots.code != .ok)
        #expect(server.calls.withLock { $0.count } == 2)
    }

    @Test func `is not made by a plaintext client, nor to a plaintext server`() throws {
        let made = try Certificates()
        let change = { (options: inout GRPCServerOptions) in
            options.security = .tls(certificatePEM: made.certificate, keyPEM: made.key)
        }
        let secured = try TestServer(change, respond: echo)
        defer { secured.close() }
        let recorder = CallRecorder()
        try withChannel(secured.target) { channel in
            _ = try channel.startCall("/test/Echo", observer: recorder)
            #expect(try recorder.end().code == .unavailable)
        }
        let open = try TestServer(respond: echo)
        defer { open.close() }
        let (status, _) = try call(open.target, roots: made.root, name: "replay.test")
        #expect(status.code == .unavailable)
    }

    @Test func `is not offered with a certificate or key that cannot be read`() throws {
        let made = try Certificates()
        for (certificate, key) in [("rubbish", made.key), (made.certificate, "rubbish")] {
            #expect(throws: GRPCError.self) {
                try TestServer(
                    { $0.security = .tls(certificatePEM: certificate, keyPEM: key) },
                    respond: echo
                )
            }
        }
    }
}
