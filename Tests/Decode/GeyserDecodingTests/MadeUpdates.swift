// Small updates written field by field, so that a test says exactly what stands on the wire.

import GeyserDecoding
import MarketModel

typealias W = ProtobufWriter

/// Thirty-two equal bytes.
func key(_ byte: UInt8) -> [UInt8] { [UInt8](repeating: byte, count: 32) }

/// The address of thirty-two equal bytes.
func address(_ byte: UInt8) -> UTF8Text { UTF8Text(Base58.encode(key(byte))) }

/// Sixty-four equal bytes.
func signatureBytes(_ byte: UInt8) -> [UInt8] { [UInt8](repeating: byte, count: 64) }

func message(_ build: (inout [UInt8]) -> Void) -> [UInt8] {
    var out: [UInt8] = []
    build(&out)
    return out
}

/// An update with one name in front, one body field and a time behind.
func update(_ field: UInt32, _ body: [UInt8]) -> [UInt8] {
    update(["recorded"], field, body)
}

/// An update with these names in front, one body field and a time behind.
func update(_ names: [UTF8Text], _ field: UInt32, _ body: [UInt8]) -> [UInt8] {
    message {
        for name in names { W.text(1, name, to: &$0) }
        W.bytes(field, body, to: &$0)
        W.bytes(11, message { W.uint64(1, 1_700_000_000, to: &$0) }, to: &$0)
    }
}

struct MadeAccount {
    var publicKey = key(1)
    var owner = key(2)
    var lamports: UInt64 = 100
    var data: [UInt8] = []
    var signature: [UInt8]?

    var info: [UInt8] {
        message {
            W.bytes(1, publicKey, to: &$0)
            W.uint64(2, lamports, to: &$0)
            W.bytes(3, owner, to: &$0)
            W.uint64(5, .max, to: &$0)
            if !data.isEmpty { W.bytes(6, data, to: &$0) }
            W.uint64(7, 77, to: &$0)
            if let signature { W.bytes(8, signature, to: &$0) }
        }
    }

    func update(_ names: [UTF8Text] = ["recorded"]) -> [UInt8] {
        GeyserDecodingTests.update(
            names,
            2,
            message {
                W.bytes(1, info, to: &$0)
                W.uint64(2, 5, to: &$0)
            }
        )
    }
}

struct MadeTransaction {
    struct Balance {
        var index: UInt64
        var owner: UTF8Text
        var amount: UTF8Text
    }

    var signature = signatureBytes(9)
    var isVote = false
    var failed = false
    var keys: [[UInt8]] = [key(1)]
    var writable: [[UInt8]] = []
    var readonly: [[UInt8]] = []
    var before: [Balance] = []
    var after: [Balance] = []
    var index: UInt64 = 3

    var info: [UInt8] {
        message {
            W.bytes(1, signature, to: &$0)
            if isVote { W.bool(2, true, to: &$0) }
            let body = message {
                for key in keys { W.bytes(2, key, to: &$0) }
            }
            let transaction = message {
                W.bytes(1, signature, to: &$0)
                W.bytes(2, body, to: &$0)
            }
            W.bytes(3, transaction, to: &$0)
            W.bytes(4, meta, to: &$0)
            W.uint64(5, index, to: &$0)
        }
    }

    private var meta: [UInt8] {
        message {
            if failed { W.bytes(1, message { W.bytes(1, [8, 0, 0, 0], to: &$0) }, to: &$0) }
            W.uint64(2, 5000, to: &$0)
            for balance in before { W.bytes(7, MadeTransaction.bytes(balance), to: &$0) }
            for balance in after { W.bytes(8, MadeTransaction.bytes(balance), to: &$0) }
            for key in writable { W.bytes(12, key, to: &$0) }
            for key in readonly { W.bytes(13, key, to: &$0) }
        }
    }

    private static func bytes(_ balance: Balance) -> [UInt8] {
        message {
            W.uint64(1, balance.index, to: &$0)
            W.bytes(3, message { W.text(3, balance.amount, to: &$0) }, to: &$0)
            W.text(4, balance.owner, to: &$0)
        }
    }

    func update(_ names: [UTF8Text] = ["recorded"]) -> [UInt8] {
        GeyserDecodingTests.update(
            names,
            4,
            message {
                W.bytes(1, info, to: &$0)
                W.uint64(2, 5, to: &$0)
            }
        )
    }
}

/// A block of three transactions (keys 1, 2 and 3), two accounts (keys 1 and 2) and one entry.
func madeBlock(
    transactions: [UInt8] = [1, 2, 3],
    accounts: [UInt8] = [1, 2],
    entries: Int = 1
)
    -> [UInt8]
{
    message {
        W.uint64(1, 5, to: &$0)
        W.text(2, "hash", to: &$0)
        for key in transactions {
            W.bytes(6, MadeTransaction(keys: [GeyserDecodingTests.key(key)]).info, to: &$0)
        }
        W.uint64(7, 4, to: &$0)
        W.uint64(9, 3, to: &$0)
        W.uint64(10, 2, to: &$0)
        for key in accounts {
            W.bytes(
                11,
                MadeAccount(publicKey: GeyserDecodingTests.key(key), data: [1, 2, 3, 4]).info,
                to: &$0
            )
        }
        W.uint64(12, 1, to: &$0)
        for _ in 0..<entries { W.bytes(13, message { W.uint64(1, 5, to: &$0) }, to: &$0) }
    }
}

/// What a subscription is sent for one update.
func sent(
    _ request: SubscribeRequest,
    _ update: [UInt8],
    dataIsCut: Bool = false
) throws -> [(kind: UpdateKind, bytes: [UInt8])] {
    let filter = try SubscriptionFilter(request)
    var output = FilteredUpdates()
    try filter.match(update.span.bytes, dataIsCut: dataIsCut, into: &output)
    return output.messages.map { ($0.kind, [UInt8](output.bytes[$0.range])) }
}
