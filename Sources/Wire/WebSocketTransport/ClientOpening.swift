internal import CLinux
internal import Glibc
internal import Platform
internal import WebSocketProtocol

/// The way of a client from a URL to an open WebSocket: name, TCP, TLS, upgrade.
final class ClientOpening: EventSource {
    private enum Stage {
        case resolving
        case connecting
        case securing(SocketStream)
        case asking(SocketStream, sent: Int)
        case refused(SocketStream, HTTPResponseHead)
        case over
    }

    private let connection: WebSocketConnection
    private let loop: EventLoop
    private let url: WebSocketURL
    private let options: ClientOptions
    private var random: any RandomSource
    private var token: UInt64 = 0
    private var stage = Stage.resolving
    private(set) var deadline = UInt64.max

    private var resolver: Thread?
    private var addresses: [SocketAddress] = []
    private var connectDeadline: UInt64 = 0
    private var descriptor: Int32 = -1
    private var isWatched = false
    private var peer = ""
    private var lastErrno: Int32 = 0
    private var handshake: ClientHandshake?
    private var reader = HTTPHeadReader()
    private var body: [UInt8] = []

    init(
        _ connection: WebSocketConnection,
        _ url: WebSocketURL,
        _ options: ClientOptions,
        random: any RandomSource
    ) {
        self.connection = connection
        self.url = url
        self.options = options
        self.random = random
        loop = connection.loop
    }

    func start() {
        token = loop.add(self)
        connection.cancelOpening = { [weak self] in self?.fail(.cancelled) }
        connectDeadline =
            loop.clock.monotonicNanoseconds() &+ options.connectMilliseconds &* 1_000_000
        setDeadline(connectDeadline)
        // A cancellation may have come before this ran.
        if connection.shared.withLock(\.isAborted) {
            fail(.cancelled)
            return
        }
        do throws(HandshakeError) {
            handshake = try ClientHandshake(
                url: url,
                nonce: (random.next(), random.next()),
                subprotocols: options.subprotocols,
                fields: options.fields,
                offersCompression: options.offersCompression
            )
        } catch {
            fail(.handshake(error))
            return
        }
        resolve()
    }

    // MARK: Name and TCP

    private func resolve() {
        let (host, port) = (url.host, url.port)
        if Sockets.isNumeric(host) {
            resolved(Self.addresses(host, port, isNumeric: true))
            return
        }
        // getaddrinfo blocks and cannot be called off: a thread of its own, joined by the loop as
        // soon as it has answered, or when the attempt is over.
        let box = Unsent(self)
        let loop = loop
        do throws(SystemError) {
            let thread = try Thread(name: "ws-resolve") {
                let result = Self.addresses(host, port, isNumeric: false)
                loop.submit { box.value.resolved(result) }
            }
            loop.keep(thread)
            resolver = thread
        } catch {
            fail(.system(errno: error.errno))
        }
    }

    private static func addresses(
        _ host: String,
        _ port: UInt16,
        isNumeric: Bool
    ) -> Result<[SocketAddress], Sockets.ResolveError> {
        do throws(Sockets.ResolveError) {
            return .success(try Sockets.resolve(host, port, isNumeric: isNumeric))
        } catch {
            return .failure(error)
        }
    }

    private func resolved(_ result: Result<[SocketAddress], Sockets.ResolveError>) {
        if let resolver { loop.join(resolver) }
        resolver = nil
        guard case .resolving = stage else { return }
        switch result {
        case .success(let found):
            addresses = found
            stage = .connecting
            connectNext()
        case .failure(let error): fail(.dns(error.reason))
        }
    }

    private func connectNext() {
        closeDescriptor()
        while !addresses.isEmpty {
            let now = loop.clock.monotonicNanoseconds()
            if now >= connectDeadline {
                fail(.timedOut(.connect))
                return
            }
            // One dead address must not use up the time of the others.
            let share = (connectDeadline - now) / UInt64(addresses.count)
            let address = addresses.removeFirst()
            do throws(SystemError) {
                descriptor = try Sockets.connect(to: address)
            } catch {
                lastErrno = error.errno
                continue
            }
            peer = address.description
            loop.watch(descriptor, token, EPOLLOUT.rawValue)
            isWatched = true
            setDeadline(now &+ share)
            return
        }
        switch lastErrno {
        case ECONNREFUSED: fail(.refused)
        case ETIMEDOUT: fail(.timedOut(.connect))
        default: fail(.unreachable(errno: lastErrno))
        }
    }

    private func connected() {
        let code = Sockets.connectResult(descriptor)
        if code != 0 {
            lastErrno = code
            connectNext()
            return
        }
        let stream = SocketStream(descriptor: descriptor)
        setDeadline(after: options.handshakeMilliseconds)
        if !url.isSecure {
            ask(stream)
            return
        }
        stage = .securing(stream)
        do throws(TLSError) {
            let context = if let tls = options.tls { tls } else { try TLSContext.client() }
            try stream.startClientTLS(context, host: url.host)
        } catch {
            fail(.tls(error.description))
            return
        }
        secure(stream)
    }

    // MARK: TLS and upgrade

    private func secure(_ stream: SocketStream) {
        switch stream.handshake() {
        case .bytes: ask(stream)
        case .wait(let forWrite): watch(stream, forWrite: forWrite)
        case .end, .failed(.reset): fail(.closedEarly(.tls))
        case .failed(.tls(let reason)): fail(.tls(reason))
        }
    }

    private func ask(_ stream: SocketStream) {
        setDeadline(after: options.handshakeMilliseconds)
        stage = .asking(stream, sent: 0)
        write(stream, 0)
    }

    private func write(_ stream: SocketStream, _ sent: Int) {
        guard let request = handshake?.request else { preconditionFailure("no request was built") }
        var sent = sent
        while sent < request.count {
            let outcome = request.withUnsafeBytes { bytes in
                stream.write(UnsafeRawBufferPointer(rebasing: bytes[sent...]))
            }
            switch outcome {
            case .bytes(let count): sent += count
            case .wait(let forWrite):
                stage = .asking(stream, sent: sent)
                watch(stream, forWrite: forWrite)
                return
            case .end, .failed(.reset):
                fail(.closedEarly(.upgrade))
                return
            case .failed(.tls(let reason)):
                fail(.tls(reason))
                return
            }
        }
        stage = .asking(stream, sent: sent)
        read(stream)
    }

    private func read(_ stream: SocketStream) {
        while true {
            var outcome = SocketStream.Outcome.wait(forWrite: false)
            let isSettled = withUnsafeTemporaryAllocation(byteCount: 4 << 10, alignment: 16) {
                room in
                outcome = stream.read(into: room)
                guard case .bytes(let count) = outcome else { return false }
                let bytes = UnsafeMutableRawBufferPointer(rebasing: room[..<count])
                return taken(bytes.bindMemory(to: UInt8.self).span, stream)
            }
            if isSettled { return }
            switch outcome {
            case .bytes: continue
            case .wait(let forWrite):
                watch(stream, forWrite: forWrite)
                return
            case .end, .failed(.reset):
                ended()
                return
            case .failed(.tls(let reason)):
                if case .refused = stage { ended() } else { fail(.tls(reason)) }
                return
            }
        }
    }

    /// Takes bytes of the answer; true when nothing more is to be read here.
    private func taken(_ bytes: Span<UInt8>, _ stream: SocketStream) -> Bool {
        if case .refused(_, let head) = stage { return takenBody(bytes, head) }
        do throws(HTTPHeadError) {
            guard let end = try reader.append(bytes) else { return false }
            let head = try reader.response()
            let rest = bytes.extracting(end..<bytes.count)
            if head.status == 101 {
                upgrade(stream, head, rest)
                return true
            }
            stage = .refused(stream, head)
            return takenBody(rest, head)
        } catch {
            fail(.malformedAnswer(error))
            return true
        }
    }

    private func takenBody(_ bytes: Span<UInt8>, _ head: HTTPResponseHead) -> Bool {
        var limit = WebSocketLimits.rejectionBodyBytesMax
        if let text = head.fields.only("Content-Length"), let length = Int(text), length >= 0 {
            limit = min(limit, length)
        }
        for index in bytes.indices where body.count < limit { body.append(bytes[index]) }
        if body.count < limit { return false }
        ended()
        return true
    }

    private func upgrade(_ stream: SocketStream, _ head: HTTPResponseHead, _ early: Span<UInt8>) {
        guard let handshake else { preconditionFailure("no request was built") }
        let agreement: HandshakeAgreement
        do throws(HandshakeError) {
            agreement = try handshake.check(head)
        } catch {
            fail(.handshake(error))
            return
        }
        leave()
        let opening = Opening(response: head, request: nil, agreement: agreement, peer: peer)
        connection.begin(stream, opening, early: early, random: random)
    }

    // MARK: Events

    func ready(_ events: UInt32) {
        switch stage {
        case .connecting: connected()
        case .securing(let stream): secure(stream)
        case .asking(let stream, let sent): write(stream, sent)
        case .refused(let stream, _): read(stream)
        case .resolving, .over: break
        }
    }

    func deadlinePassed() {
        switch stage {
        case .resolving: fail(.timedOut(.resolve))
        case .connecting:
            lastErrno = ETIMEDOUT
            connectNext()
        case .securing: fail(.timedOut(.tls))
        case .asking: fail(.timedOut(.upgrade))
        // The head is there; a body that does not come is no reason to wait.
        case .refused: ended()
        case .over: break
        }
    }

    func loopStopped() { fail(.stopped) }

    private func watch(_ stream: SocketStream, forWrite: Bool) {
        loop.rewatch(stream.descriptor, token, forWrite ? EPOLLOUT.rawValue : EPOLLIN.rawValue)
    }

    private func setDeadline(after milliseconds: UInt64) {
        setDeadline(loop.clock.monotonicNanoseconds() &+ milliseconds &* 1_000_000)
    }

    private func setDeadline(_ deadline: UInt64) {
        self.deadline = deadline
        loop.deadlineChanged(deadline)
    }

    // MARK: The end

    /// The stream ended: a refusal is whole then, anything else is not.
    private func ended() {
        if case .refused(let stream, let head) = stage {
            leave()
            stream.close()
            connection.openingFailed()
            connection.events.rejected(connection, Rejection(response: head, body: body))
        } else {
            fail(.closedEarly(.upgrade))
        }
    }

    private func fail(_ failure: ConnectFailure) {
        if case .over = stage { return }
        let stream: SocketStream? =
            switch stage {
            case .securing(let stream), .asking(let stream, _), .refused(let stream, _): stream
            default: nil
            }
        if stream == nil { closeDescriptor() }
        leave()
        stream?.close()
        connection.openingFailed()
        connection.events.connectFailed(connection, failure)
    }

    /// Leaves the loop; the socket stays open for whoever takes it over.
    private func leave() {
        stage = .over
        deadline = .max
        if isWatched { loop.unwatch(descriptor) }
        isWatched = false
        loop.remove(token)
    }

    private func closeDescriptor() {
        if descriptor < 0 { return }
        loop.unwatch(descriptor)
        isWatched = false
        close(descriptor)
        descriptor = -1
    }
}

/// Carries a loop's object through another thread and back, without being looked at there.
private struct Unsent<Value: AnyObject>: @unchecked Sendable {
    // safety: only the loop's thread reads `value`, in a task given to `submit`.
    let value: Value
    init(_ value: Value) { self.value = value }
}
