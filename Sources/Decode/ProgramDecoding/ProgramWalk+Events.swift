import MarketModel
import RecordModel

extension ProgramWalk {
    /// No event comes near it: a call has at most 10,240 bytes of data, and logs end at 10,000.
    static let payloadMax = 16 << 10
    /// All events of a transaction.
    static let payloadsMax = 256 << 10

    /// A market's calls to itself, one account and the tag in front, are events of the call above.
    mutating func takeEventsFromCalls(
        _ transaction: SolanaTransaction,
        _ bytes: RawSpan,
        tally: inout ParseTally
    ) {
        var lastCalls = ProgramCounts()
        for position in calls.indices where calls[position].program.isMarket {
            let program = calls[position].program
            guard carriesEvent(position, transaction, bytes) else {
                lastCalls[program] = position + 1
                continue
            }
            var parent = Int(calls[position].parent)
            if !knowsHeights {
                // Without heights: the last call of the same program below the same instruction.
                let last = lastCalls[program] - 1
                let outer = transaction.instructions[position].outer
                if last >= 0, transaction.instructions[last].outer == outer { parent = last }
            }
            guard parent >= 0, calls[parent].program == program, !calls[parent].isEvent else {
                continue
            }
            calls[position].isEvent = true
            callEvents[program] += 1
            let data = transaction.instructions[position].data
            var event = Event(
                program: program,
                call: Int32(parent),
                outer: transaction.instructions[position].outer,
                payload: payloads.count..<payloads.count
            )
            event.isBehindCut = lines.isCut && callEvents[program] > lines.counts[program]
            if events.count >= LogScan.entriesMax {
                tally.fail(program, .tooLarge)
                continue
            }
            let payload = data.lowerBound + 8..<data.upperBound
            if payload.count > ProgramWalk.payloadMax
                || payload.count > ProgramWalk.payloadsMax - payloads.count
            {
                event.fault = .tooLarge
            } else {
                payloads.append(bytes, payload)
                event.payload = event.payload.lowerBound..<payloads.count
            }
            events.append(event)
        }
    }

    /// Where the logs have more events of a program than its calls to itself, they are read as
    /// well; those that a call brought too are left out, one for one.
    mutating func takeEventsFromLogs(_ bytes: RawSpan, tally: inout ParseTally) {
        for strategy in Strategy.allCases {
            guard let program = SolanaProgram(rawValue: strategy.rawValue) else { continue }
            let leftOut = lines.leftOut[program]
            if leftOut > 0 { tally.fail(program, .tooLarge, count: leftOut) }
            guard lines.counts[program] > callEvents[program] else { continue }
            takeEvents(of: program, bytes)
        }
    }

    private mutating func takeEvents(of program: SolanaProgram, _ bytes: RawSpan) {
        let fromCalls = events.indices
        var isTaken = [Bool](repeating: false, count: callEvents[program] > 0 ? events.count : 0)
        for entry in lines.entries where entry.program == program {
            let start = payloads.count
            var event = Event(
                program: program,
                call: entry.call,
                outer: UInt16(clamping: max(entry.tops, 1) - 1),
                payload: start..<start,
                isRayLog: entry.isRayLog
            )
            let room = min(ProgramWalk.payloadMax, ProgramWalk.payloadsMax - start)
            if entry.text.count / 4 * 3 > room {
                event.fault = .tooLarge
            } else if !Base64.append(bytes, entry.text, to: &payloads) {
                event.fault = .invalid
            }
            event.payload = start..<payloads.count
            if !isTaken.isEmpty,
                let same = fromCalls.first(where: { !isTaken[$0] && isSame(events[$0], event) })
            {
                isTaken[same] = true
                payloads.removeSubrange(start...)
                continue
            }
            guard events.count < 2 * LogScan.entriesMax else { continue }
            events.append(event)
        }
    }

    private func isSame(_ left: Event, _ right: Event) -> Bool {
        left.program == right.program && left.fault == nil && right.fault == nil
            && left.payload.count == right.payload.count
            && payloads[left.payload].elementsEqual(payloads[right.payload])
    }

    /// Puts events in the order of their calls; those of one call stay as they were given.
    mutating func sortEvents() {
        var isSorted = true
        for position in events.indices.dropFirst()
        where order(events[position]) < order(events[position - 1]) {
            isSorted = false
        }
        if !isSorted {
            // The offsets make the order total, so that it is the same with any sort.
            let sorted = events.enumerated().sorted {
                (order($0.element), $0.offset) < (order($1.element), $1.offset)
            }
            for (position, entry) in sorted.enumerated() { events[position] = entry.element }
        }
        orphans = events.count
        for (position, event) in events.enumerated() {
            guard event.call >= 0 else {
                orphans = position
                return
            }
            let call = Int(event.call)
            if calls[call].eventCount == 0 { calls[call].firstEvent = Int32(position) }
            calls[call].eventCount += 1
        }
    }

    private func order(_ event: Event) -> Int32 { event.call < 0 ? .max : event.call }
}

extension [UInt8] {
    /// Appends a part of `bytes`; traps outside them.
    mutating func append(_ bytes: RawSpan, _ range: Range<Int>) {
        reserveCapacity(count + range.count)
        for position in range { append(bytes.byte(at: position)) }
    }
}
