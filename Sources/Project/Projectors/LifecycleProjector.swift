package import MarketModel
package import Projection

/// Folds a chain's bundles into the life of its tokens: phases, progress, market cap, milestones,
/// makers and traders.
package final class LifecycleProjector: Projector {
    package static let name = "lifecycle"
    package static let version: UInt32 = 2

    package let configuration: String
    private var fold: LifecycleFold

    /// Makes its tables in a store.
    ///
    /// - Parameters:
    ///   - store: of the chain that the parameters are for.
    ///   - parameters: thresholds and defaults.
    package init(_ store: StateStore, _ parameters: MonitorParameters) {
        precondition(store.chain == parameters.chain, "parameters of \(parameters.chain)")
        configuration = parameters.sharedText + parameters.lifecycle.text(on: parameters.chain)
        fold = LifecycleFold(store, parameters)
    }

    package func apply(_ bundle: Bundle, notices: inout [Notice]) {
        fold.apply(bundle, notices: &notices)
    }
}

/// Owns the tables `lifecycle_clock`, `lifecycle_gaps` and `lifecycle_drifts`.
package enum LifecycleOwner: MonitorOwner {
    package static let clockSchema = MonitorClock<LifecycleOwner>.schema(named: "lifecycle_clock")
    package static let gapSchema = MonitorGap<LifecycleOwner>.schema(named: "lifecycle_gaps")
    package static let driftSchema = MonitorDrift<LifecycleOwner>.schema(
        named: "lifecycle_drifts",
        subject: "token"
    )
}
