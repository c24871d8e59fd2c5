import RecordModel
import Testing

@testable import Command

private func slot(_ number: UInt64) -> RecordRange.Point {
    .chain(ChainPosition(family: .slot, number: number))
}

@Suite struct RecordRangeTests {
    @Test(arguments: [
        ("seq:100..200", RecordRange(start: .sequence(100), end: .through(.sequence(200)))),
        ("seq:7..7", RecordRange(start: .sequence(7), end: .through(.sequence(7)))),
        ("seq:100..", RecordRange(start: .sequence(100), end: nil)),
        ("seq:..", RecordRange()),
        ("slot:..+500", RecordRange(start: nil, end: .length(.slot, count: 500))),
        ("slot:3..+2", RecordRange(start: slot(3), end: .length(.slot, count: 2))),
        (
            "block:..9",
            RecordRange(
                start: nil,
                end: .through(.chain(ChainPosition(family: .block, number: 9)))
            )
        ),
        (
            "time:2026-01-01T00:00:00Z..",
            RecordRange(start: .time(1_767_225_600_000_000_000), end: nil)
        ),
        (
            "time:2026-01-01T00:00:00.25Z..2026-01-01T00:00:00.5Z",
            RecordRange(
                start: .time(1_767_225_600_250_000_000),
                end: .through(.time(1_767_225_600_500_000_000))
            )
        ),
        (
            "time:..+1m30s",
            RecordRange(start: nil, end: .length(.time, count: 90_000_000_000))
        ),
        ("seq:5", RecordRange(start: .sequence(5), end: .through(.sequence(5)))),
        (
            "seq:0..18446744073709551615",
            RecordRange(start: .sequence(0), end: .through(.sequence(.max)))
        ),
    ])
    func `a range is read`(text: String, range: RecordRange) throws {
        #expect(try RecordRange(text, as: .whole) == range)
    }

    @Test func `a lone point means what its place means`() throws {
        #expect(try RecordRange("seq:5", as: .from) == RecordRange(start: .sequence(5), end: nil))
        let through = RecordRange(start: nil, end: .through(.sequence(5)))
        #expect(try RecordRange("seq:5", as: .to) == through)
        #expect(try RecordRange("seq:5", as: .at) == through)
        #expect(
            try RecordRange("seq:+5", as: .to)
                == RecordRange(start: nil, end: .length(.sequence, count: 5))
        )
    }

    @Test(arguments: [
        "", "5", ":", "seq", "seq:", "sequence:1..2", "SEQ:1..2", "seq:a..b", "seq:1...2",
        "seq:1..2..3", "seq:-1..2", "seq:1..-2", "seq:+1..2", "seq:2..1", "slot:2..1",
        "block:2..1", "seq:18446744073709551616..", "seq:1..+0", "seq:1..+", "seq:1..+x",
        "seq:+5", "seq: 1..2", "seq:1_000..", "time:2026-01-01..", "time:5..",
        "time:2026-01-01T00:00:01Z..2026-01-01T00:00:00Z", "time:..+5", "time:..+0s", "seq:.",
        "seq:١..", "slot:1..seq:5",
    ])
    func `what is no range is refused`(text: String) {
        #expect(throws: RecordRange.Mistake.self) { try RecordRange(text, as: .whole) }
    }

    @Test func `a moment is no range`() {
        #expect(throws: RecordRange.Mistake.self) { try RecordRange("seq:1..2", as: .at) }
        #expect(throws: RecordRange.Mistake.self) { try RecordRange("seq:+2", as: .at) }
    }

    @Test func `two ends join once`() throws {
        let from = try RecordRange("slot:5", as: .from)
        let to = try RecordRange("time:2026-01-01T00:00:00Z", as: .to)
        #expect(
            try from.joined(with: to)
                == RecordRange(start: slot(5), end: .through(.time(1_767_225_600_000_000_000)))
        )
        #expect(throws: RecordRange.Mistake(message: "the start of the range is given twice")) {
            try from.joined(with: from)
        }
        #expect(throws: RecordRange.Mistake(message: "the end of the range is given twice")) {
            try to.joined(with: to)
        }
    }
}

@Suite struct QuantitiesTests {
    @Test(arguments: [
        ("90s", UInt64(90_000_000_000)), ("5m", 300_000_000_000), ("1h30m", 5_400_000_000_000),
        ("250ms", 250_000_000), ("1d2h3m4s5ms6us7ns", 93_784_005_006_007), ("0s", 0),
        ("9223372036854775807ns", UInt64(Int64.max)),
    ])
    func `a length of time is read`(text: String, nanoseconds: UInt64) {
        #expect(TimeSpan.nanoseconds(text) == nanoseconds)
    }

    @Test(arguments: [
        "", "5", "s", "5x", "1.5s", "-1s", "1m1h", "1s1s", "5 s", "5S", "9223372036854775808ns",
        "99999999999999999999s", "300000d", "٥s",
    ])
    func `what is no length of time is refused`(text: String) {
        #expect(TimeSpan.nanoseconds(text) == nil)
    }

    @Test(arguments: [
        (UInt64(0), "0ms"), (999_999_999, "999ms"), (1_000_000_000, "1s"),
        (90_000_000_000, "1m30s"),
        (3_600_000_000_000, "1h"), (3_605_000_000_000, "1h"), (90_061_000_000_000, "1d1h"),
    ])
    func `a length of time is written short`(nanoseconds: UInt64, text: String) {
        #expect(TimeSpan.text(nanoseconds) == text)
    }

    @Test(arguments: [
        (0, "0ns"), (999, "999ns"), (1_000, "1.0us"), (1_449, "1.4us"), (999_999, "999.9us"),
        (5_600_000, "5.6ms"), (61_950_000_000, "61.9s"), (UInt64.max, "18446744073.7s"),
    ])
    func `short times are written with one decimal, cut`(nanoseconds: UInt64, text: String) {
        #expect(TimeSpan.fineText(nanoseconds) == text)
    }

    @Test(arguments: [
        ("4096", UInt64(4096)), ("64MiB", 67_108_864), ("10GB", 10_000_000_000), ("1kB", 1_000),
        ("3B", 3), ("0", 0), ("8388607TiB", 9_223_370_937_343_148_032),
    ])
    func `a number of bytes is read`(text: String, bytes: UInt64) {
        #expect(ByteCount.bytes(text) == bytes)
    }

    @Test(arguments: ["", "MiB", "1.5MiB", "-1", "64 MiB", "64mib", "1K", "8388608TiB"])
    func `what is no number of bytes is refused`(text: String) {
        #expect(ByteCount.bytes(text) == nil)
    }

    @Test(arguments: [
        (UInt64(0), "0 B"), (1023, "1023 B"), (1024, "1.0 KiB"), (1_073_741_823, "1023.9 MiB"),
        (UInt64.max, "16777215.9 TiB"),
    ])
    func `bytes are written short`(bytes: UInt64, text: String) {
        #expect(ByteCount.text(bytes) == text)
    }

    @Test(arguments: [
        ("max", PlaybackRate.unlimited), ("1", .times(millionths: 1_000_000)),
        ("0.5", .times(millionths: 500_000)), ("0.000001", .times(millionths: 1)),
        ("1000000", .times(millionths: 1_000_000_000_000)), ("2.25", .times(millionths: 2_250_000)),
    ])
    func `a speed is read`(text: String, rate: PlaybackRate) {
        #expect(PlaybackRate(text) == rate)
    }

    @Test(arguments: [
        "", "0", "-1", "1x", "0.0000001", "1000001", "1.", ".5", "1e3", "MAX", "1.2.3", "+1",
        "1000000.5", "99999999999999999999",
    ])
    func `what is no speed is refused`(text: String) {
        #expect(PlaybackRate(text) == nil)
    }

    @Test func `where to listen is read`() throws {
        let plain = try #require(ListenAddress("127.0.0.1:10000"))
        #expect(plain.host == "127.0.0.1" && plain.port == 10_000 && plain.sources.isEmpty)
        let named = try #require(ListenAddress("[::1]:0=main,backup"))
        #expect(named.host == "::1" && named.port == 0 && named.sources == ["main", "backup"])
    }

    @Test(arguments: [
        "", ":", "x", ":1", "x:", "x:65536", "x:-1", "x:+1", "::1:5", "x:1=", "x:1=a,,b", "[]:1",
        "x:1a",
    ])
    func `what is no place to listen is refused`(text: String) {
        #expect(ListenAddress(text) == nil)
    }
}
