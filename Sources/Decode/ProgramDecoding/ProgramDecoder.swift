package import MarketModel

/// Reads the market events of one transaction after the other. What it gives depends on the
/// transaction alone.
package struct ProgramDecoder {
    /// Raised whenever the same transaction would give other facts; state of another version is
    /// rebuilt.
    package static let version: UInt32 = 1

    private(set) var walk = ProgramWalk()
    private(set) var findings = MarketFindings()

    package init() {}

    /// Whether any market program is among the keys of a transaction. All others have no facts.
    package static func isOfInterest(_ keys: [Address]) -> Bool {
        for key in keys where SolanaProgram(key).isMarket { return true }
        return false
    }

    /// Reads the market facts of a transaction.
    ///
    /// - Parameters:
    ///   - transaction: as read from `bytes`.
    ///   - bytes: what the ranges count in.
    ///   - tally: what every strategy answered is added here.
    /// - Returns: nil when the transaction failed or has none.
    package mutating func decode(
        _ transaction: SolanaTransaction,
        _ bytes: RawSpan,
        tally: inout ParseTally
    ) -> TransactionFacts? {
        guard !transaction.isFailed, ProgramDecoder.isOfInterest(transaction.keys) else {
            return nil
        }
        walk.read(transaction, bytes, tally: &tally)
        findings.removeAll()
        for call in walk.calls.indices
        where walk.calls[call].program.isMarket && !walk.calls[call].isEvent {
            let program = walk.calls[call].program
            read(.call(call), of: program, transaction, bytes, tally: &tally)
        }
        for event in walk.orphans..<walk.events.count {
            let program = walk.events[event].program
            read(.orphan(event), of: program, transaction, bytes, tally: &tally)
        }
        let movements = TokenMovements(transaction, bytes, walk, shareTokens: findings.shareTokens)
        for burn in movements.burns { findings.add(burn.event, call: burn.call, transaction) }
        guard !findings.found.isEmpty else { return nil }
        return facts(transaction, bytes, movements)
    }

    private func facts(
        _ transaction: SolanaTransaction,
        _ bytes: RawSpan,
        _ movements: TokenMovements
    ) -> TransactionFacts? {
        // A transaction has an identity; what has none is no transaction.
        guard transaction.signature.count == 64,
            let signature = Signature(bytes, at: transaction.signature.lowerBound)
        else { return nil }
        var facts = TransactionFacts(
            id: .solana(signature),
            index: UInt32(clamping: transaction.index),
            feePayer: transaction.keys.first,
            fee: UInt128(transaction.fee),
            priorityPrice: UInt128(movements.priorityPrice),
            tip: movements.tip,
            events: placedEvents(transaction),
            links: movements.links
        )
        facts.hasCutLogs = walk.hasCutLogs
        MultiHop.mark(&facts.events)
        return facts
    }

    /// Something of one program that a strategy is to read, by its place in the walk.
    private enum Place {
        case call(Int)
        /// An event that no call is known for.
        case orphan(Int)
    }

    /// The strategies, by program: one direct call, nothing to look up.
    private mutating func read(
        _ place: Place,
        of program: SolanaProgram,
        _ transaction: SolanaTransaction,
        _ bytes: RawSpan,
        tally: inout ParseTally
    ) {
        switch program {
        case .pumpCurve: ask(PumpCurveStrategy.self, place, transaction, bytes, &tally)
        case .pumpSwap: ask(PumpSwapStrategy.self, place, transaction, bytes, &tally)
        case .raydiumV4: ask(RaydiumV4Strategy.self, place, transaction, bytes, &tally)
        case .raydiumCPMM: ask(RaydiumCPMMStrategy.self, place, transaction, bytes, &tally)
        case .raydiumCLMM: ask(RaydiumCLMMStrategy.self, place, transaction, bytes, &tally)
        case .launchLab: ask(LaunchLabStrategy.self, place, transaction, bytes, &tally)
        case .other, .token, .token2022, .system, .computeBudget: break
        }
    }

    private mutating func ask<Strategy: ProgramStrategy>(
        _ strategy: Strategy.Type,
        _ place: Place,
        _ transaction: SolanaTransaction,
        _ bytes: RawSpan,
        _ tally: inout ParseTally
    ) {
        switch place {
        case .call(let call):
            strategy.read(call, in: walk, transaction, bytes, into: &findings, tally: &tally)
        case .orphan(let event):
            strategy.readOrphan(
                event,
                in: walk,
                transaction,
                bytes,
                into: &findings,
                tally: &tally
            )
        }
    }
}
