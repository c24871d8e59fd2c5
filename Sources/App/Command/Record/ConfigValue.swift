import Foundation

/// A value of a JSON5 configuration file, before its meaning is known.
enum ConfigValue: Decodable, Equatable, Sendable {
    case null
    case boolean(Bool)
    case integer(Int64)
    case number(Double)
    case text(String)
    case list([ConfigValue])
    case object([String: ConfigValue])

    private struct Key: CodingKey {
        var stringValue: String
        var intValue: Int? { nil }
        init(stringValue: String) { self.stringValue = stringValue }
        init?(intValue: Int) { nil }
    }

    init(from decoder: any Decoder) throws {
        if let keyed = try? decoder.container(keyedBy: Key.self) {  // Not an object: go on.
            var members: [String: ConfigValue] = [:]
            for key in keyed.allKeys {
                members[key.stringValue] = try keyed.decode(ConfigValue.self, forKey: key)
            }
            self = .object(members)
            return
        }
        if var list = try? decoder.unkeyedContainer() {  // Not a list: go on.
            var elements: [ConfigValue] = []
            while !list.isAtEnd { elements.append(try list.decode(ConfigValue.self)) }
            self = .list(elements)
            return
        }
        let single = try decoder.singleValueContainer()
        // Each refusal only says that it is another kind.
        if single.decodeNil() {
            self = .null
        } else if let value = try? single.decode(Bool.self) {  // Not a truth value: go on.
            self = .boolean(value)
        } else if let value = try? single.decode(Int64.self) {  // Not a whole number: go on.
            self = .integer(value)
        } else if let value = try? single.decode(Double.self) {  // Not a number: go on.
            self = .number(value)
        } else {
            self = .text(try single.decode(String.self))
        }
    }

    /// What the value is, for messages. Values are not shown: one may be a secret.
    var kindName: String {
        switch self {
        case .null: "null"
        case .boolean: "true or false"
        case .integer, .number: "a number"
        case .text: "a text"
        case .list: "a list"
        case .object: "an object"
        }
    }
}

/// A fault of a configuration file.
struct ConfigError: Error, Equatable {
    /// Where, as `sources[0].geyser`; empty for the whole file.
    let path: String
    /// What was expected there and what was found.
    let problem: String

    /// One line: the file, the place, the problem.
    func message(file: String) -> String {
        path.isEmpty ? "\(file): \(problem)" : "\(file): \(path): \(problem)"
    }
}

/// An object of a configuration file: every member is asked for once, and what is left over is an
/// error.
struct ConfigObject {
    /// Where it stands.
    let path: String
    private var members: [String: ConfigValue]
    private var known: [String] = []

    init(_ value: ConfigValue, at path: String) throws {
        guard case .object(let members) = value else {
            throw ConfigError(path: path, problem: "an object was expected, not \(value.kindName)")
        }
        self.path = path
        self.members = members
    }

    /// The path of a member.
    func path(_ key: String) -> String { path.isEmpty ? key : "\(path).\(key)" }

    /// A member as it is; nil when it is absent or null.
    mutating func value(_ key: String) -> ConfigValue? {
        known.append(key)
        let value = members.removeValue(forKey: key)
        return value == .null ? nil : value
    }

    /// Whether a member stands there.
    func has(_ key: String) -> Bool { members[key] != nil }

    /// A member as it is, without asking for it.
    func peek(_ key: String) -> ConfigValue? { members[key] }

    mutating func text(_ key: String) throws -> String? {
        guard let value = value(key) else { return nil }
        guard case .text(let text) = value, !text.isEmpty else {
            throw wrong(key, "a text that is not empty", value)
        }
        return text
    }

    mutating func boolean(_ key: String) throws -> Bool? {
        guard let value = value(key) else { return nil }
        guard case .boolean(let flag) = value else { throw wrong(key, "true or false", value) }
        return flag
    }

    mutating func count(_ key: String, _ bounds: ClosedRange<Int64>) throws -> Int64? {
        guard let value = value(key) else { return nil }
        guard case .integer(let number) = value, bounds.contains(number) else {
            throw wrong(
                key,
                "a whole number from \(bounds.lowerBound) to \(bounds.upperBound)",
                value
            )
        }
        return number
    }

    /// A length of time as on the command line.
    mutating func duration(_ key: String, _ bounds: ClosedRange<UInt64>) throws -> UInt64? {
        guard let value = value(key) else { return nil }
        guard case .text(let text) = value, let length = TimeSpan.nanoseconds(text),
            bounds.contains(length)
        else {
            let limits =
                "\(TimeSpan.text(bounds.lowerBound)) to \(TimeSpan.text(bounds.upperBound))"
            throw wrong(key, "\(TimeSpan.expectation), \(limits)", value)
        }
        return length
    }

    /// A number of bytes as on the command line, or as a number.
    mutating func size(_ key: String, _ bounds: ClosedRange<UInt64>) throws -> UInt64? {
        guard let value = value(key) else { return nil }
        let bytes: UInt64?
        switch value {
        case .text(let text): bytes = ByteCount.bytes(text)
        case .integer(let number): bytes = UInt64(exactly: number)
        default: bytes = nil
        }
        guard let bytes, bounds.contains(bytes) else {
            let limits =
                "\(ByteCount.text(bounds.lowerBound)) to \(ByteCount.text(bounds.upperBound))"
            throw wrong(key, "\(ByteCount.expectation), \(limits)", value)
        }
        return bytes
    }

    mutating func choice(_ key: String, _ words: [String]) throws -> String? {
        guard let value = value(key) else { return nil }
        guard case .text(let text) = value, words.contains(text) else {
            throw wrong(key, "one of \(words.joined(separator: ", "))", value)
        }
        return text
    }

    mutating func list(_ key: String) throws -> [ConfigValue]? {
        guard let value = value(key) else { return nil }
        guard case .list(let elements) = value else { throw wrong(key, "a list", value) }
        return elements
    }

    mutating func object(_ key: String) throws -> ConfigObject? {
        guard let value = value(key) else { return nil }
        return try ConfigObject(value, at: path(key))
    }

    /// Names of the members that have not been asked for, sorted.
    var rest: [String] { members.keys.sorted() }

    /// Says what stands there and was not asked for.
    func finish() throws {
        guard let key = rest.first else { return }
        throw ConfigError(
            path: path(key),
            problem: "this key is unknown" + suggestion(for: key, among: known, prefix: "")
                + "; known here: \(known.sorted().joined(separator: ", "))"
        )
    }

    private func wrong(_ key: String, _ expected: String, _ value: ConfigValue) -> ConfigError {
        var found = value.kindName
        // A number or truth value is no secret, and seeing it helps.
        if case .integer(let number) = value { found = "\(number)" }
        return ConfigError(path: path(key), problem: "expected \(expected), not \(found)")
    }
}
