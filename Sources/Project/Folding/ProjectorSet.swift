import MarketModel
package import Projection
import Projectors

/// The projectors that a fold can have, in the order in which they fold.
package enum ProjectorSet {
    /// Their names.
    package static let names = [
        LifecycleProjector.name, TradingProjector.name, LiquidityProjector.name,
    ]

    /// Makes some of them.
    ///
    /// - Parameters:
    ///   - names: which; nil for all.
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
        return projectors
    }
}
