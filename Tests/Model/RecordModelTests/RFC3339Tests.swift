import RecordModel
import Testing

/// Expected numbers were computed with Python's `datetime` and `calendar.timegm`.
@Suite struct RFC3339Tests {
    @Test(arguments: [
        ("1970-01-01T00:00:00Z", Int64(0)),
        ("2026-01-01T00:00:00Z", 1_767_225_600_000_000_000),
        ("2000-02-29T23:59:59.5Z", 951_868_799_500_000_000),
        ("1969-12-31T23:59:59.999999999Z", -1),
        ("1900-03-01T00:00:00Z", -2_203_891_200_000_000_000),
        ("2100-03-01T12:34:56.000000001Z", 4_107_587_696_000_000_001),
        ("1677-09-21T00:12:43.145224192Z", Int64.min),
        ("2262-04-11T23:47:16.854775807Z", Int64.max),
        ("2024-12-31t23:59:59.123z", 1_735_689_599_123_000_000),
    ])
    func `a time is read`(text: String, nanoseconds: Int64) {
        #expect(RFC3339.nanoseconds(text) == nanoseconds)
    }

    @Test(arguments: [
        "", "2026-01-01", "2026-01-01T00:00:00", "2026-01-01 00:00:00Z", "2026-13-01T00:00:00Z",
        "2026-00-01T00:00:00Z", "2026-02-29T00:00:00Z", "2100-02-29T00:00:00Z",
        "2026-04-31T00:00:00Z", "2026-01-00T00:00:00Z", "2026-01-01T24:00:00Z",
        "2026-01-01T00:60:00Z", "2016-12-31T23:59:60Z", "2026-01-01T00:00:00+00:00",
        "2026-01-01T00:00:00.Z", "2026-01-01T00:00:00.1234567890Z", "2026-01-01T00:00:00,5Z",
        "2026-01-01T00:00:00.5", "+026-01-01T00:00:00Z", "2026-01-01T0a:00:00Z",
        "1677-09-21T00:12:43.145224191Z", "2262-04-11T23:47:16.854775808Z",
        "9999-12-31T23:59:59Z", "0000-01-01T00:00:00Z", "2026-01-01T00:00:00ZZ",
    ])
    func `what is no time is refused`(text: String) {
        #expect(RFC3339.nanoseconds(text) == nil)
    }

    @Test(arguments: [
        (Int64(0), "1970-01-01T00:00:00.000000000Z"),
        (-1, "1969-12-31T23:59:59.999999999Z"),
        (1_767_225_600_000_000_001, "2026-01-01T00:00:00.000000001Z"),
        (951_868_799_500_000_000, "2000-02-29T23:59:59.500000000Z"),
        (Int64.min, "1677-09-21T00:12:43.145224192Z"),
        (Int64.max, "2262-04-11T23:47:16.854775807Z"),
    ])
    func `a time is written`(nanoseconds: Int64, text: String) {
        #expect(RFC3339.text(nanoseconds) == text)
    }

    @Test func `seconds are cut, not rounded`() {
        #expect(RFC3339.textInSeconds(1_999_999_999) == "1970-01-01T00:00:01Z")
        #expect(RFC3339.textInSeconds(-1) == "1969-12-31T23:59:59Z")
    }

    @Test func `every day of the whole range comes back`() {
        // A day apart and not a round time, from the smallest to the largest nanosecond.
        var time = Int64.min
        var previous = ""
        while true {
            let text = RFC3339.text(time)
            #expect(RFC3339.nanoseconds(text) == time)
            #expect(text > previous)
            previous = text
            let (next, overflow) = time.addingReportingOverflow(86_399_999_999_999)
            if overflow { break }
            time = next
        }
    }
}
