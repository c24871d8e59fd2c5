import Folding
import Pipeline
import RecordModel
import Testing

@Suite struct ParseLanesTests {
    /// A batch of one event, told by its sequence.
    private func batch(_ number: UInt64) -> RecordBatch {
        let batch = RecordBatch()
        var intake = RecordIntake()
        let envelope = RecordEnvelope(
            sequence: Sequence(number),
            kind: .runStarted,
            receivedAt: 0,
            monotonic: 0
        )
        intake.take(envelope, UnsafeRawBufferPointer(start: nil, count: 0), into: batch)
        return batch
    }

    @Test(arguments: [0, 1, 2, 5])
    func `batches come back parsed in the order in which they were given`(helpers: Int) throws {
        let lanes = try ParseLanes(helpers: helpers) { batch, worker in
            // Uneven work, so that threads overtake each other.
            var number = batch.last.value
            for _ in 0..<(number % 7) * 1000 { number = number &+ 1 &- 1 }
            batch.parseNanoseconds = number * 3
        }
        defer { lanes.close() }
        var given: UInt64 = 0
        var taken: [UInt64] = []
        while given < 4000 || lanes.count > 0 {
            while given < 4000, lanes.hasRoom {
                given += 1
                lanes.give(batch(given))
            }
            taken.append(try #require(lanes.take()).parseNanoseconds)
        }
        #expect(taken == (1...4000).map { $0 * 3 })
        #expect(lanes.take() == nil)
    }

    @Test func `lanes end while batches are under way`() throws {
        let lanes = try ParseLanes(helpers: 3) { batch, _ in batch.parseNanoseconds = 1 }
        var given: UInt64 = 0
        while lanes.hasRoom {
            given += 1
            lanes.give(batch(given))
        }
        lanes.close()
        #expect(given == 8)
    }
}
