import Assembly
import MarketModel
import RecordModel

/// A scenario in text: inputs, one a line, a line of dashes, then what each input caused. The words
/// are in Tests/Decode/Scenarios/README.md.
struct AssemblyScenario {
    struct Mistake: Error {
        let line: String
    }

    let script: String
    let expectation: String
    private var configuration = AssemblerConfiguration.solana()
    private var assembler: SlotAssembler?
    private var sequence: UInt64 = 0
    private var seen = ""

    init(_ text: String) {
        let parts = text.split(separator: "----\n", maxSplits: 1, omittingEmptySubsequences: false)
        script = String(parts[0])
        expectation = parts.count > 1 ? String(parts[1]) : ""
    }

    func text(expecting seen: String) -> String { script + "----\n" + seen }

    mutating func run() throws -> String {
        for line in script.split(separator: "\n") where !line.hasPrefix("#") {
            var words = Words(line)
            let command = words.next()
            if try configure(command, &words) { continue }
            var machine = assembler ?? SlotAssembler(configuration)
            if command == "look" {
                look(machine)
                continue
            }
            if command == "evidence" {
                tellEvidence(machine.evidence)
                continue
            }
            let input = try input(command, &words, String(line))
            sequence += 1
            var actions: [ChainAction] = []
            machine.take(input, at: Sequence(sequence), into: &actions)
            assembler = machine
            guard !actions.isEmpty else { continue }
            seen += "\(line)\n"
            for action in actions { seen += "    \(Self.text(action))\n" }
        }
        return seen
    }

    private mutating func configure(_ command: String, _ words: inout Words) throws -> Bool {
        switch command {
        case "commitment":
            if words.next() == "processed" { configuration.commitment = .processed }
        case "chain":
            configuration.chain = .evm(137)
            configuration.childProves = true
        case "depth": configuration.finalDepth = Int(words.number())
        case "proof-slots": configuration.limits.proofSlotsMax = words.number()
        case "parent-slots": configuration.limits.parentSlotsMax = words.number()
        case "open-slots": configuration.limits.openSlotsMax = Int(words.number())
        case "slot-transactions": configuration.limits.slotTransactionsMax = Int(words.number())
        default: return false
        }
        return true
    }

    private mutating func look(_ machine: SlotAssembler) {
        let anchor = machine.anchor
        seen += "look: final \(anchor.map { "\($0.position)" } ?? "-")"
        seen += " resume \(machine.resume.map(\.description) ?? "-")"
        let lacking = (anchor?.lacking ?? []).map { "\($0.lowerBound)..\($0.upperBound)" }
        seen += " lacking [\(lacking.joined(separator: " "))]"
        let tally = machine.tally
        seen += " duplicates \(tally.duplicates) late \(tally.late) dead \(tally.dead)"
        seen += " orphaned \(tally.orphaned) equivocated \(tally.equivocated)"
        seen += " conflicts \(tally.conflicts) overfull \(tally.overfull)"
        seen += " crowded-out \(tally.crowdedOut) forced-final \(tally.forcedFinal)"
        seen += " enrichments from \(machine.enrichmentPosition)\n"
    }

    private mutating func tellEvidence(_ evidence: EvidenceTally) {
        func text(_ counts: EvidenceTally.Counts) -> String {
            "counted \(counts.counted) barrier \(counts.barrier) unproved \(counts.unproved)"
        }
        seen += "evidence: \(text(evidence.slots))\n"
        for (group, counts) in evidence.groups {
            // Groups are bits; that of no group is the lowest.
            let name =
                group == .everything ? "everything" : "\(group.rawValue.trailingZeroBitCount - 1)"
            seen += "    group \(name): \(text(counts))\n"
        }
    }

    private func input(
        _ command: String,
        _ words: inout Words,
        _ line: String
    ) throws -> AssemblerInput {
        switch command {
        case "open":
            return .streamOpened(StreamID(words.number()), words.promise())
        case "close": return .streamClosed(StreamID(words.number()))
        case "missing": return .recordsMissing(words.stream())
        case "tx":
            let stream = StreamID(words.number())
            let slot = words.number()
            let (name, index) = words.place()
            return .transaction(stream, Made.transaction(slot, name, index))
        case "barren":
            let stream = StreamID(words.number())
            let slot = words.number()
            let (name, index) = words.place()
            let status = TransactionStatusInput(
                slot: Slot(slot),
                signature: Made.signature(name),
                index: index,
                isBarren: true
            )
            return .transactionStatus(stream, status)
        case "account":
            let stream = StreamID(words.number())
            let account = Made.account(
                words.number(),
                words.next(),
                writer: words.option("by"),
                version: words.option("version").flatMap { UInt64($0) } ?? 1,
                supply: words.option("supply").flatMap { UInt64($0) }
            )
            return .account(stream, account)
        case "meta":
            let stream = StreamID(words.number())
            return .header(stream, words.header())
        case "block":
            let stream = StreamID(words.number())
            let header = words.header()
            let isFiltered = words.flag("filtered")
            var transactions: [TransactionInput] = []
            while !words.isEmpty {
                let (name, index) = words.place()
                transactions.append(Made.transaction(header.slot.number, name, index))
            }
            let block = WholeBlockInput(
                header: header,
                transactions: transactions,
                isUnfiltered: !isFiltered
            )
            return .wholeBlock(stream, block)
        default:
            return try event(command, &words, line)
        }
    }

    private func event(
        _ command: String,
        _ words: inout Words,
        _ line: String
    ) throws -> AssemblerInput {
        let statuses: [String: SlotStatus] = [
            "processed": .processed, "confirmed": .confirmed, "finalized": .finalized,
            "dead": .dead, "bank": .createdBank, "shred": .firstShredReceived,
        ]
        if let status = statuses[command] {
            let stream = StreamID(words.number())
            let slot = Slot(words.number())
            let parent = words.option("parent").flatMap { UInt64($0) }.map { Slot($0) }
            return .slotStatus(stream, slot, status, parent: parent)
        }
        let gap = Sequence(words.number())
        switch command {
        case "gap":
            let groups = words.groups()
            let stream = words.stream()
            let from = words.isEmpty ? nil : words.number()
            let through = words.isEmpty ? nil : words.number()
            return .gapOpened(
                GapInput(id: gap, stream: stream, groups: groups, from: from, through: through)
            )
        case "bound": return .gapBounded(gap: gap, through: words.number())
        case "fill": return .gapFilled(gap: gap)
        case "abandon": return .gapAbandoned(gap: gap, reason: "")
        default: throw Mistake(line: line)
        }
    }

    static func text(_ action: ChainAction) -> String {
        switch action {
        case .undo(let position): return "undo \(position)"
        case .final(let position): return "final \(position)"
        case .stale(let position): return "stale \(position)"
        case .apply(let bundle):
            var text = "apply \(bundle.position) \(Made.name(bundle.hash))"
            text += " on \(bundle.parent.map { "\($0)" } ?? "-")"
            let names = bundle.transactions.map { "\(Made.name($0.id))@\($0.index)" }
            text += " [\(names.joined(separator: " "))]"
            for fact in bundle.accounts {
                guard case .mint(let supply, _) = fact.content else { continue }
                text += " \(Made.name(fact.account.storage))=\(supply)"
            }
            return text + " \(bundle.evidence)"
        }
    }
}

/// The words of one line.
struct Words {
    private var words: [Substring]

    init(_ line: Substring) {
        words = line.split(separator: " ")
    }

    var isEmpty: Bool { words.isEmpty }

    mutating func next() -> String { words.isEmpty ? "" : String(words.removeFirst()) }

    mutating func number() -> UInt64 {
        let word = next()
        guard let number = UInt64(word) else { preconditionFailure("'\(word)' is no number") }
        return number
    }

    /// Takes `name=value` out.
    mutating func option(_ name: String) -> String? {
        guard let place = words.firstIndex(where: { $0.hasPrefix(name + "=") }) else { return nil }
        return String(words.remove(at: place).dropFirst(name.count + 1))
    }

    mutating func flag(_ name: String) -> Bool {
        guard let place = words.firstIndex(where: { $0 == name }) else { return false }
        words.remove(at: place)
        return true
    }

    mutating func stream() -> StreamID? {
        let word = next()
        return word == "all" ? nil : UInt64(word).map { StreamID($0) }
    }

    /// `NAME@INDEX`; without an index 0.
    mutating func place() -> (name: String, index: UInt32) {
        let parts = next().split(separator: "@")
        return (String(parts[0]), parts.count > 1 ? UInt32(parts[1]) ?? 0 : 0)
    }

    mutating func groups() -> SubscriptionGroups {
        guard let text = option("groups") else { return .everything }
        var groups: SubscriptionGroups = []
        for number in text.split(separator: ",") {
            if let number = Int(number) { groups.formUnion(.group(number)) }
        }
        return groups
    }

    mutating func promise() -> StreamPromise {
        StreamPromise(
            hasSlots: flag("slots"),
            hasBlockMeta: flag("meta"),
            groups: groups(),
            fromSlot: option("from").flatMap { UInt64($0) }.map { Slot($0) }
        )
    }

    /// `SLOT HASH PARENT:HASH`, `n=COUNT`, `time=SECONDS`.
    mutating func header() -> SlotHeader {
        let slot = Slot(number())
        let hash = Made.bytes(next())
        let parent = next().split(separator: ":")
        return SlotHeader(
            slot: slot,
            hash: hash,
            parent: Slot(UInt64(parent[0]) ?? 0),
            parentHash: parent.count > 1 ? Made.bytes(String(parent[1])) : nil,
            time: option("time").flatMap { Int64($0) },
            executedTransactionCount: option("n").flatMap { UInt64($0) }
        )
    }
}
