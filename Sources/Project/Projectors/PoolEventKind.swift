/// What a change of liquidity was. Raw values stand in rows and never change.
package enum PoolEventKind: UInt8, Hashable, Sendable, RowEnumeration {
    /// The first liquidity of a pool.
    case initial = 1
    case add = 2
    case remove = 3
    /// A removal of almost all shares.
    case drain = 4
    /// Shares were burnt outside a withdrawal.
    case burn = 5

    /// The name in notices.
    package var name: String {
        switch self {
        case .initial: "initial"
        case .add: "add"
        case .remove: "remove"
        case .drain: "drain"
        case .burn: "burn"
        }
    }
}
