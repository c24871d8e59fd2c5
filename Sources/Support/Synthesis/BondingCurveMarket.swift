import MarketModel
import RecordModel

/// One coin of pump.fun while it trades on its bonding curve: the instructions, calls, events and
/// account states of its transactions.
struct BondingCurveMarket {
    enum Entry {
        /// `buy`: exactly so many tokens.
        case buy(tokens: UInt64)
        /// `buy_exact_sol_in`, or in another quote `buy_exact_quote_in`: a budget.
        case spend(budget: UInt64)
        case sell(tokens: UInt64)
    }

    enum Failure {
        /// The price moved beyond the buyer's limit (error 6002).
        case tooMuchSolRequired
        /// The price moved beyond the seller's limit (error 6003).
        case tooLittleSolReceived
    }

    /// The curve's account has been extended to so many bytes.
    static let accountBytes = 151

    let mint: SolanaKey
    let quote: SolanaQuote
    let address: SolanaKey
    let vault: SolanaKey
    /// Where the quote waits, unless it is SOL: that lies in the curve's own account.
    let quoteVault: SolanaKey
    let metadata: SolanaKey
    /// The `bonding-curve-v2` account.
    let companion: SolanaKey
    let name: String
    let symbol: String
    let uri: String
    /// Index of the creator's wallet.
    let creator: Int
    private(set) var curve: BondingCurve
    private(set) var isComplete = false
    var holdings: SolanaHoldings

    init(
        number: UInt64,
        quote: SolanaQuote,
        creator: Int,
        wallets: Int,
        random: inout MarketRandom
    ) {
        self.quote = quote
        curve = BondingCurve(quote)
        mint = SolanaKey(&random)
        address = SolanaKey(&random)
        vault = SolanaKey(&random)
        quoteVault = SolanaKey(&random)
        metadata = SolanaKey(&random)
        companion = SolanaKey(&random)
        let first = ["Quiet", "Amber", "Tidal", "Paper", "Lucky", "Velvet", "Copper", "Moon"]
        let second = ["Otter", "Kite", "Lantern", "Badger", "Comet", "Teapot", "Falcon", "Reel"]
        let pair = (random.index(below: first.count), random.index(below: second.count))
        name = "\(first[pair.0]) \(second[pair.1]) \(number)"
        symbol = "\(first[pair.0].prefix(2))\(second[pair.1].prefix(2))".uppercased()
        uri = "https://ipfs.io/ipfs/\(Base58.encode([0x12, 0x20] + random.bytes(32)))"
        self.creator = creator
        holdings = SolanaHoldings(
            mint: mint,
            decimals: 6,
            program: quote == .native ? SolanaAddress.token : SolanaAddress.token2022,
            wallets: wallets
        )
    }

    // MARK: Transactions

    /// A trade with all its fees; a buy that takes the last tokens completes the curve. A tolerance is
    /// how much worse, in basis points, it might have become.
    @discardableResult
    mutating func trade(
        _ entry: Entry,
        tolerance: UInt64? = nil,
        wallet: Int,
        wallets: [SolanaWallet],
        fees: SolanaFeeAccounts,
        _ context: SolanaSlotContext,
        draft: inout SolanaTransactionDraft,
        random: inout MarketRandom
    ) -> BondingCurve.Quote {
        let user = wallets[wallet]
        let account = holdings.prepare(wallet, owner: user.key, draft: &draft, random: &random)
        let quote = quote(entry)
        let parts = TradeParts(
            entry: entry,
            quote: quote,
            user: user,
            account: account,
            creator: wallets[creator],
            recipient: fees.recipients[random.index(below: fees.recipients.count)],
            buyback: fees.buybacks[random.index(below: fees.buybacks.count)]
        )
        begin(parts, context, slack: 1 + quote.amount / 20, tolerance: tolerance, &draft)
        if parts.isBuy {
            curve.buy(quote)
            moveBuy(parts, context, &draft)
        } else {
            curve.sell(quote)
            moveSell(parts, context, &draft)
        }
        emit(tradeEvent(parts, context), &draft)
        if curve.isComplete && !isComplete {
            isComplete = true
            emit(completeEvent(user, context), &draft)
        }
        draft.end(units: parts.isBuy ? 61_400 : 52_300)
        draft.write(image(wallets[creator]))
        return quote
    }

    /// A trade that the program refuses; nothing moves but the fee.
    func refuse(
        _ failure: Failure,
        wallet: SolanaWallet,
        creator: SolanaWallet,
        account: SolanaKey,
        amount: UInt64,
        fees: SolanaFeeAccounts,
        _ context: SolanaSlotContext,
        draft: inout SolanaTransactionDraft
    ) {
        let isBuy = failure == .tooMuchSolRequired
        let quote = isBuy ? curve.quote(buying: amount) : curve.quote(selling: amount)
        let parts = TradeParts(
            entry: isBuy ? .buy(tokens: amount) : .sell(tokens: amount),
            quote: quote,
            user: wallet,
            account: account,
            creator: creator,
            recipient: fees.recipients[0],
            buyback: fees.buybacks[0]
        )
        begin(parts, context, slack: 0, tolerance: nil, &draft)
        let name = isBuy ? "TooMuchSolRequired" : "TooLittleSolReceived"
        let code: UInt32 = isBuy ? 6_002 : 6_003
        let text =
            isBuy
            ? "slippage: Too much SOL required to buy the given amount of tokens."
            : "slippage: Too little SOL received to sell the given amount of tokens."
        draft.log(
            "AnchorError occurred. Error Code: \(name). Error Number: \(code). Error Message: \(text)."
        )
        draft.fail(code: code, units: 21_700)
    }

    /// Empties the curve for its migration: what it holds goes to the accounts of the pool's
    /// authority, the migration fee to its keeper; what is left of the account is rent.
    func drain(
        tokensTo account: SolanaKey,
        quoteTo quoteAccount: SolanaKey,
        feeTo keeper: SolanaKey,
        draft: inout SolanaTransactionDraft
    ) -> (tokens: UInt64, quote: UInt64) {
        precondition(isComplete, "only a complete curve migrates")
        let tokens = BondingCurve.supply - BondingCurve.tokensForSale
        let amount = curve.realQuote - curve.migrationFee
        switch quote {
        case .native:
            draft.assignLamports(curve.migrationFee, from: address, to: keeper)
            draft.assignLamports(amount, from: address, to: quoteAccount)
            draft.synchronizeNative(quoteAccount, amount: amount)
        case .usdc:
            move(
                quote: amount,
                from: quoteVault,
                to: quoteAccount,
                owner: .writable(address),
                &draft
            )
        }
        move(tokens: tokens, from: vault, to: account, owner: .writable(address), &draft)
        return (tokens, amount)
    }

    func quote(_ entry: Entry) -> BondingCurve.Quote {
        switch entry {
        case .buy(let tokens): curve.quote(buying: tokens)
        case .spend(let budget): curve.quote(spending: budget)
        case .sell(let tokens): curve.quote(selling: tokens)
        }
    }

    func emit(_ payload: [UInt8], _ draft: inout SolanaTransactionDraft) {
        draft.emit(payload, program: SolanaAddress.pump, authority: SolanaAddress.pumpEvents)
    }

    // MARK: Account

    /// The `BondingCurve` account.
    func image(_ creator: SolanaWallet) -> SolanaAccountImage {
        var data: [UInt8] = [0x17, 0xb7, 0xf8, 0x37, 0x60, 0xd8, 0xac, 0x60]
        for value in [
            curve.virtualTokens, curve.virtualQuote, curve.realTokens, curve.realQuote,
            BondingCurve.supply,
        ] { data.appendLittleEndian(value) }
        data.appendBorsh(isComplete)
        data.append(creator.key)
        // Neither mayhem nor cashback, then the quote mint; zeros up to the buffer's end.
        data += [0, 0]
        data.append(quote.mintOnCurve)
        data.padZeros(to: Self.accountBytes)
        return SolanaAccountImage(key: address, owner: SolanaAddress.pump, data: data)
    }
}
