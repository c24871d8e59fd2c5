import MarketModel
import Projection
import RecordModel
import Testing

@testable import Projectors

/// An address that stands for a number.
func address(_ number: UInt64) -> Address {
    Address(Bytes32(words: (0x1111_0000_0000_0000, 0, 0, number)))
}

/// One transaction's events.
struct Move {
    var payer = address(900)
    var events: [MarketEvent]
    var links: [WalletLink] = []
    var hasCutLogs = false

    init(_ events: MarketEvent..., links: [WalletLink] = []) {
        self.events = events
        self.links = links
    }
}

/// Both monitors over the engine, fed slot by slot.
final class MonitorRun {
    let engine: ProjectionEngine
    var notices: [Notice] = []
    private(set) var position: UInt64

    init(
        _ parameters: MonitorParameters = MonitorParameters(.solana),
        from position: UInt64 = 1_000
    ) {
        engine = ProjectionEngine(parameters.chain) { store in
            [LifecycleProjector(store, parameters), LiquidityProjector(store, parameters)]
        }
        self.position = position - 1
    }

    /// Block time of a slot in tests: ten slots of 400 ms are four seconds.
    static func time(_ position: UInt64) -> Int64 { 1_760_000_000 + Int64(position) * 2 / 5 }

    static func bundle(
        _ position: UInt64,
        _ moves: [Move],
        accounts: [AccountFact] = [],
        time: Int64?? = nil,
        evidence: Evidence = .barrier,
        chain: Chain = .solana
    ) -> Bundle {
        var index: UInt32 = 10
        let transactions = moves.map { move in
            index += 1
            var ordinal: UInt32 = 0
            let events = move.events.map { event in
                ordinal += 1
                return PlacedEvent(
                    EventPlace(transaction: index, instruction: 2, inner: 1, ordinal: ordinal),
                    event
                )
            }
            var bytes = [UInt8](repeating: 0, count: 64)
            bytes[0] = UInt8(truncatingIfNeeded: index)
            bytes[1] = UInt8(truncatingIfNeeded: position)
            bytes[2] = UInt8(truncatingIfNeeded: position >> 8)
            guard let signature = Signature(bytes) else { preconditionFailure("64 bytes") }
            var facts = TransactionFacts(
                id: .solana(signature),
                index: index,
                feePayer: move.payer,
                fee: 5_000,
                priorityPrice: 0,
                tip: 0,
                events: events,
                links: move.links
            )
            facts.hasCutLogs = move.hasCutLogs
            return facts
        }
        return Bundle(
            chain: chain,
            position: position,
            parent: position - 1,
            time: time ?? Self.time(position),
            transactions: transactions,
            accounts: accounts.sorted { $0.account < $1.account },
            evidence: evidence
        )
    }

    /// Folds the next slot, or the one named.
    func slot(
        _ position: UInt64? = nil,
        _ moves: Move...,
        accounts: [AccountFact] = [],
        time: Int64?? = nil,
        evidence: Evidence = .barrier
    ) throws {
        let position = position ?? self.position + 1
        try apply(
            Self.bundle(
                position,
                moves,
                accounts: accounts,
                time: time,
                evidence: evidence,
                chain: engine.store.chain
            )
        )
    }

    func apply(_ bundle: Bundle) throws {
        try engine.take(
            .apply(bundle),
            at: Sequence(bundle.position),
            notices: &notices
        )
        position = bundle.position
    }

    func undo() throws {
        try engine.take(.undo(position: position), at: Sequence(position), notices: &notices)
        position -= 1
    }

    /// A row; nil when there is none.
    func row<Row: TableRow>(_ type: Row.Type, _ key: Row.Key) -> Row? {
        for case let table as Table<Row> in engine.store.tables { return table[key] }
        return nil
    }

    func token(_ key: Address) throws -> TokenRow { try #require(row(TokenRow.self, key)) }
    func market(_ key: Address) throws -> TokenMarketRow {
        try #require(row(TokenMarketRow.self, key))
    }
    func pool(_ key: Address) throws -> PoolRow { try #require(row(PoolRow.self, key)) }
    func state(_ key: Address) throws -> PoolStateRow { try #require(row(PoolStateRow.self, key)) }

    /// The kinds of notices about a subject, in order.
    func told(_ subject: Address) -> [String] {
        notices.filter { $0.subject == subject }.map(\.kind)
    }
}

/// A SOL-paired curve by the formulas of the program: what each event would say.
struct CurveScript {
    let token: Address
    let curve: Address
    let creator: Address
    var vQ: UInt128 = 30_000_000_000
    var vT: UInt128 = 1_073_000_000_000_000
    var rT: UInt128 = 793_100_000_000_000
    var rQ: UInt128 = 0
    let supply: UInt128 = 1_000_000_000_000_000

    init(_ number: UInt64) {
        token = address(number * 100)
        curve = address(number * 100 + 1)
        creator = address(number * 100 + 2)
    }

    var pool: Address { address((token.storage.words.3) + 3) }
    var shareToken: Address { address((token.storage.words.3) + 4) }

    var creation: TokenCreated {
        var created = TokenCreated(
            venue: .pumpCurve,
            token: token,
            quote: KnownQuote.wrappedSOL,
            curve: curve,
            user: creator,
            creator: creator,
            name: "Coin",
            symbol: "COIN",
            uri: "https://example.com/coin"
        )
        created.virtualReserves = Reserves(token: vT, quote: vQ)
        created.realTokenReserves = rT
        created.supply = supply
        return created
    }

    private func event(
        _ side: Trade.Side,
        _ trader: Address,
        _ tokens: UInt128,
        _ quote: UInt128
    ) -> Trade {
        // 95 + 30 basis points, each rounded up.
        let venueFee = (quote * 95 + 9_999) / 10_000
        let creatorFee = (quote * 30 + 9_999) / 10_000
        let fees = venueFee + creatorFee
        var trade = Trade(
            venue: .pumpCurve,
            pool: token,
            token: token,
            quote: KnownQuote.wrappedSOL,
            side: side,
            trader: trader,
            tokenAmount: tokens,
            quoteAmount: quote,
            traderQuoteAmount: side == .buy ? quote + fees : quote - min(fees, quote)
        )
        trade.fees.venue = venueFee
        trade.fees.creator = creatorFee
        trade.curve = curve
        trade.creator = creator
        trade.after = Reserves(token: vT, quote: vQ)
        trade.realTokenReserves = rT
        trade.realQuoteReserves = rQ
        return trade
    }

    /// Buys exactly so many tokens.
    mutating func buy(_ tokens: UInt128, by trader: Address) -> MarketEvent {
        let quote = tokens * vQ / (vT - tokens) + 1
        vQ += quote
        rQ += quote
        vT -= tokens
        rT -= tokens
        return .trade(event(.buy, trader, tokens, quote))
    }

    mutating func sell(_ tokens: UInt128, by trader: Address) -> MarketEvent {
        let quote = tokens * vQ / (vT + tokens)
        vQ -= quote
        rQ -= quote
        vT += tokens
        rT += tokens
        return .trade(event(.sell, trader, tokens, quote))
    }

    /// Buys until so many real tokens are left.
    mutating func buy(downTo left: UInt128, by trader: Address) -> MarketEvent {
        buy(rT - left, by: trader)
    }

    var completion: MarketEvent {
        .curveCompleted(
            CurveCompleted(venue: .pumpCurve, token: token, curve: curve, user: address(7))
        )
    }

    /// The events of a migration: its pool, the migration, the burn of what nobody gets.
    var migration: [MarketEvent] {
        let fee: UInt128 = 15_000_001
        let tokens = supply - 793_100_000_000_000
        var created = PoolCreated(
            venue: .pumpSwap,
            pool: pool,
            token: token,
            quote: KnownQuote.wrappedSOL,
            isReversed: false,
            isRawOrientation: false,
            creator: address(66)
        )
        created.reserves = Reserves(token: tokens, quote: rQ - fee)
        created.shareToken = shareToken
        created.shares = Exact.squareRoot(tokens, times: rQ - fee)
        created.lockedShares = 100
        created.index = 0
        created.coinCreator = creator
        return [
            .poolCreated(created),
            .curveMigrated(
                CurveMigrated(
                    venue: .pumpCurve,
                    token: token,
                    curve: curve,
                    pool: pool,
                    user: address(8),
                    tokenAmount: tokens,
                    quoteAmount: rQ - fee,
                    fee: fee
                )
            ),
        ]
    }

    /// What the curve's account holds now.
    func account(isComplete: Bool = false) -> AccountFact {
        var state = BondingCurveState(
            virtualReserves: Reserves(token: vT, quote: vQ),
            realTokenReserves: rT,
            realQuoteReserves: rQ,
            supply: supply,
            isComplete: isComplete
        )
        state.creator = creator
        return AccountFact(account: curve, content: .bondingCurve(state))
    }
}

/// A PumpSwap pool by the formulas of the program.
struct PoolScript {
    let pool: Address
    let token: Address
    var base: UInt128
    var quote: UInt128
    var virtual: Int128 = 0
    var shares: UInt128 = 0
    var liquidityBasisPoints: UInt128 = 20
    var venueBasisPoints: UInt128 = 5
    var creatorBasisPoints: UInt128 = 95

    init(_ pool: Address, token: Address, base: UInt128, quote: UInt128) {
        self.pool = pool
        self.token = token
        self.base = base
        self.quote = quote
    }

    private static func up(_ a: UInt128, _ b: UInt128) -> UInt128 { (a + b - 1) / b }

    private var effective: UInt128 { LiquidityFormulas.effective(quote, virtual) }

    mutating func buy(_ tokens: UInt128, by trader: Address) -> MarketEvent {
        trade(.buy, tokens, Self.up(effective * tokens, base - tokens), trader)
    }

    mutating func sell(_ tokens: UInt128, by trader: Address) -> MarketEvent {
        trade(.sell, tokens, effective * tokens / (base + tokens), trader)
    }

    private mutating func trade(
        _ side: Trade.Side,
        _ tokens: UInt128,
        _ moved: UInt128,
        _ trader: Address
    ) -> MarketEvent {
        let liquidity = Self.up(moved * liquidityBasisPoints, 10_000)
        let venue = Self.up(moved * venueBasisPoints, 10_000)
        let creator = Self.up(moved * creatorBasisPoints, 10_000)
        let all = liquidity + venue + creator
        var trade = Trade(
            venue: .pumpSwap,
            pool: pool,
            token: token,
            quote: KnownQuote.wrappedSOL,
            side: side,
            trader: trader,
            tokenAmount: tokens,
            quoteAmount: moved,
            traderQuoteAmount: side == .buy ? moved + all : moved - min(all, moved)
        )
        trade.fees.liquidity = liquidity
        trade.fees.venue = venue
        trade.fees.creator = creator
        trade.before = Reserves(token: base, quote: effective)
        switch side {
        case .buy:
            base -= tokens
            quote += moved + liquidity
        case .sell:
            base += tokens
            quote -= moved - liquidity
        }
        trade.after = Reserves(token: base, quote: effective)
        trade.virtualQuote = virtual
        return .trade(trade)
    }
}
