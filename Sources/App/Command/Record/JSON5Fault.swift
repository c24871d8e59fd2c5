// Foundation says that a text is not JSON5, but not where. This looks for the usual faults and
// tells their place; it decides nothing: the text has been refused already.

/// The place and kind of a fault in a JSON5 text.
struct JSON5Fault: Equatable {
    /// Counted from 1; columns in bytes.
    let line: Int
    let column: Int
    let problem: String

    /// Finds the first fault of a kind known here.
    static func find(in text: [UInt8]) -> JSON5Fault? {
        var scan = JSON5Scan(text)
        return scan.fault()
    }
}

/// One pass over brackets, strings, comments and the commas between values.
private struct JSON5Scan {
    private let text: [UInt8]
    private var at = 0
    private var open: [(bracket: UInt8, at: Int)] = []
    /// A value has just ended: a comma, colon or closing bracket must follow.
    private var isAfterValue = false

    init(_ text: [UInt8]) { self.text = text }

    mutating func fault() -> JSON5Fault? {
        while at < text.count {
            let byte = text[at]
            switch byte {
            case 0x20, 0x09, 0x0A, 0x0D: at += 1
            case UInt8(ascii: "/"): if let fault = comment() { return fault }
            case UInt8(ascii: ","), UInt8(ascii: ":"):
                isAfterValue = false
                at += 1
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                let expected = byte == UInt8(ascii: "}") ? UInt8(ascii: "{") : UInt8(ascii: "[")
                guard open.popLast()?.bracket == expected else {
                    return here("this bracket closes nothing that is open")
                }
                isAfterValue = true
                at += 1
            default:
                if isAfterValue { return here("a comma or colon is missing before this") }
                if let fault = value(byte) { return fault }
            }
        }
        return open.last.map { place($0.at, "this bracket is never closed") }
    }

    private mutating func value(_ byte: UInt8) -> JSON5Fault? {
        let start = at
        switch byte {
        case UInt8(ascii: "{"), UInt8(ascii: "["):
            open.append((byte, at))
            at += 1
        case UInt8(ascii: "\""), UInt8(ascii: "'"):
            at += 1
            while at < text.count, text[at] != byte {
                if text[at] == 0x0A { return place(start, "this text is not closed on its line") }
                at += text[at] == UInt8(ascii: "\\") ? 2 : 1
            }
            if at >= text.count { return place(start, "this text is never closed") }
            at += 1
            isAfterValue = true
        default:
            let ends = Set("{}[],:\"'/ \t\r\n".utf8)
            while at < text.count, !ends.contains(text[at]) { at += 1 }
            isAfterValue = true
        }
        return nil
    }

    private mutating func comment() -> JSON5Fault? {
        let start = at
        switch text.dropFirst(at + 1).first {
        case UInt8(ascii: "/"):
            while at < text.count, text[at] != 0x0A { at += 1 }
        case UInt8(ascii: "*"):
            at += 2
            while at + 1 < text.count,
                !(text[at] == UInt8(ascii: "*") && text[at + 1] == UInt8(ascii: "/"))
            { at += 1 }
            if at + 1 >= text.count { return place(start, "this comment is never closed") }
            at += 2
        default: return here("a single slash has no meaning")
        }
        return nil
    }

    private func here(_ problem: String) -> JSON5Fault { place(at, problem) }

    private func place(_ offset: Int, _ problem: String) -> JSON5Fault {
        let before = text[..<offset]
        let line = before.reduce(1) { $0 + ($1 == 0x0A ? 1 : 0) }
        let column = offset - (before.lastIndex(of: 0x0A) ?? -1)
        return JSON5Fault(line: line, column: column, problem: problem)
    }
}
