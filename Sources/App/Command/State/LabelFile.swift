import JSONText
import MarketModel
import Projectors

/// Labels as NDJSON, one object a line: what truly happened in a recording, and what only looks like
/// it.
struct LabelFile {
    let labels: [DetectionLabel]
    let lookAlikes: [LookAlikeLabel]

    /// Reads a file.
    ///
    /// - Throws: `VerbFailure` that names the first line that is no label.
    init(path: String) throws {
        let file = try ImportFile(path)
        let text = try file.read(file.count, at: 0)
        let document = JSONDocument()
        var labels: [DetectionLabel] = []
        var lookAlikes: [LookAlikeLabel] = []
        for (number, line) in text.split(separator: 0x0A).enumerated() {
            do {
                let root = try document.parse(Array(line))
                if root.member("class")?.string == LookAlikeLabel.name {
                    lookAlikes.append(try Self.lookAlike(root))
                } else {
                    labels.append(try Self.label(root, "class"))
                }
            } catch {
                throw VerbFailure(
                    code: .failed,
                    message: "\(path), line \(number + 1): no label: \(error)"
                )
            }
        }
        self.labels = labels
        self.lookAlikes = lookAlikes
    }

    /// What is wrong with a line.
    struct Mistake: Error, CustomStringConvertible {
        let description: String
    }

    private static func lookAlike(_ root: JSONValue) throws -> LookAlikeLabel {
        guard let why = root.member("why")?.string else {
            throw Mistake(description: "why is no string")
        }
        // It is printed as it is.
        let isWord = why.utf8.allSatisfy { $0 == UInt8(ascii: "_") || (0x61...0x7A).contains($0) }
        guard isWord, !why.isEmpty else {
            throw Mistake(description: "why is no word in small letters")
        }
        return LookAlikeLabel(label: try label(root, "resembles"), why: why)
    }

    /// A label whose class stands in a member.
    private static func label(_ root: JSONValue, _ member: StaticString) throws -> DetectionLabel {
        guard let kind = root.member(member)?.string.flatMap(DetectionClass.init) else {
            throw Mistake(description: "\(member) is none that is known")
        }
        guard let slot = root.member("slot")?.string.flatMap({ UInt64($0) }) else {
            throw Mistake(description: "slot is no number in a string")
        }
        guard let isWide = root.member("wide")?.boolean else {
            throw Mistake(description: "wide is neither true nor false")
        }
        return DetectionLabel(
            kind: kind,
            slot: slot,
            pool: try address(root.member("pool"), "pool"),
            fronts: try signatures(root.member("front"), "front"),
            victims: try signatures(root.member("victims"), "victims"),
            backs: try signatures(root.member("back"), "back"),
            attacker: try address(root.member("attacker"), "attacker"),
            isWide: isWide
        )
    }

    private static func address(_ value: JSONValue?, _ name: String) throws -> Address {
        guard let text = value?.string else { throw Mistake(description: "\(name) is no string") }
        return try Address(solana: text)
    }

    private static func signatures(
        _ value: JSONValue?,
        _ name: String
    ) throws -> [TransactionID] {
        guard let value, value.kind == .array else {
            throw Mistake(description: "\(name) is no array")
        }
        return try value.elements.map { element in
            guard let text = element.string else {
                throw Mistake(description: "\(name) holds what is no string")
            }
            return .solana(try Signature(text))
        }
    }
}
