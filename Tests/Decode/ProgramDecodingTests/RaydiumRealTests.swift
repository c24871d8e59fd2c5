import MarketModel
import ProgramDecoding
import Testing

/// Real transactions, against what their token balances say: the sum of all trades on a pool is
/// what its vaults gained and lost.
@Suite(.enabled(if: RaydiumShared.isPresent, RaydiumShared.absent))
struct RaydiumRealTests {
    private static let v4 = "675kPX9MHTjS2zt1qfr1NYHuzeLXfQM9H24wFSUt1Mp8"
    private static let clmm = "CAMMCzo5YL8w4VFF8KVHrK22GGUsp5VTaW7grrKgrWqK"
    private static let launchLab = "LanMV9sAd7wArD4vJFi2qDdfnVhFxYSUg6eADduJ3uj"

    /// Which file, and what Python counted in it: swaps of v4, new pools of v4, swaps of CLMM.
    enum Source: String, CaseIterable {
        case stream
        case block
        case dumps

        var swaps: Int {
            switch self {
            case .stream: 77
            case .block: 49
            case .dumps: 24
            }
        }

        var others: (pools: Int, deposits: Int, concentrated: Int, curve: Int) {
            switch self {
            case .stream: (7, 1, 6, 1)
            case .block: (0, 0, 0, 0)
            case .dumps: (7, 1, 5, 1)
            }
        }

        func read() throws -> [RaydiumShared.Read] {
            switch self {
            case .stream: try Self.streamed.get()
            case .block: try Self.blocked.get()
            case .dumps: try Self.dumped.get()
            }
        }

        // Read once for all tests.
        private static let streamed = Result { try RaydiumShared.transactions("real.bin") }
        private static let blocked = Result { try RaydiumShared.blockTransactions() }
        private static let dumped = Result { try RaydiumShared.dumpedTransactions() }
    }

    @Test(arguments: Source.allCases)
    func `every call that succeeded is decoded`(source: Source) throws {
        var decoder = ProgramDecoder()
        var tally = ParseTally()
        var counts: [Venue: (trades: Int, pools: Int, liquidity: Int)] = [:]
        let reads = try source.read()
        for read in reads {
            let facts = decoder.decode(read.transaction, read.bytes.span.bytes, tally: &tally)
            for event in facts?.events ?? [] {
                switch event.event {
                case .trade(let trade): counts[trade.venue, default: (0, 0, 0)].trades += 1
                case .poolCreated(let pool): counts[pool.venue, default: (0, 0, 0)].pools += 1
                case .liquidity(let change): counts[change.venue, default: (0, 0, 0)].liquidity += 1
                default: break
                }
            }
        }
        for strategy in [Strategy.raydiumV4, .raydiumCPMM, .raydiumCLMM, .launchLab] {
            let decoded = tally.decoded[strategy] ?? 0
            let failed = (tally.failed[strategy] ?? [:]).values.reduce(0, +)
            let count = decoded + failed
            print("\(source) \(strategy): decoded \(decoded) of n = \(count)")
            #expect(failed == 0, "\(strategy): \(tally.failed[strategy] ?? [:])")
        }
        #expect(counts[.raydiumV4]?.trades == source.swaps)
        #expect(counts[.raydiumV4]?.pools ?? 0 == source.others.pools)
        #expect(counts[.raydiumV4]?.liquidity ?? 0 == source.others.deposits)
        #expect(counts[.raydiumCLMM]?.trades ?? 0 == source.others.concentrated)
        #expect(counts[.launchLab]?.trades ?? 0 == source.others.curve)
        let raydium = try [Self.v4, Self.clmm, Self.launchLab].map { try Address(solana: $0) }
        let unknown = tally.unknown.keys.filter { raydium.contains($0.program) }
        #expect(unknown.isEmpty, "\(unknown)")
    }

    @Test(arguments: Source.allCases)
    func `trades move the vaults by their amounts`(source: Source) throws {
        var checked: [Venue: Int] = [:]
        for read in try source.read() where !read.transaction.isFailed {
            let pools = try Self.pools(read)
            var decoder = ProgramDecoder()
            var tally = ParseTally()
            let facts = decoder.decode(read.transaction, read.bytes.span.bytes, tally: &tally)
            let trades = facts?.trades ?? []
            for (pool, vaults) in pools {
                let here = trades.filter { $0.pool == pool }
                // A pool that opens or takes a deposit in the transaction moves by more.
                guard !here.isEmpty, here.count == vaults.calls else { continue }
                for vault in [vaults.first, vaults.second] {
                    let change = try #require(try Self.change(of: vault, read))
                    // The vault of a curve that begins here is filled before the first trade.
                    let supply = Self.supply(facts, of: here[0])
                    let moved = here.reduce(supply[change.mint, default: 0]) {
                        $0 + Self.moved($1, change.mint)
                    }
                    #expect(moved == change.amount, "\(pool.text(on: .solana))")
                    checked[here[0].venue, default: 0] += here.count
                }
            }
        }
        print("\(source): vault sides checked: \(checked)")
        #expect(checked[.raydiumV4] == 2 * source.swaps)
        #expect(checked[.raydiumCLMM] ?? 0 == 2 * source.others.concentrated)
        #expect(checked[.launchLab] ?? 0 == 2 * source.others.curve)
    }

    @Test(arguments: [Source.stream, .block])
    func `v4 trades follow the formula of their reserves`(source: Source) throws {
        var exactIn = 0
        var exactOut = 0
        for trade in try Self.trades(source, .raydiumV4) {
            let before = try #require(trade.before)
            let isBuy = trade.side == .buy
            let paid = isBuy ? trade.quoteAmount : trade.tokenAmount
            let got = isBuy ? trade.tokenAmount : trade.quoteAmount
            let reserveIn = isBuy ? before.quote : before.token
            let reserveOut = isBuy ? before.token : before.quote
            let fee: UInt128
            switch trade.exactness {
            case .exactIn:
                fee = (paid * 25 + 9_999) / 10_000
                #expect(got == reserveOut * (paid - fee) / (reserveIn + paid - fee))
                exactIn += 1
            case .exactOut:
                let rest = reserveOut - got
                let net = (reserveIn * got + rest - 1) / rest
                #expect(paid == (net * 10_000 + 9_974) / 9_975)
                fee = paid - net
                exactOut += 1
            case .unknown:
                Issue.record("no instruction found")
                continue
            }
            #expect(trade.fees.liquidity == fee)
            #expect(trade.fees.isInToken == !isBuy)
            let limit = try #require(trade.limit)
            #expect(trade.exactness == .exactIn ? got >= limit : paid <= limit)
        }
        print("\(source): formula holds for \(exactIn) exact-in and \(exactOut) exact-out swaps")
        #expect(exactIn == (source == .stream ? 68 : 40))
        #expect(exactOut == 9)
    }

    @Test
    func `reserves after a v4 trade are those before the next one`() throws {
        var last: [Address: Reserves] = [:]
        var steps = 0
        for trade in try Self.trades(.block, .raydiumV4) {
            if let reserves = last[trade.pool] {
                #expect(trade.before == reserves)
                steps += 1
            }
            last[trade.pool] = trade.after
        }
        print("block: \(steps) steps from one v4 trade to the next")
        #expect(steps == 40)
    }

    @Test
    func `a failed transaction gives nothing, whatever its logs say`() throws {
        var logs = 0
        for source in Source.allCases {
            for read in try source.read() where read.transaction.isFailed {
                var decoder = ProgramDecoder()
                var tally = ParseTally()
                let facts = decoder.decode(read.transaction, read.bytes.span.bytes, tally: &tally)
                #expect(facts == nil)
                #expect(tally == ParseTally())
                logs += read.transaction.logs.count {
                    String(decoding: read.bytes[$0], as: UTF8.self).contains("ray_log: ")
                }
            }
        }
        print("\(logs) ray_logs of failed transactions")
        #expect(logs > 0)
    }
}

// MARK: What is left when something is missing

extension RaydiumRealTests {
    @Test(arguments: [Source.stream, .block])
    func `without logs the transfers tell the same amounts`(source: Source) throws {
        var compared = 0
        for read in try source.read() where !read.transaction.isFailed {
            var decoder = ProgramDecoder()
            var tally = ParseTally()
            let facts = decoder.decode(read.transaction, read.bytes.span.bytes, tally: &tally)
            var bare = read.transaction
            bare.logs = []
            let rest = decoder.decode(bare, read.bytes.span.bytes, tally: &tally)
            let known = (facts?.trades ?? []).filter(Self.isPool)
            let told = (rest?.trades ?? []).filter(Self.isPool)
            #expect(known.count == told.count)
            for (one, other) in zip(known, told) {
                #expect(one.pool == other.pool)
                #expect(one.trader == other.trader)
                #expect(one.side == other.side)
                #expect(one.token == other.token)
                #expect(one.quote == other.quote)
                #expect(one.tokenAmount == other.tokenAmount)
                #expect(one.quoteAmount == other.quoteAmount)
                #expect(one.traderQuoteAmount == other.traderQuoteAmount)
                #expect(one.limit == other.limit)
                #expect(other.flags.isSuperset(of: [.fromCall, .fromBalances]))
                #expect(other.before == nil)
                compared += 1
            }
        }
        print("\(source): \(compared) trades told by transfers alone")
        #expect(compared == source.swaps + source.others.concentrated)
    }

    @Test(arguments: [Source.stream, .block])
    func `changed bytes never trap`(source: Source) throws {
        var state: UInt64 = 0x2545_f491_4f6c_dd1d
        func next(_ count: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(state >> 33) % count
        }
        var decoder = ProgramDecoder()
        var tally = ParseTally()
        for read in try source.read() where !read.transaction.isFailed {
            guard ProgramDecoder.isOfInterest(read.transaction.keys) else { continue }
            for round in 0..<20 {
                var bytes = read.bytes
                var transaction = read.transaction
                for _ in 0...round {
                    let call = transaction.instructions[next(transaction.instructions.count)]
                    let part = round.isMultiple(of: 2) ? call.data : call.accounts
                    if !part.isEmpty {
                        bytes[part.lowerBound + next(part.count)] = UInt8(next(256))
                    }
                    if !transaction.logs.isEmpty {
                        let line = transaction.logs[next(transaction.logs.count)]
                        if !line.isEmpty {
                            bytes[line.lowerBound + next(line.count)] = UInt8(32 + next(96))
                        }
                    }
                }
                // Some calls lose accounts or data, and some keys are gone.
                if round > 10 {
                    let place = next(transaction.instructions.count)
                    let call = transaction.instructions[place]
                    let start = call.accounts.lowerBound
                    transaction.instructions[place].accounts =
                        start..<start + next(call.accounts.count + 1)
                    transaction.instructions[place].data =
                        call.data.lowerBound..<call.data.lowerBound + next(call.data.count + 1)
                    transaction.keys.removeLast(next(3))
                }
                _ = decoder.decode(transaction, bytes.span.bytes, tally: &tally)
            }
        }
        // Something was broken and something was not.
        let v4 = tally.failed[.raydiumV4] ?? [:]
        #expect(v4.count >= 4)
        #expect(tally.decoded[.raydiumV4] ?? 0 > 100)
    }

    private static func isPool(_ trade: Trade) -> Bool {
        trade.venue == .raydiumV4 || trade.venue == .raydiumCLMM
    }
}

// MARK: What the transactions say without their events

extension RaydiumRealTests {
    /// The vaults of a pool and how many calls of a transaction swapped on it.
    struct Vaults {
        var first: Int
        var second: Int
        var calls = 0
    }

    private static func trades(_ source: Source, _ venue: Venue) throws -> [Trade] {
        var decoder = ProgramDecoder()
        var tally = ParseTally()
        return try source.read().sorted {
            ($0.slot, $0.transaction.index) < ($1.slot, $1.transaction.index)
        }.flatMap { read in
            decoder.decode(read.transaction, read.bytes.span.bytes, tally: &tally)?.trades ?? []
        }.filter { $0.venue == venue }
    }

    /// What a curve that was made in the transaction began with in its vault of the token.
    private static func supply(_ facts: TransactionFacts?, of trade: Trade) -> [String: Int128] {
        var supply: [String: Int128] = [:]
        for event in facts?.events ?? [] {
            guard case .tokenCreated(let created) = event.event, created.curve == trade.pool else {
                continue
            }
            supply[created.token.text(on: .solana)] = created.supply.map { Int128($0) }
        }
        return supply
    }

    /// Pools that calls of a transaction swap on, by the places of accounts in their lists.
    private static func pools(_ read: RaydiumShared.Read) throws -> [Address: Vaults] {
        let keys = read.transaction.keys
        var pools: [Address: Vaults] = [:]
        for call in read.transaction.instructions where Int(call.program) < keys.count {
            let data = [UInt8](read.bytes[call.data])
            let accounts = [UInt8](read.bytes[call.accounts])
            let places: (pool: Int, first: Int)?
            switch keys[Int(call.program)].text(on: .solana) {
            case v4 where data.first == 9 || data.first == 11:
                places = (1, accounts.count == 17 ? 4 : 5)
            case clmm where data.starts(with: [0xf8, 0xc6, 0x9e, 0x91]): places = (2, 5)
            case clmm where data.starts(with: [0x2b, 0x04, 0xed, 0x0b]): places = (2, 5)
            case launchLab where data.starts(with: [0xfa, 0xea, 0x0d, 0x7b]): places = (4, 7)
            default: places = nil
            }
            guard let places else { continue }
            let pool = keys[Int(accounts[places.pool])]
            let first = Int(accounts[places.first])
            let second = Int(accounts[places.first + 1])
            pools[pool, default: Vaults(first: first, second: second)].calls += 1
        }
        return pools
    }

    /// By how much a token account changed.
    private static func change(
        of account: Int,
        _ read: RaydiumShared.Read
    ) throws -> (mint: String, amount: Int128)? {
        func find(_ list: [SolanaTransaction.TokenBalance]) -> (String, Int128)? {
            guard let entry = list.first(where: { Int($0.account) == account }) else { return nil }
            let digits = String(decoding: read.bytes[entry.amount], as: UTF8.self)
            guard let amount = Int128(digits) else { return nil }
            return (String(decoding: read.bytes[entry.mint], as: UTF8.self), amount)
        }
        let before = find(read.transaction.tokensBefore)
        let after = find(read.transaction.tokensAfter)
        guard let mint = (after ?? before)?.0 else { return nil }
        return (mint, (after?.1 ?? 0) - (before?.1 ?? 0))
    }

    /// What a trade puts into the vault of a mint, or takes from it. Fees of a curve stay in its
    /// vault until they are claimed.
    private static func moved(_ trade: Trade, _ mint: String) -> Int128 {
        if trade.token.text(on: .solana) == mint {
            return trade.side == .buy ? -Int128(trade.tokenAmount) : Int128(trade.tokenAmount)
        }
        let amount = trade.venue == .launchLab ? trade.traderQuoteAmount : trade.quoteAmount
        return trade.side == .buy ? Int128(amount) : -Int128(amount)
    }
}
