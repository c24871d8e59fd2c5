import EthereumSource
import GeyserDecoding
import GeyserSource
import Platform
import WebSocketProtocol

/// Reads what a plan names: files, variables, addresses. Nothing secret is ever part of a message.
struct PlanInputs: Sendable {
    let disk: any FileSystem
    /// The value of an environment variable.
    let environment: @Sendable (String) -> String?

    /// Longest file that is read, in bytes.
    static let fileBytesMax: UInt64 = 16 << 20

    /// The bytes of a file.
    func file(_ path: String) throws -> [UInt8] {
        do {
            let file = try disk.open(path, .readOnly)
            let size = try file.size()
            guard size <= Self.fileBytesMax else {
                try file.close()
                throw PlanError("\(path) is larger than \(ByteCount.text(Self.fileBytesMax))")
            }
            let bytes = try file.read(Int(size), at: 0)
            try file.close()
            return bytes
        } catch let error as SystemError {
            throw PlanError("\(error)")
        }
    }

    /// A secret from the environment.
    func secret(variable name: String) throws -> String {
        let shown = Self.shown(variable: name)
        guard let value = environment(name) else {
            throw PlanError("the environment variable \(shown) is not set")
        }
        return try checked(value, from: "the environment variable \(shown)")
    }

    /// A variable's name as it may be said: whoever writes `$TOKEN` for `TOKEN` gives the secret
    /// itself, and that looks different from a name.
    static func shown(variable name: String) -> String {
        let isName = name.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"):
                true
            default: false
            }
        }
        let isTelling = name.utf8.count < 16 || name.utf8.contains(UInt8(ascii: "_"))
        return isName && isTelling ? name : "*** (not shown: it may be the secret itself)"
    }

    /// A secret from a file; white space at its ends does not count.
    func secret(file path: String) throws -> String {
        try checked(String(decoding: file(path), as: UTF8.self), from: path)
    }

    private func checked(_ value: String, from place: String) throws -> String {
        var bytes = Array(value.utf8)[...]
        let spaces: Set<UInt8> = [0x20, 0x09, 0x0A, 0x0D]
        while let last = bytes.last, spaces.contains(last) { bytes = bytes.dropLast() }
        while let first = bytes.first, spaces.contains(first) { bytes = bytes.dropFirst() }
        guard !bytes.isEmpty else { throw PlanError("\(place) is empty") }
        guard bytes.count <= 8 << 10, bytes.allSatisfy({ (0x20..<0x7F).contains($0) }) else {
            throw PlanError("\(place) is not one line of printable ASCII")
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// A subscription file in protobuf's JSON mapping.
    func subscribeRequest(_ path: String) throws -> SubscribeRequest {
        let json = try file(path)
        do throws(ProtobufJSONError) { return try SubscribeRequest(json: json) } catch {
            throw PlanError("\(path): \(error)")
        }
    }

    /// A Yellowstone address.
    func geyserAddress(_ text: String) throws -> GeyserAddress {
        do throws(GeyserAddress.ParseError) { return try GeyserAddress(text) } catch {
            throw PlanError("the address is not usable: \(error)")
        }
    }

    /// A WebSocket address. It is not repeated in messages: it may hold a key.
    func webSocketURL(_ text: String) throws -> WebSocketURL {
        do throws(WebSocketURL.ParseError) { return try WebSocketURL(text) } catch {
            throw PlanError("the address is not usable: \(error)")
        }
    }

    /// A call.
    func call(_ json: [UInt8]) throws -> EthereumCall {
        do throws(EthereumCall.ParseError) { return try EthereumCall(json: json) } catch {
            throw PlanError("the call is not usable: \(error)")
        }
    }
}
