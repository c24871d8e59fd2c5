/// An error answer of JSON-RPC: the nodes' codes and words, so that clients that look for them
/// find them. Sources: geth `rpc/errors.go`, `eth/filters`, `common/hexutil`; Bor has the same.
package struct JSONRPCError: Error, Equatable, Sendable {
    /// -32768...-32000 are reserved by the specification.
    package let code: Int
    /// For people, and for clients that compare it.
    package let message: String

    package init(code: Int, message: String) {
        self.code = code
        self.message = message
    }

    /// The text is no JSON. Nodes send this with a null id and close the connection.
    package static let parse = JSONRPCError(code: -32700, message: "parse error")
    /// JSON, but no JSON-RPC.
    package static let invalidRequest = JSONRPCError(code: -32600, message: "invalid request")
    /// A batch of nothing.
    package static let emptyBatch = JSONRPCError(code: -32600, message: "empty batch")
    /// More requests in a batch than the server takes.
    package static let batchTooLarge = JSONRPCError(code: -32600, message: "batch too large")
    /// The answers of a batch are longer than the server sends.
    package static let responseTooLarge = JSONRPCError(code: -32003, message: "response too large")
    /// More than four topic positions, or more than 1000 alternatives in one.
    package static let exceedMaxTopics = JSONRPCError(code: -32000, message: "exceed max topics")
    /// The range ends before it begins.
    package static let invalidRange =
        JSONRPCError(code: -32000, message: "invalid block range params")
    /// The range ends above the head.
    package static let rangeAboveHead =
        JSONRPCError(code: -32602, message: "block range extends beyond current head block")
    /// The hash is of no block on the canonical chain.
    package static let unknownBlock = JSONRPCError(code: -32000, message: "unknown block")
    /// Logs of blocks to come.
    package static let pendingLogs =
        JSONRPCError(code: -32000, message: "pending logs are not supported")
    /// An id that is no subscription of this connection.
    package static let subscriptionNotFound =
        JSONRPCError(code: -32000, message: "subscription not found")

    /// A method that the server does not have.
    package static func methodNotFound(_ method: String) -> JSONRPCError {
        JSONRPCError(
            code: -32601,
            message: "the method \(method) does not exist/is not available"
        )
    }

    /// A kind of subscription that the server does not have.
    package static func noSubscription(_ name: String) -> JSONRPCError {
        JSONRPCError(code: -32601, message: "no \"\(name)\" subscription in eth namespace")
    }

    /// Parameters that cannot be used.
    package static func invalidParams(_ message: String) -> JSONRPCError {
        JSONRPCError(code: -32602, message: message)
    }

    /// One parameter that cannot be used; they count from 0.
    package static func invalidArgument(_ index: Int, _ message: String) -> JSONRPCError {
        invalidParams("invalid argument \(index): \(message)")
    }

    /// A parameter is missing; they count from 0.
    package static func missingArgument(_ index: Int) -> JSONRPCError {
        invalidParams("missing value for required argument \(index)")
    }

    /// There are more parameters than the method has.
    package static func tooManyArguments(max: Int) -> JSONRPCError {
        invalidParams("too many arguments, want at most \(max)")
    }

    /// The recording does not hold what was asked for. No node says this; the words are ours.
    package static func notRecorded(_ what: String) -> JSONRPCError {
        JSONRPCError(code: -32000, message: "\(what) is not available in this recording")
    }
}
