import JSONText
import MarketModel

/// Decoded trades as NDJSON, one object a line; integers of 64 bits and more are strings.
final class TradePrinter {
    private var writer = JSONWriter()
    private let chain: Chain = .solana

    /// The first failure of writing; nothing is written after it.
    private var failure: (any Error)?
    var hasFailed: Bool { failure != nil }

    /// Writes what is left.
    ///
    /// - Throws: the first failure of writing.
    func finish(_ write: (String) throws -> Void) throws {
        flush(write)
        if let failure { throw failure }
    }

    private func flush(_ write: (String) throws -> Void) {
        defer { writer.reset() }
        guard failure == nil else { return }
        do { try write(String(decoding: writer.bytes, as: UTF8.self)) } catch { failure = error }
    }

    /// Adds the trades of a transaction; writes now and then.
    func add(_ facts: TransactionFacts, slot: UInt64, _ write: (String) throws -> Void) {
        defer { if writer.bytes.count >= 1 << 20 { flush(write) } }
        for placed in facts.events {
            guard case .trade(let trade) = placed.event else { continue }
            writer.beginObject()
            text("signature", facts.id.description)
            number("slot", slot)
            number("index", facts.index)
            text("place", placed.place.description)
            text("venue", trade.venue.description)
            text("pool", trade.pool.text(on: chain))
            text("token", trade.token.text(on: chain))
            text("quote", trade.quote.text(on: chain))
            text("side", trade.side == .buy ? "buy" : "sell")
            text("trader", trade.trader.text(on: chain))
            number("token_amount", trade.tokenAmount)
            number("quote_amount", trade.quoteAmount)
            number("trader_quote_amount", trade.traderQuoteAmount)
            writer.key("fees")
            add(trade.fees)
            writer.key("flags")
            writer.beginArray()
            for (flag, name) in Self.flagNames where trade.flags.contains(flag) {
                writer.string(name)
            }
            writer.endArray()
            writer.endObject()
            writer.endLine()
        }
    }

    private static let flagNames: [(Trade.Flags, String)] = [
        (.mayhemAgent, "mayhem_agent"), (.multiHop, "multi_hop"),
        (.rawOrientation, "raw_orientation"), (.fromCall, "from_call"),
        (.fromBalances, "from_balances"), (.saturated, "saturated"),
        (.postComplete, "post_complete"),
    ]

    private func add(_ fees: TradeFees) {
        writer.beginObject()
        for (name, fee) in [
            ("liquidity", fees.liquidity), ("venue", fees.venue), ("creator", fees.creator),
            ("cashback", fees.cashback), ("buyback_inside", fees.buybackInside),
        ] {
            writer.key(name)
            if let fee { writer.integerString(fee) } else { writer.null() }
        }
        writer.key("in_token")
        writer.boolean(fees.isInToken)
        writer.endObject()
    }

    private func text(_ name: String, _ value: String) {
        writer.key(name)
        writer.string(value)
    }

    private func number(_ name: String, _ value: some BinaryInteger) {
        writer.key(name)
        writer.integerString(value)
    }
}
