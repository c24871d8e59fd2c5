import Assembly
import MarketModel
import Projection
import RecordModel

/// An assembler's anchor as a checkpoint keeps it.
extension AssemblerAnchor {
    /// In the canonical form of rows.
    var encoded: [UInt8] {
        var writer = RowWriter()
        writer.add(position)
        writer.add(optional: hash) { $0.add(Address($1)) }
        writer.add(through.value)
        writer.add(hadStatuses)
        writer.add(UInt32(lacking.count))
        for range in lacking {
            writer.add(range.lowerBound)
            writer.add(range.upperBound)
        }
        writer.add(UInt32(gaps.count))
        for gap in gaps {
            writer.add(gap.id.value)
            writer.add(optional: gap.stream) { $0.add($1.value) }
            writer.add(gap.groups.rawValue)
            writer.add(gap.from)
            writer.add(optional: gap.through) { $0.add($1) }
            writer.add(gap.isAbandoned)
        }
        writer.add(UInt32(lowerEnds.count))
        for end in lowerEnds {
            writer.add(end.id.value)
            writer.add(end.from)
        }
        writer.add(optional: late) { $0.add($1) }
        writer.add(UInt32(awaited.count))
        for records in awaited { writer.add(records) }
        writer.add(UInt32(facts.count))
        for open in facts {
            writer.add(open.fact)
            writer.add(open.position)
        }
        writer.add(factPosition)
        return writer.bytes
    }

    /// Reads what `encoded` gave.
    ///
    /// - Parameter bytes: of a checkpoint.
    /// - Throws: the bytes are something else; the checkpoint is then not used.
    init(decoding bytes: [UInt8]) throws(RowError) {
        var reader = RowReader(bytes)
        let position = try reader.unsigned64()
        let hash = try reader.optional { reader throws(RowError) in try reader.address().storage }
        let through = Sequence(try reader.unsigned64())
        let hadStatuses = try reader.boolean()
        var lacking: [ClosedRange<UInt64>] = []
        for _ in 0..<(try reader.unsigned32()) {
            let first = try reader.unsigned64()
            let last = try reader.unsigned64()
            guard first <= last else { throw .invalid(column: lacking.count) }
            lacking.append(first...last)
        }
        var gaps: [AssemblerAnchor.Gap] = []
        for _ in 0..<(try reader.unsigned32()) {
            gaps.append(
                AssemblerAnchor.Gap(
                    id: Sequence(try reader.unsigned64()),
                    stream: try reader.optional { reader throws(RowError) in
                        StreamID(try reader.unsigned64())
                    },
                    groups: SubscriptionGroups(rawValue: try reader.unsigned32()),
                    from: try reader.unsigned64(),
                    through: try reader.optional { reader throws(RowError) in
                        try reader.unsigned64()
                    },
                    isAbandoned: try reader.boolean()
                )
            )
        }
        var lowerEnds: [AssemblerAnchor.LowerEnd] = []
        for _ in 0..<(try reader.unsigned32()) {
            let id = Sequence(try reader.unsigned64())
            lowerEnds.append(AssemblerAnchor.LowerEnd(id: id, from: try reader.unsigned64()))
        }
        let late = try reader.optional { reader throws(RowError) in try reader.lateRecords() }
        var awaited: [LateRecords] = []
        for _ in 0..<(try reader.unsigned32()) { awaited.append(try reader.lateRecords()) }
        var facts: [OpenFact] = []
        for _ in 0..<(try reader.unsigned32()) {
            let fact = try reader.outsideFact()
            facts.append(OpenFact(fact, from: try reader.unsigned64()))
        }
        let factPosition = try reader.unsigned64()
        try reader.finish()
        self.init(
            position: position,
            hash: hash,
            through: through,
            hadStatuses: hadStatuses,
            lacking: lacking,
            gaps: gaps,
            lowerEnds: lowerEnds,
            late: late,
            awaited: awaited,
            facts: facts,
            factPosition: factPosition
        )
    }
}

extension RowWriter {
    fileprivate mutating func add(_ fact: OutsideFact) {
        add(fact.namespace)
        add(fact.key)
        switch fact.value {
        case .text(let text):
            add(true)
            add(text)
        case .bytes(let bytes):
            add(false)
            add(bytes)
        }
        add(optional: fact.asOf) { $0.add($1) }
        add(optional: fact.origin) { $0.add($1) }
        add(fact.sequence)
    }

    fileprivate mutating func add(_ records: LateRecords) {
        add(records.position)
        add(records.through.value)
    }
}

extension RowReader {
    fileprivate mutating func outsideFact() throws(RowError) -> OutsideFact {
        let namespace = try text()
        let key = try text()
        let value: OutsideFact.Value =
            if try boolean() { .text(try text()) } else { .bytes(try byteString()) }
        return OutsideFact(
            namespace: namespace,
            key: key,
            value: value,
            asOf: try optional { (reader) throws(RowError) in try reader.unsigned64() },
            origin: try optional { (reader) throws(RowError) in try reader.text() },
            sequence: try unsigned64()
        )
    }

    fileprivate mutating func lateRecords() throws(RowError) -> LateRecords {
        LateRecords(position: try unsigned64(), through: Sequence(try unsigned64()))
    }
}
