/// The place of a record in its recording: dense, counted from 1, never reused, never renumbered.
///
/// It is the only replay order. Zero means "none": before the first record, or the recorder itself
/// where a stream is named.
public struct Sequence: Hashable, Comparable, Sendable {
    /// The number.
    public let value: UInt64

    /// The sequence of a number.
    @inlinable
    public init(_ value: UInt64) { self.value = value }

    /// Before the first record.
    @inlinable
    public static var none: Sequence { Sequence(0) }
    /// The first sequence of a new recording.
    @inlinable
    public static var first: Sequence { Sequence(1) }

    /// Whether the left record stands before the right one.
    @inlinable
    public static func < (left: Sequence, right: Sequence) -> Bool { left.value < right.value }

    /// The sequence after this one; a recording ends long before 2^64 records.
    @inlinable
    public var next: Sequence { Sequence(value &+ 1) }
    /// The sequence before this one; `none` stays `none`.
    @inlinable
    public var previous: Sequence { Sequence(value == 0 ? 0 : value &- 1) }
}

extension Sequence: CustomStringConvertible {
    /// The number in decimal.
    public var description: String { String(value) }
}

/// How a stream is named: by the sequence of its stream-opened record. `none` is the recorder.
public typealias StreamID = Sequence
