import Foundation
import MarketModel
import ProgramDecoding
import Testing

/// What stands around the events of a transaction.
@Suite struct TransactionFactsTests {
    /// One trade, so that the transaction has facts.
    private func traded() -> MadeTransaction {
        var made = MadeTransaction(payer: .named(200))
        made.call(.pump, accounts: ProgramWalkTests.accounts, data: ProgramWalkTests.buy())
        made.eventCall(.pump, height: 2, ProgramWalkTests.trade(5))
        return made
    }

    @Test func `identity, payer, fee, priority and tips`() throws {
        var made = traded()
        let tips = Address("3AVi9Tg9Uo68tJfuvoKvqKNWKkC5wPdSSdeBnizKZ6jT")
        let pay = Bytes().u32(2).u64(1000).bytes
        made.call(.computeBudgetProgram, data: [2] + Bytes().u32(100_000).bytes)
        made.call(.computeBudgetProgram, data: [3] + Bytes().u64(77).bytes)
        made.call(.zero, accounts: [.named(200), tips], data: pay)
        made.call(.zero, accounts: [.named(200), .named(201)], data: pay)
        made.call(.named(60), accounts: [], data: [])
        made.call(
            .zero,
            height: 2,
            accounts: [.named(200), Address("96gYZGLnJYVFmbjzopPSU6QiEV5fGqZNyN9nmNhvrZU5")],
            data: pay
        )
        let facts = try #require(made.decode().facts)
        #expect(facts.id == .solana(try #require(Signature((0..<64).map { UInt8($0) }))))
        #expect(facts.index == 7 && facts.feePayer == .named(200) && facts.fee == 5000)
        #expect(facts.priorityPrice == 77 && facts.tip == 2000 && !facts.hasCutLogs)
    }

    @Test func `tokens from wallet to wallet link them, a swap's do not`() throws {
        var made = MadeTransaction()
        made.call(.pump, accounts: ProgramWalkTests.accounts, data: ProgramWalkTests.buy())
        made.call(
            .splToken,
            height: 2,
            accounts: [.named(10), .named(11), .named(5)],
            data: [3] + Bytes().u64(50).bytes
        )
        made.eventCall(.pump, height: 2, ProgramWalkTests.trade(5))
        let mint = Address.named(1)
        made.balance(.named(10), mint: mint, owner: .named(5), before: 100, after: nil)
        made.balance(.named(11), mint: mint, owner: .named(6), before: nil, after: 60)
        made.balance(.named(12), mint: mint, owner: .named(5), before: 1, after: 1)
        // Transfer; then TransferChecked below a program that is no market.
        made.call(
            .splToken,
            accounts: [.named(10), .named(11), .named(5)],
            data: [3] + Bytes().u64(60).bytes
        )
        made.call(.named(60), data: [])
        made.call(
            .splToken,
            height: 2,
            accounts: [.named(11), mint, .named(10), .named(6)],
            data: [12] + Bytes().u64(61).u8(6).bytes
        )
        // To oneself, of nothing, and to an account that no balance tells of.
        made.call(
            .splToken,
            accounts: [.named(10), .named(12), .named(5)],
            data: [3] + Bytes().u64(62).bytes
        )
        made.call(
            .splToken,
            accounts: [.named(10), .named(11), .named(5)],
            data: [3] + Bytes().u64(0).bytes
        )
        made.call(
            .splToken,
            accounts: [.named(10), .named(13), .named(5)],
            data: [3] + Bytes().u64(63).bytes
        )
        // A new owner, of the account and of something else.
        for kind: UInt8 in [2, 3] {
            made.call(
                .splToken,
                accounts: [.named(11), .named(6)],
                data: [6, kind, 1] + Address.named(8).bytes
            )
        }
        let links = try #require(made.decode().facts).links
        #expect(
            links == [
                WalletLink(token: mint, from: .named(5), to: .named(6), amount: 60),
                WalletLink(token: mint, from: .named(6), to: .named(5), amount: 61),
                WalletLink(token: mint, from: .named(6), to: .named(8), amount: 60),
            ]
        )
    }

    private func trade(
        _ made: inout MadeTransaction,
        pool: UInt8,
        token: UInt8,
        isBuy: Bool
    ) {
        made.call(
            .amm,
            accounts: [.named(pool), .named(31), .named(32), .named(token), .sol],
            data: Bytes(isBuy ? "66063d1201daebea" : "33e685a4017f83ad").u64(1).u64(2).bytes
        )
        made.eventCall(
            .amm,
            height: 2,
            isBuy ? PumpSwapTests.buy(pool: .named(pool)) : PumpSwapTests.sell(pool: .named(pool))
        )
    }

    private func areHops(_ made: MadeTransaction) -> [Bool] {
        made.events().events.map {
            if case .trade(let trade) = $0.event { return trade.flags.contains(.multiHop) }
            return false
        }
    }

    @Test func `trades that pass one thing on are hops`() {
        var route = MadeTransaction()
        trade(&route, pool: 9, token: 1, isBuy: false)
        trade(&route, pool: 10, token: 2, isBuy: true)
        #expect(areHops(route) == [true, true])

        var cycle = MadeTransaction()
        trade(&cycle, pool: 9, token: 1, isBuy: true)
        trade(&cycle, pool: 10, token: 1, isBuy: false)
        #expect(areHops(cycle) == [true, true])

        var bundle = MadeTransaction()
        for _ in 0..<3 { trade(&bundle, pool: 9, token: 1, isBuy: true) }
        #expect(areHops(bundle) == [false, false, false])

        var wash = MadeTransaction()
        trade(&wash, pool: 9, token: 1, isBuy: true)
        trade(&wash, pool: 9, token: 1, isBuy: false)
        #expect(areHops(wash) == [false, false])
    }

    @Test func `decoding again gives the same, whatever was decoded before`() {
        var decoder = ProgramDecoder()
        var first = ParseTally()
        var second = ParseTally()
        let made = traded()
        let bytes = made.bytes.span.bytes
        let facts = decoder.decode(made.transaction, bytes, tally: &first)
        var other = MadeTransaction()
        trade(&other, pool: 9, token: 1, isBuy: true)
        var rest = ParseTally()
        _ = decoder.decode(other.transaction, other.bytes.span.bytes, tally: &rest)
        #expect(decoder.decode(made.transaction, bytes, tally: &second) == facts)
        #expect(first == second)
    }
}
