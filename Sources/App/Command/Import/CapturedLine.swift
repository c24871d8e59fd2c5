import JSONText

/// One line of a WebSocket capture: a whole message, when it came and which way it went.
struct CapturedLine: Equatable {
    /// Names the connection; nil in captures of a single one.
    var connection: String?
    /// Wall-clock nanoseconds since 1970.
    var time: Int64
    var isOut: Bool
    /// RFC 6455 opcode: 1, 9 or 10.
    var opcode: UInt8
    var payload: [UInt8]

    /// A line that is none: what is wrong with it.
    struct Mistake: Error, Equatable {
        let message: String
    }

    /// Reads a line of either form:
    /// `{"conn","seq","t","dir","opcode","payload"}` with `t` in milliseconds, or
    /// `{"t_wall","raw"}` with `t_wall` in seconds. Other keys are passed over.
    ///
    /// - Parameter value: the line's root.
    /// - Throws: `Mistake` when it is neither.
    init(_ value: JSONValue) throws(Mistake) {
        guard value.kind == .object else { throw Mistake(message: "not a JSON object") }
        if let raw = value.member("raw") {
            guard let bytes = raw.stringBytes else { throw Mistake(message: "raw is no string") }
            payload = bytes
            connection = nil
            isOut = false
            opcode = 1
            time = try Self.time(value.member("t_wall"), "t_wall", digitsAfterPoint: 9)
            return
        }
        guard let bytes = value.member("payload")?.stringBytes else {
            throw Mistake(message: "neither payload nor raw is a string here")
        }
        payload = bytes
        guard let name = value.member("conn")?.string else {
            throw Mistake(message: "conn is no string")
        }
        connection = name
        switch value.member("dir")?.string {
        case "in": isOut = false
        case "out": isOut = true
        default: throw Mistake(message: "dir is neither in nor out")
        }
        switch value.member("opcode")?.string {
        case "text": opcode = 1
        case "ping": opcode = 9
        case "pong": opcode = 10
        default: throw Mistake(message: "opcode is none of text, ping, pong")
        }
        time = try Self.time(value.member("t"), "t", digitsAfterPoint: 6)
    }

    /// Nanoseconds by the digits of a number: no binary fraction ever stands between.
    private static func time(
        _ value: JSONValue?,
        _ key: String,
        digitsAfterPoint: Int
    ) throws(Mistake) -> Int64 {
        guard let text = value?.numberText,
            let nanoseconds = DecimalTime.nanoseconds(text, digitsAfterPoint: digitsAfterPoint)
        else { throw Mistake(message: "\(key) is no time") }
        return nanoseconds
    }
}

/// Times written as decimal numbers.
enum DecimalTime {
    /// Reads a number of units as nanoseconds, cut below one nanosecond.
    ///
    /// - Parameters:
    ///   - text: digits with an optional sign and fraction; no exponent.
    ///   - digitsAfterPoint: 9 for seconds, 6 for milliseconds.
    /// - Returns: nil when it is no such number or does not fit.
    static func nanoseconds(_ text: String, digitsAfterPoint: Int) -> Int64? {
        let isNegative = text.hasPrefix("-")
        let parts = text.dropFirst(isNegative ? 1 : 0).split(
            separator: ".",
            maxSplits: 1,
            omittingEmptySubsequences: false
        )
        let isDigits = parts.allSatisfy {
            !$0.isEmpty && $0.utf8.allSatisfy { (0x30...0x39).contains($0) }
        }
        guard isDigits, let whole = parts.first else { return nil }
        let given = parts.count == 2 ? parts[1].prefix(digitsAfterPoint) : ""
        let fraction = given + String(repeating: "0", count: digitsAfterPoint - given.count)
        return Int64((isNegative ? "-" : "") + whole + fraction)
    }
}
