import JSONText
import MarketModel

/// Why a result is not the fact it should be. Counted as not decoded; its bytes are kept.
package enum EthereumFault: Error, Equatable, Sendable {
    /// No JSON object.
    case notAnObject
    /// The key is not there, or its value is null.
    case missing(EthereumKeyName)
    /// The value is no address, hash, quantity or boolean, as the key demands.
    case invalid(EthereumKeyName)
}

/// The keys of headers and logs that are read.
package enum EthereumKeyName: String, Sendable {
    case number, hash, parentHash, timestamp
    case address, topics, blockNumber, blockHash, transactionHash, logIndex, removed
}

extension JSONValue {
    /// The hash that a string holds; nil for anything else.
    var hash256: Hash256? { withString { Hash256(hex: $0) } ?? nil }

    /// The address that a string holds; nil for anything else.
    var address: EthereumAddress? { withString { EthereumAddress(hex: $0) } ?? nil }

    /// The quantity that a string holds; nil for anything else.
    var quantity: UInt64? {
        withString { text -> UInt64? in
            do throws(HexQuantity.Fault) {
                return try HexQuantity.read(text)
            } catch {
                return nil
            }
            // Neither a text nor a quantity: the caller makes the fault that fits its place.
        } ?? nil
    }
}

/// Unwraps what was found under a key.
func required<Value>(
    _ found: JSONValue?,
    _ key: EthereumKeyName,
    _ read: (JSONValue) -> Value?
) throws(EthereumFault) -> Value {
    guard let found, !found.isNull else { throw .missing(key) }
    guard let value = read(found) else { throw .invalid(key) }
    return value
}
