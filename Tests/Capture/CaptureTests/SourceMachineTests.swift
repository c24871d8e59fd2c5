import Capture
import Platform
import Testing

private let second: UInt64 = 1_000_000_000

@Suite struct SourceMachineTests {
    private var random = SeededRandom(seed: 7)
    private let broken = StreamEnding(cause: "connection_lost", text: "lost")
    private let refused = StreamEnding(cause: "grpc_16", text: "no", advice: .refused)
    private let busy = StreamEnding(cause: "grpc_8", text: "later", advice: .busy)
    private let orderly = StreamEnding(cause: "server_ended", text: "ok", isOrderly: true)
    private let asked = StreamEnding(cause: "on_request", text: "asked", isOnRequest: true)

    /// Feeds events at their times and gives the actions of the last.
    private mutating func feed(
        _ machine: inout SourceMachine,
        _ events: [(SourceMachine.Event, at: UInt64)]
    ) -> [SourceMachine.Action] {
        var actions: [SourceMachine.Action] = []
        for (event, time) in events { actions = machine.take(event, now: time, random: &random) }
        return actions
    }

    @Test mutating func `a broken stream opens a gap and the next frame bounds it`() {
        var machine = SourceMachine(.init())
        #expect(feed(&machine, [(.start, 0)]) == [.connect(attempt: 1)])
        #expect(feed(&machine, [(.accepted, 1), (.delivered, 2)]).isEmpty)
        let end = feed(&machine, [(.streamEnded(broken), 3)])
        #expect(end.first == .openGap(broken))
        guard let due = machine.deadline else {
            Issue.record("no next try")
            return
        }
        #expect(feed(&machine, [(.tick, due - 1)]).isEmpty)
        #expect(feed(&machine, [(.tick, due)]) == [.connect(attempt: 2)])
        #expect(feed(&machine, [(.accepted, due), (.delivered, due)]) == [.boundGap])
        #expect(!machine.hasUnboundedGap)
    }

    @Test mutating func `a failed try opens no second gap`() {
        var machine = SourceMachine(.init())
        _ = feed(
            &machine,
            [(.start, 0), (.accepted, 1), (.delivered, 2), (.streamEnded(broken), 3)]
        )
        var gaps = 0
        for _ in 0..<20 {
            guard let due = machine.deadline else { break }
            let actions = feed(
                &machine,
                [(.tick, due), (.accepted, due), (.streamEnded(broken), due)]
            )
            gaps += actions.filter { $0 == .openGap(broken) }.count
        }
        #expect(gaps == 0)
    }

    @Test(arguments: [true, false])
    mutating func `an end in order opens no gap and is followed by another stream`(
        isOnRequest: Bool
    ) {
        var machine = SourceMachine(.init())
        let ending = isOnRequest ? asked : orderly
        let actions = feed(
            &machine,
            [(.start, 0), (.accepted, 1), (.delivered, 2), (.streamEnded(ending), 3)]
        )
        #expect(!actions.contains(.openGap(ending)))
        #expect(machine.isEnded == isOnRequest)
    }

    @Test mutating func `a stream that was never accepted leaves no gap`() {
        var machine = SourceMachine(.init())
        let actions = feed(&machine, [(.start, 0), (.streamEnded(broken), 3)])
        #expect(actions.count == 1)
        #expect(!machine.hasUnboundedGap)
    }

    @Test mutating func `a refusal ends a source that never streamed`() {
        var machine = SourceMachine(.init())
        let actions = feed(&machine, [(.start, 0), (.streamEnded(refused), 3)])
        #expect(actions == [.announceEnd(.failed("no"))])
        #expect(feed(&machine, [(.tick, 1_000 * second), (.start, 1_001 * second)]).isEmpty)
    }

    @Test mutating func `a refusal after streaming is tried again no sooner than in 30 s`() {
        var machine = SourceMachine(.init())
        _ = feed(
            &machine,
            [(.start, 0), (.accepted, 1), (.delivered, 2), (.streamEnded(broken), 3)]
        )
        var now: UInt64 = 3
        for _ in 0..<50 {
            guard let due = machine.deadline else { break }
            now = due
            _ = feed(&machine, [(.tick, now), (.streamEnded(refused), now)])
            #expect((machine.deadline ?? 0) >= now + 30 * second)
        }
    }

    @Test mutating func `delays double up to a limit and begin anew after good streaming`() {
        var machine = SourceMachine(.init())
        let limits = Backoff.Limits()
        _ = feed(&machine, [(.start, 0), (.streamEnded(broken), 0)])
        var now: UInt64 = 0
        var whole = limits.first
        for _ in 0..<12 {
            let delay = (machine.deadline ?? 0) - now
            #expect(delay >= whole / 2 && delay <= whole)
            whole = min(whole * 2, limits.longest)
            now += delay
            _ = feed(&machine, [(.tick, now), (.streamEnded(broken), now)])
        }
        now = machine.deadline ?? 0
        let later = now + limits.resetAfter
        _ = feed(
            &machine,
            [(.tick, now), (.accepted, now), (.delivered, now), (.streamEnded(broken), later)]
        )
        #expect((machine.deadline ?? .max) - later <= limits.first)
    }

    @Test mutating func `an overloaded server is left alone for longer`() {
        var machine = SourceMachine(.init())
        _ = feed(&machine, [(.start, 0), (.streamEnded(busy), 0)])
        #expect((machine.deadline ?? 0) >= Backoff.Limits().firstWhenBusy / 2)
    }

    @Test mutating func `a server that asks for a pause gets it, up to a limit`() {
        var policy = SourceMachine.Policy()
        policy.backoff.retryAfter = 600 * second
        for (asked, least, most) in [
            (40 * second, 40 * second, 45 * second), (0, 2 * second, 5 * second),
            (599 * second, 599 * second, 675 * second), (.max, 600 * second, 675 * second),
        ] as [(UInt64, UInt64, UInt64)] {
            var ending = busy
            ending.retryAfter = asked
            var machine = SourceMachine(policy)
            _ = feed(&machine, [(.start, 0), (.streamEnded(ending), 0)])
            let due = machine.deadline ?? 0
            #expect((least...most).contains(due), "\(asked): \(due)")
        }
        // The own delay has grown beyond what is asked for.
        var ending = busy
        ending.retryAfter = second
        var machine = SourceMachine(policy)
        _ = feed(&machine, [(.start, 0), (.streamEnded(ending), 0)])
        for _ in 0..<5 {
            let due = machine.deadline ?? 0
            _ = feed(&machine, [(.tick, due), (.streamEnded(ending), due)])
            #expect((machine.deadline ?? 0) - due >= second)
        }
        #expect(machine.deadline ?? 0 > 60 * second)
    }

    @Test mutating func `a stop ends every state`() {
        let before: [[(SourceMachine.Event, at: UInt64)]] = [
            [], [(.start, 0)], [(.start, 0), (.accepted, 1)],
            [(.start, 0), (.accepted, 1), (.delivered, 2)],
            [(.start, 0), (.streamEnded(broken), 1)],
        ]
        for events in before {
            var machine = SourceMachine(.init())
            _ = feed(&machine, events)
            let actions = feed(&machine, [(.stop, 5)])
            if actions == [.endStream] {
                #expect(feed(&machine, [(.streamEnded(asked), 6)]) == [.announceEnd(.done)])
            } else {
                #expect(actions == [.announceEnd(.done)])
            }
            #expect(machine.isEnded)
        }
    }

    @Test mutating func `a stream that breaks while it is asked to end still opens a gap`() {
        var machine = SourceMachine(.init())
        let actions = feed(
            &machine,
            [
                (.start, 0), (.accepted, 1), (.delivered, 2), (.stop, 3),
                (.streamEnded(broken), 4),
            ]
        )
        #expect(actions == [.openGap(broken), .announceEnd(.done)])
    }

    @Test mutating func `until-end takes one stream and a few tries`() {
        var policy = SourceMachine.Policy()
        policy.endsWithStream = true
        policy.attemptsMax = 3
        var machine = SourceMachine(policy)
        let actions = feed(
            &machine,
            [(.start, 0), (.accepted, 1), (.delivered, 2), (.streamEnded(broken), 3)]
        )
        #expect(actions == [.openGap(broken), .announceEnd(.done)])

        var tired = SourceMachine(policy)
        _ = feed(&tired, [(.start, 0)])
        for attempt in 1...3 {
            #expect(!tired.isEnded)
            let due = feed(&tired, [(.streamEnded(broken), UInt64(attempt) * 100 * second)])
            if attempt == 3 { #expect(due == [.announceEnd(.failed("lost"))]) }
            _ = feed(&tired, [(.tick, (tired.deadline ?? 0))])
        }
        #expect(tired.isEnded)
    }

    @Test mutating func `a gap of an earlier run is bounded by the first frame`() {
        var machine = SourceMachine(.init(), hasUnboundedGap: true)
        #expect(feed(&machine, [(.start, 0), (.accepted, 1)]).isEmpty)
        #expect(feed(&machine, [(.delivered, 2)]) == [.boundGap])
    }
}
