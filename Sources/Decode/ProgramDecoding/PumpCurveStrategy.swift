import MarketModel
import RecordModel

/// Reads pump.fun's bonding curve.
enum PumpCurveStrategy: ProgramStrategy {
    /// What a call of the curve fixes about the trade in it.
    struct Terms {
        var exactness = Trade.Exactness.unknown
        var limit: UInt128?
        var curve: Address?
    }

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
        let instruction = PumpCurveInstruction(rawValue: discriminator)
        if instruction == nil {
            tally.meetUnknown(.pumpCurve, isEvent: false, discriminator)
        }
        var outcome = CallOutcome()
        let fixed = instruction.map { terms(of: $0, call, walk, transaction, bytes) } ?? Terms()
        for event in walk.events(of: call) {
            do throws(ParseFailure) {
                let read = try readEvent(event, in: walk, fixed, tally: &tally)
                guard var found = read else { continue }
                if instruction == .claimCashbackV2, case .feePayout(var payout) = found {
                    payout.quote = walk.account(2, of: call, transaction, bytes)
                    found = .feePayout(payout)
                }
                if instruction.map({ isResult(found, of: $0) }) == true { outcome.hasResult = true }
                findings.add(found, call: call, transaction)
            } catch {
                outcome.fail(error)
            }
        }
        // What an unknown instruction is there for, nobody knows.
        var isCandidate = instruction.map(isCandidate) ?? false
        if instruction == .migrate || instruction == .migrateV2 {
            findings.addShareToken(walk.account(15, of: call, transaction, bytes))
            // A migration that is repeated does nothing and says nothing.
            let isRepeated = !outcome.hasResult && !walk.hasCall(of: .pumpSwap, below: call)
            if isRepeated { isCandidate = false }
        }
        outcome.count(.pumpCurve, isCandidate: isCandidate, in: &tally)
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
            guard let found = try readEvent(event, in: walk, Terms(), tally: &tally) else { return }
            findings.add(found, outer: walk.events[event].outer)
        } catch {
            tally.fail(.pumpCurve, error)
        }
    }

    private static func isCandidate(_ instruction: PumpCurveInstruction) -> Bool {
        switch instruction {
        case .create, .createV2, .migrate, .migrateV2: true
        default: isTrade(instruction)
        }
    }

    private static func isTrade(_ instruction: PumpCurveInstruction) -> Bool {
        switch instruction {
        case .buy, .buyExactSolIn, .sell, .buyV2, .buyExactQuoteInV2, .sellV2, .buyV3,
            .buyExactQuoteInV3, .sellV3, .multiHopCurveSwap:
            true
        default: false
        }
    }

    private static func isResult(
        _ event: MarketEvent,
        of instruction: PumpCurveInstruction
    ) -> Bool {
        switch event {
        case .trade(let trade): isTrade(instruction) && !trade.flags.contains(.postComplete)
        case .tokenCreated: instruction == .create || instruction == .createV2
        case .curveMigrated: instruction == .migrate || instruction == .migrateV2
        default: false
        }
    }

    /// What the instruction of a trade says; nothing for any other.
    private static func terms(
        of instruction: PumpCurveInstruction,
        _ call: Int,
        _ walk: ProgramWalk,
        _ transaction: SolanaTransaction,
        _ bytes: RawSpan
    ) -> Terms {
        var terms = Terms()
        let curve: Int
        switch instruction {
        case .buy: (terms.exactness, curve) = (.exactOut, 3)
        case .buyExactSolIn, .sell: (terms.exactness, curve) = (.exactIn, 3)
        case .buyV2: (terms.exactness, curve) = (.exactOut, 10)
        case .buyExactQuoteInV2, .sellV2: (terms.exactness, curve) = (.exactIn, 10)
        case .buyV3: (terms.exactness, curve) = (.exactOut, 5)
        case .buyExactQuoteInV3, .sellV3: (terms.exactness, curve) = (.exactIn, 5)
        case .multiHopCurveSwap:
            // The limit holds for the whole route; the accounts are not published.
            terms.exactness = .exactIn
            return terms
        default: return terms
        }
        terms.curve = walk.account(curve, of: call, transaction, bytes)
        // The amount that is exact, then the limit.
        let data = transaction.instructions[call].data
        if data.count >= 24 {
            terms.limit = UInt128(bytes.littleEndianUInt64(at: data.lowerBound + 16))
        }
        return terms
    }

    /// Reads one event; nil when it is none of a market.
    private static func readEvent(
        _ position: Int,
        in walk: ProgramWalk,
        _ terms: Terms,
        tally: inout ParseTally
    ) throws(ParseFailure) -> MarketEvent? {
        let payloads = unsafe walk.payloads.span.bytes
        var (discriminator, fields) = try walk.openEvent(position, payloads)
        guard let kind = PumpCurveEvent(rawValue: discriminator) else {
            tally.meetUnknown(.pumpCurve, isEvent: true, discriminator)
            return nil
        }
        guard let found = try read(kind, &fields, payloads, terms) else { return nil }
        tally.unknownTailBytes &+= UInt64(fields.rest)
        return walk.marked(found, from: position)
    }

    private static func read(
        _ kind: PumpCurveEvent,
        _ fields: inout FieldReader,
        _ bytes: RawSpan,
        _ terms: Terms
    ) throws(ParseFailure) -> MarketEvent? {
        switch kind {
        case .trade: .trade(try trade(&fields, bytes, terms))
        case .create: .tokenCreated(try created(&fields, bytes))
        case .complete: .curveCompleted(try completed(&fields, bytes))
        case .postCompleteBuy: .trade(try postCompleteBuy(&fields, bytes, terms))
        case .completePumpAmmMigration: .curveMigrated(try migrated(&fields, bytes))
        case .updateMayhemVirtualParams: .curveReset(try reset(&fields, bytes))
        case .setCreator, .setMetaplexCreator, .adminSetCreator, .adminCto,
            .migrateBondingCurveCreator:
            .creatorChanged(try creatorChanged(kind, &fields, bytes))
        case .collectCreatorFee: .feePayout(try collected(&fields, bytes))
        case .sweepBondingCurveFee: .feePayout(try swept(&fields, bytes))
        case .distributeCreatorFees: .feePayout(try distributed(&fields, bytes))
        case .distributeFeeToHolders: .feePayout(try distributedToHolders(&fields, bytes))
        case .claimCashback:
            // In SOL, unless the instruction names another quote.
            .feePayout(
                try FeePayout(
                    cashback: &fields,
                    bytes,
                    venue: .pumpCurve,
                    quote: .wrappedSOL
                )
            )
        case .adminSetIdlAuthority, .adminUpdateTokenIncentives, .claimTokenIncentives,
            .closeUserVolumeAccumulator, .extendAccount, .initUserVolumeAccumulator,
            .minimumDistributableFee, .reservedFeeRecipients, .setParams,
            .syncUserVolumeAccumulator, .updateGlobalAuthority:
            nil
        }
    }
}
