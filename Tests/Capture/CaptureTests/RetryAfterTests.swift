import Capture
import Testing

@Suite struct RetryAfterTests {
    /// 2026-01-02T03:04:05Z, by `date -u -d ... +%s`.
    private let now: Int64 = 1_767_323_045_000_000_000

    @Test(arguments: [
        ("0", 0), ("120", 120_000_000_000), ("18446744073", 18_446_744_073_000_000_000),
        ("18446744074", UInt64.max), ("99999999999999999999999999", UInt64.max),
        ("Fri, 02 Jan 2026 03:05:05 GMT", 60_000_000_000),
        ("Friday, 02-Jan-26 03:05:05 GMT", 60_000_000_000),
        ("Fri Jan  2 03:05:05 2026", 60_000_000_000),
        ("Sun, 06 Nov 1994 08:49:37 GMT", 0), ("Sunday, 06-Nov-94 08:49:37 GMT", 0),
        ("Sun Nov  6 08:49:37 1994", 0), ("Fri, 02 Jan 2026 03:04:05 GMT", 0),
        ("Sat, 03 Jan 2026 03:04:05 GMT", 86_400_000_000_000),
    ])
    func `seconds and dates are understood`(value: String, wait: UInt64) {
        #expect(RetryAfter.nanoseconds(value, date: nil, now: now) == wait)
    }

    @Test(arguments: [
        "", "-1", "+5", "1.5", "5s", "\u{0661}", "soon", "NaN", "0x10", "1 2", "Fri",
        "Fri, 32 Jan 2026 03:05:05 GMT", "Fri, 02 Foo 2026 03:05:05 GMT",
        "Fri, 02 Jan 2026 25:05:05 GMT", "Fri, 02 Jan 2026 03:05:05 CET",
        "Fri, 02 Jan 20262 03:05:05 GMT", "Fri, 02 Jan -1 03:05:05 GMT",
        "Fri, 02 Jan 2026 03:05:05 GMT and more words than any date has in it, to the end",
    ])
    func `anything else is no answer`(value: String) {
        #expect(RetryAfter.nanoseconds(value, date: nil, now: now) == nil)
    }

    @Test func `a server's own clock counts`() {
        let wait = RetryAfter.nanoseconds(
            "Mon, 01 Jan 2001 00:02:00 GMT",
            date: "Mon, 01 Jan 2001 00:00:00 GMT",
            now: now
        )
        #expect(wait == 120_000_000_000)
        let odd = RetryAfter.nanoseconds(
            "Fri, 02 Jan 2026 03:05:05 GMT",
            date: "yesterday",
            now: now
        )
        #expect(odd == 60_000_000_000)
    }
}
