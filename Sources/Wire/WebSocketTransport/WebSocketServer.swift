internal import CLinux
internal import Glibc
package import Platform
package import WebSocketProtocol

/// What a server offers.
package struct ServerOptions: Sendable {
    /// Limits of each connection.
    package var limits: ConnectionLimits
    /// TLS settings; nil serves plaintext.
    package var tls: TLSContext?
    /// Whether permessage-deflate without context takeover is agreed to when a client offers it.
    /// The server then sends compressed messages itself: first byte with RSV1 and a payload from
    /// `Deflater(.messageDeflate)`.
    package var agreesToCompression = false
    /// Most WebSockets open at once; further requests get 503.
    package var connectionCountMax = 1_024
    /// Most sockets in their handshake at once; further ones wait in the kernel.
    package var handshakeCountMax = 128
    /// Time for TLS and the request together.
    package var handshakeMilliseconds: UInt64 = 10_000

    package init() {
        limits = ConnectionLimits()
        limits.reportsSentFrames = false
        limits.receiveBufferBytes = 64 << 10
    }
}

/// What a server does with a request to upgrade.
package enum UpgradeDecision: Sendable {
    /// Accept it; the events object gets everything about this connection.
    case accept(any WebSocketEvents, subprotocol: String? = nil, fields: [HTTPField] = [])
    /// Refuse it, and close the connection.
    case reject(HTTPRefusal)
}

/// Who decides about requests.
package protocol WebSocketAcceptor: AnyObject, Sendable {
    /// A well-formed request has come; called on the loop's thread.
    ///
    /// - Parameters:
    ///   - request: path, fields and offers of the client.
    ///   - peer: `address:port`.
    /// - Returns: what to do with it.
    func decide(_ request: UpgradeRequest, peer: String) -> UpgradeDecision
}

/// Listens for WebSockets on one port.
package final class WebSocketServer: @unchecked Sendable {
    // safety: set once in init; `ServerListener` is touched by the loop's thread alone, `status`
    // is a Monitor.
    private let loop: EventLoop
    private let listener: ServerListener
    private let status: Monitor<ServerStatus>
    /// The address listened on, such as `127.0.0.1:8546`, with the port that port 0 became.
    package let address: String
    /// The port listened on.
    package let port: UInt16

    /// Starts to listen; the port is open when this returns.
    ///
    /// - Parameters:
    ///   - address: numeric IPv4 or IPv6 address; loopback unless strangers may come.
    ///   - port: 0 lets the kernel choose.
    ///   - options: limits, TLS, compression.
    ///   - loop: whose thread serves all connections.
    ///   - acceptor: decides about each request; kept until `stop`.
    /// - Throws: the error of `socket`, `bind` (EADDRINUSE, EACCES) or `listen`; EINVAL when the
    ///   address is none; ESHUTDOWN when the loop has stopped.
    package init(
        address: String = "127.0.0.1",
        port: UInt16 = 0,
        options: ServerOptions = ServerOptions(),
        loop: EventLoop,
        acceptor: any WebSocketAcceptor
    ) throws(SystemError) {
        let addresses: [SocketAddress]
        do throws(Sockets.ResolveError) {
            addresses = try Sockets.resolve(address, port, isNumeric: true)
        } catch {
            throw SystemError(call: "getaddrinfo", subject: address, errno: EINVAL)
        }
        let descriptor = try Sockets.listen(on: addresses[0])
        let bound: SocketAddress
        do throws(SystemError) {
            bound = try Sockets.localAddress(descriptor)
        } catch {
            close(descriptor)
            throw error
        }
        self.address = bound.description
        self.port = bound.port
        self.loop = loop
        let status = Monitor(ServerStatus())
        self.status = status
        let listener = ServerListener(loop, descriptor, options, acceptor, status)
        self.listener = listener
        let isTaken = loop.submit { listener.start() }
        if !isTaken {
            close(descriptor)
            throw SystemError(call: "listen", subject: address, errno: ESHUTDOWN)
        }
    }

    /// Number of WebSockets open now.
    package var connectionCount: Int { status.withLock(\.openCount) }

    /// Stops listening, closes every connection with a close frame behind what it has queued, and
    /// waits until all have ended (each within `closeMilliseconds` of its last progress). Not to
    /// be called from an event. Later calls do nothing.
    ///
    /// - Parameters:
    ///   - code: of the close frames.
    ///   - reason: of the close frames.
    package func stop(code: UInt16 = CloseCode.goingAway, reason: String = "") {
        precondition(!loop.isOnLoop, "the loop cannot wait for itself")
        let listener = listener
        guard loop.submit({ listener.stop(code: code, reason: reason) }) else { return }
        _ = status.wait { $0.isOver ? true : nil }
    }
}

/// What other threads may know of a server.
struct ServerStatus {
    var openCount = 0
    var isOver = false
}

/// The listening socket and its connections; loop only.
final class ServerListener: EventSource, @unchecked Sendable {
    // safety: made by `WebSocketServer.init`, then handed to the loop by `submit`, and touched by
    // the loop's thread alone.
    let loop: EventLoop
    let options: ServerOptions
    let acceptor: any WebSocketAcceptor
    private let status: Monitor<ServerStatus>
    private let descriptor: Int32
    private var token: UInt64 = 0
    private var isListening = true
    private var isWatched = false
    private(set) var deadline = UInt64.max
    private var openings: [ObjectIdentifier: ServerOpening] = [:]
    private var connections: [ObjectIdentifier: WebSocketConnection] = [:]

    init(
        _ loop: EventLoop,
        _ descriptor: Int32,
        _ options: ServerOptions,
        _ acceptor: any WebSocketAcceptor,
        _ status: Monitor<ServerStatus>
    ) {
        self.loop = loop
        self.descriptor = descriptor
        self.options = options
        self.acceptor = acceptor
        self.status = status
    }

    func start() {
        token = loop.add(self)
        updateWatch()
    }

    var isFull: Bool { connections.count >= options.connectionCountMax }

    func ready(_ events: UInt32) {
        while isListening, openings.count < options.handshakeCountMax {
            switch Sockets.accept(descriptor) {
            case .socket(let descriptor, let peer):
                let stream = SocketStream(descriptor: descriptor)
                let opening = ServerOpening(self, stream, peer.description)
                openings[ObjectIdentifier(opening)] = opening
                opening.start()
            case .none:
                updateWatch()
                return
            case .exhausted:
                // Descriptors come back when connections end; until then the backlog waits.
                unwatch()
                deadline = loop.now &+ 100_000_000
                loop.deadlineChanged(deadline)
                return
            }
        }
        updateWatch()
    }

    func deadlinePassed() {
        deadline = .max
        updateWatch()
    }

    func loopStopped() {
        closeSocket()
        endIfIdle()
    }

    func stop(code: UInt16, reason: String) {
        closeSocket()
        for opening in openings.values { opening.end() }
        for connection in connections.values { connection.close(code: code, reason: reason) }
        endIfIdle()
    }

    /// A handshake is over, one way or the other.
    func openingEnded(_ opening: ServerOpening) {
        openings[ObjectIdentifier(opening)] = nil
        updateWatch()
        endIfIdle()
    }

    func opened(_ connection: WebSocketConnection) {
        connections[ObjectIdentifier(connection)] = connection
        let count = connections.count
        status.update { $0.openCount = count }
        if !isListening { connection.close(code: CloseCode.goingAway) }
    }

    func ended(_ connection: WebSocketConnection) {
        connections[ObjectIdentifier(connection)] = nil
        let count = connections.count
        status.update { $0.openCount = count }
        endIfIdle()
    }

    private func updateWatch() {
        let wanted = isListening && openings.count < options.handshakeCountMax && deadline == .max
        if wanted, !isWatched {
            loop.watch(descriptor, token, EPOLLIN.rawValue)
            isWatched = true
        } else if !wanted {
            unwatch()
        }
    }

    private func unwatch() {
        if isWatched { loop.unwatch(descriptor) }
        isWatched = false
    }

    private func closeSocket() {
        if !isListening { return }
        isListening = false
        unwatch()
        deadline = .max
        close(descriptor)
        loop.remove(token)
    }

    private func endIfIdle() {
        if isListening || !openings.isEmpty || !connections.isEmpty { return }
        status.update { $0.isOver = true }
    }
}
