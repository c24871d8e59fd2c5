import Foundation
import MarketModel
import ProgramDecoding
import Testing

/// Real captured data that is not part of the repository. Tests on it are skipped, with this
/// reason, where the folder is absent.
enum SharedVectors {
    static let absent: Comment =
        "needs ../shared/data/solana (or TAPEDECK_SHARED naming the shared folder)"

    static let folder: URL = {
        if let named = ProcessInfo.processInfo.environment["TAPEDECK_SHARED"] {
            return URL(filePath: named).appending(path: "data/solana")
        }
        var root = URL(filePath: #filePath)
        for _ in 0..<4 { root.deleteLastPathComponent() }
        return root.appending(path: "../shared/data/solana")
    }()

    static var isPresent: Bool {
        FileManager.default.fileExists(atPath: folder.appending(path: "real.bin").path)
    }

    static func data(_ name: String) throws -> Data {
        try Data(contentsOf: folder.appending(path: name))
    }

    static func json(_ name: String) throws -> Any {
        try JSONSerialization.jsonObject(with: data(name))
    }

    /// One JSON object a line.
    static func lines(_ name: String) throws -> [[String: Any]] {
        try data(name).split(separator: UInt8(ascii: "\n")).map {
            try #require(JSONSerialization.jsonObject(with: $0) as? [String: Any])
        }
    }

    /// The messages of one file: u32 little-endian length, then SubscribeUpdate bytes.
    static func messages(_ name: String) throws -> [[UInt8]] {
        let bytes = [UInt8](try data(name))
        var messages: [[UInt8]] = []
        var offset = 0
        while offset < bytes.count {
            let length = (0..<4).reduce(0) { $0 | Int(bytes[offset + $1]) << (8 * $1) }
            offset += 4
            messages.append([UInt8](bytes[offset..<offset + length]))
            offset += length
        }
        return messages
    }

    /// All events of the pump programs that were gathered.
    static func pumpEvents() throws -> [EventVector] {
        try lines("vectors/solana_events.jsonl").compactMap(EventVector.init)
            .filter { $0.program == "pump" || $0.program == "pump_amm" }
    }
}

/// One gathered event with what is known of its fields.
struct EventVector: CustomTestStringConvertible, @unchecked Sendable {
    // safety: immutable JSON values.
    let program: String
    let event: String
    let bytes: [UInt8]
    let fields: [String: Any]

    init?(_ row: [String: Any]) {
        guard let program = row["program"] as? String, let event = row["event"] as? String,
            let text = row["b64"] as? String, let bytes = Data(base64Encoded: text)
        else { return nil }
        self.program = program
        self.event = event
        self.bytes = [UInt8](bytes)
        fields = row["fields"] as? [String: Any] ?? [:]  // some have none
    }

    init(program: String, event: String, bytes: [UInt8]) {
        (self.program, self.event, self.bytes, fields) = (program, event, bytes, [:])
    }

    /// The same event with other bytes.
    init(copying other: EventVector, bytes: [UInt8]) {
        (program, event, fields) = (other.program, other.event, other.fields)
        self.bytes = bytes
    }

    /// The same event, of a pool that the call names too.
    func with(pool: Address) -> EventVector {
        EventVector(copying: self, fields: ["pool": pool.text(on: .solana)])
    }

    private init(copying other: EventVector, fields: [String: Any]) {
        (program, event, bytes) = (other.program, other.event, other.bytes)
        self.fields = fields
    }

    var testDescription: String { "\(program) \(event) of \(bytes.count) bytes" }

    /// A number; nil when the form of the event has none.
    func number(_ name: String) -> UInt128? {
        (fields[name] as? NSNumber).map { UInt128($0.uint64Value) }
    }

    func text(_ name: String) -> String? { fields[name] as? String }
    func bool(_ name: String) -> Bool? { (fields[name] as? NSNumber)?.boolValue }
    func key(_ name: String) -> Address? { text(name).map { Address($0) } }

    /// The transaction that gives the event, by either transport: a call of the program with the
    /// pool and its mints where PumpSwap has them.
    func transaction(
        inLog: Bool,
        base: Address = .named(1),
        quote: Address = .sol
    ) -> MadeTransaction {
        var made = MadeTransaction()
        let isCurve = program == "pump"
        let address: Address = isCurve ? .pump : .amm
        let pool = key("pool") ?? .named(9)
        var accounts: [Address] = (0..<5).map { .named(UInt8(30 + $0)) }
        if !isCurve {
            accounts = [pool, .named(31), .named(32), base, quote]
            accounts.append(.named(35))
        }
        made.call(address, accounts: accounts, data: Bytes(instruction).u64(1).u64(77).bytes)
        if inLog {
            let id = address.text(on: .solana)
            made.log("Program \(id) invoke [1]")
            made.log("Program data: \(Data(bytes).base64EncodedString())")
            made.log("Program \(id) success")
        } else {
            made.eventCall(address, height: 2, bytes)
        }
        return made
    }

    /// The instruction whose result the event is.
    private var instruction: String {
        switch event {
        case "TradeEvent": bool("is_buy") == true ? "66063d1201daebea" : "33e685a4017f83ad"
        case "CreateEvent": "d6904cec5f8b31b4"
        case "CompletePumpAmmMigrationEvent": "9beae792ec9ea21e"
        case "BuyEvent": "66063d1201daebea"
        case "SellEvent": "33e685a4017f83ad"
        case "DepositEvent": "f223c68952e1f2b6"
        case "WithdrawEvent": "b712469c946da122"
        case "CreatePoolEvent": "e992d18ecf6840bc"
        default: "ea66c2cb96483ee5"
        }
    }
}
