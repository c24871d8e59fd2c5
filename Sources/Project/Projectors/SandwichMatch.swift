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
        if window[match.back].venue.isConcentrated {
            guard replayConcentrated(match, in: window) else { return nil }
            return
        }
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
            count(lost, of: output, by: leg, input: &input)
        }
        basisPoints = .basisPoints(quote, of: input)
    }

    /// Replays a pool of concentrated liquidity.
    ///
    /// - Returns: false when a price is not known, or when the liquidity in range was not the same all
    ///   the while.
    private mutating func replayConcentrated(
        _ match: SandwichMatch,
        in window: TradeWindow
    ) -> Bool {
        guard let first = match.fronts.first else { return false }
        let replay = ConcentratedReplay(
            (first..<match.back).map { window[$0].step },
            token: window.token,
            quote: window.quote
        )
        guard var replay else { return false }
        var input: UInt128 = 0
        var nextVictim = 0
        for index in first + 1..<match.back where !match.fronts.contains(index) {
            let leg = window[index]
            let isVictim =
                nextVictim < match.victims.count && match.victims[nextVictim] == index
            if !isVictim, window.isOneActor(index, match.back) || window.isOneActor(index, first) {
                continue
            }
            guard let step = leg.step, let output = replay.apply(step, leg.side) else {
                return false
            }
            if !replay.isExact(step, leg.side) { isExact = false }
            guard isVictim else { continue }
            nextVictim += 1
            guard let real = replay.output(of: step) else { return false }
            let lost = output.minus(real)
            victims.append(lost)
            count(lost, of: output, by: leg, input: &input)
        }
        basisPoints = .basisPoints(quote, of: input)
        return true
    }

    /// Adds what a victim lost, and what it put in valued in quote.
    private mutating func count(
        _ lost: UInt128,
        of output: UInt128,
        by leg: TradeLeg,
        input: inout UInt128
    ) {
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
}
