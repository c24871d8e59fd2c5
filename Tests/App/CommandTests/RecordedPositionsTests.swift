import RecordModel
import Testing

@testable import Command

@Suite struct RecordedPositionsTests {
    private let head = Array(
        """
        {"jsonrpc":"2.0","method":"eth_subscription","params":{"subscription":"0xa",\
        "result":{"parentHash":"0x00","logsBloom":"0x0000","number":"0x2a","hash":"0x1"}}}
        """.utf8
    )

    private func frame(
        _ wireByte: UInt8,
        stream: UInt64 = 1,
        kind: RecordKind = .webSocketFrameIn
    ) -> RecordEnvelope {
        RecordEnvelope(
            kind: kind,
            wireByte: wireByte,
            stream: StreamID(stream),
            receivedAt: 0,
            monotonic: 0
        )
    }

    private func position(
        _ positions: inout RecordedPositions,
        _ envelope: RecordEnvelope,
        _ bytes: some Swift.Sequence<UInt8>
    ) -> ChainPosition? {
        positions.position(of: envelope, payload: Array(bytes).span.bytes)
    }

    @Test func `a slot message tells its slot`() {
        // SubscribeUpdate { filters: ["a"], slot: { slot: 300, status: 1 } }, by hand.
        let message: [UInt8] = [0x0A, 1, 0x61, 0x1A, 5, 0x08, 0xAC, 0x02, 0x18, 1]
        var positions = RecordedPositions()
        let slot = ChainPosition(family: .slot, number: 300)
        #expect(position(&positions, frame(0, kind: .grpcMessageIn), message) == slot)
        #expect(position(&positions, frame(1, kind: .grpcMessageIn), message) == nil)
        #expect(position(&positions, frame(0, kind: .grpcMessageOut), message) == nil)
    }

    @Test func `a whole notification tells its block`() {
        var positions = RecordedPositions()
        let block = ChainPosition(family: .block, number: 42)
        #expect(position(&positions, frame(0x81), head) == block)
        // Compressed.
        #expect(position(&positions, frame(0xC1), head) == nil)
    }

    @Test func `a fragmented notification tells its block at its last frame`() {
        for cut in [1, 60, head.count - 1, head.count] {
            var positions = RecordedPositions()
            #expect(position(&positions, frame(0x01), head[..<cut]) == nil)
            // A ping and another stream in between change nothing.
            #expect(position(&positions, frame(0x89), []) == nil)
            #expect(position(&positions, frame(0x80, stream: 2), head[cut...]) == nil)
            let block = ChainPosition(family: .block, number: 42)
            #expect(position(&positions, frame(0x80), head[cut...]) == block)
            #expect(position(&positions, frame(0x80), head) == nil)
        }
    }

    @Test func `a stream's end forgets its unfinished message`() {
        var positions = RecordedPositions()
        _ = position(&positions, frame(0x01), head[..<20])
        _ = position(&positions, frame(0, kind: .streamClosed), [])
        #expect(position(&positions, frame(0x80), head[20...]) == nil)
    }

    @Test func `endless fragments hold a bounded piece`() {
        var positions = RecordedPositions()
        _ = position(&positions, frame(0x01), head)
        let filler = [UInt8](repeating: 0x20, count: 50_000)
        for _ in 0..<100 { _ = position(&positions, frame(0x00), filler) }
        let block = ChainPosition(family: .block, number: 42)
        #expect(position(&positions, frame(0x80), filler) == block)
    }
}
