package import MarketModel
package import Projection

/// Folds a chain's bundles into its pools: reserves, shares, fees, TVL, changes of liquidity and who
/// holds what. Curves are no pools.
package final class LiquidityProjector: Projector {
    package static let name = "liquidity"
    package static let version: UInt32 = 2

    package let configuration: String
    private var fold: LiquidityFold

    /// Makes its tables in a store.
    ///
    /// - Parameters:
    ///   - store: of the chain that the parameters are for.
    ///   - parameters: thresholds.
    package init(_ store: StateStore, _ parameters: MonitorParameters) {
        precondition(store.chain == parameters.chain, "parameters of \(parameters.chain)")
        configuration = parameters.sharedText + parameters.liquidity.text(on: parameters.chain)
        fold = LiquidityFold(store, parameters)
    }

    package func apply(_ bundle: Bundle, notices: inout [Notice]) {
        fold.apply(bundle, notices: &notices)
    }
}

/// Owns the tables `liquidity_clock`, `liquidity_gaps` and `liquidity_drifts`.
package enum LiquidityOwner: MonitorOwner {
    package static let clockSchema = MonitorClock<LiquidityOwner>.schema(named: "liquidity_clock")
    package static let gapSchema = MonitorGap<LiquidityOwner>.schema(named: "liquidity_gaps")
    package static let driftSchema = MonitorDrift<LiquidityOwner>.schema(
        named: "liquidity_drifts",
        subject: "pool"
    )
}
