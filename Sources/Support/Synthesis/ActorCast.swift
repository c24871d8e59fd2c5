/// Which wallets act on purpose: they stand behind those of people who just trade.
struct ActorCast {
    /// Leaders that learn and lead at the same time, and how many coins they have for it.
    static let leadersAtOnce = 4
    static let coinsForLeaders = 190
    /// A market with fewer coins gets older tokens for them.
    private static let coinsMin: UInt32 = 400

    /// Older tokens that a leader learns on, and those that it leads on beside new coins.
    static let lessons = 22
    static let samples = 8

    /// Put their trades around those of others.
    let attackers: Range<Int>
    /// Second wallets of attackers.
    let accomplices: Range<Int>
    /// Trade right behind large trades and between pools.
    let searchers: Range<Int>
    /// Buy and sell again and again.
    let makers: Range<Int>
    /// Buy, and sell again in the same slot.
    let flippers: Range<Int>
    /// Trade with themselves.
    let washers: Range<Int>
    /// Owned by a router's program.
    let vaults: Range<Int>
    let leaders: Range<Int>
    let followers: Range<Int>
    /// Which of Raydium's pools are of older tokens that leaders learn on; none in a market with coins
    /// enough.
    let elders: Range<Int>
    /// Buys very many new coins.
    let sniper: Int
    /// pump.fun's trading agent.
    let agent: Int
    /// The first followers follow often; behind them stands for each leader one that does not.
    private let relations: Int

    init(_ options: SynthesisOptions) {
        var next = SolanaChainSynthesis.walletCount
        func take(_ count: Int) -> Range<Int> {
            defer { next += count }
            return next..<next + count
        }
        attackers = take(16)
        accomplices = take(16)
        searchers = take(8)
        makers = take(6)
        flippers = take(10)
        washers = take(8)
        vaults = take(2)
        relations = Int(min(options.copyTraders, 1_000))
        leaders = take((relations + 1) / 2)
        // Some follow too seldom.
        let learning = min(leaders.count, Self.leadersAtOnce)
        let isSmall = learning > 0 && options.tokens < Self.coinsMin
        // Leaders must not have bought more than three in ten.
        let count = isSmall ? max(100, learning * (Self.lessons + Self.samples)) : 0
        elders = SolanaChainSynthesis.raydiumCount..<SolanaChainSynthesis.raydiumCount + count
        followers = take(relations + (options.lookAlikes > 0 ? leaders.count : 0))
        sniper = take(1).lowerBound
        agent = take(1).lowerBound
    }

    /// Who follows a leader, and in how many of a thousand cases.
    func following(_ leader: Int) -> [(wallet: Int, perMille: UInt32)] {
        let place = leader - leaders.lowerBound
        var found: [(wallet: Int, perMille: UInt32)] = []
        for follower in [2 * place, 2 * place + 1] where follower < relations {
            found.append((followers.lowerBound + follower, 850))
        }
        if followers.count > relations {
            found.append((followers.lowerBound + relations + place, 250))
        }
        return found
    }
}

extension SolanaChainSynthesis {
    /// Gives the actors wallets, before the run.
    mutating func endowActors() {
        while wallets.count <= cast.agent {
            endowWallet(key: wallets.count == cast.agent ? SolanaAddress.mayhemAgent : nil)
        }
        for _ in cast.elders { endowRaydium(raydium.count, sol: 40...200) }
        outsider.extend(to: wallets.count)
        for index in raydium.indices { raydium[index].holdings.extend(to: wallets.count) }
    }

    /// A pool of the token from elsewhere on a second venue, at the first one's price; it was there
    /// before the run.
    mutating func listOutsiderOnRaydium(base: UInt64) {
        let token = base * 3
        let lamports: UInt64 = 150_000_000_000
        let pool = RaydiumPool(
            coinMint: outsider.mint,
            coinDecimals: 6,
            coin: token,
            pcMint: SolanaAddress.wrappedSOL,
            pcDecimals: 9,
            pc: lamports,
            openedAt: UInt64(max(0, options.startWallNanoseconds / 1_000_000_000 - 9_000_000)),
            random: &random
        )
        ledger.endow(pool.address, lamports: 6_124_800)
        let authority = SolanaAddress.raydiumAuthority
        ledger.endow(pool.coinVault, token: outsider.holding(owner: authority, amount: token))
        ledger.endow(pool.pcVault, token: holding(.native, of: authority, lamports))
        raydium.append(RaydiumListing(pool: pool, holdings: outsider))
    }

    /// One of some wallets that has not traded on a pool in the newest slots; nil when all have.
    mutating func pick(_ wallets: Range<Int>, on pool: SolanaKey) -> Int? {
        let start = random.index(below: wallets.count)
        for offset in 0..<wallets.count {
            let wallet = wallets.lowerBound + (start + offset) % wallets.count
            if !books.hasTraded(wallet, on: pool) { return wallet }
        }
        return nil
    }

    /// Ordinary wallets for which a trade is no way back, each once.
    mutating func pickStrangers(_ count: Int, isBuy: Bool, on pool: SolanaKey) -> [Int] {
        let start = random.index(below: ordinaryWallets)
        var found: [Int] = []
        for offset in 0..<ordinaryWallets where found.count < count {
            let wallet = (start + offset * 7) % ordinaryWallets
            if !books.reverses(wallet, isBuy: isBuy, on: pool) { found.append(wallet) }
        }
        return found
    }
}
