package import MarketModel

/// The thresholds of `LifecycleProjector`.
package struct LifecycleParameters: Hashable, Sendable {
    /// Market caps, in raw units of one quote, whose first crossing is told.
    package struct MilestoneList: Hashable, Sendable {
        package var quote: Address
        /// Rising.
        package var thresholds: [UInt128]

        package init(quote: Address, thresholds: [UInt128]) {
            self.quote = quote
            self.thresholds = thresholds
        }
    }

    /// Whether a creator's buy within the creating transaction already begins trading.
    package var devBuyCountsAsTrading = false
    /// Progress from which a coin is near graduation.
    package var nearGraduationBasisPoints: UInt16 = 9_000
    /// How far progress must fall below that before the coin may come near once more.
    package var nearHysteresisBasisPoints: UInt16 = 500
    /// One list for each quote that has any.
    package var milestones: [MilestoneList]
    /// Whether a milestone is told again after the cap fell below `rearmPercent` of it.
    package var rearmsMilestones = false
    package var rearmPercent: UInt8 = 80
    /// Traders of one token that are counted one by one; later ones are estimated.
    package var exactTradersMax: UInt32 = 8_192
    /// Slots after the creating one whose first buyers are snipers.
    package var sniperSlots: UInt64 = 2
    /// Slots after the creating one that early features cover.
    package var earlySlots: UInt64 = 25
    /// Slots without a trade after which a token counts as abandoned.
    package var abandonedSlots: UInt64 = 216_000
    /// What a new curve starts with where its event does not tell.
    package var startQuote: UInt128 = 30_000_000_000
    package var startTokens: UInt128 = 1_073_000_000_000_000
    package var startRealTokens: UInt128 = 793_100_000_000_000
    package var supply: UInt128 = 1_000_000_000_000_000
    /// Coins that were made before this time graduated to Raydium v4: 2025-04-01 00:00 UTC.
    package var legacyUntil: Int64 = 1_743_465_600
    /// The tokens that such a graduation put into its pool.
    package var legacyPoolTokens: UInt128 = 206_900_000_000_000

    /// The defaults of a chain.
    package init(_ chain: Chain) {
        let sol: [UInt128] = [
            50, 100, 200, 410, 420, 1_000, 1_470, 2_460, 3_440, 4_420, 9_820, 19_650, 49_120,
            98_240,
        ]
        let dollars: [UInt128] = [
            10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000, 10_000_000,
        ]
        switch chain {
        case .solana:
            let millionths = dollars.map { $0 * 1_000_000 }
            milestones = [
                MilestoneList(
                    quote: KnownQuote.wrappedSOL,
                    thresholds: sol.map { $0 * 1_000_000_000 }
                ),
                MilestoneList(quote: KnownQuote.usdc, thresholds: millionths),
                MilestoneList(quote: KnownQuote.usdt, thresholds: millionths),
            ]
        case .evm:
            milestones = []
            abandonedSlots = 43_200
        }
    }

    /// The milestones of a quote; none when it has no list.
    package func thresholds(of quote: Address?) -> [UInt128] {
        milestones.first { $0.quote == quote }?.thresholds ?? []  // a quote without a list
    }

    /// All of it in canonical form.
    package func text(on chain: Chain) -> String {
        var text = ParameterText()
        text.add("dev_buy_counts_as_trading", devBuyCountsAsTrading)
        text.add("near_graduation_bps", nearGraduationBasisPoints)
        text.add("near_hysteresis_bps", nearHysteresisBasisPoints)
        for list in milestones {
            text.add("milestones." + list.quote.text(on: chain), list.thresholds)
        }
        text.add("rearms_milestones", rearmsMilestones)
        text.add("rearm_percent", rearmPercent)
        text.add("exact_traders_max", exactTradersMax)
        text.add("sniper_slots", sniperSlots)
        text.add("early_slots", earlySlots)
        text.add("start_quote", startQuote)
        text.add("start_tokens", startTokens)
        text.add("start_real_tokens", startRealTokens)
        text.add("supply", supply)
        text.add("legacy_until", legacyUntil)
        text.add("legacy_pool_tokens", legacyPoolTokens)
        return text.text
    }
}
