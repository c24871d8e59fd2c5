/// Orders of the actors, executed as transactions of the block.
extension SolanaChainSynthesis {
    /// Where the venue stands among the listings; nil when it is gone.
    func place(of venue: MarketVenue) -> Int? {
        switch venue {
        case .curve(let mint):
            coins.firstIndex { $0.market.mint == mint && !$0.market.isComplete }
        case .pumpSwap(let address): pools.firstIndex { $0.pool.address == address }
        case .raydium(let address): raydium.firstIndex { $0.pool.address == address }
        }
    }

    /// The quote reserve that prices follow; nil when the venue is gone.
    func quoteReserve(_ venue: MarketVenue) -> UInt64? {
        guard let place = place(of: venue) else { return nil }
        switch venue {
        case .curve: return coins[place].market.curve.virtualQuote
        case .pumpSwap: return pools[place].pool.reserves.quote
        case .raydium:
            let pool = raydium[place].pool
            return pool.pcMint == SolanaAddress.wrappedSOL ? pool.pc : pool.coin
        }
    }

    /// What a sale brings the wallet, or what a budget buys: as of now.
    func outcome(_ size: MarketOrder.Size, on venue: MarketVenue) -> UInt64? {
        guard let place = place(of: venue) else { return nil }
        switch (venue, size) {
        case (.curve, .spend(let budget)):
            return coins[place].market.curve.quote(spending: budget).tokens
        case (.curve, .sell(let tokens)):
            let quote = coins[place].market.curve.quote(selling: tokens)
            return quote.amount - quote.fees
        case (.pumpSwap, .spend(let budget)):
            return pools[place].pool.quote(.spend(quote: budget)).base
        case (.pumpSwap, .sell(let tokens)):
            return pools[place].pool.quote(.sell(base: tokens)).received
        case (.raydium, .spend(let amount)), (.raydium, .sell(let amount)):
            let pool = raydium[place].pool
            let spendsPC = (pool.pcMint == SolanaAddress.wrappedSOL) == size.isBuy
            return RaydiumPool.output(
                of: amount,
                reserveIn: spendsPC ? pool.pc : pool.coin,
                reserveOut: spendsPC ? pool.coin : pool.pc
            )
        case (_, .buy(let tokens)): return tokens
        }
    }

    /// What a wallet holds of the venue's token.
    func holding(of wallet: Int, on venue: MarketVenue) -> UInt64 {
        guard let place = place(of: venue) else { return 0 }
        switch venue {
        case .curve: return coins[place].market.holdings.balance(of: wallet, in: ledger)
        case .pumpSwap: return pools[place].holdings.balance(of: wallet, in: ledger)
        case .raydium: return raydium[place].holdings.balance(of: wallet, in: ledger)
        }
    }

    /// The wallet's account of the venue's token.
    func account(of wallet: Int, on venue: MarketVenue) -> SolanaKey? {
        guard let place = place(of: venue) else { return nil }
        switch venue {
        case .curve: return coins[place].market.holdings.account(of: wallet)
        case .pumpSwap: return pools[place].holdings.account(of: wallet)
        case .raydium: return raydium[place].holdings.account(of: wallet)
        }
    }

    /// What the venue's prices are in.
    func quote(of venue: MarketVenue) -> SolanaQuote {
        guard let place = place(of: venue) else { return .native }
        switch venue {
        case .curve: return coins[place].market.quote
        case .pumpSwap: return pools[place].pool.quoted
        case .raydium: return .native
        }
    }

    /// Makes sure that a wallet can pay so much of the venue's quote.
    mutating func fund(_ wallet: Int, _ amount: UInt64, on venue: MarketVenue) {
        let quote = quote(of: venue)
        // SOL is paid from the wallet on curves and from its wrapped account on pools. A refill brings
        // at least 100 SOL, or about as much.
        let lamports = (quote == .native ? amount : 0) + 2_000_000_000
        while ledger[wallets[wallet].key].lamports < lamports { refill(wallets[wallet]) }
        while balance(of: wallet, in: quote) < amount { refill(wallets[wallet], in: quote) }
    }

    /// What a wallet's own account of a quote holds.
    func balance(of wallet: Int, in quote: SolanaQuote) -> UInt64 {
        ledger[wallets[wallet].account(quote)].token?.amount ?? 0  // always opened
    }

    /// Executes orders as one transaction and notes them. The caller has seen to funds and venues.
    mutating func trade(
        _ orders: [MarketOrder],
        _ terms: MarketTerms,
        _ context: SolanaSlotContext
    ) -> [MarketFill] {
        precondition(!orders.isEmpty, "a transaction without an order")
        let payer = terms.payer ?? orders[0].wallet
        var draft = SolanaTransactionDraft(payer: wallets[payer].key)
        draft.puppet = terms.puppet
        draft.computeBudget(
            limit: orders.count > 1 ? 320_000 : 180_000,
            microLamportsPerUnit: terms.priorityPrice
        )
        if terms.router != nil { openAccounts(orders, &draft) }
        if let router = terms.router {
            draft.begin(router, [.signer(wallets[payer].key)], [0xe5, 0x17, 0xcb, 0x97, 0x7a])
        }
        var fills = orders.map { execute($0, context, &draft) }
        if terms.router != nil { draft.end(units: 210_000) }
        if let other = terms.handsOverTo { handOver(fills[0], to: other, &draft) }
        if terms.tip > 0 {
            let account = SolanaAddress.tips[
                random.index(below: SolanaAddress.tips.count)
            ]
            draft.transferLamports(terms.tip, from: wallets[payer].key, to: account)
        }
        let transaction = execute(draft)
        for order in fills.indices {
            fills[order].slot = context.slot
            fills[order].index = transaction.index
            fills[order].signature = transaction.signature
            fills[order].cost = transaction.fee + terms.tip
            fills[order].priorityPrice = terms.priorityPrice
            fills[order].tip = terms.tip
            fills[order].payer = terms.payer
            note(fills[order])
        }
        return fills
    }

    /// Enters a trade into the books.
    mutating func note(_ fill: MarketFill) {
        guard let account = account(of: fill.wallet, on: fill.venue) else { return }
        books.note(fill, account: account)
        if fill.isBuy { noteBought(fill.venue) }
    }

    /// Counts tokens that anybody has bought; what comes to a pool was bought on its curve.
    private mutating func noteBought(_ venue: MarketVenue) {
        guard let place = place(of: venue) else { return }
        switch venue {
        case .curve:
            if !coins[place].isBought { copying.tokens += 1 }
            coins[place].isBought = true
        case .pumpSwap:
            if pools[place].pool.baseMint == outsider.mint { copying.note(elder: outsider.mint) }
        case .raydium: copying.note(elder: raydium[place].holdings.mint)
        }
    }

    /// Enters what a creator bought in the transaction that made the coin.
    mutating func note(
        creatorsBuy quote: BondingCurve.Quote,
        of market: BondingCurveMarket,
        in transaction: SolanaTransaction,
        _ context: SolanaSlotContext
    ) {
        note(
            MarketFill(
                venue: .curve(market.mint),
                wallet: market.creator,
                isBuy: true,
                tokens: quote.tokens,
                quote: quote.amount + quote.fees,
                slot: context.slot,
                index: transaction.index,
                signature: transaction.signature,
                cost: transaction.fee,
                priorityPrice: 0,
                tip: 0,
                payer: nil
            )
        )
    }

    // MARK: Parts

    private mutating func execute(
        _ order: MarketOrder,
        _ context: SolanaSlotContext,
        _ draft: inout SolanaTransactionDraft
    ) -> MarketFill {
        guard let place = place(of: order.venue) else {
            preconditionFailure("an order for a venue that is gone")
        }
        let (tokens, quote) =
            switch order.venue {
            case .curve: tradeOnCurve(order, place, context, &draft)
            case .pumpSwap: tradeOnPool(order, place, context, &draft)
            case .raydium: swapOnRaydium(order, place, &draft)
            }
        return MarketFill(
            venue: order.venue,
            wallet: order.wallet,
            isBuy: order.size.isBuy,
            tokens: tokens,
            quote: quote,
            slot: context.slot,
            index: 0,
            signature: [],
            cost: 0,
            priorityPrice: 0,
            tip: 0,
            payer: nil
        )
    }

    private mutating func tradeOnCurve(
        _ order: MarketOrder,
        _ place: Int,
        _ context: SolanaSlotContext,
        _ draft: inout SolanaTransactionDraft
    ) -> (tokens: UInt64, quote: UInt64) {
        let entry: BondingCurveMarket.Entry =
            switch order.size {
            case .spend(let budget): .spend(budget: budget)
            case .buy(let tokens): .buy(tokens: tokens)
            case .sell(let tokens): .sell(tokens: tokens)
            }
        let quote = coins[place].market.trade(
            entry,
            tolerance: order.tolerance,
            wallet: order.wallet,
            wallets: wallets,
            fees: fees(coins[place].market.quote),
            context,
            draft: &draft,
            random: &random
        )
        if coins[place].market.isComplete, coins[place].migratesAt == nil {
            coins[place].migratesAt = context.slot + random.number(in: 1...4)
        }
        let paid = quote.amount + quote.fees
        return (quote.tokens, order.size.isBuy ? paid : quote.amount - quote.fees)
    }

    private mutating func tradeOnPool(
        _ order: MarketOrder,
        _ place: Int,
        _ context: SolanaSlotContext,
        _ draft: inout SolanaTransactionDraft
    ) -> (tokens: UInt64, quote: UInt64) {
        if draft.lookupTable == nil { draft.lookupTable = pools[place].pool.lookupTable }
        var party = party(place, order.wallet, &draft)
        party.tolerance = order.tolerance
        let entry: PumpSwapPool.Entry =
            switch order.size {
            case .spend(let budget): .spend(quote: budget)
            case .buy(let tokens): .buy(base: tokens)
            case .sell(let tokens): .sell(base: tokens)
            }
        let quote = pools[place].pool.trade(
            entry,
            party,
            recipient: pickRecipient(pools[place].pool.quoted),
            context,
            draft: &draft
        )
        share(pools[place].holdings)
        return (quote.base, order.size.isBuy ? quote.paid : quote.received)
    }

    private mutating func swapOnRaydium(
        _ order: MarketOrder,
        _ place: Int,
        _ draft: inout SolanaTransactionDraft
    ) -> (tokens: UInt64, quote: UInt64) {
        if draft.lookupTable == nil { draft.lookupTable = raydium[place].pool.lookupTable }
        let user = wallets[order.wallet]
        let held = raydium[place].holdings.balance(of: order.wallet, in: ledger)
        let account = raydium[place].holdings.prepare(
            order.wallet,
            owner: user.key,
            draft: &draft,
            random: &random
        )
        share(raydium[place].holdings)
        let isBuy = order.size.isBuy
        let amount: UInt64
        switch order.size {
        case .spend(let given), .sell(let given): amount = given
        case .buy: preconditionFailure("Raydium swaps fix what goes in")
        }
        let out = raydium[place].pool.swap(
            amount,
            tolerance: order.tolerance,
            spendsPC: (raydium[place].pool.pcMint == SolanaAddress.wrappedSOL) == isBuy,
            // What an order before it in the transaction brought is not in the ledger yet.
            balance: max(isBuy ? balance(of: order.wallet, in: .native) : held, amount),
            wallet: user.key,
            source: isBuy ? user.account(.native) : account,
            destination: isBuy ? account : user.account(.native),
            draft: &draft
        )
        return isBuy ? (out, amount) : (amount, out)
    }

    /// Accounts that are opened before a router is called, by whoever owns them.
    private mutating func openAccounts(
        _ orders: [MarketOrder],
        _ draft: inout SolanaTransactionDraft
    ) {
        for order in orders {
            guard let place = place(of: order.venue) else { continue }
            let owner = wallets[order.wallet].key
            switch order.venue {
            case .curve:
                _ = coins[place].market.holdings.prepare(
                    order.wallet,
                    owner: owner,
                    draft: &draft,
                    random: &random
                )
            case .pumpSwap:
                _ = pools[place].holdings.prepare(
                    order.wallet,
                    owner: owner,
                    draft: &draft,
                    random: &random
                )
                share(pools[place].holdings)
            case .raydium:
                _ = raydium[place].holdings.prepare(
                    order.wallet,
                    owner: owner,
                    draft: &draft,
                    random: &random
                )
                share(raydium[place].holdings)
            }
        }
    }

    /// Moves what was bought to another wallet's account.
    private mutating func handOver(
        _ fill: MarketFill,
        to other: Int,
        _ draft: inout SolanaTransactionDraft
    ) {
        guard let place = place(of: fill.venue), let from = account(of: fill.wallet, on: fill.venue)
        else { return }
        let owner = wallets[other].key
        let payer = wallets[fill.wallet].key
        var holdings: SolanaHoldings
        switch fill.venue {
        case .curve: holdings = coins[place].market.holdings
        case .pumpSwap: holdings = pools[place].holdings
        case .raydium: holdings = raydium[place].holdings
        }
        let to: SolanaKey
        if let known = holdings.account(of: other) {
            to = known
        } else {
            to = SolanaKey(&random)
            holdings.assign(to, to: other)
            draft.createTokenAccount(to, holdings.holding(owner: owner), payer: payer)
        }
        draft.transferTokens(
            fill.tokens,
            mint: holdings.mint,
            decimals: holdings.decimals,
            from: from,
            to: to,
            owner: .signer(payer),
            program: holdings.program
        )
        switch fill.venue {
        case .curve: coins[place].market.holdings = holdings
        case .pumpSwap: pools[place].holdings = holdings
        case .raydium: raydium[place].holdings = holdings
        }
        share(holdings)
    }

    /// Tells every pool of a token about its accounts.
    private mutating func share(_ holdings: SolanaHoldings) {
        for index in pools.indices where pools[index].holdings.mint == holdings.mint {
            pools[index].holdings = holdings
        }
        for index in raydium.indices where raydium[index].holdings.mint == holdings.mint {
            raydium[index].holdings = holdings
        }
    }
}
