package import Platform
package import RecordModel

/// The moving place of a replay, shared by every consumer that follows it and by whoever controls
/// it. Any thread may call anything.
///
/// A consumer reads the recording with a cursor of its own, feeds a `ReplayTimeline` with every
/// record, and waits here until the record is due. The head never hands records out, so a slow
/// consumer holds nobody up: it goes on reading behind the head without waiting.
package final class ReplayHead: Sendable {
    /// What waiting ended with.
    package enum Turn: Equatable, Sendable {
        /// Deliver the record. `at` is the monotonic moment it was due; nil when nothing had to be
        /// waited for, so that no jitter can be told.
        case due(at: UInt64?)
        /// The head has jumped: call `entry` and read on from there.
        case sought
        /// The replay is over for everyone.
        case stopped
    }

    /// Where a consumer begins to read.
    package struct Entry: Sendable {
        /// The first record to feed to `timeline`.
        package let from: Sequence
        /// The first record to deliver; those before it only move the timeline.
        package let deliverFrom: Sequence
        /// The timeline before `from`.
        package let timeline: ReplayTimeline
        /// To be given back in every `wait`; changes with every jump.
        package let generation: UInt64
    }

    /// What can be told of the head at a moment.
    package struct Status: Equatable, Sendable {
        package let rate: ReplayRate
        package let isPaused: Bool
        package let isStarted: Bool
        package let isStopped: Bool
        /// The newest record that was due; the answer to "as of when".
        package let frontier: Sequence
        /// Nanoseconds on the timeline since the last jump.
        package let offset: UInt64
    }

    private struct State {
        var pacer: Pacer
        var marks: [(sequence: Sequence, timeline: ReplayTimeline)]
        var start: Sequence
        var generation: UInt64 = 0
        var isStopped = false
        /// Counts changes that waiters must see.
        var changes: UInt64 = 0
    }

    /// Records between two remembered timelines: a consumer that joins reads at most so many
    /// records twice.
    private static let markSpacing: UInt64 = 1024
    /// Remembered timelines; beyond it every second one is forgotten.
    private static let marksMax = 65_536
    /// The kernel wakes a sleeper up to about this much late; the rest is slept exactly.
    private static let coarseNanoseconds: UInt64 = 300_000
    /// The last stretch is spent looking at the clock.
    private static let spinNanoseconds: UInt64 = 80_000

    // safety: everything that changes is inside the Monitor.
    private let state: Monitor<State>
    private let clock: any Clock
    private let keepsIdle: Bool

    /// A head before a record; its clock stands until `start`.
    ///
    /// - Parameters:
    ///   - sequence: the first record of the replay.
    ///   - rate: how fast.
    ///   - keepsIdle: whether waits of more than a second keep their length.
    ///   - isPaused: whether it begins paused.
    ///   - clock: what is waited by; its monotonic time must be the machine's.
    package init(
        from sequence: Sequence,
        rate: ReplayRate,
        keepsIdle: Bool = false,
        isPaused: Bool = false,
        clock: any Clock = SystemClock()
    ) {
        var pacer = Pacer(rate: rate, isPaused: isPaused)
        pacer.seek(to: sequence, now: clock.monotonicNanoseconds())
        state = Monitor(State(pacer: pacer, marks: [], start: sequence))
        self.clock = clock
        self.keepsIdle = keepsIdle
    }

    // MARK: Following

    /// Where to begin reading in order to deliver from a record on.
    ///
    /// - Parameter sequence: the first record that the consumer wants; nil for the first one behind
    ///   the head's newest.
    /// - Returns: the nearest place whose timeline is known, at or before it.
    package func entry(at sequence: Sequence? = nil) -> Entry {
        state.withLock { state in
            let wanted = max(sequence ?? state.pacer.frontier.next, state.start)
            var low = 0
            var high = state.marks.count
            while low < high {
                let middle = (low + high) / 2
                if state.marks[middle].sequence < wanted { low = middle + 1 } else { high = middle }
            }
            let mark = low > 0 ? state.marks[low - 1] : nil
            return Entry(
                from: mark?.sequence.next ?? state.start,
                deliverFrom: wanted,
                timeline: mark?.timeline ?? ReplayTimeline(keepsIdle: keepsIdle),
                generation: state.generation
            )
        }
    }

    /// Waits until a record is due.
    ///
    /// - Parameters:
    ///   - sequence: the record.
    ///   - timeline: the timeline that was fed with it last.
    ///   - generation: that of the entry.
    /// - Returns: what to do now.
    package func wait(
        for sequence: Sequence,
        _ timeline: ReplayTimeline,
        generation: UInt64
    ) -> Turn {
        while true {
            let (answer, seen) = state.withLock { state in
                (self.look(&state, sequence, timeline, generation), state.changes)
            }
            switch answer {
            case .turn(let turn): return turn
            case .hold: state.wait { $0.changes != seen ? () : nil }
            case .until(let due): sleep(until: due, seen)
            }
        }
    }

    /// Asks about a record without waiting.
    ///
    /// - Parameters:
    ///   - sequence: the record.
    ///   - timeline: the timeline that was fed with it last.
    ///   - generation: that of the entry.
    /// - Returns: what to do now; nil when the record is not due yet.
    package func poll(
        for sequence: Sequence,
        _ timeline: ReplayTimeline,
        generation: UInt64
    ) -> Turn? {
        let answer = state.withLock { look(&$0, sequence, timeline, generation) }
        if case .turn(let turn) = answer { return turn }
        return nil
    }

    private enum Answer {
        case turn(Turn)
        case hold
        case until(UInt64)
    }

    private func look(
        _ state: inout State,
        _ sequence: Sequence,
        _ timeline: ReplayTimeline,
        _ generation: UInt64
    ) -> Answer {
        if state.isStopped { return .turn(.stopped) }
        guard generation == state.generation else { return .turn(.sought) }
        let now = clock.monotonicNanoseconds()
        switch state.pacer.decide(sequence, at: timeline.offset, now: now) {
        case .due(let at):
            mark(&state, sequence, timeline)
            return .turn(.due(at: at))
        case .hold: return .hold
        case .wait(let until): return .until(until)
        }
    }

    private func mark(_ state: inout State, _ sequence: Sequence, _ timeline: ReplayTimeline) {
        let last = state.marks.last?.sequence ?? state.start
        guard sequence > last, sequence.value - last.value >= Self.markSpacing else { return }
        if state.marks.count >= Self.marksMax {
            state.marks = state.marks.enumerated().filter { $0.offset % 2 == 1 }.map(\.element)
        }
        state.marks.append((sequence, timeline))
    }

    /// Sleeps to a moment, but not past a change: coarsely where a change can wake it, then
    /// exactly, then looking at the clock.
    private func sleep(until due: UInt64, _ seen: UInt64) {
        let now = clock.monotonicNanoseconds()
        if due > now &+ Self.coarseNanoseconds {
            let changed: Void? = state.wait(deadline: due - Self.coarseNanoseconds) {
                $0.changes != seen ? () : nil
            }
            if changed != nil { return }
        }
        if due > Self.spinNanoseconds { Thread.sleep(until: due - Self.spinNanoseconds) }
        while clock.monotonicNanoseconds() < due {}
    }

    // MARK: Control

    /// Starts the clock; later calls change nothing.
    package func start() {
        change { $0.pacer.start(now: $1) }
    }

    /// Lets the head stand; what was delivered stays delivered.
    package func pause() {
        change { $0.pacer.pause(now: $1) }
    }

    /// Lets the head move again.
    package func resume() {
        change { $0.pacer.resume(now: $1) }
    }

    /// Makes `count` further records due while paused, counted in sequences of the recording.
    package func step(_ count: UInt64) {
        change { state, _ in state.pacer.step(count) }
    }

    /// Changes how fast the head moves from now on.
    package func setRate(_ rate: ReplayRate) {
        change { $0.pacer.setRate(rate, now: $1) }
    }

    /// Jumps before a record; every consumer is told, and a new timeline begins there.
    package func seek(to sequence: Sequence) {
        change { state, now in
            state.pacer.seek(to: sequence, now: now)
            state.start = sequence
            state.marks = []
            state.generation += 1
        }
    }

    /// Ends the replay for every consumer.
    package func stop() {
        change { state, _ in state.isStopped = true }
    }

    private func change(_ body: (inout State, UInt64) -> Void) {
        let now = clock.monotonicNanoseconds()
        state.update { state in
            body(&state, now)
            state.changes &+= 1
        }
    }

    /// What can be told now.
    package var status: Status {
        let now = clock.monotonicNanoseconds()
        return state.withLock { state in
            Status(
                rate: state.pacer.rate,
                isPaused: state.pacer.isPaused,
                isStarted: state.pacer.isStarted,
                isStopped: state.isStopped,
                frontier: state.pacer.frontier,
                offset: state.pacer.offset(at: now)
            )
        }
    }
}
