import MarketModel
import Projectors

/// Amounts of known currencies as people write them, `641.568 SOL`; of others in native units.
enum CurrencyAmount {
    /// Writes an amount.
    ///
    /// - Parameters:
    ///   - digits: the amount in native units, in decimal digits, with a sign where it is below zero.
    ///   - currency: what it is in; nil when that is not known.
    ///   - chain: whose currencies are known.
    /// - Returns: from one unit up cut to three decimals, below exactly; `digits` for a currency
    ///   without known decimals.
    static func text(_ digits: String, in currency: Address?, on chain: Chain) -> String {
        guard let currency, let known = KnownQuote.shown(currency, on: chain) else { return digits }
        let isNegative = digits.hasPrefix("-")
        let magnitude = digits.drop { $0 == "-" }
        guard magnitude.allSatisfy(\.isASCIIDigit), !magnitude.isEmpty else { return digits }
        let padding = String(repeating: "0", count: max(0, known.decimals + 1 - magnitude.count))
        let all = padding + magnitude
        let whole = all.dropLast(known.decimals)
        var decimals = all.suffix(known.decimals)
        if whole != "0" { decimals = decimals.prefix(3) }
        while decimals.hasSuffix("0") { decimals = decimals.dropLast() }
        return (isNegative ? "-" : "") + whole + (decimals.isEmpty ? "" : ".\(decimals)")
            + " \(known.symbol)"
    }
}

extension Character {
    fileprivate var isASCIIDigit: Bool { isASCII && isNumber }
}
