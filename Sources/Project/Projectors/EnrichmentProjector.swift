package import MarketModel
package import Projection

/// Keeps what is known from outside the chain. No monitor reads it: what a chain's state is never
/// depends on who else was asked.
package final class EnrichmentProjector: Projector {
    package static let name = "enrichment"
    package static let version: UInt32 = 1

    package let configuration = ""
    private let facts: Table<EnrichmentRow>

    /// Makes its table in a store.
    package init(_ store: StateStore) {
        facts = store.table(EnrichmentRow.self)
    }

    package func apply(_ bundle: Bundle, notices: inout [Notice]) {
        for fact in bundle.facts {
            // The key has the sequence: a row that comes back from storage has no other.
            var told = fact
            told.sequence = 0
            facts.put(fact.sequence, EnrichmentRow(told, effective: bundle.position))
        }
    }
}
