import Foundation
import MarketModel
import Projection
import Testing

@testable import Projectors

@Suite struct MonitorRowTests {
    static let types: [any TableRow.Type] = [
        TokenRow.self, TokenTextRow.self, TokenMarketRow.self, TokenStartRow.self,
        TokenTraderRow.self,
        TokenCreatorRow.self, TokenMilestoneRow.self, TokenCurveRow.self,
        MonitorClock<LifecycleOwner>.self, MonitorGap<LifecycleOwner>.self,
        MonitorDrift<LifecycleOwner>.self,
        PoolRow.self, PoolStateRow.self, PoolHourRow.self, PoolPositionRow.self,
        PoolEventRow.self, PoolShareRow.self, PoolVaultRow.self, PoolAccountRow.self,
        MonitorClock<LiquidityOwner>.self, MonitorGap<LiquidityOwner>.self,
        MonitorDrift<LiquidityOwner>.self,
    ]

    /// Writes a value of a column's type by the schema alone.
    static func write(_ column: Column, _ seed: UInt64, into writer: inout RowWriter) {
        if column.isOptional {
            writer.add(seed % 3 != 0)
            if seed % 3 == 0 { return }
        }
        let isExtreme = seed % 2 == 0
        switch column.type {
        case .unsigned8: writer.add(UInt8(seed % 2 + 1))
        case .unsigned16: writer.add(isExtreme ? UInt16.max : UInt16(seed % 100))
        case .unsigned32: writer.add(isExtreme ? UInt32.max : UInt32(seed % 1_000))
        case .unsigned64: writer.add(isExtreme ? UInt64.max : seed)
        case .unsigned128: writer.add(isExtreme ? UInt128.max : UInt128(seed) << 60)
        case .signed32: writer.add(isExtreme ? Int32.min : Int32(seed % 100))
        case .signed64: writer.add(isExtreme ? Int64.min : Int64(seed % 1_000))
        case .signed128: writer.add(isExtreme ? Int128.min : Int128(seed))
        case .boolean: writer.add(isExtreme)
        case .address: writer.add(address(seed))
        case .signature: Issue.record("no table of these has signatures")
        case .text: writer.add(isExtreme ? "" : "naïve \(seed)")
        case .bytes: writer.add([UInt8](repeating: 3, count: Int(seed % 100)))
        }
    }

    /// Bytes made by the schema are decoded, and encoded again to the same bytes: so encoding writes
    /// exactly the columns of the schema, in order.
    static func check<Row: TableRow>(_ type: Row.Type, _ seed: UInt64) throws {
        var key = RowWriter()
        var row = RowWriter()
        for (number, column) in Row.schema.key.enumerated() {
            #expect(column.isOptional == false)
            write(column, seed &+ UInt64(number) &* 7, into: &key)
        }
        for (number, column) in Row.schema.columns.enumerated() {
            write(column, seed &+ UInt64(number) &* 5, into: &row)
        }
        var reader = RowReader(key.bytes)
        let decodedKey = try Row.decodeKey(&reader)
        try reader.finish()
        var again = RowWriter()
        Row.encode(decodedKey, to: &again)
        #expect(again.bytes == key.bytes, "\(Row.schema.name)")
        reader = RowReader(row.bytes)
        let decoded = try Row(from: &reader)
        try reader.finish()
        again = RowWriter()
        decoded.encode(to: &again)
        #expect(again.bytes == row.bytes, "\(Row.schema.name)")
        // Any byte less is an error, never a trap.
        guard seed == 1 else { return }
        for count in 0..<row.bytes.count {
            var cut = RowReader([UInt8](row.bytes.prefix(count)))
            #expect(throws: RowError.self) { try Row(from: &cut) }
        }
    }

    @Test func `every table writes and reads exactly the columns of its schema`() throws {
        for type in Self.types {
            for seed in 1...6 as ClosedRange<UInt64> { try Self.check(type, seed) }
        }
    }

    @Test func `keys are in the order of their bytes`() throws {
        func check<Key: Comparable>(_ keys: [Key], _ encode: (Key, inout RowWriter) -> Void) {
            let sorted = keys.sorted()
            let bytes = sorted.map { key in
                var writer = RowWriter()
                encode(key, &writer)
                return writer.bytes
            }
            for (left, right) in zip(bytes, bytes.dropFirst()) {
                #expect(left.lexicographicallyPrecedes(right) || left == right)
            }
        }
        let numbers: [UInt64] = [0, 3, 1, 255, 256, 70_000]
        check(
            numbers.flatMap { a in
                numbers.map { TokenTraderKey(token: address(a), trader: address($0)) }
            }
        ) {
            TokenTraderRow.encode($0, to: &$1)
        }
        check(
            numbers.flatMap { a in
                numbers.map { PoolHourKey(pool: address(a), hour: Int64($0) - 300) }
            }
        ) {
            PoolHourRow.encode($0, to: &$1)
        }
        check(numbers.map { TokenMilestoneKey(token: address(1), threshold: UInt128($0) << 70) }) {
            TokenMilestoneRow.encode($0, to: &$1)
        }
        check(
            numbers.map {
                PoolEventKey(
                    pool: address(1),
                    slot: 5,
                    transaction: UInt32($0),
                    instruction: 1,
                    inner: UInt16(truncatingIfNeeded: 9 &- $0),
                    ordinal: 1
                )
            }
        ) { PoolEventRow.encode($0, to: &$1) }
    }

    @Test func `tables and columns have names of their own and say what they mean`() {
        let schemas = Self.types.map { $0.schema }
        #expect(Set(schemas.map(\.name)).count == schemas.count)
        for schema in schemas {
            let columns = schema.key + schema.columns
            #expect(Set(columns.map(\.name)).count == columns.count, "\(schema.name)")
            for column in columns {
                #expect(column.meaning.isEmpty == false, "\(schema.name).\(column.name)")
            }
        }
    }

    @Test func `a phase that does not exist is an invalid column`() {
        var writer = RowWriter()
        writer.add(8 as UInt8)
        var reader = RowReader(writer.bytes)
        #expect(throws: RowError.invalid(column: 0)) { try TokenRow(from: &reader) }
    }

    @Test func `the stage's page lists every table as its schema has it`() throws {
        var root = URL(fileURLWithPath: #filePath)
        for _ in 0..<4 { root.deleteLastPathComponent() }
        let page = root.appendingPathComponent("Sources/Project/README.md")
        let lines = Set(
            try String(contentsOf: page, encoding: .utf8)
                .split(separator: "\n").map(String.init)
        )
        for schema in Self.types.map({ $0.schema }) {
            let key = schema.key.map(\.name).joined(separator: ", ")
            let columns = schema.columns.map(\.name).joined(separator: ", ")
            let line = "| `\(schema.name)` | \(schema.meaning) | \(key) | \(columns) |"
            #expect(lines.contains(line), "\(line)")
        }
    }
}
