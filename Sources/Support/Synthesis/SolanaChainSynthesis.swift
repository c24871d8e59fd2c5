import RecordModel

/// The Solana side of the market: wallets, coins, pools and validators, one block at a time.
struct SolanaChainSynthesis {
    /// A pool with the token accounts of those who trade in it.
    struct PoolListing {
        var pool: PumpSwapPool
        var holdings: SolanaHoldings
    }

    struct RaydiumListing {
        var pool: RaydiumPool
        var holdings: SolanaHoldings
    }

    struct Coin {
        var market: BondingCurveMarket
        /// Draws large buyers and so completes its curve.
        var isHot: Bool
        /// Set when the curve is complete.
        var migratesAt: UInt64?
        /// Where it was launched, and whether anybody has bought it: only kept with actors.
        var launchedAt: UInt64 = 0
        var isBought = false
    }

    static let walletCount = 40
    /// Raydium's pools that every market has.
    static let raydiumCount = 3
    private static let validatorCount = 24
    private static let coinsMin = 24
    private static let poolsMax = 24

    let options: SynthesisOptions
    var random: MarketRandom
    var ledger = SolanaLedger()
    var wallets: [SolanaWallet] = []
    var coins: [Coin] = []
    var pools: [PoolListing] = []
    var raydium: [RaydiumListing] = []
    private var feesInSOL = SolanaFeeAccounts()
    private var feesInUSDC = SolanaFeeAccounts()
    /// Holders of a token from elsewhere, for which a wallet creates a pool during the run.
    var outsider = SolanaHoldings(mint: .zero, decimals: 6, wallets: 0)
    var outsiderIsListed = false
    let exchange: SolanaKey
    let exchangeWrapped: SolanaKey
    let exchangeUSDC: SolanaKey
    let migrationKeeper: SolanaKey
    /// Who acts on purpose, and what they know and plan; without actors none of it is touched.
    var cast: ActorCast
    var books = MarketBooks()
    var scenes: SceneSchedule
    var copying: CopyBook
    /// Front-runs of the slot, which count when there is no crowd.
    var frontRuns: [(front: MarketFill, victim: MarketFill)] = []
    private var labels: [SynthesizedLabel] = []
    private var validators: [(vote: SolanaKey, authority: SolanaKey)] = []
    private(set) var launched: UInt64 = 0
    private var made: UInt64 = 0
    /// The number given out last.
    private(set) var slot: UInt64
    private var height: UInt64
    private var hashes: [SolanaKey] = []
    private var parentSlot: UInt64
    private var writeVersion: UInt64 = 1_800_000_000_000
    private(set) var transactions: [SolanaTransaction] = []

    init(_ options: SynthesisOptions) {
        self.options = options
        random = MarketRandom(seed: options.seed ^ 0x736f_6c61_6e61_0001)
        exchange = SolanaKey(&random)
        exchangeWrapped = SolanaKey(&random)
        exchangeUSDC = SolanaKey(&random)
        migrationKeeper = SolanaKey(&random)
        slot = 391_500_000 + random.next(below: 100_000)
        height = slot - 21_870_000
        parentSlot = slot - 1
        hashes = [SolanaKey(&random)]
        cast = ActorCast(options)
        scenes = SceneSchedule(options)
        copying = CopyBook()
        endow()
        if options.hasActors { endowActors() }
    }

    /// Wallets of people who just trade: the first ones.
    var ordinaryWallets: Int { Self.walletCount }

    /// Tells what an actor did.
    mutating func tell(_ label: SynthesizedLabel) { labels.append(label) }

    /// What actors did up to the last block, each told once.
    mutating func takeLabels() -> [SynthesizedLabel] {
        defer { labels = [] }
        return labels
    }

    /// Leaves slot numbers to blocks beside this chain.
    mutating func pass(slots: UInt64) { slot += slots }

    /// A chain with the same past and another future.
    func branch(seed: UInt64) -> SolanaChainSynthesis {
        var branch = self
        branch.random = MarketRandom(seed: seed)
        return branch
    }

    /// The next block at the given wall time in seconds; some slot numbers are skipped, unless the
    /// number is given.
    mutating func next(time: Int64, slot given: UInt64?) -> SolanaSlot {
        made += 1
        slot += 1
        while random.chance(perMille: options.skippedPerMille) { slot += 1 }
        if let given { slot = given }
        height += 1
        transactions = []
        let context = SolanaSlotContext(slot: slot, timestamp: time, layout: options.layout)
        let firstWriteVersion = writeVersion
        fill(context)
        let fees = transactions.reduce((base: UInt64(0), priority: UInt64(0))) { sums, each in
            (sums.base + each.fee - each.priorityFee, sums.priority + each.priorityFee)
        }
        let leader = validators[Int(slot / 4 % UInt64(validators.count))].authority
        // Half of the base fee is burnt; the priority fee goes to the leader whole.
        let reward = fees.base / 2 + fees.priority
        ledger.endow(leader, lamports: reward)
        let entries = SolanaSlot.entries(of: UInt64(transactions.count), &random)
        let parentHash = hashes[hashes.count - 1]
        let block = SolanaSlot(
            slot: slot,
            parentSlot: parentSlot,
            hash: entries[entries.count - 1].hash,
            parentHash: parentHash,
            height: height,
            time: time,
            transactions: transactions,
            entries: entries,
            leader: leader,
            reward: reward,
            leaderBalance: ledger[leader].lamports,
            firstWriteVersion: firstWriteVersion
        )
        parentSlot = slot
        hashes.append(block.hash)
        if hashes.count > 150 { hashes.removeFirst() }
        return block
    }

    /// Executes a draft as the next transaction of the block.
    @discardableResult
    mutating func execute(_ draft: SolanaTransactionDraft) -> SolanaTransaction {
        let age = random.index(below: min(hashes.count, 20))
        let transaction = SolanaTransactionEncoder.execute(
            draft,
            ledger: &ledger,
            random: &random,
            recentBlockhash: hashes[hashes.count - 1 - age],
            index: UInt64(transactions.count),
            writesTokens: options.tokenAccounts
        )
        writeVersion += UInt64(transaction.images.count)
        transactions.append(transaction)
        return transaction
    }

    // MARK: The block

    private mutating func fill(_ context: SolanaSlotContext) {
        let trades =
            options.tradesPerSlot == 0
            ? 0 : random.number(in: 0...(UInt64(options.tradesPerSlot) * 2))
        var votes = UInt64(options.votesPerSlot)
        if options.hasActors { beginScenes(context) }
        launchIfDue(context)
        migrateIfDue(context)
        for done in 0..<trades {
            // Votes lie between the trades, most of them early, as in real blocks.
            let share = (votes + 1) / 2
            for _ in 0..<(done == trades - 1 ? votes : share) { vote() }
            votes -= done == trades - 1 ? votes : share
            if options.hasActors { tradeOrdinarily(context) } else { trade(context) }
        }
        for _ in 0..<votes { vote() }
        if options.hasActors { endScenes(context) }
    }

    private mutating func launchIfDue(_ context: SolanaSlotContext) {
        let total = UInt64(options.tokens)
        let slots = UInt64(max(options.slots, 1))
        // Coins stay listed for a while, however fast they come.
        let coinsMax = max(Self.coinsMin, Int(clamping: 8 * total / slots))
        while launched < total, (made - 1) * total >= launched * slots {
            if coins.count >= coinsMax { abandonOldest() }
            let quote = quote(ofCoin: launched + 1)
            launch(number: launched + 1, in: quote, isHot: launched % 3 == 0, context)
            launched += 1
            if options.hasActors { planLaunch(context) }
        }
    }

    /// Coins of other quotes are spread evenly, the first half a distance from the first coin.
    private func quote(ofCoin number: UInt64) -> SolanaQuote {
        guard options.layout == .july2026 else { return .native }
        func through(_ number: UInt64) -> UInt64 {
            (number * UInt64(options.usdcPerMille) + 500) / 1_000
        }
        return through(number) > through(number - 1) ? .usdc : .native
    }

    private mutating func migrateIfDue(_ context: SolanaSlotContext) {
        guard
            let index = coins.firstIndex(where: { coin in
                guard let due = coin.migratesAt else { return false }
                return due <= context.slot
            })
        else { return }
        if pools.count == Self.poolsMax { delistOldest() }
        migrate(coins.remove(at: index), context)
    }

    private mutating func trade(_ context: SolanaSlotContext) {
        switch random.next(below: 100) {
        case 0..<4: transfer()
        case 4..<20: swapOnRaydium(context)
        case 20..<50: tradeOnPool(context)
        default: if coins.isEmpty { tradeOnPool(context) } else { tradeOnCurve(context) }
        }
    }

    private func hash(_ age: Int) -> SolanaKey { hashes[max(0, hashes.count - 1 - age)] }

    // MARK: What is not the market

    /// A vote on the newest block (TowerSync, instruction 14).
    mutating func vote() {
        let validator = validators[random.index(below: validators.count)]
        var draft = SolanaTransactionDraft(payer: validator.authority)
        var data: [UInt8] = []
        data.appendLittleEndian(UInt32(14))
        data.appendLittleEndian(parentSlot - 31)
        data.append(31)
        for depth in 0..<31 {
            data.append(1)
            data.append(UInt8(31 - depth))
        }
        data.append(hash(0))
        data.append(0)
        data.append(hash(1))
        draft.begin(
            SolanaAddress.vote,
            [.writable(validator.vote), .signer(validator.authority)],
            data
        )
        draft.end(units: nil)
        execute(draft)
    }

    /// A payment from the exchange to a wallet: on the chain, but in no filter of the market.
    mutating func transfer() {
        let wallet = wallets[random.index(below: ordinaryWallets)]
        var draft = SolanaTransactionDraft(payer: exchange)
        draft.transferLamports(
            random.amount(in: 10_000_000...2_000_000_000),
            from: exchange,
            to: wallet.key
        )
        execute(draft)
    }

    /// Gives a wallet that ran low new funds; the chain sees ordinary transfers.
    mutating func refill(_ wallet: SolanaWallet, in quote: SolanaQuote = .native) {
        var draft = SolanaTransactionDraft(payer: exchange)
        let amount = random.number(in: 100...300) * quote.unit
        if quote == .native { draft.transferLamports(amount, from: exchange, to: wallet.key) }
        draft.transferTokens(
            amount,
            mint: quote.mint,
            decimals: quote.decimals,
            from: quote == .native ? exchangeWrapped : exchangeUSDC,
            to: wallet.account(quote),
            owner: .signer(exchange)
        )
        execute(draft)
    }

    /// Who takes pump's fees in a quote.
    func fees(_ quote: SolanaQuote) -> SolanaFeeAccounts {
        quote == .native ? feesInSOL : feesInUSDC
    }

    // MARK: Before the run

    private mutating func endow() {
        let wholeExchange: UInt64 = 300_000_000_000_000_000
        ledger.endow(exchange, lamports: wholeExchange)
        ledger.endow(exchangeWrapped, token: holding(.native, of: exchange, wholeExchange))
        ledger.endow(exchangeUSDC, token: holding(.usdc, of: exchange, wholeExchange))
        ledger.endow(SolanaAddress.system, lamports: 1)
        feesInSOL = endowFees(.native)
        feesInUSDC = endowFees(.usdc)
        for _ in 0..<Self.walletCount { endowWallet() }
        for _ in 0..<Self.validatorCount {
            let validator = (vote: SolanaKey(&random), authority: SolanaKey(&random))
            ledger.endow(validator.vote, lamports: 27_074_400)
            ledger.endow(validator.authority, lamports: 1_000_000_000_000)
            validators.append(validator)
        }
        for number in 0..<Self.raydiumCount { endowRaydium(number, sol: 500...9_000) }
        var holdings = SolanaHoldings(
            mint: SolanaKey(&random),
            decimals: 6,
            wallets: wallets.count
        )
        endowHolders(&holdings)
        outsider = holdings
    }

    private mutating func endowFees(_ quote: SolanaQuote) -> SolanaFeeAccounts {
        var fees = SolanaFeeAccounts()
        for owner in SolanaAddress.feeRecipients {
            fees.recipients.append((owner, SolanaKey(&random)))
        }
        for owner in SolanaAddress.buybackRecipients {
            fees.buybacks.append((owner, SolanaKey(&random)))
        }
        for (owner, account) in fees.recipients + fees.buybacks {
            if quote == .native { ledger.endow(owner, lamports: 1_000_000_000) }
            ledger.endow(account, token: holding(quote, of: owner))
        }
        return fees
    }

    mutating func endowWallet(key: SolanaKey? = nil) {
        let wallet = SolanaWallet(&random, key: key)
        ledger.endow(wallet.key, lamports: random.number(in: 200...900) * 1_000_000_000)
        for quote in SolanaQuote.allCases {
            let amount = random.number(in: 200...900) * quote.unit
            ledger.endow(wallet.account(quote), token: holding(quote, of: wallet.key, amount))
            let vault = holding(quote, of: wallet.poolCreatorAuthority)
            ledger.endow(wallet.poolCreatorVault(quote), token: vault)
        }
        ledger.endow(wallet.creatorAccount, token: holding(.usdc, of: wallet.creatorVault))
        for key in [wallet.volume, wallet.creatorVault, wallet.poolCreatorAuthority] {
            ledger.endow(key, lamports: 1_844_400)
        }
        wallets.append(wallet)
    }

    mutating func endowRaydium(_ number: Int, sol: ClosedRange<UInt64>) {
        var holdings = SolanaHoldings(
            mint: SolanaKey(&random),
            decimals: 6,
            wallets: wallets.count
        )
        let token = random.number(in: 50_000_000...900_000_000) * 1_000_000
        let lamports = random.number(in: sol) * 1_000_000_000
        // The token may stand on either side; old launches have wrapped SOL as the coin.
        let tokenIsCoin = number != 1
        let pool = RaydiumPool(
            coinMint: tokenIsCoin ? holdings.mint : SolanaAddress.wrappedSOL,
            coinDecimals: tokenIsCoin ? 6 : 9,
            coin: tokenIsCoin ? token : lamports,
            pcMint: tokenIsCoin ? SolanaAddress.wrappedSOL : holdings.mint,
            pcDecimals: tokenIsCoin ? 9 : 6,
            pc: tokenIsCoin ? lamports : token,
            openedAt: UInt64(max(0, options.startWallNanoseconds / 1_000_000_000 - 9_000_000)),
            random: &random
        )
        ledger.endow(pool.address, lamports: 6_124_800)
        let vaults = tokenIsCoin ? (pool.coinVault, pool.pcVault) : (pool.pcVault, pool.coinVault)
        let authority = SolanaAddress.raydiumAuthority
        ledger.endow(vaults.0, token: holdings.holding(owner: authority, amount: token))
        ledger.endow(vaults.1, token: holding(.native, of: authority, lamports))
        endowHolders(&holdings)
        raydium.append(RaydiumListing(pool: pool, holdings: holdings))
    }

    private mutating func endowHolders(_ holdings: inout SolanaHoldings) {
        for index in 0..<ordinaryWallets where index % 2 == 0 {
            let key = SolanaKey(&random)
            let amount = random.amount(in: 1_000_000_000...3_000_000_000_000)
            ledger.endow(key, token: holdings.holding(owner: wallets[index].key, amount: amount))
            holdings.assign(key, to: index)
        }
    }

    func holding(
        _ quote: SolanaQuote,
        of owner: SolanaKey,
        _ amount: UInt64 = 0
    ) -> SolanaLedger.TokenHolding {
        SolanaLedger.TokenHolding(
            mint: quote.mint,
            owner: owner,
            decimals: quote.decimals,
            amount: amount
        )
    }

    // MARK: Bounds

    /// Drops the oldest coin that still trades on its curve; nobody touches it again.
    private mutating func abandonOldest() {
        // One on which a scene is being played stays a little longer.
        let index = coins.firstIndex { !books.isHeld($0.market.mint) } ?? 0
        let market = coins.remove(at: index).market
        books.forget(market.holdings.all)
        let own = [market.mint, market.address, market.vault, market.quoteVault]
        for key in market.holdings.all + own {
            ledger.forget(key)
        }
        ledger.forget(market.metadata)
    }

    private mutating func delistOldest() {
        // One that also trades elsewhere stays.
        let free = pools.firstIndex { listing in
            !books.isHeld(listing.pool.address)
                && !raydium.contains { $0.holdings.mint == listing.holdings.mint }
        }
        let index = free ?? 0  // all are held: the oldest goes all the same
        let listing = pools.remove(at: index)
        books.forget(listing.holdings.all)
        for key in listing.holdings.all + listing.pool.liquidityHoldings.all {
            ledger.forget(key)
        }
        let pool = listing.pool
        for key in [pool.address, pool.baseVault, pool.quoteVault, pool.liquidityMint] {
            ledger.forget(key)
        }
    }
}
