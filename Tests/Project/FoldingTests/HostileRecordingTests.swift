import CheckpointStore
import Folding
import GeyserDecoding
import MarketModel
import Pipeline
import Platform
import ProgramDecoding
import Projection
import RecordModel
import SegmentLog
import Synthesis
import Testing

/// What a hostile endpoint sends beside a good one is counted and located, traps nothing, and
/// leaves the state of everything else as it is.
@Suite struct HostileRecordingTests {
    private typealias Drop = PipelineTally.Drop

    /// A market that two streams tell whole, so that what one of them lacks proves nothing away.
    private func market() throws -> FoldTestMarket {
        try FoldTestMarket {
            $0.seed = 61
            $0.slots = 60
            $0.streams = 2
        }
    }

    /// One message that says nothing, and why.
    private struct Frame {
        let drop: Drop
        let bytes: [UInt8]
        var isCompressed = false
    }

    private static let hash = [UInt8](repeating: 0x31, count: 32)

    /// Frames of every kind, made with a message of the good market.
    private func frames(_ real: [UInt8], slot: UInt64) -> [Frame] {
        let many = 20_000
        return [
            Frame(drop: .notMarketData, bytes: []),
            // Not a tag; a field whose length runs over all ends; a varint without end.
            Frame(drop: .malformed, bytes: [UInt8](repeating: 0xff, count: 100)),
            Frame(drop: .malformed, bytes: [0x22, 0xff, 0xff, 0xff, 0xff, 0x0f]),
            Frame(
                drop: .malformed,
                bytes: [0x22] + [UInt8](repeating: 0xff, count: 9) + [0x7f]
            ),
            Frame(drop: .malformed, bytes: Array(real.dropLast())),
            Frame(drop: .malformed, bytes: real + [0x0a]),
            Frame(drop: .notInflatable, bytes: real, isCompressed: true),
            // A transaction without its body; one of nothing but empty signatures.
            Frame(
                drop: .incomplete,
                bytes: MadeMessage { $0.message(4) { $0.number(2, slot) } }.bytes
            ),
            Frame(
                drop: .incomplete,
                bytes: MadeMessage { update in
                    update.message(4) { transaction in
                        transaction.message(1) { info in
                            info.message(3) { $0.empty(1, times: many) }
                        }
                        transaction.number(2, slot)
                    }
                }.bytes
            ),
            // A block of nothing but empty transactions, and one of nothing but empty entries.
            Frame(drop: .incompleteBlock, bytes: block(slot, field: 6, times: many)),
            Frame(
                drop: .incomplete,
                bytes: MadeMessage { update in
                    update.message(5) {
                        $0.number(1, slot); $0.empty(13, times: many)
                    }
                }.bytes
            ),
            // A block meta whose hash is none.
            Frame(
                drop: .incomplete,
                bytes: MadeMessage { update in
                    update.message(7) {
                        $0.number(1, slot); $0.bytes(2, Array("0OIl".utf8))
                    }
                }.bytes
            ),
        ]
    }

    /// A block of another hash than the slot's own.
    private func block(_ slot: UInt64, field: UInt64, times: Int) -> [UInt8] {
        MadeMessage { update in
            update.message(5) { block in
                block.number(1, slot)
                block.bytes(2, Array(Base58.encode(Self.hash).utf8))
                block.empty(field, times: times)
                block.number(7, slot - 1)
                block.bytes(8, Array(Base58.encode(Self.hash).utf8))
                block.number(9, UInt64(times))
            }
        }.bytes
    }

    @Test(arguments: [0, 3])
    func `frames that say nothing are counted, located and change no slot`(helpers: Int) throws {
        let good = try market()
        let plain = try good.finals()
        #expect(plain.count > 25)
        var put: [Frame] = []
        let (bad, records) = try good.joined { slot, real in
            let frames = frames(real, slot: slot)
            let frame = frames[put.count % frames.count]
            put.append(frame)
            return StrangeMessage(bytes: frame.bytes, isCompressed: frame.isCompressed)
        }
        #expect(records.count >= 12)
        let finals = FinalDigests()
        let fold = try bad.fold(observer: finals) { $0.helpers = helpers }
        #expect(finals.digests == plain)
        #expect(fold.engine.counters.applied > 40)
        // The good market has messages that say nothing itself, such as pings.
        let own = try good.report().pipeline
        let tally = try bad.report(helpers: helpers).pipeline
        for drop in Drop.allCases {
            let places = put.indices.filter { put[$0].drop == drop }
            let before = own.dropped[drop, default: 0]
            #expect(tally.dropped[drop, default: 0] == before + UInt64(places.count), "\(drop)")
            if before == 0 { #expect(tally.firstDropped[drop] == places.first.map { records[$0] }) }
        }
    }

    // MARK: Transactions

    private static let unknownProgram = Address.hostile(202)

    /// Transactions that mean nothing to any monitor, each with what is to be counted.
    private func transactions(_ slot: UInt64) -> [MadeUpdate] {
        let buy = MadeCurveTrade.buy
        return [
            MadeUpdate(slot: slot, signature: 1, program: Self.unknownProgram, call: buy),
            // A call that the curve's program may learn some day.
            MadeUpdate(
                slot: slot,
                signature: 2,
                program: .pumpCurveProgram,
                call: [1, 2, 3, 4, 5, 6, 7, 8]
            ),
            // A buy whose event ends in the middle, and one without any.
            MadeUpdate(
                slot: slot,
                signature: 3,
                program: .pumpCurveProgram,
                call: buy,
                event: Array(MadeCurveTrade().event.prefix(60))
            ),
            MadeUpdate(slot: slot, signature: 4, program: .pumpCurveProgram, call: buy),
            // A program that is not among the keys.
            MadeUpdate(
                slot: slot,
                signature: 5,
                program: .pumpCurveProgram,
                call: buy,
                programIndex: 200
            ),
        ]
    }

    @Test func `transactions that nobody knows are counted, located and change no slot`() throws {
        let good = try market()
        let plain = try good.finals()
        var queue: [MadeUpdate]?
        let (bad, records) = try good.joined { slot, _ in
            if queue == nil { queue = transactions(slot).reversed() }
            return (queue?.popLast()).map { update in
                var update = update
                update.slot = slot
                return StrangeMessage(bytes: update.bytes)
            }
        }
        try #require(records.count == 5)
        #expect(try bad.finals() == plain)
        let tally = try bad.report().pipeline
        let own = try good.report().pipeline
        let unknown = ParseTally.Unknown(
            program: .pumpCurveProgram,
            isEvent: false,
            discriminator: 0x0102_0304_0506_0708
        )
        #expect(tally.transactions == own.transactions + 5)
        #expect(tally.marketTransactions == own.marketTransactions + 4)
        #expect(tally.events == own.events)
        #expect(tally.parse.unknown[unknown] == 1)
        #expect(tally.firstUnknown[unknown] == records[1])
        #expect(tally.parse.failed == [.pumpCurve: [.truncated: 1, .noEvent: 1]])
        #expect(tally.firstFailed == [.pumpCurve: [.truncated: records[2], .noEvent: records[3]]])
        #expect(tally.parse.callsWithoutProgram == 1)
        #expect(tally.firstCallWithoutProgram == records[4])
        // However the log is cut into batches.
        let other = try bad.report(helpers: 2) { $0.batchRecordsMax = 3 }.pipeline
        #expect(other == tally)
    }

    /// Trades of one coin whose numbers are as large or as small as they can be.
    private var absurdTrades: [MadeCurveTrade] {
        var trades: [MadeCurveTrade] = []
        for (lamports, tokens) in [(UInt64.max, UInt64.max), (0, .max), (.max, 0), (0, 0), (1, 1)] {
            for (quote, token) in [
                (UInt64.max, UInt64.max), (0, .max), (.max, 0), (0, 0), (.max, 1),
            ] {
                for isBuy in [true, false] {
                    trades.append(
                        MadeCurveTrade(
                            lamports: lamports,
                            tokens: tokens,
                            isBuy: isBuy,
                            virtualLamports: quote,
                            virtualTokens: token
                        )
                    )
                }
            }
        }
        return trades
    }

    @Test func `absurd amounts of one coin trap nothing and touch no other coin`() throws {
        let good = try market()
        var queue = absurdTrades
        var count: UInt8 = 0
        let (bad, records) = try good.joined { slot, _ in
            guard let trade = queue.popLast() else { return nil }
            count += 1
            return StrangeMessage(
                bytes: MadeUpdate(
                    slot: slot,
                    signature: count,
                    program: .pumpCurveProgram,
                    call: MadeCurveTrade.buy,
                    event: trade.event
                ).bytes
            )
        }
        #expect(records.count == 50)
        let fold = try bad.fold()
        let plain = try good.fold()
        let tally = try bad.report().pipeline
        #expect(tally.parse.failed.isEmpty)
        #expect(tally.events == (try good.report().pipeline.events) + 50)
        for helpers in [1, 4] {
            #expect(try bad.fold { $0.helpers = helpers }.positionDigest == fold.positionDigest)
        }
        var tables = 0
        for schema in plain.engine.store.schemas
        where schema.key.first?.type == .address && !schema.isOutsideDigest {
            let rows = try #require(try plain.engine.store.rows(of: schema.name))
            let others = Set(try #require(try fold.engine.store.rows(of: schema.name)))
            let lost = rows.filter { !others.contains($0) }
            #expect(lost.isEmpty, "\(schema.name): \(lost.count) of \(rows.count)")
            if !rows.isEmpty { tables += 1 }
        }
        #expect(tables > 5)
        // And it was folded: the coin is there, with what its trades say.
        let tokens = try #require(try fold.engine.store.rows(of: "tokens"))
        #expect(tokens.contains { $0.key == Address.hostile(200).bytes })
    }
}
