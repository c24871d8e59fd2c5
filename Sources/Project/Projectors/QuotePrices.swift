import MarketModel
import Projection

/// What quotes are worth in dollars, as far as recorded facts tell it: namespace `price`, key `SOL/USD`,
/// `USDC/USD` or `USDT/USD`, a decimal text with up to nine digits behind the point. The newest record
/// counts. Without one there is no value, and none of it is part of a chain's state.
struct QuotePrices {
    private struct Price {
        /// Dollars for one whole quote, times 10^9.
        var dollars: UInt128
        /// Native units of one whole quote.
        var unit: UInt128
    }

    private var prices: [Address: Price] = [:]

    private static let quotes: [(key: String, quote: Address, unit: UInt128)] = [
        ("SOL/USD", KnownQuote.wrappedSOL, 1_000_000_000),
        ("USDC/USD", KnownQuote.usdc, 1_000_000),
        ("USDT/USD", KnownQuote.usdt, 1_000_000),
    ]

    /// - Throws: the failure of storage.
    init(_ store: StateStore) throws(StorageError) {
        guard store.chain == .solana else { return }
        // By rising sequence: later ones replace earlier ones.
        for (_, row) in try store.all(EnrichmentRow.self) where row.fact.namespace == "price" {
            guard case .text(let text) = row.fact.value,
                let known = Self.quotes.first(where: { $0.key == row.fact.key }),
                let dollars = Self.billionths(text)
            else { continue }
            prices[known.quote] = Price(dollars: dollars, unit: known.unit)
        }
    }

    /// An amount of a quote in cents, rounded down; nil without a price, saturated.
    func cents(_ amount: UInt128, of quote: Address) -> UInt128? {
        guard let price = prices[quote] else { return nil }
        return Exact.mulDiv(amount, price.dollars, price.unit * 10_000_000)?.value
    }

    /// A decimal number times 10^9; nil for anything else, such as signs, exponents or more digits.
    static func billionths(_ text: String) -> UInt128? {
        let parts = text.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard parts.count <= 2, let whole = parts.first, !whole.isEmpty, whole.count <= 18,
            parts.count == 1 || (1...9).contains(parts[1].count)
        else { return nil }
        var value: UInt128 = 0
        for digit in parts.joined() {
            guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(digit) else { return nil }
            value = value * 10 + UInt128(digit - UInt8(ascii: "0"))
        }
        for _ in (parts.count == 2 ? parts[1].count : 0)..<9 { value *= 10 }
        return value
    }
}
