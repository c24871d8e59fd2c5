import RecordModel

// The parts of MCAP that are written and read here. Source: https://mcap.dev/spec. All integers are
// little-endian; a record is an opcode, the length of its content in 64 bits, and its content.

/// Numbers and limits of MCAP files.
enum McapFormat {
    /// What a file begins and ends with.
    static let magic: [UInt8] = [0x89, 0x4D, 0x43, 0x41, 0x50, 0x30, 0x0D, 0x0A]
    /// The profile of files that hold a whole recording; see Sources/App/README.md.
    static let profile = "tapedeck"
    /// The version of what the profile means.
    static let version = "1"
    /// The name of the metadata record with the recording's identity.
    static let metadataName = "tapedeck"

    /// Opcodes of records.
    enum Opcode: UInt8 {
        case header = 1
        case footer, schema, channel, message, chunk, messageIndex, chunkIndex, attachment
        case attachmentIndex, statistics, metadata, metadataIndex, summaryOffset, dataEnd
    }

    /// How the records of a chunk are stored; the raw value is what the chunk says.
    enum Compression: String {
        case none = ""
        /// One LZ4 frame.
        case lz4

        /// By the word of `--compression`.
        init?(word: String) {
            switch word {
            case "none": self = .none
            case "lz4": self = .lz4
            default: return nil
            }
        }
    }

    /// Channels that every file has; frames have those above.
    enum Channel {
        static let events: UInt16 = 1
        static let envelopes: UInt16 = 2
        static let context: UInt16 = 3
        static let frames: UInt16 = 4
        /// Beyond this many, streams share a channel for each kind.
        static let streamsMax: UInt16 = 60_000
    }

    /// A chunk is closed when it is larger than this.
    static let chunkBytes = 1 << 20
    /// Most bytes of a chunk: one message with an event of the largest payload as Base64 in JSON.
    static let chunkBytesMax = 192 << 20
    /// Most bytes of any record outside chunks that is read rather than passed over.
    static let recordBytesMax = 1 << 20
    /// Bytes of one entry of an envelopes message.
    static let envelopeBytes = 40
}

extension [UInt8] {
    /// Appends a text with its length in 32 bits.
    mutating func appendMcap(_ text: String) {
        appendLittleEndian(UInt32(text.utf8.count))
        append(contentsOf: text.utf8)
    }

    /// Appends a map of texts with its length in bytes.
    mutating func appendMcap(_ map: [(String, String)]) {
        var bytes: [UInt8] = []
        for (key, value) in map {
            bytes.appendMcap(key)
            bytes.appendMcap(value)
        }
        appendLittleEndian(UInt32(bytes.count))
        append(contentsOf: bytes)
    }

    /// Appends a record.
    mutating func appendMcap(_ opcode: McapFormat.Opcode, _ content: [UInt8]) {
        append(opcode.rawValue)
        appendLittleEndian(UInt64(content.count))
        append(contentsOf: content)
    }
}
