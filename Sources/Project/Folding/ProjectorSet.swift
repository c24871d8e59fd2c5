import MarketModel
package import Projection
import Projectors

/// The projectors that a fold has, in the order in which they fold: monitors, and what is known from
/// outside, which always is there.
package enum ProjectorSet {
    /// The names of monitors.
    package static let names = [
        LifecycleProjector.name, TradingProjector.name, LiquidityProjector.name,
    ]

    /// Makes some of them.
    ///
    /// - Parameters:
    ///   - names: which monitors; nil for all.
    ///   - store: where their tables are made.
    /// - Returns: in the order in which they fold.
    package static func make(_ names: Set<String>?, in store: StateStore) -> [any Projector] {
        let parameters = MonitorParameters(store.chain)
        var projectors: [any Projector] = []
        if names?.contains(LifecycleProjector.name) != false {
            projectors.append(LifecycleProjector(store, parameters))
        }
        if names?.contains(TradingProjector.name) != false {
            projectors.append(TradingProjector(store, parameters))
        }
        if names?.contains(LiquidityProjector.name) != false {
            projectors.append(LiquidityProjector(store, parameters))
        }
        projectors.append(EnrichmentProjector(store))
        return projectors
    }
}
