// Which recorded subscriptions answer a client's one, and how long they do.

import EthereumDecoding
import RecordModel

/// A recorded subscription: the places of its stream and of its call in the index.
struct EthereumFeed: Hashable, Sendable {
    let stream: Int
    let call: Int
}

/// Until where a subscription is whole, and what happens to the connection there.
struct EthereumLifetime: Equatable, Sendable {
    /// The record that ends it; `Sequence.endless` when it lives to the end of the recording.
    let end: Sequence
    /// The place of the stream that ended last.
    let stream: Int

    /// To the end of the recording.
    static let endless = EthereumLifetime(end: .endless, stream: 0)
}

/// How far a client has been served.
struct EthereumPlace: Equatable, Sendable {
    /// The last record.
    var sequence = Sequence.none
    /// Wall-clock nanoseconds of that record or of the next one; lowest when not known.
    var time = Int64.min
}

extension EthereumRecordingIndex {
    /// Recorded time, in nanoseconds, that a client may have to wait for the first record of a
    /// subscription while others of the chain run already.
    static let lateNanosecondsMax: Int64 = 10_000_000_000

    /// The subscriptions that a node confirmed, by stream and call.
    var feeds: [EthereumFeed] {
        streams.indices.flatMap { stream in
            streams[stream].calls.indices.compactMap { call in
                streams[stream].calls[call].subscription == nil
                    ? nil : EthereumFeed(stream: stream, call: call)
            }
        }
    }

    /// The call of a recorded subscription.
    func call(_ feed: EthereumFeed) -> EthereumRecordedCall {
        streams[feed.stream].calls[feed.call]
    }

    /// The record that confirmed it.
    func start(of feed: EthereumFeed) -> Sequence { call(feed).answer?.last ?? .endless }

    /// The record that ended it.
    func end(of feed: EthereumFeed) -> Sequence { streams[feed.stream].end(of: call(feed)) }

    /// The recorded subscription that is this request, live at or after a place: a live one
    /// first, then the earliest.
    ///
    /// - Parameters:
    ///   - request: what the client asks for.
    ///   - place: the last record that the client has been served, and its time.
    ///   - isFree: whether the client may get this id.
    /// - Returns: nil when there is none.
    func equalFeed(
        to request: EthereumSubscription,
        after place: EthereumPlace,
        where isFree: (EthereumFeed) -> Bool
    ) -> EthereumFeed? {
        let equal = feeds.filter {
            call($0).subscription?.request == request && end(of: $0) > place.sequence && isFree($0)
                && !isLate($0, after: place)
        }
        return equal.first { start(of: $0) <= place.sequence }
            ?? equal.min { start(of: $0) < start(of: $1) }  // none is live: the earliest
    }

    /// The recorded subscriptions that together bring everything that a request asks for from a
    /// place on, and how long they do.
    ///
    /// - Parameters:
    ///   - request: what the client asks for.
    ///   - place: the last record that the client has been served, and its time.
    ///   - joins: whether what was recorded after a break carries on.
    /// - Returns: nil when nothing recorded covers the request there.
    func coverage(
        of request: EthereumSubscription,
        after place: EthereumPlace,
        joins: Bool
    ) -> (feeds: [EthereumFeed], lifetime: EthereumLifetime)? {
        let covering = feeds.filter {
            call($0).subscription?.request.covers(request) == true
                && end(of: $0) > place.sequence
        }
        .sorted { start(of: $0) < start(of: $1) }
        guard let earliest = covering.first, !isLate(earliest, after: place) else { return nil }
        var lifetime = EthereumLifetime(end: end(of: earliest), stream: earliest.stream)
        // Those that are live when the ones before end carry on.
        for feed in covering where joins || start(of: feed) < lifetime.end {
            if end(of: feed) > lifetime.end {
                lifetime = EthereumLifetime(end: end(of: feed), stream: feed.stream)
            }
        }
        return (covering.filter { start(of: $0) < lifetime.end }, lifetime)
    }

    /// A recorded subscription and those that stand for it after its end: the same request on the
    /// later connections of the same source.
    ///
    /// - Parameters:
    ///   - feed: the first one.
    ///   - joins: whether there is to be more than one.
    /// - Returns: them in order, and how long they last.
    func succession(
        from feed: EthereumFeed,
        joins: Bool
    ) -> (feeds: [EthereumFeed], lifetime: EthereumLifetime) {
        var line = [feed]
        let source = streams[feed.stream].source
        let request = call(feed).subscription?.request
        var last = feed
        while joins {
            let end = end(of: last)
            let next =
                feeds.filter {
                    streams[$0.stream].source == source && call($0).subscription?.request == request
                        && self.end(of: $0) > end
                }
                .min { start(of: $0) < start(of: $1) }
            guard let next else { break }
            line.append(next)
            last = next
        }
        return (line, EthereumLifetime(end: end(of: last), stream: last.stream))
    }

    /// Whether a feed of a succession is the one that counts at a record.
    func isTurn(of feed: EthereumFeed, in line: [EthereumFeed], at sequence: Sequence) -> Bool {
        guard let number = line.firstIndex(of: feed), number > 0 else { return true }
        return end(of: line[number - 1]) < sequence
    }

    /// Whether a subscription begins so long after others of the chain that a client would take
    /// its silence for an answer.
    private func isLate(_ feed: EthereumFeed, after place: EthereumPlace) -> Bool {
        guard let answer = call(feed).answer, answer.last > place.sequence else { return false }
        var others = Int64.max
        for other in feeds where end(of: other) > place.sequence && start(of: other) < answer.last {
            guard let time = call(other).answer?.time else { continue }
            others = min(others, max(time, place.time))
        }
        guard others < answer.time else { return false }
        return answer.time &- others > Self.lateNanosecondsMax
    }
}
