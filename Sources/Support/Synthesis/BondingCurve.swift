/// The reserves of a pump.fun bonding curve, and its arithmetic.
///
/// Amounts are raw units of the quote and of the token (6 decimals). The product of the virtual
/// reserves never falls.
struct BondingCurve: Equatable, Sendable {
    struct Quote: Equatable, Sendable {
        /// What moves the curve, without fees.
        var amount: UInt64
        var tokens: UInt64
        var protocolFee: UInt64
        var creatorFee: UInt64

        var fees: UInt64 { protocolFee + creatorFee }
    }

    static let protocolBasisPoints: UInt64 = 95
    static let creatorBasisPoints: UInt64 = 30
    static let supply: UInt64 = 1_000_000_000_000_000

    /// Tokens that a fresh curve sells; the others are for the pool.
    static let tokensForSale: UInt64 = 793_100_000_000_000

    private(set) var virtualQuote: UInt64
    private(set) var virtualTokens: UInt64 = 1_073_000_000_000_000
    private(set) var realQuote: UInt64 = 0
    private(set) var realTokens = Self.tokensForSale
    /// What the program keeps when a full curve becomes a pool: of SOL only.
    let migrationFee: UInt64

    /// A fresh curve: at 30 SOL or what was about as much.
    init(_ quote: SolanaQuote = .native) {
        virtualQuote = quote.unit * 30
        migrationFee = quote == .native ? 15_000_001 : 0
    }

    var isComplete: Bool { realTokens == 0 }

    /// The price of exactly so many tokens; at most what the curve still has.
    func quote(buying tokens: UInt64) -> Quote {
        let bought = min(tokens, realTokens)
        let amount =
            SolanaMath.multiply(bought, virtualQuote, dividedBy: virtualTokens - bought) + 1
        return quote(amount, bought)
    }

    /// What a budget buys, fees included.
    func quote(spending budget: UInt64) -> Quote {
        let points = Self.protocolBasisPoints + Self.creatorBasisPoints
        var net = SolanaMath.multiply(budget, 10_000, dividedBy: 10_000 + points)
        let total = net + quote(net, 0).fees
        if total > budget { net -= total - budget }
        let tokens = SolanaMath.multiply(
            net - 1,
            virtualTokens,
            dividedBy: virtualQuote + net - 1
        )
        // The last tokens are sold for what they cost, not for the whole budget.
        if tokens > realTokens { return quote(buying: realTokens) }
        return quote(net, tokens)
    }

    /// What so many tokens bring, before fees.
    func quote(selling tokens: UInt64) -> Quote {
        quote(
            SolanaMath.multiply(tokens, virtualQuote, dividedBy: virtualTokens + tokens),
            tokens
        )
    }

    mutating func buy(_ quote: Quote) {
        virtualQuote += quote.amount
        realQuote += quote.amount
        virtualTokens -= quote.tokens
        realTokens -= quote.tokens
    }

    mutating func sell(_ quote: Quote) {
        virtualQuote -= quote.amount
        realQuote -= quote.amount
        virtualTokens += quote.tokens
        realTokens += quote.tokens
    }

    private func quote(_ amount: UInt64, _ tokens: UInt64) -> Quote {
        Quote(
            amount: amount,
            tokens: tokens,
            protocolFee: SolanaMath.fee(amount, basisPoints: Self.protocolBasisPoints),
            creatorFee: SolanaMath.fee(amount, basisPoints: Self.creatorBasisPoints)
        )
    }
}
