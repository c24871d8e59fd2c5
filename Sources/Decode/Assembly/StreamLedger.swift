import MarketModel
import RecordModel

/// A stream that is open.
struct OpenStream: Sendable {
    let id: StreamID
    var promise: StreamPromise
    /// When its request took effect.
    var since: Sequence
    /// Counts the spans without missing records.
    var life: UInt32 = 0
    /// Whether `promise.fromSlot` holds in this life.
    var isFromSlotValid: Bool
    /// CONFIRMED or FINALIZED came, whatever was promised.
    var hasVotes = false
    /// The highest slot of which a header came.
    var highestHeader: UInt64?
    /// The highest slot of which a transaction, an account or a header came.
    var highestData: UInt64?
    /// The highest slot that it called confirmed in this life.
    var confirmedThrough: UInt64?

    /// Whether it tells which slots were voted for.
    var tellsVotes: Bool { promise.hasSlots || hasVotes }
}

/// The open streams of a chain.
struct StreamLedger: Sendable {
    /// By rising id.
    private(set) var streams = ContiguousArray<OpenStream>()
    /// Of all streams together.
    private(set) var groups: SubscriptionGroups = []
    private var recent = 0
    private let limit: Int

    init(limit: Int) {
        precondition(limit >= 1, "\(limit) streams")
        self.limit = limit
    }

    subscript(_ place: Int) -> OpenStream {
        get { streams[place] }
        _modify { yield &streams[place] }
    }

    /// Whether any stream tells which slots were voted for.
    var tellVotes: Bool { streams.contains(where: \.tellsVotes) }

    func find(_ id: StreamID) -> Int? {
        let place = place(of: id)
        return place < streams.count && streams[place].id == id ? place : nil
    }

    /// The stream's place; declares it when nobody has. Nil when there are too many.
    mutating func place(of id: StreamID, at sequence: Sequence) -> Int? {
        if recent < streams.count, streams[recent].id == id { return recent }
        if let known = find(id) {
            recent = known
            return known
        }
        return open(id, .none, at: sequence)
    }

    /// Opens a stream or replaces its request: a new life in any case. Nil when there are too many.
    mutating func open(
        _ id: StreamID,
        _ promise: StreamPromise,
        at sequence: Sequence
    ) -> Int? {
        let place = place(of: id)
        if place < streams.count, streams[place].id == id {
            streams[place].promise = promise
            streams[place].since = sequence
            beginLife(place)
            streams[place].isFromSlotValid = promise.fromSlot != nil
        } else {
            guard streams.count < limit else { return nil }
            let stream = OpenStream(
                id: id,
                promise: promise,
                since: sequence,
                isFromSlotValid: promise.fromSlot != nil
            )
            streams.insert(stream, at: place)
        }
        recent = place
        sumGroups()
        return place
    }

    mutating func close(_ id: StreamID) {
        guard let place = find(id) else { return }
        streams.remove(at: place)
        sumGroups()
    }

    /// Records of it are missing: what comes next does not follow what came.
    mutating func beginLife(_ place: Int) {
        streams[place].life &+= 1
        streams[place].confirmedThrough = nil
        streams[place].isFromSlotValid = false
    }

    private mutating func sumGroups() {
        groups = streams.reduce(into: []) { $0.formUnion($1.promise.groups) }
    }

    private func place(of id: StreamID) -> Int {
        var low = 0
        var high = streams.count
        while low < high {
            let middle = (low + high) / 2
            if streams[middle].id < id { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
