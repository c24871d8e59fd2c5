import JSONText
package import RecordModel

/// What `recording.json` says of a base anchor: a file in `anchors` that holds the state which the
/// retired segments gave. The log names it and does not look into it.
package struct BaseAnchorMention: Equatable, Sendable {
    /// The file's name within `anchors`.
    package var file: String
    /// Whose state it is, as its chain is written.
    package var chain: String
    /// Slot or block after which its state is.
    package var position: UInt64
    /// The sequence to read on from.
    package var resume: Sequence
    /// What it was made with: 32 hexadecimal digits.
    package var key: String
    /// Bytes of the file, and its checksum in 32 hexadecimal digits.
    package var bytes: UInt64
    package var checksum: String

    package init(
        file: String,
        chain: String,
        position: UInt64,
        resume: Sequence,
        key: String,
        bytes: UInt64,
        checksum: String
    ) {
        self.file = file
        self.chain = chain
        self.position = position
        self.resume = resume
        self.key = key
        self.bytes = bytes
        self.checksum = checksum
    }

    func append(to writer: inout JSONWriter) {
        writer.beginObject()
        for (name, text) in [("file", file), ("chain", chain)] {
            writer.key(name)
            writer.string(text)
        }
        for (name, number) in [("position", position), ("resume", resume.value)] {
            writer.key(name)
            writer.integerString(number)
        }
        writer.key("key")
        writer.string(key)
        writer.key("bytes")
        writer.integerString(bytes)
        writer.key("checksum")
        writer.string(checksum)
        writer.endObject()
    }

    /// Reads what `append` wrote; nil for anything else.
    init?(_ value: JSONValue) {
        func number(_ name: StaticString) -> UInt64? {
            value.member(name)?.string.flatMap { UInt64($0) }
        }
        func digits(_ name: StaticString) -> String? {
            guard let text = value.member(name)?.string, text.utf8.count == 32 else { return nil }
            let isDigits = text.utf8.allSatisfy {
                (0x30...0x39).contains($0) || (0x61...0x66).contains($0)
            }
            return isDigits ? text : nil
        }
        guard let file = value.member("file")?.string, BaseAnchorMention.isName(file),
            let chain = value.member("chain")?.string, let position = number("position"),
            let resume = number("resume"), resume > 0, let key = digits("key"),
            let bytes = number("bytes"), let checksum = digits("checksum")
        else { return nil }
        self.init(
            file: file,
            chain: chain,
            position: position,
            resume: Sequence(resume),
            key: key,
            bytes: bytes,
            checksum: checksum
        )
    }

    /// Whether a name stays within its folder.
    private static func isName(_ text: String) -> Bool {
        !text.isEmpty && text.utf8.count <= 255 && !text.contains("/") && text != "."
            && text != ".." && !text.utf8.contains(0)
    }
}
