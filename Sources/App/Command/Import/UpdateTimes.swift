import GeyserDecoding

/// When an imported message came.
struct UpdateTime: Equatable {
    /// Wall-clock nanoseconds since 1970.
    var nanoseconds: Int64
    /// Whether it was made up.
    var isSynthetic: Bool
}

/// Gives every update of a file a time: `created_at` when it has one, else a millisecond after the
/// one before, flagged as made up. A file without any times begins at 1970.
struct UpdateTimes {
    /// The last time given.
    private(set) var last = UpdateTime(nanoseconds: 0, isSynthetic: true)
    private var isFirst = true

    /// The time of the next update of the file.
    mutating func time(of message: [UInt8]) -> UpdateTime {
        defer { isFirst = false }
        if let created = created(message) {
            last = UpdateTime(nanoseconds: created, isSynthetic: false)
        } else {
            let step: Int64 = isFirst ? 0 : 1_000_000
            let (next, overflow) = last.nanoseconds.addingReportingOverflow(step)
            last = UpdateTime(nanoseconds: overflow ? last.nanoseconds : next, isSynthetic: true)
        }
        return last
    }

    private func created(_ message: [UInt8]) -> Int64? {
        let summary: UpdateSummary
        do { summary = try UpdateSummary(of: message.span.bytes) } catch {
            // Kept as it is; its time is simply not known.
            return nil
        }
        guard let seconds = summary.createdSeconds,
            (0..<1_000_000_000).contains(summary.createdNanos)
        else { return nil }
        return Int64(exactly: Int128(seconds) * 1_000_000_000 + Int128(summary.createdNanos))
    }
}
