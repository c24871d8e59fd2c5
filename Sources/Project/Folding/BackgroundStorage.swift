import Platform
import Projection

/// Storage whose checkpoints are written by a thread of their own, so that folding goes on
/// meanwhile. Rows are handed over in their stored form, in the order in which they were put.
///
/// Whoever asks for a row waits until the thread is idle: nothing is read that is half written.
final class BackgroundStorage: RowStorage {
    /// What the thread is to do, in order.
    private enum Job {
        case begin
        case put(Rows)
        case commit(Checkpoint)
        case rollBack
    }

    /// Some rows, their keys and columns one behind the other.
    private struct Rows {
        struct Row {
            let table: Int
            let key: Range<Int>
            /// Nil for a row that is removed.
            let row: Range<Int>?
            let check: UInt64
        }

        var rows: [Row] = []
        var bytes: [UInt8] = []

        mutating func add(_ part: RawSpan) -> Range<Int> {
            let start = bytes.count
            part.withUnsafeBytes { bytes.append(contentsOf: $0) }
            return start..<bytes.count
        }
    }

    private struct State {
        var jobs: [Job] = []
        /// Whether the thread has taken a job and not ended it.
        var isBusy = false
        var isEnding = false
        /// The first failure; nothing is written after it.
        var failure: StorageError?

        var isIdle: Bool { jobs.isEmpty && !isBusy }
    }

    private let inner: any RowStorage
    private let state = Monitor(State())
    private let thread: Platform.Thread
    private var rows = Rows()

    private static let rowsPerJob = 1024

    /// - Parameter inner: used by one thread at a time: by ours while it has jobs, and otherwise by
    ///   whoever calls.
    /// - Throws: the thread cannot be made.
    init(_ inner: any RowStorage) throws(SystemError) {
        self.inner = inner
        let state = state
        // safety: the thread uses it only while the state says that it is busy, and the caller
        // only after it has seen under the lock that it is idle.
        nonisolated(unsafe) let shared = inner
        thread = try Platform.Thread(name: "checkpoint") {
            BackgroundStorage.work(state, shared)
        }
    }

    deinit {
        state.update { $0.isEnding = true }
        thread.join()
    }

    var checkpoint: Checkpoint? {
        waitUntilIdle()
        return inner.checkpoint
    }

    func load(table: Int, key: [UInt8]) throws(StorageError) -> StoredRow? {
        try settle()
        return try inner.load(table: table, key: key)
    }

    func scan(
        table: Int,
        _ body: (_ key: [UInt8], _ row: [UInt8], _ check: UInt64) throws(StorageError) -> Void
    ) throws(StorageError) {
        try settle()
        try inner.scan(table: table, body)
    }

    func begin() throws(StorageError) { give(.begin) }

    func put(table: Int, key: RawSpan, row: RawSpan?, check: UInt64) throws(StorageError) {
        let key = rows.add(key)
        var columns: Range<Int>?
        if let row { columns = rows.add(row) }
        rows.rows.append(Rows.Row(table: table, key: key, row: columns, check: check))
        if rows.rows.count == BackgroundStorage.rowsPerJob { giveRows() }
    }

    func commit(_ checkpoint: Checkpoint) throws(StorageError) {
        giveRows()
        give(.commit(checkpoint))
    }

    func finish(waits: Bool) throws(StorageError) -> Bool {
        // Without a commit nobody else hands over the last of them.
        giveRows()
        if waits { waitUntilIdle() }
        let (isIdle, failure) = state.withLock { ($0.isIdle, $0.failure) }
        if let failure { throw failure }
        return isIdle
    }

    func rollBack() {
        rows = Rows()
        give(.rollBack)
    }

    private func settle() throws(StorageError) { _ = try finish(waits: true) }

    private func waitUntilIdle() { state.wait { $0.isIdle ? () : nil } }

    private func giveRows() {
        guard !rows.rows.isEmpty else { return }
        let room = rows.bytes.count
        give(.put(rows))
        rows = Rows()
        rows.rows.reserveCapacity(BackgroundStorage.rowsPerJob)
        rows.bytes.reserveCapacity(room)
    }

    private func give(_ job: Job) {
        state.update { $0.jobs.append(job) }
    }

    // MARK: The thread

    private static func work(_ state: Monitor<State>, _ inner: any RowStorage) {
        while true {
            let job = state.wait { state -> Job?? in
                guard let first = state.jobs.first else {
                    return state.isEnding ? .some(nil) : nil
                }
                state.jobs.removeFirst()
                state.isBusy = true
                return .some(first)
            }
            guard let job else { return inner.rollBack() }
            let hasFailed = state.withLock { $0.failure != nil }
            var failure: StorageError?
            if !hasFailed {
                do throws(StorageError) { try BackgroundStorage.perform(job, inner) } catch {
                    inner.rollBack()
                    failure = error
                }
            }
            state.update {
                $0.isBusy = false
                if let failure { $0.failure = failure }
            }
        }
    }

    private static func perform(_ job: Job, _ inner: any RowStorage) throws(StorageError) {
        switch job {
        case .begin: try inner.begin()
        case .put(let rows):
            let bytes = rows.bytes.span.bytes
            for row in rows.rows {
                let key = bytes.extracting(row.key)
                let columns: RawSpan? = if let row = row.row { bytes.extracting(row) } else { nil }
                try inner.put(table: row.table, key: key, row: columns, check: row.check)
            }
        case .commit(let checkpoint):
            try inner.commit(checkpoint)
            _ = try inner.finish(waits: true)
        case .rollBack: inner.rollBack()
        }
    }
}
