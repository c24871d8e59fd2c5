import RecordModel
import SegmentFormat
import Testing

@Suite struct ContextStateTests {
    private func gap(_ number: UInt64) -> EventFields {
        var fields = EventFields()
        fields.add(.gap, number)
        return fields
    }

    private func source(_ id: String) -> EventFields {
        var fields = EventFields()
        fields.add(.source, id)
        return fields
    }

    private func sequences(_ context: ContextState) -> [UInt64] {
        context.entries.map(\.envelope.sequence.value)
    }

    @Test func `a stream and what belongs to it leave together`() {
        var context = ContextState()
        context.apply(.runStarted, 1)
        context.apply(.streamOpened, 2)
        context.apply(.streamOpened, 3)
        context.apply(.streamAccepted, 4, stream: 2)
        context.apply(.subscriptionDecided, 5, stream: 3)
        #expect(sequences(context) == [1, 2, 3, 4, 5])
        context.apply(.streamClosed, 6, stream: 2)
        #expect(sequences(context) == [1, 3, 5])
        context.apply(.connectError, 7, stream: 3)
        #expect(sequences(context) == [1])
        context.apply(.streamClosed, 8)
        #expect(sequences(context) == [1])
    }

    @Test func `what belongs to no open stream or gap is not kept`() {
        var context = ContextState()
        context.apply(.streamAccepted, 1, stream: 9)
        context.apply(.subscriptionDecided, 2)
        context.apply(.gapBounded, 3, fields: gap(9))
        context.apply(.note, 4)
        #expect(context == ContextState())
        #expect(context.byteCount == 0)
    }

    @Test func `a gap stays, with its newest bound, until it is filled or given up`() {
        var context = ContextState()
        context.apply(.gapOpened, 1)
        context.apply(.gapOpened, 2)
        context.apply(.gapBounded, 3, fields: gap(1))
        context.apply(.gapBounded, 4, fields: gap(1))
        #expect(sequences(context) == [1, 2, 4])
        context.apply(.runStarted, 5)
        #expect(sequences(context) == [1, 2, 4, 5])
        context.apply(.gapFilled, 6, fields: gap(1))
        #expect(sequences(context) == [2, 5])
        context.apply(.gapAbandoned, 7, fields: gap(2))
        #expect(sequences(context) == [5])
        #expect(context.openGaps.isEmpty)
    }

    @Test func `a run knows neither streams nor sources of the one before`() {
        var context = ContextState()
        context.apply(.runStarted, 1)
        context.apply(.sourceDeclared, 2, fields: source("a"))
        context.apply(.sourceDeclared, 3, fields: source("b"))
        context.apply(.sourceDeclared, 4, fields: source("a"))
        context.apply(.streamOpened, 5)
        #expect(sequences(context) == [1, 3, 4, 5])
        #expect(context.openStreams.count == 1)
        context.apply(.runStarted, 6)
        #expect(sequences(context) == [6])
    }

    @Test func `a context never outgrows its limits`() {
        var context = ContextState()
        let large = EventFields(padding: 1 << 20)
        for number in 1...100 { context.apply(.gapOpened, UInt64(number), fields: large) }
        #expect(context.byteCount <= FormatLimits.contextBytesMax)
        #expect(context.encoded().count == context.byteCount)
        #expect(context.entries.count < 100)
    }
}

extension EventFields {
    /// Fields of a little more than `padding` bytes.
    init(padding: Int) {
        self.init()
        add(.evidence, bytes: [UInt8](repeating: 1, count: padding))
    }
}
