import JSONText

/// How the frames of a file are written.
enum ImportFormat: String, CaseIterable, Sendable {
    case solanaLittleEndian = "solana-le"
    case solanaBigEndian = "solana-be"
    case captureLines = "ws-jsonl"
    case mcap

    /// Finds the one format that the whole file follows.
    ///
    /// - Throws: `VerbFailure` when none does, or when two do and only a person can tell.
    static func detect(_ file: ImportFile) throws -> ImportFormat {
        if try McapImport.isMcap(file) { return .mcap }
        if isCapture(file) { return .captureLines }
        var failures: [String] = []
        var found: [ImportFormat] = []
        for format in [ImportFormat.solanaLittleEndian, .solanaBigEndian] {
            do {
                _ = try LengthPrefixedFile(
                    file: file,
                    isBigEndian: format == .solanaBigEndian
                ).check()
                found.append(format)
            } catch let error as VerbFailure {
                failures.append("as \(format.rawValue), \(error.message)")
            }
        }
        if found.count == 1, let format = found.first { return format }
        if found.isEmpty {
            throw VerbFailure(
                code: .failed,
                message: "\(file.name) is in no format that is known here: "
                    + failures.joined(separator: "; ")
            )
        }
        let names = found.map(\.rawValue).joined(separator: " and ")
        throw VerbFailure(
            code: .failed,
            message: "\(file.name) can be read as \(names); say which with --format"
        )
    }

    /// Whether the first line is an object of a capture.
    private static func isCapture(_ file: ImportFile) -> Bool {
        do {
            return try CaptureFile(file: file).beginsWithObject()
        } catch {
            // What cannot be read as lines is looked at as lengths next, which says why it fails.
            return false
        }
    }
}
