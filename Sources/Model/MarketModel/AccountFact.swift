/// The state of an account of a known program at the end of a slot. It seeds what was not seen from
/// its beginning; otherwise it is compared with what events gave.
package struct AccountFact: Hashable, Sendable {
    /// The account's decoded contents.
    package enum Content: Hashable, Sendable {
        /// A pump.fun curve. It does not name its coin.
        case bondingCurve(BondingCurveState)
        /// A pool of PumpSwap, Raydium v4, CPMM or CLMM.
        case pool(PoolAccountState)
        /// An SPL token account: mint, owner, amount.
        case tokenAccount(mint: Address, owner: Address, amount: UInt64)
        /// An SPL mint: supply and decimals.
        case mint(supply: UInt64, decimals: UInt8)
    }

    /// Its address.
    package var account: Address
    /// What it holds.
    package var content: Content

    package init(account: Address, content: Content) {
        self.account = account
        self.content = content
    }
}

/// What a curve's account holds.
package struct BondingCurveState: Hashable, Sendable {
    package var virtualReserves: Reserves
    package var realTokenReserves: UInt128
    package var realQuoteReserves: UInt128
    package var supply: UInt128
    package var isComplete: Bool
    /// Nil in the first form of the account.
    package var creator: Address?
    /// Nil for SOL, or in older forms.
    package var quote: Address?
    package var isMayhem = false

    package init(
        virtualReserves: Reserves,
        realTokenReserves: UInt128,
        realQuoteReserves: UInt128,
        supply: UInt128,
        isComplete: Bool
    ) {
        self.virtualReserves = virtualReserves
        self.realTokenReserves = realTokenReserves
        self.realQuoteReserves = realQuoteReserves
        self.supply = supply
        self.isComplete = isComplete
    }
}

/// What a pool's account says. Sides stand as the program has them, not as token and quote.
package struct PoolAccountState: Hashable, Sendable {
    package var venue: Venue
    /// Mints of base and quote, coin and pc, or 0 and 1.
    package var mints: [Address]
    /// The accounts that hold them, in the same order.
    package var vaults: [Address]
    package var shareToken: Address?
    package var shares: UInt128?
    /// PumpSwap: quote that counts for the price and is not in the vault.
    package var virtualQuote: Int128?
    package var coinCreator: Address?
    /// What of the vaults belongs to others, in the order of the mints.
    package var waitingFees: [UInt128]

    package init(venue: Venue, mints: [Address], vaults: [Address], waitingFees: [UInt128] = []) {
        self.venue = venue
        self.mints = mints
        self.vaults = vaults
        self.waitingFees = waitingFees
    }
}
