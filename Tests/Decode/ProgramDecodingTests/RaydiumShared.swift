import Foundation
import GeyserDecoding
import MarketModel
import ProgramDecoding
import Testing

/// Real transactions and events that are not part of the repository. Tests on them are skipped,
/// with this reason, where the folder is absent.
enum RaydiumShared {
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

    /// One transaction and the bytes that its ranges count in.
    struct Read {
        var slot: UInt64
        var transaction: SolanaTransaction
        var bytes: [UInt8]
    }

    /// The transactions of a file of updates, as the reader of the pipeline gives them.
    static func transactions(_ name: String) throws -> [Read] {
        let file = [UInt8](try Data(contentsOf: folder.appending(path: name)))
        var found: [Read] = []
        var offset = 0
        var reader = SolanaTransactionReader()
        while offset + 4 <= file.count {
            let length = (0..<4).reduce(0) { $0 | Int(file[offset + $1]) << (8 * $1) }
            let bytes = [UInt8](file[offset + 4..<offset + 4 + length])
            offset += 4 + length
            guard case .transaction(let update) = try SolanaUpdate(of: bytes.span.bytes),
                let info = update.info
            else { continue }
            try reader.readHead(bytes.span.bytes, info)
            try reader.readBody(bytes.span.bytes)
            found.append(
                Read(slot: update.slot.number, transaction: reader.transaction, bytes: bytes)
            )
        }
        return found
    }

    /// The transactions of the block in JSON.
    static func blockTransactions() throws -> [Read] {
        let block = try object(folder.appending(path: "slot_285000037.part.json"))
        let slot = try #require(block["slot"] as? Int)
        let list = try #require(block["transactions"] as? [[String: Any]])
        return try list.map { try read($0, slot: UInt64(slot)) }
    }

    /// The transactions that were found as JSON dumps; those with bytes in base64 are left out.
    static func dumpedTransactions() throws -> [Read] {
        let files = try FileManager.default.contentsOfDirectory(
            at: folder.appending(path: "tx"),
            includingPropertiesForKeys: nil
        )
        var found: [Read] = []
        for file in files.sorted(by: { $0.path < $1.path }) {
            let dump = try object(file)
            let raw = try #require(dump["raw"] as? [String: Any])
            guard raw["transaction"] is [String: Any], raw["signature"] == nil else { continue }
            let about = try #require(dump["about"] as? [String: Any])
            found.append(try read(raw, slot: UInt64(try #require(about["slot"] as? Int))))
        }
        return found
    }

    /// Lines of the event vectors that name a program.
    static func vectors(_ program: String) throws -> [[String: Any]] {
        let text = try String(
            contentsOf: folder.appending(path: "vectors/solana_events.jsonl"),
            encoding: .utf8
        )
        return try text.split(separator: "\n").compactMap { line in
            let object = try #require(
                try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
            )
            return object["program"] as? String == program ? object : nil
        }
    }

    /// The bytes of a vector's event.
    static func payload(_ vector: [String: Any]) throws -> [UInt8] {
        let text = try #require(vector["b64"] as? String)
        return [UInt8](try #require(Data(base64Encoded: text)))
    }

    private static func object(_ file: URL) throws -> [String: Any] {
        try #require(
            try JSONSerialization.jsonObject(with: Data(contentsOf: file)) as? [String: Any]
        )
    }

    /// A transaction in the form of `getTransaction`, of plain or parsed instructions. What is
    /// parsed there has no data and gets none.
    private static func read(_ object: [String: Any], slot: UInt64) throws -> Read {
        let body = try #require(object["transaction"] as? [String: Any])
        let meta = try #require(object["meta"] as? [String: Any])
        let message = try #require(body["message"] as? [String: Any])
        let keys = try keys(message, meta)
        var tape = RaydiumTape(keys: try keys.map { try Address(solana: $0) })
        tape.index = UInt64(object["index"] as? Int ?? 0)
        tape.isFailed = !(meta["err"] == nil || meta["err"] is NSNull)
        let outers = try #require(message["instructions"] as? [[String: Any]])
        let inners = meta["innerInstructions"] as? [[String: Any]] ?? []
        for (outer, instruction) in outers.enumerated() {
            try add(instruction, keys, outer, 0, to: &tape)
            var inner: UInt16 = 0
            for group in inners where group["index"] as? Int == outer {
                for call in group["instructions"] as? [[String: Any]] ?? [] {
                    inner += 1
                    try add(call, keys, outer, inner, to: &tape)
                }
            }
        }
        for line in meta["logMessages"] as? [String] ?? [] { tape.log(line) }
        try addBalances(meta, "preTokenBalances", to: &tape)
        try addBalances(meta, "postTokenBalances", to: &tape)
        return Read(slot: slot, transaction: tape.transaction, bytes: tape.bytes)
    }

    private static func keys(_ message: [String: Any], _ meta: [String: Any]) throws -> [String] {
        let list = try #require(message["accountKeys"] as? [Any])
        if let plain = list as? [String] {
            let loaded = meta["loadedAddresses"] as? [String: [String]] ?? [:]
            return plain + (loaded["writable"] ?? []) + (loaded["readonly"] ?? [])
        }
        return try list.map { try #require(($0 as? [String: Any])?["pubkey"] as? String) }
    }

    private static func add(
        _ call: [String: Any],
        _ keys: [String],
        _ outer: Int,
        _ inner: UInt16,
        to tape: inout RaydiumTape
    ) throws {
        func index(_ key: Any) throws -> UInt8 {
            if let index = key as? Int { return UInt8(index) }
            let text = try #require(key as? String)
            return UInt8(try #require(keys.firstIndex(of: text)))
        }
        let program = try index(call["programIdIndex"] ?? call["programId"] ?? "")
        let text = call["data"] as? String ?? ""
        tape.add(
            program: UInt32(program),
            try (call["accounts"] as? [Any] ?? []).map(index),
            try Base58.decode(text.utf8, charactersMax: 4096),
            UInt16(outer),
            inner,
            (call["stackHeight"] as? Int).map(UInt32.init)
        )
    }

    private static func addBalances(
        _ meta: [String: Any],
        _ name: String,
        to tape: inout RaydiumTape
    ) throws {
        for entry in meta[name] as? [[String: Any]] ?? [] {
            let amount = try #require(entry["uiTokenAmount"] as? [String: Any])
            let digits = try #require(amount["amount"] as? String)
            tape.balance(
                UInt32(try #require(entry["accountIndex"] as? Int)),
                mint: try #require(entry["mint"] as? String),
                owner: entry["owner"] as? String ?? "",
                before: name.hasPrefix("pre") ? digits : nil,
                after: name.hasPrefix("pre") ? nil : digits,
                decimals: UInt32(amount["decimals"] as? Int ?? 0)
            )
        }
    }
}
