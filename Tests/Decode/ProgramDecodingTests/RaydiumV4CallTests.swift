import Foundation
import MarketModel
import Testing

@testable import ProgramDecoding

/// Calls of Raydium v4 in made transactions.
struct RaydiumV4CallTests {
    private static let token = Address.named("token mint")
    private static let pool = Address.named("pool")
    private static let coinVault = Address.named("coin vault")
    private static let pcVault = Address.named("pc vault")
    private static let trader = Address.named("trader")
    private static let source = Address.named("source")
    private static let target = Address.named("target")

    /// A swap in one of the account forms: 17 and 18 with the order book, 8 without.
    private func swapTape(
        tag: UInt8,
        accounts: Int,
        coinMint: Address,
        pcMint: Address,
        data: [UInt8]? = nil
    ) -> RaydiumTape {
        var tape = RaydiumTape(keys: [.named("payer")])
        let filler = (0..<accounts).map { Address.named("filler \($0)") }
        var list = filler
        list[1] = Self.pool
        let vaults = accounts == 8 ? 3 : accounts == 17 ? 4 : 5
        list[vaults] = Self.coinVault
        list[vaults + 1] = Self.pcVault
        list[accounts - 3] = Self.source
        list[accounts - 2] = Self.target
        list[accounts - 1] = Self.trader
        tape.call(
            .raydiumV4Program,
            list,
            data ?? RaydiumPayload().u8(tag).u64(1_000_000, 900).bytes
        )
        tape.vault(Self.coinVault, mint: coinMint, decimals: 9)
        tape.vault(Self.pcVault, mint: pcMint)
        return tape
    }

    private func log(_ payload: RaydiumPayload, in tape: inout RaydiumTape) {
        let id = Address.raydiumV4Program.text(on: .solana)
        tape.log(
            "Program \(id) invoke [1]",
            "Program log: ray_log: \(Data(payload.bytes).base64EncodedString())",
            "Program \(id) success"
        )
    }

    /// amount_in 1,000,000 of the pc for 1,993 of the coin: fee 2,500, and
    /// 2,000,000 * 997,500 / (1,000,000,000 + 997,500) = 1,993 (in Python).
    private let exactIn = RaydiumPayload().u8(3)
        .u64(1_000_000, 900, 1, 5_000_000, 2_000_000, 1_000_000_000, 1_993)

    @Test(arguments: [(9, 17), (9, 18), (16, 8)] as [(UInt8, Int)])
    func `a swap of any account form gives the same trade`(tag: UInt8, accounts: Int) throws {
        var tape = swapTape(tag: tag, accounts: accounts, coinMint: Self.token, pcMint: .wrappedSOL)
        log(exactIn, in: &tape)
        let (facts, tally) = tape.decode()
        let trade = try #require(facts?.trades.first)
        #expect(tally.decoded == [.raydiumV4: 1])
        #expect(trade.pool == Self.pool)
        #expect(trade.trader == Self.trader)
        #expect(trade.token == Self.token)
        #expect(trade.quote == .wrappedSOL)
        #expect(trade.side == .buy)
        #expect(trade.exactness == .exactIn)
        #expect(trade.limit == 900)
        #expect(trade.quoteAmount == 1_000_000)
        #expect(trade.traderQuoteAmount == 1_000_000)
        #expect(trade.tokenAmount == 1_993)
        #expect(trade.before == Reserves(token: 2_000_000, quote: 1_000_000_000))
        #expect(trade.after == Reserves(token: 1_998_007, quote: 1_001_000_000))
        #expect(trade.fees.liquidity == 2_500)
        #expect(!trade.fees.isInToken)
        #expect(trade.flags.isEmpty)
        #expect(trade.router == nil)
    }

    @Test
    func `the token may be on the side of the pc`() throws {
        var tape = swapTape(tag: 9, accounts: 17, coinMint: .wrappedSOL, pcMint: Self.token)
        log(exactIn, in: &tape)
        let trade = try #require(tape.decode().facts?.trades.first)
        #expect(trade.token == Self.token)
        #expect(trade.side == .sell)
        #expect(trade.tokenAmount == 1_000_000)
        #expect(trade.quoteAmount == 1_993)
        #expect(trade.before == Reserves(token: 1_000_000_000, quote: 2_000_000))
        #expect(trade.fees.liquidity == 2_500)
        #expect(trade.fees.isInToken)
    }

    @Test
    func `two strange mints keep the pool's order`() throws {
        let other = Address.named("other mint")
        var tape = swapTape(tag: 9, accounts: 17, coinMint: Self.token, pcMint: other)
        log(exactIn, in: &tape)
        let trade = try #require(tape.decode().facts?.trades.first)
        #expect(trade.token == Self.token)
        #expect(trade.quote == other)
        #expect(trade.flags == .rawOrientation)
    }

    @Test(arguments: [(11, 18), (17, 8)] as [(UInt8, Int)])
    func `a swap with a fixed output tells what it took`(tag: UInt8, accounts: Int) throws {
        let data = RaydiumPayload().u8(tag).u64(.max, 5_000).bytes
        var tape = swapTape(
            tag: tag,
            accounts: accounts,
            coinMint: .wrappedSOL,
            pcMint: Self.token,
            data: data
        )
        // Coin in: net = ceil(1,000,000 * 5,000 / 1,995,000) = 2,507,
        // with the fee ceil(2,507 * 10,000 / 9,975) = 2,514 (in Python).
        log(
            RaydiumPayload().u8(4).u64(.max, 5_000, 2, 9_999, 1_000_000, 2_000_000, 2_514),
            in: &tape
        )
        let trade = try #require(tape.decode().facts?.trades.first)
        #expect(trade.exactness == .exactOut)
        #expect(trade.side == .buy)
        #expect(trade.limit == UInt128(UInt64.max))
        #expect(trade.quoteAmount == 2_514)
        #expect(trade.tokenAmount == 5_000)
        #expect(trade.fees.liquidity == 7)
        #expect(trade.after == Reserves(token: 1_995_000, quote: 1_002_514))
    }

    @Test
    func `a pool with a fee of its own tells no fee`() throws {
        var tape = swapTape(tag: 9, accounts: 17, coinMint: Self.token, pcMint: .wrappedSOL)
        let other = RaydiumPayload().u8(3)
            .u64(1_000_000, 900, 1, 5_000_000, 2_000_000, 1_000_000_000, 1_990)
        log(other, in: &tape)
        let trade = try #require(tape.decode().facts?.trades.first)
        #expect(trade.fees.liquidity == nil)
        #expect(trade.tokenAmount == 1_990)
    }

    @Test
    func `a swap whose log was cut is told by its transfers`() throws {
        var tape = swapTape(tag: 9, accounts: 17, coinMint: Self.token, pcMint: .wrappedSOL)
        let owner = Self.trader
        tape.call(
            .tokenProgram,
            [Self.source, Self.pcVault, owner],
            RaydiumPayload().u8(3).u64(1_000_000).bytes,
            depth: 2
        )
        // The same bytes mean nothing to another program.
        tape.call(
            .named("foreign"),
            [Self.source, Self.pcVault, owner],
            RaydiumPayload().u8(3).u64(5).bytes,
            depth: 2
        )
        tape.call(
            .token2022Program,
            [Self.coinVault, Self.token, Self.target, owner],
            RaydiumPayload().u8(12).u64(1_993).u8(9).bytes,
            depth: 2
        )
        tape.log("Log truncated")
        let (facts, tally) = tape.decode()
        let trade = try #require(facts?.trades.first)
        #expect(facts?.hasCutLogs == true)
        #expect(tally.decoded == [.raydiumV4: 1])
        #expect(trade.side == .buy)
        #expect(trade.quoteAmount == 1_000_000)
        #expect(trade.tokenAmount == 1_993)
        #expect(trade.before == nil)
        #expect(trade.after == nil)
        #expect(trade.fees == TradeFees())
        #expect(trade.flags == [.fromCall, .fromBalances])
        #expect(trade.exactness == .exactIn)
        #expect(trade.limit == 900)
    }

    @Test
    func `what cannot be told is counted by its reason`() throws {
        // No log and no transfers.
        var tape = swapTape(tag: 9, accounts: 17, coinMint: Self.token, pcMint: .wrappedSOL)
        #expect(tape.decode().tally.failed == [.raydiumV4: [.noEvent: 1]])
        // A log of another kind, and one that is cut.
        log(RaydiumPayload().u8(1).adding(.init(repeating: 0, count: 104)), in: &tape)
        #expect(tape.decode().tally.failed == [.raydiumV4: [.invalid: 1]])
        tape.removeLogs()
        log(RaydiumPayload().u8(3).u64(1, 2), in: &tape)
        #expect(tape.decode().tally.failed == [.raydiumV4: [.truncated: 1]])
        // An account list of no known form, and data that ends early.
        var list = RaydiumTape()
        list.call(.raydiumV4Program, [Self.pool], RaydiumPayload().u8(9).u64(1, 2).bytes)
        #expect(list.decode().tally.failed == [.raydiumV4: [.missingAccount: 1]])
        var data = RaydiumTape()
        let accounts = (0..<17).map { Address.named("filler \($0)") }
        data.call(.raydiumV4Program, accounts, RaydiumPayload().u8(9).u64(1).bytes)
        #expect(data.decode().tally.failed == [.raydiumV4: [.truncated: 1]])
        // Vaults without balances.
        var mints = RaydiumTape()
        mints.call(.raydiumV4Program, accounts, RaydiumPayload().u8(9).u64(1, 2).bytes)
        log(exactIn, in: &mints)
        #expect(mints.decode().tally.failed == [.raydiumV4: [.unknownMints: 1]])
        // No data at all.
        var empty = RaydiumTape()
        empty.call(.raydiumV4Program, accounts, [])
        #expect(empty.decode().tally.failed == [.raydiumV4: [.truncated: 1]])
    }

    @Test
    func `instructions without a market are passed over, unknown ones counted`() throws {
        for tag in UInt8(0)...255 where ![1, 3, 4, 9, 11, 16, 17].contains(tag) {
            var tape = RaydiumTape()
            tape.call(.raydiumV4Program, [Self.pool], [tag, 1, 2, 3])
            let (facts, tally) = tape.decode()
            #expect(facts == nil)
            #expect(tally.failed.isEmpty)
            #expect(tally.unknown.values.reduce(0, +) == (tag > 17 ? 1 : 0))
        }
    }

    @Test
    func `an index outside the keys fails its call alone`() throws {
        var tape = swapTape(tag: 9, accounts: 17, coinMint: Self.token, pcMint: .wrappedSOL)
        log(exactIn, in: &tape)
        let program = UInt32(tape.key(.raydiumV4Program))
        var accounts = [UInt8](repeating: 250, count: 17)
        accounts[4] = 0
        tape.add(program: program, accounts, RaydiumPayload().u8(9).u64(1, 2).bytes, 1, 0, 1)
        log(exactIn, in: &tape)
        let (facts, tally) = tape.decode()
        #expect(facts?.trades.count == 1)
        #expect(tally.failed == [.raydiumV4: [.badIndex: 1]])
    }

    @Test
    func `a log of another program is no log of a swap`() throws {
        var tape = swapTape(tag: 9, accounts: 17, coinMint: Self.token, pcMint: .wrappedSOL)
        let id = Address.raydiumV4Program.text(on: .solana)
        let foreign = Address.named("foreign").text(on: .solana)
        tape.log(
            "Program \(id) invoke [1]",
            "Program \(foreign) invoke [2]",
            "Program log: ray_log: \(Data(exactIn.bytes).base64EncodedString())",
            "Program \(foreign) success",
            "Program \(id) success"
        )
        #expect(tape.decode().tally.failed == [.raydiumV4: [.noEvent: 1]])
    }
}

// MARK: Liquidity

extension RaydiumV4CallTests {
    private func liquidityTape(tag: UInt8, accounts: Int, owner: Int) -> RaydiumTape {
        var tape = RaydiumTape()
        var list = (0..<accounts).map { Address.named("filler \($0)") }
        list[1] = Self.pool
        list[5] = .named("lp mint")
        list[6] = Self.coinVault
        list[7] = Self.pcVault
        list[owner] = Self.trader
        tape.call(.raydiumV4Program, list, RaydiumPayload().u8(tag).u64(500, 1, 1).bytes)
        tape.vault(Self.coinVault, mint: Self.token)
        tape.vault(Self.pcVault, mint: .usdc)
        return tape
    }

    @Test(arguments: [(20, 16), (21, 16), (22, 18), (23, 18)])
    func `a withdrawal tells shares, amounts and reserves`(accounts: Int, owner: Int) throws {
        var tape = liquidityTape(tag: 4, accounts: accounts, owner: owner)
        log(
            RaydiumPayload().u8(2).u64(500, 900, 10_000, 20_000, 1_000).u128(1, 2)
                .u64(5_000, 10_000),
            in: &tape
        )
        let (facts, tally) = tape.decode()
        #expect(tally.decoded == [.raydiumV4: 1])
        guard case .liquidity(let change) = facts?.events.first?.event else {
            Issue.record("no liquidity")
            return
        }
        #expect(change.direction == .remove)
        #expect(change.pool == Self.pool)
        #expect(change.owner == Self.trader)
        #expect(change.token == Self.token)
        #expect(change.quote == .usdc)
        #expect(change.tokenAmount == 5_000)
        #expect(change.quoteAmount == 10_000)
        #expect(change.shares == 500)
        #expect(change.sharesBefore == 1_000)
        #expect(change.before == Reserves(token: 10_000, quote: 20_000))
        #expect(change.after == Reserves(token: 5_000, quote: 10_000))
    }

    @Test
    func `a deposit whose log was cut is told by transfers and minted shares`() throws {
        var tape = liquidityTape(tag: 3, accounts: 14, owner: 12)
        let owner = Self.trader
        tape.call(
            .tokenProgram,
            [Self.source, Self.coinVault, owner],
            RaydiumPayload().u8(3).u64(70).bytes,
            depth: 2
        )
        tape.call(
            .tokenProgram,
            [Self.source, Self.pcVault, owner],
            RaydiumPayload().u8(3).u64(80).bytes,
            depth: 2
        )
        tape.call(
            .tokenProgram,
            [.named("lp mint"), Self.target, .named("authority")],
            RaydiumPayload().u8(7).u64(90).bytes,
            depth: 2
        )
        guard case .liquidity(let change) = tape.decode().facts?.events.first?.event else {
            Issue.record("no liquidity")
            return
        }
        #expect(change.direction == .add)
        #expect(change.tokenAmount == 70)
        #expect(change.quoteAmount == 80)
        #expect(change.shares == 90)
        #expect(change.sharesBefore == nil)
        #expect(change.before == nil)
    }

    @Test(.enabled(if: RaydiumShared.isPresent, RaydiumShared.absent))
    func `real pools are opened with the shares that were minted and locked`() throws {
        var openings = 0
        for read in try RaydiumShared.transactions("real.bin") {
            var decoder = ProgramDecoder()
            var tally = ParseTally()
            let facts = decoder.decode(read.transaction, read.bytes.span.bytes, tally: &tally)
            for event in facts?.events ?? [] {
                guard case .poolCreated(let pool) = event.event else { continue }
                guard pool.venue == .raydiumV4, let shares = pool.shares else { continue }
                openings += 1
                #expect(pool.quote == .wrappedSOL)
                let decimals = try #require(
                    pool.isReversed ? pool.quoteDecimals : pool.tokenDecimals
                )
                let locked: UInt128 = decimals == 9 ? 1_000_000_000 : 1_000_000
                #expect(pool.lockedShares == locked)
                let minted = try #require(Self.minted(read, pool))
                #expect(shares - locked == minted)
                let reserves = try #require(pool.reserves)
                #expect(shares * shares <= reserves.token * reserves.quote)
                #expect((shares + 1) * (shares + 1) > reserves.token * reserves.quote)
            }
        }
        #expect(openings == 7)
    }

    /// What a MintTo of the pool's share token made.
    private static func minted(_ read: RaydiumShared.Read, _ pool: PoolCreated) -> UInt128? {
        for call in read.transaction.instructions {
            let data = [UInt8](read.bytes[call.data])
            let accounts = [UInt8](read.bytes[call.accounts])
            guard data.count == 9, data[0] == 7, let first = accounts.first,
                read.transaction.keys[Int(first)] == pool.shareToken
            else { continue }
            return (1...8).reduce(0) { $0 | UInt128(data[$1]) << UInt128(8 * ($1 - 1)) }
        }
        return nil
    }
}
