// One transaction as plain values, by two independent ways: protobuf-c's unpacked structs, and the
// typed reader over the same bytes.

import CGeyser
import GeyserDecoding
import MarketModel

struct PlainTransaction: Equatable {
    struct Call: Equatable {
        var outer: Int
        var inner: Int
        var program: UInt32
        var accounts: [UInt8]
        var data: [UInt8]
        var stackHeight: UInt32?
    }

    struct Balance: Equatable {
        var account: UInt32
        var mint: [UInt8]
        var owner: [UInt8]
        var amount: [UInt8]
        var decimals: UInt32
    }

    var signature: [UInt8] = []
    var index: UInt64 = 0
    var isVote = false
    var isFailed = false
    var fee: UInt64 = 0
    var computeUnits: UInt64?
    var keys: [[UInt8]] = []
    var calls: [Call] = []
    var logs: [[UInt8]] = []
    var tokensBefore: [Balance] = []
    var tokensAfter: [Balance] = []
    var lamportsBefore: [UInt64] = []
    var lamportsAfter: [UInt64] = []
}

// MARK: protobuf-c

func plain(_ data: ProtobufCBinaryData) -> [UInt8] {
    [UInt8](UnsafeBufferPointer(start: data.data, count: data.len))
}

func plain(_ text: UnsafePointer<CChar>?) -> [UInt8] {
    text.map { [UInt8](String(cString: $0).utf8) } ?? []
}

func list<Element>(_ start: UnsafeMutablePointer<Element>?, _ count: Int) -> [Element] {
    Array(UnsafeBufferPointer(start: start, count: count))
}

private typealias Message = Solana__Storage__ConfirmedBlock__Message
private typealias Meta = Solana__Storage__ConfirmedBlock__TransactionStatusMeta
private typealias TokenBalance = Solana__Storage__ConfirmedBlock__TokenBalance

extension PlainTransaction {
    init(_ info: Geyser__SubscribeUpdateTransactionInfo) {
        signature = plain(info.signature)
        index = info.index
        isVote = info.is_vote != 0
        let message = info.transaction?.pointee.message?.pointee
        let meta = info.meta?.pointee
        if let message {
            keys = list(message.account_keys, message.n_account_keys).map(plain)
        }
        guard let meta else {
            calls = PlainTransaction.calls(message, nil)
            return
        }
        isFailed = meta.err != nil
        fee = meta.fee
        computeUnits = meta.has_compute_units_consumed != 0 ? meta.compute_units_consumed : nil
        keys += list(meta.loaded_writable_addresses, meta.n_loaded_writable_addresses).map(plain)
        keys += list(meta.loaded_readonly_addresses, meta.n_loaded_readonly_addresses).map(plain)
        calls = PlainTransaction.calls(message, meta)
        logs = list(meta.log_messages, meta.n_log_messages).map { plain($0) }
        tokensBefore = list(meta.pre_token_balances, meta.n_pre_token_balances)
            .compactMap { $0.map { Balance($0.pointee) } }
        tokensAfter = list(meta.post_token_balances, meta.n_post_token_balances)
            .compactMap { $0.map { Balance($0.pointee) } }
        lamportsBefore = list(meta.pre_balances, meta.n_pre_balances)
        lamportsAfter = list(meta.post_balances, meta.n_post_balances)
    }

    private static func calls(_ message: Message?, _ meta: Meta?) -> [Call] {
        guard let message else { return [] }
        let groups = meta.map { list($0.inner_instructions, $0.n_inner_instructions) } ?? []
        var calls: [Call] = []
        for (outer, pointer) in list(message.instructions, message.n_instructions).enumerated() {
            guard let instruction = pointer?.pointee else { continue }
            calls.append(
                Call(
                    outer: outer,
                    inner: 0,
                    program: instruction.program_id_index,
                    accounts: plain(instruction.accounts),
                    data: plain(instruction.data),
                    stackHeight: 1
                )
            )
            var inner = 0
            for case let group? in groups where group.pointee.index == outer {
                let pointers = list(group.pointee.instructions, group.pointee.n_instructions)
                for case let call? in pointers.map({ $0?.pointee }) {
                    inner += 1
                    calls.append(
                        Call(
                            outer: outer,
                            inner: inner,
                            program: call.program_id_index,
                            accounts: plain(call.accounts),
                            data: plain(call.data),
                            stackHeight: call.has_stack_height != 0 ? call.stack_height : nil
                        )
                    )
                }
            }
        }
        return calls
    }
}

extension PlainTransaction.Balance {
    fileprivate init(_ balance: TokenBalance) {
        let amount = balance.ui_token_amount?.pointee
        self.init(
            account: balance.account_index,
            mint: plain(balance.mint),
            owner: plain(balance.owner),
            amount: plain(amount?.amount),
            decimals: amount?.decimals ?? 0
        )
    }
}

// MARK: The typed reader

extension PlainTransaction {
    init(_ transaction: SolanaTransaction, _ update: [UInt8]) {
        func bytes(_ range: Range<Int>) -> [UInt8] { [UInt8](update[range]) }
        func balances(_ balances: [SolanaTransaction.TokenBalance]) -> [Balance] {
            balances.map {
                Balance(
                    account: $0.account,
                    mint: bytes($0.mint),
                    owner: bytes($0.owner),
                    amount: bytes($0.amount),
                    decimals: $0.decimals
                )
            }
        }
        signature = bytes(transaction.signature)
        index = transaction.index
        isVote = transaction.isVote
        isFailed = transaction.isFailed
        fee = transaction.fee
        computeUnits = transaction.computeUnits
        keys = transaction.keys.map(\.bytes)
        calls = transaction.instructions.map {
            Call(
                outer: Int($0.outer),
                inner: Int($0.inner),
                program: $0.program,
                accounts: bytes($0.accounts),
                data: bytes($0.data),
                stackHeight: $0.stackHeight
            )
        }
        logs = transaction.logs.map(bytes)
        tokensBefore = balances(transaction.tokensBefore)
        tokensAfter = balances(transaction.tokensAfter)
        lamportsBefore = transaction.lamportsBefore
        lamportsAfter = transaction.lamportsAfter
    }
}
