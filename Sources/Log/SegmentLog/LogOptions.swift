package import RecordModel

/// When the log makes what it wrote durable.
package enum DurabilityPolicy: Sendable, Equatable {
    /// After every block: fdatasync runs as often as the disk allows, in groups.
    case everyBlock
    /// At most this many nanoseconds after a block was written.
    case interval(nanoseconds: UInt64)
    /// Never, except when a segment is sealed; the durable sequence does not move.
    case none
}

/// What the writer does when the disk is full.
package enum FullDiskPolicy: Sendable, Equatable {
    /// Stop acknowledging and reading, and try a new segment now and then (`retryNanoseconds`).
    case wait
    /// Write the closing records into the space kept for them, and fail.
    case exit
}

/// How a log is written. The defaults are those of `tapedeck record`.
package struct LogOptions: Sendable {
    /// When written blocks are made durable.
    package var durability: DurabilityPolicy = .interval(nanoseconds: 20_000_000)
    /// A segment is sealed when it is larger than this many bytes.
    package var rotateBytes: UInt64 = 256 << 20
    /// A segment that holds records is sealed when it is older than this many nanoseconds; while
    /// nothing comes its age is looked at once a second.
    package var rotateNanoseconds: UInt64 = 3_600_000_000_000
    /// An unfilled block is written when it is this many nanoseconds old.
    package var blockNanosecondsMax: UInt64 = 5_000_000
    /// The same while a reader that follows the log waits for more.
    package var liveBlockNanosecondsMax: UInt64 = 500_000
    /// Raw bytes that may wait to be compressed and written; above half of it sources pause.
    package var queueBytesMax: Int = 32 << 20
    /// LZ4's acceleration for blocks that are compressed while more than a quarter of the queue
    /// waits: speed when it is needed, size when it is not. A
    /// recorder takes 3 (a fifth less time, 5 % more space); 1 makes the stored bytes independent
    /// of timing.
    package var pressedAcceleration: Int32 = 1
    /// Bytes of memory that blocks waiting for a sync may hold: above half of it a sync is forced,
    /// above all of it writing waits.
    package var unsyncedBytesMax: Int = 64 << 20
    /// Nanoseconds of idleness after a sync before a mark-only block is written.
    package var markNanoseconds: UInt64 = 100_000_000
    /// Threads that compress, at least 1; blocks are still written in order. Nil takes two where
    /// the process may use two processors, otherwise one.
    package var compressors: Int?
    /// What happens when the disk is full.
    package var onFull: FullDiskPolicy = .wait
    /// Nanoseconds between two tries to replace a file that failed, such as on a full disk.
    package var retryNanoseconds: UInt64 = 1_000_000_000
    /// Bytes kept allocated for the closing records.
    package var reserveBytes: UInt64 = 1 << 20
    /// Written into `recording.json` and run-started records.
    package var toolVersion = "0"
    /// Written into the `recording.json` of a new recording whose records were not captured here;
    /// nil for a capture.
    package var origin: String?
    /// Wall-clock nanoseconds to write into the `recording.json` of a new recording whose clock
    /// shows the time of its data; nil for what the clock shows.
    package var createdAt: Int64?
    /// Wall-clock nanoseconds to write into the headers of segments; nil for what the clock shows when
    /// one is made, which depends on how far behind the writing thread is.
    package var segmentsCreatedAt: Int64?
    /// Whether a file that failed is replaced by a new segment; without it the first failure ends
    /// the writing.
    package var replacesFailedFiles = true
    /// How much is kept: looked at whenever a segment is begun, and on a full disk before the
    /// next try. Pins always hold. Nil keeps everything.
    package var retention: RetentionPolicy?
    /// What is made of the log, as far as retention must know of it: asked on a thread of the log,
    /// which it must not hold up. Nil when nothing is.
    package var retainedState: (any RetainedState)?
    /// Told what a retirement did, or why there was none; called on a thread of the log, which it
    /// must not hold up.
    package var onRetention: (@Sendable (Result<RetentionReport, LogError>) -> Void)?
    /// Finds slots and blocks for the index; nil leaves the index without them.
    package var positionReader: (any PositionReader)?
    /// Set for simulations: the log then has no threads, and its work is done step by step on the
    /// caller's thread. Nil for a log with threads of its own.
    package var stepped: SteppedWork?

    package init() {}
}

/// A log without threads: `LogWriter.step` does the work, so that one seed repeats every order.
package struct SteppedWork: Sendable {
    /// Called where the log would wait before another try to replace a failed file; tells whether
    /// to go on trying.
    package var onPause: @Sendable () -> Bool

    package init(onPause: @escaping @Sendable () -> Bool) { self.onPause = onPause }
}

/// How far the log has come. A sequence of 0 means "nothing yet".
package struct Watermarks: Equatable, Sendable {
    /// The last sequence given out.
    package var appended: Sequence
    /// The last sequence whose block is in the file.
    package var written: Sequence
    /// The last sequence that a power loss cannot take.
    package var durable: Sequence
}

/// What `append` answers.
package struct Appended: Sendable {
    /// The record's sequence.
    package let sequence: Sequence
    /// Whether the queue is more than half full: stop reading the socket until the log calls back.
    package let shouldPause: Bool
}
