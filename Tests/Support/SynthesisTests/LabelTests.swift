import Testing

@testable import Synthesis

/// Labels against the wire: what they name is there, in order, and does what they say.
struct LabelTests {
    /// A market with all kinds of actors, and what was told of it.
    private struct Market {
        var labels: [SynthesizedLabel] = []
        /// What only looks like it.
        var lookAlikes: [SynthesizedLabel] = []
        var messages: [[UInt8]] = []
        var transactions: [[UInt8]: WireReading.Transaction] = [:]
        var orphans: Set<UInt64> = []

        init(_ options: SynthesisOptions) throws {
            var steps: [SynthesizedStep] = []
            let told = MarketSynthesis(options).run { steps.append($0) }
            labels = told.filter { $0.innocence == nil }
            lookAlikes = told.filter { $0.innocence != nil }
            for step in steps {
                guard case .message(.incoming, let bytes) = step.event else { continue }
                messages.append(bytes)
            }
            let states = try WireReading.statuses(messages)
            let confirmed = Set(states.filter { $0.state == 1 }.map(\.slot))
            orphans = Set(states.map(\.slot)).subtracting(confirmed)
            for transaction in try WireReading.transactions(messages)
            where !orphans.contains(transaction.slot) {
                transactions[transaction.signature] = transaction
            }
        }
    }

    private static var options: SynthesisOptions {
        var options = SynthesisOptions()
        options.slots = 160
        options.ethereumBlocks = 0
        options.votesPerSlot = 1
        options.tokens = 40
        options.tradesPerSlot = 8
        options.forks = 4
        options.sandwiches = 30
        options.wideSandwiches = 20
        options.frontRuns = 20
        options.backRuns = 24
        options.lookAlikes = 27
        return options
    }

    private static let market = Result { try Market(options) }

    private func find(
        _ signatures: [[UInt8]],
        _ market: Market
    ) throws -> [WireReading.Transaction] {
        try signatures.map { try #require(market.transactions[$0], "no such transaction") }
    }

    private func place(_ transaction: WireReading.Transaction) -> (UInt64, UInt64) {
        (transaction.slot, transaction.index)
    }

    @Test func `every kind is told, by slot`() throws {
        let labels = try Self.market.get().labels
        let kinds = Set(labels.map(\.kind))
        for kind in SynthesizedLabel.Kind.allCases where kind != .copyTrading {
            #expect(kinds.contains(kind), "\(kind)")
        }
        #expect(labels.map(\.slot) == labels.map(\.slot).sorted())
        #expect(Set(labels.flatMap { $0.fronts + $0.victims + $0.backs }).count > 100)
    }

    @Test func `every innocent pattern is told with its reason`() throws {
        let market = try Self.market.get()
        let reasons = Set(market.lookAlikes.compactMap(\.innocence))
        // Copy traders have tests of their own; cycles need a token on two pools.
        let sure: Set<SynthesizedLabel.Innocence> = [
            .marketMaker, .quickFlip, .router, .oneOwner, .crowd,
        ]
        #expect(reasons.isSuperset(of: sure))
        #expect(reasons.intersection([.lowBid, .tooSmall, .wideLimit]).count > 0)
        #expect(reasons.intersection([.noTip, .farApart]).count > 0)
        let real = Set(market.labels.flatMap { $0.fronts + $0.backs })
        for label in market.lookAlikes {
            let fronts = try find(label.fronts, market)
            let victims = try find(label.victims, market)
            let backs = try find(label.backs, market)
            let all = fronts + victims + backs
            #expect(all.allSatisfy { !$0.failed && $0.keys.contains(label.pool) })
            #expect(all.map(\.slot).max() == label.slot)
            switch label.kind {
            case .sandwich, .sandwichUnprofitable:
                let (front, back) = (try #require(fronts.first), try #require(backs.first))
                #expect(!victims.isEmpty)
                #expect(victims.allSatisfy { place(front) < place($0) && place($0) < place(back) })
            case .possibleFrontRun:
                #expect(try place(#require(fronts.first)) < place(#require(victims.last)))
            case .backRun:
                #expect(try place(#require(victims.first)) < place(#require(backs.first)))
            case .wide, .arbitrage, .copyTrading: Issue.record("\(label.kind) has no look-alikes")
            }
            // Cycles are told as what they are.
            if label.innocence != .cycle {
                #expect(real.isDisjoint(with: label.fronts + label.backs))
            }
        }
    }

    /// Who follows buys what the leader bought, after it and within ten slots; that on three tokens at
    /// least, and most of what it leads on.
    @Test(arguments: [51, 52] as [UInt64])
    func `copies show in a small market`(seed: UInt64) throws {
        var options = SynthesisOptions()
        options.seed = seed
        options.slots = 120
        options.ethereumBlocks = 0
        options.votesPerSlot = 0
        options.tokens = 30
        options.tradesPerSlot = 4
        options.copyTraders = 2
        options.lookAlikes = 1
        let market = try Market(options)
        let copies = market.labels.filter { $0.kind == .copyTrading }
        #expect(copies.count >= 1)
        // Accounts that stand in many transactions tie nobody to anybody.
        var uses: [[UInt8]: Int] = [:]
        for key in market.transactions.values.flatMap({ Set($0.keys) }) {
            uses[key, default: 0] += 1
        }
        let usual = Set(uses.filter { $0.value * 10 > market.transactions.count }.keys)
        for label in copies {
            let lead = try find(label.fronts, market)[0]
            let copy = try find(label.backs, market)[0]
            #expect(place(lead) < place(copy))
            #expect(copy.slot - lead.slot <= 10)
            let leader = lead.keys[0]
            // What both signed, and whether it names a market that is the same.
            var common = 0
            let signed = { (key: [UInt8]) in
                market.transactions.values.filter { $0.keys[0] == key && !$0.failed }
                    .sorted { place($0) < place($1) }
            }
            let leads = signed(leader)
            for follow in signed(label.attacker) where place(follow) <= place(copy) {
                let accounts = Set(follow.keys).subtracting(usual)
                let isLed = leads.contains { lead in
                    place(lead) < place(follow) && follow.slot - lead.slot <= 10
                        && !accounts.isDisjoint(with: lead.keys)
                }
                if isLed { common += 1 }
            }
            #expect(common >= 3)
        }
    }

    @Test func `what is named is confirmed, succeeded, is in order and names the pool`() throws {
        let market = try Self.market.get()
        #expect(!market.orphans.isEmpty)
        for label in market.labels {
            let fronts = try find(label.fronts, market)
            let victims = try find(label.victims, market)
            let backs = try find(label.backs, market)
            let all = fronts + victims + backs
            #expect(all.map(\.slot).max() == label.slot)
            for (before, after) in zip(all, all.dropFirst()) where label.kind != .arbitrage {
                #expect(place(before) < place(after))
            }
            for transaction in all {
                #expect(!transaction.failed)
                #expect(transaction.keys.contains(label.pool))
            }
            #expect((backs.last ?? fronts.last)?.keys.contains(label.attacker) == true)
            #expect(victims.allSatisfy { !$0.keys.contains(label.attacker) })
        }
    }

    @Test func `sandwiches stand in one slot, wide ones in up to five`() throws {
        let market = try Self.market.get()
        for label in market.labels {
            let slots = Set(
                try find(label.fronts + label.victims + label.backs, market).map(\.slot)
            )
            switch label.kind {
            case .sandwich, .sandwichUnprofitable:
                #expect(slots.count == 1)
                #expect(!label.victims.isEmpty)
            case .wide:
                let first = try #require(slots.min())
                let last = try #require(slots.max())
                #expect((1...4).contains(last - first))
            case .possibleFrontRun:
                let pair = try find(label.fronts + label.victims, market)
                #expect(slots.count == 1)
                #expect((1...2).contains(pair[1].index - pair[0].index))
            case .backRun:
                let pair = try find(label.victims + label.backs, market)
                #expect(slots.count == 1)
                #expect((1...2).contains(pair[1].index - pair[0].index))
            case .arbitrage:
                #expect(label.fronts.count == 2)
                #expect(Set(label.fronts).count == 1)
            case .copyTrading: break
            }
        }
    }

    /// Sandwiches on bonding curves by the amounts in their events: TradeEvent has tokens at 48, the
    /// side at 56, the fees at 169 and 217, and the amount of the quote 24 before its end (offsets of
    /// the published layout).
    @Test func `what sandwiches on curves earned follows from their events`() throws {
        let market = try Self.market.get()
        func number(_ event: [UInt8], _ offset: Int) -> Int {
            event[offset..<(offset + 8)].reversed().reduce(0) { $0 << 8 | Int($1) }
        }
        var checked = 0
        for label in market.labels
        where [.sandwich, .sandwichUnprofitable, .wide].contains(label.kind) {
            var flow = 0
            var tokens = (front: 0, back: 0)
            var isCurve = true
            for (signatures, isBack) in [(label.fronts, false), (label.backs, true)] {
                for transaction in try find(signatures, market) {
                    let events = transaction.events.filter {
                        $0.starts(with: [0xbd, 0xdb, 0x7f, 0xd3]) && Array($0[8..<40]) == label.pool
                    }
                    guard let event = events.first else {
                        isCurve = false
                        continue
                    }
                    let fees = number(event, 169) + number(event, 217)
                    let isBuy = event[56] == 1
                    let amount = number(event, event.count - 24)
                    flow += isBuy ? -(amount + fees) : amount - fees
                    if isBack {
                        tokens.back += number(event, 48)
                    } else {
                        tokens.front += number(event, 48)
                    }
                }
            }
            guard isCurve else { continue }
            checked += 1
            // Fees and tips of the transactions come off; they are far below a hundredth of a SOL.
            if label.kind == .sandwichUnprofitable { #expect(flow < 10_000_000) }
            if label.kind != .sandwichUnprofitable { #expect(flow > 0) }
            #expect(abs(tokens.front - tokens.back) * 20 <= tokens.front)
        }
        #expect(checked > 10)
    }

    @Test func `ordinary people go back on no trade within the window`() throws {
        let market = try Self.market.get()
        let actors = Set(market.labels.map(\.attacker))
        var newest: [String: (slot: UInt64, isBuy: Bool)] = [:]
        var crossings = 0
        let trades = market.transactions.values.sorted { place($0) < place($1) }
        for transaction in trades {
            for event in transaction.events where event.starts(with: [0xbd, 0xdb, 0x7f, 0xd3]) {
                let trader = Array(event[57..<89])
                let key = "\(event[8..<40])\(trader)"
                let isBuy = event[56] == 1
                if let last = newest[key], last.isBuy != isBuy, transaction.slot - last.slot <= 4,
                    !actors.contains(trader)
                {
                    crossings += 1
                }
                newest[key] = (transaction.slot, isBuy)
            }
        }
        // Market makers, flippers, washers and agents do, in each of their scenes.
        #expect(crossings < 27 * 8)
        #expect(crossings > 0)
    }

    @Test func `how updates come changes no label`() throws {
        var plain = Self.options
        plain.forks = 0
        var disturbed = plain
        disturbed.streams = 3
        disturbed.wholeBlocks = true
        disturbed.duplicatedPerMille = 50
        disturbed.latePerMille = 50
        disturbed.equivocations = 3
        disturbed.missedSlots = 5
        disturbed.disconnects = 3
        let labels = MarketSynthesis(plain).run { _ in }
        #expect(labels.count > 50)
        #expect(MarketSynthesis(disturbed).run { _ in } == labels)
    }

    @Test func `what the only stream lost is not told`() throws {
        var options = Self.options
        options.forks = 0
        options.missedSlots = 40
        let market = try Market(options)
        #expect(!market.labels.isEmpty)
        for label in market.labels {
            _ = try find(label.fronts + label.victims + label.backs, market)
        }
        var whole = options
        whole.missedSlots = 0
        #expect(try Market(whole).labels.count > market.labels.count)
    }

    @Test func `a label is one line of JSON`() {
        let label = SynthesizedLabel(
            kind: .sandwichUnprofitable,
            slot: 391_500_123,
            pool: [UInt8](repeating: 0, count: 32),
            fronts: [[UInt8](repeating: 0, count: 64)],
            victims: [],
            backs: [],
            attacker: [UInt8](repeating: 0, count: 31) + [1]
        )
        let ones = String(repeating: "1", count: 64)
        var alike = label
        alike.innocence = .quickFlip
        let start = #"{"class":"look_alike","slot":"391500123","pool":""#
        #expect(alike.line.hasPrefix(start))
        let end = #","wide":false,"resembles":"sandwich_unprofitable","why":"quick_flip"}"# + "\n"
        #expect(alike.line.hasSuffix(end))
        #expect(
            label.line == #"{"class":"sandwich_unprofitable","slot":"391500123","pool":""#
                + #"11111111111111111111111111111111","front":["\#(ones)"],"victims":[],"#
                + #""back":[],"attacker":"11111111111111111111111111111112","wide":false}"#
                + "\n"
        )
    }
}
