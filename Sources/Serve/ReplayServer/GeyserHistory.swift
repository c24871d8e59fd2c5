import GRPCTransport
import GeyserDecoding
import RecordModel
import Replay
import SegmentLog

/// What `from_slot` asks for: the slots that are complete at the head, one after the other, each
/// in the order of the reference server: accounts, transactions and entries as they came, the
/// block, the block meta, the slot statuses.
struct GeyserHistory {
    /// Which slots it sends.
    struct Slots {
        let from: UInt64
        /// Slots that were not complete at the head: they come behind it.
        let open: Set<UInt64>

        /// Whether everything of the slot up to the head is sent, or was not asked for.
        func isSent(_ slot: UInt64) -> Bool { slot < from || !open.contains(slot) }
    }

    let slots: Slots
    /// Where to go on behind the history: the first record of the slots that were not complete.
    let join: Sequence
    private let entries: [GeyserSlotEntry]
    private let head: Sequence

    /// - Parameters:
    ///   - slot: the lowest slot that is wanted.
    ///   - index: the slots of the range.
    ///   - head: the last record that counts as past.
    ///   - last: the last record of the range.
    /// - Throws: the refusal, when the slot is older than what is there.
    init(
        from slot: UInt64,
        _ index: GeyserSlotIndex,
        at head: Sequence,
        last: Sequence
    ) throws(GeyserEnding) {
        guard let available = index.firstAvailable(at: last) else {
            throw .notAvailableYet
        }
        guard slot >= available else { throw .tooOld(from: slot, available: available) }
        let begun = index.entries.filter { $0.slot >= slot && $0.first <= head }
        let open = begun.filter { $0.contentLast > head }
        entries = begun.filter { $0.contentLast <= head }
        slots = Slots(from: slot, open: Set(open.map(\.slot)))
        join = open.map(\.first).min() ?? head.next
        self.head = head
    }

    /// Sends it.
    ///
    /// - Returns: false when the client has gone.
    /// - Throws: an end, or `LogError`.
    func send(
        _ play: GeyserMergedPlay,
        by records: RecordCursor,
        _ outbox: GeyserOutbox
    ) throws -> Bool {
        for entry in entries {
            if entry.partsFirst > .none {
                try records.seek(to: entry.partsFirst)
                guard try sendParts(of: entry, play, by: records, outbox) else { return false }
            }
            let closing = entry.closing.filter { $0.sequence <= head }.sorted {
                ($0.kind.rawValue, $0.sequence) < ($1.kind.rawValue, $1.sequence)
            }
            for part in closing {
                try records.seek(to: part.sequence)
                guard case .record = try records.next(),
                    records.envelope.sequence == part.sequence
                else { continue }
                guard try play.take(records, .closing(of: entry.slot), outbox) else {
                    return false
                }
            }
        }
        return true
    }

    private func sendParts(
        of entry: GeyserSlotEntry,
        _ play: GeyserMergedPlay,
        by records: RecordCursor,
        _ outbox: GeyserOutbox
    ) throws -> Bool {
        while true {
            switch try records.next() {
            case .end: return true
            case .hole, .damage: continue
            case .record:
                guard records.envelope.sequence <= entry.partsLast else { return true }
                guard try play.take(records, .parts(of: entry.slot), outbox) else { return false }
            }
        }
    }
}
