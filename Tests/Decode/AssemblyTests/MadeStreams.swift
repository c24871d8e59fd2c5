import Assembly
import MarketModel
import RecordModel

/// How a chain reaches the log: several streams with their own pace, which break and come back.
struct MadeStreams {
    /// Ten units of time are a slot.
    private struct Event {
        var time: Int
        var input: AssemblerInput
        var slot: UInt64
        /// It may come twice without telling anything new.
        var isRepeatable = false
    }

    /// What a run is made of.
    struct Plan {
        var hasVotes = true
        var streams = 1
        /// Each stream brings one group only.
        var isSplit = false
        var isUnfiltered = false
        var breaks = false
        /// Only the first stream breaks, and nothing says that its gap is filled.
        var leavesGap = false
        /// So many units of time after the stream came back the gap is given up instead of filled,
        /// and nothing is brought again.
        var abandonsAfter: Int?
        /// Slots that a stream may lag behind.
        var lag = 3
    }

    /// In log order; the place in the list plus one is the sequence.
    private(set) var inputs: [AssemblerInput] = []

    private let chain: MadeChain
    private let plan: Plan
    private var numbers: SeededNumbers
    private var events: [Event] = []
    private var nextStream: UInt64 = 1
    private var nextGap: UInt64 = 5000

    init(_ chain: MadeChain, _ plan: Plan, _ numbers: SeededNumbers) {
        self.chain = chain
        self.plan = plan
        self.numbers = numbers
        for number in 0..<plan.streams { addStream(number) }
        // Streams in the order of their ids at one time: sorting must be stable.
        let sorted = events.enumerated().sorted {
            ($0.element.time, $0.offset) < ($1.element.time, $1.offset)
        }
        inputs = sorted.map(\.element.input)
        tellSince()
    }

    /// A gap is understood by whoever reads from the end of its stream on.
    private mutating func tellSince() {
        var ends: [StreamID: Sequence] = [:]
        for place in inputs.indices {
            switch inputs[place] {
            case .streamClosed(let stream): ends[stream] = Sequence(UInt64(place) + 1)
            case .gapOpened(var gap):
                if let end = gap.stream.flatMap({ ends[$0] }) { gap.since = end }
                inputs[place] = .gapOpened(gap)
            default: break
            }
        }
    }

    private func groups(of number: Int) -> Set<Int> {
        plan.isSplit ? [number % 2] : [0, 1]
    }

    private func promise(_ number: Int, from: UInt64?) -> StreamPromise {
        var groups: SubscriptionGroups = []
        for group in self.groups(of: number) { groups.formUnion(.group(group)) }
        return StreamPromise(
            hasSlots: plan.hasVotes,
            hasBlockMeta: true,
            groups: groups,
            fromSlot: from.map { Slot($0) }
        )
    }

    private mutating func addStream(_ number: Int) {
        let lag = number == 0 ? 0 : numbers.upTo(plan.lag * 10)
        var stream = StreamID(nextStream)
        nextStream += 1
        let start = Int(chain.first) * 10 - 5
        add(start, .streamOpened(stream, promise(number, from: nil)), 0)
        let end = (Int(chain.last) + 60) * 10
        guard plan.breaks, number == 0 || !plan.leavesGap && numbers.chance(50) else {
            for event in story(number, stream, lag, sees: numbers.chance(50)) { add(event) }
            add(end, .streamClosed(stream), 0)
            return
        }
        let breakTime = (Int(chain.first) + 10 + numbers.upTo(20)) * 10 + numbers.upTo(9)
        let backTime = breakTime + 1 + numbers.upTo(60)
        let before = story(number, stream, lag, sees: numbers.chance(50)).filter {
            $0.time < breakTime
        }
        for event in before { add(event, until: breakTime) }
        // The last slots had not been confirmed there yet.
        let lowest = max(chain.first + 9, before.map(\.slot).max() ?? chain.first) - 9
        add(breakTime, .streamClosed(stream), 0)
        let gap = Sequence(nextGap)
        nextGap += 1
        var groups: SubscriptionGroups = []
        for group in self.groups(of: number) { groups.formUnion(.group(group)) }
        add(
            breakTime,
            .gapOpened(GapInput(id: gap, stream: stream, groups: groups, from: lowest)),
            0
        )
        stream = StreamID(nextStream + 100)
        nextStream += 1
        let isReplayed = plan.hasVotes && plan.abandonsAfter == nil && numbers.chance(60)
        let opened = promise(number, from: isReplayed ? lowest : nil)
        add(backTime, .streamOpened(stream, opened), 0)
        let after = story(number, stream, lag, sees: false)
        if isReplayed {
            // Everything from there on once more, in order, then what is new.
            for event in after where event.slot >= lowest && event.time < backTime {
                var event = event
                event.time = backTime
                add(event)
            }
        } else if plan.abandonsAfter == nil {
            // The first block that comes whole again shows only that the stream is there.
            let seam = chain.main.first { Int($0.slot) * 10 + lag > backTime }?.slot ?? chain.last
            let blocks = chain.main + chain.others.filter { !$0.isDead }
            for block in blocks.sorted(by: { $0.slot < $1.slot })
            where block.slot >= lowest && block.slot <= seam {
                let (transactions, accounts) = block.inputs(
                    stream: stream,
                    groups: [0, 1],
                    isUnfiltered: true
                )
                let whole = WholeBlockInput(
                    header: block.header,
                    transactions: transactions.shuffled(using: &numbers),
                    accounts: accounts,
                    isUnfiltered: true
                )
                let time = max(backTime, Int(block.slot) * 10 + 12 + lag)
                add(time, .wholeBlock(StreamID(stream.value + 500), whole), block.slot)
            }
        }
        for event in after where event.time >= backTime { add(event) }
        if let wait = plan.abandonsAfter {
            add(backTime + wait / 2, .gapBounded(gap: gap, through: UInt64(backTime / 10)), 0)
            add(backTime + wait, .gapAbandoned(gap: gap, reason: ""), 0)
        } else if !plan.leavesGap {
            add(backTime + 60 + lag, .gapFilled(gap: gap), 0)
        }
        add(end, .streamClosed(stream), 0)
        add(end, .streamClosed(StreamID(stream.value + 500)), 0)
    }

    private mutating func add(_ event: Event, until end: Int = .max) {
        events.append(event)
        guard event.isRepeatable, numbers.chance(10) else { return }
        var again = event
        again.time += numbers.upTo(100)
        again.isRepeatable = false
        guard again.time < end else { return }
        events.append(again)
    }

    private mutating func add(_ time: Int, _ input: AssemblerInput, _ slot: UInt64) {
        events.append(Event(time: time, input: input, slot: slot))
    }

    /// What an unbroken stream tells, by rising time; its node may see the rivals of main blocks
    /// first.
    private mutating func story(
        _ number: Int,
        _ stream: StreamID,
        _ lag: Int,
        sees rivals: Bool
    ) -> [Event] {
        var story: [Event] = []
        let blocks = (chain.main + chain.others).sorted { $0.slot < $1.slot }
        for block in blocks {
            let start = Int(block.slot) * 10 + lag
            if rivals, let rival = chain.rivals[block.slot] {
                tell(rival, number, stream, start - 1, isRepeatable: false, &story)
                if numbers.chance(50) {
                    story.append(status(block.slot, .dead, stream, start + 2))
                }
                tell(block, number, stream, start, isRepeatable: false, &story)
            } else {
                tell(block, number, stream, start, isRepeatable: block.isMain, &story)
            }
            guard plan.hasVotes else { continue }
            if block.isDead {
                story.append(status(block.slot, .dead, stream, start + 8))
                continue
            }
            story.append(status(block.slot, .processed, stream, start + 8, block.parent))
            guard block.isMain else { continue }
            if numbers.chance(85) || block.slot == chain.main.last?.slot {
                story.append(status(block.slot, .confirmed, stream, start + 20))
            }
            if numbers.chance(70) || block.slot == chain.main.last?.slot {
                story.append(status(block.slot, .finalized, stream, start + 310))
            }
        }
        let sorted = story.enumerated().sorted {
            ($0.element.time, $0.offset) < ($1.element.time, $1.offset)
        }
        return sorted.map(\.element)
    }

    private func status(
        _ slot: UInt64,
        _ status: SlotStatus,
        _ stream: StreamID,
        _ time: Int,
        _ parent: UInt64? = nil
    ) -> Event {
        Event(
            time: time,
            input: .slotStatus(stream, Slot(slot), status, parent: parent.map { Slot($0) }),
            slot: slot,
            isRepeatable: status != .dead
        )
    }

    private mutating func tell(
        _ block: MadeBlock,
        _ number: Int,
        _ stream: StreamID,
        _ time: Int,
        isRepeatable: Bool,
        _ story: inout [Event]
    ) {
        let (transactions, accounts) = block.inputs(
            stream: stream,
            groups: groups(of: number),
            isUnfiltered: plan.isUnfiltered
        )
        for transaction in transactions.shuffled(using: &numbers) {
            // Some come behind the header.
            let isLate = plan.hasVotes && isRepeatable && numbers.chance(10)
            story.append(
                Event(
                    time: time + (isLate ? 7 : 2),
                    input: .transaction(stream, transaction),
                    slot: block.slot,
                    isRepeatable: isRepeatable
                )
            )
        }
        for account in accounts {
            story.append(
                Event(time: time + 3, input: .account(stream, account), slot: block.slot)
            )
        }
        guard !block.isDead else { return }
        let headerTime = rivalTime(block, time)
        story.append(
            Event(
                time: headerTime,
                input: .header(stream, block.header),
                slot: block.slot,
                isRepeatable: isRepeatable
            )
        )
    }

    /// A rival is told as a whole before the main block begins.
    private func rivalTime(_ block: MadeBlock, _ time: Int) -> Int {
        block.hash.hasPrefix("r") ? time + 3 : time + 6
    }
}
