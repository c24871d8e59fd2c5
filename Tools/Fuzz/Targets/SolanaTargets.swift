import GeyserDecoding
import MarketModel

let solanaTargets = [
    FuzzTarget("solana-update") { bytes in
        let span = RawSpan(_unsafeBytes: bytes)
        let summary = attempt { try UpdateSummary(of: span) }
        guard let update = attempt({ try SolanaUpdate(of: span) }) else { return }
        if let summary {
            check(summary.slot == update.slot, "the summary and the update have one slot")
        }
        var transactions = TransactionChecks(count: bytes.count)
        switch update {
        case .transaction(let transaction):
            if let info = transaction.info { transactions.take(span, info) }
        case .block(let block):
            var parts = block.parts
            while let part = attempt({ try parts.next(span) }), let part {
                switch part {
                case .transaction(let info): transactions.take(span, info)
                case .account(let info): takeAccount(attempt { try AccountContents(span, info) })
                case .entry(let range): _ = attempt { try EntryUpdate(span, range) }
                }
            }
        case .account(let account): takeAccount(account.contents)
        case .slot, .transactionStatus, .blockMeta, .entry, .none: break
        }

        func takeAccount(_ account: AccountContents?) {
            guard let account else { return }
            check(account.data.upperBound <= bytes.count, "an account's data lies within")
        }
    },
    FuzzTarget("solana-transaction") { bytes in
        var transactions = TransactionChecks(count: bytes.count)
        transactions.take(RawSpan(_unsafeBytes: bytes), 0..<bytes.count)
    },
    FuzzTarget("stream-scope") { bytes in
        let span = RawSpan(_unsafeBytes: bytes)
        guard let request = attempt({ try SubscribeRequest(decoding: span) }),
            let scope = StreamScope(request)
        else { return }
        if scope.hasAllTransactions {
            check(!scope.transactionFilters.isEmpty, "transactions come under a filter")
            check(scope.coversTransactions(naming: .zero), "all covers any")
        }
        check(
            scope.hasSlots == SlotStatus.allCases.contains(where: scope.tells),
            "slots are statuses"
        )
    },
]

/// Reads transactions in both ways and holds what it reads to the bounds that others rely on.
private struct TransactionChecks {
    private let bounds: Range<Int>
    private let watched = WatchedAddresses([.zero])
    private var reader = SolanaTransactionReader()

    init(count: Int) { bounds = 0..<count }

    mutating func take(_ bytes: RawSpan, _ info: Range<Int>) {
        var whole = SolanaTransactionReader()
        let isWhole = attempt { try whole.readAll(bytes, info) } != nil
        guard attempt({ try reader.readHead(bytes, info) }) != nil else {
            check(!isWhole, "a transaction without a head is not read")
            return
        }
        let isMentioned = reader.mentions(watched)
        check(
            isMentioned == reader.transaction.keys.contains(.zero),
            "a key is found where it is"
        )
        let hasBody = attempt { try reader.readBody(bytes) } != nil
        check(hasBody == isWhole, "one step reads what two steps read")
        guard hasBody else { return }
        check(
            reader.transaction.instructions == whole.transaction.instructions
                && reader.transaction.keys == whole.transaction.keys
                && reader.transaction.logs == whole.transaction.logs,
            "a reader that was used reads like a new one"
        )
        checkRanges(reader.transaction)
        checkOrder(reader.transaction.instructions)
    }

    private func lies(_ range: Range<Int>) -> Bool {
        bounds.lowerBound <= range.lowerBound && range.upperBound <= bounds.upperBound
    }

    private func checkRanges(_ transaction: SolanaTransaction) {
        let tokens = transaction.tokensBefore + transaction.tokensAfter
        check(
            lies(transaction.signature) && transaction.logs.allSatisfy(lies)
                && transaction.instructions.allSatisfy { lies($0.accounts) && lies($0.data) }
                && tokens.allSatisfy { lies($0.mint) && lies($0.owner) && lies($0.amount) },
            "every range lies within the bytes"
        )
        check(
            transaction.keys.count <= UpdateLimits.keysMax
                && transaction.logs.count <= UpdateLimits.logsMax
                && transaction.lamportsBefore.count <= UpdateLimits.balancesMax,
            "lists keep their limits"
        )
    }

    private func checkOrder(_ instructions: [SolanaTransaction.Instruction]) {
        var outer = -1
        var inner = 0
        for instruction in instructions {
            if instruction.inner == 0 {
                outer += 1
                inner = 0
            } else {
                inner += 1
            }
            check(
                Int(instruction.outer) == outer && Int(instruction.inner) == inner,
                "calls stand in the order of execution"
            )
        }
    }
}
