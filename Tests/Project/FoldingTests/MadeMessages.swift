import MarketModel

/// Messages of the Yellowstone stream written field by field, so that any of them can be wrong.
struct MadeMessage {
    private(set) var bytes: [UInt8] = []

    init() {}

    init(_ write: (inout MadeMessage) -> Void) { write(&self) }

    mutating func number(_ field: UInt64, _ value: UInt64) {
        varint(field << 3)
        varint(value)
    }

    mutating func bytes(_ field: UInt64, _ value: [UInt8]) {
        varint(field << 3 | 2)
        varint(UInt64(value.count))
        bytes += value
    }

    mutating func message(_ field: UInt64, _ write: (inout MadeMessage) -> Void) {
        bytes(field, MadeMessage(write).bytes)
    }

    /// The same field over and over, with nothing in it.
    mutating func empty(_ field: UInt64, times: Int) {
        let one = MadeMessage { $0.bytes(field, []) }.bytes
        bytes.reserveCapacity(bytes.count + times * one.count)
        for _ in 0..<times { bytes += one }
    }

    private mutating func varint(_ value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(rest))
    }
}

/// A transaction of one call, as a node tells it.
struct MadeUpdate {
    var slot: UInt64
    /// Of all 64 bytes of the signature.
    var signature: UInt8
    var program: Address
    var call: [UInt8]
    var accounts = 12
    /// What the program says in a call of itself, behind the tag of such calls.
    var event: [UInt8]?
    /// The index of the call's program among the keys, when it is not what it should be.
    var programIndex: UInt64?

    private static let eventTag: [UInt8] = [0xe4, 0x45, 0xa5, 0x2e, 0x51, 0xcb, 0x9a, 0x1d]

    /// The payer, the call's accounts, the program.
    private var keys: [Address] {
        (0...accounts).map { .hostile(UInt8($0)) } + [program]
    }

    var bytes: [UInt8] {
        MadeMessage { update in
            update.message(4) { transaction in
                transaction.message(1) { info in
                    info.bytes(1, [UInt8](repeating: signature, count: 64))
                    info.message(3, body)
                    info.message(4, meta)
                    info.number(5, UInt64(signature) + 5_000)
                }
                transaction.number(2, slot)
            }
        }.bytes
    }

    private func body(_ transaction: inout MadeMessage) {
        transaction.bytes(1, [UInt8](repeating: signature, count: 64))
        transaction.message(2) { message in
            message.message(1) { $0.number(1, 1) }
            for key in keys { message.bytes(2, key.bytes) }
            message.bytes(3, [UInt8](repeating: 9, count: 32))
            message.message(4) { call in
                call.number(1, programIndex ?? UInt64(keys.count - 1))
                call.bytes(2, (1...accounts).map { UInt8($0) })
                call.bytes(3, self.call)
            }
        }
    }

    private func meta(_ meta: inout MadeMessage) {
        meta.number(2, 5_000)
        guard let event else { return }
        meta.message(5) { inner in
            inner.number(1, 0)
            inner.message(2) { call in
                call.number(1, UInt64(keys.count - 1))
                call.bytes(2, [1])
                call.bytes(3, Self.eventTag + event)
                call.number(4, 2)
            }
        }
    }
}

extension Address {
    /// An address of nobody else's: 31 times 0xee, then a byte.
    static func hostile(_ byte: UInt8) -> Address {
        let word: UInt64 = 0xeeee_eeee_eeee_eeee
        return Address(Bytes32(word, word, word, word & ~0xff | UInt64(byte)))
    }
}

/// What a trade on a curve of pump.fun says, in the first form of it.
struct MadeCurveTrade {
    var mint = Address.hostile(200)
    var user = Address.hostile(201)
    var lamports: UInt64 = 1_000_000
    var tokens: UInt64 = 1_000_000
    var isBuy = true
    var virtualLamports: UInt64 = 30_000_000_000
    var virtualTokens: UInt64 = 1_000_000_000_000_000

    /// `buy` with its two arguments, which nothing reads beside the event.
    static let buy: [UInt8] =
        [0x66, 0x06, 0x3d, 0x12, 0x01, 0xda, 0xeb, 0xea] + [UInt8](repeating: 1, count: 16)

    /// `TradeEvent`.
    var event: [UInt8] {
        [0xbd, 0xdb, 0x7f, 0xd3, 0x4e, 0xe6, 0x61, 0xee] + mint.bytes + little(lamports)
            + little(tokens) + [isBuy ? 1 : 0] + user.bytes + little(1_767_614_400)
            + little(virtualLamports) + little(virtualTokens) + little(lamports) + little(tokens)
    }

    private func little(_ value: UInt64) -> [UInt8] {
        (0..<8).map { UInt8(truncatingIfNeeded: value >> UInt64(8 * $0)) }
    }
}
