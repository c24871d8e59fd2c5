package import JSONText
import MarketModel

/// What an `eth_subscribe` call asks for. Equal values are equal calls: the same stream of
/// notifications answers both.
package enum EthereumSubscription: Hashable, Sendable {
    /// Block headers.
    case newHeads
    /// Logs that a filter selects.
    case logs(EthereumLogFilter)
    /// Transactions that reach the pool: their hashes, or whole.
    case newPendingTransactions(full: Bool)
    /// A kind that is not interpreted (`newDeposits`, providers' own): its name, and all its
    /// further parameters as canonical JSON separated by commas.
    case other(name: String, arguments: [UInt8])

    /// Reads the parameters of an `eth_subscribe` call.
    ///
    /// - Parameter params: The call's parameters.
    /// - Throws: What a node answers to a call it cannot use. A kind that is not known here is no
    ///   error: whoever has no recording of it answers `JSONRPCError.noSubscription`.
    package init(params: JSONValue?) throws(JSONRPCError) {
        guard let params, params.kind == .array else { throw .invalidParams("non-array args") }
        let arguments = Array(params.elements)
        guard let name = arguments.first?.string else {
            throw .invalidParams("expected subscription name as first argument")
        }
        switch name {
        case "newHeads":
            guard arguments.count <= 1 else { throw .tooManyArguments(max: 1) }
            self = .newHeads
        case "logs":
            guard arguments.count <= 2 else { throw .tooManyArguments(max: 2) }
            guard arguments.count == 2, !arguments[1].isNull else { throw .missingArgument(1) }
            self = .logs(try EthereumLogFilter(arguments[1], argument: 1))
        case "newPendingTransactions":
            guard arguments.count <= 2 else { throw .tooManyArguments(max: 2) }
            // Without the argument nodes send hashes alone.
            self = .newPendingTransactions(full: try Self.flag(arguments, at: 1) ?? false)
        default:
            self = .other(name: name, arguments: Self.canonical(arguments.dropFirst()))
        }
    }

    /// The name that the call gives.
    package var name: String {
        switch self {
        case .newHeads: "newHeads"
        case .logs: "logs"
        case .newPendingTransactions: "newPendingTransactions"
        case .other(let name, _): name
        }
    }

    /// Whether every notification that `other` would get is among those of this one. Conservative:
    /// false can be wrong, true cannot.
    package func covers(_ other: EthereumSubscription) -> Bool {
        if case .logs(let own) = self, case .logs(let asked) = other { return own.covers(asked) }
        return self == other
    }

    /// Reads the parameters of an `eth_unsubscribe` call.
    ///
    /// - Parameter params: The call's parameters.
    /// - Returns: The subscription's id, a string.
    /// - Throws: What a node answers to a call it cannot use.
    package static func unsubscribed(params: JSONValue?) throws(JSONRPCError) -> JSONValue {
        let arguments = try positional(params, max: 1)
        guard let id = arguments.first, !id.isNull else { throw .missingArgument(0) }
        guard id.kind == .string else {
            throw .invalidArgument(0, "subscription id is not a string")
        }
        return id
    }

    private static func flag(
        _ arguments: [JSONValue],
        at index: Int
    ) throws(JSONRPCError) -> Bool? {
        guard arguments.count > index, !arguments[index].isNull else { return nil }
        guard let flag = arguments[index].boolean else {
            throw .invalidArgument(index, "not a boolean")
        }
        return flag
    }

    private static func canonical(_ arguments: some Sequence<JSONValue>) -> [UInt8] {
        var text: [UInt8] = []
        for argument in arguments {
            if !text.isEmpty { text.append(UInt8(ascii: ",")) }
            argument.appendCanonical(to: &text)
        }
        return text
    }
}

/// The parameters of a call by position. None and null mean no parameters, as for the nodes.
///
/// - Throws: When they are no list, or more than the method has.
func positional(_ params: JSONValue?, max: Int) throws(JSONRPCError) -> [JSONValue] {
    guard let params, !params.isNull else { return [] }
    guard params.kind == .array else { throw .invalidParams("non-array args") }
    guard params.count <= max else { throw .tooManyArguments(max: max) }
    return Array(params.elements)
}
