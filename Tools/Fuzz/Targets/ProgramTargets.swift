import JSONText
import MarketModel
import ProgramDecoding
import RecordModel

let programTargets = [
    FuzzTarget("program-calls") { bytes in
        var made = FuzzedTransaction()
        made.take(bytes)
        let span = made.bytes.span.bytes
        var tally = ParseTally()
        var decoder = ProgramDecoder()
        let facts = decoder.decode(made.transaction, span, tally: &tally)
        var again = ParseTally()
        check(
            decoder.decode(made.transaction, span, tally: &again) == facts && again == tally,
            "a transaction is decoded alike every time"
        )
        guard let facts else { return }
        check(!facts.events.isEmpty, "facts have events")
        for (event, next) in zip(facts.events, facts.events.dropFirst()) {
            check(event.place < next.place, "places rise")
        }
    },
    FuzzTarget("program-account") { bytes in
        // Whose account, then what it holds.
        var input = FuzzInput(bytes)
        let owner = FuzzedTransaction.keys[Int(input.byte()) % FuzzedTransaction.keys.count]
        let data = RawSpan(_unsafeBytes: input.all())
        guard let fact = AccountDecoder.decode(account: .zero, owner: owner, data: data) else {
            return
        }
        if case .pool(let pool) = fact.content {
            check(pool.mints.count == 2 && pool.vaults.count == 2, "a pool has two sides")
        }
    },
]

/// A transaction told step by step: calls of known programs and the log lines beside them, so that
/// a search need not find out what an address or a message looks like.
private struct FuzzedTransaction {
    /// Programs, quotes and a tip account, then accounts that stand for nobody.
    static let keys: [Address] =
        [
            "6EF8rrecthR5Dkzon8Nwu78hRvfCKubJ14M5uBEwF6P",
            "pAMMBay6oceH9fJKBRHGP5D4bD4sWpmSwMn52FMfXEA",
            "675kPX9MHTjS2zt1qfr1NYHuzeLXfQM9H24wFSUt1Mp8",
            "CPMMoo8L3F4NbTegBCKVNunggL7H1ZpdTHKxQB5qKP1C",
            "CAMMCzo5YL8w4VFF8KVHrK22GGUsp5VTaW7grrKgrWqK",
            "LanMV9sAd7wArD4vJFi2qDdfnVhFxYSUg6eADduJ3uj",
            "TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA",
            "TokenzQdBNbLqP5VEhdkAS6EPFLC1PHnBqCXEpPxuEb",
            "11111111111111111111111111111111",
            "ComputeBudget111111111111111111111111111111",
            "So11111111111111111111111111111111111111112",
            "EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v",
            "3AVi9Tg9Uo68tJfuvoKvqKNWKkC5wPdSSdeBnizKZ6jT",
        ].map { text in
            do {
                return try Address(solana: text)
            } catch { fatalError("\(text) is no address") }
        }
        + (13..<48).map { number in
            Address(PublicKey([UInt8](repeating: UInt8(number), count: 32)) ?? zeroKey)
        }

    /// What stands for a key of another length, which none above has.
    private static let zeroKey: PublicKey = {
        guard let key = PublicKey([UInt8](repeating: 0, count: 32)) else {
            fatalError("32 bytes are a key")
        }
        return key
    }()

    private(set) var transaction = SolanaTransaction()
    private(set) var bytes: [UInt8] = []
    private var outer: UInt16?
    private var inner: UInt16 = 0

    init() {
        transaction.keys = FuzzedTransaction.keys
        transaction.signature = append([UInt8](repeating: 7, count: 64))
    }

    /// One step after the other.
    mutating func take(_ bytes: UnsafeRawBufferPointer) {
        var input = FuzzInput(bytes)
        while !input.isEmpty {
            switch input.byte() % 10 {
            case 0: call(&input, height: 1)
            case 1: call(&input, height: UInt32(input.byte()))
            case 2: call(&input, height: nil)
            case 3: event(&input)
            case 4: log("Program \(id(&input)) invoke [\(input.byte())]")
            case 5: log("Program \(id(&input)) success")
            case 6: log("Program data: ", Base64.encode(payload(&input)))
            case 7: log("Program log: ray_log: ", Base64.encode(payload(&input)))
            case 8: balance(&input)
            default: log("", payload(&input))
            }
        }
    }

    private mutating func append(_ part: [UInt8]) -> Range<Int> {
        bytes += part
        return bytes.count - part.count..<bytes.count
    }

    private func id(_ input: inout FuzzInput) -> String {
        FuzzedTransaction.keys[Int(input.byte()) % 16].text(on: .solana)
    }

    private func payload(_ input: inout FuzzInput) -> [UInt8] {
        let count = Int(input.byte()) | (Int(input.byte()) & 3) << 8
        return [UInt8](input.take(count))
    }

    private mutating func log(_ text: String, _ rest: [UInt8] = []) {
        transaction.logs.append(append(Array(text.utf8) + rest))
    }

    private mutating func call(_ input: inout FuzzInput, height: UInt32?) {
        let program = UInt32(input.byte())
        let accounts = [UInt8](input.take(Int(input.byte() & 31)))
        let data = [UInt8](input.take(Int(input.byte())))
        add(program, height, accounts, data)
    }

    /// A call of a program to itself.
    private mutating func event(_ input: inout FuzzInput) {
        let program = UInt32(input.byte()) % 6
        let height = UInt32(input.byte() % 6) + 2
        let tag: [UInt8] = [0xe4, 0x45, 0xa5, 0x2e, 0x51, 0xcb, 0x9a, 0x1d]
        add(program, height, [14], tag + payload(&input))
    }

    private mutating func add(
        _ program: UInt32,
        _ height: UInt32?,
        _ accounts: [UInt8],
        _ data: [UInt8]
    ) {
        if height == 1 || outer == nil {
            outer = outer.map { $0 &+ 1 } ?? 0  // the first instruction
            inner = 0
        } else {
            inner &+= 1
        }
        transaction.instructions.append(
            SolanaTransaction.Instruction(
                outer: outer ?? 0,  // set above
                inner: inner,
                program: program,
                accounts: append(accounts),
                data: append(data),
                stackHeight: inner == 0 ? 1 : height
            )
        )
    }

    private mutating func balance(_ input: inout FuzzInput) {
        let account = UInt32(input.byte())
        let mint = id(&input)
        let owner = id(&input)
        let amount = String(UInt64(input.short()) << UInt64(input.byte() & 63))
        let made = SolanaTransaction.TokenBalance(
            account: account,
            mint: append(Array(mint.utf8)),
            owner: append(Array(owner.utf8)),
            amount: append(Array(amount.utf8)),
            decimals: 6
        )
        if input.byte() & 1 == 0 {
            transaction.tokensBefore.append(made)
        } else {
            transaction.tokensAfter.append(made)
        }
    }
}
