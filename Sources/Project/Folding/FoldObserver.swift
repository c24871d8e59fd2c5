package import MarketModel
package import Projection
package import RecordModel

/// Whoever watches a fold. Nothing that an observer does reaches state.
package protocol FoldObserver: AnyObject {
    /// Whether `decoded` is to be called; asked now and then.
    var wantsDecoded: Bool { get }
    /// Events as they were decoded, before it is known whether their slot will count.
    func decoded(_ facts: TransactionFacts, slot: UInt64, at sequence: Sequence)
    /// An account of a slot as a record tells it, before it is known whether the slot will count.
    func seen(_ account: AccountFact, slot: UInt64, at sequence: Sequence)
    /// What an assembler asked for, after the engine has done it.
    func folded(_ action: ChainAction, _ engine: ProjectionEngine, at sequence: Sequence)
    /// Something that a projector tells.
    func told(_ notice: Notice, at sequence: Sequence)
    /// Stored bytes read so far; called now and then.
    func read(storedBytes: UInt64, records: UInt64)
    /// Damage that was skipped.
    func skipped(_ damage: String)
    /// Whether to end.
    var isAsked: Bool { get }
}

extension FoldObserver {
    /// It is.
    package var wantsDecoded: Bool { true }
    /// Nothing to do.
    package func decoded(_ facts: TransactionFacts, slot: UInt64, at sequence: Sequence) {}
    /// Nothing to do.
    package func seen(_ account: AccountFact, slot: UInt64, at sequence: Sequence) {}
    /// Nothing to do.
    package func folded(_ action: ChainAction, _ engine: ProjectionEngine, at sequence: Sequence) {}
    /// Nothing to do.
    package func told(_ notice: Notice, at sequence: Sequence) {}
    /// Nothing to do.
    package func read(storedBytes: UInt64, records: UInt64) {}
    /// Nothing to do.
    package func skipped(_ damage: String) {}
    /// Never.
    package var isAsked: Bool { false }
}
