import MarketModel
import RecordModel

/// One coin of pump.fun while it trades on its bonding curve: the instructions, calls, events and
/// account states of its transactions.
struct BondingCurveMarket {
    enum Entry {
        /// `buy`: exactly so many tokens.
        case buy(tokens: UInt64)
        /// `buy_exact_sol_in`: a budget of lamports.
        case spend(lamports: UInt64)
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
    let address: SolanaKey
    let vault: SolanaKey
    let metadata: SolanaKey
    /// The `bonding-curve-v2` account.
    let companion: SolanaKey
    let name: String
    let symbol: String
    let uri: String
    /// Index of the creator's wallet.
    let creator: Int
    private(set) var curve = BondingCurve()
    private(set) var isComplete = false
    var holdings: SolanaHoldings

    init(number: UInt64, creator: Int, wallets: Int, random: inout MarketRandom) {
        mint = SolanaKey(&random)
        address = SolanaKey(&random)
        vault = SolanaKey(&random)
        metadata = SolanaKey(&random)
        companion = SolanaKey(&random)
        let first = ["Quiet", "Amber", "Tidal", "Paper", "Lucky", "Velvet", "Copper", "Moon"]
        let second = ["Otter", "Kite", "Lantern", "Badger", "Comet", "Teapot", "Falcon", "Reel"]
        let pair = (random.index(below: first.count), random.index(below: second.count))
        name = "\(first[pair.0]) \(second[pair.1]) \(number)"
        symbol = "\(first[pair.0].prefix(2))\(second[pair.1].prefix(2))".uppercased()
        uri = "https://ipfs.io/ipfs/\(Base58.encode([0x12, 0x20] + random.bytes(32)))"
        self.creator = creator
        holdings = SolanaHoldings(mint: mint, decimals: 6, wallets: wallets)
    }

    // MARK: Transactions

    /// `create`: mint, metadata, curve and vault come into being and the supply is minted.
    mutating func create(
        _ wallet: SolanaWallet,
        _ context: SolanaSlotContext,
        draft: inout SolanaTransactionDraft
    ) {
        var data: [UInt8] = [0x18, 0x1e, 0xc8, 0x28, 0x05, 0x1c, 0x07, 0x77]
        for text in [name, symbol, uri] { data.appendBorsh(text) }
        data.append(wallet.key)
        let roles: [SolanaTransactionDraft.Role] = [
            .signer(mint), .readonly(SolanaAddress.pumpMintAuthority), .writable(address),
            .writable(vault), .readonly(SolanaAddress.pumpGlobal),
            .readonly(SolanaAddress.metadata), .writable(metadata), .signer(wallet.key),
            .readonly(SolanaAddress.system), .readonly(SolanaAddress.token),
            .readonly(SolanaAddress.associatedToken), .readonly(SolanaAddress.rent),
            .readonly(SolanaAddress.pumpEvents), .readonly(SolanaAddress.pump),
        ]
        draft.begin(SolanaAddress.pump, roles, data)
        draft.log("Instruction: Create")
        draft.createAccount(
            mint,
            payer: wallet.key,
            lamports: SolanaLedger.rent(82),
            bytes: 82,
            owner: SolanaAddress.token
        )
        draft.createAccount(
            address,
            payer: wallet.key,
            lamports: SolanaLedger.rent(UInt64(Self.accountBytes)),
            bytes: UInt64(Self.accountBytes),
            owner: SolanaAddress.pump
        )
        draft.createTokenAccount(vault, holdings.holding(owner: address), payer: wallet.key)
        writeMetadata(wallet, draft: &draft)
        draft.mintTokens(
            BondingCurve.supply,
            mint: mint,
            to: vault,
            authority: SolanaAddress.pumpMintAuthority
        )
        emit(createEvent(wallet, context), &draft)
        draft.end(units: 95_000)
        draft.write(image(wallet, context))
    }

    /// A trade with all its fees; a buy that takes the last tokens completes the curve. A tolerance is
    /// how much worse, in basis points, it might have become.
    @discardableResult
    mutating func trade(
        _ entry: Entry,
        tolerance: UInt64? = nil,
        wallet: Int,
        wallets: [SolanaWallet],
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
            recipient: SolanaAddress.feeRecipients[
                random.index(below: SolanaAddress.feeRecipients.count)
            ],
            buyback: SolanaAddress.buybackRecipients[
                random.index(below: SolanaAddress.buybackRecipients.count)
            ]
        )
        begin(parts, context, slack: 1 + quote.lamports / 20, tolerance: tolerance, &draft)
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
        draft.write(image(wallets[creator], context))
        return quote
    }

    /// A trade that the program refuses; nothing moves but the fee.
    func refuse(
        _ failure: Failure,
        wallet: SolanaWallet,
        creator: SolanaWallet,
        account: SolanaKey,
        amount: UInt64,
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
            recipient: SolanaAddress.feeRecipients[0],
            buyback: SolanaAddress.buybackRecipients[0]
        )
        begin(parts, context, slack: 0, &draft)
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

    /// Empties the curve for its migration: tokens and lamports go to the accounts of the pool's
    /// authority, the migration fee to its keeper; what is left of the account is rent.
    func drain(
        tokensTo account: SolanaKey,
        lamportsTo wrapped: SolanaKey,
        feeTo keeper: SolanaKey,
        draft: inout SolanaTransactionDraft
    ) -> (tokens: UInt64, lamports: UInt64) {
        precondition(isComplete, "only a complete curve migrates")
        let tokens = BondingCurve.supply - BondingCurve().realTokens
        let lamports = curve.realLamports - BondingCurve.migrationFee
        draft.assignLamports(BondingCurve.migrationFee, from: address, to: keeper)
        draft.assignLamports(lamports, from: address, to: wrapped)
        draft.synchronizeNative(wrapped, amount: lamports)
        draft.transferTokens(
            tokens,
            mint: mint,
            decimals: 6,
            from: vault,
            to: account,
            owner: .writable(address)
        )
        return (tokens, lamports)
    }

    func quote(_ entry: Entry) -> BondingCurve.Quote {
        switch entry {
        case .buy(let tokens): curve.quote(buying: tokens)
        case .spend(let lamports): curve.quote(spending: lamports)
        case .sell(let tokens): curve.quote(selling: tokens)
        }
    }

    func emit(_ payload: [UInt8], _ draft: inout SolanaTransactionDraft) {
        draft.emit(payload, program: SolanaAddress.pump, authority: SolanaAddress.pumpEvents)
    }

    // MARK: Account

    /// The `BondingCurve` account.
    func image(_ creator: SolanaWallet, _ context: SolanaSlotContext) -> SolanaAccountImage {
        var data: [UInt8] = [0x17, 0xb7, 0xf8, 0x37, 0x60, 0xd8, 0xac, 0x60]
        for value in [
            curve.virtualTokens, curve.virtualLamports, curve.realTokens, curve.realLamports,
            BondingCurve.supply,
        ] { data.appendLittleEndian(value) }
        data.appendBorsh(isComplete)
        data.append(creator.key)
        // Mayhem, cashback and (zero for SOL) the quote mint; zeros up to the buffer's end.
        data.padZeros(to: Self.accountBytes)
        return SolanaAccountImage(key: address, owner: SolanaAddress.pump, data: data)
    }

    // MARK: Parts

    private struct TradeParts {
        var entry: Entry
        var quote: BondingCurve.Quote
        var user: SolanaWallet
        var account: SolanaKey
        var creator: SolanaWallet
        var recipient: SolanaKey
        var buyback: SolanaKey

        var isBuy: Bool { if case .sell = entry { false } else { true } }

        var instruction: String {
            switch entry {
            case .buy: "buy"
            case .spend: "buy_exact_sol_in"
            case .sell: "sell"
            }
        }

        var title: String {
            switch entry {
            case .buy: "Buy"
            case .spend: "BuyExactSolIn"
            case .sell: "Sell"
            }
        }

        /// The worst result that a trader with a tolerance in basis points still takes.
        func limit(_ tolerance: UInt64) -> UInt64 {
            switch entry {
            case .buy: (quote.lamports + quote.fees).worsened(upBy: tolerance)
            case .spend: quote.tokens.worsened(downBy: tolerance)
            case .sell: (quote.lamports - quote.fees).worsened(downBy: tolerance)
            }
        }

        /// Half of the protocol fee buys tokens back; it is part of that fee.
        func buybackFee(_ layout: SynthesisOptions.EventLayout) -> UInt64 {
            layout == .july2026 ? quote.protocolFee / 2 : 0
        }
    }

    private func begin(
        _ parts: TradeParts,
        _ context: SolanaSlotContext,
        slack: UInt64,
        tolerance: UInt64? = nil,
        _ draft: inout SolanaTransactionDraft
    ) {
        var data: [UInt8]
        let quote = parts.quote
        // Of what the trader pays or gets.
        let limit = tolerance.map { parts.limit($0) }
        switch parts.entry {
        case .buy(let tokens):
            data = [0x66, 0x06, 0x3d, 0x12, 0x01, 0xda, 0xeb, 0xea]
            data.appendLittleEndian(min(tokens, quote.tokens))
            data.appendLittleEndian(
                limit
                    ?? (slack == 0 ? quote.lamports / 2 : quote.lamports + quote.fees + slack)
            )
            data.appendBorsh(true)
        case .spend(let lamports):
            data = [0x38, 0xfc, 0x74, 0x08, 0x9e, 0xdf, 0xcd, 0x5f]
            data.appendLittleEndian(lamports)
            data.appendLittleEndian(limit ?? quote.tokens - quote.tokens / 20)
            data.appendBorsh(true)
        case .sell(let tokens):
            data = [0x33, 0xe6, 0x85, 0xa4, 0x01, 0x7f, 0x83, 0xad]
            data.appendLittleEndian(tokens)
            data.appendLittleEndian(
                limit
                    ?? (slack == 0 ? quote.lamports * 2 : quote.lamports - quote.lamports / 20)
            )
        }
        draft.begin(SolanaAddress.pump, roles(parts, context), data)
        draft.log("Instruction: \(parts.title)")
        readFees(&draft)
    }

    private func roles(
        _ parts: TradeParts,
        _ context: SolanaSlotContext
    ) -> [SolanaTransactionDraft.Role] {
        var roles: [SolanaTransactionDraft.Role] = [
            .readonly(SolanaAddress.pumpGlobal), .writable(parts.recipient), .readonly(mint),
            .writable(address), .writable(vault), .writable(parts.account),
            .signer(parts.user.key), .readonly(SolanaAddress.system),
        ]
        let creatorVault = SolanaTransactionDraft.Role.writable(parts.creator.creatorVault)
        let token = SolanaTransactionDraft.Role.readonly(SolanaAddress.token)
        roles += parts.isBuy ? [token, creatorVault] : [creatorVault, token]
        roles += [.readonly(SolanaAddress.pumpEvents), .readonly(SolanaAddress.pump)]
        if parts.isBuy {
            roles += [.readonly(SolanaAddress.pumpVolume), .writable(parts.user.volume)]
        }
        roles += [.readonly(SolanaAddress.pumpFeeConfig), .readonly(SolanaAddress.pumpFees)]
        if context.layout == .july2026 {
            roles += [.readonly(companion), .writable(parts.buyback)]
        }
        return roles
    }

    /// The fee program answers with three rates: LP, protocol, creator.
    private func readFees(_ draft: inout SolanaTransactionDraft) {
        var request: [UInt8] = [0xe7, 0x25, 0x7e, 0x55, 0xcf, 0x5b, 0x3f, 0x34, 0]
        request.appendLittleEndian(
            UInt128(curve.virtualLamports) * UInt128(BondingCurve.supply)
                / UInt128(curve.virtualTokens)
        )
        request.appendLittleEndian(UInt64(0))
        draft.begin(SolanaAddress.pumpFees, [.readonly(SolanaAddress.pumpFeeConfig)], request)
        draft.log("Instruction: GetFees")
        var answer: [UInt8] = []
        for points in [0, BondingCurve.protocolBasisPoints, BondingCurve.creatorBasisPoints] {
            answer.appendLittleEndian(points)
        }
        draft.log(returned: answer)
        draft.end(units: 3_136)
    }

    private func moveBuy(
        _ parts: TradeParts,
        _ context: SolanaSlotContext,
        _ draft: inout SolanaTransactionDraft
    ) {
        let quote = parts.quote
        let buyback = parts.buybackFee(context.layout)
        draft.transferTokens(
            quote.tokens,
            mint: mint,
            decimals: 6,
            from: vault,
            to: parts.account,
            owner: .writable(address)
        )
        let user = parts.user.key
        draft.transferLamports(quote.lamports, from: user, to: address)
        draft.transferLamports(quote.protocolFee - buyback, from: user, to: parts.recipient)
        draft.transferLamports(buyback, from: user, to: parts.buyback)
        draft.transferLamports(quote.creatorFee, from: user, to: parts.creator.creatorVault)
    }

    private func moveSell(
        _ parts: TradeParts,
        _ context: SolanaSlotContext,
        _ draft: inout SolanaTransactionDraft
    ) {
        let quote = parts.quote
        let buyback = parts.buybackFee(context.layout)
        draft.transferTokens(
            quote.tokens,
            mint: mint,
            decimals: 6,
            from: parts.account,
            to: vault,
            owner: .signer(parts.user.key)
        )
        // The program owns the curve's lamports and moves them without a call.
        draft.assignLamports(quote.lamports - quote.fees, from: address, to: parts.user.key)
        draft.assignLamports(quote.protocolFee - buyback, from: address, to: parts.recipient)
        draft.assignLamports(buyback, from: address, to: parts.buyback)
        draft.assignLamports(quote.creatorFee, from: address, to: parts.creator.creatorVault)
    }

    private func writeMetadata(
        _ wallet: SolanaWallet,
        draft: inout SolanaTransactionDraft
    ) {
        var data: [UInt8] = [33]
        for text in [name, symbol, uri] { data.appendBorsh(text) }
        data.appendLittleEndian(UInt16(0))
        data += [0, 0, 0, 0, 0]
        let roles: [SolanaTransactionDraft.Role] = [
            .writable(metadata), .readonly(mint), .readonly(SolanaAddress.pumpMintAuthority),
            .signer(wallet.key), .readonly(SolanaAddress.pumpMintAuthority),
            .readonly(SolanaAddress.system),
        ]
        draft.begin(SolanaAddress.metadata, roles, data)
        draft.log("IX: Create Metadata Accounts v3")
        draft.createAccount(
            metadata,
            payer: wallet.key,
            lamports: SolanaLedger.rent(607),
            bytes: 607,
            owner: SolanaAddress.metadata
        )
        draft.end(units: 38_000)
    }

    /// `TradeEvent`, with the reserves as they are after the trade.
    private func tradeEvent(_ parts: TradeParts, _ context: SolanaSlotContext) -> [UInt8] {
        let quote = parts.quote
        var event: [UInt8] = [0xbd, 0xdb, 0x7f, 0xd3, 0x4e, 0xe6, 0x61, 0xee]
        event.append(mint)
        event.appendLittleEndian(quote.lamports)
        event.appendLittleEndian(quote.tokens)
        event.appendBorsh(parts.isBuy)
        event.append(parts.user.key)
        event.appendLittleEndian(context.timestamp)
        for value in [
            curve.virtualLamports, curve.virtualTokens, curve.realLamports, curve.realTokens,
        ] { event.appendLittleEndian(value) }
        event.append(parts.recipient)
        event.appendLittleEndian(BondingCurve.protocolBasisPoints)
        event.appendLittleEndian(quote.protocolFee)
        event.append(parts.creator.key)
        event.appendLittleEndian(BondingCurve.creatorBasisPoints)
        event.appendLittleEndian(quote.creatorFee)
        event.appendBorsh(parts.isBuy)  // track volume
        for _ in 0..<3 { event.appendLittleEndian(UInt64(0)) }
        event.appendLittleEndian(parts.isBuy ? context.timestamp : 0)
        event.appendBorsh(parts.instruction)
        guard context.layout == .july2026 else { return event }
        event.appendBorsh(false)  // mayhem
        event.appendLittleEndian(UInt64(0))  // cashback rate
        event.appendLittleEndian(UInt64(0))  // cashback
        event.appendLittleEndian(UInt64(5_000))  // buyback share of the protocol fee
        event.appendLittleEndian(parts.buybackFee(context.layout))
        event.appendLittleEndian(UInt32(0))  // shareholders
        event.append(SolanaKey.zero)  // quote mint: native SOL
        for value in [quote.lamports, curve.virtualLamports, curve.realLamports] {
            event.appendLittleEndian(value)
        }
        return event
    }
}
