import MarketModel

/// Looks for trades that may have been put before a larger one on purpose. Two independent buyers look
/// just the same: nothing found here is more than a suspicion.
struct FrontRunFinder {
    let parameters: TradingParameters
    let quote: Address

    /// A front-run and whom it ran, as indices into a window.
    struct Match {
        var front: Int
        var victim: Int
        var confidence: UInt8
    }

    /// All of the slot that is being folded, by rising victims, one for each: the nearest trade before
    /// it that fits.
    func matches(in window: TradeWindow) -> [Match] {
        var buys = 0
        var sells = 0
        for index in window.current..<window.count where window.scan[index].isUsable {
            if window.scan[index].isBuy { buys += 1 } else { sells += 1 }
        }
        var matches: [Match] = []
        for victim in window.current..<window.count where window.scan[victim].isUsable {
            let sameSide = window.scan[victim].isBuy ? buys : sells
            // On a hot launch nearly every pair looks like one.
            guard sameSide >= 2, sameSide < parameters.frontRunCrowd else { continue }
            if let match = match(victim: victim, in: window) { matches.append(match) }
        }
        return matches
    }

    private func match(victim: Int, in window: TradeWindow) -> Match? {
        let excluded: TradeLeg.Marks = [.attack, .victim, .arbitrage]
        guard window.scan[victim].marks.isDisjoint(with: excluded),
            let tolerance = window[victim].measures.tolerance, tolerance >= 0,
            tolerance <= parameters.frontRunToleranceBasisPoints
        else { return nil }
        let run = window[victim]
        var index = victim - 1
        while index >= window.current {
            defer { index -= 1 }
            let gap = run.place.transaction &- window.scan[index].transaction
            guard gap <= parameters.frontRunGap else { return nil }
            guard gap > 0, window.scan[index].isBuy == (run.side == .buy),
                window.scan[index].isUsable
            else {
                continue
            }
            if let confidence = confidence(window[index], before: run, in: window) {
                return Match(front: index, victim: victim, confidence: confidence)
            }
        }
        return nil
    }

    /// 30 to 50; nil when the pair does not fit.
    private func confidence(
        _ front: TradeLeg,
        before run: TradeLeg,
        in window: TradeWindow
    ) -> UInt8? {
        let excluded: TradeLeg.Marks = [.attack, .roundTrip, .multiHop, .arbitrage]
        guard front.marks.isDisjoint(with: excluded), front.trader != run.trader else { return nil }
        if let payer = front.feePayer, payer == run.feePayer { return nil }
        if !window.links.isEmpty, window.isLinked(front.trader, to: [run.trader]) { return nil }
        let share = UInt128(parameters.frontRunShareBasisPoints)
        // A quote without a scale has no floor.
        let floor = parameters.scale(of: quote)?.frontRun ?? 0
        guard front.quoteAmount >= floor,
            !Exact.isLess(front.quoteAmount, 10_000, run.quoteAmount, share)
        else { return nil }
        let bidsMore = front.priorityPrice > run.priorityPrice
        guard bidsMore || front.tip > 0 else { return nil }
        let isNext = run.place.transaction &- front.place.transaction == 1
        return 30 + (bidsMore && front.tip > 0 ? 10 : 0) + (isNext ? 10 : 0)
    }
}
