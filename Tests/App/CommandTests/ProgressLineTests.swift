import Testing

@testable import Command

private let second: UInt64 = 1_000_000_000

@Suite struct ProgressLineTests {
    @Test func `a terminal's line is redrawn ten times a second`() {
        var line = ProgressLine(
            label: "verify",
            unit: "records",
            total: 4_000_000,
            style: .terminal(columns: 80),
            now: 5 * second
        )
        #expect(line.update(done: 1, now: 5 * second) == nil)
        #expect(
            line.update(done: 1_000_000, now: 7 * second)
                == "\rverify: 25% 1,000,000 of 4,000,000 records (500,000/s, 6s left)\u{1B}[K"
        )
        #expect(line.update(done: 1_000_001, now: 7 * second + second / 20) == nil)
        #expect(line.update(done: 1_100_000, now: 7 * second + second / 10) != nil)
        #expect(line.finish() == "\r\u{1B}[K")
        #expect(line.finish() == nil)
    }

    @Test func `a log gets a whole line every ten seconds`() {
        var line = ProgressLine(label: "record", unit: "bytes", total: nil, style: .log, now: 0)
        #expect(line.update(done: 1, now: 9 * second) == nil)
        #expect(line.update(done: 10 << 20, now: 10 * second) == "record: 10.0 MiB (1.0 MiB/s)\n")
        #expect(line.update(done: 10 << 20, now: 19 * second) == nil)
        #expect(line.finish() == nil)
    }

    @Test func `a narrow terminal cuts the line`() {
        var line = ProgressLine(
            label: "verify",
            unit: "records",
            total: nil,
            style: .terminal(columns: 10),
            now: 0
        )
        #expect(line.update(done: 5, now: second) == "\rverify: 5\u{1B}[K")
    }

    @Test func `extreme numbers do not trap`() {
        for total in [nil, 0, 1, UInt64.max] {
            for now in [0, 1, second, UInt64.max] {
                for done in [0, 1, UInt64.max] {
                    for columns in [0, 1, 80, Int.max] {
                        var line = ProgressLine(
                            label: "x",
                            unit: "records",
                            total: total,
                            style: .terminal(columns: columns),
                            now: 1
                        )
                        _ = line.update(done: done, now: now)
                        _ = line.finish()
                    }
                }
            }
        }
    }
}
