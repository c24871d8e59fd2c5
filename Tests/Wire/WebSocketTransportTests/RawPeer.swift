import Glibc
import Platform

/// A plain blocking TCP socket: the peer that follows no rules.
final class RawPeer: @unchecked Sendable {
    // safety: used by one thread at a time.
    private var descriptor: Int32

    private init(descriptor: Int32) {
        self.descriptor = descriptor
        // No test hangs for ever.
        var time = timeval(tv_sec: 10, tv_usec: 0)
        let size = socklen_t(MemoryLayout<timeval>.size)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &time, size)
        setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &time, size)
    }

    deinit { close() }

    static func loopback(_ port: UInt16) -> sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        return address
    }

    /// Connects to a port of this machine.
    convenience init(port: UInt16) throws {
        self.init(descriptor: socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0))
        var address = Self.loopback(port)
        let code = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        if code != 0 { throw SystemError(call: "connect", errno: errno) }
    }

    /// A listening socket with its port.
    static func listen() throws -> (listener: RawPeer, port: UInt16) {
        try bound(isListening: true)
    }

    /// A port that refuses, and the socket that keeps it from everybody else as long as it lives.
    static func refusing() throws -> (holder: RawPeer, port: UInt16) {
        try bound(isListening: false)
    }

    private static func bound(isListening: Bool) throws -> (RawPeer, UInt16) {
        let peer = RawPeer(descriptor: socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0))
        var address = loopback(0)
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let code = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                bind(peer.descriptor, pointer, length) == 0
                    && (!isListening || Glibc.listen(peer.descriptor, 8) == 0)
                    && getsockname(peer.descriptor, pointer, &length) == 0
            }
        }
        if !code { throw SystemError(call: "listen", errno: errno) }
        return (peer, UInt16(bigEndian: address.sin_port))
    }

    func accept() throws -> RawPeer {
        let accepted = Glibc.accept(descriptor, nil, nil)
        if accepted < 0 { throw SystemError(call: "accept", errno: errno) }
        return RawPeer(descriptor: accepted)
    }

    func write(_ bytes: [UInt8]) {
        var done = 0
        while done < bytes.count {
            let count = bytes.withUnsafeBytes { raw in
                send(descriptor, raw.baseAddress.map { $0 + done }, raw.count - done, 0x4000)
            }
            if count <= 0 { return }
            done += count
        }
    }

    func write(_ text: String) { write(Array(text.utf8)) }

    /// At least one byte, or none at the end of the stream.
    func readSome(_ limit: Int = 65_536) -> [UInt8] {
        var buffer = [UInt8](repeating: 0, count: limit)
        let count = recv(descriptor, &buffer, buffer.count, 0)
        return Array(buffer.prefix(max(0, count)))
    }

    /// Everything up to the end of the stream, or the first 64 MiB.
    func readAll() -> [UInt8] {
        var all: [UInt8] = []
        while true {
            if all.count >= 64 << 20 { return all }
            let more = readSome()
            if more.isEmpty { return all }
            all += more
        }
    }

    /// Exactly so many bytes, or fewer at the end of the stream.
    func read(_ count: Int) -> [UInt8] {
        var all: [UInt8] = []
        while all.count < count {
            let more = readSome(count - all.count)
            if more.isEmpty { break }
            all += more
        }
        return all
    }

    /// A head up to its empty line, or the first 64 KiB of what is none.
    func readHead() -> String {
        var all: [UInt8] = []
        while all.count < 64 << 10, !all.suffix(4).elementsEqual([13, 10, 13, 10]) {
            let more = read(1)
            if more.isEmpty { break }
            all += more
        }
        return String(decoding: all, as: UTF8.self)
    }

    /// Closes so that the other side gets a reset.
    func reset() {
        var option = linger(l_onoff: 1, l_linger: 0)
        let size = socklen_t(MemoryLayout<linger>.size)
        setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &option, size)
        close()
    }

    func endWriting() { shutdown(descriptor, Int32(SHUT_WR)) }

    func close() {
        if descriptor >= 0 { Glibc.close(descriptor) }
        descriptor = -1
    }

    static let upgrade = """
        GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r
        Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n
        """
}
