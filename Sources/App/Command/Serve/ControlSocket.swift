import Foundation
import Platform

/// A Unix socket of our own, mode 0600, that takes lines and answers each with one line. Removed
/// at the end.
///
/// One thread accepts, one serves each connection; a connection that is idle holds nobody up.
final class ControlSocket: Sendable {
    private struct State {
        var connections: [Int32: Platform.Thread] = [:]
        var finished: [Platform.Thread] = []
        var isClosing = false
    }

    /// Most connections at once; a further one is closed at once.
    private static let connectionsMax = 16
    /// Longest line, in bytes.
    private static let lineBytesMax = 4_096

    private let path: String
    private let listener: Int32
    private let answer: @Sendable (String) -> String
    private let state = Monitor(State())
    private let thread = Monitor<Platform.Thread?>(nil)

    /// Listens from now on.
    ///
    /// - Parameters:
    ///   - path: where the socket is made. A socket that nobody serves any more is replaced.
    ///   - answer: gives the answer to a line, on a thread of the connection.
    /// - Throws: `SystemError`; EADDRINUSE when somebody serves the path.
    init(path: String, answer: @escaping @Sendable (String) -> String) throws(SystemError) {
        self.path = path
        self.answer = answer
        listener = try Self.listen(path)
        let started = try Platform.Thread(name: "control") { [self] in accept() }
        thread.withLock { $0 = started }
    }

    private static func failure(_ call: String, _ path: String) -> SystemError {
        SystemError(call: call, subject: path, errno: errno)
    }

    private static func withAddress<Result>(
        _ path: String,
        _ body: (UnsafePointer<sockaddr>, socklen_t) -> Result
    ) throws(SystemError) -> Result {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let bytes = Array(path.utf8)
        guard bytes.count < MemoryLayout.size(ofValue: address.sun_path) else {
            throw SystemError(call: "bind", subject: path, errno: ENAMETOOLONG)
        }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
        return withUnsafePointer(to: &address) { place in
            place.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                body($0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
    }

    private static func listen(_ path: String) throws(SystemError) -> Int32 {
        let type = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        let socket = socket(AF_UNIX, type, 0)
        guard socket >= 0 else { throw failure("socket", path) }
        do throws(SystemError) {
            try removeStale(path)
            // The mode at birth: nobody may come in before it is set.
            let mask = umask(0o177)
            let isBound = try withAddress(path) { bind(socket, $0, $1) } == 0
            let error = failure("bind", path)
            umask(mask)
            guard isBound else { throw error }
            guard Foundation.listen(socket, 16) == 0 else { throw failure("listen", path) }
            return socket
        } catch {
            Foundation.close(socket)
            throw error
        }
    }

    /// Removes a socket that a process left behind when it was killed. Nothing else is touched.
    private static func removeStale(_ path: String) throws(SystemError) {
        var status = stat()
        guard lstat(path, &status) == 0, status.st_mode & S_IFMT == S_IFSOCK else { return }
        let probe = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        guard probe >= 0 else { return }
        defer { Foundation.close(probe) }
        if try withAddress(path, { connect(probe, $0, $1) }) != 0, errno == ECONNREFUSED {
            unlink(path)
        }
    }

    /// Ends every connection and removes the socket.
    func close() {
        let (connections, finished) = state.withLock { state in
            state.isClosing = true
            return (state.connections, state.finished)
        }
        shutdown(listener, Int32(SHUT_RDWR))
        for descriptor in connections.keys { shutdown(descriptor, Int32(SHUT_RDWR)) }
        thread.withLock { $0 }?.join()
        for thread in connections.values { thread.join() }
        for thread in finished { thread.join() }
        Foundation.close(listener)
        unlink(path)
    }

    private func accept() {
        while true {
            let descriptor = Foundation.accept(listener, nil, nil)
            guard descriptor >= 0 else {
                if state.withLock({ $0.isClosing }) { return }
                if errno == EINTR || errno == ECONNABORTED { continue }
                // Out of descriptors: wait for one to be closed.
                Platform.Thread.sleep(nanoseconds: 50_000_000)
                continue
            }
            start(descriptor)
        }
    }

    private func start(_ descriptor: Int32) {
        let (isTaken, finished) = state.withLock { state in
            defer { state.finished = [] }
            let isTaken = !state.isClosing && state.connections.count < Self.connectionsMax
            return (isTaken, state.finished)
        }
        for thread in finished { thread.join() }
        guard isTaken else {
            Foundation.close(descriptor)
            return
        }
        // Entered under the lock, so that the thread finds itself there at its end.
        let isStarted = state.withLock { state in
            do {
                state.connections[descriptor] = try Platform.Thread(name: "control-client") {
                    [self] in
                    serve(descriptor)
                }
                return true
            } catch { return false }
        }
        if !isStarted { Foundation.close(descriptor) }
    }

    private func serve(_ descriptor: Int32) {
        var line: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 1_024)
        reading: while true {
            let count = read(descriptor, &buffer, buffer.count)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { break }
            for byte in buffer[0..<count] {
                guard byte == 0x0A else {
                    line.append(byte)
                    guard line.count <= Self.lineBytesMax else { break reading }
                    continue
                }
                let text = answer(String(decoding: line, as: UTF8.self)) + "\n"
                line.removeAll(keepingCapacity: true)
                guard Self.write(Array(text.utf8), to: descriptor) else { break reading }
            }
        }
        state.withLock { state in
            Foundation.close(descriptor)
            if !state.isClosing, let thread = state.connections.removeValue(forKey: descriptor) {
                state.finished.append(thread)
            }
        }
    }

    private static func write(_ bytes: [UInt8], to descriptor: Int32) -> Bool {
        var done = 0
        while done < bytes.count {
            let count = bytes[done...].withUnsafeBytes {
                send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return false }
            done += count
        }
        return true
    }
}
