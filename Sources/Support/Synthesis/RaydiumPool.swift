import RecordModel

/// One Raydium AMM v4 pool: swaps by `SwapBaseIn` with their `ray_log`, and the pool's account.
struct RaydiumPool {
    static let accountBytes = 752

    let address: SolanaKey
    let coinMint: SolanaKey
    let pcMint: SolanaKey
    let coinDecimals: UInt8
    let pcDecimals: UInt8
    let coinVault: SolanaKey
    let pcVault: SolanaKey
    /// Open orders, target orders, market program, market, bids, asks, queue, its vaults, signer.
    private let marketAccounts: [SolanaKey]
    private let liquidityMint: SolanaKey
    let lookupTable: SolanaKey
    private(set) var coin: UInt64
    private(set) var pc: UInt64
    /// Shares of those who brought the reserves: a swap gives and takes none.
    let shares: UInt64
    private var coinIn: UInt128 = 0
    private var pcOut: UInt128 = 0
    private var pcIn: UInt128 = 0
    private var coinOut: UInt128 = 0
    private var openedAt: UInt64

    init(
        coinMint: SolanaKey,
        coinDecimals: UInt8,
        coin: UInt64,
        pcMint: SolanaKey,
        pcDecimals: UInt8,
        pc: UInt64,
        openedAt: UInt64,
        random: inout MarketRandom
    ) {
        address = SolanaKey(&random)
        self.coinMint = coinMint
        self.pcMint = pcMint
        self.coinDecimals = coinDecimals
        self.pcDecimals = pcDecimals
        coinVault = SolanaKey(&random)
        pcVault = SolanaKey(&random)
        marketAccounts = (0..<10).map { _ in SolanaKey(&random) }
        liquidityMint = SolanaKey(&random)
        lookupTable = SolanaKey(&random)
        self.coin = coin
        self.pc = pc
        shares = UInt64(SolanaMath.squareRoot(UInt128(coin) * UInt128(pc)))
        self.openedAt = openedAt
    }

    /// What an input brings: 25 basis points of it, rounded up, are the fee.
    static func output(of input: UInt64, reserveIn: UInt64, reserveOut: UInt64) -> UInt64 {
        let net = input - SolanaMath.fee(input, basisPoints: 25)
        return SolanaMath.multiply(reserveOut, net, dividedBy: reserveIn + net)
    }

    /// `SwapBaseIn`; `spendsPC` means pc in and coin out. When the user's `balance` of the input is
    /// too small the program still logs the swap and then fails (error 40). A tolerance is how much
    /// worse, in basis points, it might have become.
    @discardableResult
    mutating func swap(
        _ amount: UInt64,
        tolerance: UInt64 = 100,
        spendsPC: Bool,
        balance: UInt64,
        wallet: SolanaKey,
        source: SolanaKey,
        destination: SolanaKey,
        draft: inout SolanaTransactionDraft
    ) -> UInt64 {
        let refused = balance < amount
        let quoted =
            spendsPC
            ? Self.output(of: amount, reserveIn: pc, reserveOut: coin)
            : Self.output(of: amount, reserveIn: coin, reserveOut: pc)
        let minimum = quoted.worsened(downBy: tolerance)
        var data: [UInt8] = [9]
        data.appendLittleEndian(amount)
        data.appendLittleEndian(minimum)
        draft.begin(SolanaAddress.raydium, roles(wallet, source, destination), data)
        var log: [UInt8] = [3]
        for value in [
            amount, minimum, spendsPC ? 1 : 2, balance, coin, pc, refused ? 0 : quoted,
        ] { log.appendLittleEndian(value) }
        draft.log("ray_log: \(Base64Text.encode(log))")
        guard !refused else {
            draft.log("Error: InsufficientFunds")
            draft.fail(code: 40, units: 12_400)
            return 0
        }
        let user = SolanaTransactionDraft.Role.signer(wallet)
        let authority = SolanaTransactionDraft.Role.readonly(SolanaAddress.raydiumAuthority)
        transfer(
            amount,
            coin: !spendsPC,
            from: source,
            to: spendsPC ? pcVault : coinVault,
            owner: user,
            &draft
        )
        transfer(
            quoted,
            coin: spendsPC,
            from: spendsPC ? coinVault : pcVault,
            to: destination,
            owner: authority,
            &draft
        )
        draft.end(units: 31_900)
        if spendsPC {
            pc += amount
            coin -= quoted
            pcIn += UInt128(amount)
            coinOut += UInt128(quoted)
        } else {
            coin += amount
            pc -= quoted
            coinIn += UInt128(amount)
            pcOut += UInt128(quoted)
        }
        draft.write(image)
        return quoted
    }

    /// The `AmmInfo` account; open orders hold nothing and no profit waits to be taken.
    var image: SolanaAccountImage {
        var data: [UInt8] = []
        for value in [
            6, 254, 7, 3, UInt64(coinDecimals), UInt64(pcDecimals), 1, 0, 1_000_000, 500,
            50_000_000, 1_000_000, 1_000_000, 1, 1_000_000_000, 1_000_000_000,
        ] { data.appendLittleEndian(UInt64(value)) }
        for value in [5, 10_000, 25, 10_000, 12, 100, 25, 10_000, 0, 0, 0, 0] {
            data.appendLittleEndian(UInt64(value))
        }
        data.appendLittleEndian(openedAt)
        for _ in 0..<3 { data.appendLittleEndian(UInt64(0)) }
        data.appendLittleEndian(coinIn)
        data.appendLittleEndian(pcOut)
        data.appendLittleEndian(UInt64(0))
        data.appendLittleEndian(pcIn)
        data.appendLittleEndian(coinOut)
        data.appendLittleEndian(UInt64(0))
        for key in [coinVault, pcVault, coinMint, pcMint, liquidityMint] { data.append(key) }
        for key in [marketAccounts[0], marketAccounts[3], marketAccounts[2], marketAccounts[1]] {
            data.append(key)
        }
        data.padZeros(to: 688)
        data.append(SolanaAddress.raydiumAuthority)
        data.appendLittleEndian(shares)
        data.padZeros(to: Self.accountBytes)
        return SolanaAccountImage(key: address, owner: SolanaAddress.raydium, data: data)
    }

    private func transfer(
        _ amount: UInt64,
        coin isCoin: Bool,
        from: SolanaKey,
        to: SolanaKey,
        owner: SolanaTransactionDraft.Role,
        _ draft: inout SolanaTransactionDraft
    ) {
        draft.transferTokens(
            amount,
            mint: isCoin ? coinMint : pcMint,
            decimals: isCoin ? coinDecimals : pcDecimals,
            from: from,
            to: to,
            owner: owner
        )
    }

    private func roles(
        _ wallet: SolanaKey,
        _ source: SolanaKey,
        _ destination: SolanaKey
    ) -> [SolanaTransactionDraft.Role] {
        let market = marketAccounts
        return [
            .lookedUp(SolanaAddress.token), .writable(address),
            .lookedUp(SolanaAddress.raydiumAuthority),
            .init(key: market[0], isWritable: true, isLookedUp: true),
            .init(key: market[1], isWritable: true, isLookedUp: true),
            .writable(coinVault), .writable(pcVault), .lookedUp(market[2]),
            .init(key: market[3], isWritable: true, isLookedUp: true),
            .init(key: market[4], isWritable: true, isLookedUp: true),
            .init(key: market[5], isWritable: true, isLookedUp: true),
            .init(key: market[6], isWritable: true, isLookedUp: true),
            .init(key: market[7], isWritable: true, isLookedUp: true),
            .init(key: market[8], isWritable: true, isLookedUp: true),
            .lookedUp(market[9]), .writable(source), .writable(destination), .signer(wallet),
        ]
    }
}
