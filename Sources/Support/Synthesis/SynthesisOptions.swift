/// What to synthesise. Equal options give equal bytes.
package struct SynthesisOptions: Equatable, Sendable {
    /// How the streams end.
    package enum End: Equatable, Sendable {
        /// gRPC status OK; a close handshake with code 1000.
        case clean
        /// UNAVAILABLE on gRPC; on the WebSocket the last message stops after its first
        /// fragment and no close frame follows (code 1006).
        case cut
    }

    /// Which fields the events of the pump programs carry; older forms are prefixes of newer ones.
    package enum EventLayout: Equatable, Sendable {
        /// As published up to 2025-11-07.
        case january2026
        /// As published up to 2026-07: the newest form that was checked on real events.
        case july2026
    }

    /// Picks every random choice.
    package var seed: UInt64 = 1
    /// Wall clock at the first step; the default is 2026-01-05T12:00:00Z.
    package var startWallNanoseconds: Int64 = 1_767_614_400_000_000_000
    /// Solana slots, about 400 ms each; 0 leaves the Geyser streams out.
    package var slots: UInt32 = 150
    /// Polygon blocks, about 2 s each; 0 leaves the WebSocket stream out.
    package var ethereumBlocks: UInt32 = 30
    /// Coins launched on the bonding curve, spread over the run.
    package var tokens: UInt32 = 6
    /// Coins priced in USDC and not in SOL, in thousandths of all; none in the older layout, which
    /// has no other quotes.
    package var usdcPerMille: UInt32 = 150
    /// Mean number of market transactions in a Solana slot, 0 to 1,000.
    package var tradesPerSlot: UInt32 = 6
    /// Votes in a Solana slot, 0 to 1,000.
    package var votesPerSlot: UInt32 = 8
    /// Mean number of transactions with logs in a Polygon block, 0 to 200.
    package var swapsPerBlock: UInt32 = 4
    /// Reorganisations of depth 1 or 2 on the Polygon side.
    package var reorgs: UInt32 = 0
    /// Failed market transactions, in thousandths of all.
    package var failedPerMille: UInt32 = 80
    /// Slots without a block, in thousandths of all.
    package var skippedPerMille: UInt32 = 20
    /// Delivers accounts of the token programs too: balances and mints.
    package var tokenAccounts = false
    /// Adds a second Geyser source that delivers whole blocks.
    package var wholeBlocks = false
    /// Geyser sources that deliver the market in parts, each with delays of its own; 1 to 4.
    package var streams: UInt32 = 1
    /// Branches of one to three blocks that are processed and never confirmed.
    package var forks: UInt32 = 0
    /// Slots that die while their block is produced.
    package var deadSlots: UInt32 = 0
    /// Slots of which the last stream first sees another block.
    package var equivocations: UInt32 = 0
    /// Slots of which one stream gets nothing.
    package var missedSlots: UInt32 = 0
    /// Times that a stream breaks and comes back a second later.
    package var disconnects: UInt32 = 0
    /// Updates that a stream delivers twice, in thousandths.
    package var duplicatedPerMille: UInt32 = 0
    /// Transactions that come up to three slots late, in thousandths.
    package var latePerMille: UInt32 = 0
    /// Sandwiches within one slot, some of which earn nothing.
    package var sandwiches: UInt32 = 0
    /// Sandwiches whose front and back are one to four slots apart.
    package var wideSandwiches: UInt32 = 0
    /// Trades put before one with a tight limit.
    package var frontRuns: UInt32 = 0
    /// Trades right behind a large one; half of them close on another pool at once.
    package var backRuns: UInt32 = 0
    /// Wallets that buy what a leading one has bought. They show from about 60 slots and 30 coins on:
    /// where coins are few, older tokens are traded beside them.
    package var copyTraders: UInt32 = 0
    /// Innocent patterns that look like one of the above.
    package var lookAlikes: UInt32 = 0
    package var layout: EventLayout = .july2026
    package var end: End = .clean

    package init() {}

    /// Turns everything on, in numbers that follow the slots.
    package mutating func fill() {
        let slots = slots
        func one(in share: UInt32) -> UInt32 { max(1, slots / share) }
        tokens = max(30, slots / 4)
        tradesPerSlot = 12
        tokenAccounts = true
        streams = 3
        reorgs = one(in: 300)
        forks = one(in: 100)
        deadSlots = one(in: 200)
        equivocations = one(in: 200)
        missedSlots = one(in: 150)
        disconnects = one(in: 400)
        duplicatedPerMille = 20
        latePerMille = 15
        sandwiches = one(in: 6)
        wideSandwiches = one(in: 12)
        frontRuns = one(in: 12)
        backRuns = one(in: 12)
        copyTraders = tokens >= 200 ? 4 : 2
        lookAlikes = one(in: 6)
    }

    /// Whether anybody acts on purpose. Without actors the market has the bytes that it always had.
    package var hasActors: Bool {
        [sandwiches, wideSandwiches, frontRuns, backRuns, copyTraders, lookAlikes].contains {
            $0 > 0
        }
    }
}
