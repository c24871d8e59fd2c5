package import RecordModel

/// What was appended to a recording and what was promised about it, kept beside the log: the
/// judge of what comes back.
package struct LogHistory: Sendable {
    /// What stands, or may stand, at one sequence.
    package enum Entry: Sendable, Equatable {
        /// A record of ours.
        case record(RecordEnvelope, payload: [UInt8])
        /// A record that the log makes itself, of this kind.
        case own(RecordKind)
        /// The recording has said that it is missing.
        case hole
    }

    /// The entry of sequence n stands at n - 1.
    package private(set) var entries: [Entry] = []
    /// Everything up to here was acknowledged as durable.
    package private(set) var acknowledged: UInt64 = 0
    /// The highest epoch of a run of which something was acknowledged.
    package private(set) var epoch: UInt64 = 0

    package init() {}

    /// The last sequence that was given out.
    package var last: UInt64 { UInt64(entries.count) }

    /// Adds what was given the next sequence.
    package mutating func append(_ entry: Entry) { entries.append(entry) }

    /// What stands at a sequence; nil beyond the last.
    package subscript(sequence: UInt64) -> Entry? {
        guard sequence >= 1, sequence <= last else { return nil }
        return entries[Int(sequence) - 1]
    }

    /// Notes an acknowledgement.
    package mutating func acknowledge(_ sequence: UInt64, epoch: UInt64) {
        acknowledged = max(acknowledged, sequence)
        if sequence > 0 { self.epoch = max(self.epoch, epoch) }
    }

    /// Forgets what a crash took: sequences go on behind `last`.
    package mutating func keep(through last: UInt64) {
        if last < self.last { entries.removeLast(Int(self.last - last)) }
    }

    /// Notes that the recording states these sequences as missing.
    package mutating func lose(_ range: ClosedRange<UInt64>) {
        for sequence in range where sequence <= last { entries[Int(sequence) - 1] = .hole }
    }
}
