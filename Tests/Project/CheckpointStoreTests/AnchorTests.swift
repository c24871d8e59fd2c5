import Foundation
import MarketModel
import Platform
import Projection
import RecordModel
import Testing

@testable import CheckpointStore

@Suite struct AnchorLadderTests {
    static func rung(_ position: UInt64, _ time: Int64?, bytes: UInt64 = 1) -> AnchorLadder.Rung {
        AnchorLadder.Rung(position: position, time: time, bytes: bytes)
    }

    @Test func `the newest, the first of each hour of a day, and the first of each day stay`() {
        // One every ten minutes for three days, from 1970-01-02T00:00:00Z on.
        let rungs = (0..<432 as Range<UInt64>).map { place in
            AnchorLadderTests.rung(place, 86_400 + Int64(place) * 600)
        }
        let gone = Set(AnchorLadder().superfluous(rungs))
        let kept = (0..<432 as Range<UInt64>).filter { !gone.contains($0) }
        // 432 = 3 days * 24 hours * 6. The newest is of hour 71: hours 48 to 71 stay.
        let days = [0, 144] as [UInt64]
        let hours = (48...71 as ClosedRange<UInt64>).map { $0 * 6 }
        let newest = Array(424...431 as ClosedRange<UInt64>)
        #expect(kept == Set(days + hours + newest).sorted())
    }

    @Test func `pruning after each anchor keeps what pruning once at the end keeps`() {
        var left: [AnchorLadder.Rung] = []
        var all: [AnchorLadder.Rung] = []
        for place in 0..<500 as Range<UInt64> {
            let rung = AnchorLadderTests.rung(place, Int64(place * place) * 7 - 50_000)
            left.append(rung)
            all.append(rung)
            let gone = AnchorLadder().superfluous(left)
            left.removeAll { gone.contains($0.position) }
        }
        let gone = Set(AnchorLadder().superfluous(all))
        #expect(left == all.filter { !gone.contains($0.position) })
    }

    @Test func `the oldest go first when bytes run out, and the newest never goes`() {
        var ladder = AnchorLadder()
        ladder.bytesMax = 25
        let rungs = (0..<6 as Range<UInt64>).map {
            AnchorLadderTests.rung($0, Int64($0) * 86_400, bytes: 10)
        }
        #expect(ladder.superfluous(rungs.shuffled()) == [0, 1, 2, 3])
        ladder.bytesMax = 3
        #expect(ladder.superfluous(rungs) == [0, 1, 2, 3, 4])
        #expect(ladder.superfluous([]) == [])
    }

    @Test func `without a time an anchor stays while it is among the newest`() {
        let rungs = (0..<10 as Range<UInt64>).map { AnchorLadderTests.rung($0, nil) }
        #expect(AnchorLadder().superfluous(rungs) == [0, 1])
    }
}

@Suite struct AnchorTests {
    /// A recording with a state of several checkpoints, each of which became an anchor.
    struct Setting {
        let workshop: Workshop
        let bench = Bench()
        let place: StatePath
        let folder: AnchorFolder
        var checkpoints: [Checkpoint] = []

        init() throws {
            workshop = try Workshop()
            try StatePath.prepareFolder(workshop.path, on: LinuxFileSystem())
            let key = bench.key
            place = StatePath(recording: workshop.path, chain: .solana, key: key)
            folder = AnchorFolder(recording: workshop.path, chain: .solana, key: key)
            try bench.engine.restore(from: try bench.file(place.path))
            for last in [10, 20, 30, 40] as [UInt64] {
                try bench.apply(last - 9...last)
                try bench.settle(last)
                let checkpoint = try bench.engine.checkpoint(resume: Sequence(last))
                checkpoints.append(try #require(checkpoint))
                let anchor = try folder.add(from: place.path, checkpoints[checkpoints.count - 1])
                #expect(anchor.position == last)
            }
        }
    }

    @Test func `an anchor is the checkpoint it was made of, and is found by position`() throws {
        let setting = try Setting()
        #expect(try setting.folder.list().map(\.position) == [10, 20, 30, 40])
        #expect(try setting.folder.newest(atOrBelow: 9) == nil)
        for (position, expected) in [(10, 10), (29, 20), (30, 30), (900, 40)] as [(UInt64, UInt64)]
        {
            let anchor = try #require(try setting.folder.newest(atOrBelow: position))
            #expect(anchor.position == expected)
            let bench = Bench()
            let found = try bench.engine.restore(from: try bench.file(anchor.path, for: .read))
            #expect(found == setting.checkpoints[Int(expected) / 10 - 1])
            #expect(bench.rows == (try Bench.uninterrupted(expected).rows))
            // Time travel: fold on from there, without storing anything.
            try bench.apply(expected + 1..<expected + 6)
            #expect(bench.rows == (try Bench.uninterrupted(expected + 5).rows))
        }
    }

    @Test func `pruning removes what the ladder drops, and unfinished copies`() throws {
        let setting = try Setting()
        var ladder = AnchorLadder()
        ladder.newest = 2
        let path = setting.folder.path
        let name = try #require(try LinuxFileSystem().list(path).first)
        try Data([1]).write(to: URL(fileURLWithPath: path + "/" + name + ".unfinished"))
        let gone = try setting.folder.prune(ladder)
        // All are of the same hour: the first of it and the two newest stay.
        #expect(gone.map(\.position) == [20])
        #expect(try setting.folder.list().map(\.position) == [10, 30, 40])
        #expect(try LinuxFileSystem().list(path).count == 3)
        let mode = try FileManager.default.attributesOfItem(
            atPath: try setting.folder.list()[0].path
        )[.posixPermissions]
        #expect(mode as? Int == 0o600)
    }

    @Test func `a base anchor begins a state that goes on as if nothing were missing`() throws {
        let setting = try Setting()
        let recording = setting.workshop.path
        let base = try BaseAnchor.make(
            from: setting.place.path,
            chain: .solana,
            recording: recording
        )
        #expect(base.position == 40)
        #expect(base.resume == Sequence(40))
        try base.verify(recording: recording)
        let other = try Workshop()
        try StatePath.prepareFolder(other.path, on: LinuxFileSystem())
        let bench = Bench()
        let place = StatePath(recording: other.path, chain: .solana, key: bench.key)
        try base.begin(recording: recording, at: place)
        #expect(throws: StateFile.OpenError.self) {
            try base.begin(recording: recording, at: place)
        }
        #expect(
            try bench.engine.restore(from: try bench.file(place.path)) == setting.checkpoints[3]
        )
        try bench.apply(41...60)
        try bench.settle(60)
        try bench.engine.checkpoint(resume: Sequence(60))
        #expect(bench.engine.chainDigest == (try Bench.uninterrupted(60).engine.chainDigest))
    }

    @Test func `a base anchor that is gone or changed anywhere is damage`() throws {
        let setting = try Setting()
        let recording = setting.workshop.path
        let base = try BaseAnchor.make(
            from: setting.place.path,
            chain: .solana,
            recording: recording
        )
        let name = "anchors/" + base.name
        let bytes = try #require(setting.workshop.bytes(name))
        let damage = StateFile.OpenError.damaged(recording + "/" + name)
        for place in stride(from: 0, to: bytes.count, by: 997) {
            var flipped = bytes
            flipped[place] ^= 0x10
            setting.workshop.write(flipped, name)
            #expect(throws: damage) { try base.verify(recording: recording) }
        }
        setting.workshop.write(Array(bytes.dropLast()), name)
        #expect(throws: damage) { try base.verify(recording: recording) }
        setting.workshop.write(bytes, name)
        try base.verify(recording: recording)
        try FileManager.default.removeItem(atPath: recording + "/" + name)
        #expect(throws: damage) { try base.verify(recording: recording) }
    }

    @Test func `a base anchor's name never leads out of its folder`() throws {
        for name in ["../state.sqlite", "..", "/etc/passwd"] {
            let base = BaseAnchor(
                name: name,
                chain: .solana,
                position: 1,
                resume: Sequence(1),
                key: .zero,
                bytes: 1,
                checksum: .zero
            )
            #expect(throws: StateFile.OpenError.notOurs(path: name)) {
                try base.verify(recording: "/nowhere")
            }
        }
    }
}
