package import Projection

/// When a checkpoint becomes an anchor: with the first one of each hour of the chain, and with the
/// last one, as far as copies take no more than a share of the time that the fold takes.
package struct AnchorCadence: Hashable, Sendable {
    /// Slots that count as an hour where blocks have no time: 400 ms each.
    package var slotsPerHour: UInt64 = 9_000
    /// The part of the time that copies may take is one over this.
    package var costDivisor: UInt64 = 20
    /// A state of that many bytes is copied whenever it is due: in about a tenth of a second.
    package var cheapBytes: UInt64 = 16 << 20

    package init() {}

    /// What a copy would cost, and what has been spent.
    package struct Cost: Hashable, Sendable {
        /// Bytes of the state.
        package var bytes: UInt64
        /// Nanoseconds since the fold began.
        package var elapsed: UInt64
        /// Nanoseconds that copies have taken so far, and their bytes.
        package var spent: UInt64
        package var copied: UInt64

        package init(bytes: UInt64, elapsed: UInt64, spent: UInt64, copied: UInt64) {
            self.bytes = bytes
            self.elapsed = elapsed
            self.spent = spent
            self.copied = copied
        }

        /// Nanoseconds that a copy is expected to take: as the ones before, at first 10 a byte.
        var expected: UInt64 {
            guard copied > 0 else { return .saturated(bytes.multipliedReportingOverflow(by: 10)) }
            let product = bytes.multipliedFullWidth(by: spent)
            return product.high < copied ? copied.dividingFullWidth(product).quotient : .max
        }
    }

    /// Whether a checkpoint becomes an anchor.
    ///
    /// - Parameters:
    ///   - checkpoint: durable, the newest.
    ///   - newest: the newest anchor.
    ///   - isLast: whether no other checkpoint follows.
    ///   - cost: of a copy.
    /// - Returns: whether it is time, and worth it.
    package func isDue(
        _ checkpoint: Checkpoint,
        after newest: Anchor?,
        isLast: Bool,
        _ cost: Cost
    ) -> Bool {
        // The first one is made at any price: nothing older serves in its place.
        guard let newest else { return isLast || isAffordable(cost) }
        guard checkpoint.position > newest.position else { return false }
        return (isLast || isOfLaterHour(checkpoint, newest)) && isAffordable(cost)
    }

    private func isAffordable(_ cost: Cost) -> Bool {
        if cost.bytes <= cheapBytes { return true }
        let sum = UInt64.saturated(cost.spent.addingReportingOverflow(cost.expected))
        return UInt64.saturated(sum.multipliedReportingOverflow(by: costDivisor)) <= cost.elapsed
    }

    private func isOfLaterHour(_ checkpoint: Checkpoint, _ newest: Anchor) -> Bool {
        guard let time = checkpoint.time, let before = newest.time else {
            return checkpoint.position - newest.position >= slotsPerHour
        }
        return AnchorLadder.quotient(time, 3_600) > AnchorLadder.quotient(before, 3_600)
    }
}

extension UInt64 {
    /// What an operation gave, or the highest number when that is more.
    fileprivate static func saturated(_ result: (partialValue: UInt64, overflow: Bool)) -> UInt64 {
        result.overflow ? .max : result.partialValue
    }
}
