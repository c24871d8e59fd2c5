import Foundation
import MarketModel
import Testing

@testable import ProgramDecoding

/// Calls of Raydium CLMM in made transactions.
struct RaydiumCLMMCallTests {
    private static let token = Address.named("token mint")
    private static let other = Address.named("zz mint")
    private static let pool = Address.named("pool")
    private static let payer = Address.named("payer")

    private func log(_ payloads: [RaydiumPayload], in tape: inout RaydiumTape) {
        let id = Address.raydiumCLMMProgram.text(on: .solana)
        tape.log("Program \(id) invoke [1]")
        for payload in payloads {
            tape.log("Program data: \(Data(payload.bytes).base64EncodedString())")
        }
        tape.log("Program \(id) success")
    }

    /// Side 0 in for 1,000 and 10 on top for the transfer, side 1 out: 2,000 got, 20 lost on the
    /// way.
    private func swapEvent(
        pool: Address = Self.pool,
        isZeroForOne: UInt8 = 1,
        amounts: (UInt64, UInt64, UInt64, UInt64) = (1_000, 10, 2_000, 20)
    ) -> RaydiumPayload {
        RaydiumPayload("40c6cde8260871e2")
            .key(pool, Self.payer, .named("account 0"), .named("account 1"))
            .u64(amounts.0, amounts.1, amounts.2, amounts.3).u8(isZeroForOne)
            .u128(3 << 64, 1 << 100).i32(-7)
    }

    private func swapTape(
        _ event: RaydiumPayload?,
        from input: Address,
        to output: Address,
        isExactIn: UInt8 = 1
    ) -> RaydiumTape {
        var list = (0..<16).map { Address.named("filler \($0)") }
        list[0] = Self.payer
        list[2] = Self.pool
        list[5] = .named("vault of input")
        list[6] = .named("vault of output")
        list[11] = input
        list[12] = output
        var tape = RaydiumTape()
        tape.call(
            .raydiumCLMMProgram,
            list,
            RaydiumPayload("2b04ed0b1ac91e62").u64(1_010, 1_900).u128(0).u8(isExactIn).bytes
        )
        if let event { log([event], in: &tape) }
        return tape
    }

    @Test
    func `a swap tells the price, and what transfers cost stays with the trader`() throws {
        let (facts, tally) = swapTape(swapEvent(), from: .wrappedSOL, to: Self.other).decode()
        #expect(tally.decoded == [.raydiumCLMM: 1])
        let trade = try #require(facts?.trades.first)
        #expect(trade.pool == Self.pool)
        #expect(trade.trader == Self.payer)
        #expect(trade.side == .buy)
        #expect(trade.token == Self.other)
        #expect(trade.quoteAmount == 1_000)
        #expect(trade.traderQuoteAmount == 1_010)
        #expect(trade.tokenAmount == 2_020)
        #expect(trade.sqrtPriceX64 == 3 << 64)
        #expect(trade.liquidity == 1 << 100)
        #expect(trade.tick == -7)
        #expect(trade.before == nil)
        #expect(trade.after == nil)
        #expect(trade.exactness == .exactIn)
        #expect(trade.limit == 1_900)
        #expect(trade.fees == TradeFees())
    }

    @Test
    func `the newer form tells the fee of the side that it was taken from`() throws {
        let input = swapEvent().u64(25, 0)
        let buy = try #require(
            swapTape(input, from: .wrappedSOL, to: Self.other).decode().facts?.trades.first
        )
        #expect(buy.fees.liquidity == 25)
        #expect(!buy.fees.isInToken)
        let output = try #require(
            swapTape(swapEvent().u64(0, 30), from: .wrappedSOL, to: Self.other).decode().facts?
                .trades.first
        )
        #expect(output.fees.liquidity == 30)
        #expect(output.fees.isInToken)
        let both = try #require(
            swapTape(swapEvent().u64(1, 30), from: .wrappedSOL, to: Self.other).decode().facts?
                .trades.first
        )
        #expect(both.fees.liquidity == nil)
    }

    @Test
    func `the other direction has its sides changed`() throws {
        // Side 1 in: 2,000 and 20 on top. Side 0 out: 1,000 got, 10 lost.
        let event = swapEvent(isZeroForOne: 0).u64(0, 40)
        let made = swapTape(event, from: Self.other, to: .wrappedSOL, isExactIn: 0)
        let trade = try #require(made.decode().facts?.trades.first)
        #expect(trade.side == .sell)
        #expect(trade.tokenAmount == 2_000)
        #expect(trade.quoteAmount == 1_010)
        #expect(trade.traderQuoteAmount == 1_000)
        #expect(trade.exactness == .exactOut)
        #expect(trade.fees.liquidity == 40)
        #expect(trade.fees.isInToken)
    }

    @Test
    func `the greatest amounts are added up without a trap`() throws {
        let event = swapEvent(amounts: (.max, .max, .max, .max)).u64(.max, 0)
        let trade = try #require(
            swapTape(event, from: .wrappedSOL, to: Self.other).decode().facts?.trades.first
        )
        #expect(trade.traderQuoteAmount == 2 * UInt128(UInt64.max))
        #expect(trade.tokenAmount == 2 * UInt128(UInt64.max))
    }

    @Test
    func `a swap whose event was cut is told by its transfers`() throws {
        var tape = swapTape(nil, from: .wrappedSOL, to: Self.other)
        tape.call(
            .tokenProgram,
            [.named("mine"), .named("vault of input"), Self.payer],
            RaydiumPayload().u8(3).u64(1_000).bytes,
            depth: 2
        )
        tape.call(
            .tokenProgram,
            [.named("vault of output"), Self.other, .named("mine too"), Self.pool],
            RaydiumPayload().u8(12).u64(2_000).u8(6).bytes,
            depth: 2
        )
        tape.log("Log truncated")
        let trade = try #require(tape.decode().facts?.trades.first)
        #expect(trade.side == .buy)
        #expect(trade.quoteAmount == 1_000)
        #expect(trade.tokenAmount == 2_000)
        #expect(trade.sqrtPriceX64 == nil)
        #expect(trade.flags == [.fromCall, .fromBalances])
    }

    @Test
    func `a route gives one trade for each of its pools`() throws {
        let second = Address.named("second pool")
        var list = (0..<6).map { Address.named("filler \($0)") }
        list[0] = Self.payer
        for (pool, name) in [(Self.pool, "first"), (second, "second")] {
            list += [
                .named("config"), pool, .named("mine \(name)"), .named("in \(name)"),
                .named("out \(name)"), .named("mint \(name)"), .named("observation"),
                .named("ticks"),
            ]
        }
        var tape = RaydiumTape()
        tape.call(
            .raydiumCLMMProgram,
            list,
            RaydiumPayload("457d73daf5baf2c4").u64(1_000, 77).bytes
        )
        tape.vault(.named("in first"), mint: .wrappedSOL)
        tape.vault(.named("out first"), mint: Self.token)
        tape.vault(.named("in second"), mint: Self.token)
        tape.vault(.named("out second"), mint: .usdc)
        log([swapEvent(), swapEvent(pool: second)], in: &tape)
        let (facts, tally) = tape.decode()
        #expect(tally.decoded == [.raydiumCLMM: 1])
        let trades = try #require(facts?.trades)
        #expect(trades.map(\.pool) == [Self.pool, second])
        #expect(trades.map(\.side) == [.buy, .sell])
        #expect(trades.map(\.quote) == [.wrappedSOL, .usdc])
        #expect(trades.map(\.limit) == [nil, 77])
        #expect(trades.allSatisfy { $0.exactness == .exactIn })
        #expect(trades.allSatisfy { $0.flags.contains(.multiHop) })
        let places = try #require(facts?.events.map(\.place))
        #expect(places[0] < places[1])
    }

    @Test
    func `a route without events is counted as failed`() {
        var tape = RaydiumTape()
        tape.call(
            .raydiumCLMMProgram,
            [Self.payer],
            RaydiumPayload("457d73daf5baf2c4").u64(1_000, 77).bytes
        )
        #expect(tape.decode().tally.failed == [.raydiumCLMM: [.noEvent: 1]])
    }

    @Test
    func `a swap of an unknown instruction is told by the trader's accounts`() throws {
        var tape = RaydiumTape()
        tape.call(.raydiumCLMMProgram, [Self.payer], RaydiumPayload("0102030405060708").bytes)
        tape.vault(.named("account 0"), mint: Self.token)
        tape.vault(.named("account 1"), mint: .wrappedSOL)
        log([swapEvent()], in: &tape)
        let (facts, tally) = tape.decode()
        let trade = try #require(facts?.trades.first)
        #expect(trade.token == Self.token)
        #expect(trade.side == .sell)
        #expect(trade.tokenAmount == 1_000)
        #expect(trade.quoteAmount == 2_020)
        #expect(tally.unknown.count == 1)
    }
}

// MARK: Positions and pools

extension RaydiumCLMMCallTests {
    private static let nft = Address.named("nft mint")

    private func positionTape(
        _ instruction: String,
        _ data: RaydiumPayload,
        pool: Int,
        vault: Int,
        mint: Int?,
        events: [RaydiumPayload]
    ) -> RaydiumTape {
        var list = (0..<22).map { Address.named("filler \($0)") }
        list[0] = Self.payer
        list[1] = .named("nft owner")
        list[2] = Self.nft
        list[pool] = Self.pool
        list[vault] = .named("vault 0")
        list[vault + 1] = .named("vault 1")
        if let mint {
            list[mint] = .wrappedSOL
            list[mint + 1] = Self.token
        }
        var tape = RaydiumTape()
        tape.call(
            .raydiumCLMMProgram,
            list,
            RaydiumPayload(instruction).adding(data.bytes).bytes
        )
        if mint == nil {
            tape.vault(.named("vault 0"), mint: .wrappedSOL)
            tape.vault(.named("vault 1"), mint: Self.token)
        }
        if !events.isEmpty { log(events, in: &tape) }
        return tape
    }

    private func change(_ tape: RaydiumTape) throws -> LiquidityChange {
        let (facts, tally) = tape.decode()
        #expect(tally.decoded == [.raydiumCLMM: 1])
        #expect(tally.unknown.isEmpty)
        guard case .liquidity(let change) = try #require(facts?.events.first).event else {
            throw ParseFailure.noEvent
        }
        #expect(change.pool == Self.pool)
        #expect(change.token == Self.token)
        #expect(change.quote == .wrappedSOL)
        #expect(change.before == nil)
        #expect(change.sharesBefore == nil)
        return change
    }

    private var range: RaydiumPayload {
        RaydiumPayload("7ef0afce9e58996b").key(Self.pool).i32(5, -60, 120).u128(1_000, 1_500)
    }

    private var calculation: RaydiumPayload {
        RaydiumPayload("ed7094e63954b4a2").adding([UInt8](repeating: 0, count: 84))
    }

    @Test(
        arguments: [
            ("87802f4d0f98f031", 5, 12, nil), ("4db84ad67056f1c7", 5, 12, 20),
            ("4dffae527d1dc92e", 4, 11, 18),
        ] as [(String, Int, Int, Int?)]
    )
    func `a new position tells its range and owner`(
        instruction: String,
        pool: Int,
        vault: Int,
        mint: Int?
    ) throws {
        let event = RaydiumPayload("641e57f9c4df9ace")
            .key(Self.pool, Self.payer, .named("holder")).i32(-60, 120).u128(1 << 70)
            .u64(300, 400, 5, 6)
        let tape = positionTape(
            instruction,
            RaydiumPayload().i32(-60, 120, 0, 0).u128(1 << 70),
            pool: pool,
            vault: vault,
            mint: mint,
            events: [range, calculation, event]
        )
        let change = try self.change(tape)
        #expect(change.direction == .add)
        #expect(change.owner == .named("holder"))
        #expect(change.position == Self.nft)
        #expect(change.tokenAmount == 400)
        #expect(change.quoteAmount == 300)
        #expect(change.shares == 1 << 70)
        #expect(change.lowerTick == -60)
        #expect(change.upperTick == 120)
        #expect(change.collected == nil)
    }

    @Test(arguments: [("2e9cf3760dcdfbb2", nil), ("851d59df45eeb00a", 13)] as [(String, Int?)])
    func `a position that grows tells its ticks by the range event`(
        instruction: String,
        mint: Int?
    ) throws {
        let event = RaydiumPayload("314f69d420221e54").key(.named("position")).u128(500)
            .u64(300, 400, 0, 0)
        let tape = positionTape(
            instruction,
            RaydiumPayload().u128(500).u64(1, 1),
            pool: 2,
            vault: 9,
            mint: mint,
            events: [range, calculation, event]
        )
        let change = try self.change(tape)
        #expect(change.direction == .add)
        #expect(change.owner == Self.payer)
        #expect(change.position == .named("position"))
        #expect(change.shares == 500)
        #expect(change.lowerTick == -60)
        #expect(change.upperTick == 120)
        #expect(change.collected == nil)
    }

    @Test(arguments: [("a026d06f685b2c01", nil), ("3a7fbc3e4f52c460", 14)] as [(String, Int?)])
    func `a position that shrinks pays its fees apart`(instruction: String, mint: Int?) throws {
        let event = RaydiumPayload("3ade563a44325538").key(.named("position")).u128(500)
            .u64(300, 400, 7, 8, 0, 0, 0, 0, 0)
        let tape = positionTape(
            instruction,
            RaydiumPayload().u128(500).u64(1, 1),
            pool: 3,
            vault: 5,
            mint: mint,
            events: [range, event]
        )
        let change = try self.change(tape)
        #expect(change.direction == .remove)
        #expect(change.tokenAmount == 400)
        #expect(change.quoteAmount == 300)
        #expect(change.collected == Reserves(token: 8, quote: 7))
        #expect(change.lowerTick == -60)
    }

    @Test
    func `a position whose events were cut is told by its transfers`() throws {
        var tape = positionTape(
            "4dffae527d1dc92e",
            RaydiumPayload().i32(-60, 120, 0, 0).u128(1 << 70).u64(1, 1),
            pool: 4,
            vault: 11,
            mint: 18,
            events: []
        )
        tape.call(
            .tokenProgram,
            [.named("mine"), .wrappedSOL, .named("vault 0"), Self.payer],
            RaydiumPayload().u8(12).u64(300).u8(9).bytes,
            depth: 2
        )
        let change = try self.change(tape)
        #expect(change.quoteAmount == 300)
        #expect(change.tokenAmount == 0)
        #expect(change.shares == 1 << 70)
        #expect(change.lowerTick == -60)
        #expect(change.upperTick == 120)
        #expect(change.owner == .named("nft owner"))
        #expect(change.collected == nil)
    }

    @Test(arguments: ["e992d18ecf6840bc", "2b44d4a7592fa401"])
    func `a new pool tells its sides and no reserves`(instruction: String) throws {
        var list = (0..<13).map { Address.named("filler \($0)") }
        list[0] = Self.payer
        list[2] = Self.pool
        list[3] = .wrappedSOL
        list[4] = Self.token
        var tape = RaydiumTape()
        tape.call(
            .raydiumCLMMProgram,
            list,
            RaydiumPayload(instruction).u128(1 << 64).u64(0).bytes
        )
        guard case .poolCreated(let pool) = tape.decode().facts?.events.first?.event else {
            Issue.record("no pool")
            return
        }
        #expect(pool.pool == Self.pool)
        #expect(pool.token == Self.token)
        #expect(pool.quote == .wrappedSOL)
        #expect(pool.isReversed)
        #expect(pool.creator == Self.payer)
        #expect(pool.reserves == nil)
        #expect(pool.shareToken == nil)
    }

    @Test(.enabled(if: RaydiumShared.isPresent, RaydiumShared.absent))
    func `a real position that was closed gives what its transfers moved`() throws {
        var changes: [LiquidityChange] = []
        for read in try RaydiumShared.transactions("real.bin") {
            var decoder = ProgramDecoder()
            var tally = ParseTally()
            let facts = decoder.decode(read.transaction, read.bytes.span.bytes, tally: &tally)
            for event in facts?.events ?? [] {
                guard case .liquidity(let change) = event.event else { continue }
                if change.venue == .raydiumCLMM { changes.append(change) }
            }
        }
        // Transfers, read in Python: 7,912,976 of side 0, wrapped SOL, and 1,162,659 of side 1.
        let change = try #require(changes.first)
        #expect(changes.count == 1)
        let collected = try #require(change.collected)
        #expect(change.quote == .wrappedSOL)
        #expect(change.quoteAmount + collected.quote == 7_912_976)
        #expect(change.tokenAmount + collected.token == 1_162_659)
        #expect(change.lowerTick == -46_560)
        #expect(change.upperTick == -44_520)
        #expect(
            change.owner.text(on: .solana) == "7T8ckKtdc5DH7ACS5AnCny7rVXYJPEsaAbdBri1FhPxY"
        )
    }
}
