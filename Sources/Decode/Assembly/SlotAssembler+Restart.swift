import MarketModel
package import RecordModel

/// What a checkpoint keeps of an assembler, and what a digest knows it by.
extension SlotAssembler {
    /// What a checkpoint at the last final slot stores; nil while nothing is final.
    package var anchor: AssemblerAnchor? {
        chain.settled.map { settled in
            let next = resume ?? through.next
            return AssemblerAnchor(
                position: settled.position,
                hash: settled.hash,
                through: through,
                hadStatuses: chain.hadVotes,
                lacking: past.lacking,
                gaps: chain.gaps.kept(resume: next),
                lowerEnds: chain.gaps.lowerEnds(resume: next),
                late: late,
                awaited: awaited,
                facts: chain.facts.entries,
                factPosition: enrichmentPosition
            )
        }
    }

    /// Where reading must begin to go on from `anchor`: the lowest sequence that holds anything of
    /// what is above it, that proves something of it, or that is in doubt of it. Nil when nothing
    /// is: reading goes on with the next record.
    package var resume: Sequence? {
        guard let settled = chain.settled else { return nil }
        var sequences = chain.window.slots.map(\.firstSequence)
        sequences += settled.witnesses.map(\.sequence)
        for slot in chain.window.slots { sequences += slot.parts.compactMap(\.request) }
        for stream in chain.streams.streams {
            guard stream.isFromSlotValid, let from = stream.promise.fromSlot,
                from.number > settled.position
            else { continue }
            sequences.append(stream.since)
        }
        return sequences.min()
    }

    /// Appends a canonical form of everything that is still open: equal for equal input, on every
    /// machine.
    package func encodeOpenState(into bytes: inout [UInt8]) {
        var writer = OpenStateWriter()
        writer.write(chain, past, hasWaiting: hasWaiting)
        bytes.append(contentsOf: writer.bytes)
    }
}
