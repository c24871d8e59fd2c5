import Folding
import Pipeline
import RecordModel
import Testing

@Suite struct ParseLanesTests {
    /// Batches of a few records whose payload is their number.
    private func batch(_ numbers: Range<UInt64>) -> RecordBatch<UInt64> {
        let batch = RecordBatch<UInt64>()
        for number in numbers {
            let envelope = RecordEnvelope(
                sequence: Sequence(number + 1),
                kind: .note,
                receivedAt: 0,
                monotonic: 0
            )
            withUnsafeBytes(of: number.littleEndian) { batch.add(envelope, $0) }
        }
        return batch
    }

    @Test(arguments: [0, 1, 2, 5])
    func `batches come back parsed in the order in which they were given`(helpers: Int) throws {
        let lanes = try ParseLanes<UInt64>(helpers: helpers) { batch, _ in
            batch.parse { envelope, bytes in
                // Uneven work, so that threads overtake each other.
                var number = bytes.littleEndianUInt64(at: 0)
                for _ in 0..<(envelope.sequence.value % 7) * 1000 { number = number &+ 1 &- 1 }
                return number &* 3
            }
        }
        defer { lanes.close() }
        var given: UInt64 = 0
        var taken: [UInt64] = []
        while given < 4000 || lanes.count > 0 {
            while given < 4000, lanes.hasRoom {
                lanes.give(batch(given..<given + 8))
                given += 8
            }
            taken += try #require(lanes.take()).entries.compactMap(\.parsed)
        }
        #expect(taken == (0..<4000).map { $0 * 3 })
        #expect(lanes.take() == nil)
    }

    @Test func `lanes end while batches are under way`() throws {
        let lanes = try ParseLanes<UInt64>(helpers: 3) { batch, _ in
            batch.parse { envelope, _ in envelope.sequence.value }
        }
        while lanes.hasRoom { lanes.give(batch(0..<100)) }
        lanes.close()
    }
}
