import Observability
package import Platform
package import RecordModel
import SegmentLog

/// Runs the machines of all sources on one thread, and does what they say.
package final class CaptureLoop: Sendable {
    /// What a person may see of a source.
    package struct SourceStatus: Sendable, Equatable {
        package let id: String
        package let state: SourceMachine.State
        package let wasAccepted: Bool
        /// Frames of the stream that is open now.
        package var frames: UInt64 = 0
    }

    private struct Mail {
        let source: Int
        /// The try it belongs to; 0 for all.
        let attempt: UInt64
        let event: SourceMachine.Event
    }

    private struct Shared {
        var mail: [Mail] = []
        var isStopAsked = false
        var statuses: [SourceStatus] = []
        /// The recorders of the open streams, beside `statuses`.
        var recorders: [StreamRecorder?] = []
        var isOver = false
    }

    /// One source on the loop's thread.
    private struct Seat {
        let source: any FrameSource
        let declaration: SourceDeclaration
        var machine: SourceMachine
        var attempt: UInt64 = 0
        var recorder: StreamRecorder?
        var stream: (any OpenStream)?
        var tickAt: UInt64?
        var gaps: [RecordModel.Sequence]
    }

    private let sources: [any FrameSource]
    private let capture: CaptureLog
    private let positions: (any PositionReader)?
    private let shared = Monitor(Shared())
    private let thread = Monitor<Thread?>(nil)

    /// - Parameters:
    ///   - sources: what to record; their ids differ.
    ///   - capture: where to.
    ///   - positions: a fresh reader of slots and blocks, copied for each stream.
    package init(
        sources: [any FrameSource],
        capture: CaptureLog,
        positions: (any PositionReader)?
    ) {
        self.sources = sources
        self.capture = capture
        self.positions = positions
    }

    /// Writes the declarations and the gaps that a crash left, and starts all sources.
    ///
    /// - Parameter seed: of the jitter between tries.
    /// - Throws: when no thread could be started.
    package func start(seed: UInt64) throws(SystemError) {
        let report = capture.log.recovery
        for source in sources { declare(source.declaration) }
        let ledger = GapLedger(report)
        var unbounded = ledger.unbounded
        for lost in ledger.lostStreams {
            let fields = GapLedger.crash(lost, report)
            if let gap = capture.append(event: .gapOpened, fields) {
                unbounded[lost.source, default: []].append(gap)
            }
            capture.gaps.add()
            capture.notify(
                .warning,
                source: lost.source,
                "the run before ended without closing its stream: a gap is open"
            )
        }
        let open = unbounded
        let started = try Thread(name: "capture") { [self] in
            let seats = sources.map { source in
                // No entry: nothing is left open.
                let gaps = open[source.declaration.id] ?? []
                return Seat(
                    source: source,
                    declaration: source.declaration,
                    machine: SourceMachine(source.policy, hasUnboundedGap: !gaps.isEmpty),
                    gaps: gaps
                )
            }
            run(seats, SeededRandom(seed: seed))
        }
        thread.withLock { $0 = started }
    }

    private func declare(_ declaration: SourceDeclaration) {
        var fields = EventFields()
        fields.add(.source, declaration.id)
        fields.add(.endpoint, capture.redactor.text(declaration.endpoint))
        fields.add(.method, capture.redactor.text(declaration.method))
        fields.add(.transport, declaration.transport)
        if let chain = declaration.chain { fields.add(.chain, chain) }
        fields.add(.text, capture.redactor.text(declaration.settings))
        capture.append(event: .sourceDeclared, fields)
    }

    /// Asks every source to end in good order. Returns at once.
    package func stop() { shared.update { $0.isStopAsked = true } }

    /// Waits until every source has ended.
    ///
    /// - Parameter deadline: monotonic nanoseconds.
    /// - Returns: whether they have.
    package func waitEnded(deadline: UInt64) -> Bool {
        shared.wait(deadline: deadline) { $0.isOver ? true : nil } ?? false
    }

    /// Waits for the loop's thread, after `waitEnded` said so.
    package func join() {
        let running = thread.withLock { thread in
            defer { thread = nil }
            return thread
        }
        running?.join()
    }

    /// How the sources are.
    package var statuses: [SourceStatus] {
        let (statuses, recorders) = shared.withLock { ($0.statuses, $0.recorders) }
        return zip(statuses, recorders).map { status, recorder in
            var status = status
            status.frames = recorder?.frameCount ?? 0  // no stream, no frames
            return status
        }
    }

    // MARK: The thread

    private func run(_ seats: [Seat], _ random: SeededRandom) {
        var seats = seats
        var random = random
        for index in seats.indices { take(.start, at: index, &seats, &random) }
        var wasStopped = false
        publish(seats)
        while !seats.allSatisfy(\.machine.isEnded) {
            let (mail, stops) = waitForWork(seats, knowsStop: wasStopped)
            for letter in mail where letter.attempt == seats[letter.source].attempt {
                take(letter.event, at: letter.source, &seats, &random)
            }
            if stops, !wasStopped {
                wasStopped = true
                for index in seats.indices { take(.stop, at: index, &seats, &random) }
            }
            tick(&seats, &random)
            publish(seats)
        }
        shared.update { $0.isOver = true }
    }

    private func waitForWork(
        _ seats: [Seat],
        knowsStop: Bool
    ) -> (mail: [Mail], stops: Bool) {
        let now = capture.clock.monotonicNanoseconds()
        let due = seats.flatMap { [$0.machine.deadline, $0.tickAt] }.compactMap { $0 }.min()
        // Once a second at the latest, should a wake-up ever be lost.
        let deadline = min(due ?? .max, now &+ 1_000_000_000)
        _ = shared.wait(deadline: deadline) { shared -> Bool? in
            !shared.mail.isEmpty || shared.isStopAsked && !knowsStop ? true : nil
        }
        return shared.withLock { shared in
            defer { shared.mail = [] }
            return (shared.mail, shared.isStopAsked)
        }
    }

    private func tick(_ seats: inout [Seat], _ random: inout SeededRandom) {
        let now = capture.clock.monotonicNanoseconds()
        for index in seats.indices {
            if let due = seats[index].machine.deadline, due <= now {
                take(.tick, at: index, &seats, &random)
            }
            if let due = seats[index].tickAt, due <= now {
                seats[index].tickAt = seats[index].stream?.tick(now: now)
            }
        }
    }

    private func publish(_ seats: [Seat]) {
        shared.withLock {
            $0.recorders = seats.map(\.recorder)
            $0.statuses = seats.map {
                SourceStatus(
                    id: $0.declaration.id,
                    state: $0.machine.state,
                    wasAccepted: $0.machine.wasAccepted
                )
            }
        }
    }

    private func take(
        _ event: SourceMachine.Event,
        at index: Int,
        _ seats: inout [Seat],
        _ random: inout SeededRandom
    ) {
        let now = capture.clock.monotonicNanoseconds()
        let actions = seats[index].machine.take(event, now: now, random: &random)
        if case .streamEnded = event {
            seats[index].stream?.release()
            seats[index].stream = nil
            seats[index].tickAt = nil
        }
        for action in actions { perform(action, at: index, &seats[index], now: now) }
    }

    private func perform(
        _ action: SourceMachine.Action,
        at index: Int,
        _ seat: inout Seat,
        now: UInt64
    ) {
        let id = seat.declaration.id
        switch action {
        case .connect(let attempt):
            seat.attempt = attempt
            let recorder = StreamRecorder(
                opening: seat.declaration,
                attempt: attempt,
                capture: capture,
                positions: positions
            ) { [shared] event in
                shared.update {
                    $0.mail.append(Mail(source: index, attempt: attempt, event: event))
                }
            }
            seat.recorder = recorder
            seat.stream = seat.source.open(recorder)
            seat.tickAt = seat.stream?.tick(now: now)
        case .endStream:
            seat.recorder?.askEnd()
            seat.stream?.end()
        case .openGap(let ending):
            guard let summary = seat.recorder?.summary else { return }
            let fields = GapLedger.broken(id, summary, ending)
            if let gap = capture.append(event: .gapOpened, fields) { seat.gaps.append(gap) }
            capture.gaps.add()
            // Otherwise the next try is announced, with the same words.
            if seat.machine.isEnded {
                capture.notify(
                    .warning,
                    source: id,
                    "\(ending.text); something may be missing behind record "
                        + "\(summary.lastSequence)"
                )
            }
        case .boundGap:
            guard let summary = seat.recorder?.summary else { return }
            for gap in seat.gaps {
                capture.append(event: .gapBounded, GapLedger.bound(gap, id, summary))
            }
            seat.gaps = []
        case .announceWait(let nanoseconds, let ending):
            let tenths = nanoseconds / 100_000_000
            capture.notify(
                ending.isOrderly ? .remark : .warning,
                source: id,
                "\(ending.text); next try in \(tenths / 10).\(tenths % 10) s"
            )
        case .announceEnd(.done): break
        case .announceEnd(.failed(let text)):
            capture.notify(.failure, source: id, "given up: \(text)")
        }
    }
}
