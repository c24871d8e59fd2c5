import CheckpointStore
import Folding
import Foundation
import GeyserDecoding
import Platform
import Projection
import RecordModel
import SegmentLog
import Synthesis
import Testing

@testable import Command

/// Stored state is used with no log but the one that it was made of.
@Suite struct StateOriginTests {
    /// Slots are final 32 slots later: what is lost must have been stored by then.
    private static func market(_ seed: UInt64 = 41) throws -> StateDeck {
        try StateDeck {
            $0.seed = seed
            $0.slots = 110
            $0.tradesPerSlot = 3
            $0.forks = 3
            $0.latePerMille = 20
        }
    }

    /// A recorder that never syncs; the seed makes its identity and salts.
    private static func writer(_ path: String, seed: UInt64) throws -> LogWriter {
        var options = LogOptions()
        options.durability = .none
        return try LogWriter(
            path: path,
            disk: LinuxFileSystem(),
            clock: ImportClock(startingAt: 0),
            random: SeededRandom(seed: seed),
            options: options
        )
    }

    /// Appends the records of a market from one to another; in a new run its streams are opened
    /// again, under numbers of their own.
    private static func append(
        from first: UInt64 = 1,
        before end: UInt64,
        of deck: StateDeck,
        thinned: Bool = false,
        inNewRun: Bool = false,
        to writer: LogWriter
    ) throws {
        let cursor = try RecordCursor(try deck.reader, from: inNewRun ? .first : Sequence(first))
        var transactions = 0
        var streams: [StreamID: StreamID] = [:]
        while case .record = try cursor.next() {
            var envelope = cursor.envelope
            guard envelope.sequence.value < end else { break }
            if envelope.kind == .runStarted || envelope.kind == .runEnded { continue }
            if envelope.sequence.value < first, envelope.kind == .grpcMessageIn { continue }
            let payload = Array(cursor.unsafePayload)
            if thinned, envelope.kind == .grpcMessageIn {
                let update = try UpdateSummary(of: payload.span.bytes)
                if update.kind == .transaction { transactions += 1 }
                if update.kind == .transaction, transactions.isMultiple(of: 3) { continue }
            }
            if let stream = streams[envelope.stream] { envelope.stream = stream }
            let appended = try writer.append(envelope, payload: payload.span.bytes)
            if envelope.kind == .streamOpened {
                streams[StreamID(envelope.sequence.value)] = StreamID(appended.sequence.value)
            }
        }
        try writer.flush()
    }

    private static func copy(_ source: String, _ target: String) throws {
        let files = FileManager.default
        if files.fileExists(atPath: target) { try files.removeItem(atPath: target) }
        try files.copyItem(atPath: source, toPath: target)
    }

    /// Every way to ask for state gives what the log alone gives.
    private static func expectOwn(
        _ deck: StateDeck,
        _ start: (StateOpening.Start) -> Bool
    ) throws {
        let whole = try deck.fold(.log).outcome
        let slot = try #require(whole.slot)
        let atSlot = try deck.fold(.log) { $0.position = slot }.outcome
        #expect(try deck.fold(.anchors) { $0.position = slot }.outcome == atSlot)
        let stored = try deck.fold(.state(AnchorLadder()))
        #expect(stored.outcome == whole)
        #expect(start(stored.start), "began at \(stored.start)")
        // And is used from then on.
        let again = try deck.fold(.state(AnchorLadder()))
        #expect(again.start == .checkpoint)
        #expect(again.outcome == whole)
        #expect(go(["rebuild", deck.path]) == .ok)
        #expect(try deck.fold(.state(AnchorLadder())).outcome == whole)
    }

    // MARK: Records that are gone

    /// What a power cut leaves of a recording that a live reader had followed beyond it, gone on
    /// with other records under the same sequences; with the state as it was made.
    private static func cutAndGoneOn(anchors: [UInt64]) throws -> StateDeck {
        let market = try Self.market()
        let end = try #require(try market.reader.sequenceRange()).last.value
        let (kept, read) = (end * 50 / 100, end * 95 / 100)
        let deck = try StateDeck(empty: ())
        let first = try Self.writer(deck.path, seed: 1)
        try Self.append(before: kept, of: market, to: first)
        let survived = deck.folder.root + "/survived"
        try Self.copy(deck.path, survived)
        try Self.append(from: kept, before: read, of: market, to: first)
        try deck.leaveAnchors(at: anchors.map { end * $0 / 100 })
        var ladder = AnchorLadder()
        if anchors.isEmpty { ladder.bytesMax = 0 }
        try deck.fold(.state(ladder))
        try Self.copy(deck.path + "/derived", survived + "/derived")
        try first.close(cause: "test")
        try Self.copy(survived, deck.path)
        let second = try Self.writer(deck.path, seed: 2)
        #expect(second.writerEpoch == 2)
        try Self.append(
            from: kept,
            before: end,
            of: market,
            thinned: true,
            inNewRun: true,
            to: second
        )
        try second.close(cause: "test")
        // The log reaches beyond where the stored state reads on from, and beyond what it had read.
        let checkpoint = try #require(
            try StoredState(deck.path, FoldOptions()).overview()?.checkpoint
        )
        let last = try #require(try deck.reader.sequenceRange()).last
        #expect(checkpoint.resume < last)
        let place = try #require(checkpoint.place)
        #expect(place.sequence > Sequence(kept) && place.sequence < last)
        #expect(place.writerEpoch == 1)
        return deck
    }

    @Test func `state of records that a power cut took is made again from the beginning`() throws {
        let deck = try Self.cutAndGoneOn(anchors: [])
        try Self.expectOwn(deck) { $0 == .log }
    }

    @Test func `an anchor below what was kept is begun with, those beyond it go`() throws {
        let deck = try Self.cutAndGoneOn(anchors: [45, 70, 85])
        let before = deck.anchors
        #expect(before.count >= 3)
        let slot = try #require(try deck.slots().last).slot
        let quick = try deck.fold(.anchors) { $0.position = slot }
        guard case .anchor(let position) = quick.start else {
            Issue.record("began at \(quick.start)")
            return
        }
        // Nothing is removed by whoever only looks.
        #expect(deck.anchors == before)
        try Self.expectOwn(deck) { $0 == .anchor(position) }
        let stored = StoredState(deck.path, FoldOptions())
        let reader = try deck.reader
        for anchor in try stored.anchors.list() {
            let checkpoint = try StateOverview(anchor.path, chain: stored.chain).checkpoint
            #expect(try StateFold.mismatch(try #require(checkpoint), reader) == nil)
        }
    }

    @Test func `a follower begins where the log still has what was read`() throws {
        let deck = try Self.cutAndGoneOn(anchors: [45])
        var options = FoldOptions()
        options.follows = true
        let session = try FoldSession("test", deck.path, options, .state(AnchorLadder()))
        guard case .anchor = session.start else {
            Issue.record("began at \(session.start)")
            return
        }
    }

    @Test func `a backup that was gone on with does not use the state of what was lost`() throws {
        let market = try Self.market(43)
        let end = try #require(try market.reader.sequenceRange()).last.value
        let deck = try StateDeck(empty: ())
        let first = try Self.writer(deck.path, seed: 1)
        try Self.append(before: end / 2, of: market, to: first)
        try first.close(cause: "test")
        let backup = deck.folder.root + "/backup"
        try Self.copy(deck.path, backup)
        // Synced, sealed, and the second run has the number that another one gets.
        let second = try Self.writer(deck.path, seed: 2)
        try Self.append(before: end * 9 / 10, of: market, inNewRun: true, to: second)
        try second.close(cause: "test")
        let lost = try deck.fold(.state(AnchorLadder())).outcome
        let derived = deck.path + "/derived"
        try Self.copy(derived, backup + "/derived")
        try Self.copy(backup, deck.path)
        let other = try Self.writer(deck.path, seed: 3)
        try Self.append(before: end, of: market, thinned: true, inNewRun: true, to: other)
        try other.close(cause: "test")
        #expect(try deck.fold(.log).outcome.chain != lost.chain)
        // An anchor may be of what both have.
        try Self.expectOwn(deck) { $0 != .checkpoint }
    }

    // MARK: State of something else

    @Test func `state beside the segments of another recording is not used`() throws {
        let one = try Self.market(41)
        let other = try Self.market(42)
        let last = try #require(try one.reader.sequenceRange()).last.value
        try one.leaveAnchors(at: [last / 2, last * 3 / 4])
        try one.fold(.state(AnchorLadder()))
        try Self.copy(one.path + "/derived", other.path + "/derived")
        try Self.expectOwn(other) { $0 == .log }
        // A copy of the recording is the same recording.
        let copy = try StateDeck(empty: ())
        try Self.copy(one.path, copy.path)
        try Self.expectOwn(copy) { $0 == .checkpoint }
    }

    @Test func `a recording of the same name with other records does not use it either`() throws {
        let market = try Self.market()
        let end = try #require(try market.reader.sequenceRange()).last.value
        var decks: [StateDeck] = []
        for isThinned in [false, true] {
            let deck = try StateDeck(empty: ())
            let writer = try Self.writer(deck.path, seed: 1)
            try Self.append(before: end, of: market, thinned: isThinned, to: writer)
            try writer.close(cause: "test")
            decks.append(deck)
        }
        #expect(try decks[0].reader.recordingID == decks[1].reader.recordingID)
        try decks[0].leaveAnchors(at: [end / 2])
        try decks[0].fold(.state(AnchorLadder())) { $0.through = Sequence(end * 3 / 4) }
        try Self.copy(decks[0].path + "/derived", decks[1].path + "/derived")
        try Self.expectOwn(decks[1]) { $0 == .log }
    }

    @Test func `nothing is retired on the word of a state that is of another log`() throws {
        let one = try StateDeck(rotateBytes: 60_000) { $0.seed = 17 }
        let other = try StateDeck(rotateBytes: 60_000) { $0.seed = 18 }
        #expect(go(["rebuild", one.path]) == .ok)
        try Self.copy(one.path + "/derived", other.path + "/derived")
        let segments = try other.reader.segments
        #expect(segments.count > 3)
        #expect(go(["retire", other.path, "--keep-bytes", "100KiB"]) == .failed)
        #expect(try other.reader.segments == segments)
        #expect(other.names("anchors") == [])
        #expect(go(["rebuild", other.path]) == .ok)
        #expect(go(["retire", other.path, "--keep-bytes", "100KiB"]) != .failed)
        #expect(try other.reader.segments.count < segments.count)
        let whole = try other.fold(.state(AnchorLadder()))
        #expect(whole.start == .checkpoint)
    }
}
