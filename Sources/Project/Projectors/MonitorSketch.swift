package import MarketModel

/// An estimate of how many different addresses were added: HyperLogLog with 4,096 registers (p=12,
/// standard error 1.6 %) over a fixed hash, in integers alone, so that equal sets give equal bytes on
/// every machine.
///
/// Below 10,240 with registers still zero, linear counting is used, as in the original paper.
package struct MonitorSketch: Hashable, Sendable {
    /// How many registers there are.
    package static let registerCount = 4_096
    /// The highest rank: 52 bits of a hash all zero.
    private static let rankMax: UInt8 = 53

    /// The highest rank seen in each register.
    package private(set) var registers: [UInt8]
    /// Registers that are zero.
    package private(set) var zeros: UInt32
    /// The sum over all registers of 2^(53 - rank).
    package private(set) var sum: UInt128

    /// One that nothing was added to.
    package init() {
        registers = [UInt8](repeating: 0, count: Self.registerCount)
        zeros = UInt32(Self.registerCount)
        sum = UInt128(Self.registerCount) << UInt128(Self.rankMax)
    }

    /// From registers; nil unless there are 4,096, each of a possible rank.
    package init?(registers: [UInt8]) {
        guard registers.count == Self.registerCount else { return nil }
        self.registers = registers
        zeros = 0
        sum = 0
        for rank in registers {
            guard rank <= Self.rankMax else { return nil }
            if rank == 0 { zeros += 1 }
            sum += 1 << UInt128(Self.rankMax - rank)
        }
    }

    /// Adds an address.
    ///
    /// - Returns: whether a register changed.
    package mutating func insert(_ address: Address) -> Bool {
        let hash = Self.hash(address)
        let register = Int(hash >> 52)
        // 52 bits are left; a rank is one above their leading zeros.
        let rank = UInt8(min((hash << 12).leadingZeroBitCount, 52)) + 1
        let old = registers[register]
        guard rank > old else { return false }
        registers[register] = rank
        if old == 0 { zeros -= 1 }
        sum -= 1 << UInt128(Self.rankMax - old)
        sum += 1 << UInt128(Self.rankMax - rank)
        return true
    }

    /// How many different addresses there were, about; rounded down.
    package var estimate: UInt64 {
        // alpha * m^2 / sum(2^-rank) with alpha = 0.7213 / (1 + 1.079 / m), over one denominator:
        // 7213 * m^3 * 2^53 * 1000 is below 2^112, the divisor below 2^101.
        let numerator: UInt128 = 7_213_000 << (36 + 53)
        let raw = numerator / (10_000 * 4_097_079 * sum)
        guard raw <= 10_240, zeros > 0 else { return UInt64(clamping: raw) }
        return Self.linearCounts[Int(zeros)]
    }

    /// The hash, for good: the four words of the address from the first on, each mixed in by exclusive
    /// or, a multiplication and a shift; then the finisher of MurmurHash3. Addresses are points of a
    /// curve or hashes themselves, so this need not withstand anyone who searches for collisions: he
    /// could only make a count smaller than it is.
    static func hash(_ address: Address) -> UInt64 {
        let words = address.storage.words
        var hash: UInt64 = 0x9e37_79b9_7f4a_7c15
        hash = step(hash, words.0)
        hash = step(hash, words.1)
        hash = step(hash, words.2)
        hash = step(hash, words.3)
        hash ^= hash >> 33
        hash &*= 0xff51_afd7_ed55_8ccd
        hash ^= hash >> 33
        hash &*= 0xc4ce_b9fe_1a85_ec53
        return hash ^ hash >> 33
    }

    private static func step(_ hash: UInt64, _ word: UInt64) -> UInt64 {
        let product = (hash ^ word) &* 0xff51_afd7_ed55_8ccd
        return product ^ product >> 32
    }

    /// `floor(m * ln(m / zeros))` by zeros. ln(j / (j - 1)) = 2 * (x + x^3 / 3 + ...) with
    /// x = 1 / (2j - 1), in units of 2^-60, added up from j = m downwards.
    private static let linearCounts: [UInt64] = {
        var counts = [UInt64](repeating: 0, count: registerCount + 1)
        var logarithm: UInt128 = 0
        for zeros in stride(from: registerCount, to: 0, by: -1) {
            counts[zeros] = UInt64(clamping: (UInt128(registerCount) * logarithm) >> 60)
            guard zeros > 1 else { break }
            let odd = UInt128(2 * zeros - 1)
            var power: UInt128 = (1 << 61) / odd
            var exponent: UInt128 = 1
            while power > 0 {
                logarithm += power / exponent
                power /= odd * odd
                exponent += 2
            }
        }
        return counts
    }()
}
