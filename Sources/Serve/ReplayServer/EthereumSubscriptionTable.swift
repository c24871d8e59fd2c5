// The subscriptions of one client, and which recorded messages are for which of them.

import Deduplication
import EthereumDecoding
import JSONText
import MarketModel
import Platform
import RecordModel

/// The subscriptions of one client.
struct EthereumSubscriptionTable {
    /// Messages of one recorded subscription and the client's subscriptions that they are for.
    struct Route {
        let id: [UInt8]
        let feed: EthereumFeed
        /// Places in `subscriptions`.
        var takers: [Int]
    }

    private(set) var subscriptions: [EthereumClientSubscription] = []
    /// By the place of the stream in the index.
    private(set) var routes: [[Route]]
    /// Until when all subscriptions are whole.
    private(set) var lifetime = EthereumLifetime.endless

    private let index: EthereumRecordingIndex
    private let options: EthereumServeOptions
    private var random: any RandomSource
    private let reader = JSONRPCReader()
    private var occurrences: [EthereumFeed: EthereumOccurrences] = [:]

    init(
        _ index: EthereumRecordingIndex,
        _ options: EthereumServeOptions,
        random: any RandomSource
    ) {
        self.index = index
        self.options = options
        self.random = random
        routes = Array(repeating: [], count: index.streams.count)
    }

    // MARK: Subscribing

    /// Subscribes to a recorded subscription under its own id.
    mutating func adopt(_ feed: EthereumFeed) {
        guard let subscription = index.call(feed).subscription else { return }
        let line = index.succession(from: feed, joins: options.joinsConnections)
        add(
            EthereumClientSubscription(
                id: subscription.id,
                request: subscription.request,
                feeds: line.feeds,
                merges: false,
                lifetime: line.lifetime
            )
        )
    }

    /// Subscribes to whatever answers a request from a place on.
    ///
    /// - Returns: the id that the client gets.
    /// - Throws: what to answer instead.
    mutating func subscribe(
        _ request: EthereumSubscription,
        after place: EthereumPlace
    ) throws(JSONRPCError) -> [UInt8] {
        guard subscriptions.count < options.subscriptionsMax else {
            throw JSONRPCError(code: -32000, message: "too many subscriptions")
        }
        let used = subscriptions
        let equal = index.equalFeed(to: request, after: place) { feed in
            let id = index.call(feed).subscription?.id
            return !used.contains { $0.id == id }
        }
        if let equal, let id = index.call(equal).subscription?.id {
            adopt(equal)
            return id
        }
        let subscription = try merged(request, id: newID(), after: place)
        add(subscription)
        return subscription.id
    }

    private func merged(
        _ request: EthereumSubscription,
        id: [UInt8],
        after place: EthereumPlace
    ) throws(JSONRPCError) -> EthereumClientSubscription {
        let joins = options.joinsConnections
        guard let (feeds, lifetime) = index.coverage(of: request, after: place, joins: joins)
        else { throw refusal(of: request) }
        if request.hasIdentity || feeds.isEmpty {
            return EthereumClientSubscription(
                id: id,
                request: request,
                feeds: feeds,
                merges: true,
                lifetime: lifetime
            )
        }
        // Messages that cannot be told apart come from one connection after another.
        let line = index.succession(from: feeds[0], joins: joins)
        return EthereumClientSubscription(
            id: id,
            request: request,
            feeds: line.feeds,
            merges: false,
            lifetime: line.lifetime
        )
    }

    private func refusal(of request: EthereumSubscription) -> JSONRPCError {
        switch request {
        case .newHeads, .logs, .newPendingTransactions: break
        case .other(let name, _):
            let isKnown = index.feeds.contains {
                index.call($0).subscription?.request.name == name
            }
            if !isKnown { return .noSubscription(name) }
        }
        return .notRecorded("this \"\(request.name)\" subscription")
    }

    /// 16 random bytes as nodes write them: leading zero digits left out.
    private mutating func newID() -> [UInt8] {
        while true {
            let high = random.next()
            let low = String(random.next(), radix: 16)
            let filler = String(repeating: "0", count: 16 - low.count)
            let digits = high == 0 ? low : String(high, radix: 16) + filler + low
            let id = Array("0x\(digits)".utf8)
            let isTaken = subscriptions.contains { $0.id == id }
            if !isTaken { return id }
        }
    }

    /// Ends a subscription.
    ///
    /// - Returns: false when there is none with this id.
    mutating func unsubscribe(_ id: [UInt8]) -> Bool {
        guard let place = subscriptions.firstIndex(where: { $0.id == id }) else { return false }
        subscriptions.remove(at: place)
        update()
        return true
    }

    private mutating func add(_ subscription: EthereumClientSubscription) {
        subscriptions.append(subscription)
        update()
    }

    private mutating func update() {
        for stream in routes.indices { routes[stream].removeAll() }
        lifetime = .endless
        for (taker, subscription) in subscriptions.enumerated() {
            if subscription.lifetime.end < lifetime.end { lifetime = subscription.lifetime }
            for feed in subscription.feeds {
                if let known = routes[feed.stream].firstIndex(where: { $0.feed == feed }) {
                    routes[feed.stream][known].takers.append(taker)
                } else if let id = index.call(feed).subscription?.id {
                    routes[feed.stream].append(Route(id: id, feed: feed, takers: [taker]))
                }
            }
        }
        let routes = routes
        occurrences = occurrences.filter { feed, _ in
            routes[feed.stream].contains { $0.feed == feed }
        }
    }

    /// Goes on elsewhere.
    ///
    /// - Returns: false when a subscription is not whole there.
    mutating func move(to place: EthereumPlace) -> Bool {
        occurrences.removeAll()
        for taker in subscriptions.indices {
            let old = subscriptions[taker]
            do throws(JSONRPCError) {
                subscriptions[taker] = try merged(old.request, id: old.id, after: place)
            } catch {
                return false
            }
        }
        update()
        return true
    }

    // MARK: Delivering

    /// Whether a message of a route passes as it is, to one subscription.
    func isPassedWhole(_ route: Route) -> Bool {
        guard route.takers.count == 1 else { return false }
        let taker = subscriptions[route.takers[0]]
        return !taker.merges && taker.id == route.id && taker.feeds.first == route.feed
    }

    /// Sends a notification to the subscriptions that it is for.
    ///
    /// - Returns: whether its frames were passed as they are.
    mutating func deliver(
        _ frames: EthereumMessageFrames,
        wireCount: Int,
        _ range: Range<Int>,
        at sequence: Sequence,
        by route: Route,
        to output: inout EthereumOutput
    ) -> Bool {
        var isPassed = false
        var known: Subject?
        for taker in route.takers {
            if subscriptions[taker].merges {
                if known == nil { known = subject(of: frames.message, from: route.feed) }
                guard let known, known.isSelected(by: subscriptions[taker].request),
                    subscriptions[taker].isNew(known.key)
                else { continue }
            } else {
                // Of connections that overlap, the next one counts when the one before has ended.
                guard index.isTurn(of: route.feed, in: subscriptions[taker].feeds, at: sequence)
                else { continue }
                if subscriptions[taker].id == route.id {
                    output.pass(frames.frames, frames.message, isCompressed: frames.isCompressed)
                    isPassed = true
                    continue
                }
            }
            output.rewrite(
                frames.message,
                range,
                id: subscriptions[taker].id,
                frames: frames.frames,
                wireCount: wireCount
            )
        }
        return isPassed
    }

    /// What a notification is about.
    private struct Subject {
        var key: EthereumKey
        var log: EthereumLog?

        func isSelected(by request: EthereumSubscription) -> Bool {
            guard case .logs(let filter) = request else { return true }
            return log.map { filter.matches($0) } ?? false  // not a log: not for a log filter
        }
    }

    /// - Returns: nil when the message is not what its subscription brings.
    private mutating func subject(of message: [UInt8], from feed: EthereumFeed) -> Subject? {
        var seen = occurrences.removeValue(forKey: feed) ?? EthereumOccurrences(countMax: 16_384)
        defer { occurrences[feed] = seen }
        do {
            guard case .single(.notification(let notification)) = try reader.read(message),
                let request = index.call(feed).subscription?.request
            else { return nil }
            if case .newHeads = request {
                return Subject(key: seen.head(try EthereumHeader(notification.result).hash))
            }
            let log = try EthereumLog(notification.result)
            let key = seen.log(
                blockHash: log.blockHash,
                logIndex: log.logIndex,
                removed: log.removed
            )
            return Subject(key: key, log: log)
        } catch {
            // Neither JSON nor a header or log: no filter can be asked about it.
            return nil
        }
    }
}

extension EthereumSubscription {
    /// Whether its messages say which of them are the same.
    var hasIdentity: Bool {
        switch self {
        case .newHeads, .logs: true
        case .newPendingTransactions, .other: false
        }
    }
}
