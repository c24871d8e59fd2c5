import Foundation
import MarketModel
import ProgramDecoding
import Testing

/// Every gathered event of the pump programs, field by field against what others decoded.
@Suite struct EventVectorTests {
    private func events(named names: String...) throws -> [EventVector] {
        try SharedVectors.pumpEvents().filter { names.contains($0.event) && !$0.fields.isEmpty }
    }

    private func only(_ vector: EventVector, inLog: Bool) throws -> MarketEvent {
        let (events, tally) = vector.transaction(inLog: inLog).events()
        #expect(events.count == 1)
        #expect(tally.failed.isEmpty)
        return try #require(events.first).event
    }

    @Test(.enabled(if: SharedVectors.isPresent, SharedVectors.absent), arguments: [true, false])
    func `every form of a curve trade gives its fields`(inLog: Bool) throws {
        let vectors = try events(named: "TradeEvent")
        #expect(Set(vectors.map(\.bytes.count)) == [129, 225, 298, 358, 359, 371])
        for vector in vectors {
            guard case .trade(let trade) = try only(vector, inLog: inLog) else {
                Issue.record("\(vector) is no trade")
                continue
            }
            let isBuy = vector.bool("is_buy") == true
            // One coin of the collection is paired with USDC, and one trade is the agent's.
            let mint = vector.key("quote_mint")
            let isOther = mint.map { !$0.isZero } ?? false
            let kind = isOther ? "quote" : "sol"
            let agent = Address("BwWK17cbHxwWBKZkUYvzxLcNQ1YVyaFezduWbtm2de6s")
            #expect(trade.venue == .pumpCurve)
            #expect(trade.token == vector.key("mint") && trade.pool == trade.token)
            #expect(trade.quote == (isOther ? mint : .sol))
            #expect(trade.side == (isBuy ? .buy : .sell))
            #expect(trade.trader == vector.key("user"))
            #expect(trade.tokenAmount == vector.number("token_amount"))
            #expect(trade.quoteAmount == vector.number("\(kind)_amount"))
            #expect(trade.after?.quote == vector.number("virtual_\(kind)_reserves"))
            #expect(trade.after?.token == vector.number("virtual_token_reserves"))
            #expect(trade.realQuoteReserves == vector.number("real_\(kind)_reserves"))
            #expect(trade.realTokenReserves == vector.number("real_token_reserves"))
            #expect(trade.fees.venue == vector.number("fee"))
            #expect(trade.fees.creator == vector.number("creator_fee"))
            #expect(trade.fees.cashback == vector.number("cashback"))
            #expect(trade.fees.buybackInside == vector.number("buyback_fee"))
            #expect(trade.fees.liquidity == nil)
            #expect(trade.creator == vector.key("creator"))
            #expect(trade.limit == 77)
            #expect(trade.curve == .named(33))
            #expect(trade.flags == (trade.trader == agent ? .mayhemAgent : []))
            #expect(trade.router == nil)
        }
    }

    @Test(.enabled(if: SharedVectors.isPresent, SharedVectors.absent), arguments: [true, false])
    func `every form of a creation gives its fields`(inLog: Bool) throws {
        let vectors = try events(named: "CreateEvent")
        #expect(Set(vectors.map(\.bytes.count)) == [204, 207, 267, 332, 348, 354])
        for vector in vectors {
            guard case .tokenCreated(let created) = try only(vector, inLog: inLog) else {
                Issue.record("\(vector) is no creation")
                continue
            }
            #expect(created.name == vector.text("name"))
            #expect(created.symbol == vector.text("symbol"))
            #expect(created.uri == vector.text("uri"))
            #expect(created.token == vector.key("mint"))
            #expect(created.curve == vector.key("bonding_curve"))
            #expect(created.user == vector.key("user"))
            #expect(created.creator == vector.key("creator") ?? vector.key("user"))
            #expect(created.quote == .sol)
            #expect(created.virtualReserves?.token == vector.number("virtual_token_reserves"))
            #expect(created.virtualReserves?.quote == vector.number("virtual_sol_reserves"))
            #expect(created.realTokenReserves == vector.number("real_token_reserves"))
            #expect(created.supply == vector.number("token_total_supply"))
            #expect(created.tokenProgram == vector.key("token_program"))
            #expect(created.isMayhem == (vector.bool("is_mayhem_mode") == true))
            #expect(created.isCashback == (vector.bool("is_cashback_enabled") == true))
            #expect(!created.isHolderReward)
        }
    }

    @Test(.enabled(if: SharedVectors.isPresent, SharedVectors.absent), arguments: [true, false])
    func `completions and migrations give their fields`(inLog: Bool) throws {
        for vector in try events(named: "CompleteEvent") {
            let expected = CurveCompleted(
                venue: .pumpCurve,
                token: try #require(vector.key("mint")),
                curve: try #require(vector.key("bonding_curve")),
                user: try #require(vector.key("user"))
            )
            #expect(try only(vector, inLog: inLog) == .curveCompleted(expected))
        }
        let migrations = try events(named: "CompletePumpAmmMigrationEvent")
        #expect(Set(migrations.map(\.bytes.count)) == [168, 200])
        for vector in migrations {
            let expected = CurveMigrated(
                venue: .pumpCurve,
                token: try #require(vector.key("mint")),
                curve: try #require(vector.key("bonding_curve")),
                pool: try #require(vector.key("pool")),
                user: try #require(vector.key("user")),
                tokenAmount: try #require(vector.number("mint_amount")),
                quoteAmount: try #require(vector.number("sol_amount")),
                fee: try #require(vector.number("pool_migration_fee"))
            )
            #expect(try only(vector, inLog: inLog) == .curveMigrated(expected))
        }
    }

    @Test(.enabled(if: SharedVectors.isPresent, SharedVectors.absent), arguments: [true, false])
    func `every form of a PumpSwap trade gives its fields`(inLog: Bool) throws {
        let vectors = try events(named: "BuyEvent", "SellEvent")
        #expect(Set(vectors.map(\.bytes.count)) == [312, 360, 376, 408, 417, 465, 480, 481])
        for vector in vectors {
            guard case .trade(let trade) = try only(vector, inLog: inLog) else {
                Issue.record("\(vector) is no trade")
                continue
            }
            let isBuy = vector.event == "BuyEvent"
            let isExactIn = vector.text("ix_name") == "buy_exact_quote_in"
            let net = vector.number(
                isBuy ? isExactIn ? "user_quote_amount_in" : "quote_amount_in" : "quote_amount_out"
            )
            let paid = vector.number(
                isBuy
                    ? isExactIn ? "quote_amount_in" : "user_quote_amount_in"
                    : "user_quote_amount_out"
            )
            let base = vector.number(isBuy ? "base_amount_out" : "base_amount_in")
            let limit = vector.number(
                isBuy
                    ? isExactIn ? "min_base_amount_out" : "max_quote_amount_in"
                    : "min_quote_amount_out"
            )
            #expect(trade.venue == .pumpSwap)
            #expect(trade.pool == vector.key("pool"))
            #expect(trade.token == .named(1) && trade.quote == .sol)
            #expect(trade.side == (isBuy ? .buy : .sell))
            #expect(trade.exactness == (isBuy && !isExactIn ? .exactOut : .exactIn))
            #expect(trade.trader == vector.key("user"))
            #expect(trade.tokenAmount == base)
            #expect(trade.quoteAmount == net)
            #expect(trade.traderQuoteAmount == paid)
            #expect(trade.limit == limit)
            #expect(trade.fees.liquidity == vector.number("lp_fee"))
            #expect(trade.fees.venue == vector.number("protocol_fee"))
            #expect(trade.fees.creator == vector.number("coin_creator_fee"))
            #expect(trade.fees.cashback == vector.number("cashback"))
            #expect(trade.fees.buybackInside == vector.number("buyback_fee"))
            #expect(trade.virtualQuote == vector.number("virtual_quote_reserves").map(Int128.init))
            #expect(trade.baseSupply == vector.number("base_supply"))
            let virtual = vector.number("virtual_quote_reserves") ?? 0  // older forms have none
            #expect(trade.before?.token == vector.number("pool_base_token_reserves"))
            #expect(
                trade.before?.quote
                    == vector.number("pool_quote_token_reserves").map { $0 + virtual }
            )
        }
    }

    @Test(.enabled(if: SharedVectors.isPresent, SharedVectors.absent), arguments: [true, false])
    func `deposits and withdrawals give their fields`(inLog: Bool) throws {
        let vectors = try events(named: "DepositEvent", "WithdrawEvent")
        #expect(vectors.count == 3)
        for vector in vectors {
            guard case .liquidity(let change) = try only(vector, inLog: inLog) else {
                Issue.record("\(vector) is no change of liquidity")
                continue
            }
            let isDeposit = vector.event == "DepositEvent"
            let base = try #require(vector.number(isDeposit ? "base_amount_in" : "base_amount_out"))
            let quote = try #require(
                vector.number(isDeposit ? "quote_amount_in" : "quote_amount_out")
            )
            #expect(change.pool == vector.key("pool") && change.owner == vector.key("user"))
            #expect(change.direction == (isDeposit ? .add : .remove))
            #expect(change.tokenAmount == base && change.quoteAmount == quote)
            #expect(
                change.shares
                    == vector.number(isDeposit ? "lp_token_amount_out" : "lp_token_amount_in")
            )
            #expect(change.sharesBefore == vector.number("lp_mint_supply"))
            let vaultBase = try #require(vector.number("pool_base_token_reserves"))
            let vaultQuote = try #require(vector.number("pool_quote_token_reserves"))
            #expect(change.before == Reserves(token: vaultBase, quote: vaultQuote))
            #expect(
                change.after
                    == (isDeposit
                        ? Reserves(token: vaultBase + base, quote: vaultQuote + quote)
                        : Reserves(token: vaultBase - base, quote: vaultQuote - quote))
            )
        }
    }

    @Test(.enabled(if: SharedVectors.isPresent, SharedVectors.absent), arguments: [true, false])
    func `new pools give their fields, wrapped SOL as base too`(inLog: Bool) throws {
        let vectors = try events(named: "CreatePoolEvent")
        #expect(vectors.contains { $0.key("base_mint") == .sol })
        for vector in vectors {
            guard case .poolCreated(let created) = try only(vector, inLog: inLog) else {
                Issue.record("\(vector) is no new pool")
                continue
            }
            let isReversed = vector.key("base_mint") == .sol
            let base = try #require(vector.number("pool_base_amount"))
            let quote = try #require(vector.number("pool_quote_amount"))
            #expect(created.isReversed == isReversed && !created.isRawOrientation)
            #expect(created.token == vector.key(isReversed ? "quote_mint" : "base_mint"))
            #expect(created.quote == .sol)
            #expect(
                created.reserves
                    == (isReversed
                        ? Reserves(token: quote, quote: base) : Reserves(token: base, quote: quote))
            )
            #expect(created.tokenDecimals == 6 && created.quoteDecimals == 9)
            #expect(created.pool == vector.key("pool"))
            #expect(created.creator == vector.key("creator"))
            #expect(created.shareToken == vector.key("lp_mint"))
            #expect(created.shares == vector.number("initial_liquidity"))
            #expect(created.lockedShares == vector.number("minimum_liquidity"))
            #expect(created.index.map { UInt128($0) } == vector.number("index"))
            #expect(created.coinCreator == vector.key("coin_creator"))
        }
    }

    /// What the programs compute, as their documentation has it: an oracle for the amounts that
    /// were taken for those that move the price, and for the fees.
    @Test(.enabled(if: SharedVectors.isPresent, SharedVectors.absent))
    func `amounts and fees follow the programs' formulas`() throws {
        func fee(_ amount: UInt128, _ rate: UInt128?) -> UInt128? {
            rate.map { (amount * $0 + 9_999) / 10_000 }
        }
        var count = 0
        for vector in try events(named: "TradeEvent", "BuyEvent", "SellEvent") {
            guard case .trade(let trade) = try only(vector, inLog: true) else { continue }
            let isCurve = trade.venue == .pumpCurve
            let names =
                isCurve
                ? ["fee_basis_points", "creator_fee_basis_points"]
                : ["protocol_fee_basis_points", "coin_creator_fee_basis_points"]
            let net = trade.quoteAmount
            #expect(trade.fees.venue == fee(net, vector.number(names[0])))
            #expect(trade.fees.creator == fee(net, vector.number(names[1])))
            #expect(trade.fees.cashback == fee(net, vector.number("cashback_fee_basis_points")))
            #expect(trade.fees.liquidity == fee(net, vector.number("lp_fee_basis_points")))
            count += 1
            if isCurve {
                try CurveFormula.check(trade)
                continue
            }
            let before = try #require(trade.before)
            let tokens = trade.tokenAmount
            if trade.side == .sell {
                #expect(net == before.quote * tokens / (before.token + tokens))
            } else if trade.exactness == .exactIn {
                #expect(tokens == before.token * net / (before.quote + net))
            } else {
                let left = before.token - tokens
                #expect(net == (before.quote * tokens + left - 1) / left)
            }
        }
        #expect(count == 33)
    }

    @Test(.enabled(if: SharedVectors.isPresent, SharedVectors.absent))
    func `events and instructions of a third collection are read`() throws {
        let rows = try #require(SharedVectors.json("decode_vectors.json") as? [[String: Any]])
        var read = 0
        for row in rows {
            let name = try #require(row["test"] as? String)
            let data = try #require((row["data"] as? [[String: Any]])?.first)
            guard let text = data["value"] as? String, text.hasPrefix("e445a52e51cb9a1d") else {
                continue
            }
            let payload = Array(Bytes(text).bytes[8...])
            let isCurve = (row["file"] as? String) == "pumpfun__pumpfun.rs"
            let isPool = name.contains("create_pool")
            let event = isCurve ? "TradeEvent" : isPool ? "CreatePoolEvent" : "BuyEvent"
            var vector = EventVector(
                program: isCurve ? "pump" : "pump_amm",
                event: event,
                bytes: payload
            )
            var expected: [String: String] = [:]
            for pair in row["expect"] as? [[String]] ?? [] {  // some expect nothing
                expected[String(pair[0].dropFirst("event.".count))] = pair[1]
            }
            if let pool = Address(payload.span.bytes, at: 120), event == "BuyEvent" {
                vector = vector.with(pool: pool)
            }
            let (events, tally) = vector.transaction(inLog: false).events()
            #expect(events.count == 1 && tally.failed.isEmpty, "\(name)")
            read += 1
            if isCurve, case .trade(let trade)? = events.first?.event {
                // The oldest one, of May 2024, does not tell the real reserves.
                #expect((trade.realTokenReserves == nil) == (payload.count == 113))
                try CurveFormula.check(trade)
            }
            guard event == "BuyEvent", case .trade(let trade)? = events.first?.event else {
                continue
            }
            #expect("\(trade.tokenAmount)" == expected["base_amount_out"])
            #expect(trade.limit.map { "\($0)" } == expected["max_quote_amount_in"])
            #expect(trade.before.map { "\($0.token)" } == expected["pool_base_token_reserves"])
        }
        #expect(read == 5)
    }

    @Test(.enabled(if: SharedVectors.isPresent, SharedVectors.absent))
    func `PumpSwap events of the second collection are read as well`() throws {
        let rows = try #require(SharedVectors.json("vectors/pumpswap_b64.json") as? [String: Any])
        #expect(rows.count == 11)
        for (name, row) in rows {
            let text = try #require((row as? [String: Any])?["b64"] as? String)
            let bytes = [UInt8](try #require(Data(base64Encoded: text)))
            let event = String(name.prefix { $0 != "_" })
            let isCurve = event.hasPrefix("Complete")
            let vector = EventVector(
                program: isCurve ? "pump" : "pump_amm",
                event: event,
                bytes: bytes
            )
            let (events, tally) = vector.transaction(inLog: true).events()
            // Without its pool the call cannot name the mints of a trade: that is said.
            let needsMints = ["BuyEvent", "SellEvent", "DepositEvent", "WithdrawEvent"]
                .contains(event)
            #expect(events.count == (needsMints ? 0 : 1), "\(name)")
            #expect(
                tally.failed == (needsMints ? [.pumpSwap: [.unknownMints: 1]] : [:]),
                "\(name)"
            )
        }
    }
}
