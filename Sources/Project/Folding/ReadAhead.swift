import Pipeline
import Platform
import SegmentLog

/// Fills batches on a thread of its own, some ahead of whoever folds them. It ends where reading
/// does; it never waits for more of the log.
final class ReadAhead {
    private struct State {
        var read: [BatchFiller.Reading] = []
        /// Batches to be filled again.
        var spare: [RecordBatch] = []
        var failure: LogError?
        var isEnding = false
    }

    private let state = Monitor(State())
    private let thread: Platform.Thread

    /// Batches that wait to be taken, at most.
    private static let depth = 3

    /// - Parameter filler: nobody else uses it from now on.
    /// - Throws: the thread cannot be made.
    init(_ filler: BatchFiller) throws(SystemError) {
        let state = state
        // safety: the thread is the only one that uses it from here to the end of the thread.
        nonisolated(unsafe) let filler = filler
        thread = try Platform.Thread(name: "read") { ReadAhead.work(state, filler) }
    }

    /// Takes the batch that comes next in the log.
    ///
    /// - Parameter waits: whether to wait for it; nil is then never given.
    /// - Returns: nil when it is not ready.
    /// - Throws: what ended reading in its place.
    func take(waits: Bool) throws(LogError) -> BatchFiller.Reading? {
        let answer = state.updateWhen(waits) { state -> Result<BatchFiller.Reading, LogError>? in
            if !state.read.isEmpty { return .success(state.read.removeFirst()) }
            return state.failure.map { .failure($0) }
        }
        return try answer?.get()
    }

    /// Gives a batch back that is not used any more.
    func giveBack(_ batch: RecordBatch) { state.withLock { $0.spare.append(batch) } }

    /// Ends the thread; what it has read is gone.
    func close() {
        state.update { $0.isEnding = true }
        thread.join()
    }

    private static func work(_ state: Monitor<State>, _ filler: BatchFiller) {
        while true {
            let next = state.wait { state -> RecordBatch?? in
                if state.isEnding { return .some(nil) }
                guard state.read.count < depth else { return nil }
                return .some(state.spare.popLast() ?? RecordBatch())
            }
            guard let batch = next else { return }
            batch.removeAll()
            do throws(LogError) {
                let reading = try filler.fill(batch)
                state.update { $0.read.append(reading) }
                guard reading.step == .more else { return }
            } catch {
                state.update { $0.failure = error }
                return
            }
        }
    }
}

extension Monitor {
    /// What `body` gives, waiting for it or not; wakes every waiter.
    fileprivate func updateWhen<Result>(
        _ waits: Bool,
        _ body: (inout State) -> Result?
    ) -> Result? {
        let result = waits ? wait(until: body) : withLock { body(&$0) }
        if result != nil { wakeAll() }
        return result
    }
}
