import MarketModel
import RecordModel

/// Reads PumpSwap.
enum PumpSwapStrategy: ProgramStrategy {
    /// Reads one call with its events.
    static func read(
        _ call: Int,
        in walk: ProgramWalk,
        _ transaction: SolanaTransaction,
        _ bytes: RawSpan,
        into findings: inout MarketFindings,
        tally: inout ParseTally
    ) {
        guard let discriminator = walk.discriminator(of: call, transaction, bytes) else { return }
        let instruction = PumpSwapInstruction(rawValue: discriminator)
        if instruction == nil {
            tally.meetUnknown(.pumpSwap, isEvent: false, discriminator)
        }
        var outcome = CallOutcome()
        for event in walk.events(of: call) {
            do throws(ParseFailure) {
                let context = PumpSwapCall(position: call, instruction: instruction)
                let read = try readEvent(
                    event,
                    context,
                    in: walk,
                    transaction,
                    bytes,
                    &findings,
                    &tally
                )
                guard let found = read else { continue }
                if instruction.map({ isResult(found, of: $0) }) == true { outcome.hasResult = true }
                findings.add(found, call: call, transaction)
            } catch {
                outcome.fail(error)
            }
        }
        switch instruction {
        case .deposit, .withdraw:
            findings.addShareToken(walk.account(5, of: call, transaction, bytes))
        case .multiHopSwap:
            // A route over curves alone trades in the curve's calls below.
            if walk.hasCall(of: .pumpCurve, below: call) { outcome.hasResult = true }
        case .transferCreatorFeesToPump, .transferCreatorFeesToPumpV2:
            if walk.events(of: call).isEmpty, let instruction,
                let payout = transferred(instruction, call, walk, transaction, bytes)
            {
                findings.add(.feePayout(payout), call: call, transaction)
            }
        default: break
        }
        // What an unknown instruction is there for, nobody knows.
        let isCandidate = instruction.map(isCandidate) ?? false
        outcome.count(.pumpSwap, isCandidate: isCandidate, in: &tally)
    }

    /// Reads an event whose call is not known.
    static func readOrphan(
        _ event: Int,
        in walk: ProgramWalk,
        _ transaction: SolanaTransaction,
        _ bytes: RawSpan,
        into findings: inout MarketFindings,
        tally: inout ParseTally
    ) {
        do throws(ParseFailure) {
            let context = PumpSwapCall(position: nil, instruction: nil)
            let read = try readEvent(
                event,
                context,
                in: walk,
                transaction,
                bytes,
                &findings,
                &tally
            )
            guard let found = read else { return }
            findings.add(found, outer: walk.events[event].outer)
        } catch {
            tally.fail(.pumpSwap, error)
        }
    }

    private static func isCandidate(_ instruction: PumpSwapInstruction) -> Bool {
        switch instruction {
        case .createPool, .deposit, .withdraw: true
        default: isTrade(instruction)
        }
    }

    private static func isTrade(_ instruction: PumpSwapInstruction) -> Bool {
        switch instruction {
        case .buy, .buyExactQuoteIn, .sell, .buyV2, .buyExactQuoteInV2, .sellV2, .multiHopSwap:
            true
        default: false
        }
    }

    private static func isResult(
        _ event: MarketEvent,
        of instruction: PumpSwapInstruction
    ) -> Bool {
        switch event {
        case .trade: isTrade(instruction)
        case .poolCreated: instruction == .createPool
        case .liquidity(let change):
            instruction == (change.direction == .add ? .deposit : .withdraw)
        default: false
        }
    }

    /// Reads one event; nil when it is none of a market.
    private static func readEvent(
        _ position: Int,
        _ call: PumpSwapCall,
        in walk: ProgramWalk,
        _ transaction: SolanaTransaction,
        _ bytes: RawSpan,
        _ findings: inout MarketFindings,
        _ tally: inout ParseTally
    ) throws(ParseFailure) -> MarketEvent? {
        let payloads = unsafe walk.payloads.span.bytes
        var (discriminator, fields) = try walk.openEvent(position, payloads)
        guard let kind = PumpSwapEvent(rawValue: discriminator) else {
            tally.meetUnknown(.pumpSwap, isEvent: true, discriminator)
            return nil
        }
        var found: MarketEvent
        switch kind {
        case .buy:
            let swap = try PumpSwapTrade(buy: &fields, payloads)
            found = .trade(try swap.trade(call, walk, transaction, bytes))
        case .sell:
            let swap = try PumpSwapTrade(sell: &fields, payloads)
            found = .trade(try swap.trade(call, walk, transaction, bytes))
        case .deposit, .withdraw:
            let change = try PumpSwapLiquidity(kind, &fields, payloads)
            found = .liquidity(try change.change(call, walk, transaction, bytes))
        default:
            guard let other = try read(kind, &fields, payloads, &findings) else { return nil }
            found = other
            if case .feePayout(var payout) = found, payout.quote == nil {
                payout.quote = call.feeQuote(walk, transaction, bytes)
                found = .feePayout(payout)
            }
        }
        tally.unknownTailBytes &+= UInt64(fields.rest)
        return walk.marked(found, from: position)
    }
}

/// A call of PumpSwap that gave an event; nothing is known of it when the logs do not agree with
/// the calls.
struct PumpSwapCall {
    var position: Int?
    var instruction: PumpSwapInstruction?

    /// The mints of a pool, base and quote, as the instruction has them.
    func mints(
        of pool: Address,
        _ walk: ProgramWalk,
        _ transaction: SolanaTransaction,
        _ bytes: RawSpan
    ) throws(ParseFailure) -> (base: Address, quote: Address)? {
        guard let position, let instruction else { return nil }
        switch instruction {
        case .multiHopSwap:
            // Five accounts a hop: mints, pool or curve, vaults.
            var hop = 16
            while let place = walk.account(hop + 2, of: position, transaction, bytes) {
                if place == pool { return try pair(hop, position, walk, transaction, bytes) }
                hop += 5
            }
            return nil
        case .buy, .buyExactQuoteIn, .sell, .buyV2, .buyExactQuoteInV2, .sellV2, .deposit,
            .withdraw:
            guard walk.account(0, of: position, transaction, bytes) == pool else { return nil }
            return try pair(3, position, walk, transaction, bytes)
        default: return nil
        }
    }

    private func pair(
        _ first: Int,
        _ position: Int,
        _ walk: ProgramWalk,
        _ transaction: SolanaTransaction,
        _ bytes: RawSpan
    ) throws(ParseFailure) -> (base: Address, quote: Address) {
        guard walk.accountIndex(first + 1, of: position, transaction, bytes) != nil else {
            throw .missingAccount
        }
        guard let base = walk.account(first, of: position, transaction, bytes),
            let quote = walk.account(first + 1, of: position, transaction, bytes)
        else { throw .badIndex }
        return (base, quote)
    }

    /// What fees are paid out in, where the instruction names it.
    func feeQuote(
        _ walk: ProgramWalk,
        _ transaction: SolanaTransaction,
        _ bytes: RawSpan
    ) -> Address? {
        guard let position else { return nil }
        switch instruction {
        case .collectCoinCreatorFee, .transferCreatorFeesToPump:
            return walk.account(0, of: position, transaction, bytes)
        case .transferCreatorFeesToPumpV2:
            return walk.account(1, of: position, transaction, bytes)
        case .claimCashback: return walk.account(2, of: position, transaction, bytes)
        default: return nil
        }
    }
}
