/// What the traders of the market do; each function adds one transaction to the block.
extension SolanaChainSynthesis {
    private static let sol: UInt64 = 1_000_000_000

    // MARK: Bonding curve

    /// Creates a coin; often its creator buys in the same transaction.
    mutating func launch(
        number: UInt64,
        in quote: SolanaQuote,
        isHot: Bool,
        _ context: SolanaSlotContext
    ) {
        let creator = random.index(below: ordinaryWallets)
        guard canSpend(creator, 6 * Self.sol) else {
            refill(wallets[creator])
            return launch(number: number, in: quote, isHot: isHot, context)
        }
        guard quote == .native || balance(of: creator, in: quote) > 6 * quote.unit else {
            refill(wallets[creator], in: quote)
            return launch(number: number, in: quote, isHot: isHot, context)
        }
        var market = BondingCurveMarket(
            number: number,
            quote: quote,
            creator: creator,
            wallets: wallets.count,
            random: &random
        )
        var draft = trader(creator, limit: 300_000)
        market.create(wallets[creator], context, draft: &draft)
        var bought: BondingCurve.Quote?
        if random.chance(perMille: 700) {
            bought = market.trade(
                .spend(budget: random.amount(in: quote.unit / 10...4 * quote.unit)),
                wallet: creator,
                wallets: wallets,
                fees: fees(quote),
                context,
                draft: &draft,
                random: &random
            )
        }
        let transaction = execute(draft)
        coins.append(
            Coin(market: market, isHot: isHot, migratesAt: nil, launchedAt: context.slot)
        )
        if let bought, options.hasActors {
            note(creatorsBuy: bought, of: market, in: transaction, context)
        }
    }

    mutating func tradeOnCurve(_ context: SolanaSlotContext) {
        let index = chooseCoin()
        guard coins[index].migratesAt == nil else { return swapOnRaydium(context) }
        let wallet = random.index(below: wallets.count)
        let held = coins[index].market.holdings.balance(of: wallet, in: ledger)
        let sells = held > 1_000_000 && random.chance(perMille: 450)
        if random.chance(perMille: options.failedPerMille) {
            return failOnCurve(index, wallet, held: sells ? held : 0, context)
        }
        let quote = coins[index].market.quote
        guard canSpend(wallet, 12 * Self.sol) else { return refill(wallets[wallet]) }
        guard quote == .native || balance(of: wallet, in: quote) > 12 * quote.unit else {
            return refill(wallets[wallet], in: quote)
        }
        let entry = chooseEntry(index, held: sells ? held : 0)
        var draft = trader(wallet, limit: 120_000)
        coins[index].market.trade(
            entry,
            wallet: wallet,
            wallets: wallets,
            fees: fees(quote),
            context,
            draft: &draft,
            random: &random
        )
        execute(draft)
        if coins[index].market.isComplete {
            coins[index].migratesAt = context.slot + random.number(in: 1...4)
        }
    }

    private mutating func chooseCoin() -> Int {
        let hot = coins.indices.filter { coins[$0].isHot && coins[$0].migratesAt == nil }
        if let newest = hot.last, random.chance(perMille: 600) { return newest }
        return random.index(below: coins.count)
    }

    private mutating func chooseEntry(_ index: Int, held: UInt64) -> BondingCurveMarket.Entry {
        guard held == 0 else { return .sell(tokens: random.amount(in: held / 4...held)) }
        let unit = coins[index].market.quote.unit
        let most = coins[index].isHot ? 10 * unit : 2 * unit
        let budget = random.amount(in: unit / 20...most)
        if random.chance(perMille: 500) { return .spend(budget: budget) }
        let tokens = coins[index].market.curve.quote(spending: budget).tokens
        return .buy(tokens: max(1, tokens))
    }

    mutating func failOnCurve(
        _ index: Int,
        _ wallet: Int,
        held: UInt64,
        _ context: SolanaSlotContext
    ) {
        let market = coins[index].market
        var draft = trader(wallet, limit: 120_000)
        market.refuse(
            held > 0 ? .tooLittleSolReceived : .tooMuchSolRequired,
            wallet: wallets[wallet],
            creator: wallets[market.creator],
            account: market.holdings.account(of: wallet) ?? SolanaKey(&random),  // not opened
            amount: held > 0 ? held : random.amount(in: 1_000_000_000...20_000_000_000_000),
            fees: fees(market.quote),
            context,
            draft: &draft
        )
        execute(draft)
    }

    /// `migrate`, or `migrate_v2` in another quote than SOL: the full curve becomes a pool whose LP
    /// tokens are burnt.
    mutating func migrate(_ coin: Coin, _ context: SolanaSlotContext) {
        let market = coin.market
        let index = random.index(below: wallets.count)
        let user = wallets[index]
        if !canSpend(index, Self.sol) { refill(user) }
        let authority = SolanaKey(&random)
        let accounts = (
            base: SolanaKey(&random), quote: SolanaKey(&random), liquidity: SolanaKey(&random)
        )
        let quote = market.quote
        let pool = PumpSwapPool(
            creator: authority,
            token: market.holdings,
            quoted: quote,
            coinCreator: wallets[market.creator],
            base: BondingCurve.supply - BondingCurve.tokensForSale,
            quote: market.curve.realQuote - market.curve.migrationFee,
            wallets: wallets.count,
            random: &random
        )
        var draft = trader(index, limit: 400_000)
        draft.begin(
            SolanaAddress.pump,
            migrateRoles(market, pool, user, authority, accounts),
            quote == .native
                ? [0x9b, 0xea, 0xe7, 0x92, 0xec, 0x9e, 0xa2, 0x1e]
                : [0xbb, 0xcb, 0x12, 0x1f, 0xce, 0xed, 0xfe, 0x29]
        )
        draft.log(quote == .native ? "Instruction: Migrate" : "Instruction: MigrateV2")
        draft.createTokenAccount(
            accounts.base,
            market.holdings.holding(owner: authority),
            payer: user.key
        )
        draft.createTokenAccount(
            accounts.quote,
            holding(quote, of: authority),
            payer: user.key
        )
        let moved = market.drain(
            tokensTo: accounts.base,
            quoteTo: accounts.quote,
            feeTo: migrationKeeper,
            draft: &draft
        )
        pool.createPool(from: accounts, payer: user.key, context, draft: &draft)
        draft.burnTokens(
            pool.reserves.liquidity - PumpSwapReserves.minimumLiquidity,
            mint: pool.liquidityMint,
            from: accounts.liquidity,
            authority: authority,
            program: SolanaAddress.token2022
        )
        market.emit(
            market.migrationEvent(user, moved: moved, pool: pool.address, context),
            &draft
        )
        draft.end(units: 290_000)
        execute(draft)
        pools.append(PoolListing(pool: pool, holdings: market.holdings))
    }

    private func migrateRoles(
        _ market: BondingCurveMarket,
        _ pool: PumpSwapPool,
        _ user: SolanaWallet,
        _ authority: SolanaKey,
        _ accounts: (base: SolanaKey, quote: SolanaKey, liquidity: SolanaKey)
    ) -> [SolanaTransactionDraft.Role] {
        if market.quote != .native {
            return migrateRolesInSecondForm(market, pool, user, authority, accounts)
        }
        return [
            .readonly(SolanaAddress.pumpGlobal), .writable(migrationKeeper),
            .readonly(market.mint), .writable(market.address), .writable(market.vault),
            .signer(user.key), .readonly(SolanaAddress.system), .readonly(SolanaAddress.token),
            .readonly(SolanaAddress.pumpSwap), .writable(pool.address), .writable(authority),
            .writable(accounts.base), .writable(accounts.quote),
            .readonly(SolanaAddress.pumpSwapConfig), .readonly(SolanaAddress.wrappedSOL),
            .writable(pool.liquidityMint), .writable(accounts.liquidity),
            .writable(pool.baseVault), .writable(pool.quoteVault),
            .readonly(SolanaAddress.token2022), .readonly(SolanaAddress.associatedToken),
            .readonly(SolanaAddress.pumpSwapEvents), .readonly(SolanaAddress.pumpEvents),
            .readonly(SolanaAddress.pump), .readonly(SolanaAddress.rent),
        ]
    }

    private func migrateRolesInSecondForm(
        _ market: BondingCurveMarket,
        _ pool: PumpSwapPool,
        _ user: SolanaWallet,
        _ authority: SolanaKey,
        _ accounts: (base: SolanaKey, quote: SolanaKey, liquidity: SolanaKey)
    ) -> [SolanaTransactionDraft.Role] {
        [
            .readonly(SolanaAddress.pumpGlobal), .writable(migrationKeeper),
            .readonly(market.mint), .readonly(market.quote.mint), .writable(market.address),
            .writable(market.vault), .writable(market.quoteVault), .signer(user.key),
            .readonly(SolanaAddress.system), .readonly(SolanaAddress.pumpSwap),
            .writable(pool.address), .writable(authority), .writable(accounts.base),
            .writable(accounts.quote), .readonly(SolanaAddress.pumpSwapConfig),
            .writable(pool.liquidityMint), .writable(accounts.liquidity),
            .writable(pool.baseVault), .writable(pool.quoteVault),
            .readonly(market.holdings.program), .readonly(SolanaAddress.token),
            .readonly(SolanaAddress.token2022), .readonly(SolanaAddress.associatedToken),
            .readonly(SolanaAddress.pumpSwapEvents), .readonly(SolanaAddress.rent),
            .readonly(SolanaAddress.pumpEvents), .readonly(SolanaAddress.pump),
        ]
    }

    // MARK: PumpSwap

    /// One of those who take the protocol's fee.
    mutating func pickRecipient(
        _ quote: SolanaQuote
    ) -> (owner: SolanaKey, account: SolanaKey) {
        let recipients = fees(quote).recipients
        return recipients[random.index(below: recipients.count)]
    }

    mutating func tradeOnPool(_ context: SolanaSlotContext) {
        guard outsiderIsListed else { return createOutsiderPool(context) }
        guard !pools.isEmpty else { return swapOnRaydium(context) }
        let index = random.index(below: pools.count)
        let wallet = random.index(below: wallets.count)
        let quote = pools[index].pool.quoted
        guard canSpend(wallet, Self.sol) else { return refill(wallets[wallet]) }
        guard balance(of: wallet, in: quote) > 12 * quote.unit else {
            return refill(wallets[wallet], in: quote)
        }
        let held = pools[index].holdings.balance(of: wallet, in: ledger)
        let shares = pools[index].pool.liquidityHoldings.balance(of: wallet, in: ledger)
        switch random.next(below: 100) {
        case 0..<8 where held > 1_000_000_000:
            provide(index, wallet, held: held, context)
        case 8..<16 where shares > 1_000:
            withdraw(index, wallet, shares: shares, context)
        case 16..<55 where held > 1_000_000:
            swap(index, wallet, .sell(base: random.amount(in: held / 4...held)), context)
        default:
            let budget = random.amount(in: quote.unit / 20...5 * quote.unit)
            let base = pools[index].pool.quote(.spend(quote: budget)).base
            let exact = random.chance(perMille: 500) && base > 0
            swap(index, wallet, exact ? .buy(base: base) : .spend(quote: budget), context)
        }
    }

    private mutating func swap(
        _ index: Int,
        _ wallet: Int,
        _ entry: PumpSwapPool.Entry,
        _ context: SolanaSlotContext
    ) {
        var draft = trader(wallet, limit: 180_000)
        draft.lookupTable = pools[index].pool.lookupTable
        let party = party(index, wallet, &draft)
        pools[index].pool.trade(
            entry,
            party,
            recipient: pickRecipient(pools[index].pool.quoted),
            context,
            draft: &draft
        )
        execute(draft)
    }

    mutating func provide(
        _ index: Int,
        _ wallet: Int,
        held: UInt64,
        _ context: SolanaSlotContext
    ) {
        let reserves = pools[index].pool.reserves
        let byBase = SolanaMath.multiply(
            reserves.liquidity,
            held / 2,
            dividedBy: reserves.base
        )
        let byQuote = SolanaMath.multiply(
            reserves.liquidity,
            balance(of: wallet, in: pools[index].pool.quoted) / 4,
            dividedBy: reserves.quote
        )
        let tokens = max(1, min(byBase, byQuote))
        var draft = trader(wallet, limit: 180_000)
        let party = party(index, wallet, &draft)
        let account = pools[index].pool.liquidityHoldings.prepare(
            wallet,
            owner: party.wallet.key,
            draft: &draft,
            random: &random
        )
        pools[index].pool.provide(
            tokens,
            depositing: true,
            party,
            liquidity: account,
            context,
            draft: &draft
        )
        execute(draft)
    }

    mutating func withdraw(
        _ index: Int,
        _ wallet: Int,
        shares: UInt64,
        _ context: SolanaSlotContext
    ) {
        guard let account = pools[index].pool.liquidityHoldings.account(of: wallet) else { return }
        var draft = trader(wallet, limit: 180_000)
        let party = party(index, wallet, &draft)
        pools[index].pool.provide(
            random.number(in: shares / 2...shares),
            depositing: false,
            party,
            liquidity: account,
            context,
            draft: &draft
        )
        execute(draft)
    }

    /// `create_pool` by a wallet for a token that never was on a bonding curve.
    mutating func createOutsiderPool(_ context: SolanaSlotContext) {
        let holders = wallets.indices.filter {
            outsider.balance(of: $0, in: ledger) > 2_000_000_000 && canSpend($0, Self.sol)
        }
        guard let wallet = holders.first, let base = outsider.account(of: wallet) else {
            return swapOnRaydium(context)
        }
        let user = wallets[wallet]
        guard balance(of: wallet, in: .native) > 60 * Self.sol else { return refill(user) }
        var pool = PumpSwapPool(
            creator: user.key,
            token: outsider,
            quoted: .native,
            coinCreator: nil,
            base: outsider.balance(of: wallet, in: ledger) / 2,
            quote: 50 * Self.sol,
            wallets: wallets.count,
            random: &random
        )
        let shares = SolanaKey(&random)
        var draft = trader(wallet, limit: 300_000)
        pool.createPool(
            from: (base, user.account(.native), shares),
            payer: user.key,
            context,
            draft: &draft
        )
        pool.liquidityHoldings.assign(shares, to: wallet)
        execute(draft)
        pools.append(PoolListing(pool: pool, holdings: outsider))
        outsiderIsListed = true
        if options.hasActors { listOutsiderOnRaydium(base: pool.reserves.base) }
    }

    /// The wallet's side of a pool, with balances as they are now.
    mutating func party(
        _ index: Int,
        _ wallet: Int,
        _ draft: inout SolanaTransactionDraft
    ) -> PumpSwapPool.Party {
        let user = wallets[wallet]
        let quote = pools[index].pool.quoted
        let held = pools[index].holdings.balance(of: wallet, in: ledger)
        return PumpSwapPool.Party(
            wallet: user,
            base: pools[index].holdings.prepare(
                wallet,
                owner: user.key,
                draft: &draft,
                random: &random
            ),
            quote: user.account(quote),
            baseBalance: held,
            quoteBalance: balance(of: wallet, in: quote)
        )
    }

    // MARK: Raydium

    mutating func swapOnRaydium(_ context: SolanaSlotContext) {
        let index = random.index(below: raydium.count)
        let wallet = random.index(below: wallets.count)
        let user = wallets[wallet]
        let wrapped = balance(of: wallet, in: .native)
        guard canSpend(wallet, Self.sol), wrapped > 12 * Self.sol else { return refill(user) }
        let held = raydium[index].holdings.balance(of: wallet, in: ledger)
        let sells = held > 1_000_000 && random.chance(perMille: 500)
        let spendsPC = (raydium[index].pool.pcMint == SolanaAddress.wrappedSOL) != sells
        var amount =
            sells
            ? random.amount(in: held / 4...held)
            : random.amount(in: Self.sol / 20...10 * Self.sol)
        let balance = sells ? held : wrapped
        if random.chance(perMille: options.failedPerMille) { amount += balance }
        var draft = trader(wallet, limit: 90_000)
        draft.lookupTable = raydium[index].pool.lookupTable
        let before = raydium[index].holdings
        let token = raydium[index].holdings.prepare(
            wallet,
            owner: user.key,
            draft: &draft,
            random: &random
        )
        raydium[index].pool.swap(
            amount,
            spendsPC: spendsPC,
            balance: balance,
            wallet: user.key,
            source: sells ? token : user.account(.native),
            destination: sells ? user.account(.native) : token,
            draft: &draft
        )
        execute(draft)
        // What a failed transaction opened does not exist.
        if draft.failure != nil { raydium[index].holdings = before }
    }

    // MARK: Parts

    func canSpend(_ wallet: Int, _ lamports: UInt64) -> Bool {
        ledger[wallets[wallet].key].lamports >= lamports + Self.sol / 10
    }

    private mutating func trader(_ wallet: Int, limit: UInt32) -> SolanaTransactionDraft {
        var draft = SolanaTransactionDraft(payer: wallets[wallet].key)
        draft.computeBudget(
            limit: limit,
            microLamportsPerUnit: random.amount(in: 10_000...3_000_000)
        )
        return draft
    }
}
