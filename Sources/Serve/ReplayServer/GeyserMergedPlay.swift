import Deduplication
import GRPCTransport
import GeyserDecoding
import Inflation
import MarketModel
import RecordModel
import Replay
import SegmentLog

/// An answer made of all recorded streams: covered, without duplicates, filtered.
final class GeyserMergedPlay: GeyserPlay {
    private let filter: SubscriptionFilter
    private let coverage: StreamCoverage
    /// Indices into the periods of each stream, by rising sequence.
    private let periods: [StreamID: [(first: Sequence, index: Int)]]
    /// Kinds of which a second copy may come.
    private let repeated: Set<UpdateKind>
    private let inflatedBytesMax: Int

    private var window: DuplicateWindow
    private var filtered = FilteredUpdates()
    private let inflater = Inflater(.gzip)
    private var inflated: [UInt8] = []
    private var known: (stream: StreamID, periods: [(first: Sequence, index: Int)])?
    /// Slots that were sent whole already, as far as the records up to `through` go.
    private var seam: (slots: GeyserHistory.Slots, through: Sequence)?

    /// Slots and keys that are remembered to find duplicates: FINALIZED comes some 32 slots
    /// behind, and a refill after a failure reaches further back.
    private static let windowSlots = 256
    private static let windowKeys = 1 << 18

    /// - Parameters:
    ///   - request: what the client asks for.
    ///   - recorded: what was recorded.
    ///   - inflatedBytesMax: for compressed messages.
    /// - Throws: the refusal.
    init(
        _ request: SubscribeRequest,
        _ recorded: [GeyserPeriod],
        inflatedBytesMax: Int
    ) throws(GeyserEnding) {
        do throws(SubscriptionRefusal) {
            filter = try SubscriptionFilter(request)
        } catch { throw GeyserEnding(error) }
        switch StreamCoverage.of(request, recorded: recorded.map(\.request)) {
        case .notCovered(let what): throw .notCovered(what)
        case .covered(let coverage): self.coverage = coverage
        }
        var periods: [StreamID: [(Sequence, Int)]] = [:]
        for (index, period) in recorded.enumerated() {
            periods[period.stream, default: []].append((period.first, index))
        }
        self.periods = periods
        var repeated: Set<UpdateKind> = [.slot, .block, .blockMeta]
        for (kind, indices) in coverage.sources {
            let isRefilled = indices.contains { recorded[$0].request.fromSlot != nil }
            if isRefilled || Set(indices.map { recorded[$0].stream }).count > 1 {
                repeated.insert(kind)
            }
        }
        self.repeated = repeated
        self.inflatedBytesMax = inflatedBytesMax
        window = DuplicateWindow(slotsMax: Self.windowSlots, keysMax: Self.windowKeys)
    }

    /// Which updates of a record are wanted.
    enum Choice {
        case all
        /// Parts of one slot: everything but blocks, block metas and slot statuses.
        case parts(of: UInt64)
        /// One of the other kinds of one slot.
        case closing(of: UInt64)
    }

    var addsOwn: Bool { true }

    /// Forgets what was sent: behind a jump it is wanted again.
    func move(to sequence: Sequence) {
        window = DuplicateWindow(slotsMax: Self.windowSlots, keysMax: Self.windowKeys)
        seam = nil
    }

    func take(_ cursor: ReplayListener, _ outbox: GeyserOutbox) throws -> Bool {
        try take(cursor.records, .all, outbox)
    }

    /// Tells what history has sent already.
    func joined(_ slots: GeyserHistory.Slots, through sequence: Sequence) {
        seam = (slots, sequence)
    }

    /// Sends what the subscription gets of a record.
    ///
    /// - Returns: false when the client has gone.
    /// - Throws: an end, when the record cannot be read.
    func take(
        _ records: RecordCursor,
        _ choice: Choice,
        _ outbox: GeyserOutbox
    ) throws(GeyserEnding) -> Bool {
        let envelope = records.envelope
        guard envelope.kind == .grpcMessageIn, let index = period(of: envelope) else {
            return true
        }
        do throws(ProtobufError) {
            if envelope.isCompressed {
                guard unzip(records) else { throw GeyserMergedPlay.unzipFailure }
                let bytes = inflated
                guard try match(bytes.span.bytes, envelope, index, choice) else { return true }
            } else {
                let isMatched = try records.withPayload { bytes throws(ProtobufError) in
                    try match(bytes, envelope, index, choice)
                }
                guard isMatched else { return true }
            }
        } catch {
            throw GeyserEnding(
                code: .dataLoss,
                message: "message \(envelope.sequence) of the recording cannot be read: \(error)"
            )
        }
        return filtered.bytes.withUnsafeBytes { bytes in
            filtered.messages.allSatisfy {
                outbox.send(UnsafeRawBufferPointer(rebasing: bytes[$0.range]))
            }
        }
    }

    private static let unzipFailure = ProtobufError.truncated(offset: 0)

    private func period(of envelope: RecordEnvelope) -> Int? {
        if known?.stream != envelope.stream {
            guard let found = periods[envelope.stream] else { return nil }
            known = (envelope.stream, found)
        }
        return known?.periods.last { $0.first <= envelope.sequence }?.index
    }

    private func unzip(_ records: RecordCursor) -> Bool {
        do throws(InflationError) {
            try inflater.inflate(
                Span(_unsafeElements: records.unsafePayload.bindMemory(to: UInt8.self)),
                limit: inflatedBytesMax,
                into: &inflated
            )
            return true
        } catch { return false }
    }

    /// Fills `filtered`; false when there is nothing in it.
    private func match(
        _ update: RawSpan,
        _ envelope: RecordEnvelope,
        _ index: Int,
        _ choice: Choice
    ) throws(ProtobufError) -> Bool {
        let summary = try UpdateSummary(of: update)
        guard try coverage.accepts(update, summary, from: index) else { return false }
        let isClosing =
            summary.kind == .block || summary.kind == .blockMeta || summary.kind == .slot
        switch choice {
        case .all:
            if let seam, envelope.sequence <= seam.through, let slot = summary.slot,
                seam.slots.isSent(slot.number)
            {
                return false
            }
        case .parts(let slot):
            guard !isClosing, summary.slot?.number == slot else { return false }
        case .closing(let slot):
            guard isClosing, summary.slot?.number == slot else { return false }
        }
        try filter.match(
            update,
            dataIsCut: coverage.cutStreams.contains(index),
            into: &filtered
        )
        guard !filtered.messages.isEmpty else { return false }
        // Asked last: most updates are not wanted at all.
        if repeated.contains(summary.kind), let key = try summary.key(in: update) {
            // What is forgotten is repeated rather than lost.
            return window.insert(key) != .seen
        }
        return true
    }
}
