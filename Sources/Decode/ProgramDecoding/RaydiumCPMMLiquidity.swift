import MarketModel
import RecordModel

/// Reads a deposit into a pool of Raydium CPMM or a withdrawal from it: both have the same
/// accounts.
struct RaydiumCPMMLiquidity {
    let context: RaydiumCall
    let isDeposit: Bool

    /// Reads the change with the event that the call gave or, where that was cut from the logs, by
    /// its transfers.
    func read(
        _ shares: UInt64,
        in walk: ProgramWalk,
        _ transaction: SolanaTransaction,
        _ bytes: RawSpan,
        tally: inout ParseTally
    ) throws(ParseFailure) -> LiquidityChange {
        let first = try context.vault(6, mintAt: 10, in: walk, transaction, bytes)
        let second = try context.vault(7, mintAt: 11, in: walk, transaction, bytes)
        let sides = MarketPair(first.mint, second.mint)
        var change = LiquidityChange(
            venue: .raydiumCPMM,
            pool: try context.account(2, in: walk, transaction, bytes),
            token: sides.token,
            quote: sides.quote,
            direction: isDeposit ? .add : .remove,
            owner: try context.account(0, in: walk, transaction, bytes),
            tokenAmount: 0,
            quoteAmount: 0,
            shares: UInt128(shares)
        )
        let discriminator = RaydiumCPMMLiquidityEvent.discriminator
        if let event = try walk.event(of: context.call, discriminator) {
            let payload = unsafe walk.payloads.span.bytes.extracting(walk.events[event].payload)
            let told = try RaydiumCPMMLiquidityEvent(payload)
            tally.unknownTailBytes &+= UInt64(RaydiumCPMMLiquidityEvent.unknownTail(payload))
            guard told.isDeposit == isDeposit else { throw .invalid }
            let amounts = amounts(told, sides)
            change.tokenAmount = amounts.token
            change.quoteAmount = amounts.quote
            change.sharesBefore = UInt128(told.sharesBefore)
            change.setReserves(
                before: sides.reserves(UInt128(told.before0), UInt128(told.before1))
            )
            return change
        }
        let call = context.call
        let flow0 = TokenFlow(of: first.index, below: call, in: walk, transaction, bytes)
        let flow1 = TokenFlow(of: second.index, below: call, in: walk, transaction, bytes)
        let amount0 = isDeposit ? flow0.into : flow0.outOf
        let amount1 = isDeposit ? flow1.into : flow1.outOf
        guard amount0 > 0 || amount1 > 0 else { throw .noEvent }
        let amounts = sides.reserves(amount0, amount1)
        change.tokenAmount = amounts.token
        change.quoteAmount = amounts.quote
        return change
    }

    /// What the vaults took or gave: a withdrawal's event leaves out what transfers cost.
    private func amounts(_ told: RaydiumCPMMLiquidityEvent, _ sides: MarketPair) -> Reserves {
        let amount0 = UInt128(told.amount0)
        let amount1 = UInt128(told.amount1)
        return isDeposit
            ? sides.reserves(amount0, amount1)
            : sides.reserves(
                amount0 + UInt128(told.transferFee0),
                amount1 + UInt128(told.transferFee1)
            )
    }
}
