/// Which anchors are kept: the newest ones; the first of each hour of the last day; the first of
/// each day; as many as a number of bytes allows. Hours and days are those of the chain.
///
/// What is kept stays kept when later anchors come, until it is too old for its rung: the first of
/// a day is also the first of its hour.
package struct AnchorLadder: Hashable, Sendable {
    /// How many of the newest are kept.
    package var newest = 8
    /// For how many hours before the newest the first of each is kept.
    package var hours: Int64 = 24
    /// How many bytes all together may take. The newest is kept whatever it takes.
    package var bytesMax: UInt64 = 8 << 30

    package init() {}

    /// An anchor as far as the rule is concerned.
    package struct Rung: Hashable, Sendable {
        /// Slot or block.
        package let position: UInt64
        /// Seconds since 1970; nil when the block told none: such an anchor is kept only as one of
        /// the newest.
        package let time: Int64?
        package let bytes: UInt64

        package init(position: UInt64, time: Int64?, bytes: UInt64) {
            self.position = position
            self.time = time
            self.bytes = bytes
        }
    }

    /// The anchors that are no longer wanted.
    ///
    /// - Parameter anchors: of one chain and key, in any order.
    /// - Returns: positions, rising.
    package func superfluous(_ anchors: [Rung]) -> [UInt64] {
        let sorted = anchors.sorted { $0.position < $1.position }
        var kept = Set(sorted.suffix(max(1, newest)).map(\.position))
        if let last = sorted.last(where: { $0.time != nil })?.time {
            var hoursSeen: Set<Int64> = []
            var daysSeen: Set<Int64> = []
            for anchor in sorted {
                guard let time = anchor.time else { continue }
                let hour = AnchorLadder.quotient(time, 3_600)
                let isFirstOfHour = hoursSeen.insert(hour).inserted
                let isFirstOfDay = daysSeen.insert(AnchorLadder.quotient(time, 86_400)).inserted
                let age = AnchorLadder.quotient(last, 3_600).subtractingReportingOverflow(hour)
                let isRecent = !age.overflow && age.partialValue < hours
                if isFirstOfDay || isFirstOfHour && isRecent { kept.insert(anchor.position) }
            }
        }
        var total: UInt64 = 0
        var gone: [UInt64] = []
        for (place, anchor) in sorted.reversed().enumerated() {
            guard kept.contains(anchor.position) else {
                gone.append(anchor.position)
                continue
            }
            let (sum, overflows) = total.addingReportingOverflow(anchor.bytes)
            total = overflows ? .max : sum
            // The oldest go first: once one does not fit, nothing older is kept.
            if total > bytesMax, place > 0 {
                total = .max
                gone.append(anchor.position)
            }
        }
        return gone.sorted()
    }

    /// Rounded down, also before 1970.
    static func quotient(_ time: Int64, _ unit: Int64) -> Int64 {
        time >= 0 ? time / unit : -((-(time + 1)) / unit) - 1
    }
}
