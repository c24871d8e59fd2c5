import MarketModel
import RecordModel

/// Reads calls of Raydium CPMM. The event tells amounts and reserves, the call the mints and the
/// trader.
///
/// Of what stays in the pool as fees, parts belong to the protocol, the fund and the creator; the
/// program keeps them out of the reserves that count, and no event tells how large they are. So
/// `after` is above the next `before` by those parts.
enum RaydiumCPMMStrategy: ProgramStrategy {
    /// Reads one call with the events that it gave.
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
            let instruction = try RaydiumCPMMInstruction.read(data)
            walk.countUnknownEvents(of: call, tally: &tally) { $0 == swapEvent || $0 == lpEvent }
            let context = RaydiumCall(call: call, program: .raydiumCPMM)
            let event: MarketEvent
            switch instruction {
            case .idle: return
            case .unknown(let discriminator):
                tally.meetUnknown(.raydiumCPMM, isEvent: false, discriminator)
                guard let found = try walk.event(of: call, swapEvent) else { return }
                let trader = try context.account(0, in: walk, transaction, bytes)
                event = .trade(try swapAlone(found, trader, in: walk, tally: &tally))
            case .swap(let isExactIn, let limit):
                var trade = try swap(context, in: walk, transaction, bytes, tally: &tally)
                trade.exactness = isExactIn ? .exactIn : .exactOut
                trade.limit = UInt128(limit)
                event = .trade(trade)
            case .initialize(let amount0, let amount1, let hasPermission):
                let pool = try opening(
                    context,
                    (UInt128(amount0), UInt128(amount1)),
                    shift: hasPermission ? 1 : 0,
                    in: walk,
                    transaction,
                    bytes
                )
                findings.addShareToken(pool.shareToken)
                event = .poolCreated(pool)
            case .deposit(let shares), .withdraw(let shares):
                findings.addShareToken(walk.account(12, of: call, transaction, bytes))
                let isDeposit = instruction == .deposit(shares: shares)
                let change = RaydiumCPMMLiquidity(context: context, isDeposit: isDeposit)
                event = .liquidity(
                    try change.read(shares, in: walk, transaction, bytes, tally: &tally)
                )
            }
            findings.add(event, call: call, transaction)
            tally.succeed(.raydiumCPMM)
        } catch {
            tally.fail(.raydiumCPMM, error)
        }
    }

    /// Only the newest form of a swap names its mints. Who traded is not known: the fee payer
    /// stands for him.
    static func readOrphan(
        _ event: Int,
        in walk: ProgramWalk,
        _ transaction: SolanaTransaction,
        _ bytes: RawSpan,
        into findings: inout MarketFindings,
        tally: inout ParseTally
    ) {
        guard !RaydiumCall.hasEventlessCall(of: .raydiumCPMM, in: walk),
            walk.discriminator(ofEvent: event) == swapEvent
        else { return }
        do throws(ParseFailure) {
            guard let payer = transaction.keys.first else { throw .missingAccount }
            let trade = try swapAlone(event, payer, in: walk, tally: &tally)
            findings.add(.trade(trade), outer: walk.events[event].outer)
            tally.succeed(.raydiumCPMM)
        } catch {
            tally.fail(.raydiumCPMM, error)
        }
    }

    private static let swapEvent = RaydiumCPMMSwapEvent.discriminator
    private static let lpEvent = RaydiumCPMMLiquidityEvent.discriminator

    /// The swap of a call whose accounts are known.
    private static func swap(
        _ context: RaydiumCall,
        in walk: ProgramWalk,
        _ transaction: SolanaTransaction,
        _ bytes: RawSpan,
        tally: inout ParseTally
    ) throws(ParseFailure) -> Trade {
        let trader = try context.account(0, in: walk, transaction, bytes)
        let input = try context.vault(6, mintAt: 10, in: walk, transaction, bytes)
        let output = try context.vault(7, mintAt: 11, in: walk, transaction, bytes)
        if let event = try walk.event(of: context.call, swapEvent) {
            let payload = unsafe walk.payloads.span.bytes.extracting(walk.events[event].payload)
            tally.unknownTailBytes &+= UInt64(RaydiumCPMMSwapEvent.unknownTail(payload))
            return trade(try RaydiumCPMMSwapEvent(payload), trader, input.mint, output.mint)
        }
        let isInputFirst = input.mint < output.mint
        return try context.swapByTransfers(
            pool: try context.account(3, in: walk, transaction, bytes),
            trader: trader,
            isInputFirst ? (input, output) : (output, input),
            in: walk,
            transaction,
            bytes
        )
    }

    /// A swap whose call is not known, or its accounts.
    private static func swapAlone(
        _ event: Int,
        _ trader: Address,
        in walk: ProgramWalk,
        tally: inout ParseTally
    ) throws(ParseFailure) -> Trade {
        let payload = unsafe walk.payloads.span.bytes.extracting(walk.events[event].payload)
        let swap = try RaydiumCPMMSwapEvent(payload)
        tally.unknownTailBytes &+= UInt64(RaydiumCPMMSwapEvent.unknownTail(payload))
        guard let fees = swap.fees else { throw .unknownMints }
        var trade = trade(swap, trader, fees.inputMint, fees.outputMint)
        if let isExactIn = swap.isExactIn { trade.exactness = isExactIn ? .exactIn : .exactOut }
        return trade
    }

    private static func trade(
        _ swap: RaydiumCPMMSwapEvent,
        _ trader: Address,
        _ inputMint: Address,
        _ outputMint: Address
    ) -> Trade {
        let taken = UInt128(swap.inputAmount)
        let given = UInt128(swap.outputAmount)
        // A transfer fee above what is transferred is none.
        let lost = min(UInt128(swap.outputTransferFee), given)
        var trade = RaydiumSwap(
            venue: .raydiumCPMM,
            pool: swap.pool,
            trader: trader,
            inputMint: inputMint,
            outputMint: outputMint,
            // The program orders the sides of a pool by their mints.
            isFirstIn: inputMint < outputMint,
            taken: taken,
            given: given,
            paid: taken + UInt128(swap.inputTransferFee),
            received: given - lost,
            before: (UInt128(swap.inputBefore), UInt128(swap.outputBefore)),
            tradeFee: swap.fees.map { UInt128($0.trade) }
        ).trade()
        if let fees = swap.fees {
            trade.fees.creator = UInt128(fees.creator)
            trade.fees.isCreatorOnOtherSide = !fees.isCreatorOnInput && fees.creator > 0
        }
        return trade
    }

    /// No event tells of a new pool. Its shares are the root of both amounts, 100 of them for
    /// nobody.
    private static func opening(
        _ context: RaydiumCall,
        _ amounts: (UInt128, UInt128),
        shift: Int,
        in walk: ProgramWalk,
        _ transaction: SolanaTransaction,
        _ bytes: RawSpan
    ) throws(ParseFailure) -> PoolCreated {
        let sides = MarketPair(
            try context.account(4 + shift, in: walk, transaction, bytes),
            try context.account(5 + shift, in: walk, transaction, bytes)
        )
        // With permission, the payer is the first account, the creator the second.
        var created = PoolCreated(
            venue: .raydiumCPMM,
            pool: try context.account(3 + shift, in: walk, transaction, bytes),
            token: sides.token,
            quote: sides.quote,
            isReversed: sides.isReversed,
            isRawOrientation: sides.isRaw,
            creator: try context.account(shift, in: walk, transaction, bytes)
        )
        let decimals0 = context.decimals(10 + shift, in: walk, transaction, bytes)
        let decimals1 = context.decimals(11 + shift, in: walk, transaction, bytes)
        created.tokenDecimals = sides.isReversed ? decimals1 : decimals0
        created.quoteDecimals = sides.isReversed ? decimals0 : decimals1
        let shareToken = try context.account(6 + shift, in: walk, transaction, bytes)
        created.shareToken = shareToken
        let root = Exact.squareRoot(amounts.0, times: amounts.1)
        let minted = TokenFlow.minted(
            shareToken,
            below: context.call,
            in: walk,
            transaction,
            bytes
        )
        let shares = minted.map { $0 + lockedShares } ?? root
        created.shares = shares
        created.lockedShares = min(lockedShares, shares)
        // Where a token charges for transfers less arrived than was sent, and the shares say so.
        if shares == root { created.reserves = sides.reserves(amounts.0, amounts.1) }
        return created
    }

    private static let lockedShares: UInt128 = 100
}
