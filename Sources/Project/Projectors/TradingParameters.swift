package import MarketModel

/// The thresholds of `TradingProjector`. Which section of the definitions a number comes from stands
/// in the table of the stage's README.
package struct TradingParameters: Hashable, Sendable {
    // MARK: Windows and bounds

    /// Slots for which trades are kept for people, the newest included.
    package var recentSlots: UInt64 = 150
    /// Trades of one pool in one slot that are kept and that detectors look at; more are counted.
    package var poolLegsMax = 1_024
    /// Trades of its pool that a detector looks back over from one trade.
    package var scanLegsMax = 512
    /// Trades of the same wallet that are tried as the front of one back.
    package var candidatesMax = 16
    /// Trades that are taken together as one front.
    package var frontLegsMax = 8
    /// Legs that one detection lists; `victims` counts them all.
    package var listedLegsMax = 64
    /// Transfers between wallets that are kept for one token and slot.
    package var linksMax = 256

    // MARK: Sandwiches

    /// Slots by which front and back of a wide sandwich may be apart.
    package var wideSlots: UInt64 = 4
    /// How far the back's tokens may be from the front's.
    package var inventoryBasisPoints: UInt64 = 500
    /// The same for wide ones, and what counts as an equal inventory.
    package var inventoryTightBasisPoints: UInt64 = 100
    /// Places in the block that two legs may be apart to count as adjacent.
    package var adjacentGap: UInt32 = 2
    /// The least confidence of a sandwich that is reported.
    package var confidenceMin: UInt8 = 60
    /// Whether sandwiches that earned nothing are reported, as a class of their own.
    package var reportsUnprofitable = true
    /// Pairs of a buy and a sell without a victim in one slot that make a wallet a volume bot.
    package var loopPairsMin = 3
    /// Whether a trade may be the victim of several sandwiches.
    package var sharesVictims = false
    /// Whether a wallet that bought and sold nearly the same in the slot can be a victim.
    package var countsRoundTripVictims = false
    /// How near the two amounts of a round trip are.
    package var roundTripBasisPoints: UInt64 = 100

    // MARK: Front-runs, back-runs, cycles

    /// The least part of the victim's quote that a front-run puts in.
    package var frontRunShareBasisPoints: UInt64 = 1_000
    /// The most tolerance that the victim may have had left.
    package var frontRunToleranceBasisPoints: Int64 = 2_000
    /// From so many trades of one side in the slot on, front-runs of that side are not told.
    package var frontRunCrowd = 5
    /// Places in the block that front-run and victim may be apart.
    package var frontRunGap: UInt32 = 2
    /// The least impact of a trade that is back-run.
    package var backRunImpactBasisPoints: Int64 = 100
    /// Places in the block that it and the back-run may be apart.
    package var backRunGap: UInt32 = 2
    /// How far what one hop of a cycle gives may be from what the next takes.
    package var cycleBasisPoints: UInt64 = 100
    /// Trades of one transaction that are looked at for cycles.
    package var cycleLegsMax = 32

    // MARK: Copy trading

    /// Wallets that lead without having earned it.
    package var leaders: [Address] = []
    /// Tokens that a wallet has closed before it leads.
    package var leaderClosedMin: UInt32 = 20
    /// The least part of them with a gain.
    package var leaderWinBasisPoints: UInt64 = 5_000
    /// The part of a position that must be sold to close it.
    package var closedBasisPoints: UInt64 = 9_000
    /// Slots within which a follower buys after a leader.
    package var copySlots: UInt64 = 10
    /// Distinct tokens of a relation.
    package var copyTokensMin: UInt64 = 3
    /// Days, by block time, in which they are counted; at most 8.
    package var copyDays = 7
    /// The least part of the leader's first buys that was followed.
    package var copyRatioBasisPoints: UInt64 = 5_000
    /// The greatest median lag in slots.
    package var copyMedianSlots: UInt64 = 5
    /// How many times more often than by chance.
    package var copyLift: UInt64 = 5
    /// A wallet that first-buys more than this part of all new tokens neither leads nor follows.
    package var copySniperBasisPoints: UInt64 = 3_000
    /// Buys of leaders that are remembered for one token.
    package var copyLeadersMax = 8

    // MARK: Alerts

    /// The least impact of a trade that is told.
    package var highImpactBasisPoints: Int64 = 500
    /// The least part of the pool's quote that makes a trade a whale's.
    package var whaleShareBasisPoints: UInt64 = 100
    /// What is much and little, by quote.
    package var quotes: [QuoteScale]

    /// What is much and what is little in one quote.
    package struct QuoteScale: Hashable, Sendable {
        package var quote: Address
        /// From here on a trade is a whale's.
        package var whale: UInt128
        /// The least of a trade with high impact that is told.
        package var highImpact: UInt128
        /// The least of a front-run.
        package var frontRun: UInt128

        package init(quote: Address, whale: UInt128, highImpact: UInt128, frontRun: UInt128) {
            self.quote = quote
            self.whale = whale
            self.highImpact = highImpact
            self.frontRun = frontRun
        }
    }

    /// What the chain's fees and tips are paid in, as a quote: from its amounts they can be
    /// subtracted.
    package var native: Address?

    /// The defaults of a chain.
    package init(_ chain: Chain) {
        switch chain {
        case .solana:
            native = KnownQuote.wrappedSOL
            quotes = [
                QuoteScale(
                    quote: KnownQuote.wrappedSOL,
                    whale: 10_000_000_000,
                    highImpact: 1_000_000_000,
                    frontRun: 100_000_000
                ),
                QuoteScale(
                    quote: KnownQuote.usdc,
                    whale: 1_500_000_000,
                    highImpact: 150_000_000,
                    frontRun: 15_000_000
                ),
                QuoteScale(
                    quote: KnownQuote.usdt,
                    whale: 1_500_000_000,
                    highImpact: 150_000_000,
                    frontRun: 15_000_000
                ),
            ]
        case .evm(137):
            native = KnownQuote.wrappedPOL
            quotes = []
        case .evm:
            quotes = []
        }
    }

    /// The scale of a quote; nil for unknown ones, which are never told as whales or alerts.
    package func scale(of quote: Address) -> QuoteScale? {
        quotes.first { $0.quote == quote }
    }
}

extension TradingParameters {
    /// All of it in canonical form.
    package func text(on chain: Chain) -> String {
        var text = ParameterText()
        addWindows(to: &text)
        addDetectors(to: &text)
        text.add("leaders", leaders.map { $0.text(on: chain) })
        text.add("leader_closed_min", leaderClosedMin)
        text.add("leader_win_bps", leaderWinBasisPoints)
        text.add("closed_bps", closedBasisPoints)
        text.add("copy_slots", copySlots)
        text.add("copy_tokens_min", copyTokensMin)
        text.add("copy_days", copyDays)
        text.add("copy_ratio_bps", copyRatioBasisPoints)
        text.add("copy_median_slots", copyMedianSlots)
        text.add("copy_lift", copyLift)
        text.add("copy_sniper_bps", copySniperBasisPoints)
        text.add("copy_leaders_max", copyLeadersMax)
        text.add("high_impact_bps", highImpactBasisPoints)
        text.add("whale_share_bps", whaleShareBasisPoints)
        for scale in quotes {
            let amounts = [scale.whale, scale.highImpact, scale.frontRun]
            text.add("whale_high_front." + scale.quote.text(on: chain), amounts)
        }
        text.add("native", native.map { [$0.text(on: chain)] } ?? ["none"])
        return text.text
    }

    private func addWindows(to text: inout ParameterText) {
        text.add("recent_slots", recentSlots)
        text.add("pool_legs_max", poolLegsMax)
        text.add("scan_legs_max", scanLegsMax)
        text.add("candidates_max", candidatesMax)
        text.add("front_legs_max", frontLegsMax)
        text.add("listed_legs_max", listedLegsMax)
        text.add("links_max", linksMax)
    }

    private func addDetectors(to text: inout ParameterText) {
        text.add("wide_slots", wideSlots)
        text.add("inventory_bps", inventoryBasisPoints)
        text.add("inventory_tight_bps", inventoryTightBasisPoints)
        text.add("adjacent_gap", adjacentGap)
        text.add("confidence_min", confidenceMin)
        text.add("reports_unprofitable", reportsUnprofitable)
        text.add("loop_pairs_min", loopPairsMin)
        text.add("shares_victims", sharesVictims)
        text.add("counts_round_trip_victims", countsRoundTripVictims)
        text.add("round_trip_bps", roundTripBasisPoints)
        text.add("front_run_share_bps", frontRunShareBasisPoints)
        text.add("front_run_tolerance_bps", frontRunToleranceBasisPoints)
        text.add("front_run_crowd", frontRunCrowd)
        text.add("front_run_gap", frontRunGap)
        text.add("back_run_impact_bps", backRunImpactBasisPoints)
        text.add("back_run_gap", backRunGap)
        text.add("cycle_bps", cycleBasisPoints)
        text.add("cycle_legs_max", cycleLegsMax)
    }
}
