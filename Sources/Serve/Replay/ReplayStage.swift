// The play of a recording: one head, moved by its only consumer or by a thread that many follow.

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

/// A `Pacer` shared by threads: one head, and the commands that move it, from any thread.
///
/// Alone, one `ReplayPlayer` plays it on the thread of its consumer. With followers a thread of the
/// stage plays it, reading the recording once for its times, and listeners ask through
/// `ReplayListener` how far they may go, each on a thread of its own. At the rate `unlimited` each
/// listener has a head of its own, and this object only says whether it may go on.
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

    /// A stretch of the play that is read from one place on, with a timeline of its own.
    struct Course {
        let from: Sequence
        /// Goes up with every new one.
        var number: UInt64 = 0
    }

    /// What holds for a record of a course.
    enum Turn {
        case due(at: UInt64?)
        case wait(until: UInt64, changes: UInt64)
        case elsewhere
        case stopped
    }

    private struct State {
        var pacer: Pacer
        /// Goes up with every seek of the pacer.
        var course: UInt64 = 0
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

        /// A new timeline begins before a record.
        mutating func begin(at sequence: Sequence, now: UInt64) {
            pacer.seek(to: sequence, now: now)
            course += 1
        }
    }

    /// What is played. The rate in it is the one at the start.
    package let options: ReplayStageOptions

    /// Records that a listener at the rate `unlimited` may take without asking again.
    private static let grant: UInt64 = 128
    /// Records due within this many nanoseconds are released together: each release wakes all.
    private static let coalescing: UInt64 = 500_000
    /// Records that are released at once at most.
    private static let batch = 256

    /// The kernel wakes a sleeper up to about this much late; the rest is slept exactly.
    private static let coarseNanoseconds: UInt64 = 300_000
    /// The last stretch is spent looking at the clock.
    private static let spinNanoseconds: UInt64 = 80_000

    private let clock: any Clock
    private let hasFollowers: Bool
    private let state: Monitor<State>
    private let thread = Monitor<Thread?>(nil)

    private init(_ clock: any Clock, _ options: ReplayStageOptions, hasFollowers: Bool) {
        self.clock = clock
        self.options = options
        self.hasFollowers = hasFollowers
        var pacer = Pacer(rate: options.rate, isPaused: options.startsPaused)
        pacer.seek(to: options.first, now: clock.monotonicNanoseconds())
        state = Monitor(State(pacer: pacer, released: options.first.previous))
    }

    /// A stage before the first record, for one `ReplayPlayer`. Its clock stands until `start`.
    ///
    /// - Parameters:
    ///   - clock: what is waited by; its monotonic time must be the machine's.
    ///   - options: what to play.
    package convenience init(clock: any Clock, options: ReplayStageOptions) {
        self.init(clock, options, hasFollowers: false)
    }

    /// A stage before the first record for listeners, with its thread.
    ///
    /// - Parameters:
    ///   - path: the recording's directory.
    ///   - disk: where it lies.
    ///   - clock: measures real time.
    ///   - options: what to play.
    /// - Throws: `system` when no thread can be had.
    package convenience init(
        path: String,
        disk: any FileSystem,
        clock: any Clock,
        options: ReplayStageOptions
    ) throws(LogError) {
        self.init(clock, options, hasFollowers: true)
        do throws(SystemError) {
            let started = try Thread(name: "replay-stage") { [self] in run(path, disk) }
            thread.withLock { $0 = started }
        } catch { throw .system(error) }
    }

    // MARK: Commands

    /// Starts the clock, whatever it waits for; later calls change nothing.
    package func start() { change { state, now in state.pacer.start(now: now) } }

    /// Ends the play: whoever waits is told, and the thread ends. Every stage with listeners must
    /// be stopped.
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
            state.begin(at: target, now: now)
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
                state.begin(at: state.released.next, now: now)
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
            state.begin(at: options.first, now: now)
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

    // MARK: Playing

    /// Where to read on; waits while there is nothing to play. Nil at the end of the play.
    func nextCourse() -> Course? {
        state.wait { [options] (state: inout State) -> Course?? in
            if state.isStopping { return .some(nil) }
            let isWork =
                !hasFollowers
                || state.pacer.rate != .unlimited && state.released < options.last
            guard isWork else { return nil }
            return .some(Course(from: state.released.next, number: state.course))
        }
    }

    /// Asks about a record without waiting.
    ///
    /// - Parameters:
    ///   - sequence: the record.
    ///   - offset: its place on the timeline of the course.
    ///   - course: what is being read.
    /// - Returns: what is to be done about it now.
    func turn(of sequence: Sequence, at offset: UInt64, on course: Course) -> Turn {
        let now = clock.monotonicNanoseconds()
        let (turn, isStep) = state.withLock { state -> (Turn, Bool) in
            if state.isStopping { return (.stopped, false) }
            guard state.course == course.number,
                !hasFollowers || state.pacer.rate != .unlimited
            else { return (.elsewhere, false) }
            switch state.pacer.decide(sequence, at: offset, now: now) {
            case .due(let at):
                // To followers records are released in batches.
                if !hasFollowers { state.released = max(state.released, sequence) }
                return (.due(at: at), state.pacer.isPaused && !hasFollowers)
            case .hold: return (.wait(until: .max, changes: state.changes), false)
            case .wait(let due): return (.wait(until: due, changes: state.changes), false)
            }
        }
        // Whoever asked for the step waits for it.
        if isStep { state.wakeAll() }
        return turn
    }

    /// Sleeps to a moment, but not past a change; up to some tenths of a millisecond too long.
    private func sleep(until due: UInt64, _ changes: UInt64) -> Bool {
        let look = { (state: inout State) -> Void? in
            state.changes != changes || state.isStopping ? () : nil
        }
        if due < .max { return state.wait(deadline: due, until: look) != nil }
        state.wait(until: look)
        return true
    }

    /// Sleeps to a moment, but not past a change: coarsely where a change can wake it, then
    /// exactly, then looking at the clock.
    func sleep(exactlyUntil due: UInt64, _ changes: UInt64) {
        let now = clock.monotonicNanoseconds()
        if due > now &+ Self.coarseNanoseconds {
            let coarse = due == .max ? due : due - Self.coarseNanoseconds
            if sleep(until: coarse, changes) { return }
        }
        if due > Self.spinNanoseconds { Thread.sleep(until: due - Self.spinNanoseconds) }
        while clock.monotonicNanoseconds() < due {}
    }

    // MARK: The thread

    private func run(_ path: String, _ disk: any FileSystem) {
        do throws(LogError) {
            let player = try ReplayPlayer(RecordingReader(path: path, disk: disk), on: self)
            while try player.follow() { try play(player) }
        } catch {
            // Listeners read for themselves and meet the same failure.
            state.update { [options] in $0.released = options.last }
        }
    }

    /// Plays until the head is moved or the range is over.
    private func play(_ player: ReplayPlayer) throws(LogError) {
        var held: Sequence?
        var count = 0
        while true {
            let sight = try player.look()
            switch sight {
            case .step(.hole), .step(.damage): continue
            case .step(.record):
                held = player.cursor.envelope.sequence
                count += 1
                if count < Self.batch { continue }
            case .step(.end): held = options.last
            case .step(.stopped), .wait, .elsewhere: break
            }
            if let sequence = held { release(sequence, player.course) }
            held = nil
            count = 0
            switch sight {
            case .step(.end), .step(.stopped), .elsewhere: return
            case .step: continue
            case .wait(let due, let changes):
                let soonest = clock.monotonicNanoseconds() &+ Self.coalescing
                _ = sleep(until: max(due, soonest), changes)
            }
        }
    }

    /// Lets the listeners have everything up to a record, unless the head has been moved.
    private func release(_ sequence: Sequence, _ course: Course) {
        state.update { state in
            guard state.course == course.number else { return }
            state.released = max(state.released, sequence)
        }
    }
}
