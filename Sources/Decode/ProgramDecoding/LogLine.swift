import RecordModel

/// What one line of a transaction's log says, as far as it matters who said it.
enum LogLine {
    /// `Program <id> invoke [<depth>]`; the range is the id's.
    case invoke(id: Range<Int>, depth: UInt8)
    /// `Program <id> success` or `failed: ...`.
    case returned(id: Range<Int>)
    /// `Program data: ...`; the range is what follows.
    case data(Range<Int>)
    /// `Program log: ray_log: ...`; the range is what follows.
    case rayLog(Range<Int>)
    /// `Log truncated`: the runtime left the rest out.
    case cut
    /// Anything else.
    case other

    // Texts as little-endian words, so that a line is told by one comparison or two.
    private static let program: UInt64 = 0x206d_6172_676f_7250  // "Program "
    private static let log: UInt64 = 0x20_3a67_6f6c  // "log: "
    private static let data: UInt64 = 0x203a_6174_6164  // "data: "
    private static let rayLog: UInt64 = 0x3a67_6f6c_5f79_6172  // "ray_log:"
    private static let invoke: UInt64 = 0x5b20_656b_6f76_6e69  // "invoke ["
    private static let success: UInt64 = 0x7373_6563_6375_7320  // " success"
    private static let failed: UInt64 = 0x3a64_656c_6961_6620  // " failed:"
    private static let logTrun: UInt64 = 0x6e75_7274_2067_6f4c  // "Log trun"
    private static let uncated: UInt64 = 0x6465_7461_636e_7572  // "runcated"

    /// Reads a line. Time does not grow with its length.
    @inline(__always)
    static func read(_ bytes: RawSpan, _ line: Range<Int>) -> LogLine {
        let start = line.lowerBound
        guard line.count >= 13 else { return .other }
        let first = bytes.littleEndianUInt64(at: start)
        guard first == program else {
            let isCut =
                first == logTrun && line.count == 13
                && bytes.littleEndianUInt64(at: start + 5) == uncated
            return isCut ? .cut : .other
        }
        guard line.count >= 16 else { return .other }
        let second = bytes.littleEndianUInt64(at: start + 8)
        if second & 0xff_ffff_ffff == log {
            guard line.count >= 22, bytes.littleEndianUInt64(at: start + 13) == rayLog,
                bytes.byte(at: start + 21) == UInt8(ascii: " ")
            else { return .other }
            return .rayLog(start + 22..<line.upperBound)
        }
        if second & 0xffff_ffff_ffff == data { return .data(start + 14..<line.upperBound) }
        return readCall(bytes, line)
    }

    private static func readCall(_ bytes: RawSpan, _ line: Range<Int>) -> LogLine {
        // The Base58 text of 32 bytes has 32 to 44 characters.
        let start = line.lowerBound + 8
        var end = start + 32
        while end < line.upperBound, bytes.byte(at: end) != UInt8(ascii: " ") {
            guard end < start + 44 else { return .other }
            end += 1
        }
        let verb = end + 1
        guard verb + 7 <= line.upperBound else { return .other }
        switch bytes.byte(at: verb) {
        case UInt8(ascii: "i"):
            guard verb + 10 <= line.upperBound, bytes.littleEndianUInt64(at: verb) == invoke else {
                return .other
            }
            guard let depth = depth(bytes, verb + 8..<line.upperBound) else { return .other }
            return .invoke(id: start..<end, depth: depth)
        case UInt8(ascii: "s"):
            guard bytes.littleEndianUInt64(at: end) == success, verb + 7 == line.upperBound else {
                return .other
            }
            return .returned(id: start..<end)
        case UInt8(ascii: "f"):
            return bytes.littleEndianUInt64(at: end) == failed ? .returned(id: start..<end) : .other
        default: return .other
        }
    }

    /// The number before a closing bracket, 1...255.
    private static func depth(_ bytes: RawSpan, _ range: Range<Int>) -> UInt8? {
        var depth = 0
        for position in range {
            let byte = bytes.byte(at: position)
            if byte == UInt8(ascii: "]") {
                return position + 1 == range.upperBound && depth > 0 ? UInt8(exactly: depth) : nil
            }
            guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte), depth < 256 else {
                return nil
            }
            depth = depth * 10 + Int(byte - UInt8(ascii: "0"))
        }
        return nil
    }
}
