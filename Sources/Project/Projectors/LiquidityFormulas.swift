import MarketModel

/// Formulas over what pools hold: integers throughout, rounded down unless said otherwise. State
/// keeps what they are made of; outputs and queries use them.
package enum LiquidityFormulas {
    /// Quote that a price is made of: what is in the vault and what counts beside it, which may be
    /// below zero. At least zero, at most the greatest number.
    package static func effective(_ vault: UInt128, _ virtual: Int128) -> UInt128 {
        virtual < 0 ? vault.minus(virtual.magnitude) : vault.plus(virtual.magnitude)
    }

    /// Quote in the vault, of quote that a price is made of.
    package static func raw(_ effective: UInt128, _ virtual: Int128) -> UInt128 {
        virtual < 0 ? effective.plus(virtual.magnitude) : effective.minus(virtual.magnitude)
    }
}
