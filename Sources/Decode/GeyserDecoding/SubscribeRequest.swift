/// `geyser.SubscribeRequest` as a value. Two requests are equal when they decode to the same, in
/// whatever order and form their bytes stood.
package struct SubscribeRequest: Hashable, Sendable {
    /// Longest request that is decoded, in bytes; the reference server's own limit.
    package static let byteCountMax = 4 << 20

    /// Filters by name; an absent or empty map means that the kind is not sent.
    package var accounts: [UTF8Text: AccountsFilter] = [:]
    package var slots: [UTF8Text: SlotsFilter] = [:]
    package var transactions: [UTF8Text: TransactionsFilter] = [:]
    package var transactionsStatus: [UTF8Text: TransactionsFilter] = [:]
    package var blocks: [UTF8Text: BlocksFilter] = [:]
    package var blocksMeta: [UTF8Text: UnconditionalFilter] = [:]
    package var entry: [UTF8Text: UnconditionalFilter] = [:]
    /// `CommitmentLevel` as sent; absent means processed.
    package var commitment: Int32?
    package var accountsDataSlice: [DataSlice] = []
    /// When present the request asks only for a pong and changes no filter.
    package var ping: SubscribePing?
    package var fromSlot: UInt64?
    /// Top-level fields that this version does not know, as they stood on the wire.
    package var unknownFields: [UInt8] = []

    package init() {}
}
