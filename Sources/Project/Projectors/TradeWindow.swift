package import MarketModel

/// The newest trades of one pool in chain order: those of earlier slots, then those of the slot that
/// is being folded.
package struct TradeWindow {
    /// What a look back compares first, small so that many fit a cache line.
    struct Mark {
        /// The last words of the addresses and the low half of the amount: unequal ones decide.
        var trader: UInt64
        var feePayer: UInt64
        var tokens: UInt64
        var transaction: UInt32
        var side: Trade.Side
        /// Whether it is worth a second look at all.
        var isUsable: Bool
    }

    package let pool: Address
    package let token: Address
    package let quote: Address
    package private(set) var legs: [TradeLeg]
    private(set) var scan: [Mark]
    /// Index of the first leg of the slot that is being folded.
    package let current: Int
    /// Indices before `current` whose marks were changed.
    private(set) var isEarlierChanged = false
    /// Transfers of the token that lie within the window, in chain order.
    let links: [LinkAt]

    /// A transfer and its slot.
    struct LinkAt {
        var slot: UInt64
        var link: TradingLinks.Link
    }

    init(
        pool: Address,
        token: Address,
        quote: Address,
        earlier: [TradeLeg],
        now: [TradeLeg],
        links: [LinkAt] = []
    ) {
        self.pool = pool
        self.token = token
        self.quote = quote
        self.links = links
        current = earlier.count
        legs = earlier.isEmpty ? now : earlier + now
        scan = legs.map { leg in
            Mark(
                trader: leg.trader.storage.words.3,
                feePayer: leg.feePayer?.storage.words.3 ?? leg.trader.storage.words.3,
                tokens: UInt64(truncatingIfNeeded: leg.tokenAmount),
                transaction: leg.place.transaction,
                side: leg.side,
                isUsable: leg.isUsable
            )
        }
    }

    /// Adds marks to a leg.
    mutating func mark(_ index: Int, _ marks: TradeLeg.Marks) {
        legs[index].marks.formUnion(marks)
        if index < current { isEarlierChanged = true }
    }

    /// Whether both legs stand in one transaction.
    func isOneTransaction(_ left: Int, _ right: Int) -> Bool {
        scan[left].transaction == scan[right].transaction && legs[left].slot == legs[right].slot
    }

    /// Whether one wallet traded both, or one wallet paid for both. A program's wallet that trades for
    /// different payers is none: then the payers decide.
    func isOneActor(_ left: Int, _ right: Int) -> Bool {
        let mayBeEqual =
            scan[left].trader == scan[right].trader || scan[left].feePayer == scan[right].feePayer
        return mayBeEqual && walletLink(from: left, to: right) != .none
    }

    /// What ties two legs together by their wallets alone.
    func walletLink(from front: Int, to back: Int) -> DetectionLink {
        let front = legs[front]
        let back = legs[back]
        let payers: Bool? =
            if let one = front.feePayer, let other = back.feePayer { one == other } else { nil }
        if front.trader == back.trader {
            let isDirect = !front.marks.contains(.routed) && !back.marks.contains(.routed)
            if payers != false || isDirect { return .sameTrader }
        }
        return payers == true ? .sameFeePayer : .none
    }

    /// What ties a back to a front, by wallets, a transfer, or an amount.
    func link(from front: Int, to back: Int) -> DetectionLink {
        let left = scan[front]
        let right = scan[back]
        if left.trader == right.trader || left.feePayer == right.feePayer {
            let link = walletLink(from: front, to: back)
            if link != .none { return link }
        }
        if !links.isEmpty, hasTransfer(from: front, to: back) { return .transfer }
        if left.tokens == right.tokens, legs[front].tokenAmount == legs[back].tokenAmount,
            legs[front].trader != legs[back].trader
        {
            return .sameAmount
        }
        return .none
    }

    /// Whether tokens went from the front's wallet to the back's, in between or in their
    /// transactions. One step: no chains of transfers.
    private func hasTransfer(from front: Int, to back: Int) -> Bool {
        let front = legs[front]
        let back = legs[back]
        return links.contains { at in
            let link = at.link
            let after = (at.slot, link.transaction) >= (front.slot, front.place.transaction)
            let before = (at.slot, link.transaction) <= (back.slot, back.place.transaction)
            guard after, before else { return false }
            let leaves = link.from == front.trader || link.from == front.feePayer
            let arrives = link.to == back.trader || link.to == back.feePayer
            return leaves && arrives
        }
    }

    /// Whether a transfer within the window ties two wallets, whichever way it went.
    func isLinked(_ wallet: Address, to others: [Address]) -> Bool {
        links.contains { at in
            (at.link.from == wallet && others.contains(at.link.to))
                || (at.link.to == wallet && others.contains(at.link.from))
        }
    }

    /// Whether two amounts are within some basis points of each other, the first being the measure.
    static func isNear(_ measure: UInt128, _ other: UInt128, basisPoints: UInt64) -> Bool {
        let distance = measure > other ? measure - other : other - measure
        return !Exact.isLess(measure, UInt128(basisPoints), distance, 10_000)
    }
}
