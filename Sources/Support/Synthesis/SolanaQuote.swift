/// What coins are priced in.
enum SolanaQuote: Hashable, CaseIterable {
    case native
    case usdc

    /// The mint in pools and token accounts.
    var mint: SolanaKey {
        switch self {
        case .native: SolanaAddress.wrappedSOL
        case .usdc: SolanaAddress.usdc
        }
    }

    /// The mint as curves and their events have it: zeros say SOL.
    var mintOnCurve: SolanaKey { self == .native ? .zero : mint }

    var decimals: UInt8 { self == .native ? 9 : 6 }

    /// Raw units that are worth about as much as one SOL.
    var unit: UInt64 { self == .native ? 1_000_000_000 : 150_000_000 }

    /// Raw units that are worth about as much as so many lamports.
    func worth(lamports: UInt64) -> UInt64 {
        SolanaMath.multiply(lamports, unit, dividedBy: SolanaQuote.native.unit)
    }
}

/// Token accounts, in one quote, of those who take pump's fees: one for each of the known owners.
struct SolanaFeeAccounts {
    /// Of the protocol.
    var recipients: [(owner: SolanaKey, account: SolanaKey)] = []
    /// Of the part of it that buys tokens back.
    var buybacks: [(owner: SolanaKey, account: SolanaKey)] = []
}
