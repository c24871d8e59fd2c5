import MarketModel
import Projection
import RecordModel
import Testing

@testable import Projectors

/// Names for tests.
enum TradingNames {
    static let sol = KnownQuote.wrappedSOL

    /// A wallet, token or pool with a number.
    static func address(_ number: UInt64) -> Address {
        Address(Bytes32(words: (number, 0x7465_7374, number &* 0x9e37_79b9_7f4a_7c15, number)))
    }

    static func signature(_ slot: UInt64, _ index: UInt32) -> TransactionID {
        var bytes = [UInt8](repeating: 7, count: 64)
        for place in 0..<8 {
            bytes[place] = UInt8(truncatingIfNeeded: slot >> UInt64(56 - 8 * place))
        }
        for place in 0..<4 {
            bytes[8 + place] = UInt8(truncatingIfNeeded: index >> UInt32(24 - 8 * place))
        }
        guard let signature = Signature(bytes) else { preconditionFailure("64 bytes") }
        return .solana(signature)
    }
}

/// A generator of numbers with a seed: SplitMix64.
struct TradingDice {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var word = state
        word = (word ^ word >> 30) &* 0xbf58_476d_1ce4_e5b9
        word = (word ^ word >> 27) &* 0x94d0_49bb_1331_11eb
        return word ^ word >> 31
    }

    mutating func next(in range: ClosedRange<UInt64>) -> UInt64 {
        range.lowerBound + next() % (range.upperBound - range.lowerBound + 1)
    }

    mutating func amount(in range: ClosedRange<UInt64>) -> UInt128 { UInt128(next(in: range)) }
}

/// Transactions of slots, in the making.
struct TradingScene {
    var slots: [(position: UInt64, transactions: [TransactionFacts])] = []
    var time: Int64 = 1_700_000_000

    init(slot: UInt64 = 1_000) {
        slots.append((slot, []))
    }

    var slot: UInt64 { slots[slots.count - 1].position }

    /// Goes on to a later slot.
    mutating func next(_ distance: UInt64 = 1) { slots.append((slot + distance, [])) }

    /// Adds a transaction with its trades.
    ///
    /// - Returns: its name.
    @discardableResult
    mutating func add(
        _ trades: Trade...,
        at index: UInt32? = nil,
        payer: Address? = nil,
        fee: UInt128 = 5_000,
        tip: UInt128 = 0,
        priority: UInt128 = 0,
        links: [WalletLink] = [],
        events: [MarketEvent] = []
    ) -> TransactionID {
        let last = slots[slots.count - 1].transactions.last?.index
        let index = index ?? last.map { $0 + 1 } ?? 0
        let id = TradingNames.signature(slot, index)
        var placed: [PlacedEvent] = []
        for event in events + trades.map(MarketEvent.trade) {
            let place = EventPlace(
                transaction: index,
                instruction: UInt16(placed.count),
                inner: 0,
                ordinal: 0
            )
            placed.append(PlacedEvent(place, event))
        }
        slots[slots.count - 1].transactions.append(
            TransactionFacts(
                id: id,
                index: index,
                feePayer: payer ?? trades.first?.trader,
                fee: fee,
                priorityPrice: priority,
                tip: tip,
                events: placed,
                links: links
            )
        )
        return id
    }

    /// The bundles, each the child of the one before.
    var bundles: [Bundle] {
        slots.enumerated().map { order, slot in
            Bundle(
                chain: .solana,
                position: slot.position,
                parent: order > 0 ? slots[order - 1].position : nil,
                time: time + Int64(slot.position - slots[0].position) * 2 / 5,
                transactions: slot.transactions,
                evidence: .counted
            )
        }
    }

    /// Folds all of it.
    func folded(
        _ change: (inout TradingParameters) -> Void = { _ in }
    ) throws -> TradingFolded {
        let folded = TradingFolded(change)
        for bundle in bundles { try folded.apply(bundle) }
        return folded
    }
}

/// A projector in an engine, with what it told.
final class TradingFolded {
    let engine: ProjectionEngine
    let projector: TradingProjector
    var notices: [Notice] = []
    private var sequence: UInt64 = 0

    init(_ change: (inout TradingParameters) -> Void = { _ in }) {
        var parameters = MonitorParameters(.solana)
        change(&parameters.trading)
        var made: TradingProjector?
        engine = ProjectionEngine(.solana) { store in
            let projector = TradingProjector(store, parameters)
            made = projector
            return [projector]
        }
        guard let made else { preconditionFailure("no projector was made") }
        projector = made
    }

    func apply(_ bundle: Bundle) throws {
        sequence += 1
        try engine.take(.apply(bundle), at: Sequence(sequence), notices: &notices)
    }

    func undo(_ position: UInt64) throws {
        sequence += 1
        try engine.take(.undo(position: position), at: Sequence(sequence), notices: &notices)
    }

    /// What was told of a kind.
    func told(_ kind: String) -> [Notice] { notices.filter { $0.kind == kind } }

    /// The detections of a class that were told, as rows.
    func found(_ kind: DetectionClass) -> [Detection] {
        told(kind.description).compactMap { notice in
            guard let place = notice.place else { return nil }
            return projector.detection(
                Detection.Key(slot: notice.position, place: place, kind: kind)
            )
        }
    }

    /// All of them as labels.
    var labels: [DetectionLabel] {
        notices.compactMap { notice in
            guard let kind = DetectionClass(notice.kind), let place = notice.place else {
                return nil
            }
            let key = Detection.Key(slot: notice.position, place: place, kind: kind)
            return projector.detection(key).map { DetectionLabel(key, $0) }
        }
    }
}
