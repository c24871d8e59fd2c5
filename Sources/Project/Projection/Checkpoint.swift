package import MarketModel
package import RecordModel

/// What a checkpoint says of itself beside its rows: state after one settled slot or block.
@usableFromInline
package struct Checkpoint: Hashable, Sendable {
    /// Slot or block after which the rows are.
    package var position: UInt64
    /// The block's hash; nil when none was known.
    package var hash: Bytes32?
    /// The block's time in seconds since 1970; nil when none was known.
    package var time: Int64?
    /// The lowest sequence that holds anything of a later slot or block: read on from here.
    package var resume: Sequence
    /// The last record that was read for it, by the log's own marks; nil when no log said so. The
    /// state is of no log that has another one there.
    package var place: LogPlace?
    /// Digest of all tables of the chain.
    package var chainDigest: StateDigest
    /// Each table, by name.
    package var tables: [Content]
    /// Bundles folded since the beginning of the state.
    package var bundles: UInt64
    /// Slots or blocks for which data came after they were settled, rising: state is stale from
    /// the first.
    package var stale: [UInt64]
    /// What is or was missing, by first slot or block.
    package var gaps: [ChainGap]
    /// What the assembler needs to go on behind it, in a form of its own.
    package var assembly: [UInt8]

    /// What one table holds.
    package struct Content: Hashable, Sendable {
        /// The table's name.
        package var name: String
        /// Sum of the digests of its rows.
        package var digest: StateDigest
        package var rows: UInt64

        package init(name: String, digest: StateDigest, rows: UInt64) {
            self.name = name
            self.digest = digest
            self.rows = rows
        }
    }

    package init(
        position: UInt64,
        hash: Bytes32?,
        time: Int64?,
        resume: Sequence,
        place: LogPlace? = nil,
        chainDigest: StateDigest,
        tables: [Content],
        bundles: UInt64,
        stale: [UInt64] = [],
        gaps: [ChainGap] = [],
        assembly: [UInt8] = []
    ) {
        self.position = position
        self.hash = hash
        self.time = time
        self.resume = resume
        self.place = place
        self.chainDigest = chainDigest
        self.tables = tables
        self.bundles = bundles
        self.stale = stale
        self.gaps = gaps
        self.assembly = assembly
    }
}
