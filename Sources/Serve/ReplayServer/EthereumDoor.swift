import Platform
import WebSocketProtocol
import WebSocketTransport

/// Lets clients in and keeps their sessions.
final class EthereumDoor: WebSocketAcceptor, Sendable {
    private let surroundings: EthereumSession.Surroundings
    private let sessions = Monitor<[EthereumSession]>([])

    init(_ surroundings: EthereumSession.Surroundings) { self.surroundings = surroundings }

    func decide(_ request: UpgradeRequest, peer: String) -> UpgradeDecision {
        guard isAdmitted(request.head.fields) else {
            return .reject(HTTPRefusal(status: 401, body: "a token is needed\n"))
        }
        return .accept(EthereumSession(surroundings, door: self))
    }

    /// Makes a session known, and joins those that are over.
    func enter(_ session: EthereumSession) {
        let ended = sessions.withLock { sessions in
            let ended = sessions.filter(\.hasEnded)
            sessions.removeAll(where: \.hasEnded)
            sessions.append(session)
            return ended
        }
        for session in ended { session.join() }
    }

    /// Whether the request has the token, as `Authorization: Bearer` or as `x-token`.
    private func isAdmitted(_ fields: HTTPFields) -> Bool {
        guard let token = surroundings.options.token else { return true }
        let wanted = Array(token.utf8)
        if fields.values("x-token").contains(where: { Self.isSame(Array($0.utf8), wanted) }) {
            return true
        }
        return fields.values("authorization").contains { value in
            let parts = value.split(separator: " ", maxSplits: 1)
            return parts.count == 2 && parts[0].lowercased() == "bearer"
                && Self.isSame(Array(parts[1].utf8), wanted)
        }
    }

    /// Compares in a time that does not tell where the first difference is.
    private static func isSame(_ given: [UInt8], _ wanted: [UInt8]) -> Bool {
        guard given.count == wanted.count else { return false }
        return zip(given, wanted).reduce(0 as UInt8) { $0 | ($1.0 ^ $1.1) } == 0
    }

    /// Waits for the threads of all sessions, after their connections have ended.
    func joinAll() {
        let left = sessions.withLock { sessions in
            defer { sessions.removeAll() }
            return sessions
        }
        for session in left { session.join() }
    }
}
