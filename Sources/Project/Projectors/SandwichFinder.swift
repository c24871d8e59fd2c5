import MarketModel

/// Looks for sandwiches whose back stands in the slot that is being folded.
///
/// For every back, in chain order, one look back over at most `scanLegsMax` trades: the match within
/// the slot comes before the wide one, then the stronger link, then the nearer front. Fronts and backs
/// are used once, and so are victims unless the parameters let them be shared.
struct SandwichFinder {
    let parameters: TradingParameters
    let quoteIsNative: Bool

    init(_ parameters: TradingParameters, quote: Address) {
        self.parameters = parameters
        quoteIsNative = quote == parameters.native
    }

    /// The best match of a back; nil when there is none to report.
    func match(back: Int, in window: TradeWindow) -> SandwichMatch? {
        guard window.scan[back].mayClose, isLeg(back, in: window) else { return nil }
        let own = window.scan[back]
        let isBuy = own.isBuy
        let hasLinks = !window.links.isEmpty
        var best: SandwichMatch?
        var isBestInSlot = false
        var isForeignBetween = false
        var candidates = 0
        let lowest = max(0, back - parameters.scanLegsMax)
        for index in stride(from: back - 1, through: lowest, by: -1) {
            if index < window.current, isBestInSlot { break }
            let mark = window.scan[index]
            guard mark.isBuy != isBuy, mark.isUsable else { continue }
            let mayLink =
                mark.trader == own.trader || mark.feePayer == own.feePayer
                || mark.tokens == own.tokens || hasLinks
            let link = mayLink ? window.link(from: index, to: back) : .none
            guard link != .none else {
                isForeignBetween = true
                continue
            }
            // Two strangers may trade the same amount: such a front is as good as foreign to others.
            if link == .sameAmount { isForeignBetween = true }
            guard isForeignBetween, isLeg(index, in: window) else { continue }
            candidates += 1
            if let match = evaluate(front: index, back: back, link: link, in: window),
                // The first match is the best one so far.
                best.map({ match.link < $0.link }) ?? true
            {
                best = match
                isBestInSlot = index >= window.current
                if link == .sameTrader { break }
            }
            if candidates >= parameters.candidatesMax { break }
        }
        return best
    }

    /// Whether a leg can be front or back: done on purpose, by itself, and not used yet.
    private func isLeg(_ index: Int, in window: TradeWindow) -> Bool {
        let excluded: TradeLeg.Marks = [.attack, .multiHop, .arbitrage]
        return window.scan[index].isUsable && window.scan[index].marks.isDisjoint(with: excluded)
    }

    /// A front and a back with all that the definition asks of them; nil when something is missing.
    private func evaluate(
        front: Int,
        back: Int,
        link: DetectionLink,
        in window: TradeWindow
    ) -> SandwichMatch? {
        guard !window.isOneTransaction(front, back) else { return nil }
        let reach = window[back].slot.subtractingReportingOverflow(window[front].slot)
        let isFarther = reach.partialValue > parameters.wideSlots
        guard !isFarther else { return nil }
        let isWide = reach.partialValue > 0
        let limit = isWide ? parameters.inventoryTightBasisPoints : parameters.inventoryBasisPoints
        guard let (fronts, tokens) = fronts(endingAt: front, back: back, link, limit, in: window),
            let first = fronts.first
        else { return nil }
        let victims = victims(after: front, first: first, before: back, in: window)
        guard !victims.isEmpty else { return nil }
        var match = SandwichMatch(
            fronts: fronts,
            victims: victims,
            back: back,
            link: link,
            isWide: window[first].slot != window[back].slot,
            frontTokens: tokens,
            inventoryBasisPoints: distance(tokens, window[back].tokenAmount),
            gross: 0,
            net: 0,
            cost: 0,
            tip: 0,
            isAdjacent: false,
            confidence: 0
        )
        addProfit(to: &match, in: window)
        match.isAdjacent = isAdjacent(match, in: window)
        guard isReported(match, in: window) else { return nil }
        match.confidence = confidence(match, in: window)
        return match.confidence >= parameters.confidenceMin ? match : nil
    }

    /// The filters that need the whole match.
    private func isReported(_ match: SandwichMatch, in window: TradeWindow) -> Bool {
        let isTight = match.inventoryBasisPoints <= parameters.inventoryTightBasisPoints
        if match.isWide, !isTight || match.net <= 0 { return false }
        if match.net <= 0, !parameters.reportsUnprofitable { return false }
        // A quick flip with a stranger's trade in between has none of the three.
        guard match.isAdjacent || isTight || match.tip > 0 else { return false }
        return !isLoop(of: match.back, in: window)
            && !isLoop(of: match.fronts[0], in: window)
    }

    /// The legs that make up the front: the run of the attacker's trades that ends at the nearest one,
    /// without a stranger's trade of that side in between. Of all its ends whose tokens are near enough
    /// to the back's, the nearest; of equally near ones the longest.
    private func fronts(
        endingAt front: Int,
        back: Int,
        _ link: DetectionLink,
        _ basisPoints: UInt64,
        in window: TradeWindow
    ) -> ([Int], UInt128)? {
        let wanted = window[back].tokenAmount
        var total = window[front].tokenAmount
        var run = [front]
        var best: ([Int], UInt128, UInt128)?
        func weigh() {
            let distance = total > wanted ? total - wanted : wanted - total
            guard TradeWindow.isNear(total, wanted, basisPoints: basisPoints) else { return }
            // The first run is the nearest so far.
            if best.map({ distance <= $0.2 }) ?? true { best = (run, total, distance) }
        }
        weigh()
        guard link != .sameAmount else { return best.map { ($0.0, $0.1) } }
        var index = front - 1
        let lowest = max(0, back - parameters.scanLegsMax)
        while index >= lowest, run.count < parameters.frontLegsMax {
            defer { index -= 1 }
            let isOwn = window.isOneActor(index, front)
            let isSameSide = window.scan[index].isBuy == window.scan[front].isBuy
            guard isOwn || isSameSide else { continue }
            guard isOwn, isSameSide, isLeg(index, in: window),
                window[back].slot &- window[index].slot <= parameters.wideSlots
            else { break }
            run.insert(index, at: 0)
            total = total.plus(window[index].tokenAmount)
            weigh()
        }
        return best.map { ($0.0, $0.1) }
    }

    /// Strangers who traded the front's way between front and back.
    private func victims(
        after front: Int,
        first: Int,
        before back: Int,
        in window: TradeWindow
    ) -> [Int] {
        let attackers = attackers(first, front, back, in: window)
        var excluded: TradeLeg.Marks = [.attack, .arbitrage]
        if !parameters.sharesVictims { excluded.insert(.victim) }
        if !parameters.countsRoundTripVictims { excluded.insert(.roundTrip) }
        let isBuy = window.scan[front].isBuy
        return (front + 1..<back).filter { index in
            let mark = window.scan[index]
            guard mark.isBuy == isBuy, mark.isUsable, mark.marks.isDisjoint(with: excluded),
                !window.isOneTransaction(index, front), !window.isOneTransaction(index, back)
            else { return false }
            let leg = window[index]
            if attackers.contains(leg.trader) { return false }
            if let payer = leg.feePayer, attackers.contains(payer) { return false }
            return window.links.isEmpty || !window.isLinked(leg.trader, to: attackers)
        }
    }

    /// All wallets that stand behind front and back.
    private func attackers(
        _ first: Int,
        _ front: Int,
        _ back: Int,
        in window: TradeWindow
    ) -> [Address] {
        var wallets: [Address] = []
        for index in [first, front, back] {
            let leg = window[index]
            wallets.append(leg.trader)
            if let payer = leg.feePayer { wallets.append(payer) }
        }
        return wallets
    }

    /// How far the back's tokens are from the front's.
    private func distance(_ front: UInt128, _ back: UInt128) -> UInt64 {
        let distance = front > back ? front - back : back - front
        // The front is above zero.
        return .basisPoints(distance, of: front) ?? .max
    }

    private func addProfit(to match: inout SandwichMatch, in window: TradeWindow) {
        let back = window[match.back]
        var put: UInt128 = 0
        var paid: [Int] = []
        for index in match.fronts + [match.back] {
            let leg = window[index]
            if index != match.back { put = put.plus(leg.traderQuoteAmount) }
            // A transaction pays once, however many legs it has.
            guard !paid.contains(where: { window.isOneTransaction($0, index) }) else { continue }
            paid.append(index)
            match.cost = match.cost.plus(leg.fee).plus(leg.tip)
            match.tip = match.tip.plus(leg.tip)
        }
        match.gross =
            back.side == .sell
            ? Int128(difference: back.traderQuoteAmount, put)
            : Int128(difference: put, back.traderQuoteAmount)
        match.net = quoteIsNative ? match.gross.minus(match.cost) : match.gross
    }

    private func isAdjacent(_ match: SandwichMatch, in window: TradeWindow) -> Bool {
        guard !match.isWide, let front = match.fronts.last else { return false }
        var last = window.scan[front].transaction
        for index in match.victims + [match.back] {
            let next = window.scan[index].transaction
            guard next &- last <= parameters.adjacentGap else { return false }
            last = next
        }
        return true
    }

    /// Whether a wallet bought and sold again and again in the slot of one of its legs, with nobody in
    /// between to be harmed.
    private func isLoop(of leg: Int, in window: TradeWindow) -> Bool {
        let slot = window.scan[leg].slot
        var first = leg
        while first > 0, window.scan[first - 1].slot == slot { first -= 1 }
        var pairs = 0
        var open: Int?
        var index = first
        let end = min(window.count, first + parameters.poolLegsMax)
        while index < end, window.scan[index].slot == slot {
            defer { index += 1 }
            if window.isOneActor(index, leg) {
                if let begun = open, window.scan[begun].isBuy != window.scan[index].isBuy {
                    pairs += 1
                    open = nil
                } else {
                    open = index
                }
            } else if let begun = open, window.scan[begun].isBuy == window.scan[index].isBuy,
                window.scan[index].isUsable
            {
                open = nil
            }
        }
        return pairs >= parameters.loopPairsMin
    }

    /// 40, and what the match shows beside that.
    private func confidence(_ match: SandwichMatch, in window: TradeWindow) -> UInt8 {
        var points = 40
        switch match.link {
        case .sameTrader: points += 20
        case .sameFeePayer: points += 10
        case .transfer, .sameAmount: points += 5
        case .none: break
        }
        if match.isAdjacent { points += 15 }
        if match.inventoryBasisPoints <= parameters.inventoryTightBasisPoints { points += 10 }
        if match.net > 0 { points += 10 }
        if match.tip > 0 { points += 5 }
        let slots =
            window[match.back].slot &- window[match.fronts[0]].slot
        points -= 5 * Int(min(slots, 20))
        return UInt8(min(max(points, 0), 100))
    }
}
