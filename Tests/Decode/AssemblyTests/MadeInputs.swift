import Assembly
import MarketModel
import RecordModel

/// Names for hashes, transactions and addresses, so that scenarios and chains can be read.
enum Made {
    static func bytes(_ name: String) -> Bytes32 {
        var text = [UInt8](name.utf8.prefix(32))
        text += [UInt8](repeating: 0, count: 32 - text.count)
        guard let bytes = Bytes32(text) else { preconditionFailure(name) }
        return bytes
    }

    static func name(_ bytes: Bytes32?) -> String {
        guard let bytes else { return "-" }
        return String(decoding: bytes.bytes.prefix { $0 != 0 }, as: UTF8.self)
    }

    static func signature(_ name: String) -> Signature {
        let half = bytes(name).bytes
        guard let signature = Signature(half + half) else { preconditionFailure(name) }
        return signature
    }

    static func name(_ id: TransactionID) -> String {
        guard case .solana(let signature) = id else { return "?" }
        return String(decoding: signature.bytes.prefix { $0 != 0 }, as: UTF8.self)
    }

    /// A transaction with one event, told by its name.
    static func facts(_ name: String, _ index: UInt32, amount: UInt128 = 1) -> TransactionFacts {
        let payout = FeePayout(
            venue: .pumpCurve,
            entity: nil,
            recipient: Address(bytes(name)),
            quote: nil,
            amount: amount
        )
        let place = EventPlace(transaction: index, instruction: 0, inner: 0, ordinal: 0)
        return TransactionFacts(
            id: .solana(signature(name)),
            index: index,
            feePayer: nil,
            fee: 0,
            priorityPrice: 0,
            tip: 0,
            events: [PlacedEvent(place, .feePayout(payout))]
        )
    }

    /// A name that begins with a dash has no facts.
    static func transaction(_ slot: UInt64, _ name: String, _ index: UInt32) -> TransactionInput {
        let isRelevant = !name.hasPrefix("-")
        return TransactionInput(
            slot: Slot(slot),
            signature: signature(name),
            index: index,
            facts: isRelevant ? facts(name, index) : nil
        )
    }

    static func account(
        _ slot: UInt64,
        _ name: String,
        writer: String?,
        version: UInt64,
        supply: UInt64?
    ) -> AccountInput {
        var digest = ContentDigest()
        digest.combine(supply ?? .max)
        return AccountInput(
            slot: Slot(slot),
            account: Address(bytes(name)),
            writer: writer.map { signature($0) },
            writeVersion: version,
            digest: digest,
            content: supply.map { .mint(supply: $0, decimals: 6) }
        )
    }
}
