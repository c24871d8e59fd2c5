// Times as people write them: RFC 3339 in UTC, to and from nanoseconds since 1970.
//
// The calendar is the proleptic Gregorian one. It is counted in eras of 400 years (146,097 days)
// of years that begin on 1 March, so that the leap day is the last day of its year and the months
// before it follow one rule: month m (0 = March) begins on day (153 m + 2) / 5.

/// Text such as `2026-01-01T00:00:00.123456789Z` to and from wall-clock nanoseconds.
package enum RFC3339 {
    /// Reads a UTC time, with up to nine digits of fraction.
    ///
    /// - Parameter text: `YYYY-MM-DDTHH:MM:SS[.fraction]Z`, `T` and `Z` in either case. Another
    ///   offset than `Z` is refused, and so is a leap second, which Unix time cannot name.
    /// - Returns: nanoseconds since 1970-01-01T00:00:00Z; nil when the text is no such time or lies
    ///   outside 1677-09-21T00:12:43.145224192Z ... 2262-04-11T23:47:16.854775807Z.
    package static func nanoseconds(_ text: some StringProtocol) -> Int64? {
        let bytes = Array(text.utf8)
        guard bytes.count >= 20, bytes.count <= 30,
            bytes[4] == UInt8(ascii: "-"), bytes[7] == UInt8(ascii: "-"),
            bytes[10] | 0x20 == UInt8(ascii: "t"),
            bytes[13] == UInt8(ascii: ":"), bytes[16] == UInt8(ascii: ":"),
            bytes[bytes.count - 1] | 0x20 == UInt8(ascii: "z"),
            let year = number(bytes[0..<4]), let month = number(bytes[5..<7]),
            let day = number(bytes[8..<10]), let hour = number(bytes[11..<13]),
            let minute = number(bytes[14..<16]), let second = number(bytes[17..<19]),
            (1...12).contains(month), day >= 1, day <= daysInMonth(year: year, month: month),
            hour <= 23, minute <= 59, second <= 59,
            let fraction = fraction(bytes[19..<(bytes.count - 1)])
        else { return nil }
        let days = daysSince1970(year: year, month: month, day: day)
        let seconds = days * 86_400 + hour * 3_600 + minute * 60 + second
        // Before 1970 the product alone may be below Int64.min although the sum is not.
        let total = Int128(seconds) * 1_000_000_000 + Int128(fraction)
        return Int64(exactly: total)
    }

    /// Writes a time with all nine digits of fraction.
    ///
    /// - Parameter nanoseconds: since 1970-01-01T00:00:00Z; every value has a text.
    /// - Returns: 30 characters, such as `2026-01-01T00:00:00.000000000Z`.
    package static func text(_ nanoseconds: Int64) -> String {
        let (seconds, fraction) = floorDivided(nanoseconds, by: 1_000_000_000)
        return secondsText(seconds) + "." + padded(fraction, 9) + "Z"
    }

    /// Writes a time cut to whole seconds, for people.
    ///
    /// - Parameter nanoseconds: since 1970-01-01T00:00:00Z; every value has a text.
    /// - Returns: 20 characters, such as `2026-01-01T00:00:00Z`.
    package static func textInSeconds(_ nanoseconds: Int64) -> String {
        secondsText(floorDivided(nanoseconds, by: 1_000_000_000).quotient) + "Z"
    }

    private static func secondsText(_ seconds: Int64) -> String {
        let (days, rest) = floorDivided(seconds, by: 86_400)
        let (year, month, day) = civil(daysSince1970: days)
        let date = "\(padded(year, 4))-\(padded(month, 2))-\(padded(day, 2))"
        let time = "\(padded(rest / 3_600, 2)):\(padded(rest / 60 % 60, 2)):\(padded(rest % 60, 2))"
        return date + "T" + time
    }

    /// Days from 1970-01-01 to a date; `year` is 0...9999.
    private static func daysSince1970(year: Int64, month: Int64, day: Int64) -> Int64 {
        // January and February belong to the year that began in March before.
        let shifted = month > 2 ? year : year - 1
        let (era, yearOfEra) = floorDivided(shifted, by: 400)
        let monthFromMarch = month > 2 ? month - 3 : month + 9
        let dayOfYear = (153 * monthFromMarch + 2) / 5 + day - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        // 719,468 days lie between 0000-03-01 and 1970-01-01.
        return era * 146_097 + dayOfEra - 719_468
    }

    private static func civil(daysSince1970 days: Int64) -> (Int64, Int64, Int64) {
        let (era, dayOfEra) = floorDivided(days + 719_468, by: 146_097)
        // Take out the leap days: one in 1,460 days, all but one in 36,524, one more in the era.
        let yearOfEra =
            (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let monthFromMarch = (5 * dayOfYear + 2) / 153
        let day = dayOfYear - (153 * monthFromMarch + 2) / 5 + 1
        let month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
        return (era * 400 + yearOfEra + (month <= 2 ? 1 : 0), month, day)
    }

    private static func daysInMonth(year: Int64, month: Int64) -> Int64 {
        switch month {
        case 4, 6, 9, 11: 30
        case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
        default: 31
        }
    }

    /// Nanoseconds of `.` and one to nine digits; 0 of nothing; nil of anything else.
    private static func fraction(_ bytes: ArraySlice<UInt8>) -> Int64? {
        guard let point = bytes.first else { return 0 }
        let digits = bytes.dropFirst()
        guard point == UInt8(ascii: "."), (1...9).contains(digits.count),
            var value = number(digits)
        else { return nil }
        for _ in digits.count..<9 { value *= 10 }
        return value
    }

    /// The value of up to nine decimal digits, or nil when another character is among them.
    private static func number(_ digits: ArraySlice<UInt8>) -> Int64? {
        var value: Int64 = 0
        for digit in digits {
            guard digit >= UInt8(ascii: "0"), digit <= UInt8(ascii: "9") else { return nil }
            value = value * 10 + Int64(digit - UInt8(ascii: "0"))
        }
        return value
    }

    private static func padded(_ value: Int64, _ width: Int) -> String {
        let digits = String(value)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }

    /// Division that rounds down, so that the remainder is never negative.
    private static func floorDivided(
        _ value: Int64,
        by divisor: Int64
    ) -> (quotient: Int64, remainder: Int64) {
        let (quotient, remainder) = value.quotientAndRemainder(dividingBy: divisor)
        return remainder < 0 ? (quotient - 1, remainder + divisor) : (quotient, remainder)
    }
}
