// What happened in a market, whichever program or contract said it.

/// One thing that happened.
package enum MarketEvent: Hashable, Sendable {
    case tokenCreated(TokenCreated)
    case trade(Trade)
    case curveCompleted(CurveCompleted)
    case curveMigrated(CurveMigrated)
    case curveReset(CurveReset)
    case creatorChanged(CreatorChanged)
    case poolCreated(PoolCreated)
    case liquidity(LiquidityChange)
    case feePayout(FeePayout)
    case poolBoosted(PoolBoosted)
    case sharesBurned(SharesBurned)
}

/// An event with its place in the block.
package struct PlacedEvent: Hashable, Sendable {
    package var place: EventPlace
    package var event: MarketEvent

    package init(_ place: EventPlace, _ event: MarketEvent) {
        self.place = place
        self.event = event
    }
}
