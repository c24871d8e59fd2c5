import MarketModel
import Projection
import Testing

@testable import Projectors

/// Random numbers that a seed repeats.
struct Dice {
    private var state: UInt64

    init(_ seed: UInt64) { state = seed &* 0x9e37_79b9_7f4a_7c15 | 1 }

    mutating func roll(_ bound: UInt64) -> UInt64 {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return (state >> 11) % bound
    }
}

/// Random markets: coins that are made, traded, sold out and migrated, with pools and shares.
struct MarketScript {
    var dice: Dice
    var coins: [CurveScript] = []
    var pools: [Address: PoolScript] = [:]
    var shares: [PoolPositionKey: UInt128] = [:]
    var trades: [Address: [Trade]] = [:]
    var created: [Address: UInt64] = [:]

    init(_ seed: UInt64) { dice = Dice(seed) }

    mutating func slot(_ position: UInt64) -> Bundle {
        let moves = (0..<dice.roll(6)).map { _ in move(at: position) }
        return MonitorRun.bundle(position, moves)
    }

    private mutating func move(at position: UInt64) -> Move {
        if coins.count < 4, dice.roll(4) == 0 || coins.isEmpty {
            let coin = CurveScript(UInt64(coins.count) + 20)
            coins.append(coin)
            created[coin.token] = position
            return Move(.tokenCreated(coin.creation))
        }
        let number = Int(dice.roll(UInt64(coins.count)))
        let trader = address(1 + dice.roll(12))
        let token = coins[number].token
        if pools[coins[number].pool] != nil { return poolMove(number, trader) }
        if coins[number].rT == 0 { return migration(number) }
        let held = 793_100_000_000_000 - coins[number].rT
        if dice.roll(3) == 0, held > 0 {
            let event = coins[number].sell(
                min(held, UInt128(dice.roll(50_000_000_000_000))),
                by: trader
            )
            note(event, of: token)
            return Move(event)
        }
        let wanted = UInt128(1 + dice.roll(150_000_000_000_000))
        let event = coins[number].buy(min(wanted, coins[number].rT), by: trader)
        note(event, of: token)
        guard coins[number].rT == 0 else { return Move(event) }
        return Move(event, coins[number].completion)
    }

    private mutating func note(_ event: MarketEvent, of token: Address) {
        if case .trade(let trade) = event { trades[token, default: []].append(trade) }
    }

    private mutating func migration(_ number: Int) -> Move {
        let coin = coins[number]
        var pool = PoolScript(
            coin.pool,
            token: coin.token,
            base: 206_900_000_000_000,
            quote: coin.rQ - 15_000_001
        )
        pool.shares = Exact.squareRoot(pool.base, times: pool.quote)
        pools[coin.pool] = pool
        return Move(events: coin.migration)
    }

    private mutating func poolMove(_ number: Int, _ trader: Address) -> Move {
        let coin = coins[number]
        guard var pool = pools[coin.pool] else { return Move() }
        defer { pools[coin.pool] = pool }
        let event: MarketEvent
        switch dice.roll(5) {
        case 0:
            event = deposit(&pool, by: trader)
        case 1:
            let key = PoolPositionKey(pool: pool.pool, owner: trader)
            guard let held = shares[key], held > 0 else { return Move() }
            event = withdrawal(&pool, min(held, UInt128(1 + dice.roll(1 << 40))), by: trader)
        case 2:
            event = pool.sell(UInt128(1 + dice.roll(5_000_000_000_000)), by: trader)
            note(event, of: coin.token)
        default:
            event = pool.buy(UInt128(1 + dice.roll(UInt64(pool.base / 50))), by: trader)
            note(event, of: coin.token)
        }
        return Move(event)
    }

    private mutating func deposit(_ pool: inout PoolScript, by owner: Address) -> MarketEvent {
        let made = UInt128(1 + dice.roll(1 << 40))
        let token = (pool.base * made + pool.shares - 1) / pool.shares
        let quote = (pool.quote * made + pool.shares - 1) / pool.shares
        let event = change(pool, .add, made, token, quote, owner)
        pool.base += token
        pool.quote += quote
        pool.shares += made
        shares[PoolPositionKey(pool: pool.pool, owner: owner), default: 0] += made
        return event
    }

    private mutating func withdrawal(
        _ pool: inout PoolScript,
        _ burned: UInt128,
        by owner: Address
    ) -> MarketEvent {
        let token = pool.base * burned / pool.shares
        let quote = pool.quote * burned / pool.shares
        let event = change(pool, .remove, burned, token, quote, owner)
        pool.base -= token
        pool.quote -= quote
        pool.shares -= burned
        shares[PoolPositionKey(pool: pool.pool, owner: owner), default: 0] -= burned
        return event
    }

    private func change(
        _ pool: PoolScript,
        _ direction: LiquidityChange.Direction,
        _ shares: UInt128,
        _ token: UInt128,
        _ quote: UInt128,
        _ owner: Address
    ) -> MarketEvent {
        var change = LiquidityChange(
            venue: .pumpSwap,
            pool: pool.pool,
            token: pool.token,
            quote: KnownQuote.wrappedSOL,
            direction: direction,
            owner: owner,
            tokenAmount: token,
            quoteAmount: quote,
            shares: shares
        )
        change.sharesBefore = pool.shares
        change.before = Reserves(token: pool.base, quote: pool.quote)
        return .liquidity(change)
    }
}

@Suite struct MonitorPropertyTests {
    @Test(arguments: 1...6 as ClosedRange<UInt64>)
    func `counts of tokens are those of a list of all trades`(seed: UInt64) throws {
        var script = MarketScript(seed)
        let run = MonitorRun()
        for position in 1_000..<1_150 as Range<UInt64> {
            try run.apply(script.slot(position))
            guard position % 10 == 0 else { continue }
            for coin in script.coins { try check(coin, script, run) }
        }
    }

    private func check(_ coin: CurveScript, _ script: MarketScript, _ run: MonitorRun) throws {
        let market = try run.market(coin.token)
        let trades = script.trades[coin.token] ?? []  // none yet
        #expect(market.trades == UInt64(trades.count))
        #expect(market.buys == UInt64(trades.filter { $0.side == .buy }.count))
        let bought = trades.filter { $0.side == .buy }.reduce(0) { $0 + $1.quoteAmount }
        #expect(market.quoteBought == bought)
        var held: [Address: Int128] = [:]
        for trade in trades {
            let amount = Int128(trade.tokenAmount)
            held[trade.trader, default: 0] += trade.side == .buy ? amount : -amount
        }
        #expect(market.traders == UInt32(held.count))
        #expect(market.holders == UInt32(held.values.filter { $0 > 0 }.count))
        // Highest cap of all prices, the first one included.
        var highest: UInt128 = 27_958_993_476
        for case let after? in trades.map(\.after) {
            highest = max(highest, after.quote * 1_000_000_000_000_000 / after.token)
        }
        if script.pools[coin.pool] == nil { #expect(market.highestCap == highest) }
        let progress = (793_100_000_000_000 - coin.rT) * 10_000 / 793_100_000_000_000
        #expect(market.progress == UInt16(progress))
    }

    @Test(arguments: 1...6 as ClosedRange<UInt64>)
    func `pools hold what the formulas leave, and shares add up`(seed: UInt64) throws {
        var script = MarketScript(seed &+ 100)
        let run = MonitorRun()
        var growths: [Address: UInt128] = [:]
        for position in 1_000..<1_250 as Range<UInt64> {
            try run.apply(script.slot(position))
            guard position % 5 == 0 else { continue }
            for (key, pool) in script.pools {
                let state = try run.state(key)
                #expect(state.token == pool.base)
                #expect(state.quote == pool.quote)
                #expect(state.shares == pool.shares)
                let growth = try #require(
                    LiquidityFormulas.growth(
                        Reserves(token: pool.base, quote: pool.quote),
                        shares: pool.shares
                    )
                )
                // Fees make a share worth more of the product; nothing makes it worth less, but the
                // rounding down of the root.
                #expect(growth + (1 << 64) / pool.shares + 1 >= growths[key] ?? 0)  // none before
                growths[key] = max(growth, growths[key] ?? 0)  // none before
            }
        }
        // Positions and locked shares are all shares.
        for (pool, now) in script.pools {
            var sum: UInt128 = 100
            for key in script.shares.keys where key.pool == pool {
                sum += try #require(run.row(PoolPositionRow.self, key)).shares
            }
            let maker = PoolPositionKey(pool: pool, owner: address(66))
            sum += try #require(run.row(PoolPositionRow.self, maker)).shares
            #expect(sum == now.shares)
        }
    }

    @Test(arguments: 1...8 as ClosedRange<UInt64>)
    func `bundles taken back are as if they had never been`(seed: UInt64) throws {
        var dice = Dice(seed)
        var script = MarketScript(seed &+ 200)
        var kept: [(Bundle, MarketScript)] = []
        let run = MonitorRun()
        for _ in 0..<200 {
            if dice.roll(3) == 0, kept.isEmpty == false {
                try run.undo()
                kept.removeLast()
                // Other things happen on the branch that follows.
                script = kept.last?.1 ?? MarketScript(seed &+ 200)
                script.dice = Dice(dice.roll(1 << 40))
                continue
            }
            let bundle = script.slot(1_000 + UInt64(kept.count))
            try run.apply(bundle)
            kept.append((bundle, script))
        }
        let fresh = MonitorRun()
        for (bundle, _) in kept { try fresh.apply(bundle) }
        #expect(run.engine.chainDigest == fresh.engine.chainDigest)
        for (table, other) in zip(run.engine.store.tables, fresh.engine.store.tables) {
            #expect(table.digest == other.digest, "\(table.schema.name)")
            #expect(table.rowCount == other.rowCount, "\(table.schema.name)")
        }
        #expect(kept.isEmpty == false)
    }

    @Test func `folding the same bundles twice tells the same, in the same order`() throws {
        func notices() throws -> [Notice] {
            var script = MarketScript(7)
            let run = MonitorRun()
            for position in 1_000..<1_200 as Range<UInt64> {
                try run.apply(script.slot(position))
            }
            return run.notices
        }
        let first = try notices()
        #expect(first.isEmpty == false)
        #expect(try notices() == first)
        #expect(first.map(\.position) == first.map(\.position).sorted())
    }
}
