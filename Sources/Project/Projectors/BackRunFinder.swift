import MarketModel

/// Looks for trades right behind a large one that live from what it left.
struct BackRunFinder {
    let parameters: TradingParameters

    /// A back-run and what it ran, as indices into a window.
    struct Match {
        var trigger: Int
        var back: Int
        var confidence: UInt8
    }

    /// All of the slot that is being folded, by rising back-runs, one for each: the nearest large
    /// trade before it.
    func matches(in window: TradeWindow) -> [Match] {
        (window.current..<window.count).compactMap { back in
            let mark = window.scan[back]
            let isClosed = mark.marks.contains(.arbitrage)
            guard mark.isUsable, !mark.marks.contains(.attack) else { return nil }
            let leg = window[back]
            guard isClosed || leg.tip > 0 else { return nil }
            return trigger(of: back, in: window).map { trigger in
                let gap = leg.place.transaction &- window.scan[trigger].transaction
                let points: UInt8 = 60 + (isClosed ? 20 : 0) + (leg.tip > 0 ? 10 : 0)
                return Match(
                    trigger: trigger,
                    back: back,
                    confidence: points + (gap == 1 ? 10 : 0)
                )
            }
        }
    }

    private func trigger(of back: Int, in window: TradeWindow) -> Int? {
        let leg = window[back]
        var index = back - 1
        while index >= window.current {
            defer { index -= 1 }
            let gap = leg.place.transaction &- window.scan[index].transaction
            guard gap <= parameters.backRunGap else { return nil }
            let large = window[index]
            guard gap > 0, large.side != leg.side, !window.isOneActor(index, back),
                large.trader != leg.trader, let impact = large.measures.impact,
                impact >= parameters.backRunImpactBasisPoints, large.tokenAmount > 0,
                !large.marks.contains(.attack)
            else { continue }
            return index
        }
        return nil
    }
}
