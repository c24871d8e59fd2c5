/// The Polygon side of the market: wallets and pairs, one block at a time, with branches.
struct EthereumChainSynthesis {
    private enum Action {
        case swap(pool: Int, perMillion: UInt64, zeroForOne: Bool)
        case mint(pool: Int, perMillion: UInt64)
        case burn(pool: Int, perMille: UInt64)
    }

    /// A transaction before it is in a block; after a reorganisation it may enter another one.
    private struct Pending {
        var hash: String
        var wallet: Int
        var action: Action
    }

    private struct Past {
        var block: EthereumBlock
        var pools: [UniswapV2Pool]
        var transactions: [Pending]
    }

    /// What a reorganisation announces.
    struct Reorganisation {
        /// Oldest first.
        var abandoned: [EthereumBlock]
        /// The new branch below its newest block, oldest first: never announced as heads.
        var silent: [EthereumBlock]
        var newest: EthereumBlock
    }

    private static let historyMax = 4
    private static let walletCount = 24

    private let options: SynthesisOptions
    private var random: MarketRandom
    private var wallets: [String] = []
    private var pools: [UniswapV2Pool] = []
    private var history: [Past] = []
    private var number: UInt64
    private var parentHash: String
    private var baseFee: UInt64 = 30_000_000_000

    init(_ options: SynthesisOptions) {
        self.options = options
        random = MarketRandom(seed: options.seed ^ 0x6574_6865_7265_0001)
        number = 81_200_000 + random.next(below: 100_000)
        parentHash = EthereumText.randomHash(&random)
        wallets = (0..<Self.walletCount).map { _ in EthereumText.randomAddress(&random) }
        let weth = "0x7ceb23fd6bc0add59e62ac25578270cff1b9f619"
        let wpol = "0x0d500b1d8e8ef31e21c99d1db9a6444d3adf1270"
        let usdc = "0x3c499c542cef5e3811e1192ce70d8cc03d5c3359"
        let usdt = "0xc2132d05d31c914a87c6611c10748aeb04b58e8f"
        let quick = "0xb5c064f955d8e7f38fe0460c556a72987494ee17"
        let whole: UInt128 = 1_000_000_000_000_000_000
        addPool(wpol, usdc, 9_000_000 * whole, 1_900_000_000_000)
        addPool(usdc, weth, 4_200_000_000_000, 1_300 * whole)
        addPool(wpol, weth, 5_000_000 * whole, 340 * whole)
        addPool(usdc, usdt, 800_000_000_000, 800_000_000_000)
        addPool(wpol, quick, 2_000_000 * whole, 16_000_000 * whole)
    }

    /// The next block on the current branch. Its time is in seconds since 1970.
    mutating func next(time: Int64) -> EthereumBlock { extend(pendingTransactions(), time: time) }

    /// Drops the newest `depth` blocks and builds a branch that is one longer; nil when the
    /// history is too short.
    mutating func reorganise(depth: Int, time: Int64) -> Reorganisation? {
        guard depth > 0, history.count > depth else { return nil }
        let dropped = Array(history.suffix(depth))
        history.removeLast(depth)
        pools = dropped[0].pools
        number = dropped[0].block.number - 1
        parentHash = dropped[0].block.parentHash
        // The first transaction of each dropped block waits for the next one.
        var carried: [Pending] = []
        var silent: [EthereumBlock] = []
        for (age, past) in dropped.enumerated() {
            let waiting = Array(past.transactions.prefix(1))
            let transactions = carried + past.transactions.dropFirst()
            silent.append(extend(transactions, time: time - 2 * Int64(depth - age)))
            carried = waiting
        }
        let newest = extend(carried + pendingTransactions(), time: time)
        return Reorganisation(
            abandoned: dropped.map(\.block),
            silent: silent,
            newest: newest
        )
    }

    private mutating func addPool(
        _ token0: String,
        _ token1: String,
        _ reserve0: UInt128,
        _ reserve1: UInt128
    ) {
        let reserves = UniswapV2Reserves(reserve0: reserve0, reserve1: reserve1)
        pools.append(
            UniswapV2Pool(
                token0: token0,
                token1: token1,
                reserves,
                wallets: Self.walletCount,
                random: &random
            )
        )
    }

    private mutating func pendingTransactions() -> [Pending] {
        let mean = UInt64(options.swapsPerBlock)
        let count = mean == 0 ? 0 : random.number(in: 0...(mean * 2))
        return (0..<count).map { _ in
            let pool = random.index(below: pools.count)
            let action: Action =
                switch random.next(below: 100) {
                case 0..<6: .mint(pool: pool, perMillion: random.number(in: 20...2_000))
                case 6..<10: .burn(pool: pool, perMille: random.number(in: 20...600))
                default:
                    .swap(
                        pool: pool,
                        perMillion: random.amount(in: 2...6_000),
                        zeroForOne: random.next() & 1 == 0
                    )
                }
            return Pending(
                hash: EthereumText.randomHash(&random),
                wallet: random.index(below: wallets.count),
                action: action
            )
        }
    }

    private mutating func extend(_ transactions: [Pending], time: Int64) -> EthereumBlock {
        number += 1
        let before = pools
        var writer = EthereumLogWriter()
        for transaction in transactions {
            writer.begin(
                transaction.hash,
                skippingTransactions: random.next(below: 12),
                skippingLogs: random.next(below: 25)
            )
            perform(transaction, into: &writer)
            writer.end()
        }
        let hash = EthereumText.randomHash(&random)
        let block = EthereumBlock(
            number: number,
            hash: hash,
            parentHash: parentHash,
            header: header(hash: hash, time: time, busy: UInt64(transactions.count)),
            logs: writer.logs
        )
        parentHash = hash
        history.append(Past(block: block, pools: before, transactions: transactions))
        if history.count > Self.historyMax { history.removeFirst() }
        return block
    }

    private mutating func perform(_ pending: Pending, into writer: inout EthereumLogWriter) {
        let owner = wallets[pending.wallet]
        switch pending.action {
        case .swap(let pool, let share, let zeroForOne):
            let reserves = pools[pool].reserves
            let reserve = zeroForOne ? reserves.reserve0 : reserves.reserve1
            let input = max(1, reserve * UInt128(share) / 1_000_000)
            pools[pool].swap(input, zeroForOne: zeroForOne, wallet: owner, into: &writer)
        case .mint(let pool, let share):
            let amount = max(1, pools[pool].reserves.reserve0 * UInt128(share) / 1_000_000)
            pools[pool].mint(
                amount0: amount,
                wallet: pending.wallet,
                address: owner,
                into: &writer
            )
        case .burn(let pool, let share):
            let liquidity = pools[pool].shares[pending.wallet] * UInt128(share) / 1_000
            pools[pool].burn(
                liquidity,
                wallet: pending.wallet,
                address: owner,
                into: &writer
            )
        }
    }

    /// The header as Bor writes it: every key, unknown ones null.
    private mutating func header(hash: String, time: Int64, busy: UInt64) -> String {
        let step = baseFee / 64
        baseFee = max(25_000_000_000, baseFee - step / 2 + random.next(below: step))
        // Dense but not full. It is not computed from the logs.
        let bloom = zip(random.bytes(256), random.bytes(256)).map { $0 & $1 }
        let zeroHash = "0x" + String(repeating: "0", count: 64)
        let fields: [(String, String?)] = [
            ("parentHash", parentHash),
            ("sha3Uncles", "0x1dcc4de8dec75d7aab85b567b6ccd41ad312451b948a7413f0a142fd40d49347"),
            ("miner", "0x0000000000000000000000000000000000000000"),
            ("stateRoot", EthereumText.randomHash(&random)),
            ("transactionsRoot", EthereumText.randomHash(&random)),
            ("receiptsRoot", EthereumText.randomHash(&random)),
            ("logsBloom", EthereumText.bytes(bloom)),
            ("difficulty", EthereumText.quantity(random.number(in: 1...21))),
            ("number", EthereumText.quantity(number)),
            ("gasLimit", EthereumText.quantity(45_000_000)),
            (
                "gasUsed",
                EthereumText.quantity(9_000_000 + busy * 150_000 + random.next(below: 9_000_000))
            ),
            ("timestamp", EthereumText.quantity(time)),
            ("extraData", EthereumText.bytes(extraData())),
            ("mixHash", zeroHash),
            ("nonce", "0x0000000000000000"),
            ("baseFeePerGas", EthereumText.quantity(baseFee)),
            ("withdrawalsRoot", nil), ("blobGasUsed", nil), ("excessBlobGas", nil),
            ("parentBeaconBlockRoot", nil), ("requestsHash", nil),
            ("hash", hash),
        ]
        let pairs = fields.map { name, value in
            if let value { "\"\(name)\":\"\(value)\"" } else { "\"\(name)\":null" }
        }
        return "{" + pairs.joined(separator: ",") + "}"
    }

    /// 32 bytes of version, at the end of a sprint the validators, 65 bytes of signature.
    private mutating func extraData() -> [UInt8] {
        var data: [UInt8] = [0xd7, 0x83, 2, 0, 0, 0x83]
        data += Array("bor".utf8) + [0x88] + Array("go1.24.4".utf8)
        data += [0x85] + Array("linux".utf8)
        data.padZeros(to: 32)
        if number % 16 == 15 { data += random.bytes(21 * 40) }
        return data + random.bytes(65)
    }
}
