import JSONText

/// A JSON-RPC call that is sent on every new connection, such as `eth_subscribe`.
package struct EthereumCall: Sendable, Equatable {
    /// Why a text is no such call. The configuration is wrong.
    package struct ParseError: Error, Equatable, Sendable, CustomStringConvertible {
        /// What is wrong and what was expected.
        package let description: String
    }

    /// Most bytes of a call.
    package static let bytesMax = 1 << 20

    /// The method's name.
    package let method: String
    /// The `params` as they were written; nil when there are none.
    package let params: [UInt8]?

    /// Reads `{"method","params"}`.
    package init(json: [UInt8]) throws(ParseError) {
        let root: JSONValue
        do throws(JSONError) {
            root = try JSONDocument.parse(json, limits: JSONLimits(bytesMax: Self.bytesMax))
        } catch {
            throw ParseError(description: "it is not JSON at byte \(error.offset): \(error.kind)")
        }
        guard root.kind == .object else {
            throw ParseError(description: "an object {\"method\",\"params\"} was expected")
        }
        var method: String?
        var params: [UInt8]?
        for (key, value) in root.members {
            switch key.string {
            case "method" where method == nil:
                guard let name = value.string, !name.isEmpty else {
                    throw ParseError(description: "method: a name in a string was expected")
                }
                method = name
            case "params" where params == nil:
                guard value.kind == .array || value.kind == .object else {
                    throw ParseError(description: "params: a list was expected")
                }
                params = value.rawBytes
            case "id", "jsonrpc":
                throw ParseError(
                    description: "id and jsonrpc are added; only method and params are expected"
                )
            default:
                // A key in a parsed object is a string.
                let name = key.string ?? ""
                throw ParseError(
                    description: "'\(name)' is unknown or given twice; method and params are "
                        + "expected"
                )
            }
        }
        guard let method else { throw ParseError(description: "method is missing") }
        self.method = method
        self.params = params
    }

    /// The message as it goes on the wire.
    ///
    /// - Parameter id: ours, from 1, the same on every connection.
    /// - Returns: one JSON-RPC request without white space of ours.
    package func message(id: Int) -> [UInt8] {
        var writer = JSONWriter()
        writer.string(method)
        var out = Array("{\"jsonrpc\":\"2.0\",\"id\":\(id),\"method\":".utf8)
        out += writer.bytes
        out += ",\"params\":".utf8
        out += params ?? Array("[]".utf8)
        out.append(UInt8(ascii: "}"))
        return out
    }

    /// Whether its failure leaves the connection without what was asked for.
    var isSubscription: Bool { method.hasSuffix("_subscribe") }

    /// Whether what comes on the connection cannot be understood without its answer.
    var givesMeaning: Bool { isSubscription || method == "eth_chainId" }
}
