package import Pipeline
package import Platform

/// Parses batches on several threads and gives them back in the order in which they were given.
///
/// One thread gives and takes. When the batch that comes next has not been begun by another
/// thread, the taker parses it itself, so that no processor waits for the other. How many threads
/// there are never changes what comes out.
package final class ParseLanes {
    /// Who has a batch: nobody yet, a thread that parses it, nobody any more.
    private enum Progress {
        case waiting, running, done
    }

    private struct State {
        var jobs: [(batch: RecordBatch, progress: Progress)] = []
        var isEnding = false
    }

    /// Batches that may be under way at a time.
    package let depth: Int
    private let state = Monitor(State())
    private let parse: @Sendable (RecordBatch, Int) -> Void
    private var threads: [Platform.Thread] = []

    /// - Parameters:
    ///   - helpers: threads beside the one that gives and takes; 0 for none.
    ///   - parse: parses a batch as the worker of that number, 0 being the giver. Calls with
    ///     different numbers run at the same time.
    /// - Throws: a thread cannot be made.
    package init(
        helpers: Int,
        parse: @escaping @Sendable (RecordBatch, Int) -> Void
    ) throws(SystemError) {
        precondition(helpers >= 0 && helpers <= 64, "\(helpers) threads")
        depth = helpers == 0 ? 1 : helpers * 2 + 2
        self.parse = parse
        for number in 1..<helpers + 1 {
            let state = state
            threads.append(
                try Platform.Thread(name: "parse-\(number)") {
                    ParseLanes.work(state, as: number, parse)
                }
            )
        }
    }

    /// Whether another batch may be given before one is taken.
    package var hasRoom: Bool { state.withLock { $0.jobs.count < depth } }

    /// Batches given and not taken.
    package var count: Int { state.withLock { $0.jobs.count } }

    /// Gives a batch; there is room for it.
    package func give(_ batch: RecordBatch) {
        state.update {
            precondition($0.jobs.count < depth, "no room for a batch")
            $0.jobs.append((batch, .waiting))
        }
    }

    /// Takes the oldest batch, parsed; nil when none was given.
    package func take() -> RecordBatch? {
        let mine = state.withLock { state -> RecordBatch? in
            guard let first = state.jobs.first, first.progress == .waiting else { return nil }
            state.jobs[0].progress = .running
            return first.batch
        }
        if let mine {
            parse(mine, 0)
            return state.withLock { $0.jobs.removeFirst().batch }
        }
        guard count > 0 else { return nil }
        return state.wait { state in
            guard state.jobs[0].progress == .done else { return nil }
            return state.jobs.removeFirst().batch
        }
    }

    /// Ends the threads. Batches that were not taken are gone.
    package func close() {
        state.update {
            $0.isEnding = true
            $0.jobs.removeAll { $0.progress == .waiting }
        }
        for thread in threads { thread.join() }
        threads = []
    }

    private static func work(
        _ state: Monitor<State>,
        as number: Int,
        _ parse: (RecordBatch, Int) -> Void
    ) {
        while true {
            let job = state.wait { state -> RecordBatch?? in
                if state.isEnding { return .some(nil) }
                guard let next = state.jobs.firstIndex(where: { $0.progress == .waiting }) else {
                    return nil
                }
                state.jobs[next].progress = .running
                return .some(state.jobs[next].batch)
            }
            guard let batch = job else { return }
            parse(batch, number)
            state.update { state in
                // Not there any more when the lanes were closed meanwhile.
                guard let place = state.jobs.firstIndex(where: { $0.batch === batch }) else {
                    return
                }
                state.jobs[place].progress = .done
            }
        }
    }
}
