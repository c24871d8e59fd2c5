/// What every transaction of one slot knows about its surroundings.
struct SolanaSlotContext {
    var slot: UInt64
    /// The block's time in seconds since 1970.
    var timestamp: Int64
    var layout: SynthesisOptions.EventLayout
}

/// A trader with a SOL account, a token account for each quote and its derived accounts.
struct SolanaWallet {
    let key: SolanaKey
    let volume: SolanaKey
    /// For USDC, as all accounts that do not say so.
    let volumeAccount: SolanaKey
    /// Where creator fees of the bonding curve wait: SOL there, USDC in an account that it owns.
    let creatorVault: SolanaKey
    let creatorAccount: SolanaKey
    /// Where creator fees of pools wait, and its owner.
    let poolCreatorAuthority: SolanaKey
    private let wrapped: SolanaKey
    private let usdc: SolanaKey
    private let poolCreatorWrapped: SolanaKey
    private let poolCreatorUSDC: SolanaKey

    /// A known key, or a random one.
    init(_ random: inout MarketRandom, key known: SolanaKey? = nil) {
        key = known ?? SolanaKey(&random)
        volume = SolanaKey(&random)
        volumeAccount = SolanaKey(&random)
        creatorVault = SolanaKey(&random)
        creatorAccount = SolanaKey(&random)
        poolCreatorAuthority = SolanaKey(&random)
        wrapped = SolanaKey(&random)
        usdc = SolanaKey(&random)
        poolCreatorWrapped = SolanaKey(&random)
        poolCreatorUSDC = SolanaKey(&random)
    }

    /// The wallet's own account of a quote; of SOL the wrapped one.
    func account(_ quote: SolanaQuote) -> SolanaKey { quote == .native ? wrapped : usdc }

    /// Where fees of pools wait for it as a coin's creator.
    func poolCreatorVault(_ quote: SolanaQuote) -> SolanaKey {
        quote == .native ? poolCreatorWrapped : poolCreatorUSDC
    }
}

/// Token accounts of the wallets for one mint, opened when first used.
struct SolanaHoldings {
    let mint: SolanaKey
    let decimals: UInt8
    let program: SolanaKey
    private var accounts: [SolanaKey?]

    init(mint: SolanaKey, decimals: UInt8, program: SolanaKey = SolanaAddress.token, wallets: Int) {
        self.mint = mint
        self.decimals = decimals
        self.program = program
        accounts = Array(repeating: nil, count: wallets)
    }

    /// The account of a wallet, or nil if it never held the token.
    func account(of wallet: Int) -> SolanaKey? { accounts[wallet] }

    var all: [SolanaKey] { accounts.compactMap(\.self) }

    func balance(of wallet: Int, in ledger: SolanaLedger) -> UInt64 {
        guard let key = accounts[wallet] else { return 0 }
        return ledger[key].token?.amount ?? 0  // no token part: the account is not open yet
    }

    func holding(owner: SolanaKey, amount: UInt64 = 0) -> SolanaLedger.TokenHolding {
        SolanaLedger.TokenHolding(
            mint: mint,
            owner: owner,
            decimals: decimals,
            amount: amount,
            program: program
        )
    }

    /// Makes room for more wallets.
    mutating func extend(to wallets: Int) {
        accounts += Array(repeating: nil, count: max(0, wallets - accounts.count))
    }

    /// Gives a wallet an account; the caller opens it on the chain.
    mutating func assign(_ key: SolanaKey, to wallet: Int) { accounts[wallet] = key }

    /// The wallet's account, created by an instruction of the draft when it is not there yet.
    mutating func prepare(
        _ wallet: Int,
        owner: SolanaKey,
        draft: inout SolanaTransactionDraft,
        random: inout MarketRandom
    ) -> SolanaKey {
        if let key = accounts[wallet] { return key }
        let key = SolanaKey(&random)
        accounts[wallet] = key
        draft.createTokenAccount(key, holding(owner: owner), payer: owner)
        return key
    }
}

extension UInt64 {
    /// More by so many basis points.
    func worsened(upBy tolerance: UInt64) -> UInt64 {
        self + SolanaMath.multiply(self, tolerance, dividedBy: 10_000)
    }

    /// Less by so many basis points, at most all.
    func worsened(downBy tolerance: UInt64) -> UInt64 {
        self - SolanaMath.multiply(self, Swift.min(tolerance, 10_000), dividedBy: 10_000)
    }
}

/// Integer arithmetic of the venues.
enum SolanaMath {
    /// `a * b / c`, rounded down; the product has 128 bits.
    static func multiply(_ a: UInt64, _ b: UInt64, dividedBy c: UInt64) -> UInt64 {
        let product = UInt128(a) * UInt128(b)
        return UInt64(product / UInt128(c))
    }

    /// `a * b / c`, rounded up.
    static func multiply(_ a: UInt64, _ b: UInt64, dividedUpBy c: UInt64) -> UInt64 {
        let product = UInt128(a) * UInt128(b)
        return UInt64((product + UInt128(c) - 1) / UInt128(c))
    }

    /// A fee in basis points of an amount, rounded up.
    static func fee(_ amount: UInt64, basisPoints: UInt64) -> UInt64 {
        multiply(amount, basisPoints, dividedUpBy: 10_000)
    }

    /// The largest number whose square is at most the value (Newton's method from above).
    static func squareRoot(_ value: UInt128) -> UInt128 {
        guard value > 1 else { return value }
        var guess = UInt128(1) << ((128 - value.leadingZeroBitCount + 1) / 2)
        while true {
            let next = (guess + value / guess) / 2
            if next >= guess { return guess }
            guess = next
        }
    }
}
