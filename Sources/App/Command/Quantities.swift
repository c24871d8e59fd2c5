// Lengths of time, numbers of bytes and speeds as people write them. Whole numbers only: nothing
// here rounds, and what does not fit is refused.

/// Lengths of time such as `250ms`, `90s` or `1h30m`.
enum TimeSpan {
    private static let units: [(name: String, nanoseconds: UInt64)] = [
        ("d", 86_400_000_000_000), ("h", 3_600_000_000_000), ("m", 60_000_000_000),
        ("s", 1_000_000_000), ("ms", 1_000_000), ("us", 1_000), ("ns", 1),
    ]

    /// What a message says was expected.
    static let expectation = "a length of time such as 250ms, 90s, 5m or 1h30m"

    /// Reads numbers with units, larger units first, each at most once.
    ///
    /// - Returns: nanoseconds, at most `Int64.max`; nil when the text is no such length.
    static func nanoseconds(_ text: String) -> UInt64? {
        var rest = Substring(text)
        var total: UInt64 = 0
        var nextUnit = 0
        guard !rest.isEmpty else { return nil }
        while !rest.isEmpty {
            let digits = rest.prefix { $0.isASCII && $0.isNumber }
            rest = rest.dropFirst(digits.count)
            let name = rest.prefix { $0.isASCII && $0.isLetter }
            rest = rest.dropFirst(name.count)
            guard let count = UInt64(digits),
                let unit = units.indices.first(where: { $0 >= nextUnit && units[$0].name == name })
            else { return nil }
            nextUnit = unit + 1
            let (part, overflow) = count.multipliedReportingOverflow(by: units[unit].nanoseconds)
            let (sum, carry) = total.addingReportingOverflow(part)
            if overflow || carry { return nil }
            total = sum
        }
        return total <= UInt64(Int64.max) ? total : nil
    }

    /// Writes a length of time in its largest unit up to seconds, with one decimal, cut: `1.4ms`.
    static func fineText(_ nanoseconds: UInt64) -> String {
        let fine = units.suffix(4)
        guard let unit = fine.first(where: { $0.nanoseconds <= nanoseconds }),
            unit.nanoseconds > 1
        else { return "\(nanoseconds)ns" }
        let tenths = nanoseconds % unit.nanoseconds / (unit.nanoseconds / 10)
        return "\(nanoseconds / unit.nanoseconds).\(tenths)\(unit.name)"
    }

    /// Writes a length of time in its two largest units that are not zero, cut: `1h30m`, `4.2s`
    /// becomes `4s`, below a second `250ms`.
    static func text(_ nanoseconds: UInt64) -> String {
        let readable = units.dropLast(3)
        guard nanoseconds >= 1_000_000_000 else { return "\(nanoseconds / 1_000_000)ms" }
        var rest = nanoseconds
        var parts: [String] = []
        for unit in readable {
            let count = rest / unit.nanoseconds
            rest %= unit.nanoseconds
            if count > 0 { parts.append("\(count)\(unit.name)") }
            if parts.count == 2 || (!parts.isEmpty && count == 0) { break }
        }
        return parts.joined()
    }
}

/// Numbers of bytes such as `4096`, `64MiB` or `10GB`.
enum ByteCount {
    private static let units: [(name: String, bytes: UInt64)] = [
        ("B", 1), ("kB", 1_000), ("MB", 1_000_000), ("GB", 1_000_000_000),
        ("TB", 1_000_000_000_000), ("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30),
        ("TiB", 1 << 40),
    ]

    /// What a message says was expected.
    static let expectation = "a number of bytes such as 4096, 64MiB or 10GB"

    /// Reads a whole number with an optional unit: powers of 1,000 (`kB`, `MB`) or of 1,024
    /// (`KiB`, `MiB`).
    ///
    /// - Returns: bytes, at most `Int64.max`; nil when the text is no such number.
    static func bytes(_ text: String) -> UInt64? {
        let digits = text.prefix { $0.isASCII && $0.isNumber }
        let name = text.dropFirst(digits.count)
        guard let count = UInt64(digits) else { return nil }
        guard let unit = name.isEmpty ? 1 : units.first(where: { $0.name == name })?.bytes else {
            return nil
        }
        let (total, overflow) = count.multipliedReportingOverflow(by: unit)
        return overflow || total > UInt64(Int64.max) ? nil : total
    }

    /// Writes bytes with one decimal, cut, in the largest unit of 1,024 that is not above it.
    static func text(_ bytes: UInt64) -> String {
        let binary = units.filter { $0.name.hasSuffix("iB") }
        guard let unit = binary.last(where: { $0.bytes <= bytes }) else { return "\(bytes) B" }
        let tenths = bytes % unit.bytes * 10 / unit.bytes
        return "\(bytes / unit.bytes).\(tenths) \(unit.name)"
    }
}

/// How fast a recording is played.
enum PlaybackRate: Equatable, Sendable {
    /// As fast as it can be read.
    case unlimited
    /// A multiple of the recorded speed, in millionths: 1,000,000 is as recorded.
    case times(millionths: UInt64)

    /// What a message says was expected.
    static let expectation = "a speed such as 1, 10 or 0.5 (0.000001 to 1000000), or max"

    /// Reads `max` or a decimal number above zero with up to six places.
    init?(_ text: String) {
        if text == "max" {
            self = .unlimited
            return
        }
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        let isDecimal = parts.allSatisfy {
            !$0.isEmpty && $0.count <= 7 && $0.allSatisfy { $0.isASCII && $0.isNumber }
        }
        guard isDecimal, parts.count <= 2, let whole = UInt64(parts[0]) else { return nil }
        var millionths = whole * 1_000_000
        if parts.count == 2 {
            guard parts[1].count <= 6,
                let fraction = UInt64(parts[1] + String(repeating: "0", count: 6 - parts[1].count))
            else { return nil }
            millionths += fraction
        }
        guard (1...1_000_000_000_000).contains(millionths) else { return nil }
        self = .times(millionths: millionths)
    }
}
