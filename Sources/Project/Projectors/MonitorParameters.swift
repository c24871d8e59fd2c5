package import MarketModel

/// Every threshold, window and default of the monitors of one chain. What stands here can change
/// rows, so each projector's part is written out as text in `Projector.configuration`.
package struct MonitorParameters: Hashable, Sendable {
    /// Whose state it is for.
    package let chain: Chain
    /// What prices are given in, the strongest first: of two known ones in a pair, the earlier is
    /// the quote.
    package var quotes: [Address]
    /// How long a slot or block lasts when its block has no time, in milliseconds.
    package var slotMilliseconds: UInt64
    package var lifecycle: LifecycleParameters
    package var liquidity: LiquidityParameters
    package var trading: TradingParameters

    /// The defaults of a chain, as the table in the stage's README gives them.
    package init(_ chain: Chain) {
        self.chain = chain
        quotes = KnownQuote.all(on: chain)
        switch chain {
        case .solana: slotMilliseconds = 400
        case .evm: slotMilliseconds = 2_000
        }
        lifecycle = LifecycleParameters(chain)
        liquidity = LiquidityParameters(chain)
        trading = TradingParameters(chain)
    }

    /// What every monitor shares, in canonical form.
    package var sharedText: String {
        var text = ParameterText()
        text.add("chain", chain.description)
        text.add("quotes", quotes.map { $0.text(on: chain) })
        text.add("slot_ms", slotMilliseconds)
        return text.text
    }

    /// Which side of a pair is the quote; nil when neither is known.
    ///
    /// - Parameters:
    ///   - first: base, coin or 0.
    ///   - second: quote, pc or 1.
    /// - Returns: whether it is the first one.
    package func isQuoteFirst(_ first: Address, _ second: Address) -> Bool? {
        for quote in quotes {
            if quote == second { return false }
            if quote == first { return true }
        }
        return nil
    }
}

/// Lines of `name=value`, in the order in which they are added: the canonical text of parameters.
package struct ParameterText {
    /// All lines so far.
    package private(set) var text = ""

    package init() {}

    /// One parameter.
    package mutating func add(_ name: String, _ value: some CustomStringConvertible) {
        text += "\(name)=\(value)\n"
    }

    /// One parameter with several values; their order counts.
    package mutating func add(_ name: String, _ values: [some CustomStringConvertible]) {
        add(name, values.map(\.description).joined(separator: ","))
    }
}

/// The currencies that prices are given in.
package enum KnownQuote {
    /// So11111111111111111111111111111111111111112, 9 decimals.
    package static let wrappedSOL = Address(
        Bytes32(
            words: (
                0x069b_8857_feab_8184, 0xfb68_7f63_4618_c035, 0xdac4_39dc_1aeb_3b55,
                0x98a0_f000_0000_0001
            )
        )
    )
    /// EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v, 6 decimals.
    package static let usdc = Address(
        Bytes32(
            words: (
                0xc6fa_7af3_bedb_ad3a, 0x3d65_f36a_abc9_7431, 0xb1bb_e4c2_d2f6_e0e4,
                0x7ca6_0203_452f_5d61
            )
        )
    )
    /// Es9vMFrzaCERmJfrF4H2FYD4KCoNkY11McCe8BenwNYB, 6 decimals.
    package static let usdt = Address(
        Bytes32(
            words: (
                0xce01_0e60_afed_b227, 0x17bd_6319_2f54_145a, 0x3f96_5a33_bb82_d2c7,
                0x029e_b2ce_1e20_8264
            )
        )
    )
    /// Wrapped POL on Polygon, 18 decimals: 0x0d500B1d8E8eF31E21C99d1Db9A6444d3ADf1270.
    package static let wrappedPOL = evm(0x0d50_0b1d, 0x8e8e_f31e_21c9_9d1d, 0xb9a6_444d_3adf_1270)
    /// USDC on Polygon, 6 decimals: 0x3c499c542cEF5E3811e1192ce70d8cC03d5c3359.
    package static let polygonUSDC = evm(0x3c49_9c54, 0x2cef_5e38_11e1_192c, 0xe70d_8cc0_3d5c_3359)
    /// Bridged USDC on Polygon, 6 decimals: 0x2791Bca1f2de4661ED88A30C99A7a9449Aa84174.
    package static let polygonBridgedUSDC = evm(
        0x2791_bca1,
        0xf2de_4661_ed88_a30c,
        0x99a7_a944_9aa8_4174
    )
    /// USDT on Polygon, 6 decimals: 0xc2132D05D31c914a87C6611C10748AEb04B58e8F.
    package static let polygonUSDT = evm(0xc213_2d05, 0xd31c_914a_87c6_611c, 0x1074_8aeb_04b5_8e8f)

    /// Those of a chain, the strongest first.
    package static func all(on chain: Chain) -> [Address] {
        switch chain {
        case .solana: [wrappedSOL, usdc, usdt]
        case .evm(137): [wrappedPOL, polygonUSDC, polygonBridgedUSDC, polygonUSDT]
        case .evm: []
        }
    }

    /// How people write amounts of a currency; nil when it is none of ours.
    package static func shown(
        _ currency: Address,
        on chain: Chain
    ) -> (symbol: String, decimals: Int)? {
        switch (chain, currency) {
        case (.solana, wrappedSOL): ("SOL", 9)
        case (.solana, usdc), (.evm(137), polygonUSDC): ("USDC", 6)
        case (.solana, usdt), (.evm(137), polygonUSDT): ("USDT", 6)
        case (.evm(137), wrappedPOL): ("POL", 18)
        case (.evm(137), polygonBridgedUSDC): ("USDC.e", 6)
        default: nil
        }
    }

    /// An EVM address of 20 bytes in its place.
    private static func evm(_ high: UInt64, _ middle: UInt64, _ low: UInt64) -> Address {
        Address(Bytes32(words: (0, high, middle, low)))
    }
}
