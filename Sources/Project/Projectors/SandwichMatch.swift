import MarketModel

/// Front, victims and back that belong together, as indices into a window.
struct SandwichMatch {
    /// In chain order; several when the front was split.
    var fronts: [Int]
    /// In chain order.
    var victims: [Int]
    var back: Int
    var link: DetectionLink
    var isWide: Bool
    /// Tokens of all fronts.
    var frontTokens: UInt128
    var inventoryBasisPoints: UInt64
    var gross: Int128
    var net: Int128
    var cost: UInt128
    var tip: UInt128
    /// Whether no two legs that follow each other are further apart than adjacent ones.
    var isAdjacent: Bool
    var confidence: UInt8

    /// What the match is reported as.
    var kind: DetectionClass {
        if isWide { return .wide }
        return net > 0 ? .sandwich : .sandwichUnprofitable
    }
}

/// What the victims of a sandwich lost, found by replaying all trades between front and back that are
/// not the attacker's on the reserves before the front.
struct SandwichLoss {
    /// One for each victim, in units of what it got.
    var victims: [UInt128] = []
    /// In quote, together.
    var quote: UInt128 = 0
    /// Of the victims' inputs, valued in quote; nil when they are zero.
    var basisPoints: UInt64?
    /// Whether the formula gives every replayed trade as it really was, and nothing else moved the
    /// pool in between.
    var isExact = true

    /// Replays; nil when the reserves before the front are not known.
    ///
    /// - Parameters:
    ///   - match: the sandwich.
    ///   - window: where its indices lead to.
    init?(_ match: SandwichMatch, in window: TradeWindow) {
        guard let first = match.fronts.first, let before = window[first].before else {
            return nil
        }
        var replay = TradeReplay(from: before)
        var input: UInt128 = 0
        var nextVictim = 0
        var last = window[first].after
        for index in first + 1..<match.back {
            let leg = window[index]
            // Something else moved the pool in between, or a trade was not seen.
            if leg.before != last { isExact = false }
            last = leg.after
            guard !match.fronts.contains(index) else { continue }
            let isVictim =
                nextVictim < match.victims.count && match.victims[nextVictim] == index
            if !isVictim, window.isOneActor(index, match.back) || window.isOneActor(index, first) {
                continue
            }
            let output = replay.apply(leg)
            if !TradeReplay.reproduces(leg) { isExact = false }
            guard isVictim else { continue }
            nextVictim += 1
            let lost = output.minus(TradeReplay.measure(of: leg))
            victims.append(lost)
            switch leg.side {
            case .buy:
                // The part of the input for which nothing came out; nothing when nothing would have.
                quote = quote.plus(Exact.mulDiv(leg.quoteAmount, lost, output)?.value ?? 0)
                input = input.plus(leg.quoteAmount)
            case .sell:
                quote = quote.plus(lost)
                input = input.plus(output)
            }
        }
        basisPoints = .basisPoints(quote, of: input)
    }
}
