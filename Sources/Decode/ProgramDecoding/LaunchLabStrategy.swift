import MarketModel
import RecordModel

/// Reads calls of Raydium LaunchLab. Its coins are sold on curves with virtual reserves; the event
/// of a trade names no mint, the call does.
///
/// Prices are made of what is left of the virtual reserves: virtual base less what was sold, and
/// virtual quote plus what was raised. `quoteAmount` is what the raised quote grew or shrank by; the
/// fees of the protocol, the platform, the sharer and the creator come on top of a buy and off a
/// sell.
enum LaunchLabStrategy: ProgramStrategy {
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
            let instruction = try LaunchLabInstruction.read(data)
            walk.countUnknownEvents(of: call, tally: &tally, isKnown: isKnown)
            let context = RaydiumCall(call: call, program: .launchLab)
            switch instruction {
            case .idle: return
            case .unknown(let discriminator):
                tally.meetUnknown(.launchLab, isEvent: false, discriminator)
                return
            case .trade(let isExactIn, let limit):
                let trade = try trade(
                    context,
                    isExactIn,
                    limit,
                    in: walk,
                    transaction,
                    bytes,
                    &tally
                )
                findings.add(.trade(trade.trade), call: call, transaction)
                if let completed = trade.completed {
                    findings.add(.curveCompleted(completed), call: call, transaction)
                }
            case .initialize(let tokenProgram):
                let created = try creation(
                    context,
                    tokenProgram,
                    in: walk,
                    transaction,
                    bytes,
                    &tally
                )
                findings.add(.tokenCreated(created), call: call, transaction)
            case .migrate(let places):
                let migrated = try migration(context, places, in: walk, transaction, bytes)
                findings.add(.curveMigrated(migrated), call: call, transaction)
            }
            tally.succeed(.launchLab)
        } catch {
            tally.fail(.launchLab, error)
        }
    }

    /// An event without its call names no mint.
    static func readOrphan(
        _ event: Int,
        in walk: ProgramWalk,
        _ transaction: SolanaTransaction,
        _ bytes: RawSpan,
        into findings: inout MarketFindings,
        tally: inout ParseTally
    ) {
        switch walk.discriminator(ofEvent: event) {
        case LaunchLabTradeEvent.discriminator, LaunchLabCreateEvent.discriminator:
            tally.fail(.launchLab, .missingAccount)
        default: break
        }
    }

    private static func isKnown(_ event: UInt64) -> Bool {
        switch event {
        case LaunchLabTradeEvent.discriminator,
            LaunchLabCreateEvent.discriminator,
            0x15c2_7257_78d3_e220,  // ClaimVestedEvent
            0x9698_0bb3_34d2_bf7d:  // CreateVestingEvent
            true
        default: false
        }
    }

    private static func trade(
        _ context: RaydiumCall,
        _ isExactIn: Bool,
        _ limit: UInt64,
        in walk: ProgramWalk,
        _ transaction: SolanaTransaction,
        _ bytes: RawSpan,
        _ tally: inout ParseTally
    ) throws(ParseFailure) -> (trade: Trade, completed: CurveCompleted?) {
        guard let event = try walk.event(of: context.call, LaunchLabTradeEvent.discriminator)
        else { throw .noEvent }
        let payload = unsafe walk.payloads.span.bytes.extracting(walk.events[event].payload)
        let told = try LaunchLabTradeEvent(payload)
        tally.unknownTailBytes &+= UInt64(LaunchLabTradeEvent.unknownTail(payload))
        let trader = try context.account(0, in: walk, transaction, bytes)
        var trade = try LaunchLabTrade(told).trade(
            trader: trader,
            token: try context.account(9, in: walk, transaction, bytes),
            quote: try context.account(10, in: walk, transaction, bytes)
        )
        trade.exactness = isExactIn ? .exactIn : .exactOut
        trade.limit = UInt128(limit)
        if walk.events[event].isBehindCut { trade.flags.insert(.fromCall) }
        guard told.isBuy, told.status == .waitingToMigrate || trade.realTokenReserves == 0 else {
            return (trade, nil)
        }
        let completed = CurveCompleted(
            venue: .launchLab,
            token: trade.token,
            curve: told.pool,
            user: trader
        )
        return (trade, completed)
    }

    /// The event tells no virtual reserves: the program makes them of its configuration, and the
    /// first trade tells them.
    private static func creation(
        _ context: RaydiumCall,
        _ tokenProgram: Int,
        in walk: ProgramWalk,
        _ transaction: SolanaTransaction,
        _ bytes: RawSpan,
        _ tally: inout ParseTally
    ) throws(ParseFailure) -> TokenCreated {
        guard let event = try walk.event(of: context.call, LaunchLabCreateEvent.discriminator)
        else { throw .noEvent }
        let payload = unsafe walk.payloads.span.bytes.extracting(walk.events[event].payload)
        let told = try LaunchLabCreateEvent(payload)
        tally.unknownTailBytes &+= UInt64(told.unknownTail)
        var created = TokenCreated(
            venue: .launchLab,
            token: try context.account(6, in: walk, transaction, bytes),
            quote: try context.account(7, in: walk, transaction, bytes),
            curve: told.pool,
            user: try context.account(0, in: walk, transaction, bytes),
            creator: told.creator,
            name: told.name,
            symbol: told.symbol,
            uri: told.uri
        )
        created.supply = UInt128(told.supply)
        created.realTokenReserves = told.tokensForSale.map { UInt128($0) }
        created.tokenProgram = walk.account(tokenProgram, of: context.call, transaction, bytes)
        return created
    }

    /// No event tells of a migration. What went into the pool is what the call below says that
    /// opens it; whatever else left the vault of the quote was kept.
    private static func migration(
        _ context: RaydiumCall,
        _ places: LaunchLabInstruction.Migration,
        in walk: ProgramWalk,
        _ transaction: SolanaTransaction,
        _ bytes: RawSpan
    ) throws(ParseFailure) -> CurveMigrated {
        let token = try context.account(1, in: walk, transaction, bytes)
        let quote = try context.account(2, in: walk, transaction, bytes)
        let pool = try context.account(places.pool, in: walk, transaction, bytes)
        let vaults = (
            token: try context.vault(places.vault, mintAt: 1, in: walk, transaction, bytes),
            quote: try context.vault(places.vault + 1, mintAt: 2, in: walk, transaction, bytes)
        )
        let call = context.call
        let tokenFlow = TokenFlow(of: vaults.token.index, below: call, in: walk, transaction, bytes)
        let quoteFlow = TokenFlow(of: vaults.quote.index, below: call, in: walk, transaction, bytes)
        let opened = openedPool(token, quote, below: call, in: walk, transaction, bytes)
        let amounts = opened ?? Reserves(token: tokenFlow.outOf, quote: quoteFlow.outOf)
        guard amounts.token > 0, amounts.quote > 0 else { throw .noEvent }
        return CurveMigrated(
            venue: .launchLab,
            token: token,
            curve: try context.account(places.curve, in: walk, transaction, bytes),
            pool: pool,
            user: try context.account(0, in: walk, transaction, bytes),
            tokenAmount: amounts.token,
            quoteAmount: amounts.quote,
            fee: quoteFlow.outOf > amounts.quote ? quoteFlow.outOf - amounts.quote : 0
        )
    }

    /// The amounts with which a call below another one opens a pool of two mints.
    private static func openedPool(
        _ token: Address,
        _ quote: Address,
        below call: Int,
        in walk: ProgramWalk,
        _ transaction: SolanaTransaction,
        _ bytes: RawSpan
    ) -> Reserves? {
        for position in call + 1..<max(call + 1, Int(walk.calls[call].end)) {
            guard
                let (mints, amounts) = opening(position, in: walk, transaction, bytes),
                let first = walk.account(mints, of: position, transaction, bytes),
                let second = walk.account(mints + 1, of: position, transaction, bytes)
            else { continue }
            if first == token, second == quote {
                return Reserves(token: amounts.0, quote: amounts.1)
            }
            if first == quote, second == token {
                return Reserves(token: amounts.1, quote: amounts.0)
            }
        }
        return nil
    }

    /// Where a call that opens a pool names its mints, and how much of both it takes.
    private static func opening(
        _ position: Int,
        in walk: ProgramWalk,
        _ transaction: SolanaTransaction,
        _ bytes: RawSpan
    ) -> (mints: Int, (UInt128, UInt128))? {
        let data = transaction.instructions[position].data
        switch walk.calls[position].program {
        case .raydiumV4 where data.count >= 26 && bytes.byte(at: data.lowerBound) == 1:
            let pc = bytes.littleEndianUInt64(at: data.lowerBound + 10)
            let coin = bytes.littleEndianUInt64(at: data.lowerBound + 18)
            return (8, (UInt128(coin), UInt128(pc)))
        case .raydiumCPMM:
            do throws(ParseFailure) {
                let instruction = try RaydiumCPMMInstruction.read(bytes.extracting(data))
                guard case .initialize(let amount0, let amount1, let hasPermission) = instruction
                else { return nil }
                return (hasPermission ? 5 : 4, (UInt128(amount0), UInt128(amount1)))
            } catch {
                // The pool's own strategy counts it.
                return nil
            }
        default: return nil
        }
    }
}
