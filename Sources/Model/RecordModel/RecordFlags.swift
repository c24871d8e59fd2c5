/// Facts about a record that its payload does not tell.
public struct RecordFlags: OptionSet, Hashable, Sendable {
    /// The bits as stored.
    public let rawValue: UInt8

    /// The flags of stored bits.
    @inlinable
    public init(rawValue: UInt8) { self.rawValue = rawValue }

    /// The frame was masked on the wire; `RecordEnvelope.maskKey` is its key.
    @inlinable
    public static var masked: RecordFlags { RecordFlags(rawValue: 1 << 0) }
    /// The times were made up, because an import carried none.
    @inlinable
    public static var timeSynthetic: RecordFlags { RecordFlags(rawValue: 1 << 1) }
    /// A data frame contains a known secret. The frame is kept as it was.
    @inlinable
    public static var containsSecret: RecordFlags { RecordFlags(rawValue: 1 << 2) }
    /// A reader that does not know the kind must stop: a newer version wrote it.
    @inlinable
    public static var critical: RecordFlags { RecordFlags(rawValue: 1 << 7) }
}
