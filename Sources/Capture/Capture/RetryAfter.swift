import RecordModel

/// The field `Retry-After` of an HTTP answer (RFC 9110, section 10.2.3): a number of seconds or a
/// date.
package enum RetryAfter {
    /// How long to wait.
    ///
    /// - Parameters:
    ///   - value: the field's value.
    ///   - date: the value of the answer's `Date`, so that a server's wrong clock does not matter;
    ///     nil when there is none.
    ///   - now: wall-clock nanoseconds, taken when `date` says nothing.
    /// - Returns: nanoseconds, 0 for a date that has passed; nil when the value is neither form.
    package static func nanoseconds(_ value: String, date: String?, now: Int64) -> UInt64? {
        if !value.isEmpty, value.utf8.allSatisfy({ (0x30...0x39).contains($0) }) {
            // More seconds than fit are as good as for ever; the caller has a limit.
            let seconds = UInt64(value) ?? .max
            let (product, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
            return overflow ? .max : product
        }
        guard let until = wallNanoseconds(value, now: now) else { return nil }
        // Without a date that can be read our own clock must do.
        let since = date.flatMap { wallNanoseconds($0, now: now) } ?? now
        let (wait, overflow) = until.subtractingReportingOverflow(since)
        return overflow ? 0 : UInt64(max(0, wait))
    }

    private static let months = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]

    /// A date in one of the three forms of RFC 9110, section 5.6.7; the day of the week is not
    /// checked. Nil for anything else.
    private static func wallNanoseconds(_ text: String, now: Int64) -> Int64? {
        guard text.utf8.count <= 64 else { return nil }
        // Sun, 06 Nov 1994 08:49:37 GMT; Sunday, 06-Nov-94 08:49:37 GMT; Sun Nov  6 08:49:37 1994
        let words = text.split { " ,-".contains($0) }.map(String.init)
        let parts: (day: String, month: String, year: String, time: String)
        switch words.count {
        case 6 where words[5] == "GMT": parts = (words[1], words[2], words[3], words[4])
        case 5: parts = (words[2], words[1], words[4], words[3])
        default: return nil
        }
        guard let month = months.firstIndex(of: parts.month),
            (1...2).contains(parts.day.utf8.count),
            let year = year(parts.year, now: now)
        else { return nil }
        return RFC3339.nanoseconds(
            "\(year)-\(twoDigits("\(month + 1)"))-\(twoDigits(parts.day))T\(parts.time)Z"
        )
    }

    private static func twoDigits(_ text: String) -> String {
        text.utf8.count == 1 ? "0" + text : text
    }

    /// Four digits as they are; two belong to the year of that ending nearest to now, at most 50
    /// years ahead.
    private static func year(_ text: String, now: Int64) -> String? {
        if text.utf8.count == 4 { return text }
        guard text.utf8.count == 2, let ending = Int(text), ending >= 0,
            let current = Int(RFC3339.textInSeconds(now).prefix(4))
        else { return nil }
        let year = current / 100 * 100 + ending
        return "\(year > current + 50 ? year - 100 : year)"
    }
}
