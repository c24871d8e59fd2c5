/// Reserves of a PumpSwap pool and its constant-product arithmetic.
///
/// Base is the coin, both are in raw units. The LP fee stays in the pool.
struct PumpSwapReserves: Equatable, Sendable {
    /// Fee rates in basis points of the quote amount.
    struct Rates: Equatable, Sendable {
        var provider: UInt64
        var protocolShare: UInt64
        var creator: UInt64

        var sum: UInt64 { provider + protocolShare + creator }

        /// Rates of a pool that nobody's coin migrated to.
        static let flat = Rates(provider: 25, protocolShare: 5, creator: 0)

        /// Rates of a migrated pool by market cap: the first tiers of the fee account. Those for
        /// other quotes are not published; here they begin at about the same worth.
        static func tier(marketCap: UInt128, in quote: SolanaQuote = .native) -> Rates {
            let creatorRates: [(sol: UInt128, basisPoints: UInt64)] = [
                (420, 95), (1_470, 90), (2_460, 85), (3_440, 80), (4_420, 75), (9_820, 70),
            ]
            var rates = Rates(provider: 2, protocolShare: 93, creator: 30)
            for tier in creatorRates where marketCap >= tier.sol * UInt128(quote.unit) {
                rates = Rates(provider: 20, protocolShare: 5, creator: tier.basisPoints)
            }
            return rates
        }
    }

    struct Quote: Equatable, Sendable {
        var base: UInt64
        /// What moves the pool, without any fee.
        var quote: UInt64
        var providerFee: UInt64
        var protocolFee: UInt64
        var creatorFee: UInt64

        /// What a buyer pays.
        var paid: UInt64 { quote + providerFee + protocolFee + creatorFee }
        /// What a seller gets.
        var received: UInt64 { quote - providerFee - protocolFee - creatorFee }
    }

    /// Stays locked of the first deposit.
    static let minimumLiquidity: UInt64 = 100

    private(set) var base: UInt64
    private(set) var quote: UInt64
    /// Supply that deposits and withdrawals are measured against; burnt tokens stay counted.
    private(set) var liquidity: UInt64

    init(base: UInt64, quote: UInt64) {
        self.base = base
        self.quote = quote
        liquidity = UInt64(SolanaMath.squareRoot(UInt128(base) * UInt128(quote)))
    }

    func quote(buying amount: UInt64, _ rates: Rates) -> Quote {
        precondition(amount < base, "a pool cannot sell all it has")
        return priced(
            amount,
            SolanaMath.multiply(quote, amount, dividedUpBy: base - amount),
            rates
        )
    }

    func quote(spending budget: UInt64, _ rates: Rates) -> Quote {
        var net = SolanaMath.multiply(budget, 10_000, dividedBy: 10_000 + rates.sum)
        let total = priced(0, net, rates).paid
        if total > budget { net -= total - budget }
        return priced(SolanaMath.multiply(base, net, dividedBy: quote + net), net, rates)
    }

    func quote(selling amount: UInt64, _ rates: Rates) -> Quote {
        priced(amount, SolanaMath.multiply(quote, amount, dividedBy: base + amount), rates)
    }

    mutating func buy(_ trade: Quote) {
        base -= trade.base
        quote += trade.quote + trade.providerFee
    }

    mutating func sell(_ trade: Quote) {
        base += trade.base
        quote -= trade.quote - trade.providerFee
    }

    /// What a deposit of so many LP tokens costs; both sides rounded up.
    func cost(of tokens: UInt64) -> (base: UInt64, quote: UInt64) {
        (
            SolanaMath.multiply(base, tokens, dividedUpBy: liquidity),
            SolanaMath.multiply(quote, tokens, dividedUpBy: liquidity)
        )
    }

    /// What so many LP tokens are worth; both sides rounded down.
    func worth(of tokens: UInt64) -> (base: UInt64, quote: UInt64) {
        (
            SolanaMath.multiply(base, tokens, dividedBy: liquidity),
            SolanaMath.multiply(quote, tokens, dividedBy: liquidity)
        )
    }

    mutating func deposit(_ tokens: UInt64) {
        let cost = cost(of: tokens)
        base += cost.base
        quote += cost.quote
        liquidity += tokens
    }

    mutating func withdraw(_ tokens: UInt64) {
        let worth = worth(of: tokens)
        base -= worth.base
        quote -= worth.quote
        liquidity -= tokens
    }

    private func priced(_ base: UInt64, _ quote: UInt64, _ rates: Rates) -> Quote {
        Quote(
            base: base,
            quote: quote,
            providerFee: SolanaMath.fee(quote, basisPoints: rates.provider),
            protocolFee: SolanaMath.fee(quote, basisPoints: rates.protocolShare),
            creatorFee: SolanaMath.fee(quote, basisPoints: rates.creator)
        )
    }
}
