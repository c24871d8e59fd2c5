import GeyserDecoding
import JSONText
import RecordModel

/// Where two payloads part, in the words of what they hold.
struct ContentDifference: Equatable {
    /// The place in the decoded tree, such as `transaction.transaction.signature`; empty for the
    /// whole.
    let path: String
    /// What stands there, shortened; nil when nothing does.
    let left: String?
    let right: String?

    /// Compares the decoded payloads of two frames.
    ///
    /// - Returns: nil when one of them cannot be decoded, or when the trees are equal.
    init?(
        _ left: RecordEnvelope,
        _ leftPayload: [UInt8],
        _ right: RecordEnvelope,
        _ rightPayload: [UInt8]
    ) {
        guard left.kind == right.kind, let one = Self.json(left, leftPayload),
            let other = Self.json(right, rightPayload)
        else { return nil }
        do {
            let difference = Self.first(
                try JSONDocument.parse(one),
                try JSONDocument.parse(other),
                path: "",
                depth: 0
            )
            guard let difference else { return nil }
            self = difference
        } catch {
            // No JSON after all: the bytes are shown anyway.
            return nil
        }
    }

    private init(path: String, left: String?, right: String?) {
        self.path = path
        self.left = left
        self.right = right
    }

    /// The payload as JSON text, when it is something that decodes.
    private static func json(_ envelope: RecordEnvelope, _ payload: [UInt8]) -> [UInt8]? {
        do throws(ProtobufJSONError) {
            switch envelope.kind {
            case .grpcMessageIn:
                return envelope.isCompressed ? nil : try UpdateJSON.json(of: payload.span.bytes)
            case .grpcMessageOut:
                guard !envelope.isCompressed else { return nil }
                return try UpdateJSON.json(ofRequest: payload.span.bytes)
            case .webSocketFrameIn, .webSocketFrameOut:
                return envelope.isFinal && envelope.opcode == 1 && envelope.reservedBits == 0
                    ? payload : nil
            default: return nil
            }
        } catch {
            // Not what this build knows: the bytes are shown anyway.
            return nil
        }
    }

    /// Nesting that is followed; what lies deeper is compared as text.
    private static let depthMax = 64

    private static func first(
        _ left: JSONValue,
        _ right: JSONValue,
        path: String,
        depth: Int
    ) -> ContentDifference? {
        guard left.kind == right.kind, depth < depthMax else {
            return leaf(left, right, path)
        }
        switch left.kind {
        case .object:
            var ones = left.members
            var others = right.members
            while true {
                let one = ones.next()
                let other = others.next()
                guard one != nil || other != nil else { return nil }
                let name = (one ?? other)?.key.string ?? ""  // one of them is there
                let place = path.isEmpty ? name : "\(path).\(name)"
                guard let one, let other, one.key.stringBytes == other.key.stringBytes else {
                    return ContentDifference(
                        path: path.isEmpty ? "the members" : path,
                        left: one.map { member($0.key, $0.value) },
                        right: other.map { member($0.key, $0.value) }
                    )
                }
                if let found = first(one.value, other.value, path: place, depth: depth + 1) {
                    return found
                }
            }
        case .array:
            var ones = left.elements
            var others = right.elements
            var index = 0
            while true {
                let one = ones.next()
                let other = others.next()
                guard one != nil || other != nil else { return nil }
                let place = "\(path)[\(index)]"
                guard let one, let other else {
                    return ContentDifference(
                        path: place,
                        left: one.map(shown),
                        right: other.map(shown)
                    )
                }
                if let found = first(one, other, path: place, depth: depth + 1) { return found }
                index += 1
            }
        default: return leaf(left, right, path)
        }
    }

    private static func leaf(
        _ left: JSONValue,
        _ right: JSONValue,
        _ path: String
    ) -> ContentDifference? {
        guard left.kind != right.kind || left.rawBytes != right.rawBytes else { return nil }
        return ContentDifference(path: path, left: shown(left), right: shown(right))
    }

    private static func member(_ key: JSONValue, _ value: JSONValue) -> String {
        "\(shown(key)): \(shown(value))"
    }

    private static func shown(_ value: JSONValue) -> String {
        RecordPreview.shown(value.rawBytes)
    }
}

/// Bytes around the first one in which two payloads differ.
struct ByteDifference: Equatable {
    /// The offset of the first differing byte, or where the shorter one ends.
    let offset: Int
    /// Up to sixteen bytes around it, in hexadecimal, the differing one in brackets.
    let left: String
    let right: String

    /// - Returns: nil when both are equal.
    init?(_ left: [UInt8], _ right: [UInt8]) {
        let shorter = min(left.count, right.count)
        let found = (0..<shorter).first { left[$0] != right[$0] }
        guard let offset = found ?? (left.count == right.count ? nil : shorter) else { return nil }
        self.offset = offset
        self.left = Self.text(left, offset)
        self.right = Self.text(right, offset)
    }

    private static func text(_ bytes: [UInt8], _ offset: Int) -> String {
        let start = max(0, offset - 8)
        let end = min(bytes.count, start + 16)
        guard start < end else { return "(ends)" }
        var words = (start..<end).map { index in
            let digits = hexadecimal([bytes[index]])
            return index == offset ? "[\(digits)]" : digits
        }
        if offset >= bytes.count { words.append("(ends)") }
        if start > 0 { words.insert("...", at: 0) }
        if end < bytes.count { words.append("...") }
        return words.joined(separator: " ")
    }
}
