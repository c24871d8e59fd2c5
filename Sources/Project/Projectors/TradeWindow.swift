import MarketModel

/// What a look back over many trades compares first, small so that a cache line holds more than one.
struct TradeScan: Hashable, Sendable {
    /// The last words of the addresses and the low half of the amount: unequal ones decide.
    var trader: UInt64
    /// The trader's when nobody is known to have paid.
    var feePayer: UInt64
    var tokens: UInt64
    var slot: UInt64
    var transaction: UInt32
    /// As in the leg.
    var marks: TradeLeg.Marks
    var isBuy: Bool
    /// Whether it is worth a second look at all.
    var isUsable: Bool
    /// Whether a trade before it in the window may be its wallet's, or of its amount, the other way;
    /// when not, no look back finds anything.
    var mayClose = true

    init(_ leg: TradeLeg) {
        trader = leg.trader.storage.words.3
        feePayer = leg.feePayer?.storage.words.3 ?? trader
        tokens = UInt64(truncatingIfNeeded: leg.tokenAmount)
        slot = leg.slot
        transaction = leg.place.transaction
        marks = leg.marks
        isBuy = leg.side == .buy
        isUsable = leg.isUsable
    }
}

/// The newest trades of one pool in chain order: those of earlier slots, then those of the slot that
/// is being folded. Trades of earlier slots stay where they are; only what is compared is copied.
struct TradeWindow {
    /// The trades of one earlier slot.
    struct Earlier {
        var slot: UInt64
        var row: TradingRecent
        /// Index of its first trade.
        var start: Int
    }

    /// A transfer and its slot.
    struct LinkAt {
        var slot: UInt64
        var link: TradingLinks.Link
    }

    let pool: Address
    let token: Address
    let quote: Address
    /// By rising slots.
    private(set) var earlier: [Earlier]
    /// Those of the slot that is being folded.
    private(set) var now: [TradeLeg]
    /// One for each trade of the window.
    private(set) var scan: [TradeScan]
    /// Index of the first trade of the slot that is being folded.
    let current: Int
    /// Whether marks before `current` were changed.
    private(set) var isEarlierChanged = false
    /// Transfers of the token that lie within the window, in chain order.
    let links: [LinkAt]

    init(
        pool: Address,
        token: Address,
        quote: Address,
        earlier rows: [(slot: UInt64, row: TradingRecent)],
        now: [TradeLeg],
        links: [LinkAt] = []
    ) {
        self.pool = pool
        self.token = token
        self.quote = quote
        self.links = links
        self.now = now
        earlier = []
        scan = []
        scan.reserveCapacity(rows.reduce(now.count) { $0 + $1.row.legs.count })
        for (slot, row) in rows {
            earlier.append(Earlier(slot: slot, row: row, start: scan.count))
            scan.append(contentsOf: row.scan)
        }
        current = scan.count
        for index in now.indices { scan.append(TradeScan(now[index])) }
        if links.isEmpty { findClosing() }
    }

    /// Sets `mayClose` of the trades of the slot, by a set for each side that may hold more than was
    /// put in.
    private mutating func findClosing() {
        var bought = TradeWordSet(forTrades: scan.count)
        var sold = TradeWordSet(forTrades: scan.count)
        for index in scan.indices {
            let mark = scan[index]
            if index >= current {
                scan[index].mayClose =
                    mark.isBuy ? sold.mayHold(anyOf: mark) : bought.mayHold(anyOf: mark)
            }
            if mark.isBuy {
                bought.insert(mark.trader)
                bought.insert(mark.feePayer)
                bought.insert(mark.tokens)
            } else {
                sold.insert(mark.trader)
                sold.insert(mark.feePayer)
                sold.insert(mark.tokens)
            }
        }
    }

    /// How many trades there are.
    var count: Int { scan.count }

    /// A trade in full.
    subscript(_ index: Int) -> TradeLeg {
        _read {
            if index >= current {
                yield now[index - current]
            } else {
                var place = earlier.count - 1
                while earlier[place].start > index { place -= 1 }
                yield earlier[place].row.legs[index - earlier[place].start]
            }
        }
    }

    /// Adds marks to a trade.
    mutating func mark(_ index: Int, _ marks: TradeLeg.Marks) {
        scan[index].marks.formUnion(marks)
        guard index < current else {
            now[index - current].marks.formUnion(marks)
            return
        }
        isEarlierChanged = true
        var place = earlier.count - 1
        while earlier[place].start > index { place -= 1 }
        earlier[place].row.mark(index - earlier[place].start, marks)
    }

    /// Whether both trades stand in one transaction.
    func isOneTransaction(_ left: Int, _ right: Int) -> Bool {
        scan[left].transaction == scan[right].transaction && scan[left].slot == scan[right].slot
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
        let front = self[front]
        let back = self[back]
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
        if left.tokens == right.tokens, self[front].tokenAmount == self[back].tokenAmount,
            self[front].trader != self[back].trader
        {
            return .sameAmount
        }
        return .none
    }

    /// Whether tokens went from the front's wallet to the back's, in between or in their
    /// transactions. One step: no chains of transfers.
    private func hasTransfer(from front: Int, to back: Int) -> Bool {
        let front = self[front]
        let back = self[back]
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

/// A set of words that never misses one, and rarely takes one that is not there for one that is: a
/// Bloom filter with one hash.
struct TradeWordSet {
    private var bits: [UInt64]
    /// What leaves the place of a bit of a 64-bit hash.
    private let shift: UInt64

    /// An empty one, in which some trades leave at least nine bits of ten free.
    init(forTrades count: Int) {
        // 1,024 bits for three words each of up to 32 trades, and twice as many for twice as many.
        var logarithm: UInt64 = 10
        while logarithm < 16, count > 1 << (logarithm - 5) { logarithm += 1 }
        bits = [UInt64](repeating: 0, count: 1 << Int(logarithm - 6))
        shift = 64 - logarithm
    }

    mutating func insert(_ word: UInt64) {
        let place = place(of: word)
        bits[place >> 6] |= 1 << UInt64(place & 63)
    }

    func mayHold(anyOf mark: TradeScan) -> Bool {
        mayHold(mark.trader) || mayHold(mark.feePayer) || mayHold(mark.tokens)
    }

    private func mayHold(_ word: UInt64) -> Bool {
        let place = place(of: word)
        return bits[place >> 6] >> UInt64(place & 63) & 1 == 1
    }

    private func place(of word: UInt64) -> Int {
        Int((word &* 0x9e37_79b9_7f4a_7c15) >> shift)
    }
}
