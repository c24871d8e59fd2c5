// JSON-RPC 2.0 as Bor, geth and Erigon speak it over WebSocket: one text message holds one JSON-RPC
// message or a batch of them, and ends with a line feed when a node wrote it.

package import JSONText

/// One JSON-RPC message. Its values belong to the text that the reader read last.
package enum JSONRPCMessage {
    /// A request; without an id no answer is expected.
    case call(JSONRPCCall)
    /// An answer to a request.
    case answer(JSONRPCAnswer)
    /// What a node sends for a subscription.
    case notification(EthereumNotification)
    /// JSON, but no JSON-RPC. Answered with `JSONRPCError.invalidRequest` and the id, if there is
    /// one.
    case invalid(id: JSONValue?)
}

/// A request.
package struct JSONRPCCall {
    /// Echoed by the answer byte for byte; a string, number, boolean or null. Nil when there is
    /// none.
    package let id: JSONValue?
    /// The method, not empty.
    package let method: String
    /// The parameters as they stand; nil when there are none.
    package let params: JSONValue?
}

/// An answer.
package struct JSONRPCAnswer {
    /// What came back.
    package enum Outcome {
        case result(JSONValue)
        /// A code that is no integer of 64 bits is 0, as in the nodes' own decoder.
        case error(code: Int64, message: String, value: JSONValue)
    }

    /// The id of the request it answers.
    package let id: JSONValue
    /// What came back.
    package let outcome: Outcome
}

/// A message for a subscription: `eth_subscription` and its kin.
package struct EthereumNotification {
    /// The subscription's id, a string.
    package let subscription: JSONValue
    /// What happened: a header, a log, a transaction hash, or something else.
    package let result: JSONValue
}

/// What one text message holds.
package enum JSONRPCText {
    case single(JSONRPCMessage)
    /// May be empty, which nodes answer with `JSONRPCError.emptyBatch`.
    case batch([JSONRPCMessage])
}

/// Reads text messages, reusing one document: values of a message are valid until the next.
/// Belongs to one thread at a time.
package final class JSONRPCReader {
    private let document: JSONDocument

    /// A reader.
    ///
    /// - Parameter limits: What to accept. Nodes accept 32 MiB from clients.
    package init(limits: JSONLimits = JSONLimits()) {
        document = JSONDocument(limits: limits)
    }

    /// Reads one text message.
    ///
    /// - Parameter bytes: The assembled payload; a line feed at its end is accepted.
    /// - Returns: What it holds.
    /// - Throws: When the text is no JSON. Nodes answer with `JSONRPCError.parse` and close.
    package func read(_ bytes: [UInt8]) throws(JSONError) -> JSONRPCText {
        classify(try document.parse(bytes))
    }

    /// Reads one text message.
    ///
    /// - Parameter bytes: The assembled payload; a line feed at its end is accepted.
    /// - Returns: What it holds.
    /// - Throws: When the text is no JSON. Nodes answer with `JSONRPCError.parse` and close.
    package func read(_ bytes: RawSpan) throws(JSONError) -> JSONRPCText {
        classify(try document.parse(bytes))
    }

    private func classify(_ root: JSONValue) -> JSONRPCText {
        guard root.kind == .array else { return .single(JSONRPCMessage(root)) }
        return .batch(root.elements.map { JSONRPCMessage($0) })
    }
}

extension JSONRPCMessage {
    /// Classified as the nodes do it (geth `rpc/json.go`): by version, id, and which members are
    /// there.
    init(_ value: JSONValue) {
        var id: JSONValue?
        var version: JSONValue?
        var name: JSONValue?
        var params: JSONValue?
        var result: JSONValue?
        var error: JSONValue?
        for (key, value) in value.members {
            if key.isString("id") {
                id = value
            } else if key.isString("jsonrpc") {
                version = value
            } else if key.isString("method") {
                name = value
            } else if key.isString("params") {
                params = value
            } else if key.isString("result") {
                result = value
            } else if key.isString("error") {
                error = value
            }
        }
        if let given = id, given.kind == .object || given.kind == .array { id = nil }
        guard version?.isString("2.0") == true else {
            self = .invalid(id: id)
            return
        }
        if let method = name?.string, !method.isEmpty {
            self = Self.request(JSONRPCCall(id: id, method: method, params: params))
        } else if let id, name == nil, params == nil, let error, !error.isNull {
            self = .answer(JSONRPCAnswer(id: id, outcome: Self.failure(error)))
        } else if let id, name == nil, params == nil, let result {
            self = .answer(JSONRPCAnswer(id: id, outcome: .result(result)))
        } else {
            self = .invalid(id: id)
        }
    }

    private static func request(_ call: JSONRPCCall) -> JSONRPCMessage {
        guard call.id == nil, call.method.hasSuffix("_subscription"),
            let subscription = call.params?.member("subscription"), subscription.kind == .string,
            let result = call.params?.member("result")
        else { return .call(call) }
        return .notification(EthereumNotification(subscription: subscription, result: result))
    }

    private static func failure(_ error: JSONValue) -> JSONRPCAnswer.Outcome {
        let code = error.member("code")?.int64
        let message = error.member("message")?.string
        // What the nodes' own decoder makes of an error without them; the value keeps the bytes.
        return .error(code: code ?? 0, message: message ?? "", value: error)
    }
}
