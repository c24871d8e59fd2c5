import MarketModel
import ProgramDecoding

/// A transaction put together part by part, in the form that readers of updates give it.
struct RaydiumTape {
    private(set) var bytes: [UInt8] = []
    private(set) var transaction = SolanaTransaction()

    init(keys: [Address] = []) {
        transaction.keys = keys
        transaction.signature = put([UInt8](repeating: 7, count: 64))
        transaction.index = 3
    }

    var isFailed: Bool {
        get { transaction.isFailed }
        set { transaction.isFailed = newValue }
    }

    var index: UInt64 {
        get { transaction.index }
        set { transaction.index = newValue }
    }

    /// Where an address stands among the keys; it is added when it is new.
    mutating func key(_ address: Address) -> UInt8 {
        if let index = transaction.keys.firstIndex(of: address) { return UInt8(index) }
        transaction.keys.append(address)
        return UInt8(transaction.keys.count - 1)
    }

    /// Adds a top-level instruction, or a call below the last one when `depth` is above 1.
    mutating func call(
        _ program: Address,
        _ accounts: [Address],
        _ data: [UInt8],
        depth: UInt32 = 1
    ) {
        let indices = accounts.map { key($0) }
        let last = transaction.instructions.last
        let outer = depth > 1 ? last.map(\.outer) ?? 0 : last.map { $0.outer + 1 } ?? 0
        let inner = depth > 1 ? (last?.inner ?? 0) + 1 : 0
        add(program: UInt32(key(program)), indices, data, outer, inner, depth)
    }

    /// Adds an instruction as it stands in a transaction.
    mutating func add(
        program: UInt32,
        _ accounts: [UInt8],
        _ data: [UInt8],
        _ outer: UInt16,
        _ inner: UInt16,
        _ height: UInt32?
    ) {
        transaction.instructions.append(
            SolanaTransaction.Instruction(
                outer: outer,
                inner: inner,
                program: program,
                accounts: put(accounts),
                data: put(data),
                stackHeight: height
            )
        )
    }

    /// Adds lines to the log.
    mutating func log(_ lines: String...) {
        for line in lines { transaction.logs.append(put([UInt8](line.utf8))) }
    }

    /// Adds a balance before, after or both.
    mutating func balance(
        _ account: UInt32,
        mint: String,
        owner: String = "",
        before: String?,
        after: String?,
        decimals: UInt32 = 6
    ) {
        func one(_ amount: String) -> SolanaTransaction.TokenBalance {
            SolanaTransaction.TokenBalance(
                account: account,
                mint: put([UInt8](mint.utf8)),
                owner: put([UInt8](owner.utf8)),
                amount: put([UInt8](amount.utf8)),
                decimals: decimals
            )
        }
        if let before { transaction.tokensBefore.append(one(before)) }
        if let after { transaction.tokensAfter.append(one(after)) }
    }

    /// Adds the balance of a vault, so that its mint is known.
    mutating func vault(_ account: Address, mint: Address, decimals: UInt32 = 6) {
        let index = UInt32(key(account))
        let text = mint.text(on: .solana)
        balance(index, mint: text, before: "1000", after: "1000", decimals: decimals)
    }

    /// Marks a transaction as having been decoded by nothing but its text.
    mutating func removeLogs() {
        transaction.logs = []
    }

    /// What the decoder makes of it.
    func decode() -> (facts: TransactionFacts?, tally: ParseTally) {
        var decoder = ProgramDecoder()
        var tally = ParseTally()
        let facts = decoder.decode(transaction, bytes.span.bytes, tally: &tally)
        return (facts, tally)
    }

    private mutating func put(_ part: [UInt8]) -> Range<Int> {
        bytes.append(contentsOf: part)
        return bytes.count - part.count..<bytes.count
    }
}

extension Address {
    /// A made address: the bytes of a name, again and again.
    static func named(_ name: String) -> Address {
        let text = [UInt8](name.utf8)
        let bytes = (0..<32).map { text[$0 % text.count] ^ UInt8($0 / text.count) }
        guard let storage = Bytes32(bytes) else { preconditionFailure("32 bytes") }
        return Address(storage)
    }
}

extension TransactionFacts {
    var trades: [Trade] {
        events.compactMap { if case .trade(let trade) = $0.event { trade } else { nil } }
    }
}

/// Bytes of a payload, field after field.
struct RaydiumPayload {
    private(set) var bytes: [UInt8] = []

    /// Begins with a discriminator in hexadecimal digits.
    init(_ discriminator: String = "") {
        var rest = discriminator[...]
        while !rest.isEmpty {
            guard let byte = UInt8(rest.prefix(2), radix: 16) else {
                preconditionFailure("no hexadecimal digits: \(discriminator)")
            }
            bytes.append(byte)
            rest = rest.dropFirst(2)
        }
    }

    func u8(_ values: UInt8...) -> RaydiumPayload { adding(values) }

    func u32(_ values: UInt32...) -> RaydiumPayload {
        adding(
            values.flatMap { value in (0..<4).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) } }
        )
    }

    func i32(_ values: Int32...) -> RaydiumPayload {
        values.reduce(self) { $0.u32(UInt32(bitPattern: $1)) }
    }

    func u64(_ values: UInt64...) -> RaydiumPayload {
        adding(
            values.flatMap { value in (0..<8).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) } }
        )
    }

    func u128(_ values: UInt128...) -> RaydiumPayload {
        adding(
            values.flatMap { value in
                (0..<16).map { UInt8(truncatingIfNeeded: value >> UInt128(8 * $0)) }
            }
        )
    }

    func key(_ addresses: Address...) -> RaydiumPayload { adding(addresses.flatMap(\.bytes)) }

    func text(_ text: String) -> RaydiumPayload {
        u32(UInt32(text.utf8.count)).adding([UInt8](text.utf8))
    }

    func adding(_ more: [UInt8]) -> RaydiumPayload {
        var copy = self
        copy.bytes += more
        return copy
    }
}
