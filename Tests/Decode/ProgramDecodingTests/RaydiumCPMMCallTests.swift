import Foundation
import MarketModel
import Testing

@testable import ProgramDecoding

/// Calls of Raydium CPMM in made transactions.
struct RaydiumCPMMCallTests {
    private static let token = Address.named("token mint")
    private static let pool = Address.named("pool")
    private static let payer = Address.named("payer")

    private func swapAccounts(_ input: Address, _ output: Address) -> [Address] {
        var list = (0..<13).map { Address.named("filler \($0)") }
        list[0] = Self.payer
        list[3] = Self.pool
        list[6] = .named("vault of input")
        list[7] = .named("vault of output")
        list[10] = input
        list[11] = output
        return list
    }

    private func log(_ payloads: [RaydiumPayload], by program: Address, in tape: inout RaydiumTape)
    {
        let id = program.text(on: .solana)
        tape.log("Program \(id) invoke [1]")
        for payload in payloads {
            tape.log("Program data: \(Data(payload.bytes).base64EncodedString())")
        }
        tape.log("Program \(id) success")
    }

    /// 1,000,000,000 in at 2,500 millionths: fee 2,500,000, 19,559,782,342 out (in Python).
    private let event = RaydiumPayload("40c6cde8260871e2").key(Self.pool)
        .u64(50_000_000_000, 1_000_000_000_000, 1_000_000_000, 19_559_782_342)

    private func tape(
        _ event: RaydiumPayload,
        from input: Address,
        to output: Address,
        instruction: String = "8fbe5adac41e33de"
    ) -> RaydiumTape {
        var tape = RaydiumTape()
        tape.call(
            .raydiumCPMMProgram,
            swapAccounts(input, output),
            RaydiumPayload(instruction).u64(1_000_000_500, 19_000_000_000).bytes
        )
        log([event], by: .raydiumCPMMProgram, in: &tape)
        return tape
    }

    @Test(arguments: [88, 89, 170])
    func `every form of the event gives the same amounts`(form: Int) throws {
        let whole = event.u64(500, 7).u8(1).key(.wrappedSOL, Self.token).u64(2_500_000, 40).u8(1)
        let part = RaydiumPayload().adding([UInt8](whole.bytes.prefix(form)))
        let (facts, tally) = tape(part, from: .wrappedSOL, to: Self.token).decode()
        #expect(tally.decoded == [.raydiumCPMM: 1])
        #expect(tally.unknown.isEmpty)
        let trade = try #require(facts?.trades.first)
        #expect(trade.pool == Self.pool)
        #expect(trade.trader == Self.payer)
        #expect(trade.side == .buy)
        #expect(trade.token == Self.token)
        #expect(trade.exactness == .exactIn)
        #expect(trade.limit == 19_000_000_000)
        #expect(trade.quoteAmount == 1_000_000_000)
        // The transfer fee of the input came on top.
        #expect(trade.traderQuoteAmount == 1_000_000_500)
        #expect(trade.tokenAmount == 19_559_782_342)
        #expect(trade.before == Reserves(token: 1_000_000_000_000, quote: 50_000_000_000))
        #expect(trade.after == Reserves(token: 980_440_217_658, quote: 51_000_000_000))
        #expect(trade.fees.liquidity == (form == 170 ? 2_500_000 : nil))
        #expect(trade.fees.creator == (form == 170 ? 40 : nil))
        #expect(!trade.fees.isInToken)
        #expect(!trade.fees.isCreatorOnOtherSide)
    }

    @Test
    func `a sell can pay its creator out of the other side`() throws {
        let whole = event.u64(0, 9).u8(1).key(Self.token, .wrappedSOL).u64(2_500_000, 40).u8(0)
        let trade = try #require(
            tape(whole, from: Self.token, to: .wrappedSOL).decode().facts?.trades.first
        )
        #expect(trade.side == .sell)
        #expect(trade.tokenAmount == 1_000_000_000)
        #expect(trade.quoteAmount == 19_559_782_342)
        #expect(trade.traderQuoteAmount == 19_559_782_333)
        #expect(trade.fees.liquidity == 2_500_000)
        #expect(trade.fees.creator == 40)
        #expect(trade.fees.isInToken)
        #expect(trade.fees.isCreatorOnOtherSide)
        #expect(trade.fees.total == 2_500_000)
    }

    @Test
    func `a fixed output bounds what is paid`() throws {
        let whole = event.u64(0, 0).u8(0)
        let made = tape(
            whole,
            from: .wrappedSOL,
            to: Self.token,
            instruction: "37d96256a34ab4ad"
        )
        let trade = try #require(made.decode().facts?.trades.first)
        #expect(trade.exactness == .exactOut)
        #expect(trade.limit == 1_000_000_500)
    }

    @Test
    func `the greatest amounts are added up without a trap`() throws {
        let most = RaydiumPayload("40c6cde8260871e2").key(Self.pool)
            .u64(.max, .max, .max, .max, .max, .max).u8(1)
        let trade = try #require(
            tape(most, from: .wrappedSOL, to: Self.token).decode().facts?.trades.first
        )
        #expect(trade.traderQuoteAmount == 2 * UInt128(UInt64.max))
        #expect(trade.after == Reserves(token: 0, quote: 2 * UInt128(UInt64.max)))
        // More out than there was: nothing is said of what is left.
        let odd = RaydiumPayload("40c6cde8260871e2").key(Self.pool).u64(1, 1, 1, 2, 0, 5).u8(1)
        let other = try #require(
            tape(odd, from: Self.token, to: .wrappedSOL).decode().facts?.trades.first
        )
        #expect(other.after == nil)
        #expect(other.traderQuoteAmount == 0)
    }

    @Test
    func `the same event of another program is nobody's`() {
        var tape = RaydiumTape()
        tape.call(
            .raydiumCPMMProgram,
            swapAccounts(.wrappedSOL, Self.token),
            RaydiumPayload("8fbe5adac41e33de").u64(1, 2).bytes
        )
        let whole = event.u64(0, 0).u8(1)
        log([whole], by: .named("foreign"), in: &tape)
        let (facts, tally) = tape.decode()
        #expect(facts == nil)
        #expect(tally.failed == [.raydiumCPMM: [.noEvent: 1]])
    }

    @Test
    func `an event of CLMM's length is cut for CPMM`() {
        let clmm = RaydiumPayload().adding([UInt8](repeating: 1, count: 100))
        let wrong = RaydiumPayload("40c6cde8260871e2").adding(clmm.bytes)
        let (_, tally) = tape(wrong, from: .wrappedSOL, to: Self.token).decode()
        #expect(tally.failed == [.raydiumCPMM: [.truncated: 1]])
    }

    @Test
    func `an unknown instruction is counted, its swap read when it tells its mints`() throws {
        let whole = event.u64(0, 0).u8(1).key(.wrappedSOL, Self.token).u64(2_500_000, 0).u8(1)
        let new = tape(whole, from: .usdc, to: .usdt, instruction: "0102030405060708")
        let (facts, tally) = new.decode()
        let trade = try #require(facts?.trades.first)
        #expect(trade.token == Self.token)
        #expect(trade.quote == .wrappedSOL)
        #expect(trade.exactness == .exactIn)
        let unknown = ParseTally.Unknown(
            program: .raydiumCPMMProgram,
            isEvent: false,
            discriminator: 0x0102_0304_0506_0708
        )
        #expect(tally.unknown == [unknown: 1])
        let short = tape(
            event.u64(0, 0).u8(1),
            from: .usdc,
            to: .usdt,
            instruction: "0102030405060708"
        )
        #expect(short.decode().tally.failed == [.raydiumCPMM: [.unknownMints: 1]])
    }

    @Test
    func `an event whose call is missing is read when it tells its mints`() throws {
        var tape = RaydiumTape(keys: [Self.payer, .raydiumCPMMProgram])
        let router = Address.named("router")
        tape.call(router, [], [1])
        let whole = event.u64(0, 0).u8(1).key(.wrappedSOL, Self.token).u64(2_500_000, 0).u8(1)
        let ids = (router.text(on: .solana), Address.raydiumCPMMProgram.text(on: .solana))
        tape.log(
            "Program \(ids.0) invoke [1]",
            "Program \(ids.1) invoke [2]",
            "Program data: \(Data(whole.bytes).base64EncodedString())",
            "Program data: \(Data(event.u64(0, 0).u8(1).bytes).base64EncodedString())",
            "Program \(ids.1) success",
            "Program \(ids.0) success"
        )
        let (facts, tally) = tape.decode()
        let trade = try #require(facts?.trades.first)
        #expect(facts?.trades.count == 1)
        #expect(trade.trader == Self.payer)
        #expect(trade.token == Self.token)
        #expect(trade.exactness == .exactIn)
        #expect(tally.decoded == [.raydiumCPMM: 1])
        #expect(tally.failed == [.raydiumCPMM: [.unknownMints: 1]])
    }

    @Test
    func `an unknown event is counted`() {
        var tape = tape(event.u64(0, 0).u8(1), from: .wrappedSOL, to: Self.token)
        tape.removeLogs()
        log(
            [RaydiumPayload("0807060504030201"), event.u64(0, 0).u8(1)],
            by: .raydiumCPMMProgram,
            in: &tape
        )
        let (facts, tally) = tape.decode()
        #expect(facts?.trades.count == 1)
        let unknown = ParseTally.Unknown(
            program: .raydiumCPMMProgram,
            isEvent: true,
            discriminator: 0x0807_0605_0403_0201
        )
        #expect(tally.unknown == [unknown: 1])
    }

    @Test
    func `unknown bytes behind an event are counted`() {
        let whole = event.u64(0, 0).u8(1).key(.wrappedSOL, Self.token).u64(0, 0).u8(1)
        let (_, tally) = tape(whole.u8(1, 2, 3), from: .wrappedSOL, to: Self.token).decode()
        #expect(tally.decoded == [.raydiumCPMM: 1])
        #expect(tally.unknownTailBytes == 3)
    }

    @Test
    func `a swap whose event was cut is told by its transfers`() throws {
        var tape = RaydiumTape()
        tape.call(
            .raydiumCPMMProgram,
            swapAccounts(Self.token, .wrappedSOL),
            RaydiumPayload("8fbe5adac41e33de").u64(70, 1).bytes
        )
        tape.call(
            .token2022Program,
            [.named("a"), Self.token, .named("vault of input"), .named("c")],
            RaydiumPayload().u8(26, 1).u64(70).u8(6).u64(3).bytes,
            depth: 2
        )
        tape.call(
            .tokenProgram,
            [.named("vault of output"), .wrappedSOL, .named("b"), .named("c")],
            RaydiumPayload().u8(12).u64(90).u8(9).bytes,
            depth: 2
        )
        tape.log("Log truncated")
        let trade = try #require(tape.decode().facts?.trades.first)
        #expect(trade.side == .sell)
        #expect(trade.tokenAmount == 70)
        #expect(trade.quoteAmount == 90)
        #expect(trade.flags == [.fromCall, .fromBalances])
        #expect(trade.pool == Self.pool)
    }
}

// MARK: Liquidity and pools

extension RaydiumCPMMCallTests {
    private func liquidityTape(_ instruction: String, _ event: RaydiumPayload?) -> RaydiumTape {
        var list = (0..<14).map { Address.named("filler \($0)") }
        list[0] = Self.payer
        list[2] = Self.pool
        list[6] = .named("vault 0")
        list[7] = .named("vault 1")
        list[10] = .wrappedSOL
        list[11] = Self.token
        list[12] = .named("lp mint")
        var tape = RaydiumTape()
        tape.call(
            .raydiumCPMMProgram,
            list,
            RaydiumPayload(instruction).u64(100, 9_999, 9_999).bytes
        )
        if let event { log([event], by: .raydiumCPMMProgram, in: &tape) }
        return tape
    }

    private func liquidity(_ tape: RaydiumTape) throws -> LiquidityChange {
        let (facts, tally) = tape.decode()
        #expect(tally.decoded == [.raydiumCPMM: 1])
        guard case .liquidity(let change) = try #require(facts?.events.first).event else {
            throw ParseFailure.noEvent
        }
        return change
    }

    @Test
    func `a deposit and a withdrawal move the reserves by what the vaults took and gave`() throws {
        // 100 of 1,000 shares: 5,000 and 7,000 of 50,000 and 70,000.
        let event = RaydiumPayload("79a3cdc939da753c").key(Self.pool)
            .u64(1_000, 50_000, 70_000, 5_000, 7_000, 0, 70)
        let deposit = try liquidity(liquidityTape("f223c68952e1f2b6", event.u8(0)))
        #expect(deposit.direction == .add)
        #expect(deposit.owner == Self.payer)
        #expect(deposit.token == Self.token)
        #expect(deposit.quote == .wrappedSOL)
        #expect(deposit.tokenAmount == 7_000)
        #expect(deposit.quoteAmount == 5_000)
        #expect(deposit.shares == 100)
        #expect(deposit.sharesBefore == 1_000)
        #expect(deposit.before == Reserves(token: 70_000, quote: 50_000))
        #expect(deposit.after == Reserves(token: 77_000, quote: 55_000))
        let out = RaydiumPayload("79a3cdc939da753c").key(Self.pool)
            .u64(1_000, 50_000, 70_000, 5_000, 6_930, 0, 70)
        let withdrawal = try liquidity(liquidityTape("b712469c946da122", out.u8(1)))
        #expect(withdrawal.direction == .remove)
        #expect(withdrawal.tokenAmount == 7_000)
        #expect(withdrawal.quoteAmount == 5_000)
        #expect(withdrawal.after == Reserves(token: 63_000, quote: 45_000))
    }

    @Test
    func `an event that contradicts its instruction is invalid`() {
        let event = RaydiumPayload("79a3cdc939da753c").key(Self.pool).u64(1, 2, 3, 4, 5, 6, 7)
        let tape = liquidityTape("f223c68952e1f2b6", event.u8(1))
        #expect(tape.decode().tally.failed == [.raydiumCPMM: [.invalid: 1]])
    }

    @Test
    func `more taken out than there was leaves the rest unknown`() throws {
        let event = RaydiumPayload("79a3cdc939da753c").key(Self.pool)
            .u64(.max, 1, 1, .max, .max, .max, .max)
        let change = try liquidity(liquidityTape("b712469c946da122", event.u8(1)))
        #expect(change.before == Reserves(token: 1, quote: 1))
        #expect(change.after == nil)
        #expect(change.tokenAmount == 2 * UInt128(UInt64.max))
    }

    @Test
    func `a deposit whose event was cut is told by its transfers`() throws {
        var tape = liquidityTape("f223c68952e1f2b6", nil)
        for (vault, amount) in [("vault 0", UInt64(5_000)), ("vault 1", 7_000)] {
            tape.call(
                .tokenProgram,
                [.named("mine"), .named("mint"), .named(vault), Self.payer],
                RaydiumPayload().u8(12).u64(amount).u8(6).bytes,
                depth: 2
            )
        }
        let change = try liquidity(tape)
        #expect(change.tokenAmount == 7_000)
        #expect(change.quoteAmount == 5_000)
        #expect(change.shares == 100)
        #expect(change.sharesBefore == nil)
    }

    /// A new pool of 500,000 lamports and 2,000,000 tokens.
    private func opening(minted: UInt64?, hasPermission: Bool) throws -> PoolCreated {
        let shift = hasPermission ? 1 : 0
        var list = (0..<21).map { Address.named("filler \($0)") }
        list[0] = Self.payer
        list[shift] = .named("creator")
        list[3 + shift] = Self.pool
        list[4 + shift] = .wrappedSOL
        list[5 + shift] = Self.token
        list[6 + shift] = .named("lp mint")
        list[10 + shift] = .named("vault 0")
        list[11 + shift] = .named("vault 1")
        let name = hasPermission ? "3f37fe4131b25979" : "afaf6d1f0d989bed"
        var tape = RaydiumTape()
        tape.call(
            .raydiumCPMMProgram,
            list,
            RaydiumPayload(name).u64(500_000, 2_000_000, 0).u8(1).bytes
        )
        if let minted {
            tape.call(
                .tokenProgram,
                [.named("lp mint"), .named("mine"), .named("authority")],
                RaydiumPayload().u8(7).u64(minted).bytes,
                depth: 2
            )
        }
        tape.vault(.named("vault 0"), mint: .wrappedSOL, decimals: 9)
        tape.vault(.named("vault 1"), mint: Self.token, decimals: 6)
        let (facts, tally) = tape.decode()
        #expect(tally.decoded == [.raydiumCPMM: 1])
        guard case .poolCreated(let pool) = try #require(facts?.events.first).event else {
            throw ParseFailure.noEvent
        }
        return pool
    }

    @Test(arguments: [true, false])
    func `a new pool tells its sides, reserves and shares`(hasPermission: Bool) throws {
        // Root of 500,000 * 2,000,000.
        for minted in [UInt64(999_900), nil] {
            let pool = try opening(minted: minted, hasPermission: hasPermission)
            #expect(pool.pool == Self.pool)
            #expect(pool.creator == .named("creator"))
            #expect(pool.token == Self.token)
            #expect(pool.quote == .wrappedSOL)
            #expect(pool.isReversed)
            #expect(pool.tokenDecimals == 6)
            #expect(pool.quoteDecimals == 9)
            #expect(pool.shareToken == .named("lp mint"))
            #expect(pool.shares == 1_000_000)
            #expect(pool.lockedShares == 100)
            #expect(pool.reserves == Reserves(token: 2_000_000, quote: 500_000))
        }
    }

    @Test
    func `a token that charged for its transfer leaves the reserves unknown`() throws {
        let pool = try opening(minted: 990_000, hasPermission: false)
        #expect(pool.shares == 990_100)
        #expect(pool.reserves == nil)
    }
}
