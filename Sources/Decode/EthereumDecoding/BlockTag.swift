import JSONText
import MarketModel

/// A block as requests name it: by height or by a word.
package enum BlockTag: Hashable, Sendable {
    case number(UInt64)
    case earliest, latest, pending, safe, finalized

    /// Reads a tag with the nodes' words for what is wrong (geth `rpc/types.go`, `common/hexutil`).
    init(_ value: JSONValue, argument: Int) throws(JSONRPCError) {
        guard value.kind == .string else {
            throw .invalidArgument(argument, "invalid block number")
        }
        if value.isString("latest") {
            self = .latest
        } else if value.isString("earliest") {
            self = .earliest
        } else if value.isString("pending") {
            self = .pending
        } else if value.isString("safe") {
            self = .safe
        } else if value.isString("finalized") {
            self = .finalized
        } else {
            self = .number(try Self.number(value, argument: argument))
        }
    }

    private static func number(
        _ value: JSONValue,
        argument: Int
    ) throws(JSONRPCError) -> UInt64 {
        guard let bytes = value.stringBytes else {
            throw .invalidArgument(argument, "invalid block number")
        }
        do throws(HexQuantity.Fault) {
            return try HexQuantity.read(bytes.span)
        } catch {
            let words =
                switch error {
                case .empty: "empty hex string"
                case .missingPrefix: "hex string without 0x prefix"
                case .noDigits: "hex string \"0x\""
                case .leadingZero: "hex number with leading zero digits"
                case .badDigit: "invalid hex string"
                case .tooLarge: "hex number > 64 bits"
                }
            throw .invalidArgument(argument, words)
        }
    }
}
