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

/// Retiring segments of a recording that has state, and what is made of the rest.
@Suite struct BaseAnchorVerbTests {
    /// A market in many small segments.
    private static func market() throws -> StateDeck {
        try StateDeck(rotateBytes: 60_000) {
            $0.seed = 17
            $0.streams = 2
            $0.forks = 3
        }
    }

    private static func retire(_ deck: StateDeck, _ more: String...) -> ExitCode {
        go(["retire", deck.path, "--keep-bytes", "200KiB"] + more)
    }

    private static func removeDerived(_ deck: StateDeck) throws {
        try FileManager.default.removeItem(atPath: deck.path + "/derived")
    }

    private static func base(_ deck: StateDeck) throws -> BaseAnchorMention {
        try #require(try deck.reader.identity.baseAnchors.first)
    }

    /// The same state. How the chain was observed aside: an invented recording has subscriptions as
    /// frames alone, which the context of a segment does not keep, so that slots right behind the
    /// beginning lack a proof.
    private static func expectSame(_ one: StateDeck.Outcome, _ other: StateDeck.Outcome) {
        #expect(one.chain == other.chain)
        #expect(one.slot == other.slot)
        let known = Set(other.text.split(separator: "\n"))
        let more = one.text.split(separator: "\n").filter { !known.contains($0) }
        let gap = #/[0-9]+,[0-9]+/#
        #expect(more.filter { $0.wholeMatch(of: gap) == nil } == [])
    }

    @Test func `a rebuild begins at the base anchor that took the place of segments`() throws {
        let deck = try Self.market()
        let whole = try deck.fold(.log).outcome
        let slots = try deck.slots()
        #expect(go(["rebuild", deck.path]) == .ok)
        let segments = try deck.reader.segments
        #expect(segments.count > 6)
        // Said, not done.
        #expect(Self.retire(deck, "--dry-run") != .failed)
        #expect(try deck.reader.segments == segments)
        #expect(deck.names("anchors") == [])
        #expect(Self.retire(deck) != .failed)
        let left = try deck.reader.segments
        #expect(left.count < segments.count)
        let base = try Self.base(deck)
        #expect(deck.names("anchors") == [base.file])
        let oldest = try #require(left.first).firstSequence
        #expect(base.resume >= oldest)
        #expect(go(["verify", deck.path]) == .ok)
        #expect(go(["info", deck.path]) == .ok)
        #expect(go(["info", deck.path, "--format", "json"]) == .ok)
        // The state that is there goes on; without it the base anchor begins.
        #expect(try deck.fold(.state(AnchorLadder())).start == .checkpoint)
        try Self.removeDerived(deck)
        for use in [StateOpening.Use.log, .anchors, .state(AnchorLadder())] {
            let again = try deck.fold(use)
            #expect(again.start == .baseAnchor(base.position))
            Self.expectSame(again.outcome, whole)
        }
        #expect(go(["rebuild", deck.path, "--force"]) == .ok)
        Self.expectSame(try deck.fold(.state(AnchorLadder())).outcome, whole)
        // What lies before it cannot be had any more, and nothing pretends that it can.
        let early = try #require(slots.first { $0.slot < base.position }).slot
        #expect(try deck.fold(.anchors) { $0.position = early }.start == .log)
        // Once more: it still stands for all that goes, or another takes its place.
        #expect(go(["retire", deck.path, "--keep-bytes", "0"]) == .findings)
        #expect(deck.names("anchors") == [try Self.base(deck).file])
        #expect(go(["rebuild", deck.path]) == .ok)
        #expect(try deck.fold(.state(AnchorLadder())).outcome.chain == whole.chain)
    }

    @Test func `retirement never passes the oldest checkpoint unless forced`() throws {
        let deck = try Self.market()
        let last = try #require(try deck.reader.sequenceRange()).last.value
        try deck.leaveAnchors(at: [last * 2 / 3])
        let stored = StoredState(deck.path, FoldOptions())
        let resume = try #require(try stored.overview()?.checkpoint).resume
        #expect(go(["retire", deck.path, "--keep-bytes", "0"]) == .findings)
        let oldest = try #require(try deck.reader.segments.first)
        #expect(oldest.firstSequence <= resume)
        #expect((oldest.lastSequence ?? .none) >= resume)
        let whole = try deck.fold(.state(AnchorLadder()))
        #expect(whole.start == .checkpoint)
        let forced = try Self.market()
        try forced.leaveAnchors(at: [last * 2 / 3])
        #expect(go(["retire", forced.path, "--keep-bytes", "0", "--force"]) == .findings)
        #expect(try forced.reader.segments.count == 1)
        #expect(try forced.reader.identity.baseAnchors == [])
        // Neither the state nor its anchors reach the log: what is left gives a partial state.
        let partial = try forced.fold(.state(AnchorLadder()))
        #expect(partial.start == .log)
        #expect(partial.outcome.text.contains("older segments are gone"))
    }

    @Test func `a recording without state is retired as before, and rebuilt as partial`() throws {
        let deck = try Self.market()
        let whole = try deck.fold(.log).outcome
        #expect(Self.retire(deck) != .failed)
        #expect(try deck.reader.identity.baseAnchors == [])
        #expect(deck.names("anchors") == [])
        #expect(go(["verify", deck.path]) == .ok)
        #expect(go(["rebuild", deck.path]) == .ok)
        let partial = try deck.fold(.state(AnchorLadder()))
        #expect(partial.start == .checkpoint)
        #expect(partial.outcome.chain != whole.chain)
        let first = try #require(try deck.slots().first).slot
        #expect(partial.outcome.text.contains("gap 0 to \(first - 1) (abandoned)"))
    }

    @Test func `another version's base anchor is not used, and the state says that it is partial`()
        throws
    {
        let deck = try Self.market()
        #expect(go(["rebuild", deck.path]) == .ok)
        #expect(Self.retire(deck) != .failed)
        let base = try Self.base(deck)
        let text = String(decoding: try deck.bytes("recording.json"), as: UTF8.self)
        let other = String(base.key.reversed())
        try deck.write(Array(text.replacing(base.key, with: other).utf8), "recording.json")
        try Self.removeDerived(deck)
        let partial = try deck.fold(.state(AnchorLadder()))
        #expect(partial.start == .log)
        #expect(partial.outcome.text.contains("older segments are gone"))
        #expect(go(["rebuild", deck.path]) == .ok)
        // It is still the one that the recording names.
        #expect(go(["verify", deck.path]) == .ok)
    }

    @Test func `a base anchor that was changed or is gone is damage, and is never used`() throws {
        let deck = try Self.market()
        #expect(go(["rebuild", deck.path]) == .ok)
        #expect(Self.retire(deck) != .failed)
        let name = "anchors/" + (try Self.base(deck).file)
        let bytes = try deck.bytes(name)
        try Self.removeDerived(deck)
        for place in [0, bytes.count / 2, bytes.count - 1] {
            var flipped = bytes
            flipped[place] ^= 1
            try deck.write(flipped, name)
            #expect(go(["verify", deck.path]) == .findings, "byte \(place)")
            #expect(go(["verify", deck.path, "--format", "ndjson"]) == .findings)
            #expect(try deck.fold(.log).start == .log)
        }
        try FileManager.default.removeItem(atPath: deck.path + "/" + name)
        #expect(go(["verify", deck.path]) == .findings)
        #expect(try deck.fold(.state(AnchorLadder())).start == .log)
        try deck.write(bytes, name)
        #expect(go(["verify", deck.path]) == .ok)
        let text = String(decoding: try deck.bytes("recording.json"), as: UTF8.self)
        try deck.write(
            Array(text.replacing("\"base_anchors\":[", with: "\"base_anchors\":[7,").utf8),
            "recording.json"
        )
        #expect(go(["verify", deck.path]) == .findings)
    }

    @Test func `nothing is retired before the base anchor is durable and named`() throws {
        let deck = try Self.market()
        #expect(go(["rebuild", deck.path]) == .ok)
        let segments = try deck.reader.segments
        let identity = try deck.bytes("recording.json")
        // The anchor is made, and naming it fails.
        let blocker = deck.path + "/recording.json.new"
        try FileManager.default.createDirectory(
            atPath: blocker + "/full",
            withIntermediateDirectories: true
        )
        #expect(Self.retire(deck) == .failed)
        #expect(try deck.reader.segments == segments)
        #expect(try deck.bytes("recording.json") == identity)
        #expect(deck.names("anchors").count == 1)
        try FileManager.default.removeItem(atPath: blocker)
        // Making it fails.
        try FileManager.default.removeItem(atPath: deck.path + "/anchors")
        try deck.write([1], "anchors")
        #expect(Self.retire(deck) == .failed)
        #expect(try deck.reader.segments == segments)
        try FileManager.default.removeItem(atPath: deck.path + "/anchors")
        // What an interrupted try left goes with the next one that succeeds.
        try FileManager.default.createDirectory(
            atPath: deck.path + "/anchors",
            withIntermediateDirectories: false
        )
        try deck.write([1], "anchors/new.sqlite.unfinished")
        try deck.write([1], "anchors/solana-0000000000000000-1.sqlite")
        #expect(Self.retire(deck) != .failed)
        #expect(deck.names("anchors") == [try Self.base(deck).file])
        #expect(try deck.reader.segments.count < segments.count)
    }

    @Test func `a state with damaged rows becomes no base anchor`() throws {
        let deck = try Self.market()
        #expect(go(["rebuild", deck.path, "--anchor-bytes", "0"]) == .ok)
        let segments = try deck.reader.segments
        let name = try #require(deck.names("derived").first { $0.hasSuffix(".sqlite") })
        var bytes = try deck.bytes("derived/" + name)
        // One letter of an address: to SQLite nothing is wrong. Then all that the file says of
        // itself.
        let letters = Set("123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz".utf8)
        let address = try #require(
            (bytes.count / 2..<bytes.count - 44).first { place in
                bytes[place..<place + 40].allSatisfy { letters.contains($0) }
            }
        )
        bytes[address + 20] = bytes[address + 20] == UInt8(ascii: "A") ? UInt8(ascii: "B") : 0x41
        for isWide in [false, true] {
            if isWide {
                for place in stride(from: 4_096, to: bytes.count, by: 512) { bytes[place] ^= 0x11 }
            }
            try deck.write(bytes, "derived/" + name)
            #expect(Self.retire(deck) == .failed)
            #expect(try deck.reader.segments == segments)
            #expect(try deck.reader.identity.baseAnchors == [])
        }
        #expect(Self.retire(deck, "--force") != .failed)
        #expect(try deck.reader.segments.count < segments.count)
    }

    @Test func `a recorder retires only what a base anchor stands for, and makes one`() throws {
        let deck = try Self.market()
        let whole = try deck.fold(.log).outcome
        #expect(go(["rebuild", deck.path]) == .ok)
        let segments = try deck.reader.segments
        let watch = try StateWatch(deck.path) { Issue.record("said: \($0)") }
        /// A run of a recorder that records nothing but itself.
        func run() throws {
            var options = LogOptions()
            options.durability = .none
            options.rotateBytes = 60_000
            options.retention = RetentionPolicy()
            options.retention?.bytesMax = 200_000
            options.retainedState = watch
            options.onRetention = { watch.take($0) }
            let writer = try LogWriter(
                path: deck.path,
                disk: LinuxFileSystem(),
                clock: SystemClock(),
                random: SeededRandom(seed: 3),
                options: options
            )
            try writer.close(cause: "test")
        }
        try run()
        #expect(try deck.reader.segments.first == segments.first)
        watch.settle()
        let base = try Self.base(deck)
        #expect(deck.names("anchors") == [base.file])
        try run()
        let left = try deck.reader.segments
        #expect(try #require(left.first).ordinal > (try #require(segments.first)).ordinal)
        #expect(try #require(left.first).firstSequence <= base.resume)
        try Self.removeDerived(deck)
        let again = try deck.fold(.state(AnchorLadder()))
        #expect(again.start == .baseAnchor(base.position))
        #expect(again.outcome.chain == whole.chain)
        #expect(go(["verify", deck.path]) == .ok)
    }

    @Test func `recordings that are made of others name no base anchor of theirs`() throws {
        let deck = try Self.market()
        #expect(go(["rebuild", deck.path]) == .ok)
        #expect(Self.retire(deck) != .failed)
        let cut = deck.folder.root + "/cut"
        let merged = deck.folder.root + "/merged"
        #expect(go(["cut", deck.path, "-o", cut]) == .ok)
        #expect(go(["merge", deck.path, cut, "-o", merged]) == .ok)
        for path in [cut, merged] {
            let reader = try RecordingReader(path: path, disk: LinuxFileSystem())
            #expect(reader.identity.baseAnchors == [])
            #expect(!FileManager.default.fileExists(atPath: path + "/anchors"))
        }
    }
}
