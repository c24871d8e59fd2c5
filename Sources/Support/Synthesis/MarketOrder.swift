/// Where an order goes: a coin's curve by its mint, or a pool by its address.
enum MarketVenue: Hashable {
    case curve(SolanaKey)
    case pumpSwap(SolanaKey)
    case raydium(SolanaKey)

    /// What a trade there is known by.
    var pool: SolanaKey {
        switch self {
        case .curve(let key), .pumpSwap(let key), .raydium(let key): key
        }
    }
}

/// One trade that somebody wants to make.
struct MarketOrder {
    enum Size {
        /// So much of the quote, fees included.
        case spend(UInt64)
        /// Exactly so many tokens; not on Raydium.
        case buy(UInt64)
        case sell(UInt64)

        var isBuy: Bool { if case .sell = self { false } else { true } }
    }

    var venue: MarketVenue
    /// Index of the wallet.
    var wallet: Int
    var size: Size
    /// How much worse it might have become, in basis points.
    var tolerance: UInt64
}

/// How a transaction is sent.
struct MarketTerms {
    /// Micro-lamports for each compute unit.
    var priorityPrice: UInt64
    /// Lamports to a block engine.
    var tip: UInt64 = 0
    /// Another wallet that pays for it.
    var payer: Int?
    /// A program that stands between wallet and venue.
    var router: SolanaKey?
    /// A wallet that belongs to that program.
    var puppet: SolanaKey?
    /// Moves what was bought on to another wallet.
    var handsOverTo: Int?
}

/// A trade as it went.
struct MarketFill {
    var venue: MarketVenue
    var wallet: Int
    var isBuy: Bool
    var tokens: UInt64
    /// What the wallet paid or got.
    var quote: UInt64
    var slot: UInt64
    /// Place of the transaction in its block.
    var index: UInt64
    var signature: [UInt8]
    /// What the transaction cost in all: fee, priority and tip.
    var cost: UInt64
    var priorityPrice: UInt64
    var tip: UInt64
    var payer: Int?
}
