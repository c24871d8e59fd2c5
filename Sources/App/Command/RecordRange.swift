// The range grammar of the command line, as text and as a value. Pure.
//
//   range  = unit ":" [ start ] ".." [ end | "+" count ]
//   point  = unit ":" value
//   unit   = "seq" | "slot" | "block" | "time"
//
// Both ends belong to the range. `+n` counts from the range's start and includes it:
// `seq:100..+10` is 100 to 109, `slot:..+500` the first 500 slots, `time:..+5m` five minutes.

import RecordModel

/// A part of a recording, as a person names it. What it covers is decided against a recording.
struct RecordRange: Equatable, Sendable {
    /// A place in a recording.
    enum Point: Equatable, Sendable {
        case sequence(UInt64)
        /// A slot on Solana, a block on an EVM chain.
        case chain(ChainPosition)
        /// Wall-clock nanoseconds since 1970.
        case time(Int64)
    }

    /// The unit that a range is counted in.
    enum Unit: String, CaseIterable, Sendable {
        case sequence = "seq"
        case slot, block, time
    }

    /// The last thing in the range.
    enum End: Equatable, Sendable {
        /// Everything at or before the point.
        case through(Point)
        /// As many records, slots or blocks from the range's start as `count` says, the first
        /// one included; for time, that many nanoseconds.
        case length(Unit, count: UInt64)
    }

    /// What a text may stand for, which decides what a lone point means.
    enum Role: Equatable, Sendable {
        /// The start of what is read: `seq:100` means from there on.
        case from
        /// The end of what is read: `seq:100` means up to and with it, `seq:+10` ten records.
        case to
        /// A moment: `seq:100` means as of then. Two ends are refused.
        case at
        /// A whole range; a lone point means just that record, slot, block or moment.
        case whole
    }

    /// The first thing in the range; nil for the oldest that the recording holds.
    var start: Point?
    /// The last thing in the range; nil for the newest.
    var end: End?

    /// A text that is no range: what was expected instead.
    struct Mistake: Error, Equatable {
        let message: String
    }

    /// The whole recording.
    init() {}

    init(start: Point?, end: End?) {
        self.start = start
        self.end = end
    }

    /// Reads a range, or a point in the given role.
    init(_ text: String, as role: Role) throws(Mistake) {
        guard let colon = text.firstIndex(of: ":"),
            let unit = Unit(rawValue: String(text[..<colon]))
        else {
            let units = Unit.allCases.map { "\($0.rawValue):" }.joined(separator: ", ")
            throw Mistake(message: "a range begins with its unit, one of \(units)")
        }
        let body = String(text[text.index(after: colon)...])
        if let dots = Self.dots(in: body) {
            if role == .at { throw Mistake(message: "one moment is meant here, not a range") }
            let first = String(body[..<dots.lowerBound])
            let last = String(body[dots.upperBound...])
            start = first.isEmpty ? nil : try Self.point(first, unit)
            end = last.isEmpty ? nil : try Self.end(last, unit)
        } else if body.hasPrefix("+") {
            guard role == .to else {
                throw Mistake(message: "+n needs a start, as in \(unit.rawValue):100..+10")
            }
            end = try Self.end(body, unit)
        } else {
            let point = try Self.point(body, unit)
            start = role == .from || role == .whole ? point : nil
            end = role == .from ? nil : .through(point)
        }
        try Self.check(start, end)
    }

    /// Joins what two flags say, such as `--from` and `--to`.
    ///
    /// - Throws: `Mistake` when both give the same end, or the end lies before the start.
    func joined(with other: RecordRange) throws(Mistake) -> RecordRange {
        if start != nil, other.start != nil {
            throw Mistake(message: "the start of the range is given twice")
        }
        if end != nil, other.end != nil {
            throw Mistake(message: "the end of the range is given twice")
        }
        let joined = RecordRange(start: start ?? other.start, end: end ?? other.end)
        try Self.check(joined.start, joined.end)
        return joined
    }

    /// The first `..` that parts two ends. A time has a point before its fraction, never two.
    private static func dots(in text: String) -> Range<String.Index>? {
        var index = text.startIndex
        while index < text.endIndex {
            let next = text.index(after: index)
            if text[index] == ".", next < text.endIndex, text[next] == "." {
                return index..<text.index(after: next)
            }
            index = next
        }
        return nil
    }

    private static func point(_ text: String, _ unit: Unit) throws(Mistake) -> Point {
        if unit == .time {
            guard let time = RFC3339.nanoseconds(text) else {
                throw Mistake(
                    message: "'\(text)' is no UTC time such as 2026-01-01T00:00:00.5Z"
                )
            }
            return .time(time)
        }
        guard let number = number(text) else {
            throw Mistake(message: "'\(text)' is no \(unit.rawValue) number")
        }
        switch unit {
        case .sequence: return .sequence(number)
        case .slot: return .chain(ChainPosition(family: .slot, number: number))
        case .block, .time: return .chain(ChainPosition(family: .block, number: number))
        }
    }

    private static func end(_ text: String, _ unit: Unit) throws(Mistake) -> End {
        guard text.hasPrefix("+") else { return .through(try point(text, unit)) }
        let length = String(text.dropFirst())
        let count = unit == .time ? TimeSpan.nanoseconds(length) : number(length)
        guard let count else {
            let expected = unit == .time ? TimeSpan.expectation : "a whole number"
            throw Mistake(message: "behind + stands '\(length)', not \(expected)")
        }
        if count == 0 { throw Mistake(message: "+0 is an empty range") }
        return .length(unit, count: count)
    }

    /// Digits only: no sign, no separators.
    private static func number(_ text: String) -> UInt64? {
        text.allSatisfy { $0.isASCII && $0.isNumber } ? UInt64(text) : nil
    }

    /// Refuses an end before the start where that can be seen without a recording.
    private static func check(_ start: Point?, _ end: End?) throws(Mistake) {
        guard let start, case .through(let last) = end else { return }
        let isBackwards: Bool
        switch (start, last) {
        case (.sequence(let a), .sequence(let b)): isBackwards = a > b
        case (.time(let a), .time(let b)): isBackwards = a > b
        case (.chain(let a), .chain(let b)):
            isBackwards = a.family == b.family && a.number > b.number
        default: isBackwards = false
        }
        if isBackwards { throw Mistake(message: "the range ends before it begins") }
    }
}
