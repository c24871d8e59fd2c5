import RecordModel

/// A transaction being put together: its instructions, what they call in turn, the log lines the
/// runtime would print, and the balances they move.
struct SolanaTransactionDraft {
    struct Role {
        var key: SolanaKey
        var isSigner = false
        var isWritable = false
        /// Comes from an address lookup table.
        var isLookedUp = false

        static func readonly(_ key: SolanaKey) -> Role { Role(key: key) }
        static func writable(_ key: SolanaKey) -> Role { Role(key: key, isWritable: true) }
        static func signer(_ key: SolanaKey) -> Role {
            Role(key: key, isSigner: true, isWritable: true)
        }
        /// A fixed account that a versioned transaction takes from a lookup table.
        static func lookedUp(_ key: SolanaKey) -> Role { Role(key: key, isLookedUp: true) }
    }

    struct Call {
        var program: SolanaKey
        var accounts: [SolanaKey]
        var data: [UInt8]
        /// The top-level instruction that this call runs inside of, from 0.
        var top: Int
        /// 1 for a top-level instruction.
        var height: Int
    }

    /// Log text of a transaction ends after so many bytes (limit of the runtime).
    static let logBytesMax = 10_000

    let payer: SolanaKey
    /// Set for a version 0 transaction.
    var lookupTable: SolanaKey?
    /// A wallet of a program, for which the program signs.
    var puppet: SolanaKey?
    private(set) var roles: [Role] = []
    private(set) var calls: [Call] = []
    private(set) var logs: [String] = []
    private(set) var moves: [SolanaLedger.Move] = []
    /// Accounts of watched programs as they stand after the transaction.
    private(set) var images: [SolanaAccountImage] = []
    /// bincode of the TransactionError; nil for success.
    private(set) var failure: [UInt8]?
    /// Lamports above the base fee.
    private(set) var priorityFee: UInt64 = 0
    private(set) var unitsUsed: UInt64 = 0
    private var unitLimit: UInt64 = 200_000
    private var stack: [SolanaKey] = []
    private var logBytes = 0
    private var topCount = 0

    init(payer: SolanaKey) {
        self.payer = payer
        add(.signer(payer))
    }

    var signatureCount: Int { roles.count { $0.isSigner } }
    /// Lamports: 5,000 a signature and the priority fee.
    var fee: UInt64 { UInt64(signatureCount) * 5_000 + priorityFee }

    /// The two instructions with which nearly every trade starts.
    mutating func computeBudget(limit: UInt32, microLamportsPerUnit: UInt64) {
        unitLimit = UInt64(limit)
        var data: [UInt8] = [2]
        data.appendLittleEndian(limit)
        callNative(SolanaAddress.computeBudget, [], data)
        data = [3]
        data.appendLittleEndian(microLamportsPerUnit)
        callNative(SolanaAddress.computeBudget, [], data)
        priorityFee = (UInt64(limit) * microLamportsPerUnit + 999_999) / 1_000_000
    }

    /// Starts an instruction, or inside one a call of another program.
    mutating func begin(_ program: SolanaKey, _ accounts: [Role], _ data: [UInt8]) {
        precondition(failure == nil, "nothing runs after a failure")
        for role in accounts { add(role) }
        add(.readonly(program), invoked: stack.isEmpty)
        if stack.isEmpty { topCount += 1 }
        stack.append(program)
        calls.append(
            Call(
                program: program,
                accounts: accounts.map(\.key),
                data: data,
                top: topCount - 1,
                height: stack.count
            )
        )
        write("Program \(program.base58) invoke [\(stack.count)]")
    }

    mutating func log(_ text: String) { write("Program log: \(text)") }

    mutating func log(data: [UInt8]) {
        write("Program data: \(Base64Text.encode(data))")
    }

    /// What a called program handed back; the next call clears it.
    mutating func log(returned data: [UInt8]) {
        guard let program = stack.last else { preconditionFailure("no program is running") }
        write(
            "Program return: \(program.base58) \(Base64Text.encode(data))"
        )
    }

    /// Ends the innermost call; native programs print no line of units.
    mutating func end(units: UInt64?) {
        guard let program = stack.popLast() else { preconditionFailure("no program is running") }
        if let units { consume(units, of: program) } else { unitsUsed += 150 }
        write("Program \(program.base58) success")
    }

    /// Ends the transaction with a custom error of the running program.
    mutating func fail(code: UInt32, units: UInt64) {
        guard let program = stack.popLast() else { preconditionFailure("no program is running") }
        precondition(stack.isEmpty, "only top-level instructions fail here")
        consume(units, of: program)
        let text = String(code, radix: 16)
        write("Program \(program.base58) failed: custom program error: 0x\(text)")
        var error: [UInt8] = []
        error.appendLittleEndian(UInt32(8))
        error.append(UInt8(topCount - 1))
        error.appendLittleEndian(UInt32(25))
        error.appendLittleEndian(code)
        failure = error
        moves = []
        images = []
    }

    /// An event of an Anchor program: a log line, then a call of the program by itself.
    mutating func emit(_ payload: [UInt8], program: SolanaKey, authority: SolanaKey) {
        log(data: payload)
        let tag: [UInt8] = [0xe4, 0x45, 0xa5, 0x2e, 0x51, 0xcb, 0x9a, 0x1d]
        begin(program, [.readonly(authority)], tag + payload)
        end(units: 2_027)
    }

    mutating func transferLamports(_ amount: UInt64, from: SolanaKey, to: SolanaKey) {
        guard amount > 0 else { return }
        var data: [UInt8] = []
        data.appendLittleEndian(UInt32(2))
        data.appendLittleEndian(amount)
        callNative(SolanaAddress.system, [.signer(from), .writable(to)], data)
        moves.append(.lamports(from: from, to: to, amount: amount))
    }

    /// Moves lamports by assignment, as a program does with accounts that it owns.
    mutating func assignLamports(_ amount: UInt64, from: SolanaKey, to: SolanaKey) {
        moves.append(.lamports(from: from, to: to, amount: amount))
    }

    /// `TransferChecked` of the token program.
    mutating func transferTokens(
        _ amount: UInt64,
        mint: SolanaKey,
        decimals: UInt8,
        from: SolanaKey,
        to: SolanaKey,
        owner: Role,
        program: SolanaKey = SolanaAddress.token
    ) {
        guard amount > 0 else { return }
        var data: [UInt8] = [12]
        data.appendLittleEndian(amount)
        data.append(decimals)
        begin(program, [.writable(from), .readonly(mint), .writable(to), owner], data)
        log("Instruction: TransferChecked")
        end(units: 6_238)
        moves.append(.tokens(from: from, to: to, amount: amount))
    }

    /// Creates an associated token account; the payer gives the rent.
    mutating func createTokenAccount(
        _ key: SolanaKey,
        _ holding: SolanaLedger.TokenHolding,
        payer: SolanaKey
    ) {
        let roles: [Role] = [
            .signer(payer), .writable(key), .readonly(holding.owner), .readonly(holding.mint),
            .readonly(SolanaAddress.system), .readonly(holding.program),
        ]
        begin(SolanaAddress.associatedToken, roles, [1])
        log("CreateIdempotent")
        let bytes = SolanaLedger.tokenBytes(holding.program)
        createAccount(
            key,
            payer: payer,
            lamports: SolanaLedger.rent(bytes),
            bytes: bytes,
            owner: holding.program
        )
        var data: [UInt8] = [18]
        data.append(holding.owner)
        begin(holding.program, [.writable(key), .readonly(holding.mint)], data)
        log("Instruction: InitializeAccount3")
        end(units: 4_188)
        end(units: 20_500)
        moves.append(.openToken(key, holding))
    }

    /// `CreateAccount` of the system program.
    mutating func createAccount(
        _ key: SolanaKey,
        payer: SolanaKey,
        lamports: UInt64,
        bytes: UInt64,
        owner: SolanaKey
    ) {
        var data: [UInt8] = []
        data.appendLittleEndian(UInt32(0))
        data.appendLittleEndian(lamports)
        data.appendLittleEndian(bytes)
        data.append(owner)
        callNative(SolanaAddress.system, [.signer(payer), .writable(key)], data)
        moves.append(.lamports(from: payer, to: key, amount: lamports))
    }

    /// `SyncNative`: lamports that arrived in a wrapped SOL account become its token balance.
    mutating func synchronizeNative(_ account: SolanaKey, amount: UInt64) {
        begin(SolanaAddress.token, [.writable(account)], [17])
        log("Instruction: SyncNative")
        end(units: 3_045)
        moves.append(.mint(to: account, amount: amount))
    }

    /// `InitializeMint2` of a token program, for an account that was just created.
    mutating func openMint(_ key: SolanaKey, _ mint: SolanaLedger.Mint) {
        guard let authority = mint.authority else {
            preconditionFailure("a mint without an authority could never mint")
        }
        var data: [UInt8] = [20, mint.decimals]
        data.append(authority)
        data.append(0)
        begin(mint.program, [.writable(key)], data)
        log("Instruction: InitializeMint2")
        end(units: 2_780)
        moves.append(.openMint(key, mint))
    }

    /// `SetAuthority` of a token program: nobody may mint any more.
    mutating func closeMint(_ key: SolanaKey, authority: SolanaKey, program: SolanaKey) {
        begin(program, [.writable(key), .readonly(authority)], [6, 0, 0])
        log("Instruction: SetAuthority")
        end(units: 2_911)
        moves.append(.closeMint(key))
    }

    /// `MintTo` of a token program.
    mutating func mintTokens(
        _ amount: UInt64,
        mint: SolanaKey,
        to: SolanaKey,
        authority: SolanaKey,
        program: SolanaKey = SolanaAddress.token
    ) {
        var data: [UInt8] = [7]
        data.appendLittleEndian(amount)
        begin(program, [.writable(mint), .writable(to), .readonly(authority)], data)
        log("Instruction: MintTo")
        end(units: 4_493)
        moves.append(.mint(to: to, amount: amount))
    }

    /// `Burn` of a token program.
    mutating func burnTokens(
        _ amount: UInt64,
        mint: SolanaKey,
        from: SolanaKey,
        authority: SolanaKey,
        program: SolanaKey = SolanaAddress.token
    ) {
        var data: [UInt8] = [8]
        data.appendLittleEndian(amount)
        begin(program, [.writable(from), .writable(mint), .readonly(authority)], data)
        log("Instruction: Burn")
        end(units: 4_753)
        moves.append(.burn(from: from, amount: amount))
    }

    mutating func write(_ image: SolanaAccountImage) { images.append(image) }

    private mutating func callNative(_ program: SolanaKey, _ accounts: [Role], _ data: [UInt8]) {
        begin(program, accounts, data)
        end(units: nil)
    }

    private mutating func consume(_ units: UInt64, of program: SolanaKey) {
        // Calls inside are part of the sum of the outer one; only the outermost adds to the bill.
        if stack.isEmpty { unitsUsed += units }
        let left = unitLimit - min(unitLimit, unitsUsed)
        write("Program \(program.base58) consumed \(units) of \(left + units) compute units")
    }

    private mutating func add(_ role: Role, invoked: Bool = false) {
        var role = role
        if role.key == puppet { role.isSigner = false }
        guard let index = roles.firstIndex(where: { $0.key == role.key }) else {
            roles.append(role)
            return
        }
        roles[index].isSigner = roles[index].isSigner || role.isSigner
        roles[index].isWritable = roles[index].isWritable || role.isWritable
        // Signers and programs of top-level instructions must be static.
        if invoked || roles[index].isSigner { roles[index].isLookedUp = false }
    }

    private mutating func write(_ line: String) {
        guard logBytes < Self.logBytesMax else { return }
        logBytes += line.utf8.count
        logs.append(logBytes < Self.logBytesMax ? line : "Log truncated")
    }
}

/// The state of an account of a watched program after a transaction.
struct SolanaAccountImage {
    var key: SolanaKey
    var owner: SolanaKey
    var data: [UInt8]
}
