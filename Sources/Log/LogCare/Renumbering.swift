import RecordModel

/// Where the records of one recording have gone in another one with numbers of its own.
///
/// Memory is bounded: streams are remembered while they are open and for some time after, records
/// of no stream for a while.
struct Renumbering {
    /// A stream's place, and where its records begin and end.
    struct Stream {
        let id: StreamID
        var source: String?
        var isOpen = true
        var firstFrame: Pair?
        var last: Pair
    }

    /// One record's number before and after.
    struct Pair {
        let old: UInt64
        let new: UInt64
    }

    /// Closed streams that are remembered.
    private static let closedMax = 65_536
    /// Records that are remembered whatever their stream.
    private static let recentMax = 65_536

    private(set) var streams: [StreamID: Stream] = [:]
    private var closed: [StreamID] = []
    private var gaps: [UInt64: UInt64] = [:]
    private var recent: [Pair] = []
    private var recentStart = 0

    /// Streams that have not ended, by rising old id.
    var openStreams: [(old: StreamID, stream: Stream)] {
        streams.filter(\.value.isOpen).sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
    }

    /// Takes down a record that was written.
    mutating func note(_ old: RecordEnvelope, as new: Sequence, source: String?) {
        let pair = Pair(old: old.sequence.value, new: new.value)
        switch old.kind {
        case .streamOpened:
            streams[old.sequence] = Stream(id: new, source: source, last: pair)
        case .gapOpened: gaps[pair.old] = pair.new
        default: break
        }
        if old.stream > .none, streams[old.stream] != nil {
            streams[old.stream]?.last = pair
            if old.kind.isDataFrame, streams[old.stream]?.firstFrame == nil {
                streams[old.stream]?.firstFrame = pair
            }
            if old.kind == .streamClosed || old.kind == .connectError { close(old.stream) }
        }
        remember(pair)
    }

    /// A stream has ended.
    mutating func close(_ stream: StreamID) {
        guard streams[stream]?.isOpen == true else { return }
        streams[stream]?.isOpen = false
        closed.append(stream)
        if closed.count > 2 * Self.closedMax {
            for old in closed.prefix(Self.closedMax) { streams[old] = nil }
            closed.removeFirst(Self.closedMax)
        }
    }

    /// A stream whose beginning is not there has got a beginning of ours.
    mutating func adopt(_ old: StreamID, as new: StreamID) {
        streams[old] = Stream(id: new, last: Pair(old: old.value, new: new.value))
    }

    /// The new id of a gap; nil when its opening was not written.
    func gap(_ old: UInt64) -> UInt64? { gaps[old] }

    /// A gap is over.
    mutating func forget(gap old: UInt64) { gaps[old] = nil }

    /// The new number of the last record at or below an old one; nil when that is not known.
    func atOrBelow(_ old: UInt64) -> UInt64? {
        if let pair = streams.values.first(where: { $0.last.old == old })?.last { return pair.new }
        let index = partition(old)
        // Before the first that is remembered nothing is known.
        guard index > recentStart || index < recent.count && recent[index].old == old else {
            return nil
        }
        if index < recent.count, recent[index].old == old { return recent[index].new }
        return recent[index - 1].new
    }

    /// The new number of the first record at or above an old one; nil when that is not known.
    func atOrAbove(_ old: UInt64) -> UInt64? {
        if let pair = streams.values.first(where: { $0.firstFrame?.old == old })?.firstFrame {
            return pair.new
        }
        let index = partition(old)
        guard index < recent.count, index > recentStart || recent[index].old == old else {
            return nil
        }
        return recent[index].new
    }

    /// The first remembered record at or above a number.
    private func partition(_ old: UInt64) -> Int {
        var low = recentStart
        var high = recent.count
        while low < high {
            let middle = (low + high) / 2
            if recent[middle].old >= old { high = middle } else { low = middle + 1 }
        }
        return low
    }

    private mutating func remember(_ pair: Pair) {
        // Copies of what was in force before come out of order and are found by their stream.
        if let last = recent.last, last.old >= pair.old { return }
        recent.append(pair)
        if recent.count - recentStart > Self.recentMax { recentStart += 1 }
        if recentStart > Self.recentMax {
            recent.removeFirst(recentStart)
            recentStart = 0
        }
    }
}

/// The names of sources in a recording that is made of several. A name that two of them use for
/// different things gets a number; a name for the same thing stays.
struct SourceNames {
    private struct Use {
        let name: String
        let declared: [EventFields.Field]?
    }

    private var uses: [Use] = []
    private var known: [Int: [String: String]] = [:]

    /// Names that were changed: which recording's, and how.
    private(set) var renamed: [(input: Int, from: String, to: String)] = []

    /// The name that a source of a recording has from now on.
    ///
    /// - Parameters:
    ///   - name: its own name.
    ///   - input: the number of the recording.
    ///   - declared: the fields of its declaration, when that is known.
    /// - Returns: the same for every call with the same recording and name.
    mutating func name(_ name: String, of input: Int, declared: EventFields?) -> String {
        if let found = known[input]?[name] { return found }
        let fields = declared?.fields.filter { $0.id != .origin && $0.id != .source }
        var candidate = name
        var number = 1
        while true {
            guard let use = uses.first(where: { $0.name == candidate }) else {
                uses.append(Use(name: candidate, declared: fields))
                break
            }
            if use.declared == fields { break }
            number += 1
            candidate = "\(name)-\(number)"
        }
        known[input, default: [:]][name] = candidate
        if candidate != name { renamed.append((input, name, candidate)) }
        return candidate
    }
}
