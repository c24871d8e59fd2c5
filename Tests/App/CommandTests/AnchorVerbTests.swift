import CheckpointStore
import Folding
import Foundation
import MarketModel
import Platform
import Projection
import RecordModel
import SegmentLog
import Synthesis
import Testing

@testable import Command

/// Anchors as verbs leave and use them.
@Suite struct AnchorVerbTests {
    /// A market with everything that can go wrong on a chain.
    private static func market() throws -> StateDeck {
        try StateDeck {
            $0.seed = 41
            $0.slots = 60
            $0.streams = 2
            $0.forks = 5
            $0.deadSlots = 3
            $0.duplicatedPerMille = 30
            $0.latePerMille = 20
        }
    }

    @Test func `from an anchor every slot and time is what the whole log says`() throws {
        let deck = try Self.market()
        let last = try deck.reader.sequenceRange()?.last.value ?? 0
        try deck.leaveAnchors(at: [last * 2 / 3, last * 5 / 6, last])
        #expect(deck.anchors.count >= 3)
        let before = try deck.anchors.map { try deck.bytes("derived/anchors/" + $0) }
        let slots = try deck.slots()
        #expect(slots.count > 30)
        var starts: Set<UInt64> = []
        // Some of them, and those around each anchor.
        let stored = StoredState(deck.path, FoldOptions())
        let places = try stored.anchors.list().map(\.position)
        let some = slots.enumerated().filter { offset, element in
            offset.isMultiple(of: 5) || places.contains { $0 == element.slot }
                || slots.indices.contains(offset + 1) && places.contains(slots[offset + 1].slot)
        }.map(\.element)
        for (slot, time) in some {
            let whole = try deck.fold(.log) { $0.position = slot }
            let quick = try deck.fold(.anchors) { $0.position = slot }
            #expect(quick.outcome == whole.outcome, "slot \(slot)")
            #expect(whole.start == .log)
            if case .anchor(let position) = quick.start {
                #expect(position <= slot)
                starts.insert(position)
            } else {
                #expect(quick.start == .log)
                #expect(starts.isEmpty)
            }
            guard let time, slot.isMultiple(of: 3) else { continue }
            let wholeTime = try deck.fold(.log) { $0.time = time }
            let quickTime = try deck.fold(.anchors) { $0.time = time }
            #expect(quickTime.outcome == wholeTime.outcome, "time \(time)")
            if starts.count > 1 { #expect(quickTime.start != .log) }
        }
        #expect(starts.count >= 3)
        // Nothing was written to them, or beside them.
        #expect(try deck.anchors.map { try deck.bytes("derived/anchors/" + $0) } == before)
        #expect(deck.names("derived/anchors") == deck.anchors)
    }

    @Test func `a damaged anchor is never used`() throws {
        let deck = try Self.market()
        let last = try deck.reader.sequenceRange()?.last.value ?? 0
        try deck.leaveAnchors(at: [last * 2 / 3, last])
        let anchors = deck.anchors
        let newest = try #require(anchors.last)
        let bytes = try deck.bytes("derived/anchors/" + newest)
        let slot = try #require(try deck.slots().last).slot
        let whole = try deck.fold(.log) { $0.position = slot }.outcome
        var damages: [[UInt8]] = [[], Array(bytes.prefix(bytes.count / 2)), [1, 2, 3]]
        for place in stride(from: 100, to: bytes.count, by: bytes.count / 8) {
            var flipped = bytes
            for offset in place..<min(place + 40, bytes.count) { flipped[offset] ^= 0x55 }
            damages.append(flipped)
        }
        var refused = 0
        for damage in damages {
            try deck.write(damage, "derived/anchors/" + newest)
            let quick = try deck.fold(.anchors) { $0.position = slot }
            #expect(quick.outcome == whole)
            if !deck.anchors.contains(newest) {
                refused += 1
                #expect(deck.names("derived/anchors").contains { $0.hasSuffix("-damaged") })
            }
        }
        #expect(refused >= 3)
        // All of them.
        for anchor in anchors { try deck.write([0], "derived/anchors/" + anchor) }
        let quick = try deck.fold(.anchors) { $0.position = slot }
        #expect(quick.outcome == whole)
        #expect(quick.start == .log)
        #expect(deck.anchors == [])
    }

    @Test func `a rebuild leaves an anchor of what it stored, and no more than it may`() throws {
        let deck = try Self.market()
        let words = ["rebuild", deck.path, "--threads", "2"]
        #expect(go(words) == .ok)
        #expect(deck.anchors.count == 1)
        #expect(go(words) == .ok)
        #expect(deck.anchors.count == 1)
        let other = try Self.market()
        #expect(go(["rebuild", other.path, "--anchor-bytes", "0"]) == .ok)
        #expect(other.names("derived/anchors") == [])
        let last = try other.reader.sequenceRange()?.last.value ?? 0
        try other.leaveAnchors(at: [])
        #expect(go(["rebuild", other.path, "--force"]) == .ok)
        #expect(other.anchors.count == 1)
        #expect(last > 0)
    }

    @Test func `an anchor that cannot be made fails no rebuild`() throws {
        let deck = try Self.market()
        try FileManager.default.createDirectory(
            atPath: deck.path + "/derived",
            withIntermediateDirectories: false
        )
        try deck.write([7], "derived/anchors")
        #expect(go(["rebuild", deck.path]) == .ok)
        #expect(try deck.bytes("derived/anchors") == [7])
        let stored = try deck.fold(.state(AnchorLadder()))
        #expect(stored.start == .checkpoint)
        #expect(stored.outcome == (try deck.fold(.log).outcome))
    }

    @Test func `verbs begin at anchors only where the state is of a slot or time`() throws {
        let deck = try Self.market()
        #expect(go(["rebuild", deck.path]) == .ok)
        let slot = try #require(try deck.slots().last).slot
        for words in [
            ["state", deck.path, "--at", "slot:\(slot)"], ["state", deck.path, "--at", "seq:40"],
            ["state", deck.path, "--at", "time:2026-01-05T12:00:20Z"],
            ["digest", deck.path, "--at", "slot:\(slot)", "--whole"],
            ["digest", deck.path, "--at", "slot:\(slot)", "--every", "10"],
        ] {
            #expect(go(words) == .ok, "\(words)")
        }
        var options = FoldOptions()
        func isOfAnchors(_ use: StateOpening.Use) -> Bool {
            if case .anchors = use { return true }
            return false
        }
        #expect(!isOfAnchors(options.use(orElse: .log)))
        options.position = 1
        #expect(isOfAnchors(options.use(orElse: .log)))
        options.position = nil
        options.time = 1
        #expect(isOfAnchors(options.use(orElse: .log)))
        options.time = nil
        options.through = Sequence(1)
        #expect(!isOfAnchors(options.use(orElse: .state(AnchorLadder()))))
    }

    @Test(arguments: ["state", "digest"])
    func `a moment that the recording does not hold is not available`(verb: String) throws {
        let deck = try Self.market()
        let slots = try deck.slots().map(\.slot)
        let first = try #require(slots.first)
        let last = try #require(slots.last)
        let end = try #require(try deck.reader.sequenceRange()?.last.value)
        for (moment, code) in [
            ("slot:\(first - 1)", ExitCode.rangeNotAvailable), ("slot:\(first)", .ok),
            ("slot:\(last)", .ok), ("slot:\(last + 1)", .rangeNotAvailable),
            ("slot:\(UInt64.max)", .rangeNotAvailable), ("seq:\(end)", .ok),
            ("seq:\(end + 1)", .rangeNotAvailable),
            ("time:2020-01-01T00:00:00Z", .rangeNotAvailable),
            ("time:2036-01-01T00:00:00Z", .rangeNotAvailable),
        ] {
            #expect(go([verb, deck.path, "--at", moment]) == code, "\(moment)")
        }
    }

    @Test func `a state that is damaged is made again from the newest anchor`() throws {
        let deck = try Self.market()
        let last = try deck.reader.sequenceRange()?.last.value ?? 0
        try deck.leaveAnchors(at: [last * 2 / 3, last])
        let name = try #require(deck.names("derived").first { $0.hasSuffix(".sqlite") })
        let bytes = try deck.bytes("derived/" + name)
        try deck.write(Array(bytes.prefix(bytes.count / 2)), "derived/" + name)
        let again = try deck.fold(.state(AnchorLadder()))
        guard case .anchor = again.start else {
            Issue.record("began at \(again.start)")
            return
        }
        #expect(again.outcome == (try deck.fold(.log).outcome))
        #expect(deck.names("derived").contains(name + ".damaged"))
    }

    // MARK: What came late

    @Test(arguments: [0, 1, 3])
    func `what came late is folded where it belongs`(anchors: Int) throws {
        let plain = try StateDeck {
            $0.seed = 9
            $0.slots = 60
            $0.skippedPerMille = 0
        }
        let slots = try plain.slots()
        let middle = slots[slots.count / 2].slot
        let late = try plain.delayed(middle...middle + 1)
        // Nobody who reads the log once can know; the invented market itself is the judge.
        let expected = try plain.fold(.log).outcome
        var options = FoldOptions()
        options.helpers = 0
        let once = try StateFold(try late.reader, options, storage: nil, clock: SystemClock())
        _ = try once.run()
        #expect(once.engine.stale.first == middle)
        #expect(once.engine.chainDigest != expected.chain)
        #expect(try late.fold(.log).outcome.chain == expected.chain)
        // As a follower has left it, with anchors below and above.
        let last = try late.reader.sequenceRange()?.last.value ?? 0
        try late.leaveAnchors(at: (0..<UInt64(anchors)).map { last * ($0 + 1) / 4 })
        var ladder = AnchorLadder()
        if anchors == 0 { ladder.bytesMax = 0 }
        try late.fold(.state(ladder)) { $0.through = Sequence(last) }
        let rebuilt = try late.fold(.state(AnchorLadder()))
        #expect(rebuilt.outcome.chain == expected.chain)
        if anchors == 0 {
            #expect(rebuilt.start == .log)
        } else {
            guard case .anchor(let position) = rebuilt.start else {
                Issue.record("began at \(rebuilt.start)")
                return
            }
            #expect(position < middle)
        }
        // Once is enough, and anchors that lack it are gone.
        let again = try late.fold(.state(AnchorLadder()))
        #expect(again.start == .checkpoint)
        #expect(again.outcome.chain == expected.chain)
        let head = try #require(slots.last).slot
        #expect(try late.fold(.anchors) { $0.position = head }.outcome.chain == expected.chain)
        #expect(
            try late.fold(.anchors) { $0.position = middle }.outcome.chain
                == plain.fold(.log) { $0.position = middle }.outcome.chain
        )
    }

    // MARK: Other keys

    @Test func `what an older version made goes once the new state has got as far`() throws {
        let deck = try Self.market()
        let last = try deck.reader.sequenceRange()?.last.value ?? 0
        let own = StoredState(deck.path, FoldOptions())
        func key(_ name: String, _ value: String) -> StateKey {
            StateKey(own.key.parts.map { $0.name == name ? StateKey.Part(name, value) : $0 })
        }
        /// Stores state under another key, up to a record.
        func store(_ key: StateKey, through: UInt64) throws -> String {
            var options = FoldOptions()
            options.helpers = 0
            options.through = Sequence(through)
            let place = StatePath(recording: deck.path, chain: own.chain, key: key)
            try StatePath.prepareFolder(deck.path, on: LinuxFileSystem())
            var checkpoint: Checkpoint?
            let storage: StateOpening.Opener = { engine throws(StorageError) in
                do throws(StateFile.OpenError) {
                    return try StateFile(
                        place.path,
                        chain: own.chain,
                        key: key,
                        schemas: own.schemas
                    )
                } catch { throw .failed("\(error)") }
            }
            let fold = try StateFold(
                try deck.reader,
                options,
                storage: storage,
                clock: SystemClock()
            )
            _ = try fold.run()
            checkpoint = try StateOverview(place.path, chain: own.chain).checkpoint
            let stored = try #require(checkpoint)
            _ = try AnchorFolder(recording: deck.path, chain: own.chain, key: key)
                .add(from: place.path, stored)
            return place.path.split(separator: "/").last.map(String.init) ?? ""
        }
        let older = try store(key("assembler", "1"), through: last)
        let otherWay = try store(key("commitment", "processed"), through: last)
        // Not as far yet: the older one is what people look at.
        try deck.leaveAnchors(at: [last * 3 / 4])
        #expect(deck.names("derived").contains(older))
        #expect(deck.anchors.count >= 3)
        // Somebody writes it.
        let lock = try LinuxFileSystem().open(deck.path + "/derived/\(older).lock", .readWrite)
        #expect(try lock.tryLock())
        #expect(go(["rebuild", deck.path]) == .ok)
        #expect(deck.names("derived").contains(older))
        try lock.close()
        #expect(go(["rebuild", deck.path]) == .ok)
        #expect(!deck.names("derived").contains { $0.hasPrefix(older) })
        #expect(deck.names("derived").contains(otherWay))
        // Two of ours, one of the other way.
        #expect(deck.anchors.count >= 3)
    }
}
