// What tables look like: for the canonical form that digests are made of, and for SQL.

/// The type of a column. Raw values stand in schema digests and never change.
package enum ColumnType: UInt8, Hashable, Sendable {
    /// 0 to 2^8 - 1.
    case unsigned8 = 1
    case unsigned16 = 2
    case unsigned32 = 3
    case unsigned64 = 4
    case unsigned128 = 5
    case signed32 = 6
    case signed64 = 7
    case signed128 = 8
    case boolean = 9
    /// 32 bytes.
    case address = 10
    /// 64 bytes, of a transaction.
    case signature = 11
    /// UTF-8, at most 64 KiB.
    case text = 12
    /// At most 16 MiB.
    case bytes = 13
}

/// One column.
package struct Column: Hashable, Sendable {
    /// Lower case with underscores, as in SQL.
    package let name: String
    package let type: ColumnType
    package let isOptional: Bool
    /// What it means, its unit and its range, in one line.
    package let meaning: String

    package init(
        _ name: String,
        _ type: ColumnType,
        isOptional: Bool = false,
        _ meaning: String
    ) {
        self.name = name
        self.type = type
        self.isOptional = isOptional
        self.meaning = meaning
    }
}

/// One table. Every table is partitioned by chain without having a column for it: each chain has a
/// store of its own.
public struct TableSchema: Hashable, Sendable {
    /// Lower case with underscores; never used again for another meaning.
    @usableFromInline
    package let name: String
    /// What one row is, in one line.
    package let meaning: String
    /// The key, in the order in which rows are sorted; not optional.
    package let key: [Column]
    package let columns: [Column]
    /// Whether all rows stay in memory, sorted by key, so that they can be walked in order. For
    /// tables whose rows are bounded by a window.
    @usableFromInline
    package let isOrdered: Bool
    /// Whether its rows stay out of the digest of a chain's state, because they say how the chain was
    /// observed (proofs, accounts, drift) and not what happened on it.
    package let isOutsideDigest: Bool

    package init(
        _ name: String,
        _ meaning: String,
        key: [Column],
        columns: [Column],
        isOrdered: Bool = false,
        isOutsideDigest: Bool = false
    ) {
        self.name = name
        self.meaning = meaning
        self.key = key
        self.columns = columns
        self.isOrdered = isOrdered
        self.isOutsideDigest = isOutsideDigest
    }
}
