/// Bytes that do not follow the format. Offsets count from the start of the structure's file.
///
/// All of these are damage or foreign bytes, never a failure of the disk and never our own bug.
public enum FormatError: Error, Equatable, Sendable {
    /// The first bytes are not ours. The file is not part of a recording; nothing is touched.
    case notOurs(structure: String)
    /// A newer program wrote it. Nothing is touched; the reader asks for a newer build.
    case newerVersion(structure: String, found: UInt16, known: UInt16)
    /// The structure ends early. In the tail of an active segment it may be a torn write.
    case truncated(structure: String, needed: Int, available: Int)
    /// A checksum does not match. The structure is not believed.
    case checksum(structure: String, expected: UInt64, found: UInt64)
    /// A field has a value that no writer writes. The structure is not believed.
    case invalid(structure: String, field: String, value: UInt64)
    /// The stored bytes of a block do not decompress to the promised size.
    case decompression(rawBytes: Int)
    /// Something else stands where a file or folder of ours must be, such as a symbolic link. It
    /// is not opened.
    case wrongKind(structure: String, needed: String)
}

extension FormatError: CustomStringConvertible {
    /// What is wrong, for a person.
    public var description: String {
        switch self {
        case .notOurs(let structure):
            "no \(structure) here: the magic number is not ours"
        case .newerVersion(let structure, let found, let known):
            "\(structure) was written by a newer version (format \(found); this build reads up to "
                + "\(known))"
        case .truncated(let structure, let needed, let available):
            "\(structure) is cut short: \(needed) bytes needed, \(available) there"
        case .checksum(let structure, let expected, let found):
            "\(structure) is damaged: checksum \(hex(found)) instead of \(hex(expected))"
        case .invalid(let structure, let field, let value):
            "\(structure) is damaged: \(field) is \(value)"
        case .decompression(let rawBytes):
            "block is damaged: its bytes do not decompress to \(rawBytes) bytes"
        case .wrongKind(let structure, let needed): "\(structure) is not a \(needed)"
        }
    }

    private func hex(_ value: UInt64) -> String {
        let digits = String(value, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}
