import Assembly
import GeyserDecoding
import Pipeline
import RecordModel
import Testing

/// The first two stages: what becomes of each record and each message.
@Suite struct PipelineTests {
    /// Records in log order, taken and parsed as one batch.
    private struct Tape {
        var intake = RecordIntake()
        let batch = RecordBatch()
        var last: UInt64 = 0

        mutating func add(
            _ kind: RecordKind,
            _ payload: [UInt8],
            stream: UInt64 = 1,
            wireByte: UInt8 = 0
        ) {
            last += 1
            let envelope = RecordEnvelope(
                sequence: Sequence(last),
                kind: kind,
                wireByte: wireByte,
                stream: StreamID(stream),
                receivedAt: 0,
                monotonic: 0
            )
            payload.withUnsafeBytes { intake.take(envelope, $0, into: batch) }
        }

        /// Opens the stream whose number is the record's.
        mutating func open() {
            var fields = EventFields()
            fields.add(.source, "node")
            fields.add(.method, "/geyser.Geyser/Subscribe")
            add(.streamOpened, fields.encoded, stream: last + 1)
        }

        mutating func miss(isDamage: Bool) {
            last += 1
            intake.takeMissing(through: Sequence(last), isDamage: isDamage, into: batch)
        }

        func parsed() -> RecordBatch {
            UpdateParser().parse(batch)
            return batch
        }
    }

    /// A message with one field that holds a message.
    private func wrapped(_ field: UInt32, _ inner: [UInt8]) -> [UInt8] {
        var out: [UInt8] = []
        ProtobufWriter.bytes(field, inner, to: &out)
        return out
    }

    private func number(_ field: UInt32, _ value: UInt64) -> [UInt8] {
        var out: [UInt8] = []
        ProtobufWriter.uint64(field, value, to: &out)
        return out
    }

    /// Field numbers are those of geyser.proto.
    private var confirmed: [UInt8] { wrapped(3, number(1, 100) + number(2, 99) + number(3, 1)) }
    private var ping: [UInt8] { wrapped(6, []) }
    private var hash: [UInt8] { wrapped(2, [UInt8](repeating: UInt8(ascii: "1"), count: 32)) }
    private var foreignAccount: [UInt8] {
        let key = [UInt8](repeating: 9, count: 32)
        return wrapped(2, wrapped(1, wrapped(1, key) + wrapped(3, key) + wrapped(6, [1])))
    }
    /// A block whose one transaction has a signature of three bytes.
    private var brokenBlock: [UInt8] {
        wrapped(5, number(1, 100) + hash + wrapped(6, wrapped(1, [1, 2, 3])))
    }

    @Test func `every message is understood or dropped, for one reason`() {
        var tape = Tape()
        tape.open()
        tape.add(.grpcMessageIn, confirmed)
        tape.add(.grpcMessageIn, wrapped(7, number(1, 100) + hash))
        tape.add(.grpcMessageIn, ping)
        tape.add(.grpcMessageIn, [])
        tape.add(.grpcMessageIn, foreignAccount)
        tape.add(.grpcMessageIn, [0x1A, 0x05, 0x08])
        tape.add(.grpcMessageIn, wrapped(7, number(1, 100)))
        tape.add(.grpcMessageIn, wrapped(4, number(2, 100)))
        tape.add(.grpcMessageIn, confirmed, wireByte: 1)
        tape.add(.grpcMessageIn, brokenBlock)
        let tally = tape.parsed().tally
        #expect(tally.messages == 10)
        #expect(tally.understood == 2)
        #expect(
            tally.dropped == [
                .notMarketData: 2, .foreignAccount: 1, .malformed: 1, .incomplete: 2,
                .notInflatable: 1, .incompleteBlock: 1,
            ]
        )
        #expect(tally.firstDropped[.malformed] == Sequence(7))
        #expect(tally.firstDropped[.incompleteBlock] == Sequence(11))
        let errors = PipelineTally.Drop.allCases.filter(\.isError)
        #expect(errors == [.malformed, .incomplete, .notInflatable, .incompleteBlock])
    }

    @Test func `what could not be read leaves its stream in doubt`() {
        for bytes in [[0x1A, 0x05, 0x08], wrapped(7, number(1, 100))] {
            var tape = Tape()
            tape.open()
            tape.add(.grpcMessageIn, bytes)
            guard case .recordsMissing(StreamID(1))? = tape.parsed().inputs.first else {
                Issue.record("nothing is said to be missing")
                continue
            }
        }
        // What says nothing leaves nothing in doubt.
        var tape = Tape()
        tape.open()
        tape.add(.grpcMessageIn, ping)
        #expect(tape.parsed().inputs.isEmpty)
        // The rest of a block counts.
        var block = Tape()
        block.open()
        block.add(.grpcMessageIn, brokenBlock)
        guard case .wholeBlock(_, let input)? = block.parsed().inputs.first else {
            Issue.record("no block")
            return
        }
        #expect(input.transactions.isEmpty)
        #expect(!input.isUnfiltered)
    }

    @Test func `every record is kept, left out or unreadable`() {
        var tape = Tape()
        tape.open()
        tape.add(.grpcMessageIn, confirmed)
        tape.add(.grpcMessageIn, confirmed, stream: 77)
        tape.add(.webSocketFrameIn, [1, 2, 3], stream: 78)
        tape.add(.note, [])
        tape.add(.grpcMessageOut, [0xFF])
        tape.add(.streamOpened, [0xFF])
        tape.add(.gapFilled, EventFields().encoded)
        tape.add(.gapAbandoned, [0xFF])
        tape.miss(isDamage: false)
        tape.miss(isDamage: true)
        tape.add(.streamClosed, EventFields().encoded)
        let batch = tape.parsed()
        var expected = IntakeTally()
        expected.kept = 3
        expected.foreign = 2
        expected.silent = 2
        expected.unreadable = 4
        expected.damaged = 1
        #expect(batch.tally.intake == expected)
        #expect(batch.records == 12)
        #expect(batch.tally.messages == 1)
    }

    @Test func `a request too long to be read is an error`() {
        var tape = Tape()
        tape.open()
        let long = [UInt8](repeating: 0, count: SubscribeRequest.byteCountMax + 1)
        tape.add(.grpcMessageOut, long)
        #expect(tape.parsed().tally.intake.unreadable == 1)
    }
}
