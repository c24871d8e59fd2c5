import RecordModel

/// One PumpSwap pool: the instructions, calls, events and account states of its transactions.
struct PumpSwapPool {
    enum Entry {
        /// `buy`: exactly so much of the base token.
        case buy(base: UInt64)
        /// `buy_exact_quote_in`: a budget.
        case spend(quote: UInt64)
        case sell(base: UInt64)
    }

    /// Who trades or provides, with the accounts that take part.
    struct Party {
        var wallet: SolanaWallet
        var base: SolanaKey
        var quote: SolanaKey
        /// Balances before the transaction.
        var baseBalance: UInt64
        var quoteBalance: UInt64
        /// How much worse a trade might have become, in basis points.
        var tolerance: UInt64 = 200
    }

    static let accountBytes = 301

    let address: SolanaKey
    /// The wallet that made the pool, or the pool authority of a migrated coin.
    let creator: SolanaKey
    let baseMint: SolanaKey
    /// The token program of the base token; that of the quote is SPL Token.
    let baseProgram: SolanaKey
    let quoted: SolanaQuote
    let liquidityMint: SolanaKey
    let baseVault: SolanaKey
    let quoteVault: SolanaKey
    /// The coin's creator, who earns fees; nil for a pool that no coin migrated to.
    let coinCreator: SolanaWallet?
    let companion: SolanaKey
    let lookupTable: SolanaKey
    let bump: UInt8 = 255
    private(set) var reserves: PumpSwapReserves
    var liquidityHoldings: SolanaHoldings

    /// A pool with its first deposit; `emit` its creation with `createPool`.
    init(
        creator: SolanaKey,
        token: SolanaHoldings,
        quoted: SolanaQuote,
        coinCreator: SolanaWallet?,
        base: UInt64,
        quote: UInt64,
        wallets: Int,
        random: inout MarketRandom
    ) {
        address = SolanaKey(&random)
        self.creator = creator
        baseMint = token.mint
        baseProgram = token.program
        self.quoted = quoted
        liquidityMint = SolanaKey(&random)
        baseVault = SolanaKey(&random)
        quoteVault = SolanaKey(&random)
        companion = SolanaKey(&random)
        lookupTable = SolanaKey(&random)
        self.coinCreator = coinCreator
        reserves = PumpSwapReserves(base: base, quote: quote)
        liquidityHoldings = SolanaHoldings(
            mint: liquidityMint,
            decimals: 9,
            program: SolanaAddress.token2022,
            wallets: wallets
        )
    }

    /// The current fee rates.
    var rates: PumpSwapReserves.Rates {
        guard coinCreator != nil else { return .flat }
        let cap = UInt128(reserves.quote) * UInt128(BondingCurve.supply) / UInt128(reserves.base)
        return .tier(marketCap: cap, in: quoted)
    }

    // MARK: Transactions

    /// `create_pool`, as an instruction or as a call of the migration. The source is the creator's
    /// accounts: base token, quote, and the new one for LP tokens; the payer gives the rents.
    func createPool(
        from source: (base: SolanaKey, quote: SolanaKey, liquidity: SolanaKey),
        payer: SolanaKey,
        _ context: SolanaSlotContext,
        draft: inout SolanaTransactionDraft
    ) {
        var data: [UInt8] = [0xe9, 0x92, 0xd1, 0x8e, 0xcf, 0x68, 0x40, 0xbc]
        data.appendLittleEndian(UInt16(0))
        data.appendLittleEndian(reserves.base)
        data.appendLittleEndian(reserves.quote)
        data.append(coinCreator?.key ?? .zero)  // no creator is the zero key on the wire
        data.appendBorsh(false)
        let owner: SolanaTransactionDraft.Role =
            creator == payer ? .signer(creator) : .writable(creator)
        let roles: [SolanaTransactionDraft.Role] = [
            .writable(address), .readonly(SolanaAddress.pumpSwapConfig), owner,
            .readonly(baseMint), .readonly(quoted.mint), .writable(liquidityMint),
            .writable(source.base), .writable(source.quote), .writable(source.liquidity),
            .writable(baseVault), .writable(quoteVault), .readonly(SolanaAddress.system),
            .readonly(SolanaAddress.token2022), .readonly(baseProgram),
            .readonly(SolanaAddress.token), .readonly(SolanaAddress.associatedToken),
            .readonly(SolanaAddress.pumpSwapEvents), .readonly(SolanaAddress.pumpSwap),
        ]
        draft.begin(SolanaAddress.pumpSwap, roles, data)
        draft.log("Instruction: CreatePool")
        openAccounts(source.liquidity, payer: payer, &draft)
        move(base: reserves.base, from: source.base, to: baseVault, owner: owner, &draft)
        move(quote: reserves.quote, from: source.quote, to: quoteVault, owner: owner, &draft)
        draft.mintTokens(
            reserves.liquidity - PumpSwapReserves.minimumLiquidity,
            mint: liquidityMint,
            to: source.liquidity,
            authority: address,
            program: SolanaAddress.token2022
        )
        emit(createPoolEvent(source.base, source.quote, context), &draft)
        draft.end(units: 120_000)
        draft.write(image(context))
    }

    @discardableResult
    mutating func trade(
        _ entry: Entry,
        _ party: Party,
        recipient: (owner: SolanaKey, account: SolanaKey),
        _ context: SolanaSlotContext,
        draft: inout SolanaTransactionDraft
    ) -> PumpSwapReserves.Quote {
        let rates = rates
        let before = reserves
        let quote = quote(entry)
        draft.begin(
            SolanaAddress.pumpSwap,
            tradeRoles(entry, party, recipient, context),
            tradeCall(entry, quote, party.tolerance)
        )
        draft.log("Instruction: \(entry.title)")
        let user = SolanaTransactionDraft.Role.signer(party.wallet.key)
        let pool = SolanaTransactionDraft.Role.writable(address)
        if entry.isBuy {
            reserves.buy(quote)
            move(base: quote.base, from: baseVault, to: party.base, owner: pool, &draft)
            move(
                quote: quote.quote + quote.providerFee,
                from: party.quote,
                to: quoteVault,
                owner: user,
                &draft
            )
        } else {
            reserves.sell(quote)
            move(base: quote.base, from: party.base, to: baseVault, owner: user, &draft)
            move(quote: quote.received, from: quoteVault, to: party.quote, owner: pool, &draft)
        }
        let source = entry.isBuy ? (party.quote, user) : (quoteVault, pool)
        move(
            quote: quote.protocolFee,
            from: source.0,
            to: recipient.account,
            owner: source.1,
            &draft
        )
        if let coinCreator {
            move(
                quote: quote.creatorFee,
                from: source.0,
                to: coinCreator.poolCreatorVault(quoted),
                owner: source.1,
                &draft
            )
        }
        emit(tradeEvent(entry, quote, rates, before, party, recipient, context), &draft)
        draft.end(units: entry.isBuy ? 96_100 : 84_700)
        draft.write(image(context))
        return quote
    }

    /// `deposit` or `withdraw` of so many LP tokens.
    mutating func provide(
        _ tokens: UInt64,
        depositing: Bool,
        _ party: Party,
        liquidity account: SolanaKey,
        _ context: SolanaSlotContext,
        draft: inout SolanaTransactionDraft
    ) {
        let before = reserves
        let amounts = depositing ? before.cost(of: tokens) : before.worth(of: tokens)
        var data: [UInt8] =
            depositing
            ? [0xf2, 0x23, 0xc6, 0x89, 0x52, 0xe1, 0xf2, 0xb6]
            : [0xb7, 0x12, 0x46, 0x9c, 0x94, 0x6d, 0xa1, 0x22]
        let limits =
            depositing
            ? (amounts.base + amounts.base / 50, amounts.quote + amounts.quote / 50)
            : (amounts.base - amounts.base / 50, amounts.quote - amounts.quote / 50)
        for value in [tokens, limits.0, limits.1] { data.appendLittleEndian(value) }
        draft.begin(SolanaAddress.pumpSwap, provideRoles(party, account), data)
        draft.log("Instruction: \(depositing ? "Deposit" : "Withdraw")")
        let user = SolanaTransactionDraft.Role.signer(party.wallet.key)
        let pool = SolanaTransactionDraft.Role.writable(address)
        if depositing {
            reserves.deposit(tokens)
            move(base: amounts.base, from: party.base, to: baseVault, owner: user, &draft)
            move(quote: amounts.quote, from: party.quote, to: quoteVault, owner: user, &draft)
            draft.mintTokens(
                tokens,
                mint: liquidityMint,
                to: account,
                authority: address,
                program: SolanaAddress.token2022
            )
        } else {
            reserves.withdraw(tokens)
            draft.burnTokens(
                tokens,
                mint: liquidityMint,
                from: account,
                authority: party.wallet.key,
                program: SolanaAddress.token2022
            )
            move(base: amounts.base, from: baseVault, to: party.base, owner: pool, &draft)
            move(quote: amounts.quote, from: quoteVault, to: party.quote, owner: pool, &draft)
        }
        var event: [UInt8] =
            depositing
            ? [0x78, 0xf8, 0x3d, 0x53, 0x1f, 0x8e, 0x6b, 0x90]
            : [0x16, 0x09, 0x85, 0x1a, 0xa0, 0x2c, 0x47, 0xc0]
        event.appendLittleEndian(context.timestamp)
        for value in [
            tokens, limits.0, limits.1, party.baseBalance, party.quoteBalance, before.base,
            before.quote, amounts.base, amounts.quote, before.liquidity,
        ] { event.appendLittleEndian(value) }
        for key in [address, party.wallet.key, party.base, party.quote, account] {
            event.append(key)
        }
        emit(event, &draft)
        draft.end(units: 71_000)
        draft.write(image(context))
    }

    func quote(_ entry: Entry) -> PumpSwapReserves.Quote {
        switch entry {
        case .buy(let base): reserves.quote(buying: base, rates)
        case .spend(let quote): reserves.quote(spending: quote, rates)
        case .sell(let base): reserves.quote(selling: base, rates)
        }
    }

    // MARK: Account

    /// The `Pool` account.
    func image(_ context: SolanaSlotContext) -> SolanaAccountImage {
        var data: [UInt8] = [0xf1, 0x9a, 0x6d, 0x04, 0x11, 0xb1, 0x6d, 0xbc]
        data.append(bump)
        data.appendLittleEndian(UInt16(0))
        for key in [
            creator, baseMint, quoted.mint, liquidityMint, baseVault, quoteVault,
        ] { data.append(key) }
        data.appendLittleEndian(reserves.liquidity)
        data.append(coinCreator?.key ?? .zero)  // no creator is the zero key on the wire
        // No mayhem, no cashback, no virtual reserves; zeros up to the buffer's end.
        data.padZeros(to: Self.accountBytes)
        return SolanaAccountImage(key: address, owner: SolanaAddress.pumpSwap, data: data)
    }

    // MARK: Parts

    private func emit(_ payload: [UInt8], _ draft: inout SolanaTransactionDraft) {
        draft.emit(
            payload,
            program: SolanaAddress.pumpSwap,
            authority: SolanaAddress.pumpSwapEvents
        )
    }

    private func move(
        base amount: UInt64,
        from: SolanaKey,
        to: SolanaKey,
        owner: SolanaTransactionDraft.Role,
        _ draft: inout SolanaTransactionDraft
    ) {
        draft.transferTokens(
            amount,
            mint: baseMint,
            decimals: 6,
            from: from,
            to: to,
            owner: owner,
            program: baseProgram
        )
    }

    private func move(
        quote amount: UInt64,
        from: SolanaKey,
        to: SolanaKey,
        owner: SolanaTransactionDraft.Role,
        _ draft: inout SolanaTransactionDraft
    ) {
        draft.transferTokens(
            amount,
            mint: quoted.mint,
            decimals: quoted.decimals,
            from: from,
            to: to,
            owner: owner
        )
    }

    private func openAccounts(
        _ liquidityAccount: SolanaKey,
        payer: SolanaKey,
        _ draft: inout SolanaTransactionDraft
    ) {
        draft.createAccount(
            address,
            payer: payer,
            lamports: SolanaLedger.rent(UInt64(Self.accountBytes)),
            bytes: UInt64(Self.accountBytes),
            owner: SolanaAddress.pumpSwap
        )
        draft.createAccount(
            liquidityMint,
            payer: payer,
            lamports: SolanaLedger.rent(82),
            bytes: 82,
            owner: SolanaAddress.token2022
        )
        let opened = SolanaLedger.Mint(
            decimals: 9,
            authority: address,
            program: SolanaAddress.token2022
        )
        draft.openMint(liquidityMint, opened)
        let base = SolanaLedger.TokenHolding(
            mint: baseMint,
            owner: address,
            decimals: 6,
            program: baseProgram
        )
        let quote = SolanaLedger.TokenHolding(
            mint: quoted.mint,
            owner: address,
            decimals: quoted.decimals
        )
        draft.createTokenAccount(baseVault, base, payer: payer)
        draft.createTokenAccount(quoteVault, quote, payer: payer)
        draft.createTokenAccount(
            liquidityAccount,
            liquidityHoldings.holding(owner: creator),
            payer: payer
        )
    }

    private func tradeCall(
        _ entry: Entry,
        _ quote: PumpSwapReserves.Quote,
        _ tolerance: UInt64
    ) -> [UInt8] {
        var data: [UInt8]
        switch entry {
        case .buy(let base):
            data = [0x66, 0x06, 0x3d, 0x12, 0x01, 0xda, 0xeb, 0xea]
            data.appendLittleEndian(base)
            data.appendLittleEndian(entry.limit(quote, tolerance))
            data.appendBorsh(true)
        case .spend(let budget):
            data = [0xc6, 0x2e, 0x15, 0x52, 0xb4, 0xd9, 0xe8, 0x70]
            data.appendLittleEndian(budget)
            data.appendLittleEndian(entry.limit(quote, tolerance))
            data.appendBorsh(true)
        case .sell(let base):
            data = [0x33, 0xe6, 0x85, 0xa4, 0x01, 0x7f, 0x83, 0xad]
            data.appendLittleEndian(base)
            data.appendLittleEndian(entry.limit(quote, tolerance))
        }
        return data
    }

    private func tradeRoles(
        _ entry: Entry,
        _ party: Party,
        _ recipient: (owner: SolanaKey, account: SolanaKey),
        _ context: SolanaSlotContext
    ) -> [SolanaTransactionDraft.Role] {
        let vault = coinCreator?.poolCreatorVault(quoted) ?? recipient.account
        let authority = coinCreator?.poolCreatorAuthority ?? recipient.owner
        var roles: [SolanaTransactionDraft.Role] = [
            .writable(address), .signer(party.wallet.key),
            .lookedUp(SolanaAddress.pumpSwapConfig), .readonly(baseMint),
            .lookedUp(quoted.mint), .writable(party.base),
            .writable(party.quote), .writable(baseVault), .writable(quoteVault),
            .readonly(recipient.owner), .writable(recipient.account),
            .lookedUp(baseProgram), .lookedUp(SolanaAddress.token),
            .lookedUp(SolanaAddress.system), .lookedUp(SolanaAddress.associatedToken),
            .lookedUp(SolanaAddress.pumpSwapEvents), .readonly(SolanaAddress.pumpSwap),
            .writable(vault), .readonly(authority),
        ]
        if entry.isBuy {
            roles += [
                .lookedUp(SolanaAddress.pumpSwapVolume), .writable(party.wallet.volume),
            ]
        }
        roles += [
            .lookedUp(SolanaAddress.pumpSwapFeeConfig), .lookedUp(SolanaAddress.pumpFees),
        ]
        if context.layout == .july2026 {
            roles += [
                .readonly(companion), .lookedUp(SolanaAddress.buybackRecipients[0]),
                .writable(recipient.account),
            ]
        }
        return roles
    }

    private func provideRoles(
        _ party: Party,
        _ account: SolanaKey
    ) -> [SolanaTransactionDraft.Role] {
        [
            .writable(address), .readonly(SolanaAddress.pumpSwapConfig),
            .signer(party.wallet.key), .readonly(baseMint), .readonly(quoted.mint),
            .writable(liquidityMint), .writable(party.base), .writable(party.quote),
            .writable(account), .writable(baseVault), .writable(quoteVault),
            .readonly(SolanaAddress.token), .readonly(SolanaAddress.token2022),
            .readonly(SolanaAddress.pumpSwapEvents), .readonly(SolanaAddress.pumpSwap),
        ]
    }
}

extension PumpSwapPool.Entry {
    var isBuy: Bool { if case .sell = self { false } else { true } }

    var title: String {
        switch self {
        case .buy: "Buy"
        case .spend: "BuyExactQuoteIn"
        case .sell: "Sell"
        }
    }

    /// The worst result that the user still takes, so many basis points off.
    func limit(_ quote: PumpSwapReserves.Quote, _ tolerance: UInt64) -> UInt64 {
        switch self {
        case .buy: quote.paid.worsened(upBy: tolerance)
        case .spend: quote.base.worsened(downBy: tolerance)
        case .sell: quote.received.worsened(downBy: tolerance)
        }
    }
}
