package import MarketModel
package import Projection
package import RecordModel

/// Finds out what of a bundle made rows what they are: takes it back, folds ever more of it, and
/// puts it in again whole. State is afterwards what it was.
package struct BundleTrace {
    /// What of a bundle changed a row.
    package enum Cause: Hashable, Sendable {
        /// That the slot came, and how it is proved.
        case slot
        case transaction(TransactionFacts)
        /// An account, as it was after the last transaction.
        case account(AccountFact)
    }

    /// One change of one row.
    package struct Change: Hashable, Sendable {
        package let schema: TableSchema
        package let key: [UInt8]
        package let cause: Cause
        /// The row before and after; nil where there was none.
        package let old: ListedRow?
        package let new: ListedRow?
    }

    private let bundle: Bundle
    private let sequence: Sequence
    private let engine: ProjectionEngine
    /// The rows that are followed, and what was before the bundle and is after it.
    private let rows: [(number: Int, change: ChangedRow)]
    /// What the rows were after the first parts of the bundle, as far as that was looked at.
    private var known: [Int: [ListedRow?]] = [:]
    private var changes: [Change] = []

    /// Finds the changes of the newest bundle.
    ///
    /// - Parameters:
    ///   - bundle: the one that the engine has folded last.
    ///   - sequence: the record that caused it.
    ///   - engine: it is as before afterwards, save for its counters.
    ///   - isWanted: which rows matter; asked with a row as it is, or was before it was removed.
    /// - Returns: in the order in which they came; none when no row that is wanted changed.
    /// - Throws: the failure of storage.
    package static func changes(
        of bundle: Bundle,
        at sequence: Sequence,
        in engine: ProjectionEngine,
        where isWanted: (TableSchema, ListedRow) -> Bool
    ) throws(StorageError) -> [Change] {
        let all = engine.newestChanges(where: isWanted)
        guard !all.isEmpty else { return [] }
        var trace = BundleTrace(bundle, sequence, engine, all)
        return try trace.run()
    }

    private init(
        _ bundle: Bundle,
        _ sequence: Sequence,
        _ engine: ProjectionEngine,
        _ rows: [(number: Int, change: ChangedRow)]
    ) {
        self.bundle = bundle
        self.sequence = sequence
        self.engine = engine
        self.rows = rows
        known[-1] = rows.map(\.change.old)
        known[partCount] = rows.map(\.change.new)
    }

    /// Transactions, then accounts.
    private var partCount: Int { bundle.transactions.count + bundle.accounts.count }

    private mutating func run() throws(StorageError) -> [Change] {
        let digest = engine.chainDigest
        try take(.undo(position: bundle.position))
        try narrow(-1, partCount)
        try take(.apply(bundle))
        precondition(engine.chainDigest == digest, "a bundle folded again gave another state")
        return changes
    }

    /// Notes what changed between two places. A row that is the same at both is taken to have been
    /// the same all along: rows that come back to what they were count nothing.
    private mutating func narrow(_ low: Int, _ high: Int) throws(StorageError) {
        let (before, after) = (try rows(after: low), try rows(after: high))
        guard before != after else { return }
        guard high - low > 1 else {
            for (place, row) in rows.enumerated() where before[place] != after[place] {
                changes.append(
                    Change(
                        schema: engine.store.schemas[row.number],
                        key: row.change.key,
                        cause: cause(high),
                        old: before[place],
                        new: after[place]
                    )
                )
            }
            return
        }
        let middle = low + (high - low) / 2
        try narrow(low, middle)
        try narrow(middle, high)
    }

    private func cause(_ count: Int) -> Cause {
        if count == 0 { return .slot }
        let transactions = bundle.transactions.count
        return count <= transactions
            ? .transaction(bundle.transactions[count - 1])
            : .account(bundle.accounts[count - transactions - 1])
    }

    /// The rows as they would be if the bundle ended behind its first parts.
    private mutating func rows(after count: Int) throws(StorageError) -> [ListedRow?] {
        if let known = known[count] { return known }
        var part = bundle
        let transactions = min(count, bundle.transactions.count)
        part.transactions.removeSubrange(transactions...)
        part.accounts.removeSubrange((count - transactions)...)
        try take(.apply(part))
        var found: [Int: [[UInt8]: ChangedRow]] = [:]
        let wanted = Set(rows.map(\.change.key))
        for (number, change) in engine.newestChanges(where: { _, row in wanted.contains(row.key) })
        {
            found[number, default: [:]][change.key] = change
        }
        // What this part has not changed is as it was before.
        let result = rows.map { row in
            found[row.number]?[row.change.key].map(\.new) ?? row.change.old
        }
        try take(.undo(position: bundle.position))
        known[count] = result
        return result
    }

    private func take(_ action: ChainAction) throws(StorageError) {
        var notices: [Notice] = []
        try engine.take(action, at: sequence, notices: &notices)
    }
}
