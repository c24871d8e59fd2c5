import MarketModel
import Projection
import RecordModel
import Testing

@testable import Projectors

/// Odd amounts, blocks that are taken back, rows there and back.
struct TradingRobustnessTests {
    /// Slots full of trades of a few wallets on a few pools, with routes, transfers, limits and tips;
    /// every amount from `amounts`.
    static func storm(
        _ seed: UInt64,
        slots: Int,
        trades: Int,
        slot: UInt64 = 1_000,
        amount: (inout TradingDice) -> UInt128
    ) -> TradingScene {
        var dice = TradingDice(state: seed)
        var scene = TradingScene(slot: slot)
        for _ in 0..<slots {
            for _ in 0..<trades {
                let token = TradingNames.address(dice.next(in: 500...503))
                let wallet = TradingNames.address(dice.next(in: 1...6))
                var events: [Trade] = []
                for _ in 0..<dice.next(in: 1...3) {
                    events.append(trade(&dice, token, wallet, amount))
                }
                let link = WalletLink(
                    token: token,
                    from: wallet,
                    to: TradingNames.address(dice.next(in: 1...6)),
                    amount: amount(&dice)
                )
                let last = scene.slots[scene.slots.count - 1].transactions.last?.index
                let index = last.map { $0 + UInt32(dice.next(in: 1...3)) } ?? 0
                scene.slots[scene.slots.count - 1].transactions.append(
                    TransactionFacts(
                        id: TradingNames.signature(scene.slot, index),
                        index: index,
                        feePayer: dice.next(in: 0...4) == 0 ? nil : wallet,
                        fee: amount(&dice),
                        priorityPrice: amount(&dice),
                        tip: dice.next(in: 0...2) == 0 ? amount(&dice) : 0,
                        events: events.enumerated().map { order, trade in
                            PlacedEvent(
                                EventPlace(
                                    transaction: index,
                                    instruction: UInt16(order),
                                    inner: 0,
                                    ordinal: 0
                                ),
                                .trade(trade)
                            )
                        },
                        links: dice.next(in: 0...9) == 0 ? [link] : []
                    )
                )
            }
            scene.next(dice.next(in: 1...3))
        }
        return scene
    }

    private static func trade(
        _ dice: inout TradingDice,
        _ token: Address,
        _ wallet: Address,
        _ amount: (inout TradingDice) -> UInt128
    ) -> Trade {
        let venues = Venue.allCases
        var trade = Trade(
            venue: venues[Int(dice.next(in: 0...UInt64(venues.count - 1)))],
            pool: dice.next(in: 0...1) == 0
                ? token : TradingNames.address(dice.next(in: 600...601)),
            token: token,
            quote: dice.next(in: 0...5) == 0 ? KnownQuote.usdc : TradingNames.sol,
            side: dice.next(in: 0...1) == 0 ? .buy : .sell,
            trader: wallet,
            tokenAmount: amount(&dice),
            quoteAmount: amount(&dice),
            traderQuoteAmount: amount(&dice)
        )
        trade.fees.liquidity = dice.next(in: 0...1) == 0 ? nil : amount(&dice)
        trade.fees.venue = amount(&dice)
        trade.fees.isInToken = dice.next(in: 0...3) == 0
        trade.before =
            dice.next(in: 0...3) == 0 ? nil : Reserves(token: amount(&dice), quote: amount(&dice))
        trade.after =
            dice.next(in: 0...3) == 0 ? nil : Reserves(token: amount(&dice), quote: amount(&dice))
        trade.limit = dice.next(in: 0...2) == 0 ? nil : amount(&dice)
        trade.exactness = [.unknown, .exactIn, .exactOut][Int(dice.next(in: 0...2))]
        trade.flags = Trade.Flags(
            rawValue: dice.next(in: 0...3) == 0 ? UInt16(dice.next(in: 0...127)) : 0
        )
        trade.router = dice.next(in: 0...5) == 0 ? TradingNames.address(900) : nil
        return trade
    }

    /// A few amounts, so that they meet often, the ends among them.
    private static func extreme(_ dice: inout TradingDice) -> UInt128 {
        let amounts: [UInt128] = [
            0, 1, 2, 10_000, UInt128(UInt64.max), UInt128(UInt64.max) + 1, 1 << 127, .max - 1, .max,
        ]
        return amounts[Int(dice.next(in: 0...UInt64(amounts.count - 1)))]
    }

    private static func plausible(_ dice: inout TradingDice) -> UInt128 {
        UInt128(dice.next(in: 1...5)) * 1_000_000_000
    }

    @Test(arguments: 1...6)
    func `no amount traps, and folding again gives the same state`(seed: UInt64) throws {
        let scene = TradingRobustnessTests.storm(
            seed,
            slots: 7,
            trades: 30,
            amount: TradingRobustnessTests.extreme
        )
        func everything(_ parameters: inout TradingParameters) {
            parameters.confidenceMin = 0
            parameters.leaders = (1...6).map(TradingNames.address)
            parameters.poolLegsMax = 20
            parameters.copyTokensMin = 1
            parameters.copyLift = 0
            parameters.copySniperBasisPoints = .max
        }
        let first = try scene.folded(everything)
        let second = try scene.folded(everything)
        #expect(first.engine.chainDigest == second.engine.chainDigest)
        #expect(first.notices == second.notices)
    }

    @Test func `slots and times at their ends do not trap`() throws {
        for (slot, time) in [
            (UInt64(0), Int64.min), (3, Int64.max), (.max - 40, 0), (1 << 63, Int64.min + 1),
        ] {
            var scene = TradingRobustnessTests.storm(
                77,
                slots: 6,
                trades: 20,
                slot: slot,
                amount: TradingRobustnessTests.plausible
            )
            scene.time = 0
            let folded = TradingFolded { $0.leaders = (1...6).map(TradingNames.address) }
            for (order, bundle) in scene.bundles.enumerated() {
                var bundle = bundle
                bundle.time = order == 1 ? nil : time
                try folded.apply(bundle)
            }
            #expect(folded.projector.recent.rowCount > 0)
        }
    }

    @Test(arguments: 1...6)
    func `a block that is taken back was never there`(seed: UInt64) throws {
        let bundles = TradingRobustnessTests.storm(
            seed,
            slots: 10,
            trades: 24,
            amount: TradingRobustnessTests.plausible
        ).bundles
        let straight = TradingFolded()
        let torn = TradingFolded()
        var dice = TradingDice(state: seed)
        for (order, bundle) in bundles.enumerated() {
            try straight.apply(bundle)
            // Up to three later blocks on top, then back.
            let end = min(bundles.count, order + 1 + Int(dice.next(in: 0...3)))
            try torn.apply(bundle)
            for later in bundles[order + 1..<end] { try torn.apply(later) }
            for later in bundles[order + 1..<end].reversed() { try torn.undo(later.position) }
            #expect(torn.engine.chainDigest == straight.engine.chainDigest)
        }
        #expect(straight.labels.count > 0)
        #expect(straight.projector.detections.rowCount > 0)
    }

    @Test func `amounts of one unit more or less near a bound decide exactly`() {
        #expect(TradeWindow.isNear(10_000, 10_500, basisPoints: 500))
        #expect(!TradeWindow.isNear(10_000, 10_501, basisPoints: 500))
        #expect(TradeWindow.isNear(10_000, 9_500, basisPoints: 500))
        #expect(!TradeWindow.isNear(10_000, 9_499, basisPoints: 500))
        #expect(TradeWindow.isNear(.max, .max, basisPoints: 0))
        #expect(!TradeWindow.isNear(.max, .max - 1, basisPoints: 0))
        #expect(TradeWindow.isNear(0, 0, basisPoints: 0))
        #expect(!TradeWindow.isNear(0, 1, basisPoints: 10_000))
    }

    @Test func `one pool with thousands of trades in a slot is held to its bound`() throws {
        var curve = CurvePool(token: TradingNames.address(500))
        var scene = TradingScene()
        for number in 0..<3_000 {
            scene.add(curve.buy(net: 10_000, by: TradingNames.address(10_000 + UInt64(number))))
        }
        let folded = try scene.folded()
        let key = TradingRecent.Key(slot: 1_000, pool: TradingNames.address(500))
        let row = try #require(folded.projector.recent[key])
        #expect(row.legs.count == 1_024)
        #expect(row.dropped == 1_976)
        let minute = folded.projector.tokenMinutes.rowCount
        #expect(minute == 1)
    }
}

/// Every row of a table, encoded, decoded and compared; the encoding has the columns of the schema.
struct TradingRowTests {
    private func check<Row: TableRow>(_ key: Row.Key, _ row: Row) throws {
        var writer = RowWriter()
        Row.encode(key, to: &writer)
        var keyReader = RowReader(writer.bytes)
        #expect(try Row.decodeKey(&keyReader) == key)
        try keyReader.finish()
        var body = RowWriter()
        row.encode(to: &body)
        var reader = RowReader(body.bytes)
        #expect(try Row(from: &reader) == row)
        try reader.finish()
        try skim(Row.schema.key, writer.bytes)
        try skim(Row.schema.columns, body.bytes)
        for count in stride(from: 0, to: body.bytes.count, by: 7) {
            var short = RowReader([UInt8](body.bytes[..<count]))
            #expect(throws: RowError.self) { _ = try Row(from: &short) }
        }
    }

    /// Reads what the schema says, and nothing may be left.
    private func skim(_ columns: [Column], _ bytes: [UInt8]) throws {
        var reader = RowReader(bytes)
        for column in columns {
            if column.isOptional {
                guard try reader.boolean() else { continue }
            }
            switch column.type {
            case .unsigned8: _ = try reader.unsigned8()
            case .unsigned16: _ = try reader.unsigned16()
            case .unsigned32: _ = try reader.unsigned32()
            case .unsigned64: _ = try reader.unsigned64()
            case .unsigned128: _ = try reader.unsigned128()
            case .signed32: _ = try reader.signed32()
            case .signed64: _ = try reader.signed64()
            case .signed128: _ = try reader.signed128()
            case .boolean: _ = try reader.boolean()
            case .address: _ = try reader.address()
            case .signature: _ = try reader.transaction(on: .solana)
            case .text: _ = try reader.text()
            case .bytes: _ = try reader.byteString()
            }
        }
        try reader.finish()
    }

    @Test func `every row comes back from its bytes`() throws {
        let address = TradingNames.address
        var curve = CurvePool(token: address(500))
        var scene = TradingScene()
        let front = curve.buy(net: 1_000_000_000, by: address(1))
        scene.add(front)
        scene.add(curve.buy(net: 3_000_000_000, by: address(2)))
        scene.add(curve.sell(tokens: front.tokenAmount, by: address(1)), tip: 5)
        let folded = try scene.folded { $0.leaders = [address(1)] }
        let projector = folded.projector
        let recentKey = TradingRecent.Key(slot: 1_000, pool: address(500))
        let recent = try #require(projector.recent[recentKey])
        try check(recentKey, recent)
        let detectionKey = Detection.Key(
            slot: 1_000,
            place: recent.legs[2].place,
            kind: .sandwich
        )
        try check(detectionKey, try #require(projector.detections[detectionKey]))
        for number in 0..<UInt32(3) {
            let legKey = DetectionLeg.Key(detection: detectionKey, number: number)
            try check(legKey, try #require(projector.detectionLegs[legKey]))
        }
        let minute = TokenMinute.Key(
            token: address(500),
            quote: TradingNames.sol,
            minute: 1_699_999_980
        )
        try check(minute, try #require(projector.tokenMinutes[minute]))
        let poolMinute = PoolMinute.Key(pool: address(500), minute: 1_699_999_980)
        try check(poolMinute, try #require(projector.poolMinutes[poolMinute]))
        let trader = TradingTrader.Key(trader: address(1), quote: TradingNames.sol)
        try check(trader, try #require(projector.traders[trader]))
        let positionKey = TradePosition.Key(token: address(500), trader: address(1))
        var position = try #require(projector.positions[positionKey])
        position.otherPools = [address(8), address(9)]
        try check(positionKey, position)
        let token = try #require(projector.copyTrading.tokens[address(500)])
        #expect(token.leads.count == 1)
        try check(address(500), token)
        try check(address(1), try #require(projector.copyTrading.wallets[address(1)]))
        try check(0, try #require(projector.copyTrading.total[0]))
        var pair = CopyTradingPair(day: 5, slot: 9, TradingParameters(.solana))
        pair.lags[3] = 7
        pair.lift = 5
        try check(CopyTradingPair.Key(leader: address(1), follower: address(2)), pair)
        var wash = TradingWash(slot: 5)
        wash.tokens = .max
        try check(TradingWash.Key(pool: address(1), trader: address(2)), wash)
        let link = TradingLinks.Link(transaction: 5, from: address(1), to: address(2), amount: 3)
        try check(TradingLinks.Key(slot: 5, token: address(1)), TradingLinks([link, link]))
    }

    @Test func `rows of concentrated liquidity and of facts come back too`() throws {
        let address = TradingNames.address
        let price = ConcentratedPrice(sqrtPrice: .max, liquidity: 1 << 80)
        try check(address(1), TradingPrice(price))
        var curve = CurvePool(token: address(500))
        var scene = TradingScene()
        scene.add(curve.buy(net: 1_000_000_000, by: address(1)))
        let key = TradingRecent.Key(slot: 1_000, pool: address(500))
        var leg = try #require(try scene.folded().projector.recent[key]).legs[0]
        leg.step = ConcentratedStep(before: 7, after: .max, liquidity: .max)
        try check(
            key,
            TradingRecent(token: address(500), quote: TradingNames.sol, legs: [leg], dropped: 0)
        )
        let values: [OutsideFact.Value] = [.text("171.25"), .text(""), .bytes([1, 2]), .bytes([])]
        for (number, value) in values.enumerated() {
            let fact = OutsideFact(
                namespace: "price",
                key: "SOL/USD",
                value: value,
                asOf: number > 1 ? nil : 5,
                origin: number > 2 ? nil : "somebody",
                sequence: 0
            )
            try check(UInt64(number), EnrichmentRow(fact, effective: 9))
        }
    }
}
