package import MarketModel
import RecordModel

/// A fact from outside that is not settled: it may have to be told again on another branch.
package struct OpenFact: Hashable, Sendable {
    package var fact: OutsideFact
    /// The first slot or block that may know it: none that was applied before its record did.
    package var position: UInt64
    /// The applied bundle that carries it; nil while none does.
    package internal(set) var carrier: UInt64?

    package init(_ fact: OutsideFact, from position: UInt64) {
        self.fact = fact
        self.position = position
    }
}

/// The facts from outside that are not settled, in the order of their records. Each is carried by the
/// first bundle of the applied branch that may know it, and is let go when that one is final.
struct OpenFacts: Sendable {
    private(set) var entries: [OpenFact] = []
    private var bytes = 0
    private let bytesMax: Int

    init(bytesMax: Int) {
        self.bytesMax = bytesMax
    }

    /// Takes over what a checkpoint kept; nothing carries it yet.
    mutating func restore(_ entries: [OpenFact]) {
        self.entries = entries
        for place in entries.indices { self.entries[place].carrier = nil }
        bytes = entries.reduce(0) { $0 + Self.size(of: $1.fact) }
    }

    /// Adds a fact.
    ///
    /// - Returns: false when there is no room for it.
    mutating func add(_ fact: OutsideFact, from position: UInt64) -> Bool {
        let size = Self.size(of: fact)
        guard size <= bytesMax - bytes else { return false }
        bytes += size
        entries.append(OpenFact(fact, from: position))
        return true
    }

    /// Lets a bundle carry what no bundle below it does.
    ///
    /// - Returns: what it carries.
    mutating func carry(at position: UInt64) -> [OutsideFact] {
        guard !entries.isEmpty else { return [] }
        var carried: [OutsideFact] = []
        for place in entries.indices
        where entries[place].carrier == nil && entries[place].position <= position {
            entries[place].carrier = position
            carried.append(entries[place].fact)
        }
        return carried
    }

    /// Takes back what a bundle carried.
    mutating func undo(_ position: UInt64) {
        for place in entries.indices where entries[place].carrier == position {
            entries[place].carrier = nil
        }
    }

    /// Lets go what bundles up to a position carry.
    mutating func settle(through position: UInt64) {
        guard !entries.isEmpty else { return }
        entries.removeAll { entry in
            guard let carrier = entry.carrier, carrier <= position else { return false }
            bytes -= Self.size(of: entry.fact)
            return true
        }
    }

    private static func size(of fact: OutsideFact) -> Int {
        // With what an entry takes beside its texts.
        128 + fact.namespace.utf8.count + fact.key.utf8.count + fact.value.byteCount
            + (fact.origin.map(\.utf8.count) ?? 0)  // told by nobody takes nothing
    }
}
