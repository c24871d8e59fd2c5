import Capture
import GRPCTransport
import JSONText
import WebSocketTransport

/// The parts that sources of both kinds share in a configuration file.
struct ConfigReader {
    let inputs: PlanInputs
    /// The configuration file's path, as it was given.
    let file: String
    /// Where relative paths begin: the file's own folder, with a slash, or empty.
    let folder: String

    private static let second: UInt64 = 1_000_000_000

    /// A path as the file means it.
    func resolve(_ path: String) -> String { path.hasPrefix("/") ? path : folder + path }

    /// Puts a place to what is wrong there.
    func at<Value>(_ path: String, _ body: () throws -> Value) throws -> Value {
        do { return try body() } catch let error as PlanError {
            throw ConfigError(path: path, problem: error.message)
        }
    }

    /// The only trusted roots: a file of certificates, read and checked.
    func roots(_ path: String, at place: String) throws -> TLSContext {
        try at(place) {
            do throws(TLSError) {
                return try TLSContext.client(trust: .only(.file(resolve(path))))
            } catch { throw PlanError("\(resolve(path)): \(error)") }
        }
    }

    /// The source's id, if it has one.
    func id(_ object: inout ConfigObject) throws -> String? {
        guard let id = try object.text("id") else { return nil }
        let isPlain = id.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"),
                UInt8(ascii: "."):
                true
            default: false
            }
        }
        guard isPlain, id.utf8.count <= 64 else {
            throw ConfigError(
                path: object.path("id"),
                problem: "expected up to 64 letters, digits, '-', '_' and '.'"
            )
        }
        return id
    }

    /// `<key>_env` or `<key>_file`.
    func secret(_ object: inout ConfigObject, _ key: String) throws -> String? {
        let variable = try object.text("\(key)_env")
        let file = try object.text("\(key)_file")
        if object.has(key) {
            throw ConfigError(
                path: object.path(key),
                problem: "a secret does not stand in the file: use \(key)_env or \(key)_file"
            )
        }
        switch (variable, file) {
        case (nil, nil): return nil
        case (let name?, nil):
            return try at(object.path("\(key)_env")) { try inputs.secret(variable: name) }
        case (nil, let path?):
            return try at(object.path("\(key)_file")) { try inputs.secret(file: resolve(path)) }
        default:
            throw ConfigError(
                path: object.path(key),
                problem: "\(key)_env and \(key)_file exclude each other"
            )
        }
    }

    /// An object of names, each with `{ env: NAME }` or `{ file: PATH }`; sorted by name.
    func secretMap(
        _ object: inout ConfigObject,
        _ key: String
    ) throws -> [(name: String, value: String)] {
        guard var map = try object.object(key) else { return [] }
        var result: [(name: String, value: String)] = []
        for name in map.rest {
            let path = map.path(name)
            guard var entry = try map.object(name) else {
                throw ConfigError(path: path, problem: "expected {env: NAME} or {file: PATH}")
            }
            let variable = try entry.text("env")
            let file = try entry.text("file")
            try entry.finish()
            let value = try at(path) {
                switch (variable, file) {
                case (let name?, nil): return try inputs.secret(variable: name)
                case (nil, let path?): return try inputs.secret(file: resolve(path))
                default: throw PlanError("expected {env: NAME} or {file: PATH}")
                }
            }
            result.append((name, value))
        }
        return result
    }

    /// `keepalive: { every, timeout }`; `every: "off"` switches it off.
    func keepalive(
        _ object: inout ConfigObject
    ) throws -> (milliseconds: Int?, timeoutMilliseconds: Int)? {
        guard var keepalive = try object.object("keepalive") else { return nil }
        let timeout = try keepalive.duration("timeout", Self.second...600 * Self.second)
        var every: Int? = 20_000
        if keepalive.has("every"), try keepalive.isOff("every") {
            every = nil
        } else if let length = try keepalive.duration("every", Self.second...3_600 * Self.second) {
            every = Int(length / 1_000_000)
        }
        try keepalive.finish()
        return (every, timeout.map { Int($0 / 1_000_000) } ?? 10_000)
    }

    /// `reconnect: { first, longest, first_when_busy, longest_when_busy, refused,
    /// longest_retry_after, reset_after }`.
    func backoff(_ object: inout ConfigObject) throws -> Backoff.Limits {
        var limits = Backoff.Limits()
        guard var reconnect = try object.object("reconnect") else { return limits }
        let bounds: ClosedRange<UInt64> = 10_000_000...3_600 * Self.second
        limits.first = try reconnect.duration("first", bounds) ?? limits.first
        limits.longest = try reconnect.duration("longest", bounds) ?? limits.longest
        limits.firstWhenBusy =
            try reconnect.duration("first_when_busy", bounds) ?? limits.firstWhenBusy
        limits.longestWhenBusy =
            try reconnect.duration("longest_when_busy", bounds) ?? limits.longestWhenBusy
        // Refusals are not hammered, whatever the file wants.
        let slow: ClosedRange<UInt64> = 30 * Self.second...24 * 3_600 * Self.second
        limits.refused = try reconnect.duration("refused", slow) ?? limits.refused
        let patience: ClosedRange<UInt64> = 10_000_000...24 * 3_600 * Self.second
        limits.retryAfter =
            try reconnect.duration("longest_retry_after", patience) ?? limits.retryAfter
        limits.resetAfter = try reconnect.duration("reset_after", bounds) ?? limits.resetAfter
        try reconnect.finish()
        return limits
    }

    /// Names of encodings.
    func encodings(_ values: [ConfigValue], _ path: String) throws -> Set<GRPCEncoding> {
        var result: Set<GRPCEncoding> = [.identity]
        for (index, value) in values.enumerated() {
            guard case .text(let name) = value, let encoding = GRPCEncoding(name: name) else {
                let known = GRPCEncoding.allCases.map(\.name).joined(separator: ", ")
                throw ConfigError(path: "\(path)[\(index)]", problem: "expected one of \(known)")
            }
            result.insert(encoding)
        }
        return result
    }

    /// A value as JSON, members sorted by name.
    static func json(_ value: ConfigValue, _ path: String) throws -> [UInt8] {
        switch value {
        case .null: return Array("null".utf8)
        case .boolean(let flag): return Array((flag ? "true" : "false").utf8)
        case .integer(let number): return Array(String(number).utf8)
        case .number:
            throw ConfigError(path: path, problem: "only whole numbers are expected in a call")
        case .text(let text): return quoted(text)
        case .list(let elements):
            let parts = try elements.enumerated().map { try json($1, "\(path)[\($0)]") }
            return Array("[".utf8) + Array(parts.joined(separator: [0x2C])) + Array("]".utf8)
        case .object(let members):
            let parts = try members.sorted { $0.key < $1.key }.map { key, value in
                try quoted(key) + [0x3A] + json(value, "\(path).\(key)")
            }
            return Array("{".utf8) + Array(parts.joined(separator: [0x2C])) + Array("}".utf8)
        }
    }

    private static func quoted(_ text: String) -> [UInt8] {
        var writer = JSONWriter()
        writer.string(text)
        return writer.bytes
    }
}

extension ConfigObject {
    /// Whether a member is the word `off`, which it takes away then.
    mutating func isOff(_ key: String) throws -> Bool {
        guard peek(key) == .text("off") else { return false }
        _ = value(key)
        return true
    }
}
