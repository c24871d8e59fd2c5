import GeyserDecoding
import SegmentFormat

/// A file of SubscribeUpdates, each behind its length as a 32-bit integer.
struct LengthPrefixedFile {
    let file: ImportFile
    let isBigEndian: Bool

    /// The message at an offset, which moves behind it; nil at the end.
    ///
    /// - Throws: `VerbFailure` when the file ends inside a message or a length is beyond bounds.
    func next(at offset: inout Int) throws -> ArraySlice<UInt8>? {
        guard offset < file.count else { return nil }
        let head = try file.read(4, at: offset)
        guard head.count == 4 else {
            throw file.failure(at: offset, "the file ends inside a length")
        }
        let length =
            isBigEndian
            ? head.reduce(0) { $0 << 8 | Int($1) }
            : head.reversed().reduce(0) { $0 << 8 | Int($1) }
        guard length <= FormatLimits.payloadBytesMax else {
            throw file.failure(
                at: offset,
                "a length of \(length) bytes exceeds the limit of \(FormatLimits.payloadBytesMax)"
            )
        }
        guard length <= file.count - offset - 4 else {
            throw file.failure(
                at: offset,
                "the file ends inside a message of \(length) bytes; "
                    + "\(file.count - offset - 4) are there"
            )
        }
        let message = try file.read(length, at: offset + 4)
        offset += 4 + length
        return message
    }

    /// Walks the whole file.
    ///
    /// - Returns: how many messages it holds.
    /// - Throws: `VerbFailure` at the first message that is not whole or not protobuf.
    func check() throws -> Int {
        var offset = 0
        var count = 0
        while true {
            let start = offset
            guard let message = try next(at: &offset) else { break }
            let bytes = Array(message)
            do throws(ProtobufError) {
                try ProtobufReader.forEachField(bytes.span.bytes, in: 0..<bytes.count) { _ in }
            } catch {
                throw file.failure(at: start, "message \(count + 1) is not protobuf: \(error)")
            }
            count += 1
        }
        if count == 0 { throw file.failure(at: 0, "the file is empty") }
        return count
    }
}
