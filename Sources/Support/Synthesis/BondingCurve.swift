/// The reserves of a pump.fun bonding curve paired with SOL, and its arithmetic.
///
/// Amounts are lamports and raw token units (6 decimals). The product of the virtual reserves
/// never falls.
struct BondingCurve: Equatable, Sendable {
    struct Quote: Equatable, Sendable {
        /// What moves the curve, without fees.
        var lamports: UInt64
        var tokens: UInt64
        var protocolFee: UInt64
        var creatorFee: UInt64

        var fees: UInt64 { protocolFee + creatorFee }
    }

    static let protocolBasisPoints: UInt64 = 95
    static let creatorBasisPoints: UInt64 = 30
    /// Lamports that the program keeps when a full curve becomes a pool.
    static let migrationFee: UInt64 = 15_000_001
    static let supply: UInt64 = 1_000_000_000_000_000

    private(set) var virtualLamports: UInt64 = 30_000_000_000
    private(set) var virtualTokens: UInt64 = 1_073_000_000_000_000
    private(set) var realLamports: UInt64 = 0
    private(set) var realTokens: UInt64 = 793_100_000_000_000

    init() {}

    var isComplete: Bool { realTokens == 0 }

    /// The price of exactly so many tokens; at most what the curve still has.
    func quote(buying tokens: UInt64) -> Quote {
        let bought = min(tokens, realTokens)
        let lamports =
            SolanaMath.multiply(bought, virtualLamports, dividedBy: virtualTokens - bought) + 1
        return quote(lamports, bought)
    }

    /// What a budget of lamports buys, fees included.
    func quote(spending budget: UInt64) -> Quote {
        let points = Self.protocolBasisPoints + Self.creatorBasisPoints
        var net = SolanaMath.multiply(budget, 10_000, dividedBy: 10_000 + points)
        let total = net + quote(net, 0).fees
        if total > budget { net -= total - budget }
        let tokens = SolanaMath.multiply(
            net - 1,
            virtualTokens,
            dividedBy: virtualLamports + net - 1
        )
        // The last tokens are sold for what they cost, not for the whole budget.
        if tokens > realTokens { return quote(buying: realTokens) }
        return quote(net, tokens)
    }

    /// What so many tokens bring, before fees.
    func quote(selling tokens: UInt64) -> Quote {
        quote(
            SolanaMath.multiply(tokens, virtualLamports, dividedBy: virtualTokens + tokens),
            tokens
        )
    }

    mutating func buy(_ quote: Quote) {
        virtualLamports += quote.lamports
        realLamports += quote.lamports
        virtualTokens -= quote.tokens
        realTokens -= quote.tokens
    }

    mutating func sell(_ quote: Quote) {
        virtualLamports -= quote.lamports
        realLamports -= quote.lamports
        virtualTokens += quote.tokens
        realTokens += quote.tokens
    }

    private func quote(_ lamports: UInt64, _ tokens: UInt64) -> Quote {
        Quote(
            lamports: lamports,
            tokens: tokens,
            protocolFee: SolanaMath.fee(lamports, basisPoints: Self.protocolBasisPoints),
            creatorFee: SolanaMath.fee(lamports, basisPoints: Self.creatorBasisPoints)
        )
    }
}
