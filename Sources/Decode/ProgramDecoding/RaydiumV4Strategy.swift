import MarketModel
import RecordModel

/// Reads calls of Raydium AMM v4. A call names the pool, its vaults and the trader; its `ray_log`
/// tells the amounts and reserves; the mints are those of the vaults' balances.
enum RaydiumV4Strategy: ProgramStrategy {
    /// Reads one call with the log that it wrote.
    static func read(
        _ call: Int,
        in walk: ProgramWalk,
        _ transaction: SolanaTransaction,
        _ bytes: RawSpan,
        into findings: inout MarketFindings,
        tally: inout ParseTally
    ) {
        do throws(ParseFailure) {
            let data = bytes.extracting(transaction.instructions[call].data)
            let accountCount = transaction.instructions[call].accounts.count
            guard let instruction = try RaydiumV4Instruction.read(data, accountCount: accountCount)
            else {
                let tag = data.byte(at: 0)
                if !RaydiumV4Instruction.isKnown(tag: tag) {
                    tally.meetUnknown(.raydiumV4, isEvent: false, UInt64(tag))
                }
                return
            }
            let log = try log(of: call, in: walk, tally: &tally)
            let context = RaydiumCall(call: call, program: .raydiumV4)
            let event: MarketEvent
            switch instruction {
            case .swap(let isExactIn, _, let limit, let vaults):
                var trade = try swap(context, vaults, log, in: walk, transaction, bytes)
                trade.exactness = isExactIn ? .exactIn : .exactOut
                trade.limit = UInt128(limit)
                event = .trade(trade)
            case .initialize:
                let pool = try opening(context, data, in: walk, transaction, bytes)
                findings.addShareToken(pool.shareToken)
                event = .poolCreated(pool)
            case .deposit, .withdraw:
                findings.addShareToken(walk.account(5, of: call, transaction, bytes))
                event = .liquidity(
                    try liquidity(
                        context,
                        isDeposit: instruction == .deposit,
                        log,
                        in: walk,
                        transaction,
                        bytes
                    )
                )
            }
            findings.add(event, call: call, transaction)
            tally.succeed(.raydiumV4)
        } catch {
            tally.fail(.raydiumV4, error)
        }
    }

    /// A log without its call names no pool.
    static func readOrphan(
        _ event: Int,
        in walk: ProgramWalk,
        _ transaction: SolanaTransaction,
        _ bytes: RawSpan,
        into findings: inout MarketFindings,
        tally: inout ParseTally
    ) {
        guard !RaydiumCall.hasEventlessCall(of: .raydiumV4, in: walk) else { return }
        tally.fail(.raydiumV4, .missingAccount)
    }

    /// The log of a call; nil when it wrote none that is left.
    private static func log(
        of call: Int,
        in walk: ProgramWalk,
        tally: inout ParseTally
    ) throws(ParseFailure) -> RaydiumV4Log? {
        for event in walk.events[walk.events(of: call)] where event.isRayLog {
            if let fault = event.fault { throw fault }
            let payload = unsafe walk.payloads.span.bytes.extracting(event.payload)
            let log = try RaydiumV4Log(payload)
            tally.unknownTailBytes &+= UInt64(RaydiumV4Log.unknownTail(payload))
            return log
        }
        return nil
    }

    private static func swap(
        _ context: RaydiumCall,
        _ vaults: Int,
        _ log: RaydiumV4Log?,
        in walk: ProgramWalk,
        _ transaction: SolanaTransaction,
        _ bytes: RawSpan
    ) throws(ParseFailure) -> Trade {
        let pool = try context.account(1, in: walk, transaction, bytes)
        let trader = try context.lastAccount(in: walk, transaction, bytes)
        let coin = try context.vault(vaults, in: walk, transaction, bytes)
        let pc = try context.vault(vaults + 1, in: walk, transaction, bytes)
        guard let log else {
            return try context.swapByTransfers(
                pool: pool,
                trader: trader,
                (coin, pc),
                in: walk,
                transaction,
                bytes
            )
        }
        guard case .swap(let swap) = log else { throw .invalid }
        let amountIn = UInt128(swap.amountIn)
        let amountOut = UInt128(swap.amountOut)
        let poolCoin = UInt128(swap.poolCoin)
        let poolPC = UInt128(swap.poolPC)
        return RaydiumSwap(
            venue: .raydiumV4,
            pool: pool,
            trader: trader,
            inputMint: swap.isCoinIn ? coin.mint : pc.mint,
            outputMint: swap.isCoinIn ? pc.mint : coin.mint,
            isFirstIn: swap.isCoinIn,
            taken: amountIn,
            given: amountOut,
            paid: amountIn,
            received: amountOut,
            before: swap.isCoinIn ? (poolCoin, poolPC) : (poolPC, poolCoin),
            tradeFee: RaydiumV4Fee.of(swap)
        ).trade()
    }

    /// The call alone tells everything. The shares are the root of both amounts; of them, one whole
    /// token in units of the coin is never handed out.
    private static func opening(
        _ context: RaydiumCall,
        _ data: RawSpan,
        in walk: ProgramWalk,
        _ transaction: SolanaTransaction,
        _ bytes: RawSpan
    ) throws(ParseFailure) -> PoolCreated {
        guard data.byteCount >= 26 else { throw .truncated }
        let pc = UInt128(data.littleEndianUInt64(at: 10))
        let coin = UInt128(data.littleEndianUInt64(at: 18))
        let sides = MarketPair(
            try context.account(8, in: walk, transaction, bytes),
            try context.account(9, in: walk, transaction, bytes)
        )
        let coinDecimals = context.decimals(10, in: walk, transaction, bytes)
        let pcDecimals = context.decimals(11, in: walk, transaction, bytes)
        var created = PoolCreated(
            venue: .raydiumV4,
            pool: try context.account(4, in: walk, transaction, bytes),
            token: sides.token,
            quote: sides.quote,
            isReversed: sides.isReversed,
            isRawOrientation: sides.isRaw,
            creator: try context.account(17, in: walk, transaction, bytes)
        )
        created.tokenDecimals = sides.isReversed ? pcDecimals : coinDecimals
        created.quoteDecimals = sides.isReversed ? coinDecimals : pcDecimals
        created.reserves = sides.reserves(coin, pc)
        created.shareToken = try context.account(7, in: walk, transaction, bytes)
        let shares = Exact.squareRoot(coin, times: pc)
        created.shares = shares
        created.lockedShares = coinDecimals.flatMap(wholeToken).map { min($0, shares) }
        return created
    }

    /// Ten to the power of the decimals; nil above what 64 bits can hold.
    private static func wholeToken(_ decimals: UInt8) -> UInt128? {
        guard decimals < 20 else { return nil }
        return (0..<decimals).reduce(1) { product, _ in product * 10 }
    }

    private static func liquidity(
        _ context: RaydiumCall,
        isDeposit: Bool,
        _ log: RaydiumV4Log?,
        in walk: ProgramWalk,
        _ transaction: SolanaTransaction,
        _ bytes: RawSpan
    ) throws(ParseFailure) -> LiquidityChange {
        let coin = try context.vault(6, in: walk, transaction, bytes)
        let pc = try context.vault(7, in: walk, transaction, bytes)
        let sides = MarketPair(coin.mint, pc.mint)
        // Lists with the old withdrawal queue are longer by two in the middle.
        let hasQueue = transaction.instructions[context.call].accounts.count >= 22
        let owner = isDeposit ? 12 : hasQueue ? 18 : 16
        let told = try told(context, isDeposit, log, (coin, pc), in: walk, transaction, bytes)
        let amounts = sides.reserves(UInt128(told.coinAmount), UInt128(told.pcAmount))
        var change = LiquidityChange(
            venue: .raydiumV4,
            pool: try context.account(1, in: walk, transaction, bytes),
            token: sides.token,
            quote: sides.quote,
            direction: isDeposit ? .add : .remove,
            owner: try context.account(owner, in: walk, transaction, bytes),
            tokenAmount: amounts.token,
            quoteAmount: amounts.quote,
            shares: UInt128(told.shares)
        )
        guard log != nil else { return change }
        change.sharesBefore = UInt128(told.poolShares)
        change.setReserves(before: sides.reserves(UInt128(told.poolCoin), UInt128(told.poolPC)))
        return change
    }

    /// What the log says or, without it, the transfers below the call.
    private static func told(
        _ context: RaydiumCall,
        _ isDeposit: Bool,
        _ log: RaydiumV4Log?,
        _ vaults: (coin: RaydiumCall.Vault, pc: RaydiumCall.Vault),
        in walk: ProgramWalk,
        _ transaction: SolanaTransaction,
        _ bytes: RawSpan
    ) throws(ParseFailure) -> RaydiumV4Log.Liquidity {
        if let log {
            guard case .liquidity(let told) = log, told.isDeposit == isDeposit else {
                throw .invalid
            }
            return told
        }
        let call = context.call
        let coin = TokenFlow(of: vaults.coin.index, below: call, in: walk, transaction, bytes)
        let pc = TokenFlow(of: vaults.pc.index, below: call, in: walk, transaction, bytes)
        var shares: UInt128?
        if isDeposit {
            let mint = try context.account(5, in: walk, transaction, bytes)
            shares = TokenFlow.minted(mint, below: call, in: walk, transaction, bytes)
        } else {
            let data = transaction.instructions[call].data
            guard data.count >= 9 else { throw .truncated }
            shares = UInt128(bytes.littleEndianUInt64(at: data.lowerBound + 1))
        }
        guard let shares,
            let shares = UInt64(exactly: shares),
            let coinAmount = UInt64(exactly: isDeposit ? coin.into : coin.outOf),
            let pcAmount = UInt64(exactly: isDeposit ? pc.into : pc.outOf),
            coinAmount > 0 || pcAmount > 0
        else { throw .noEvent }
        return RaydiumV4Log.Liquidity(
            isDeposit: isDeposit,
            poolCoin: 0,
            poolPC: 0,
            poolShares: 0,
            coinAmount: coinAmount,
            pcAmount: pcAmount,
            shares: shares
        )
    }
}
