import RecordModel

/// Reproducible random numbers (SplitMix64, Steele, Lea and Flood 2014): the same seed gives the
/// same market.
struct MarketRandom {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    /// A number in `0..<bound`; small bounds favour no value that anyone could measure.
    mutating func next(below bound: UInt64) -> UInt64 {
        precondition(bound > 0, "an empty range has no random member")
        return next().multipliedFullWidth(by: bound).high
    }

    mutating func bytes(_ count: Int) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(count + 7)
        while bytes.count < count { bytes.appendLittleEndian(next()) }
        bytes.removeLast(bytes.count - count)
        return bytes
    }

    /// A number in the range, every value equally likely.
    mutating func number(in range: ClosedRange<UInt64>) -> UInt64 {
        range.lowerBound + next(below: range.upperBound - range.lowerBound + 1)
    }

    /// True in so many of a thousand cases.
    mutating func chance(perMille: UInt32) -> Bool { next(below: 1_000) < perMille }

    /// An index of a collection of so many elements.
    mutating func index(below count: Int) -> Int { Int(next(below: UInt64(count))) }

    /// An amount whose size varies by magnitudes, as trades do: small ones are common.
    mutating func amount(in range: ClosedRange<UInt64>) -> UInt64 {
        var top = range.upperBound
        while top > range.lowerBound &* 2, next() & 1 == 0 { top /= 2 }
        return number(in: range.lowerBound...Swift.max(top, range.lowerBound))
    }
}
