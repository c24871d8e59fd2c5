import MarketModel
import RecordModel

/// Reads calls of Raydium CLMM. Reserves of a pool of concentrated liquidity say nothing about its
/// price: trades carry its root, the liquidity in range and the tick instead.
enum RaydiumCLMMStrategy: ProgramStrategy {
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
            let instruction = try RaydiumCLMMInstruction.read(data)
            walk.countUnknownEvents(of: call, tally: &tally, isKnown: isKnown)
            let context = RaydiumCall(call: call, program: .raydiumCLMM)
            let isDecoded: Bool
            switch instruction {
            case .idle: return
            case .unknown(let discriminator):
                tally.meetUnknown(.raydiumCLMM, isEvent: false, discriminator)
                isDecoded = try readSwaps(
                    of: context,
                    limit: nil,
                    in: walk,
                    transaction,
                    bytes,
                    into: &findings,
                    tally: &tally
                )
            case .route(let limit):
                isDecoded = try readSwaps(
                    of: context,
                    limit: limit,
                    in: walk,
                    transaction,
                    bytes,
                    into: &findings,
                    tally: &tally
                )
                if !isDecoded { throw .noEvent }
            default:
                let event = try one(instruction, context, in: walk, transaction, bytes, &tally)
                findings.add(event, call: call, transaction)
                isDecoded = true
            }
            if isDecoded { tally.succeed(.raydiumCLMM) }
        } catch {
            tally.fail(.raydiumCLMM, error)
        }
    }

    /// An event without its call: the mints are those of the trader's token accounts.
    static func readOrphan(
        _ event: Int,
        in walk: ProgramWalk,
        _ transaction: SolanaTransaction,
        _ bytes: RawSpan,
        into findings: inout MarketFindings,
        tally: inout ParseTally
    ) {
        guard !RaydiumCall.hasEventlessCall(of: .raydiumCLMM, in: walk),
            walk.discriminator(ofEvent: event) == RaydiumCLMMSwapEvent.discriminator
        else { return }
        do throws(ParseFailure) {
            let swap = try swapEvent(event, in: walk, &tally)
            let mints = try mints(ofTraderIn: swap, transaction, bytes)
            findings.add(.trade(trade(swap, mints.0, mints.1)), outer: walk.events[event].outer)
            tally.succeed(.raydiumCLMM)
        } catch {
            tally.fail(.raydiumCLMM, error)
        }
    }

    private static func isKnown(_ event: UInt64) -> Bool {
        switch event {
        case RaydiumCLMMSwapEvent.discriminator,
            RaydiumCLMMRangeEvent.discriminator,
            RaydiumCLMMPositionEvent.increaseDiscriminator,
            RaydiumCLMMPositionEvent.decreaseDiscriminator,
            RaydiumCLMMOpenEvent.discriminator,
            0xed70_94e6_3954_b4a2,  // LiquidityCalculateEvent
            0xa6ae_69c0_51a1_5369,  // CollectPersonalFeeEvent
            0x195e_4b2f_7063_353f,  // PoolCreatedEvent
            0x6d7f_ba4e_7241_25ec,  // UpdateRewardInfosEvent
            0xce57_114f_2d29_d53d,  // CollectProtocolFeeEvent
            0xf7bd_0777_6a70_5f97:  // ConfigChangeEvent
            true
        default: false
        }
    }

    /// The event of an instruction that makes exactly one.
    private static func one(
        _ instruction: RaydiumCLMMInstruction,
        _ context: RaydiumCall,
        in walk: ProgramWalk,
        _ transaction: SolanaTransaction,
        _ bytes: RawSpan,
        _ tally: inout ParseTally
    ) throws(ParseFailure) -> MarketEvent {
        switch instruction {
        case .swap(let isExactIn, let limit, let namesMints):
            var trade = try swap(context, namesMints, in: walk, transaction, bytes, &tally)
            trade.exactness = isExactIn ? .exactIn : .exactOut
            trade.limit = UInt128(limit)
            return .trade(trade)
        case .createPool:
            return .poolCreated(try opening(context, in: walk, transaction, bytes))
        case .open(let places):
            let change = RaydiumCLMMLiquidity(context: context, places: places, kind: .open)
            return .liquidity(try change.read(in: walk, transaction, bytes, tally: &tally))
        case .increase(let places):
            let change = RaydiumCLMMLiquidity(context: context, places: places, kind: .increase)
            return .liquidity(try change.read(in: walk, transaction, bytes, tally: &tally))
        case .decrease(let places):
            let change = RaydiumCLMMLiquidity(context: context, places: places, kind: .decrease)
            return .liquidity(try change.read(in: walk, transaction, bytes, tally: &tally))
        case .route, .idle, .unknown: preconditionFailure("not one event: \(instruction)")
        }
    }
}

// MARK: Swaps

extension RaydiumCLMMStrategy {
    /// A swap on one pool, by its event or, where that was cut from the logs, by its transfers.
    private static func swap(
        _ context: RaydiumCall,
        _ namesMints: Bool,
        in walk: ProgramWalk,
        _ transaction: SolanaTransaction,
        _ bytes: RawSpan,
        _ tally: inout ParseTally
    ) throws(ParseFailure) -> Trade {
        let input: RaydiumCall.Vault
        let output: RaydiumCall.Vault
        if namesMints {
            input = try context.vault(5, mintAt: 11, in: walk, transaction, bytes)
            output = try context.vault(6, mintAt: 12, in: walk, transaction, bytes)
        } else {
            input = try context.vault(5, in: walk, transaction, bytes)
            output = try context.vault(6, in: walk, transaction, bytes)
        }
        if let event = try walk.event(of: context.call, RaydiumCLMMSwapEvent.discriminator) {
            return trade(try swapEvent(event, in: walk, &tally), input.mint, output.mint)
        }
        // The program orders the sides of a pool by their mints.
        let isInputFirst = input.mint < output.mint
        return try context.swapByTransfers(
            pool: try context.account(2, in: walk, transaction, bytes),
            trader: try context.account(0, in: walk, transaction, bytes),
            isInputFirst ? (input, output) : (output, input),
            in: walk,
            transaction,
            bytes
        )
    }

    /// All swaps of a call that tells no pool by its place in the list. Their mints are those of
    /// the pool's vaults, which follow the pool in a route, or of the trader's accounts.
    ///
    /// - Returns: whether there was any.
    private static func readSwaps(
        of context: RaydiumCall,
        limit: UInt64?,
        in walk: ProgramWalk,
        _ transaction: SolanaTransaction,
        _ bytes: RawSpan,
        into findings: inout MarketFindings,
        tally: inout ParseTally
    ) throws(ParseFailure) -> Bool {
        var last: Trade?
        for event in walk.events(of: context.call)
        where walk.discriminator(ofEvent: event) == RaydiumCLMMSwapEvent.discriminator {
            let swap = try swapEvent(event, in: walk, &tally)
            let known = vaultMints(of: swap.pool, context, in: walk, transaction, bytes)
            let mints =
                if let known { known } else { try mints(ofTraderIn: swap, transaction, bytes) }
            if let last { findings.add(.trade(last), call: context.call, transaction) }
            last = trade(swap, mints.0, mints.1)
            if limit != nil { last?.exactness = .exactIn }
        }
        guard var last else { return false }
        // The limit bounds what comes out of the last one.
        last.limit = limit.map { UInt128($0) }
        findings.add(.trade(last), call: context.call, transaction)
        return true
    }

    /// The mints of input and output of a pool in a route: configuration, pool, the trader's output
    /// account, vault of the input, vault of the output.
    private static func vaultMints(
        of pool: Address,
        _ context: RaydiumCall,
        in walk: ProgramWalk,
        _ transaction: SolanaTransaction,
        _ bytes: RawSpan
    ) -> (Address, Address)? {
        let count = transaction.instructions[context.call].accounts.count
        for position in 0..<count
        where walk.account(position, of: context.call, transaction, bytes) == pool {
            guard
                let input = walk.accountIndex(
                    position + 2,
                    of: context.call,
                    transaction,
                    bytes
                ),
                let output = walk.accountIndex(
                    position + 3,
                    of: context.call,
                    transaction,
                    bytes
                ),
                let inputMint = transaction.mint(ofAccount: input, bytes),
                let outputMint = transaction.mint(ofAccount: output, bytes)
            else { return nil }
            return (inputMint, outputMint)
        }
        return nil
    }

    /// The mints of input and output, told by the balances of the trader's token accounts.
    private static func mints(
        ofTraderIn swap: RaydiumCLMMSwapEvent,
        _ transaction: SolanaTransaction,
        _ bytes: RawSpan
    ) throws(ParseFailure) -> (Address, Address) {
        guard let index0 = transaction.keys.firstIndex(of: swap.account0),
            let index1 = transaction.keys.firstIndex(of: swap.account1),
            let mint0 = transaction.mint(ofAccount: index0, bytes),
            let mint1 = transaction.mint(ofAccount: index1, bytes)
        else { throw .unknownMints }
        return swap.isZeroForOne ? (mint0, mint1) : (mint1, mint0)
    }

    private static func swapEvent(
        _ event: Int,
        in walk: ProgramWalk,
        _ tally: inout ParseTally
    ) throws(ParseFailure) -> RaydiumCLMMSwapEvent {
        let payload = unsafe walk.payloads.span.bytes.extracting(walk.events[event].payload)
        let swap = try RaydiumCLMMSwapEvent(payload)
        tally.unknownTailBytes &+= UInt64(RaydiumCLMMSwapEvent.unknownTail(payload))
        return swap
    }

    private static func trade(
        _ swap: RaydiumCLMMSwapEvent,
        _ inputMint: Address,
        _ outputMint: Address
    ) -> Trade {
        let isFirstIn = swap.isZeroForOne
        let taken = UInt128(isFirstIn ? swap.amount0 : swap.amount1)
        let received = UInt128(isFirstIn ? swap.amount1 : swap.amount0)
        let inputFee = UInt128(isFirstIn ? swap.transferFee0 : swap.transferFee1)
        let outputFee = UInt128(isFirstIn ? swap.transferFee1 : swap.transferFee0)
        let fee = isFirstIn ? swap.tradeFee0 : swap.tradeFee1
        let otherFee = isFirstIn ? swap.tradeFee1 : swap.tradeFee0
        var trade = RaydiumSwap(
            venue: .raydiumCLMM,
            pool: swap.pool,
            trader: swap.sender,
            inputMint: inputMint,
            outputMint: outputMint,
            isFirstIn: isFirstIn,
            taken: taken,
            given: received + outputFee,
            paid: taken + inputFee,
            received: received,
            // Where both sides were charged, no single number says it.
            tradeFee: otherFee == 0 ? fee.map { UInt128($0) } : nil
        ).trade()
        if let fee, let otherFee, fee == 0, otherFee > 0 {
            trade.fees.liquidity = UInt128(otherFee)
            trade.fees.isInToken = trade.side == .buy
        }
        trade.sqrtPriceX64 = swap.sqrtPriceX64
        trade.liquidity = swap.liquidity
        trade.tick = swap.tick
        return trade
    }

    /// The call alone tells a new pool. It begins empty.
    private static func opening(
        _ context: RaydiumCall,
        in walk: ProgramWalk,
        _ transaction: SolanaTransaction,
        _ bytes: RawSpan
    ) throws(ParseFailure) -> PoolCreated {
        let sides = MarketPair(
            try context.account(3, in: walk, transaction, bytes),
            try context.account(4, in: walk, transaction, bytes)
        )
        return PoolCreated(
            venue: .raydiumCLMM,
            pool: try context.account(2, in: walk, transaction, bytes),
            token: sides.token,
            quote: sides.quote,
            isReversed: sides.isReversed,
            isRawOrientation: sides.isRaw,
            creator: try context.account(0, in: walk, transaction, bytes)
        )
    }
}
