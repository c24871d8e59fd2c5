/// What people do who just trade, in a market with actors: the same as in any other, but nobody goes
/// back on a trade so soon that it would look like an attack.
extension SolanaChainSynthesis {
    private static let sol: UInt64 = 1_000_000_000

    mutating func tradeOrdinarily(_ context: SolanaSlotContext) {
        if random.chance(perMille: 300) { playNext(context) }
        switch random.next(below: 100) {
        case 0..<4: transfer()
        case 4..<20: tradeOrdinarily(onRaydium: context)
        case 20..<50: tradeOrdinarily(onPool: context)
        default: tradeOrdinarily(onCurve: context)
        }
    }

    private mutating func tradeOrdinarily(onCurve context: SolanaSlotContext) {
        let open = coins.indices.filter { coins[$0].migratesAt == nil }
        guard !open.isEmpty else { return tradeOrdinarily(onPool: context) }
        let hot = open.last { coins[$0].isHot }
        let index: Int
        if let hot, random.chance(perMille: 600) {
            index = hot
        } else {
            index = open[random.index(below: open.count)]
        }
        let most = coins[index].isHot ? 10 * Self.sol : 2 * Self.sol
        let venue = MarketVenue.curve(coins[index].market.mint)
        let wallet = random.index(below: ordinaryWallets)
        guard !random.chance(perMille: options.failedPerMille) else {
            let held = holding(of: wallet, on: venue)
            let sells = held > 1_000_000 && random.chance(perMille: 450)
            return failOnCurve(index, wallet, held: sells ? held : 0, context)
        }
        order(wallet, on: venue, most: most, context)
    }

    private mutating func tradeOrdinarily(onPool context: SolanaSlotContext) {
        guard outsiderIsListed else { return createOutsiderPool(context) }
        guard !pools.isEmpty else { return tradeOrdinarily(onRaydium: context) }
        let index = random.index(below: pools.count)
        let venue = MarketVenue.pumpSwap(pools[index].pool.address)
        let wallet = random.index(below: ordinaryWallets)
        guard !books.isHeld(venue.pool) else { return transfer() }
        let held = holding(of: wallet, on: venue)
        let shares = pools[index].pool.liquidityHoldings.balance(of: wallet, in: ledger)
        switch random.next(below: 100) {
        case 0..<8 where held > 1_000_000_000:
            fund(wallet, pools[index].pool.quoted.unit, on: venue)
            provide(index, wallet, held: held, context)
        case 8..<16 where shares > 1_000:
            withdraw(index, wallet, shares: shares, context)
        default: order(wallet, on: venue, most: 5 * Self.sol, context)
        }
    }

    private mutating func tradeOrdinarily(onRaydium context: SolanaSlotContext) {
        let open = raydiumWithoutElders
        let index = open[random.index(below: open.count)]
        let wallet = random.index(below: ordinaryWallets)
        if random.chance(perMille: options.failedPerMille) {
            return failOnRaydium(index, wallet)
        }
        order(wallet, on: .raydium(raydium[index].pool.address), most: 10 * Self.sol, context)
    }

    /// A trade of a size that varies by magnitudes, unless a scene is being played there.
    private mutating func order(
        _ wallet: Int,
        on venue: MarketVenue,
        most: UInt64,
        _ context: SolanaSlotContext
    ) {
        let sellable = sellable(of: wallet, on: venue)
        let sells = sellable > 1_000_000 && random.chance(perMille: 450)
        guard !books.isHeld(venue.pool),
            !books.reverses(wallet, isBuy: !sells, on: venue.pool)
        else { return transfer() }
        let size: MarketOrder.Size
        if sells {
            size = .sell(random.amount(in: sellable / 4...sellable))
        } else {
            let quote = quote(of: venue)
            fund(wallet, 12 * quote.unit, on: venue)
            let budget = random.amount(in: quote.unit / 20...quote.worth(lamports: most))
            let tokens = outcome(.spend(budget), on: venue) ?? 0  // a venue that is there
            if case .raydium = venue {
                size = .spend(budget)
            } else {
                size = tokens > 1 && random.chance(perMille: 500) ? .buy(tokens) : .spend(budget)
            }
        }
        place(wallet, size, on: venue, context)
    }

    /// Places an order as people do: with a narrow limit only where nobody is just before.
    @discardableResult
    mutating func place(
        _ wallet: Int,
        _ size: MarketOrder.Size,
        on venue: MarketVenue,
        tolerance: UInt64? = nil,
        _ context: SolanaSlotContext
    ) -> MarketFill {
        let isCrowded = books.isCrowded(
            before: UInt64(transactions.count),
            slot: context.slot,
            isBuy: size.isBuy,
            on: venue.pool
        )
        let usual = isCrowded ? random.number(in: 2_600...6_000) : random.number(in: 50...1_500)
        let order = MarketOrder(
            venue: venue,
            wallet: wallet,
            size: size,
            tolerance: tolerance ?? usual
        )
        return trade([order], MarketTerms(priorityPrice: ordinaryPrice()), context)[0]
    }

    mutating func ordinaryPrice() -> UInt64 { random.amount(in: 10_000...3_000_000) }

    /// How much a wallet may sell without giving its position up: nobody but a leader closes one.
    private func sellable(of wallet: Int, on venue: MarketVenue) -> UInt64 {
        let held = holding(of: wallet, on: venue)
        guard let account = account(of: wallet, on: venue),
            let position = books.positions[account], position.bought > 0
        else { return held }
        let most = position.bought / 5 * 4
        return min(held, most > position.sold ? most - position.sold : 0)
    }

    private mutating func failOnRaydium(_ index: Int, _ wallet: Int) {
        let user = wallets[wallet]
        guard let token = raydium[index].holdings.account(of: wallet) else { return transfer() }
        let balance = balance(of: wallet, in: .native)
        var draft = SolanaTransactionDraft(payer: user.key)
        draft.computeBudget(limit: 90_000, microLamportsPerUnit: ordinaryPrice())
        draft.lookupTable = raydium[index].pool.lookupTable
        raydium[index].pool.swap(
            balance + random.amount(in: Self.sol / 20...10 * Self.sol),
            spendsPC: raydium[index].pool.pcMint == SolanaAddress.wrappedSOL,
            balance: balance,
            wallet: user.key,
            source: user.account(.native),
            destination: token,
            draft: &draft
        )
        execute(draft)
    }
}
