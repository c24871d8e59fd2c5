import Assembly
import GeyserDecoding
import Pipeline
import RecordModel
import Testing

/// What gap records say to the assembler of Solana's chain.
@Suite struct IntakeGapTests {
    private struct Feed {
        var intake = RecordIntake()
        var sequence: UInt64 = 0

        mutating func take(
            _ kind: RecordKind,
            of stream: UInt64 = 0,
            _ fill: (inout EventFields) -> Void = { _ in }
        ) -> [AssemblerInput] {
            sequence += 1
            var fields = EventFields()
            fill(&fields)
            let envelope = RecordEnvelope(
                sequence: Sequence(sequence),
                kind: kind,
                stream: StreamID(stream),
                receivedAt: 0,
                monotonic: 0
            )
            let batch = RecordBatch()
            unsafe fields.encoded.withUnsafeBytes { unsafe intake.take(envelope, $0, into: batch) }
            UpdateParser().parse(batch)
            return batch.inputs
        }

        /// A stream that has been open and has ended.
        mutating func open(_ source: String, _ transport: String) -> UInt64 {
            _ = take(.streamOpened) {
                $0.add(.source, source)
                $0.add(.transport, transport)
                $0.add(.method, transport == "grpc" ? "/geyser.Geyser/Subscribe" : "/")
            }
            return sequence
        }
    }

    @Test func `a gap of another chain's source says nothing`() {
        var feed = Feed()
        let stream = feed.open("polygon", "websocket")
        _ = feed.take(.streamClosed, of: stream)
        let said = feed.take(.gapOpened) {
            $0.add(.source, "polygon")
            $0.add(.fromPosition, UInt64(7))
        }
        #expect(said.isEmpty)
    }

    @Test func `a gap names its stream, its slots and the record that tells whose it is`() throws {
        var feed = Feed()
        let stream = feed.open("geyser-1", "grpc")
        _ = feed.take(.streamClosed, of: stream)
        let ended = feed.sequence
        _ = feed.open("polygon", "websocket")
        let said = feed.take(.gapOpened) {
            $0.add(.source, "geyser-1")
            $0.add(.fromPosition, UInt64(105))
        }
        guard case .gapOpened(let gap)? = said.first else {
            Issue.record("no gap")
            return
        }
        #expect(gap.id == Sequence(feed.sequence))
        #expect(gap.since == Sequence(ended))
        #expect(gap.stream == StreamID(stream))
        #expect(gap.from == 105)
        #expect(gap.through == nil)
    }

    @Test func `a crash ends the streams with the next run`() {
        var feed = Feed()
        let stream = feed.open("geyser-1", "grpc")
        _ = feed.take(.runStarted)
        let ended = feed.sequence
        let said = feed.take(.gapOpened) {
            $0.add(.source, "geyser-1")
            $0.add(.cause, "crash")
        }
        guard case .gapOpened(let gap)? = said.first else {
            Issue.record("no gap")
            return
        }
        #expect(gap.stream == StreamID(stream))
        #expect(gap.since == Sequence(ended))
    }

    @Test func `a gap that is given up says why`() {
        var feed = Feed()
        let said = feed.take(.gapAbandoned) {
            $0.add(.gap, UInt64(17))
            $0.add(.source, "geyser-1")
            $0.add(.cause, "connection_lost")
            $0.add(.text, "not filled within 10m")
        }
        guard case .gapAbandoned(let gap, let reason)? = said.first else {
            Issue.record("nothing is said")
            return
        }
        #expect(gap == Sequence(17))
        #expect(reason == "gap 17, geyser-1, connection_lost: not filled within 10m")
    }
}
