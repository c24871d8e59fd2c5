// The play of a recording for many listeners: one head that a thread moves and all follow.

package import Platform
package import RecordModel
package import SegmentLog

/// What is played, and how it begins.
package struct ReplayStageOptions: Sendable {
    /// The first and the last record that are played; nothing when the last is below the first.
    package var first: Sequence
    package var last: Sequence
    package var rate = ReplayRate.recorded
    /// Whether the play begins only when told to resume.
    package var startsPaused = false
    /// How many subscriptions the clock waits for, 1 or more.
    package var waitsFor = 1
    /// Whether the play begins again for those who come after the end.
    package var loops = false
    /// Whether waits of more than a second between records stay as long as they were.
    package var keepsIdle = false

    package init(first: Sequence, last: Sequence) {
        self.first = first
        self.last = last
    }
}

/// One head for all listeners at a finite rate; at the rate `unlimited` each listener has its own,
/// and this object only says whether it may go on.
///
/// Listeners ask through `ReplayListener`, each on a thread of its own. A thread of the stage
/// reads the recording once for its times. Commands may come from any thread.
package final class ReplayStage: Sendable {
    /// How far the play is.
    package struct Status: Sendable, Equatable {
        package var rate: ReplayRate
        /// False while the clock waits for its first subscriptions.
        package var isStarted: Bool
        package var isPaused: Bool
        /// Nothing more is to come.
        package var isAtEnd: Bool
        /// The last record that has been played; at the rate `unlimited` by whoever is furthest.
        package var position: Sequence
        /// Subscriptions so far.
        package var subscriptions: Int
    }

    /// Where a listener stands.
    struct Place {
        var position: Sequence
        var moves: UInt64
        var lap: UInt64
        var pauses: UInt64 = 0
        var steps: UInt64 = 0
    }

    enum Permit: Equatable {
        case through(Sequence)
        case moved(to: Sequence)
        case ended
        case stopped
    }

    private struct State {
        var pacer: Pacer
        var isStopping = false
        var subscriptions = 0
        /// The last record that is due.
        var released: Sequence
        /// Goes up with every seek, and the record that the last one went to.
        var moves: UInt64 = 0
        var target = Sequence.none
        /// Goes up when the play begins again.
        var lap: UInt64 = 0
        /// Goes up when anything changes that the thread plans by.
        var changes: UInt64 = 0
        /// Goes up with every pause; the steps allowed since.
        var pauses: UInt64 = 0
        var steps: UInt64 = 0
    }

    /// What is played. The rate in it is the one at the start.
    package let options: ReplayStageOptions

    /// Records that a listener at the rate `unlimited` may take without asking again.
    private static let grant: UInt64 = 128
    /// Records due within this many nanoseconds are released together: each release wakes all.
    private static let coalescing: UInt64 = 500_000
    /// Records that are released at once at most.
    private static let batch = 256

    private let path: String
    private let disk: any FileSystem
    private let clock: any Clock
    private let state: Monitor<State>
    private let thread = Monitor<Thread?>(nil)

    /// A stage before the first record, with its thread.
    ///
    /// - Parameters:
    ///   - path: the recording's directory.
    ///   - disk: where it lies.
    ///   - clock: measures real time.
    ///   - options: what to play.
    /// - Throws: `system` when no thread can be had.
    package init(
        path: String,
        disk: any FileSystem,
        clock: any Clock,
        options: ReplayStageOptions
    ) throws(LogError) {
        self.path = path
        self.disk = disk
        self.clock = clock
        self.options = options
        var pacer = Pacer(rate: options.rate, isPaused: options.startsPaused)
        pacer.seek(to: options.first, now: clock.monotonicNanoseconds())
        state = Monitor(State(pacer: pacer, released: options.first.previous))
        do throws(SystemError) {
            let started = try Thread(name: "replay-stage") { [self] in run() }
            thread.withLock { $0 = started }
        } catch { throw .system(error) }
    }

    // MARK: Commands

    /// Ends the play: every listener is told, and the thread ends. Every stage must be stopped.
    package func stop() {
        state.update { $0.isStopping = true }
        let running = thread.withLock { thread in
            defer { thread = nil }
            return thread
        }
        running?.join()
    }

    /// Holds the play.
    package func pause() {
        change { state, now in
            if !state.pacer.isPaused {
                state.pauses += 1
                state.steps = 0
            }
            state.pacer.pause(now: now)
        }
    }

    /// Lets the play go on; also starts it when it still waits for subscriptions.
    package func resume() {
        change { state, now in
            state.pacer.resume(now: now)
            state.pacer.start(now: now)
        }
    }

    /// Plays some records while paused, and waits until they are released.
    ///
    /// - Parameter count: sequences, whatever their kind.
    /// - Returns: false when the play is not paused; nothing happens then.
    package func step(_ count: UInt64) -> Bool {
        let now = clock.monotonicNanoseconds()
        let goal = state.update { [options] state -> Sequence? in
            guard state.pacer.isPaused else { return nil }
            state.pacer.start(now: now)
            state.pacer.step(count)
            let (steps, overflow) = state.steps.addingReportingOverflow(count)
            state.steps = overflow ? .max : steps
            state.changes &+= 1
            let (sum, carry) = state.released.value.addingReportingOverflow(count)
            return carry ? options.last : min(Sequence(sum), options.last)
        }
        guard let goal else { return false }
        state.wait { (state: inout State) -> Void? in
            let isDone =
                state.released >= goal || state.pacer.rate == .unlimited
                || !state.pacer.isPaused || state.isStopping
            return isDone ? () : nil
        }
        return true
    }

    /// Moves the head before a record; every listener goes on from there. A place outside the
    /// range is moved into it.
    package func seek(to sequence: Sequence) {
        change { [options] state, now in
            let target = min(max(sequence, options.first), options.last.next)
            state.pacer.seek(to: target, now: now)
            state.released = target.previous
            state.target = target
            state.moves += 1
            state.steps = 0
            state.pauses += 1
        }
    }

    /// Changes the speed from here on.
    package func setRate(_ rate: ReplayRate) {
        change { state, now in
            if state.pacer.rate == .unlimited {
                // The shared head goes on where whoever is furthest stands.
                state.pacer.seek(to: state.released.next, now: now)
            }
            state.pacer.setRate(rate, now: now)
        }
    }

    private func change(_ body: (inout State, UInt64) -> Void) {
        let now = clock.monotonicNanoseconds()
        state.update { state in
            body(&state, now)
            state.changes &+= 1
        }
    }

    /// How far the play is.
    package var status: Status { state.withLock { status(of: $0) } }

    private func status(of state: State) -> Status {
        Status(
            rate: state.pacer.rate,
            isStarted: state.pacer.isStarted,
            isPaused: state.pacer.isPaused,
            isAtEnd: state.released >= options.last,
            position: state.released,
            subscriptions: state.subscriptions
        )
    }

    /// Wakes every listener that waits, so that it looks at what interrupts it.
    package func wakeAll() { state.update { _ in } }

    // MARK: Listeners

    /// Counts a subscription. The clock starts when there are as many as it waits for.
    private func count(_ state: inout State, _ now: UInt64) {
        state.subscriptions += 1
        if options.loops, state.pacer.rate != .unlimited, state.released >= options.last {
            state.lap += 1
            state.released = options.first.previous
            state.pacer.seek(to: options.first, now: now)
        }
        // A play that starts paused is started by hand.
        if !state.pacer.isPaused, state.subscriptions >= options.waitsFor {
            state.pacer.start(now: now)
        }
    }

    /// A listener begins and is counted: at the head, or at the range's start at the rate
    /// `unlimited`.
    func enter() -> Place {
        let now = clock.monotonicNanoseconds()
        // In one step: nothing may be released between the count and the place.
        return state.update { [options] state -> Place in
            count(&state, now)
            state.changes &+= 1
            return Place(
                position: state.pacer.rate == .unlimited
                    ? options.first.previous : state.released,
                moves: state.moves,
                lap: state.lap,
                pauses: state.pauses
            )
        }
    }

    /// What the listener may do now; nil when it has to wait.
    func permit(_ place: inout Place) -> Permit? {
        state.withLock { state -> Permit? in
            if state.isStopping { return .stopped }
            if place.moves != state.moves {
                place.moves = state.moves
                place.lap = state.lap
                place.position = state.target.previous
                return .moved(to: state.target)
            }
            if place.position >= options.last { return .ended }
            if place.lap != state.lap { return .through(options.last) }
            guard state.pacer.isStarted else { return nil }
            guard state.pacer.rate == .unlimited else {
                return place.position < state.released ? .through(state.released) : nil
            }
            return ownPermit(&place, &state)
        }
    }

    /// At the rate `unlimited`.
    private func ownPermit(_ place: inout Place, _ state: inout State) -> Permit? {
        var count = Self.grant
        if state.pacer.isPaused {
            if place.pauses != state.pauses {
                place.pauses = state.pauses
                place.steps = 0
            }
            guard state.steps > place.steps else { return nil }
            count = min(count, state.steps - place.steps)
            place.steps += count
        }
        let (sum, overflow) = place.position.value.addingReportingOverflow(count)
        let end = overflow ? options.last : min(Sequence(sum), options.last)
        state.released = max(state.released, end)
        return .through(end)
    }

    /// Waits until the listener may do something, is interrupted, or the deadline has passed.
    ///
    /// - Parameters:
    ///   - place: where it stands.
    ///   - deadline: monotonic nanoseconds; `.max` waits for ever.
    ///   - isInterrupted: looked at on every wake-up (`wakeAll`), under the stage's lock.
    func waitUntilPermitted(_ place: Place, deadline: UInt64, isInterrupted: () -> Bool) {
        let look = { (state: inout State) -> Void? in
            self.isPermitted(place, state) || isInterrupted() ? () : nil
        }
        if deadline == .max {
            state.wait(until: look)
        } else {
            _ = state.wait(deadline: deadline, until: look)
        }
    }

    /// Whether `permit` would give something. Changes nothing: steps are handed out once.
    private func isPermitted(_ place: Place, _ state: State) -> Bool {
        if state.isStopping || place.moves != state.moves || place.position >= options.last
            || place.lap != state.lap
        {
            return true
        }
        guard state.pacer.isStarted else { return false }
        guard state.pacer.rate == .unlimited else { return place.position < state.released }
        if !state.pacer.isPaused { return true }
        return place.pauses != state.pauses ? state.steps > 0 : state.steps > place.steps
    }

    // MARK: The thread

    private func run() {
        do throws(LogError) {
            let reader = try RecordingReader(path: path, disk: disk)
            var scout = ReplayScout(try RecordCursor(reader, from: options.first), options)
            while let from = waitForWork() {
                try scout.move(to: from)
                try play(&scout)
            }
        } catch {
            // Listeners read for themselves and meet the same failure.
            state.update { [options] in $0.released = options.last }
        }
    }

    /// Where to read on; nil at the end of the play.
    private func waitForWork() -> Sequence? {
        state.wait { [options] (state: inout State) -> Sequence?? in
            if state.isStopping { return .some(nil) }
            let isWork = state.pacer.rate != .unlimited && state.released < options.last
            return isWork ? .some(state.released.next) : nil
        }
    }

    private enum Next {
        case due
        case elsewhere
        case wait(until: UInt64, changes: UInt64)
    }

    /// Plays until the head is moved or the range is over.
    private func play(_ scout: inout ReplayScout) throws(LogError) {
        let (moves, lap) = state.withLock { ($0.moves, $0.lap) }
        var held: Sequence?
        var count = 0
        while let ahead = try scout.peek() {
            let now = clock.monotonicNanoseconds()
            let next = state.withLock { state -> Next in
                guard state.moves == moves, state.lap == lap, !state.isStopping,
                    state.pacer.rate != .unlimited
                else { return .elsewhere }
                switch state.pacer.decide(ahead.sequence, at: ahead.offset, now: now) {
                case .due: return .due
                case .hold: return .wait(until: .max, changes: state.changes)
                case .wait(let until): return .wait(until: until, changes: state.changes)
                }
            }
            switch next {
            case .due:
                scout.take()
                held = ahead.sequence
                count += 1
                guard count >= Self.batch else { continue }
            case .elsewhere, .wait: break
            }
            if let sequence = held { release(sequence, moves, lap) }
            held = nil
            count = 0
            switch next {
            case .due: continue
            case .elsewhere: return
            case .wait(let until, let changes):
                sleep(until: max(until, now &+ Self.coalescing), changes)
            }
        }
        release(options.last, moves, lap)
    }

    private func sleep(until due: UInt64, _ changes: UInt64) {
        let look = { (state: inout State) -> Void? in
            state.changes != changes || state.isStopping ? () : nil
        }
        if due == .max {
            state.wait(until: look)
        } else {
            _ = state.wait(deadline: due, until: look)
        }
    }

    /// Lets the listeners have everything up to a record, unless the head has been moved.
    private func release(_ sequence: Sequence, _ moves: UInt64, _ lap: UInt64) {
        state.update { state in
            guard state.moves == moves, state.lap == lap else { return }
            state.released = max(state.released, sequence)
        }
    }
}

/// Reads ahead by one record, for its time.
private struct ReplayScout {
    private let cursor: RecordCursor
    private let options: ReplayStageOptions
    private var timeline: ReplayTimeline
    private var ahead: (sequence: Sequence, offset: UInt64)?
    /// The first sequence that has not been taken.
    private var next: Sequence

    init(_ cursor: RecordCursor, _ options: ReplayStageOptions) {
        self.cursor = cursor
        self.options = options
        timeline = ReplayTimeline(keepsIdle: options.keepsIdle)
        next = options.first
    }

    mutating func move(to sequence: Sequence) throws(LogError) {
        guard sequence != next else { return }
        try cursor.seek(to: sequence)
        timeline = ReplayTimeline(keepsIdle: options.keepsIdle)
        ahead = nil
        next = sequence
    }

    /// The next record and its place in time; nil behind the range.
    mutating func peek() throws(LogError) -> (sequence: Sequence, offset: UInt64)? {
        if let ahead { return ahead }
        while true {
            switch try cursor.next() {
            case .end: return nil
            case .hole, .damage: continue
            case .record:
                let envelope = cursor.envelope
                guard envelope.sequence <= options.last else { return nil }
                let found = (envelope.sequence, timeline.feed(envelope))
                ahead = found
                return found
            }
        }
    }

    mutating func take() {
        guard let ahead else { return }
        next = ahead.sequence.next
        self.ahead = nil
    }
}
