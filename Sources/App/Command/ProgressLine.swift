// How far a long task is, as text for standard error. A value: it is told the time, and gives the
// text to write, or nothing when it has been drawn a moment ago.

/// A line that is redrawn on a terminal, and repeated now and then in a log.
struct ProgressLine: Sendable {
    /// Where the line is written.
    enum Style: Equatable, Sendable {
        /// A terminal of this width: one line, redrawn ten times a second.
        case terminal(columns: Int)
        /// Anything else: a whole line every ten seconds.
        case log
    }

    private let label: String
    private let unit: String
    private let total: UInt64?
    private let style: Style
    private let startedAt: UInt64
    private var drawnAt: UInt64?

    /// - Parameters:
    ///   - label: what is being done, such as `verify`.
    ///   - unit: what is counted, such as `records`; `bytes` are written as KiB, MiB and so on.
    ///   - total: how many there are in all, when known.
    ///   - style: where the line goes.
    ///   - now: nanoseconds of the monotonic clock, at the start of the task.
    init(label: String, unit: String, total: UInt64?, style: Style, now: UInt64) {
        self.label = label
        self.unit = unit
        self.total = total
        self.style = style
        startedAt = now
    }

    /// The text to write now that `done` are done; nil when it is too early to draw again.
    mutating func update(done: UInt64, now: UInt64) -> String? {
        let interval: UInt64
        switch style {
        case .terminal: interval = 100_000_000
        case .log: interval = 10_000_000_000
        }
        guard now >= (drawnAt ?? startedAt) &+ interval else { return nil }
        drawnAt = now
        switch style {
        case .log: return line(done: done, now: now) + "\n"
        case .terminal(let columns):
            // One column stays free: a full line would wrap and could not be redrawn.
            let text = line(done: done, now: now).prefix(max(1, columns - 1))
            return "\r\(text)\u{1B}[K"
        }
    }

    /// The last text: wipes the line on a terminal. What was done is said by the verb itself.
    mutating func finish() -> String? {
        defer { drawnAt = nil }
        guard case .terminal = style, drawnAt != nil else { return nil }
        return "\r\u{1B}[K"
    }

    private func line(done: UInt64, now: UInt64) -> String {
        let elapsed = now >= startedAt ? now - startedAt : 0
        var parts = [label + ":"]
        if let total, total > 0 {
            let percent = min(done, total).multipliedFullWidth(by: 100)
            parts.append("\(total.dividingFullWidth(percent).quotient)%")
        }
        parts.append(total.map { "\(amount(done)) of \(amount($0))" } ?? amount(done))
        if unit != "bytes" { parts.append(unit) }
        // Per second, by whole milliseconds: 2^64 nanoseconds are 584 years, so nothing overflows
        // that the saturating division would not catch.
        let milliseconds = max(1, elapsed / 1_000_000)
        let product = done.multipliedFullWidth(by: 1_000)
        let rate =
            product.high < milliseconds ? milliseconds.dividingFullWidth(product).quotient : .max
        parts.append("(\(amount(rate))/s" + remaining(done: done, rate: rate) + ")")
        return parts.joined(separator: " ")
    }

    private func remaining(done: UInt64, rate: UInt64) -> String {
        guard let total, total > done, rate > 0 else { return String() }
        let seconds = (total - done) / rate
        let (nanoseconds, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        if overflow { return String() }
        return ", " + (seconds == 0 ? "1s" : TimeSpan.text(nanoseconds)) + " left"
    }

    private func amount(_ count: UInt64) -> String {
        if unit == "bytes" { return ByteCount.text(count) }
        var digits = String(count)[...]
        var groups: [Substring] = []
        while digits.count > 3 {
            groups.append(digits.suffix(3))
            digits = digits.dropLast(3)
        }
        groups.append(digits)
        return groups.reversed().joined(separator: ",")
    }
}
