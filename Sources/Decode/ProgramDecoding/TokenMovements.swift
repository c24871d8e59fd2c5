import MarketModel
import RecordModel

/// What a transaction did beside markets: tokens from wallet to wallet, burns of shares, the bid
/// for priority and the tip.
struct TokenMovements {
    /// Shares that were burnt, and by which call.
    struct Burn {
        var call: Int
        var event: MarketEvent
    }

    private(set) var links: [WalletLink] = []
    private(set) var burns: [Burn] = []
    private(set) var priorityPrice: UInt64 = 0
    private(set) var tip: UInt128 = 0

    // First bytes of SPL Token's instructions.
    private static let transfer: UInt8 = 3
    private static let setAuthority: UInt8 = 6
    private static let burn: UInt8 = 8
    private static let transferChecked: UInt8 = 12
    private static let burnChecked: UInt8 = 15

    /// The kind of authority that owns an account.
    private static let accountOwner: UInt8 = 2

    init(
        _ transaction: SolanaTransaction,
        _ bytes: RawSpan,
        _ walk: ProgramWalk,
        shareTokens: [Address]
    ) {
        for call in walk.calls.indices {
            switch walk.calls[call].program {
            case .computeBudget: readBudget(transaction.instructions[call], bytes)
            case .system: readTip(call, walk, transaction, bytes)
            case .token, .token2022:
                readToken(call, walk, transaction, bytes, shareTokens: shareTokens)
            default: break
            }
        }
    }

    /// SetComputeUnitPrice; the runtime refuses a second one.
    private mutating func readBudget(
        _ instruction: SolanaTransaction.Instruction,
        _ bytes: RawSpan
    ) {
        let data = instruction.data
        guard data.count >= 9, instruction.inner == 0, bytes.byte(at: data.lowerBound) == 3 else {
            return
        }
        priorityPrice = bytes.littleEndianUInt64(at: data.lowerBound + 1)
    }

    /// Transfer of lamports to a tip account.
    private mutating func readTip(
        _ call: Int,
        _ walk: ProgramWalk,
        _ transaction: SolanaTransaction,
        _ bytes: RawSpan
    ) {
        let data = transaction.instructions[call].data
        guard data.count >= 12, bytes.littleEndianUInt32(at: data.lowerBound) == 2,
            let recipient = walk.account(1, of: call, transaction, bytes),
            TipAccounts.contain(recipient)
        else { return }
        // At most 2^16 calls of 2^64 lamports each.
        tip &+= UInt128(bytes.littleEndianUInt64(at: data.lowerBound + 4))
    }

    private mutating func readToken(
        _ call: Int,
        _ walk: ProgramWalk,
        _ transaction: SolanaTransaction,
        _ bytes: RawSpan,
        shareTokens: [Address]
    ) {
        let data = transaction.instructions[call].data
        guard !data.isEmpty else { return }
        let tag = bytes.byte(at: data.lowerBound)
        switch tag {
        case TokenMovements.transfer, TokenMovements.transferChecked:
            guard data.count >= 9, !walk.calls[call].isUnderMarket else { return }
            let amount = bytes.littleEndianUInt64(at: data.lowerBound + 1)
            let destination = tag == TokenMovements.transfer ? 1 : 2
            readTransfer(call, destination, amount, walk, transaction, bytes)
        case TokenMovements.setAuthority:
            guard data.count >= 35, !walk.calls[call].isUnderMarket else { return }
            readNewOwner(call, data, walk, transaction, bytes)
        case TokenMovements.burn, TokenMovements.burnChecked:
            guard data.count >= 9, !shareTokens.isEmpty,
                let mint = walk.account(1, of: call, transaction, bytes),
                shareTokens.contains(mint), !isWithdrawal(call, walk),
                let owner = walk.account(2, of: call, transaction, bytes)
            else { return }
            let shares = UInt128(bytes.littleEndianUInt64(at: data.lowerBound + 1))
            let event = SharesBurned(shareToken: mint, owner: owner, shares: shares)
            burns.append(Burn(call: call, event: .sharesBurned(event)))
        default: break
        }
    }

    /// A pool burns the shares that are withdrawn; a migration burns those that nobody gets.
    private func isWithdrawal(_ call: Int, _ walk: ProgramWalk) -> Bool {
        guard walk.calls[call].isUnderMarket else { return false }
        var parent = Int(walk.calls[call].parent)
        while parent >= 0 {
            if walk.calls[parent].program.isMarket {
                return walk.calls[parent].program != .pumpCurve
            }
            parent = Int(walk.calls[parent].parent)
        }
        // Without heights the call below which it is cannot be told.
        return true
    }

    private mutating func readTransfer(
        _ call: Int,
        _ destination: Int,
        _ amount: UInt64,
        _ walk: ProgramWalk,
        _ transaction: SolanaTransaction,
        _ bytes: RawSpan
    ) {
        guard amount > 0, let source = walk.accountIndex(0, of: call, transaction, bytes),
            let target = walk.accountIndex(destination, of: call, transaction, bytes)
        else { return }
        // An account that is gone afterwards stands before, one that is new after.
        guard let from = transaction.balanceBefore(source) ?? transaction.balanceAfter(source),
            let to = transaction.balanceAfter(target) ?? transaction.balanceBefore(target),
            let sender = Address(base58: bytes, from.owner),
            let receiver = Address(base58: bytes, to.owner), sender != receiver,
            let token = Address(base58: bytes, from.mint)
        else { return }
        links.append(
            WalletLink(token: token, from: sender, to: receiver, amount: UInt128(amount))
        )
    }

    private mutating func readNewOwner(
        _ call: Int,
        _ data: Range<Int>,
        _ walk: ProgramWalk,
        _ transaction: SolanaTransaction,
        _ bytes: RawSpan
    ) {
        guard bytes.byte(at: data.lowerBound + 1) == TokenMovements.accountOwner,
            bytes.byte(at: data.lowerBound + 2) == 1,
            let receiver = Address(bytes, at: data.lowerBound + 3),
            let account = walk.accountIndex(0, of: call, transaction, bytes),
            let sender = walk.account(1, of: call, transaction, bytes), sender != receiver,
            let balance = transaction.balanceAfter(account) ?? transaction.balanceBefore(account),
            let token = Address(base58: bytes, balance.mint),
            let amount = SolanaTransaction.amount(balance, bytes)
        else { return }
        links.append(
            WalletLink(token: token, from: sender, to: receiver, amount: UInt128(amount))
        )
    }
}
