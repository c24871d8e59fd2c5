package import MarketModel
import Projection

/// How many different traders there were: exactly up to 64, and beyond that by HyperLogLog with 4,096
/// registers (p = 12, standard error 1.6 %) over XXH3 with seed 0. In integers alone.
///
/// It keeps what is smallest: a list of hashes, a list of the registers that are not zero, or all
/// registers, six bits each. Which one depends on nothing but the traders that were added, in any order
/// and by any way of joining, so equal sets of traders have equal bytes on every machine.
///
/// The list holds hashes, not addresses: two of 64 traders share one once in 10^16 cases.
package struct TraderSet: Hashable, Sendable {
    /// How traders are kept. Raw values stand in rows and never change.
    private enum Form: UInt8 {
        /// Hashes, rising.
        case list = 1
        /// Registers that are not zero, rising: the register, and in the lowest byte its rank.
        case sparse = 2
        /// All registers: six bits each, the first in the lowest bits of the first word.
        case dense = 3
    }

    /// The most traders that are counted one by one.
    package static let listMax = 64
    /// The most registers that are listed: more take no less than all.
    private static let sparseMax = 1_023
    private static let registerCount = 4_096
    private static let denseWords = registerCount * 6 / 64
    /// The highest rank: 52 bits of a hash all zero.
    private static let rankMax: UInt64 = 53

    private var form = Form.list
    private var words: [UInt64] = []

    /// One that nobody was added to.
    package init() {}

    /// Whether nobody was added.
    package var isEmpty: Bool { words.isEmpty }

    /// Whether `count` is no estimate.
    package var isExact: Bool { form == .list }

    /// Adds a trader.
    ///
    /// - Returns: whether anything changed.
    @discardableResult
    package mutating func insert(_ trader: Address) -> Bool { insert(TraderHash.of(trader)) }

    /// Adds a trader by his hash.
    ///
    /// - Returns: whether anything changed.
    @discardableResult
    package mutating func insert(_ hash: UInt64) -> Bool {
        guard form == .list else { return raise(Self.register(of: hash)) }
        let place = place(of: hash)
        if place < words.count, words[place] == hash { return false }
        words.insert(hash, at: place)
        if words.count > Self.listMax { beginSketch() }
        return true
    }

    /// Adds all of another one.
    package mutating func formUnion(_ other: TraderSet) {
        switch (form, other.form) {
        case (_, .list):
            for hash in other.words { insert(hash) }
        case (.list, _):
            let hashes = words
            self = other
            for hash in hashes { insert(hash) }
        case (_, .sparse):
            for entry in other.words { raise(entry) }
        case (_, .dense):
            if form == .sparse { spread() }
            for register in 0..<UInt64(Self.registerCount) {
                let rank = other.rank(of: register)
                if rank > 0 { raise(register << 8 | rank) }
            }
        }
    }

    // MARK: Counting

    /// How many different traders there were; beyond 64 about, rounded down.
    ///
    /// Below 10,240 with registers still zero, linear counting is used, as in the original paper.
    package var count: UInt64 {
        if form == .list { return UInt64(words.count) }
        // The sum over all registers of 2^(53 - rank).
        var sum: UInt128 = 0
        var zeros = 0
        for register in 0..<UInt64(Self.registerCount) where form == .dense {
            let rank = rank(of: register)
            if rank == 0 { zeros += 1 }
            sum &+= 1 << UInt128(Self.rankMax - rank)
        }
        if form == .sparse {
            zeros = Self.registerCount - words.count
            sum = UInt128(zeros) << UInt128(Self.rankMax)
            for entry in words { sum &+= 1 << UInt128(Self.rankMax - (entry & 0xff)) }
        }
        // alpha * m^2 / sum(2^-rank) with alpha = 0.7213 / (1 + 1.079 / m), over one denominator:
        // 7213 * m^3 * 2^53 * 1000 is below 2^112, the divisor below 2^101.
        let numerator: UInt128 = 7_213_000 << (36 + 53)
        let raw = numerator / (10_000 * 4_097_079 * sum)
        guard raw <= 10_240, zeros > 0 else { return UInt64(clamping: raw) }
        return Self.linearCounts[zeros]
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

    // MARK: Registers

    /// The register of a hash and its rank, as a sparse entry.
    private static func register(of hash: UInt64) -> UInt64 {
        // 52 bits are left; a rank is one above their leading zeros.
        let rank = UInt64(min((hash << 12).leadingZeroBitCount, 52)) + 1
        return (hash >> 52) << 8 | rank
    }

    /// Sets the rank of a register, unless it has a higher one.
    ///
    /// - Returns: whether anything changed.
    @discardableResult
    private mutating func raise(_ entry: UInt64) -> Bool {
        if form == .dense {
            guard entry & 0xff > rank(of: entry >> 8) else { return false }
            set(entry >> 8, rank: entry & 0xff)
            return true
        }
        // Behind all entries of lower registers.
        let place = place(of: entry & ~0xff)
        if place < words.count, words[place] >> 8 == entry >> 8 {
            guard entry > words[place] else { return false }
            words[place] = entry
            return true
        }
        words.insert(entry, at: place)
        if words.count > Self.sparseMax { spread() }
        return true
    }

    /// Where a word is, or would be.
    private func place(of word: UInt64) -> Int {
        var low = 0
        var high = words.count
        while low < high {
            let middle = (low + high) / 2
            if words[middle] < word { low = middle + 1 } else { high = middle }
        }
        return low
    }

    private mutating func beginSketch() {
        let hashes = words
        form = .sparse
        words = []
        for hash in hashes { raise(Self.register(of: hash)) }
    }

    /// From a list of registers to all of them.
    private mutating func spread() {
        let entries = words
        form = .dense
        words = [UInt64](repeating: 0, count: Self.denseWords)
        for entry in entries { set(entry >> 8, rank: entry & 0xff) }
    }

    private func rank(of register: UInt64) -> UInt64 {
        let bit = 6 * register
        let word = Int(bit >> 6)
        let shift = bit & 63
        // A register may reach into the next word.
        let rest = shift > 58 ? words[word + 1] << (64 - shift) : 0
        return (words[word] >> shift | rest) & 0x3f
    }

    private mutating func set(_ register: UInt64, rank: UInt64) {
        let bit = 6 * register
        let word = Int(bit >> 6)
        let shift = bit & 63
        words[word] = words[word] & ~(0x3f << shift) | rank << shift
        guard shift > 58 else { return }
        let taken = 64 - shift
        words[word + 1] = words[word + 1] & ~(0x3f >> taken) | rank >> taken
    }
}

/// Its form in rows: nothing for nobody; else the form and its entries.
extension TraderSet {
    /// What the column says.
    static let meaning =
        "different wallets: nothing, or 1 and hashes of 8 bytes, or 2 and registers that are not zero, "
        + "each register * 256 + rank in 3 bytes, or 3 and 384 words of 8 bytes with 6 bits a register"

    /// Writes a column of bytes.
    func encode(to writer: inout RowWriter) {
        guard !words.isEmpty else { return writer.add(0 as UInt32) }
        let width = form == .sparse ? 3 : 8
        writer.add(UInt32(1 + words.count * width))
        writer.add(form.rawValue)
        for word in words {
            if form == .sparse {
                writer.add(UInt16(truncatingIfNeeded: word >> 8))
                writer.add(UInt8(truncatingIfNeeded: word))
            } else {
                writer.add(word)
            }
        }
    }

    /// Reads what `encode` wrote.
    ///
    /// - Parameters:
    ///   - reader: stands before the column.
    ///   - column: its place, for the error.
    /// - Throws: the bytes are those of no set, or not the smallest of their set.
    init(from reader: inout RowReader, column: Int) throws(RowError) {
        let bytes = try reader.byteString()
        guard let first = bytes.first else { return }
        guard let form = Form(rawValue: first) else { throw .invalid(column: column) }
        self.form = form
        let width = form == .sparse ? 3 : 8
        guard (bytes.count - 1) % width == 0 else { throw .invalid(column: column) }
        words.reserveCapacity(bytes.count / width)
        for start in stride(from: 1, to: bytes.count, by: width) {
            words.append(bytes[start..<start + width].reduce(0) { $0 << 8 | UInt64($1) })
        }
        guard isCanonical else { throw .invalid(column: column) }
    }

    private var isCanonical: Bool {
        switch form {
        case .list:
            return (1...Self.listMax).contains(words.count) && isRising(by: 0)
        case .sparse:
            return (1...Self.sparseMax).contains(words.count) && isRising(by: 8)
                && words.allSatisfy {
                    $0 >> 8 < UInt64(Self.registerCount) && (1...Self.rankMax).contains($0 & 0xff)
                }
        case .dense:
            guard words.count == Self.denseWords else { return false }
            var used = 0
            for register in 0..<UInt64(Self.registerCount) {
                let rank = rank(of: register)
                guard rank <= Self.rankMax else { return false }
                if rank > 0 { used += 1 }
            }
            return used > Self.sparseMax
        }
    }

    /// Whether the words rise, looking at what is above their lowest bits.
    private func isRising(by shift: UInt64) -> Bool {
        zip(words, words.dropFirst()).allSatisfy { $0 >> shift < $1 >> shift }
    }
}
