import MarketModel

/// How detections compare with labels, class by class, in integers.
package struct DetectionScore: Hashable, Sendable {
    /// Of one class.
    package struct Counts: Hashable, Sendable {
        /// Detections that a label tells too.
        package var truePositives = 0
        /// Of them, those with exactly the label's transactions.
        package var exact = 0
        /// Detections that no label tells.
        package var falsePositives = 0
        /// Labels that were not detected.
        package var falseNegatives = 0
        /// Innocent patterns that look like this class, and those of them that were taken for it.
        package var lookAlikes = 0
        package var lookAlikesDetected = 0

        package init() {}

        /// How many labels there are.
        package var labels: Int { truePositives + falseNegatives }

        /// Part of the detections that are right; nil without detections.
        package var precisionBasisPoints: UInt64? {
            .basisPoints(UInt128(truePositives), of: UInt128(truePositives + falsePositives))
        }
        /// Part of the labels that were detected; nil without labels.
        package var recallBasisPoints: UInt64? {
            .basisPoints(UInt128(truePositives), of: UInt128(truePositives + falseNegatives))
        }
    }

    /// One for each class, by rising classes.
    package private(set) var classes: [(kind: DetectionClass, counts: Counts)] = []
    /// Detections that no label tells, and labels that were not detected: class by class, by slot.
    package private(set) var falseAlarms: [DetectionLabel] = []
    package private(set) var misses: [DetectionLabel] = []
    /// Look-alikes that were taken for what they look like.
    package private(set) var mistaken: [LookAlikeLabel] = []

    /// Compares.
    ///
    /// A detection and a label are one when class and pool are equal and, for each part that the label
    /// has (fronts, victims, backs), at least one transaction is in both. Each is used once: labels in
    /// the order of their slots and transactions, each taking the earliest detection that fits, one
    /// with exactly its transactions before all others. A look-alike is taken for its class when a
    /// detection that no label tells is one with it.
    ///
    /// - Parameters:
    ///   - found: what was detected, in any order.
    ///   - labels: what happened, in any order.
    ///   - lookAlikes: what only looks like it, in any order.
    package init(
        found: [DetectionLabel],
        labels: [DetectionLabel],
        lookAlikes: [LookAlikeLabel] = []
    ) {
        for kind in DetectionClass.allCases {
            let found = found.filter { $0.kind == kind }.sorted(by: DetectionScore.precedes)
            let labels = labels.filter { $0.kind == kind }.sorted(by: DetectionScore.precedes)
            var isUsed = [Bool](repeating: false, count: found.count)
            var counts = Counts()
            for label in labels {
                let fitting = found.indices.filter {
                    !isUsed[$0] && DetectionScore.fits(found[$0], label)
                }
                let exact = fitting.first { DetectionScore.isExact(found[$0], label) }
                guard let taken = exact ?? fitting.first else {
                    counts.falseNegatives += 1
                    misses.append(label)
                    continue
                }
                isUsed[taken] = true
                counts.truePositives += 1
                if exact != nil { counts.exact += 1 }
            }
            counts.falsePositives = found.count - counts.truePositives
            let alarms = found.indices.filter { !isUsed[$0] }.map { found[$0] }
            falseAlarms += alarms
            let innocent = lookAlikes.filter { $0.label.kind == kind }.sorted {
                DetectionScore.precedes($0.label, $1.label)
            }
            let taken = innocent.filter { each in
                alarms.contains { DetectionScore.fits($0, each.label) }
            }
            counts.lookAlikes = innocent.count
            counts.lookAlikesDetected = taken.count
            mistaken += taken
            classes.append((kind, counts))
        }
    }

    /// The counts of a class.
    package subscript(_ kind: DetectionClass) -> Counts {
        classes.first { $0.kind == kind }?.counts ?? Counts()
    }

    package static func == (left: DetectionScore, right: DetectionScore) -> Bool {
        left.classes.map(\.counts) == right.classes.map(\.counts)
    }

    package func hash(into hasher: inout Hasher) { hasher.combine(classes.map(\.counts)) }

    private static func fits(_ found: DetectionLabel, _ label: DetectionLabel) -> Bool {
        guard found.pool == label.pool else { return false }
        func meets(_ left: [TransactionID], _ right: [TransactionID]) -> Bool {
            right.isEmpty || left.contains(where: right.contains)
        }
        return meets(found.fronts, label.fronts) && meets(found.victims, label.victims)
            && meets(found.backs, label.backs)
    }

    private static func isExact(_ found: DetectionLabel, _ label: DetectionLabel) -> Bool {
        Set(found.fronts) == Set(label.fronts) && Set(found.victims) == Set(label.victims)
            && Set(found.backs) == Set(label.backs)
    }

    private static func precedes(_ left: DetectionLabel, _ right: DetectionLabel) -> Bool {
        if left.slot != right.slot { return left.slot < right.slot }
        if left.pool != right.pool { return left.pool < right.pool }
        let leftIDs = left.fronts + left.victims + left.backs
        let rightIDs = right.fronts + right.victims + right.backs
        return leftIDs.lexicographicallyPrecedes(rightIDs)
    }
}
