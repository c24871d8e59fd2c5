/// Which member of `SubscribeUpdate`'s oneof an update carries.
package enum UpdateKind: UInt8, Hashable, Sendable, CaseIterable {
    case account
    case slot
    case transaction
    case transactionStatus
    case block
    case blockMeta
    case entry
    case ping
    case pong
    /// None, or one that this version does not know.
    case unknown

    /// The kind that a top-level field number of SubscribeUpdate stands for.
    @inline(__always)
    package init?(field: UInt32) {
        switch field {
        case 2: self = .account
        case 3: self = .slot
        case 4: self = .transaction
        case 10: self = .transactionStatus
        case 5: self = .block
        case 6: self = .ping
        case 9: self = .pong
        case 7: self = .blockMeta
        case 8: self = .entry
        default: return nil
        }
    }
}
