import CLinux
import Glibc

/// Where random numbers come from. A parameter, so that one seed repeats a run.
package protocol RandomSource: Sendable {
    /// The next 64 random bits.
    mutating func next() -> UInt64
}

extension RandomSource {
    /// A number in `0..<bound`, every value equally likely; `bound` is at least 1.
    package mutating func next(below bound: UInt64) -> UInt64 {
        precondition(bound > 0, "an empty range has no random member")
        // Lemire's method: reject the low products that would favour small values.
        let threshold = (0 &- bound) % bound
        while true {
            let product = next().multipliedFullWidth(by: bound)
            if product.low >= threshold { return product.high }
        }
    }
}

/// The kernel's random numbers, for salts, identities and WebSocket masks.
package struct SystemRandom: RandomSource {
    package init() {}

    package mutating func next() -> UInt64 {
        var value: UInt64 = 0
        // getrandom gives up to 256 bytes whole and cannot fail once the pool is ready; EINTR
        // can only strike before that, so the loop ends.
        while getrandom(&value, 8, 0) != 8 {
            precondition(errno == EINTR, "getrandom failed with errno \(errno)")
        }
        return value
    }
}

/// A reproducible generator (SplitMix64, Steele, Lea and Flood 2014): same seed, same numbers.
package struct SeededRandom: RandomSource {
    private var state: UInt64

    /// Starts the sequence that belongs to `seed`; every seed is good.
    package init(seed: UInt64) { state = seed }

    package mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
