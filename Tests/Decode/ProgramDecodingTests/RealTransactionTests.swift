import Foundation
import GeyserDecoding
import MarketModel
import ProgramDecoding
import Testing

/// All transactions of the real messages. Sums and counts are those of an independent decoder in
/// another language.
@Suite struct RealTransactionTests {
    /// Every transaction's facts, and what was counted.
    static func decodeAll(_ name: String) throws -> (facts: [TransactionFacts], tally: ParseTally) {
        var reader = SolanaTransactionReader()
        var decoder = ProgramDecoder()
        var tally = ParseTally()
        var facts: [TransactionFacts] = []
        for message in try SharedVectors.messages(name) {
            let bytes = message.span.bytes
            guard case .transaction(let update) = try SolanaUpdate(of: bytes) else { continue }
            try reader.readAll(bytes, #require(update.info))
            let found = decoder.decode(reader.transaction, bytes, tally: &tally)
            if let found { facts.append(found) }
        }
        return (facts, tally)
    }

    @Test(.enabled(if: SharedVectors.isPresent, SharedVectors.absent))
    func `every pump event of the real transactions is found once`() throws {
        let (facts, tally) = try Self.decodeAll("real.bin")
        let trades = facts.flatMap(\.events).compactMap { placed -> Trade? in
            if case .trade(let trade) = placed.event { return trade }
            return nil
        }
        let curve = trades.filter { $0.venue == .pumpCurve }
        #expect(curve.count == 17)
        #expect(curve.count { $0.side == .buy } == 12)
        #expect(curve.reduce(0) { $0 + $1.tokenAmount } == 279_077_404_911_770)
        // One of them in USDC: 3,517,192.
        #expect(curve.reduce(0) { $0 + $1.quoteAmount } == 14_018_810_749 + 3_517_192)
        #expect(curve.filter { $0.quote != .sol }.map(\.quoteAmount) == [3_517_192])

        let pool = trades.filter { $0.venue == .pumpSwap }
        #expect(pool.count == 12)
        #expect(pool.reduce(0) { $0 + ($1.fees.liquidity ?? 0) } == 1_168_923_389_794)

        var counts: [String: Int] = [:]
        for placed in facts.flatMap(\.events) {
            switch placed.event {
            case .tokenCreated(let event) where event.venue == .pumpCurve:
                counts["created", default: 0] += 1
            case .curveMigrated(let event) where event.venue == .pumpCurve:
                counts["migrated", default: 0] += 1
            case .poolCreated(let event) where event.venue == .pumpSwap:
                counts["pool", default: 0] += 1
            case .liquidity(let event) where event.venue == .pumpSwap:
                counts["liquidity", default: 0] += 1
            default: break
            }
        }
        #expect(counts == ["created": 4, "migrated": 1, "pool": 1, "liquidity": 1])
        for strategy in [Strategy.pumpCurve, .pumpSwap] { printRate(strategy, tally) }
        #expect(tally.decoded[.pumpCurve] == 22 && tally.failed[.pumpCurve] == nil)
        #expect(tally.decoded[.pumpSwap] == 14 && tally.failed[.pumpSwap] == nil)
        #expect(tally.unknown.keys.allSatisfy { $0.program != .pump && $0.program != .amm })
    }

    @Test(.enabled(if: SharedVectors.isPresent, SharedVectors.absent))
    func `fees, tips, priority and links are those of the messages`() throws {
        let (all, _) = try Self.decodeAll("real.bin")
        let facts = all.filter { facts in
            facts.events.contains { placed in
                switch placed.event {
                case .trade(let trade): trade.venue == .pumpCurve || trade.venue == .pumpSwap
                case .tokenCreated(let event): event.venue == .pumpCurve
                case .liquidity(let event): event.venue == .pumpSwap
                case .poolCreated(let event): event.venue == .pumpSwap
                default: false
                }
            }
        }
        #expect(facts.count == 26)
        #expect(facts.reduce(0) { $0 + $1.fee } == 3_331_565)
        #expect(facts.reduce(0) { $0 + $1.priorityPrice } == 9_666_635)
        #expect(facts.reduce(0) { $0 + $1.tip } == 6_725_000)
        let links = facts.flatMap(\.links)
        #expect(links.count == 1)
        #expect(links.first?.amount == 4_374_143_343)
        #expect(links.first?.from == Address("HV1KXxWFaSeriyFvXyx48FqG9BoFbfinB8njCJonqP7K"))
    }

    @Test(.enabled(if: SharedVectors.isPresent, SharedVectors.absent))
    func `a migration gives pool, burn and first trade at their places`() throws {
        let (facts, _) = try Self.decodeAll("real.bin")
        let signature =
            "2ffHb9AXeKNVs3KSusTHTY3GTPnUJ2WLr48pjHDZjhMYfLC9P6XWXMuDkev13X49qLp6A5CkDmAJciJgieQUFidV"
        let found = try #require(facts.first { $0.id.description == signature })
        #expect(
            found.events.map { "\($0.place)" } == ["0/0.0/0", "0/0.23/0", "0/0.38/0", "0/3.0/0"]
        )
        guard case .sharesBurned(let burn) = found.events[2].event else {
            Issue.record("no burn")
            return
        }
        // All but the 100 shares that nobody ever gets.
        #expect(burn.shares == 4_193_388_291_484)
        #expect(burn.shareToken == Address("B88Rh9j2qfakyhY8ZxkfejFRp1B56BMyHcAQ6D61rERS"))
    }

    /// Events of a stream of logs alone: no instructions, so that no event has a call.
    @Test(.enabled(if: SharedVectors.isPresent, SharedVectors.absent))
    func `logs without instructions give the curve's events`() throws {
        var count = 0
        var tally = ParseTally()
        var decoder = ProgramDecoder()
        let name = "vectors/helius_logs_subscribe_pumpfun_2026-07-04.jsonl"
        for line in try SharedVectors.lines(name) {
            let raw = try #require(line["raw"] as? String)
            let object = try JSONSerialization.jsonObject(with: Data(raw.utf8)) as? [String: Any]
            let result = (object?["params"] as? [String: Any])?["result"] as? [String: Any]
            guard let value = result?["value"] as? [String: Any] else { continue }
            var made = MadeTransaction()
            _ = made.key(.pump)
            for text in try #require(value["logs"] as? [String]) { made.log(text) }
            made.change { $0.isFailed = !(value["err"] is NSNull) }
            let bytes = made.bytes.span.bytes
            guard let facts = decoder.decode(made.transaction, bytes, tally: &tally) else {
                continue
            }
            #expect(facts.events.map(\.place) == facts.events.map(\.place).sorted())
            for placed in facts.events {
                count += 1
                guard case .trade(let trade) = placed.event else { continue }
                try CurveFormula.check(trade)
            }
        }
        print("logs alone: \(count) events")
        #expect(count == 29)
        #expect(tally.failed[.pumpCurve] == nil)
    }

    private func printRate(_ strategy: Strategy, _ tally: ParseTally) {
        let decoded = tally.decoded[strategy] ?? 0  // none is nought
        let failed = (tally.failed[strategy] ?? [:]).values.reduce(0, +)
        let count = decoded + failed
        print("parse rate of \(strategy): \(decoded) of \(count)")
        if count >= 100 { #expect(decoded * 100 > count * 98) }
    }
}

/// What the curve's program computes, as its documentation has it.
enum CurveFormula {
    static func check(_ trade: Trade) throws {
        guard !trade.flags.contains(.mayhemAgent), let before = trade.before else { return }
        let product = trade.tokenAmount * before.quote
        let quote =
            trade.side == .buy
            ? product / (before.token - trade.tokenAmount) + 1
            : product / (before.token + trade.tokenAmount)
        if trade.side == .buy, trade.quoteAmount != quote {
            // Exact quote in: the tokens follow from the quote.
            let net = trade.quoteAmount - 1
            #expect(trade.tokenAmount == net * before.token / (before.quote + net))
            return
        }
        #expect(trade.quoteAmount == quote)
    }
}
