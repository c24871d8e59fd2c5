import BlockCodec
import Projection

/// The same state kept as full copies in plain dictionaries, with digests summed over all rows and
/// encodings written down here once more.
struct NaiveState: Equatable {
    var accounts: [ToyAccount.Key: ToyAccount] = [:]
    var recent: [ToyRecent.Key: ToyRecent] = [:]

    mutating func apply(_ step: ToyStep) {
        switch step {
        case .put(let key, let row): accounts[key] = row
        case .add(let key, let amount):
            var row = accounts[key] ?? ToyAccount(balance: 0, change: 0, remark: nil)
            row.change = amount
            row.balance += UInt128(amount.magnitude)
            accounts[key] = row
        case .remove(let key): accounts[key] = nil
        case .copy(let source, let target):
            if let row = accounts[source] { accounts[target] = row }
        case .note(let key, let what): recent[key] = ToyRecent(what: what)
        case .expire(let below): recent = recent.filter { $0.key.position >= below }
        case .sum(let range, let target):
            let keys = recent.keys.filter { range.contains($0) }.sorted()
            guard !keys.isEmpty else { return }
            let order = keys.map { "\($0.position).\($0.ordinal)" }.joined(separator: " ")
            accounts[target] = ToyAccount(
                balance: UInt128(keys.count),
                change: 1,
                remark: order
            )
        }
    }

    mutating func apply(position: UInt64, seed: Int64) {
        for step in ToyStep.steps(position: position, seed: seed) { apply(step) }
    }

    static func bigEndian(_ value: UInt128, _ count: Int) -> [UInt8] {
        (0..<count).reversed().map { UInt8(truncatingIfNeeded: value >> UInt128($0 * 8)) }
    }

    static func encoded(_ key: ToyAccount.Key) -> [UInt8] {
        bigEndian(UInt128(key.owner), 4) + [key.token]
    }

    static func encoded(_ row: ToyAccount) -> [UInt8] {
        var bytes = bigEndian(row.balance, 16)
        // The sign bit turned over is an offset of 2^63.
        bytes += bigEndian(UInt128(Int128(row.change) + 1 << 63), 8)
        guard let remark = row.remark else { return bytes + [0] }
        return bytes + [1] + bigEndian(UInt128(remark.utf8.count), 4) + remark.utf8
    }

    static func encoded(_ key: ToyRecent.Key) -> [UInt8] {
        bigEndian(UInt128(key.position), 8) + bigEndian(UInt128(key.ordinal), 2)
    }

    static func encoded(_ row: ToyRecent) -> [UInt8] {
        bigEndian(UInt128(row.what.count), 4) + row.what
    }

    static func hash(_ bytes: [UInt8]) -> UInt128 { BlockCoding.fingerprint(bytes.span.bytes) }

    var accountDigest: UInt128 {
        accounts.reduce(0) { sum, entry in
            sum
                &+ NaiveState.hash(
                    Array("toy_account".utf8) + [0] + NaiveState.encoded(entry.key)
                        + NaiveState.encoded(entry.value)
                )
        }
    }

    var recentDigest: UInt128 {
        recent.reduce(0) { sum, entry in
            sum
                &+ NaiveState.hash(
                    Array("toy_recent".utf8) + [0] + NaiveState.encoded(entry.key)
                        + NaiveState.encoded(entry.value)
                )
        }
    }

    var chainDigest: StateDigest {
        StateDigest(
            NaiveState.hash(
                Array("toy_account".utf8) + [0] + NaiveState.bigEndian(accountDigest, 16)
                    + Array("toy_recent".utf8) + [0] + NaiveState.bigEndian(recentDigest, 16)
            )
        )
    }
}
