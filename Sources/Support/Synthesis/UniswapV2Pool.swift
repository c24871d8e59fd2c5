/// One Uniswap V2 pair (QuickSwap on Polygon): the logs of its swaps, deposits and withdrawals.
struct UniswapV2Pool {
    /// QuickSwap's router, the sender of every swap.
    static let router = "0xa5e0829caced8ffdd4de3c43696c57f7d7a678ff"
    private static let nobody = "0x0000000000000000000000000000000000000000"

    let address: String
    let token0: String
    let token1: String
    private(set) var reserves: UniswapV2Reserves
    /// LP tokens by wallet.
    private(set) var shares: [UInt128]

    init(
        token0: String,
        token1: String,
        _ reserves: UniswapV2Reserves,
        wallets: Int,
        random: inout MarketRandom
    ) {
        precondition(token0 < token1, "a pair sorts its tokens")
        address = EthereumText.randomAddress(&random)
        self.token0 = token0
        self.token1 = token1
        self.reserves = reserves
        let each = (reserves.supply - UniswapV2Reserves.minimumLiquidity) / UInt128(wallets)
        shares = Array(repeating: each, count: wallets)
    }

    /// Transfer in, Transfer out, Sync, Swap.
    mutating func swap(
        _ input: UInt128,
        zeroForOne: Bool,
        wallet: String,
        into logs: inout EthereumLogWriter
    ) {
        let output = reserves.swap(input, zeroForOne: zeroForOne)
        let (tokenIn, tokenOut) = zeroForOne ? (token0, token1) : (token1, token0)
        transfer(tokenIn, from: wallet, to: address, input, into: &logs)
        transfer(tokenOut, from: address, to: wallet, output, into: &logs)
        sync(into: &logs)
        logs.add(
            address,
            [EthereumTopic.swap, EthereumText.topic(Self.router), EthereumText.topic(wallet)],
            zeroForOne ? [input, 0, 0, output] : [0, input, output, 0]
        )
    }

    /// Two Transfers in, the LP tokens' Transfer from nobody, Sync, Mint.
    mutating func mint(
        amount0: UInt128,
        wallet: Int,
        address owner: String,
        into logs: inout EthereumLogWriter
    ) {
        let minted = reserves.mint(amount0: amount0)
        shares[wallet] += minted.liquidity
        transfer(token0, from: owner, to: address, amount0, into: &logs)
        transfer(token1, from: owner, to: address, minted.amount1, into: &logs)
        transfer(address, from: Self.nobody, to: owner, minted.liquidity, into: &logs)
        sync(into: &logs)
        logs.add(
            address,
            [EthereumTopic.mint, EthereumText.topic(Self.router)],
            [amount0, minted.amount1]
        )
    }

    /// The LP tokens go to the pair and to nobody, two Transfers out, Sync, Burn.
    mutating func burn(
        _ liquidity: UInt128,
        wallet: Int,
        address owner: String,
        into logs: inout EthereumLogWriter
    ) {
        let burnt = reserves.burn(liquidity)
        shares[wallet] -= liquidity
        transfer(address, from: owner, to: address, liquidity, into: &logs)
        transfer(address, from: address, to: Self.nobody, liquidity, into: &logs)
        transfer(token0, from: address, to: owner, burnt.amount0, into: &logs)
        transfer(token1, from: address, to: owner, burnt.amount1, into: &logs)
        sync(into: &logs)
        logs.add(
            address,
            [EthereumTopic.burn, EthereumText.topic(Self.router), EthereumText.topic(owner)],
            [burnt.amount0, burnt.amount1]
        )
    }

    private func sync(into logs: inout EthereumLogWriter) {
        logs.add(address, [EthereumTopic.sync], [reserves.reserve0, reserves.reserve1])
    }

    private func transfer(
        _ token: String,
        from: String,
        to: String,
        _ amount: UInt128,
        into logs: inout EthereumLogWriter
    ) {
        logs.add(
            token,
            [EthereumTopic.transfer, EthereumText.topic(from), EthereumText.topic(to)],
            [amount]
        )
    }
}

/// Collects the logs of a block and numbers them.
struct EthereumLogWriter {
    private(set) var logs: [EthereumLog] = []
    private var transactionHash = ""
    private var transactionIndex: UInt64 = 0
    private var nextIndex: UInt64 = 0
    private var isFirst = true

    /// Begins a transaction after some others, whose logs nobody asked for.
    mutating func begin(_ hash: String, skippingTransactions: UInt64, skippingLogs: UInt64) {
        transactionHash = hash
        transactionIndex += skippingTransactions + (isFirst ? 0 : 1)
        nextIndex += skippingLogs
        isFirst = false
    }

    mutating func add(_ address: String, _ topics: [String], _ words: [UInt128]) {
        logs.append(
            EthereumLog(
                address: address,
                topics: topics,
                words: words.map(EthereumText.word),
                transactionHash: transactionHash,
                transactionIndex: transactionIndex,
                index: nextIndex
            )
        )
        nextIndex += 1
    }

    /// Polygon ends nearly every transaction with a fee log, which is not asked for.
    mutating func end() { nextIndex += 1 }
}
