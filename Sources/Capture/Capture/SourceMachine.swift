// What becomes of one source: when to connect, when to wait, when a gap opens and ends. A value
// without I/O: events and the time go in, actions come out.

package import Platform

/// The states of one source and the rules between them.
package struct SourceMachine: Sendable {
    /// What the source is doing.
    package enum State: Sendable, Equatable {
        /// Not started.
        case idle
        /// A stream is being opened, or open and not yet accepted.
        case connecting
        /// Accepted; no frame has come yet.
        case open
        /// Frames come.
        case streaming
        /// We asked the stream to end and wait for it.
        case stopping
        /// Waiting for the next try, until a time of the monotonic clock.
        case backingOff(until: UInt64, isRefused: Bool)
        /// No stream will be opened any more.
        case ended(Outcome)
    }

    /// How a source ended.
    package enum Outcome: Sendable, Equatable {
        /// On request, or because its stream ended and no other was wanted.
        case done
        /// It never streamed, and trying on makes no sense.
        case failed(String)
    }

    /// What happens to a source.
    package enum Event: Sendable, Equatable {
        /// The recording begins.
        case start
        /// The other side took the stream.
        case accepted
        /// The first frame of the stream has come.
        case delivered
        /// The stream has ended, or none came about.
        case streamEnded(StreamEnding)
        /// The recording is to end.
        case stop
        /// Time has passed.
        case tick
    }

    /// What the driver must do, in this order.
    package enum Action: Sendable, Equatable {
        /// Open a stream; tries are counted from 1.
        case connect(attempt: UInt64)
        /// Ask the stream to end.
        case endStream
        /// Record that something may be missing from the end of the last stream on.
        case openGap(StreamEnding)
        /// Record that the open gap ends at the frame that has just come.
        case boundGap
        /// Say when the next try is, in nanoseconds from now.
        case announceWait(nanoseconds: UInt64, StreamEnding)
        /// Say how the source ended.
        case announceEnd(Outcome)
    }

    /// What is wanted of the source.
    package struct Policy: Sendable, Equatable {
        package var backoff = Backoff.Limits()
        /// Its stream is not opened again once it has ended (`--until-end`).
        package var endsWithStream = false
        /// Tries in a row before a source that never streamed is given up; nil for no end.
        package var attemptsMax: UInt64?

        package init() {}
    }

    /// What the source is doing now.
    package private(set) var state = State.idle
    /// Whether a stream of it was ever accepted in this run.
    package private(set) var wasAccepted = false
    /// A gap whose upper end is not known yet.
    package private(set) var hasUnboundedGap: Bool

    private let policy: Policy
    private var backoff: Backoff
    private var attempts: UInt64 = 0
    private var isAccepted = false
    private var deliveredSince: UInt64?

    /// - Parameters:
    ///   - policy: what is wanted.
    ///   - hasUnboundedGap: whether an earlier run left a gap of the source without upper end.
    package init(_ policy: Policy, hasUnboundedGap: Bool = false) {
        self.policy = policy
        self.hasUnboundedGap = hasUnboundedGap
        backoff = Backoff(policy.backoff)
    }

    /// Whether the source is over.
    package var isEnded: Bool {
        if case .ended = state { return true }
        return false
    }

    /// When `tick` is due, in nanoseconds of the monotonic clock; nil for never.
    package var deadline: UInt64? {
        if case .backingOff(let until, _) = state { return until }
        return nil
    }

    /// Takes one event.
    ///
    /// - Parameters:
    ///   - event: what happened.
    ///   - now: nanoseconds of the monotonic clock.
    ///   - random: decides about jitter.
    /// - Returns: what to do now.
    package mutating func take(
        _ event: Event,
        now: UInt64,
        random: inout some RandomSource
    ) -> [Action] {
        switch (state, event) {
        case (.ended, _): return []
        case (.idle, .start): return connect()
        case (.idle, .stop): return end(.done)
        case (.backingOff, .stop): return end(.done)
        case (.backingOff(let until, _), .tick): return now >= until ? connect() : []
        case (.connecting, .stop), (.open, .stop), (.streaming, .stop):
            state = .stopping
            return [.endStream]
        case (.connecting, .accepted):
            accept()
            state = .open
            return []
        case (.connecting, .delivered), (.open, .delivered):
            accept()
            state = .streaming
            deliveredSince = now
            defer { hasUnboundedGap = false }
            return hasUnboundedGap ? [.boundGap] : []
        case (.connecting, .streamEnded(let ending)), (.open, .streamEnded(let ending)),
            (.streaming, .streamEnded(let ending)):
            return streamEnded(ending, now: now, random: &random)
        case (.stopping, .accepted), (.stopping, .delivered):
            accept()
            return []
        case (.stopping, .streamEnded(let ending)):
            // It may have broken by itself at the same moment: then that is the truth.
            return gap(after: ending) + end(.done)
        default: return []
        }
    }

    private mutating func accept() {
        isAccepted = true
        wasAccepted = true
    }

    private mutating func connect() -> [Action] {
        state = .connecting
        isAccepted = false
        deliveredSince = nil
        attempts += 1
        return [.connect(attempt: attempts)]
    }

    private mutating func end(_ outcome: Outcome) -> [Action] {
        state = .ended(outcome)
        return [.announceEnd(outcome)]
    }

    private mutating func gap(after ending: StreamEnding) -> [Action] {
        guard ending.opensGap, isAccepted, !hasUnboundedGap else { return [] }
        hasUnboundedGap = true
        return [.openGap(ending)]
    }

    private mutating func streamEnded(
        _ ending: StreamEnding,
        now: UInt64,
        random: inout some RandomSource
    ) -> [Action] {
        var actions = gap(after: ending)
        if policy.endsWithStream, isAccepted {
            return actions + end(.done)
        }
        if ending.isOnRequest { return actions + end(.done) }
        if !wasAccepted {
            let isHopeless = ending.advice == .refused
            // Without a limit nobody tires.
            let isTired = policy.attemptsMax.map { attempts >= $0 } ?? false
            if isHopeless || isTired { return actions + end(.failed(ending.text)) }
        }
        if let since = deliveredSince, now >= since,
            now - since >= policy.backoff.resetAfter
        {
            backoff.reset()
        }
        let delay = backoff.next(
            ending.advice,
            retryAfter: ending.retryAfter,
            random: &random
        )
        state = .backingOff(until: now &+ delay, isRefused: ending.advice == .refused)
        actions.append(.announceWait(nanoseconds: delay, ending))
        return actions
    }
}
