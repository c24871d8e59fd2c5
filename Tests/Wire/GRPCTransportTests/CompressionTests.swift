import GRPCTransport
import Platform
import Testing

@Suite struct `A compressed message` {
    /// What Python's gzip module makes of 40 times "tapedeck ".
    private let packed: [UInt8] = [
        0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x03, 0x2b, 0x49, 0x2c, 0x48, 0x4d,
        0x49, 0x4d, 0xce, 0x56, 0x28, 0x19, 0x65, 0xd0, 0x92, 0x01, 0x00, 0x55, 0x5c, 0xf8, 0x7e,
        0x68, 0x01, 0x00, 0x00,
    ]
    /// Long and even, so that a core that compressed by itself would make it much shorter.
    private let plain = [UInt8](repeating: 0x61, count: 4_096)

    @Test func `arrives as sent, with its flag, beside plain ones`() throws {
        let (packed, plain) = (packed, plain)
        let served = ServedCall(onMessage: { call, bytes in
            let isCompressed = bytes == [1]
            let result = (isCompressed ? packed : plain).withUnsafeBytes {
                call.trySend($0, isCompressed: isCompressed)
            }
            #expect(result == .started)
        })
        let server = try TestServer { call in
            expectNoError { try call.accept(encoding: .gzip) }
            return served
        }
        defer { server.close() }
        let recorder = CallRecorder()
        let encodings: Set<GRPCEncoding> = [.identity, .gzip]
        try withChannel(server.target, { $0.acceptedEncodings = encodings }) { channel in
            let call = try channel.startCall("/test/Gzip", observer: recorder)
            for (count, ask) in [[1], [0], [1]].enumerated() {
                try call.send(ask.map(UInt8.init))
                _ = try recorder.messages(count + 1)
                // The client may have the answer before the server hears that it was sent.
                _ = try awaited(served.seen, "the answer sent") { $0.readies > count ? true : nil }
            }
            call.cancel()
            _ = try recorder.end()
        }
        let gzip = KeptMessage(bytes: packed, isCompressed: true, encoding: .gzip)
        let raw = KeptMessage(bytes: plain)
        #expect(recorder.seen.withLock { $0.messages } == [gzip, raw, gzip])
        #expect(try server.firstCall().acceptedEncodings == encodings)
    }

    @Test func `keeps its flag when the server names no encoding`() throws {
        let packed = packed
        let server = try TestServer { call in
            let result = packed.withUnsafeBytes { call.trySend($0, isCompressed: true) }
            #expect(result == .started)
            expectNoError { try call.finish(.ok) }
            return nil
        }
        defer { server.close() }
        let recorder = CallRecorder()
        try withChannel(server.target) { channel in
            _ = try channel.startCall("/test/Flag", observer: recorder)
            #expect(try recorder.end().code == .ok)
        }
        let flagged = KeptMessage(bytes: packed, isCompressed: true, encoding: .identity)
        #expect(recorder.seen.withLock { $0.messages } == [flagged])
    }

    @Test func `in an encoding that we do not accept ends the call`() throws {
        let packed = packed
        let server = try TestServer { call in
            expectNoError { try call.accept(encoding: .gzip) }
            #expect(call.acceptedEncodings == [.identity])
            _ = packed.withUnsafeBytes { call.trySend($0, isCompressed: true) }
            return nil
        }
        defer { server.close() }
        let recorder = CallRecorder()
        try withChannel(server.target) { channel in
            _ = try channel.startCall("/test/Gzip", observer: recorder)
            let status = try recorder.end()
            #expect(status.code == .unimplemented)
            #expect(status.message.contains("gzip"))
        }
    }

    @Test func `from a client reaches the server as sent`() throws {
        let served = ServedCall()
        let server = try TestServer { _ in served }
        defer { server.close() }
        let recorder = CallRecorder()
        try withChannel(server.target) { channel in
            let call = try channel.startCall("/test/Up", encoding: .gzip, observer: recorder)
            try call.send(packed, isCompressed: true)
            try call.send(plain)
            call.halfClose()
            _ = try awaited(served.seen, "the half close") { $0.halfCloses == 1 ? true : nil }
            call.cancel()
            _ = try recorder.end()
        }
        let gzip = KeptMessage(bytes: packed, isCompressed: true, encoding: .gzip)
        #expect(served.seen.withLock { $0.messages } == [gzip, KeptMessage(bytes: plain)])
    }

    @Test func `has an encoding with a name`() {
        for encoding in GRPCEncoding.allCases {
            #expect(GRPCEncoding(name: encoding.name) == encoding)
        }
        #expect(GRPCEncoding(name: "zstd") == nil)
    }
}
