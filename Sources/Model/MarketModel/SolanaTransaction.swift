/// The parts of a transaction that program decoders ask about, as ranges into the bytes of the
/// update that brought it. One value is filled again and again, so that reading allocates nothing
/// once its lists have grown.
package struct SolanaTransaction: Sendable {
    /// One call of a program: a top-level instruction or one made below it.
    package struct Instruction: Hashable, Sendable {
        /// The top-level instruction, from 0.
        package var outer: UInt16
        /// Place among the calls below it, from 1; 0 is the top-level instruction itself.
        package var inner: UInt16
        /// Index of the program in `keys`; it may lie outside when the message is malformed.
        package var program: UInt32
        /// Indices into `keys`, one byte each; they may lie outside.
        package var accounts: Range<Int>
        package var data: Range<Int>
        /// 1 for a top-level instruction; nil when the wire does not tell.
        package var stackHeight: UInt32?

        package init(
            outer: UInt16,
            inner: UInt16,
            program: UInt32,
            accounts: Range<Int>,
            data: Range<Int>,
            stackHeight: UInt32?
        ) {
            self.outer = outer
            self.inner = inner
            self.program = program
            self.accounts = accounts
            self.data = data
            self.stackHeight = stackHeight
        }
    }

    /// A token balance before or after, its texts as ranges; empty when absent.
    package struct TokenBalance: Hashable, Sendable {
        /// Index of the token account in `keys`.
        package var account: UInt32
        /// Base58 text.
        package var mint: Range<Int>
        /// Base58 text of the wallet that owns the account.
        package var owner: Range<Int>
        /// Decimal digits, in native units.
        package var amount: Range<Int>
        package var decimals: UInt32

        package init(
            account: UInt32,
            mint: Range<Int>,
            owner: Range<Int>,
            amount: Range<Int>,
            decimals: UInt32
        ) {
            self.account = account
            self.mint = mint
            self.owner = owner
            self.amount = amount
            self.decimals = decimals
        }
    }

    /// 64 bytes when well formed.
    package var signature = 0..<0
    /// Place in the block, votes included.
    package var index: UInt64 = 0
    package var isVote = false
    /// Whether it was rolled back.
    package var isFailed = false
    /// All it paid, in lamports.
    package var fee: UInt64 = 0
    package var computeUnits: UInt64?
    /// Static keys, then loaded writable ones, then loaded readonly ones. A key that has not 32
    /// bytes is the zero address, so that indices stay right.
    package var keys: [Address] = []
    /// In order of execution: each top-level instruction, then the calls made below it.
    package var instructions: [Instruction] = []
    /// The log lines.
    package var logs: [Range<Int>] = []
    package var tokensBefore: [TokenBalance] = []
    package var tokensAfter: [TokenBalance] = []
    /// Lamports of each key, before and after.
    package var lamportsBefore: [UInt64] = []
    package var lamportsAfter: [UInt64] = []

    package init() {}

    /// Forgets everything and keeps the memory.
    package mutating func removeAll() {
        signature = 0..<0
        index = 0
        isVote = false
        isFailed = false
        fee = 0
        computeUnits = nil
        keys.removeAll(keepingCapacity: true)
        instructions.removeAll(keepingCapacity: true)
        logs.removeAll(keepingCapacity: true)
        tokensBefore.removeAll(keepingCapacity: true)
        tokensAfter.removeAll(keepingCapacity: true)
        lamportsBefore.removeAll(keepingCapacity: true)
        lamportsAfter.removeAll(keepingCapacity: true)
    }
}
