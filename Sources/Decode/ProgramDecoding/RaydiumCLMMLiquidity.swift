import MarketModel
import RecordModel

/// Reads what a call of Raydium CLMM did to a position. `shares` is the change of its liquidity.
struct RaydiumCLMMLiquidity {
    /// What was done to the position.
    enum Kind: Hashable {
        case open
        case increase
        case decrease
    }

    /// What events or, where they were cut from the logs, transfers tell.
    private struct Told {
        var amount0: UInt128
        var amount1: UInt128
        var liquidity: UInt128
        /// Fees paid out; nil when they are not known or there are none to pay.
        var fees: (UInt128, UInt128)?
        var owner: Address
        var position: Address?
        var lowerTick: Int32?
        var upperTick: Int32?
    }

    let context: RaydiumCall
    let places: RaydiumCLMMInstruction.Places
    let kind: Kind

    /// Reads the change.
    func read(
        in walk: ProgramWalk,
        _ transaction: SolanaTransaction,
        _ bytes: RawSpan,
        tally: inout ParseTally
    ) throws(ParseFailure) -> LiquidityChange {
        let vaults = try vaults(in: walk, transaction, bytes)
        let sides = MarketPair(vaults.0.mint, vaults.1.mint)
        var told: Told
        if let event = try walk.event(of: context.call, discriminator) {
            told = try read(event, in: walk, transaction, bytes, &tally)
        } else {
            told = try byTransfers(vaults, in: walk, transaction, bytes)
        }
        try addTicks(&told, in: walk)
        let amounts = sides.reserves(told.amount0, told.amount1)
        var change = LiquidityChange(
            venue: .raydiumCLMM,
            pool: try context.account(places.pool, in: walk, transaction, bytes),
            token: sides.token,
            quote: sides.quote,
            direction: kind == .decrease ? .remove : .add,
            owner: told.owner,
            tokenAmount: amounts.token,
            quoteAmount: amounts.quote,
            shares: told.liquidity
        )
        change.lowerTick = told.lowerTick
        change.upperTick = told.upperTick
        change.position = told.position
        change.collected = told.fees.map { sides.reserves($0.0, $0.1) }
        return change
    }

    private var discriminator: UInt64 {
        switch kind {
        case .open: RaydiumCLMMOpenEvent.discriminator
        case .increase: RaydiumCLMMPositionEvent.increaseDiscriminator
        case .decrease: RaydiumCLMMPositionEvent.decreaseDiscriminator
        }
    }

    private func vaults(
        in walk: ProgramWalk,
        _ transaction: SolanaTransaction,
        _ bytes: RawSpan
    ) throws(ParseFailure) -> (RaydiumCall.Vault, RaydiumCall.Vault) {
        guard let mint = places.mint else {
            return (
                try context.vault(places.vault, in: walk, transaction, bytes),
                try context.vault(places.vault + 1, in: walk, transaction, bytes)
            )
        }
        return (
            try context.vault(places.vault, mintAt: mint, in: walk, transaction, bytes),
            try context.vault(places.vault + 1, mintAt: mint + 1, in: walk, transaction, bytes)
        )
    }

    private func read(
        _ event: Int,
        in walk: ProgramWalk,
        _ transaction: SolanaTransaction,
        _ bytes: RawSpan,
        _ tally: inout ParseTally
    ) throws(ParseFailure) -> Told {
        let payload = unsafe walk.payloads.span.bytes.extracting(walk.events[event].payload)
        let length = knownLength
        tally.unknownTailBytes &+= UInt64(max(0, payload.byteCount - length))
        switch kind {
        case .open:
            let opened = try RaydiumCLMMOpenEvent(payload)
            return Told(
                amount0: UInt128(opened.amount0),
                amount1: UInt128(opened.amount1),
                liquidity: opened.liquidity,
                owner: opened.owner,
                position: try context.account(2, in: walk, transaction, bytes),
                lowerTick: opened.lowerTick,
                upperTick: opened.upperTick
            )
        case .increase, .decrease:
            let changed =
                kind == .increase
                ? try RaydiumCLMMPositionEvent(increase: payload)
                : try RaydiumCLMMPositionEvent(decrease: payload)
            return Told(
                amount0: UInt128(changed.amount0),
                amount1: UInt128(changed.amount1),
                liquidity: changed.liquidity,
                fees: kind == .decrease ? (UInt128(changed.fee0), UInt128(changed.fee1)) : nil,
                owner: try context.account(0, in: walk, transaction, bytes),
                position: changed.position
            )
        }
    }

    /// Bytes of the only form of the event.
    private var knownLength: Int {
        switch kind {
        case .open: RaydiumCLMMOpenEvent.length
        case .increase: RaydiumCLMMPositionEvent.increaseLength
        case .decrease: RaydiumCLMMPositionEvent.decreaseLength
        }
    }

    /// Without events: the data says how much liquidity, and transfers what moved. Fees that were
    /// paid out cannot be told from what was taken out.
    private func byTransfers(
        _ vaults: (RaydiumCall.Vault, RaydiumCall.Vault),
        in walk: ProgramWalk,
        _ transaction: SolanaTransaction,
        _ bytes: RawSpan
    ) throws(ParseFailure) -> Told {
        let call = context.call
        let data = bytes.extracting(transaction.instructions[call].data)
        // Discriminator and, of a new position, four ticks: the range and where it is kept.
        let offset = kind == .open ? 24 : 8
        guard data.byteCount >= offset + 16 else { throw .truncated }
        let flow0 = TokenFlow(of: vaults.0.index, below: call, in: walk, transaction, bytes)
        let flow1 = TokenFlow(of: vaults.1.index, below: call, in: walk, transaction, bytes)
        let isOut = kind == .decrease
        var told = Told(
            amount0: isOut ? flow0.outOf : flow0.into,
            amount1: isOut ? flow1.outOf : flow1.into,
            liquidity: data.littleEndianUInt128(at: offset),
            owner: try context.account(kind == .open ? 1 : 0, in: walk, transaction, bytes)
        )
        guard told.amount0 > 0 || told.amount1 > 0 else { throw .noEvent }
        if kind == .open {
            told.lowerTick = Int32(bitPattern: data.littleEndianUInt32(at: 8))
            told.upperTick = Int32(bitPattern: data.littleEndianUInt32(at: 12))
            told.position = try context.account(2, in: walk, transaction, bytes)
        }
        return told
    }

    /// The ticks stand in an event of their own, given by the same call.
    private func addTicks(_ told: inout Told, in walk: ProgramWalk) throws(ParseFailure) {
        guard told.lowerTick == nil,
            let event = try walk.event(of: context.call, RaydiumCLMMRangeEvent.discriminator)
        else { return }
        let payload = unsafe walk.payloads.span.bytes.extracting(walk.events[event].payload)
        let range = try RaydiumCLMMRangeEvent(payload)
        told.lowerTick = range.lowerTick
        told.upperTick = range.upperTick
    }
}
