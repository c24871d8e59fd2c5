internal import CLinux
internal import Platform
internal import WebSocketProtocol

/// The way of one accepted socket to an open WebSocket, or to a refusal.
final class ServerOpening: EventSource {
    private enum Stage {
        case securing
        case reading
        case accepting(Agreed)
        case refusing
        case draining
        case over
    }

    private struct Agreed {
        let request: UpgradeRequest
        let agreement: HandshakeAgreement
        let events: any WebSocketEvents
    }

    private let listener: ServerListener
    private let loop: EventLoop
    private let stream: SocketStream
    private let peer: String
    private var token: UInt64 = 0
    private(set) var deadline = UInt64.max
    private var stage = Stage.reading
    private var reader = HTTPHeadReader()
    /// Bytes behind the head: frames of a client that did not wait for the answer.
    private var early: [UInt8] = []
    private var answer: [UInt8] = []
    private var sent = 0

    init(_ listener: ServerListener, _ stream: SocketStream, _ peer: String) {
        self.listener = listener
        self.stream = stream
        self.peer = peer
        loop = listener.loop
    }

    func start() {
        deadline = loop.now &+ listener.options.handshakeMilliseconds &* 1_000_000
        token = loop.add(self)
        loop.watch(stream.descriptor, token, EPOLLIN.rawValue)
        guard let tls = listener.options.tls else { return }
        stage = .securing
        do throws(TLSError) {
            try stream.startServerTLS(tls)
        } catch {
            end()
        }
    }

    func ready(_ events: UInt32) {
        switch stage {
        case .securing: secure()
        case .reading: read()
        case .accepting, .refusing: write()
        case .draining: drain()
        case .over: break
        }
    }

    func deadlinePassed() { end() }
    func loopStopped() { end() }

    private func secure() {
        switch stream.handshake() {
        case .bytes:
            stage = .reading
            read()
        case .wait(let forWrite): watch(forWrite: forWrite)
        case .end, .failed: end()
        }
    }

    private func read() {
        while case .reading = stage {
            var outcome = SocketStream.Outcome.wait(forWrite: false)
            withUnsafeTemporaryAllocation(byteCount: 4 << 10, alignment: 16) { room in
                outcome = stream.read(into: room)
                guard case .bytes(let count) = outcome else { return }
                let bytes = UnsafeMutableRawBufferPointer(rebasing: room[..<count])
                taken(bytes.bindMemory(to: UInt8.self).span)
            }
            switch outcome {
            case .bytes: continue
            case .wait(let forWrite):
                watch(forWrite: forWrite)
                return
            case .end, .failed:
                end()
                return
            }
        }
    }

    private func taken(_ bytes: Span<UInt8>) {
        do throws(HTTPHeadError) {
            guard let end = try reader.append(bytes) else { return }
            let head = try reader.request()
            for index in end..<bytes.count { early.append(bytes[index]) }
            judge(head)
        } catch {
            refuse(HTTPRefusal(error))
        }
    }

    private func judge(_ head: HTTPRequestHead) {
        let request: UpgradeRequest
        do throws(HTTPRefusal) {
            request = try UpgradeRequest(head)
        } catch {
            refuse(error)
            return
        }
        if listener.isFull {
            refuse(HTTPRefusal(status: 503, body: "too many connections\n"))
            return
        }
        switch listener.acceptor.decide(request, peer: peer) {
        case .reject(let refusal): refuse(refusal)
        case .accept(let events, let subprotocol, let fields):
            let agreement = HandshakeAgreement(
                isCompressed: listener.options.agreesToCompression && request.offersCompression,
                subprotocol: subprotocol
            )
            answer = request.acceptance(agreement, fields: fields)
            stage = .accepting(Agreed(request: request, agreement: agreement, events: events))
            write()
        }
    }

    private func refuse(_ refusal: HTTPRefusal) {
        answer = refusal.bytes
        stage = .refusing
        write()
    }

    private func write() {
        while sent < answer.count {
            let outcome = answer.withUnsafeBytes { bytes in
                stream.write(UnsafeRawBufferPointer(rebasing: bytes[sent...]))
            }
            switch outcome {
            case .bytes(let count): sent += count
            case .wait(let forWrite):
                watch(forWrite: forWrite)
                return
            case .end, .failed:
                end()
                return
            }
        }
        if case .accepting(let agreed) = stage {
            open(agreed)
            return
        }
        // The peer reads the answer only if late input of its own is not met with a reset.
        stage = .draining
        stream.endWriting()
        drain()
    }

    private func drain() {
        while true {
            var outcome = SocketStream.Outcome.wait(forWrite: false)
            withUnsafeTemporaryAllocation(byteCount: 4 << 10, alignment: 16) { room in
                outcome = stream.read(into: room)
            }
            switch outcome {
            case .bytes: continue
            case .wait:
                watch(forWrite: false)
                return
            case .end, .failed:
                end()
                return
            }
        }
    }

    private func open(_ agreed: Agreed) {
        leave()
        let events = CountedEvents(agreed.events, listener)
        let connection = WebSocketConnection(
            role: .server,
            loop: loop,
            limits: listener.options.limits,
            events: events
        )
        listener.opened(connection)
        listener.openingEnded(self)
        let opening = Opening(
            response: nil,
            request: agreed.request.head,
            agreement: agreed.agreement,
            peer: peer
        )
        // A server masks nothing; the source is never asked.
        let early = early
        connection.begin(stream, opening, early: early.span, random: SystemRandom())
    }

    private func watch(forWrite: Bool) {
        loop.rewatch(stream.descriptor, token, forWrite ? EPOLLOUT.rawValue : EPOLLIN.rawValue)
    }

    private func leave() {
        stage = .over
        deadline = .max
        loop.unwatch(stream.descriptor)
        loop.remove(token)
    }

    /// Ends the attempt at once, if it is not over.
    func end() {
        if case .over = stage { return }
        leave()
        stream.close()
        listener.openingEnded(self)
    }
}

/// Passes events on, and tells the listener when its connection has ended.
private final class CountedEvents: WebSocketEvents {
    private let inner: any WebSocketEvents
    private let listener: ServerListener

    init(_ inner: any WebSocketEvents, _ listener: ServerListener) {
        self.inner = inner
        self.listener = listener
    }

    func opened(_ connection: WebSocketConnection, _ opening: Opening) {
        inner.opened(connection, opening)
    }

    func frameReceived(
        _ connection: WebSocketConnection,
        _ header: FrameHeader,
        _ payload: Span<UInt8>
    ) {
        inner.frameReceived(connection, header, payload)
    }

    func frameAccepted(
        _ connection: WebSocketConnection,
        _ header: FrameHeader,
        _ payload: Span<UInt8>
    ) {
        inner.frameAccepted(connection, header, payload)
    }

    func frameSent(
        _ connection: WebSocketConnection,
        _ header: FrameHeader,
        _ payload: Span<UInt8>
    ) {
        inner.frameSent(connection, header, payload)
    }

    func drained(_ connection: WebSocketConnection) { inner.drained(connection) }

    func ended(_ connection: WebSocketConnection, _ end: ConnectionEnd) {
        inner.ended(connection, end)
        listener.ended(connection)
    }
}
