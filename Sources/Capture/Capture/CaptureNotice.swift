/// Something a person should know about a running recording.
package struct CaptureNotice: Sendable, Equatable {
    /// How bad it is.
    package enum Severity: Sendable, Equatable {
        /// Good to know.
        case remark
        /// Something is wrong and is being dealt with.
        case warning
        /// Something has failed for good.
        case failure
    }

    /// How bad it is.
    package let severity: Severity
    /// The source it is about; nil for the recording.
    package let source: String?
    /// One line, secrets masked, free of control characters.
    package let text: String

    init(_ severity: Severity, source: String? = nil, _ text: String) {
        self.severity = severity
        self.source = source
        self.text = String(
            String.UnicodeScalarView(text.unicodeScalars.map { Self.isPlain($0) ? $0 : " " })
        )
    }

    /// Line ends and escapes could forge other lines on a terminal; so could marks that turn the
    /// direction of writing.
    private static func isPlain(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0..<0x20, 0x7F..<0xA0, 0x200E, 0x200F, 0x2028...0x202E, 0x2066...0x2069: false
        default: true
        }
    }
}
