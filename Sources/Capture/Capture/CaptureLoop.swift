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
        var openGaps = 0
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

    /// All that the loop's thread works on.
    private struct Desk {
        var seats: [Seat]
        var gaps: GapMachine
        var random: SeededRandom
    }

    private let sources: [any FrameSource]
    private let gapPolicy: GapMachine.Policy
    private let capture: CaptureLog
    private let positions: (any PositionReader)?
    private let shared = Monitor(Shared())
    private let thread = Monitor<Thread?>(nil)

    /// - Parameters:
    ///   - sources: what to record; their ids differ.
    ///   - capture: where to.
    ///   - positions: a fresh reader of slots and blocks, copied for each stream.
    ///   - gapPolicy: when gaps are given up.
    package init(
        sources: [any FrameSource],
        capture: CaptureLog,
        positions: (any PositionReader)?,
        gapPolicy: GapMachine.Policy = .never
    ) {
        self.sources = sources
        self.gapPolicy = gapPolicy
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
        var gaps = held(ledger.open)
        for lost in ledger.lostStreams {
            let fields = GapLedger.crash(lost, report)
            if let gap = capture.append(event: .gapOpened, fields) {
                unbounded[lost.source, default: []].append(gap)
                _ = gaps.take(.opened(GapMachine.Gap(id: gap, opened: fields)), now: 0)
            }
            capture.gaps.add()
            capture.notify(
                .warning,
                source: lost.source,
                "the run before ended without closing its stream: a gap is open"
            )
        }
        let (open, machine) = (unbounded, gaps)
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
            run(Desk(seats: seats, gaps: machine, random: SeededRandom(seed: seed)))
        }
        thread.withLock { $0 = started }
    }

    /// The gaps that earlier runs left open. Their time went on while nobody recorded; where the
    /// wall clock says that it went back, it begins now.
    private func held(_ open: [GapLedger.OpenGap]) -> GapMachine {
        var machine = GapMachine(gapPolicy)
        let now = capture.clock.monotonicNanoseconds()
        let wall = capture.clock.wallNanoseconds()
        for entry in open {
            _ = machine.take(.opened(entry.gap), now: now)
            guard let bounds = entry.gap.bounds, let at = entry.boundedAt else { continue }
            let passed = wall.subtractingReportingOverflow(at)
            let since = passed.overflow || passed.partialValue < 0 ? 0 : passed.partialValue
            _ = machine.take(.bounded(entry.gap.id, bounds, since: UInt64(since)), now: now)
        }
        return machine
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

    /// Gaps that are open now, those of earlier runs included.
    package var openGaps: Int { shared.withLock { $0.openGaps } }

    // MARK: The thread

    private func run(_ desk: Desk) {
        var desk = desk
        for index in desk.seats.indices { take(.start, at: index, &desk) }
        var wasStopped = false
        publish(desk)
        while !desk.seats.allSatisfy(\.machine.isEnded) {
            let (mail, stops) = waitForWork(desk, knowsStop: wasStopped)
            for letter in mail where letter.attempt == desk.seats[letter.source].attempt {
                take(letter.event, at: letter.source, &desk)
            }
            if stops, !wasStopped {
                wasStopped = true
                for index in desk.seats.indices { take(.stop, at: index, &desk) }
            }
            tick(&desk)
            publish(desk)
        }
        shared.update { $0.isOver = true }
    }

    private func waitForWork(
        _ desk: Desk,
        knowsStop: Bool
    ) -> (mail: [Mail], stops: Bool) {
        let now = capture.clock.monotonicNanoseconds()
        let times = desk.seats.flatMap { [$0.machine.deadline, $0.tickAt] } + [desk.gaps.deadline]
        let due = times.compactMap { $0 }.min()
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

    private func tick(_ desk: inout Desk) {
        let now = capture.clock.monotonicNanoseconds()
        for index in desk.seats.indices {
            if let due = desk.seats[index].machine.deadline, due <= now {
                take(.tick, at: index, &desk)
            }
            if let due = desk.seats[index].tickAt, due <= now {
                desk.seats[index].tickAt = desk.seats[index].stream?.tick(now: now)
            }
        }
        for action in desk.gaps.take(.tick, now: now) {
            switch action {
            case .abandon(let gap, let reason):
                capture.append(event: .gapAbandoned, gap.abandoned(reason))
                capture.gapsAbandoned.add()
                capture.notify(
                    .warning,
                    source: gap.source,
                    "the gap of record \(gap.id) is given up: \(reason)"
                )
            }
        }
    }

    private func publish(_ desk: Desk) {
        shared.withLock {
            $0.recorders = desk.seats.map(\.recorder)
            $0.openGaps = desk.gaps.openCount
            $0.statuses = desk.seats.map {
                SourceStatus(
                    id: $0.declaration.id,
                    state: $0.machine.state,
                    wasAccepted: $0.machine.wasAccepted
                )
            }
        }
    }

    private func take(_ event: SourceMachine.Event, at index: Int, _ desk: inout Desk) {
        let now = capture.clock.monotonicNanoseconds()
        let actions = desk.seats[index].machine.take(event, now: now, random: &desk.random)
        if case .streamEnded = event {
            desk.seats[index].stream?.release()
            desk.seats[index].stream = nil
            desk.seats[index].tickAt = nil
        }
        for action in actions {
            perform(action, at: index, &desk.seats[index], &desk.gaps, now: now)
        }
    }

    private func perform(
        _ action: SourceMachine.Action,
        at index: Int,
        _ seat: inout Seat,
        _ gaps: inout GapMachine,
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
            if let gap = capture.append(event: .gapOpened, fields) {
                seat.gaps.append(gap)
                _ = gaps.take(.opened(GapMachine.Gap(id: gap, opened: fields)), now: now)
            }
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
                let fields = GapLedger.bound(gap, id, summary)
                capture.append(event: .gapBounded, fields)
                _ = gaps.take(.bounded(gap, fields, since: 0), now: now)
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
