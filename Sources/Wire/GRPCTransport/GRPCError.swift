package import Platform

/// Why a channel, a call or a server could not be made.
package enum GRPCError: Error, Equatable, Sendable {
    /// The address is not `host:port` or `unix:path`. Configuration: do not retry.
    case invalidTarget(String)
    /// The method is not `/service/name` in printable ASCII. Our bug or configuration.
    case invalidMethod(String)
    /// A metadata entry that may not be sent. Configuration: do not retry.
    case invalidMetadata(key: String, reason: String)
    /// The server's address cannot be listened on. Another address or a later try may help.
    case cannotListen(address: String, reason: String)
    /// The channel or server has been closed. Make a new one.
    case closed
    /// The core would not take the operation; the text is its name for the reason.
    case refused(String)
    /// No thread could be started. The machine is out of resources.
    case noThread(SystemError)
}

extension GRPCError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .invalidTarget(let target):
            "'\(target)' is not an address: host:port or unix:path is needed"
        case .invalidMethod(let method):
            "'\(method)' is not a gRPC method: /service/name in printable ASCII is needed"
        case .invalidMetadata(let key, let reason):
            "metadata '\(key)' cannot be sent: \(reason)"
        case .cannotListen(let address, let reason):
            "cannot listen on \(address): \(reason)"
        case .closed: "the channel is closed"
        case .refused(let reason): "the gRPC core refused the operation: \(reason)"
        case .noThread(let error): "no thread for gRPC: \(error)"
        }
    }
}

/// Why a message was not taken for sending. Nothing of it has been sent.
package enum GRPCSendError: Error, Equatable, Sendable {
    /// The call has ended, or its sending side is closed.
    case over
    /// As many messages or bytes as allowed are waiting already. Try again later.
    case queueFull
    /// The message is larger than the limit of the channel. Never retry.
    case tooLarge(bytesMax: Int)
}
