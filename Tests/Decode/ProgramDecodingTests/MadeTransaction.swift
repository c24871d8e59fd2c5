import MarketModel
import ProgramDecoding

/// A transaction put together in a test, as the reader of updates would give it.
struct MadeTransaction {
    private(set) var transaction = SolanaTransaction()
    private(set) var bytes: [UInt8] = []
    private var outer: UInt16?
    private var inner: UInt16 = 0

    /// A payer and a signature, index 7, 5000 lamports of fees.
    init(payer: Address = .named(250)) {
        transaction.keys = [payer]
        transaction.index = 7
        transaction.fee = 5000
        transaction.signature = append((0..<64).map { UInt8($0) })
    }

    /// Adds bytes and says where they are.
    mutating func append(_ part: [UInt8]) -> Range<Int> {
        bytes += part
        return bytes.count - part.count..<bytes.count
    }

    /// The index of a key, which is added when it is new.
    mutating func key(_ address: Address) -> Int {
        if let known = transaction.keys.firstIndex(of: address) { return known }
        transaction.keys.append(address)
        return transaction.keys.count - 1
    }

    /// Adds a call; a height of 1 begins a top-level instruction.
    mutating func call(
        _ program: Address,
        height: UInt32 = 1,
        tellsHeight: Bool = true,
        accounts: [Address] = [],
        data: [UInt8] = []
    ) {
        let indices = accounts.map { UInt8(key($0)) }
        call(index: UInt32(key(program)), height, tellsHeight, indices, data)
    }

    /// Adds a call by raw indices.
    mutating func call(
        index: UInt32,
        _ height: UInt32,
        _ tellsHeight: Bool,
        _ accounts: [UInt8],
        _ data: [UInt8]
    ) {
        if height == 1 {
            outer = outer.map { $0 + 1 } ?? 0
            inner = 0
        } else {
            inner += 1
        }
        transaction.instructions.append(
            SolanaTransaction.Instruction(
                outer: outer ?? 0,
                inner: inner,
                program: index,
                accounts: append(accounts),
                data: append(data),
                stackHeight: height == 1 ? 1 : tellsHeight ? height : nil
            )
        )
    }

    /// Adds the call by which a program leaves an event.
    mutating func eventCall(
        _ program: Address,
        height: UInt32,
        tellsHeight: Bool = true,
        _ payload: [UInt8]
    ) {
        call(
            program,
            height: height,
            tellsHeight: tellsHeight,
            accounts: [.named(251)],
            data: [0xe4, 0x45, 0xa5, 0x2e, 0x51, 0xcb, 0x9a, 0x1d] + payload
        )
    }

    mutating func log(_ line: String) {
        transaction.logs.append(append(Array(line.utf8)))
    }

    mutating func balance(
        _ account: Address,
        mint: Address,
        owner: Address,
        before: UInt64?,
        after: UInt64?
    ) {
        let index = UInt32(key(account))
        func made(_ amount: UInt64) -> SolanaTransaction.TokenBalance {
            SolanaTransaction.TokenBalance(
                account: index,
                mint: append(Array(mint.text(on: .solana).utf8)),
                owner: append(Array(owner.text(on: .solana).utf8)),
                amount: append(Array(String(amount).utf8)),
                decimals: 6
            )
        }
        if let before { transaction.tokensBefore.append(made(before)) }
        if let after { transaction.tokensAfter.append(made(after)) }
    }

    mutating func change(_ body: (inout SolanaTransaction) -> Void) { body(&transaction) }

    /// Its facts, and what was counted.
    func decode() -> (facts: TransactionFacts?, tally: ParseTally) {
        var decoder = ProgramDecoder()
        var tally = ParseTally()
        let facts = decoder.decode(transaction, bytes.span.bytes, tally: &tally)
        return (facts, tally)
    }

    /// Its events, and what was counted.
    func events() -> (events: [PlacedEvent], tally: ParseTally) {
        let (facts, tally) = decode()
        return (facts?.events ?? [], tally)  // no facts are no events
    }

    /// Its walk.
    func walk() -> ProgramWalk {
        var walk = ProgramWalk()
        var tally = ParseTally()
        walk.read(transaction, bytes.span.bytes, tally: &tally)
        return walk
    }
}

extension Address {
    /// An address that stands for nobody: 32 times one byte.
    static func named(_ byte: UInt8) -> Address {
        Address(Bytes32(repeating(byte), repeating(byte), repeating(byte), repeating(byte)))
    }

    private static func repeating(_ byte: UInt8) -> UInt64 {
        UInt64(byte) &* 0x0101_0101_0101_0101
    }

    /// From its text, which the test has written right.
    init(_ text: String) {
        do {
            try self.init(solana: text)
        } catch {
            preconditionFailure("\(text): \(error)")
        }
    }

    static let pump = Address("6EF8rrecthR5Dkzon8Nwu78hRvfCKubJ14M5uBEwF6P")
    static let amm = Address("pAMMBay6oceH9fJKBRHGP5D4bD4sWpmSwMn52FMfXEA")
    static let sol = Address("So11111111111111111111111111111111111111112")
    static let token2022Program = Address("TokenzQdBNbLqP5VEhdkAS6EPFLC1PHnBqCXEpPxuEb")
    static let computeBudgetProgram = Address("ComputeBudget111111111111111111111111111111")
    static let splToken = Address("TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA")
}

/// Bytes of an event or instruction, written in order.
struct Bytes {
    var bytes: [UInt8] = []

    /// From hexadecimal digits.
    init(_ hex: String = "") {
        let digits = Array(hex)
        for at in stride(from: 0, to: digits.count, by: 2) {
            guard let byte = UInt8(String(digits[at...at + 1]), radix: 16) else {
                preconditionFailure("\(hex) is not hexadecimal")
            }
            bytes.append(byte)
        }
    }

    func u8(_ value: UInt8) -> Bytes { with([value]) }
    func bool(_ value: Bool) -> Bytes { with([value ? 1 : 0]) }
    func u16(_ value: UInt16) -> Bytes { with(little(UInt64(value), 2)) }
    func u32(_ value: UInt32) -> Bytes { with(little(UInt64(value), 4)) }
    func u64(_ value: UInt64) -> Bytes { with(little(value, 8)) }
    func i128(_ value: Int128) -> Bytes {
        let bits = UInt128(truncatingIfNeeded: value)
        return u64(UInt64(truncatingIfNeeded: bits)).u64(UInt64(truncatingIfNeeded: bits >> 64))
    }
    func key(_ address: Address) -> Bytes { with(address.bytes) }
    func text(_ text: String) -> Bytes { raw(Array(text.utf8)) }
    func raw(_ text: [UInt8]) -> Bytes { u32(UInt32(text.count)).with(text) }

    func with(_ part: [UInt8]) -> Bytes {
        var copy = self
        copy.bytes += part
        return copy
    }

    private func little(_ value: UInt64, _ count: Int) -> [UInt8] {
        (0..<count).map { UInt8(truncatingIfNeeded: value >> UInt64(8 * $0)) }
    }
}
