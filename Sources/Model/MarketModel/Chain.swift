/// A chain whose data is kept apart from every other one: tables, assemblers and journals are per
/// chain.
package enum Chain: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// Solana's main chain.
    case solana
    /// An EVM chain by its chain id, such as 137 for Polygon.
    case evm(UInt64)

    /// From its text; nil for anything else.
    package init?(_ text: String) {
        if text == "solana" {
            self = .solana
            return
        }
        guard text.hasPrefix("evm:"), let id = UInt64(text.dropFirst(4)) else { return nil }
        self = .evm(id)
    }

    /// `solana` or `evm:137`.
    package var description: String {
        switch self {
        case .solana: "solana"
        case .evm(let id): "evm:\(id)"
        }
    }

    /// Solana first, then EVM chains by their id.
    package static func < (left: Chain, right: Chain) -> Bool {
        switch (left, right) {
        case (.solana, .solana): false
        case (.solana, .evm): true
        case (.evm, .solana): false
        case (.evm(let left), .evm(let right)): left < right
        }
    }
}
