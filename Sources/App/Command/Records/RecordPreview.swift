// What a record says, in a few words for people. Never more than a line, never a control character:
// payloads are written by strangers and end on a terminal.

import GeyserDecoding
import MarketModel
import RecordModel

/// Short readable text for the payload of a record.
enum RecordPreview {
    /// Characters of a text that are shown.
    private static let charactersMax = 120

    /// What the payload says; empty when there is nothing to say.
    static func text(
        _ envelope: RecordEnvelope,
        payload: [UInt8],
        fields: EventFields?
    ) -> String {
        if let fields { return text(of: fields) }
        // Payloads are never altered; on a terminal this one has no business.
        if envelope.flags.contains(.containsSecret) { return "holds a secret, not shown" }
        switch envelope.kind {
        case .grpcMessageIn:
            return envelope.isCompressed ? "compressed" : update(payload)
        case .grpcMessageOut:
            return envelope.isCompressed ? "compressed" : bytes(payload)
        case .webSocketFrameIn, .webSocketFrameOut: return frame(envelope, payload)
        default: return bytes(payload)
        }
    }

    // MARK: Events

    private static func text(of fields: EventFields) -> String {
        fields.fields.map { "\($0.id)=\(value(of: $0))" }.joined(separator: " ")
    }

    private static func value(of field: EventFields.Field) -> String {
        if let value = field.unsigned { return String(value) }
        if let value = field.signed { return String(value) }
        if let value = field.boolean { return String(value) }
        if let value = field.text { return quoted(Array(value.utf8)) }
        if let pair = field.pair {
            return "\(shown(Array(pair.name.utf8))):\(quoted(pair.value))"
        }
        return bytes(field.bytes)
    }

    /// Text in quotes when it holds something that would blur where it ends.
    private static func quoted(_ bytes: [UInt8]) -> String {
        let text = shown(bytes)
        let isPlain = !text.isEmpty && !text.contains { $0 == " " || $0 == "\"" || $0 == "=" }
        return isPlain ? text : "\"\(text)\""
    }

    // MARK: Frames

    private static func frame(_ envelope: RecordEnvelope, _ payload: [UInt8]) -> String {
        let name: String
        switch envelope.opcode {
        case 0: name = "continuation"
        case 1: name = "text"
        case 2: name = "binary"
        case 8: name = "close"
        case 9: name = "ping"
        case 10: name = "pong"
        default: name = "opcode \(envelope.opcode)"
        }
        let part = envelope.isFinal ? "" : " (more follows)"
        if envelope.reservedBits != 0 { return "\(name)\(part), reserved bits set" }
        if payload.isEmpty { return name + part }
        if envelope.opcode == 8, payload.count >= 2 {
            let code = UInt16(payload[0]) << 8 | UInt16(payload[1])
            return "close \(code) \(shown(Array(payload[2...])))"
        }
        return "\(name)\(part) \(envelope.opcode == 2 ? bytes(payload) : shown(payload))"
    }

    private static func update(_ payload: [UInt8]) -> String {
        let summary: UpdateSummary
        do { summary = try UpdateSummary(of: payload.span.bytes) } catch {
            return "not an update (\(error)): \(bytes(payload))"
        }
        var parts = [name(of: summary.kind)]
        if let slot = summary.slot { parts.append("slot \(slot)") }
        switch summary.kind {
        case .transaction, .transactionStatus:
            if let range = summary.signature { parts.append(key(payload[range], count: 64)) }
        case .account:
            if let range = summary.publicKey { parts.append(key(payload[range], count: 32)) }
            parts.append("\(summary.accountData.count) B of data")
        case .block, .blockMeta:
            parts.append("hash \(shown(Array(payload[summary.blockhash])))")
            if let parent = summary.parent { parts.append("parent \(parent)") }
        case .slot:
            parts.append(status(summary.status))
            if let parent = summary.parent { parts.append("parent \(parent)") }
        case .entry: parts.append("index \(summary.index)")
        case .pong: parts.append("id \(summary.pongID)")
        case .ping, .unknown: break
        }
        return parts.joined(separator: " ")
    }

    private static func name(of kind: UpdateKind) -> String {
        switch kind {
        case .account: "account"
        case .slot: "slot"
        case .transaction: "transaction"
        case .transactionStatus: "transaction status"
        case .block: "block"
        case .blockMeta: "block meta"
        case .entry: "entry"
        case .ping: "ping"
        case .pong: "pong"
        case .unknown: "unknown update"
        }
    }

    private static func status(_ value: Int32) -> String {
        let names = [
            "processed", "confirmed", "finalized", "first shred received", "completed",
            "created bank", "dead",
        ]
        return names.indices.contains(Int(value)) ? names[Int(value)] : "status \(value)"
    }

    // MARK: Bytes

    /// Base58 of a key of the right size; Base58 of anything longer would take quadratic time.
    private static func key(_ bytes: ArraySlice<UInt8>, count: Int) -> String {
        bytes.count == count ? Base58.encode(Array(bytes)) : self.bytes(Array(bytes))
    }

    private static func bytes(_ bytes: [UInt8]) -> String {
        if bytes.isEmpty { return "" }
        return "0x" + hexadecimal(bytes.prefix(24)) + (bytes.count > 24 ? "..." : "")
    }

    /// Text without anything that could steer a terminal, cut to one line.
    static func shown(_ bytes: [UInt8]) -> String {
        // Four bytes for each character are enough; the rest of a large frame is not looked at.
        let text = String(decoding: bytes.prefix(charactersMax * 4 + 4), as: UTF8.self)
        var out = ""
        var count = 0
        for scalar in text.unicodeScalars {
            if count == charactersMax { return out + "..." }
            count += 1
            switch scalar.properties.generalCategory {
            case .control, .format, .surrogate, .lineSeparator, .paragraphSeparator, .unassigned:
                out += scalar == "\n" ? "\\n" : "\\u{\(String(scalar.value, radix: 16))}"
            default: out.unicodeScalars.append(scalar)
            }
        }
        return out
    }
}
