import MarketModel
import Projection

/// The rows of one token while a bundle is folded: read when it is first touched, written at the
/// bundle's end.
struct TokenWork {
    let token: Address
    var row: TokenRow {
        didSet { isRowChanged = true }
    }
    var market: TokenMarketRow
    /// Only within the early slots of a token whose creation was seen.
    var start: TokenStartRow?
    /// Milestones of its quote, rising.
    var thresholds: [UInt128] = []
    /// The trade that left no real tokens, until something says that the curve is complete.
    var emptying: EventPlace?
    var isRowChanged = false
    var isMarketChanged = false

    init(_ token: Address, row: TokenRow, market: TokenMarketRow) {
        self.token = token
        self.row = row
        self.market = market
    }
}
