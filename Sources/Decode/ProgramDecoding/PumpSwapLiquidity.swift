import MarketModel
import RecordModel

/// What DepositEvent and WithdrawEvent of PumpSwap say; they have one layout.
struct PumpSwapLiquidity {
    private var isDeposit: Bool
    private var shares: UInt128
    private var sharesBefore: UInt128
    private var vaultBase: UInt128
    private var vaultQuote: UInt128
    private var base: UInt128
    private var quote: UInt128
    private var pool: Address
    private var user: Address
    private var userBaseAccount: Address
    private var userQuoteAccount: Address

    init(
        _ kind: PumpSwapEvent,
        _ fields: inout FieldReader,
        _ bytes: RawSpan
    ) throws(ParseFailure) {
        isDeposit = kind == .deposit
        try fields.skip(8)  // timestamp
        shares = try fields.amount(bytes)
        try fields.skip(32)  // limits, the user's balances
        vaultBase = try fields.amount(bytes)
        vaultQuote = try fields.amount(bytes)
        base = try fields.amount(bytes)
        quote = try fields.amount(bytes)
        sharesBefore = try fields.amount(bytes)
        pool = try fields.address(bytes)
        user = try fields.address(bytes)
        userBaseAccount = try fields.address(bytes)
        userQuoteAccount = try fields.address(bytes)
        try fields.skip(32)  // the user's account of shares
    }

    func change(
        _ call: PumpSwapCall,
        _ walk: ProgramWalk,
        _ transaction: SolanaTransaction,
        _ bytes: RawSpan
    ) throws(ParseFailure) -> LiquidityChange {
        let pair: MarketPair
        if let mints = try call.mints(of: pool, walk, transaction, bytes) {
            pair = MarketPair(mints.base, mints.quote)
        } else {
            pair = try MarketPair(
                userBaseAccount: userBaseAccount,
                userQuoteAccount: userQuoteAccount,
                transaction,
                bytes
            )
        }
        let amounts = pair.reserves(base, quote)
        var change = LiquidityChange(
            venue: .pumpSwap,
            pool: pool,
            token: pair.token,
            quote: pair.quote,
            direction: isDeposit ? .add : .remove,
            owner: user,
            tokenAmount: amounts.token,
            quoteAmount: amounts.quote,
            shares: shares
        )
        change.sharesBefore = sharesBefore
        // Pools with virtual quote take no deposits, so the vaults are the reserves.
        change.before = pair.reserves(vaultBase, vaultQuote)
        if isDeposit {
            change.after = pair.reserves(vaultBase + base, vaultQuote + quote)
        } else if vaultBase >= base, vaultQuote >= quote {
            change.after = pair.reserves(vaultBase - base, vaultQuote - quote)
        }
        return change
    }
}
