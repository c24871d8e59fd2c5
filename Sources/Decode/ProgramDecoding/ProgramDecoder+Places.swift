import MarketModel

extension ProgramDecoder {
    /// Every event at its place, with the router of trades: by rising top-level instruction, call
    /// and order of finding, so that a parent comes before its children and no place is twice.
    func placedEvents(_ transaction: SolanaTransaction) -> [PlacedEvent] {
        let found = findings.found
        var placed: [PlacedEvent] = []
        placed.reserveCapacity(found.count)
        var last: (outer: UInt16, inner: UInt16) = (0, 0)
        var ordinal: UInt32 = 0
        for position in order(transaction) {
            let (outer, inner) = path(found[position], transaction)
            let isNext = !placed.isEmpty && last == (outer, inner)
            ordinal = isNext ? ordinal + 1 : 0
            last = (outer, inner)
            var event = found[position].event
            if case .trade(var trade) = event {
                trade.router = router(Int(found[position].call), trade.venue, transaction)
                event = .trade(trade)
            }
            let place = EventPlace(
                transaction: UInt32(clamping: transaction.index),
                instruction: outer,
                inner: inner,
                ordinal: ordinal
            )
            placed.append(PlacedEvent(place, event))
        }
        return placed
    }

    /// Positions of what was found, by rising path; in one of it by order of finding.
    private func order(_ transaction: SolanaTransaction) -> [Int] {
        var keys: [UInt64] = []
        keys.reserveCapacity(findings.found.count)
        for (position, found) in findings.found.enumerated() {
            let (outer, inner) = path(found, transaction)
            keys.append(UInt64(outer) << 48 | UInt64(inner) << 32 | UInt64(position))
        }
        keys.sort()
        return keys.map { Int($0 & 0xffff_ffff) }
    }

    private func path(
        _ found: MarketFindings.Found,
        _ transaction: SolanaTransaction
    ) -> (outer: UInt16, inner: UInt16) {
        guard found.call >= 0 else { return (found.outer, 0) }
        let instruction = transaction.instructions[Int(found.call)]
        return (instruction.outer, instruction.inner)
    }

    /// The program of the top-level instruction, unless the venue itself was called there.
    private func router(
        _ call: Int,
        _ venue: Venue,
        _ transaction: SolanaTransaction
    ) -> Address? {
        guard call >= 0 else { return nil }
        var top = call
        while walk.calls[top].parent >= 0 { top = Int(walk.calls[top].parent) }
        let program = Int(transaction.instructions[top].program)
        guard walk.calls[top].program.venue != venue, program < transaction.keys.count else {
            return nil
        }
        return transaction.keys[program]
    }
}
