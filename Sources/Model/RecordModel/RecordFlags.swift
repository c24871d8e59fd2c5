/// Facts about a record that its payload does not tell.
package struct RecordFlags: OptionSet, Hashable, Sendable {
    package let rawValue: UInt8

    package init(rawValue: UInt8) { self.rawValue = rawValue }

    /// The frame was masked on the wire; `RecordEnvelope.maskKey` is its key.
    package static let masked = RecordFlags(rawValue: 1 << 0)
    /// The times were made up, because an import carried none.
    package static let timeSynthetic = RecordFlags(rawValue: 1 << 1)
    /// A data frame contains a known secret. The frame is kept as it was.
    package static let containsSecret = RecordFlags(rawValue: 1 << 2)
    /// A reader that does not know the kind must stop: a newer version wrote it.
    package static let critical = RecordFlags(rawValue: 1 << 7)
}
