/// Lamports and token balances of every account that the synthetic market touches.
///
/// Accounts are looked up by key and never listed, so hash order cannot reach the output.
struct SolanaLedger {
    struct TokenHolding: Equatable {
        var mint: SolanaKey
        var owner: SolanaKey
        var decimals: UInt8
        var amount: UInt64 = 0
        var program = SolanaAddress.token
    }

    /// What a mint's account says.
    struct Mint: Equatable {
        var supply: UInt64 = 0
        var decimals: UInt8
        /// Who may mint; nil for nobody.
        var authority: SolanaKey?
        var program: SolanaKey
        /// What a mint of Token-2022 appends.
        var extensions: [UInt8] = []
    }

    struct Account: Equatable {
        var lamports: UInt64 = 0
        var token: TokenHolding?
        var mint: Mint?
    }

    /// One change of balances. Every move keeps the sum of lamports.
    enum Move {
        case lamports(from: SolanaKey, to: SolanaKey, amount: UInt64)
        case tokens(from: SolanaKey, to: SolanaKey, amount: UInt64)
        case openToken(SolanaKey, TokenHolding)
        case openMint(SolanaKey, Mint)
        /// Nobody may mint any more.
        case closeMint(SolanaKey)
        case mint(to: SolanaKey, amount: UInt64)
        case burn(from: SolanaKey, amount: UInt64)
    }

    private var accounts: [SolanaKey: Account] = [:]

    subscript(key: SolanaKey) -> Account { accounts[key] ?? Account() }

    /// Lamports that keep an account of so many bytes alive.
    static func rent(_ bytes: UInt64) -> UInt64 { (128 + bytes) * 6_960 }

    /// Rent of an SPL token account.
    static let tokenRent = rent(165)

    /// Bytes of a token account: the associated ones of Token-2022 also say that their owner stays.
    static func tokenBytes(_ program: SolanaKey) -> UInt64 {
        program == SolanaAddress.token2022 ? 170 : 165
    }

    /// Puts lamports into an account from nowhere: the state before the run.
    mutating func endow(_ key: SolanaKey, lamports: UInt64) {
        accounts[key, default: Account()].lamports += lamports
    }

    /// Creates a token account with a balance from nowhere: the state before the run.
    mutating func endow(_ key: SolanaKey, token: TokenHolding) {
        var account = Account(lamports: Self.tokenRent, token: token)
        if token.mint == SolanaAddress.wrappedSOL { account.lamports += token.amount }
        accounts[key] = account
    }

    mutating func forget(_ key: SolanaKey) { accounts[key] = nil }

    mutating func pay(fee: UInt64, from payer: SolanaKey) {
        var account = self[payer]
        precondition(account.lamports >= fee, "\(payer.base58) cannot pay its fee")
        account.lamports -= fee
        accounts[payer] = account
    }

    mutating func apply(_ move: Move) {
        switch move {
        case .lamports(let from, let to, let amount):
            moveLamports(amount, from: from, to: to)
        case .tokens(let from, let to, let amount):
            changeTokens(from, by: amount, adding: false)
            changeTokens(to, by: amount, adding: true)
            if accounts[from]?.token?.mint == SolanaAddress.wrappedSOL {
                moveLamports(amount, from: from, to: to)
            }
        case .openToken(let key, let holding):
            accounts[key, default: Account()].token = holding
        case .openMint(let key, let mint):
            accounts[key, default: Account()].mint = mint
        case .closeMint(let key): accounts[key]?.mint?.authority = nil
        case .mint(let to, let amount):
            changeTokens(to, by: amount, adding: true)
            // Mints that were there before the run are not kept, that of wrapped SOL has no supply.
            if let mint = accounts[to]?.token?.mint { accounts[mint]?.mint?.supply += amount }
        case .burn(let from, let amount):
            changeTokens(from, by: amount, adding: false)
            if let mint = accounts[from]?.token?.mint { accounts[mint]?.mint?.supply -= amount }
        }
    }

    private mutating func moveLamports(_ amount: UInt64, from: SolanaKey, to: SolanaKey) {
        let balance = self[from].lamports
        precondition(balance >= amount, "\(from.base58) holds \(balance), not \(amount) lamports")
        accounts[from, default: Account()].lamports -= amount
        accounts[to, default: Account()].lamports += amount
    }

    private mutating func changeTokens(_ key: SolanaKey, by amount: UInt64, adding: Bool) {
        guard var holding = accounts[key]?.token else {
            preconditionFailure("\(key.base58) is not a token account")
        }
        precondition(adding || holding.amount >= amount, "\(key.base58) lacks tokens")
        holding.amount = adding ? holding.amount + amount : holding.amount - amount
        accounts[key]?.token = holding
    }
}
