import MarketModel
import Projectors
import Testing

@testable import Command

@Suite struct CurrencyAmountTests {
    @Test(arguments: [
        ("0", "0 SOL"), ("1", "0.000000001 SOL"), ("-149632", "-0.000149632 SOL"),
        ("999999999", "0.999999999 SOL"), ("1000000000", "1 SOL"), ("1500000000", "1.5 SOL"),
        ("641568479485", "641.568 SOL"), ("-1000000001", "-1 SOL"),
        ("340282366920938463463374607431768211455", "340282366920938463463374607431.768 SOL"),
    ])
    func `lamports are written as SOL, never rounded up`(native: String, text: String) {
        #expect(CurrencyAmount.text(native, in: KnownQuote.wrappedSOL, on: .solana) == text)
    }

    @Test func `each currency has decimals of its own and strange ones stay as they are`() {
        #expect(CurrencyAmount.text("2500000", in: KnownQuote.usdc, on: .solana) == "2.5 USDC")
        #expect(CurrencyAmount.text("1", in: KnownQuote.usdt, on: .solana) == "0.000001 USDT")
        #expect(CurrencyAmount.text("2500000", in: KnownQuote.usdc, on: .evm(1)) == "2500000")
        #expect(CurrencyAmount.text("7", in: .zero, on: .solana) == "7")
        #expect(CurrencyAmount.text("7", in: nil, on: .solana) == "7")
    }
}
