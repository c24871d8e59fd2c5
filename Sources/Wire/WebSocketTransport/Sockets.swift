internal import CLinux
internal import Glibc
internal import Platform

/// One address to connect to or to listen on.
struct SocketAddress: Sendable {
    let family: Int32
    private let bytes: [UInt8]

    fileprivate init(family: Int32, bytes: [UInt8]) {
        self.family = family
        self.bytes = bytes
    }

    func withPointer<Result>(_ body: (UnsafePointer<sockaddr>, socklen_t) -> Result) -> Result {
        bytes.withUnsafeBytes { raw in
            guard let base = raw.baseAddress else { preconditionFailure("an empty address") }
            return body(base.assumingMemoryBound(to: sockaddr.self), socklen_t(raw.count))
        }
    }

    /// `127.0.0.1:80` or `[::1]:80`.
    var description: String {
        var host = [CChar](repeating: 0, count: 64)
        var port = [CChar](repeating: 0, count: 8)
        let flags = NI_NUMERICHOST | NI_NUMERICSERV
        let code = withPointer { address, length in
            getnameinfo(address, length, &host, 64, &port, 8, flags)
        }
        if code != 0 { return "unknown" }
        let name = Sockets.text(host)
        return (family == AF_INET6 ? "[\(name)]" : name) + ":" + Sockets.text(port)
    }

    /// The port, in host order.
    var port: UInt16 {
        bytes.withUnsafeBytes { raw in
            raw.count < 4
                ? 0 : UInt16(bigEndian: raw.loadUnaligned(fromByteOffset: 2, as: UInt16.self))
        }
    }
}

/// The system calls of sockets, each with its one rule.
enum Sockets {
    /// A host's addresses in the order of the resolver. Blocks for a name; not for an address.
    ///
    /// - Throws: getaddrinfo's words.
    static func resolve(
        _ host: String,
        _ port: UInt16,
        isNumeric: Bool
    ) throws(ResolveError) -> [SocketAddress] {
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        hints.ai_flags = isNumeric ? Int32(AI_NUMERICHOST) : Int32(AI_ADDRCONFIG)
        var list: UnsafeMutablePointer<addrinfo>?
        let code = getaddrinfo(host, String(port), &hints, &list)
        if code != 0 { throw ResolveError(reason: String(cString: gai_strerror(code))) }
        defer { freeaddrinfo(list) }
        var found: [SocketAddress] = []
        var next = list
        while let entry = next?.pointee {
            if let address = entry.ai_addr {
                let bytes = UnsafeRawBufferPointer(start: address, count: Int(entry.ai_addrlen))
                found.append(SocketAddress(family: entry.ai_family, bytes: Array(bytes)))
            }
            next = entry.ai_next
        }
        if found.isEmpty { throw ResolveError(reason: "no address") }
        return found
    }

    struct ResolveError: Error { let reason: String }

    /// Whether the host is an address, so that `resolve` does not block.
    static func isNumeric(_ host: String) -> Bool {
        var address = in6_addr()
        return inet_pton(AF_INET, host, &address) == 1 || inet_pton(AF_INET6, host, &address) == 1
    }

    /// A non-blocking socket on its way to an address.
    static func connect(to address: SocketAddress) throws(SystemError) -> Int32 {
        let descriptor = try make(address.family)
        while true {
            let code = address.withPointer { Glibc.connect(descriptor, $0, $1) }
            if code == 0 || errno == EINPROGRESS { return descriptor }
            if errno == EINTR { continue }
            let error = lastError("connect", address.description)
            close(descriptor)
            throw error
        }
    }

    /// The errno with which a connection attempt ended; 0 when it stands.
    static func connectResult(_ descriptor: Int32) -> Int32 {
        var code: Int32 = 0
        var length = socklen_t(MemoryLayout<Int32>.size)
        if getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &code, &length) != 0 { return errno }
        return code
    }

    /// A non-blocking listening socket.
    static func listen(on address: SocketAddress) throws(SystemError) -> Int32 {
        let descriptor = try make(address.family)
        var yes: Int32 = 1
        let size = socklen_t(MemoryLayout<Int32>.size)
        // A restarted server gets its port back at once; two servers never share one.
        setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &yes, size)
        let isBound = address.withPointer { bind(descriptor, $0, $1) } == 0
        if !isBound || Glibc.listen(descriptor, 128) != 0 {
            let error = lastError(isBound ? "listen" : "bind", address.description)
            close(descriptor)
            throw error
        }
        return descriptor
    }

    /// What an accept came to.
    enum Accepted {
        case socket(Int32, peer: SocketAddress)
        case none
        /// No descriptor or memory is left: try later.
        case exhausted
    }

    /// The next waiting connection.
    static func accept(_ listener: Int32) -> Accepted {
        while true {
            var storage = sockaddr_storage()
            var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
            let descriptor = withUnsafeMutablePointer(to: &storage) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    Glibc.accept(listener, $0, &length)
                }
            }
            if descriptor >= 0 {
                // accept4 is a GNU extension that Swift's Glibc does not show.
                _ = fcntl(descriptor, F_SETFL, O_NONBLOCK)
                _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
                sendAtOnce(descriptor)
                return .socket(descriptor, peer: address(storage, length))
            }
            switch errno {
            case EINTR, ECONNABORTED: continue
            case EMFILE, ENFILE, ENOBUFS, ENOMEM: return .exhausted
            // The rest are failures of the connection that was waiting (accept(2)).
            default: return .none
            }
        }
    }

    /// The address a socket is bound to.
    static func localAddress(_ descriptor: Int32) throws(SystemError) -> SocketAddress {
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let code = withUnsafeMutablePointer(to: &storage) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                getsockname(descriptor, $0, &length)
            }
        }
        if code != 0 { throw lastError("getsockname") }
        return address(storage, length)
    }

    private static func address(
        _ storage: sockaddr_storage,
        _ length: socklen_t
    ) -> SocketAddress {
        let bytes = withUnsafeBytes(of: storage) { Array($0.prefix(Int(length))) }
        return SocketAddress(family: Int32(storage.ss_family), bytes: bytes)
    }

    private static func make(_ family: Int32) throws(SystemError) -> Int32 {
        let kind = SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue
        let descriptor = socket(family, Int32(kind), 0)
        if descriptor < 0 { throw lastError("socket") }
        sendAtOnce(descriptor)
        return descriptor
    }

    /// Small frames must not wait for others; many frames are gathered by ourselves.
    private static func sendAtOnce(_ descriptor: Int32) {
        var yes: Int32 = 1
        setsockopt(
            descriptor,
            Int32(IPPROTO_TCP),
            TCP_NODELAY,
            &yes,
            socklen_t(MemoryLayout<Int32>.size)
        )
    }

    fileprivate static func text(_ characters: [CChar]) -> String {
        String(
            decoding: characters.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) },
            as: UTF8.self
        )
    }
}
