/// The parts of account data that a subscription wants; none means all of it.
struct AccountDataSlices: Sendable {
    /// In rising order, not overlapping.
    let ranges: [Range<UInt64>]

    /// Checks order and overlap as the reference server does, with the same one of two complaints
    /// when both are due.
    init(_ slices: [DataSlice], _ limits: FilterLimits) throws(SubscriptionRefusal) {
        try limits.checkSliceCount(slices.count)
        var ranges: [Range<UInt64>] = []
        ranges.reserveCapacity(slices.count)
        for slice in slices {
            let (end, overflow) = slice.offset.addingReportingOverflow(slice.length)
            guard !overflow else { throw AccountDataSlices.overlapped }
            guard slice.unknownFields.isEmpty else {
                throw .unsupported("an unknown field of SubscribeRequestAccountsDataSlice")
            }
            ranges.append(slice.offset..<end)
        }
        var leastStartAfter = [UInt64](repeating: .max, count: ranges.count)
        var least = UInt64.max
        for index in ranges.indices.reversed() {
            leastStartAfter[index] = least
            least = min(least, ranges[index].lowerBound)
        }
        var greatestEnd: UInt64 = 0
        for (index, range) in ranges.enumerated() {
            guard range.lowerBound <= leastStartAfter[index] else {
                throw .badFilter("failed to create filter: data slices out of order")
            }
            guard range.lowerBound >= greatestEnd else { throw AccountDataSlices.overlapped }
            greatestEnd = max(greatestEnd, range.upperBound)
        }
        self.ranges = ranges
    }

    private static let overlapped = SubscriptionRefusal.badFilter(
        "failed to create filter: data slices overlapped"
    )

    /// Appends an account info with its data cut; a slice that reaches beyond the data is left out
    /// whole, and a data field without bytes is not written.
    func write(
        _ bytes: RawSpan,
        _ info: Range<Int>,
        to out: inout [UInt8]
    ) throws(ProtobufError) {
        var offset = info.lowerBound
        while let field = try ProtobufReader.next(bytes, at: &offset, end: info.upperBound) {
            guard field.number == 6 else {
                ProtobufWriter.copy(bytes, field.range, to: &out)
                continue
            }
            let data = try field.delimited()
            let size = UInt64(data.count)
            let byteCount = ranges.reduce(0) { $0 + ($1.upperBound <= size ? $1.count : 0) }
            guard byteCount > 0 else { continue }
            ProtobufWriter.tag(6, .lengthDelimited, to: &out)
            ProtobufWriter.varint(UInt64(byteCount), to: &out)
            for range in ranges where range.upperBound <= size {
                let start = data.lowerBound + Int(range.lowerBound)
                ProtobufWriter.copy(bytes, start..<start + range.count, to: &out)
            }
        }
    }
}
