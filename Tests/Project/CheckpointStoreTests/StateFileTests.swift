import Foundation
import MarketModel
import Platform
import Projection
import RecordModel
import Testing

@testable import CheckpointStore

@Suite struct StateFileTests {
    @Test(arguments: [Chain.solana, .evm(137)], [1, 4, Int.max])
    func `every value of every type comes back, whatever stays in memory`(
        chain: Chain,
        residentRowsMax: Int
    ) throws {
        try Sample.$chain.withValue(chain) {
            let workshop = try Workshop()
            let path = workshop.path + "/state.sqlite"
            var bench = Bench(chain, residentRowsMax: residentRowsMax)
            try bench.engine.restore(from: try bench.file(path))
            for round in 0..<30 as Range<UInt64> {
                let last = (round + 1) * 10
                try bench.apply(last - 9...last)
                try bench.settle(last - round % 8)
                let checkpoint = try bench.engine.checkpoint(resume: Sequence(last))
                #expect(checkpoint?.position == last - round % 8)
                let whole = try Bench.uninterrupted(last, on: chain)
                #expect(bench.engine.chainDigest == whole.engine.chainDigest)
                if round % 5 == 4 {
                    #expect(bench.rows == whole.rows)
                    // Stop and go on from what is stored.
                    bench = Bench(chain, residentRowsMax: residentRowsMax)
                    let found = try bench.engine.restore(from: try bench.file(path))
                    #expect(found == checkpoint)
                    try bench.apply(last - round % 8 + 1..<last + 1)
                    #expect(bench.rows == whole.rows)
                }
            }
        }
    }

    @Test(arguments: [1, Int.max])
    func `rows given ahead are in the file with their checkpoint and not before`(
        residentRowsMax: Int
    ) throws {
        let workshop = try Workshop()
        let path = workshop.path + "/state.sqlite"
        let bench = Bench(residentRowsMax: residentRowsMax)
        try bench.engine.restore(from: try bench.file(path))
        try bench.apply(1...20)
        try bench.settle(18)
        let first = try bench.engine.checkpoint(resume: Sequence(20))
        var copies: [[String: [UInt8]]] = []
        for last in [40, 60, 80] as [UInt64] {
            try bench.apply(last - 19...last)
            try bench.settle(last - 3)
            try bench.engine.saveAhead()
            #expect(bench.engine.dirtyRows > 0)
            let reader = Bench()
            let found = try reader.engine.restore(from: try reader.file(path, for: .read))
            #expect(found == first)
            #expect(bench.rows == (try Bench.uninterrupted(last)).rows)
            copies.append(workshop.copy())
        }
        let second = try bench.engine.checkpoint(resume: Sequence(80))
        #expect(second?.position == 77)
        let whole = try Bench.uninterrupted(80)
        #expect(bench.rows == whole.rows)
        let reader = Bench()
        #expect(try reader.engine.restore(from: try reader.file(path, for: .read)) == second)
        // What a crash leaves behind.
        for copy in copies {
            let other = try Workshop()
            try other.restore(copy)
            let again = Bench(residentRowsMax: residentRowsMax)
            let file = try again.file(other.path + "/state.sqlite")
            #expect(try again.engine.restore(from: file) == first)
            try again.apply(19...80)
            #expect(again.rows == whole.rows)
        }
    }

    @Test func `the texts of many addresses are those of each alone`() throws {
        let texts = AddressTexts()
        let room = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: 44)
        defer { room.deallocate() }
        // The first two and the last two share a place.
        let addresses = [
            Bytes32(words: (1, 2, 3, 4)), Bytes32(words: (5, 2, 3, 4 + 4096)), Bytes32(),
            Bytes32(words: (.max, .max, .max, .max)), Bytes32(words: (0, 0, 9, 4095)),
        ]
        for round in 0..<3 {
            for address in addresses + (round == 1 ? addresses.reversed() : []) {
                let count = texts.write(address, to: room)
                let text = String(decoding: room[..<count], as: UTF8.self)
                #expect(text == Base58.encode(address.bytes))
            }
        }
    }

    @Test func `a state of another key is refused and left as it was`() throws {
        let workshop = try Workshop()
        let path = workshop.path + "/state.sqlite"
        let bench = Bench()
        try bench.engine.restore(from: try bench.file(path))
        try bench.apply(1...20)
        try bench.settle(20)
        try bench.engine.checkpoint(resume: Sequence(7))
        let other = Bench(configuration: "window=2")
        #expect(throws: StateFile.OpenError.locked) { try bench.file(path) }
        let before = workshop.bytes("state.sqlite")
        let copy = workshop.copy()
        try workshop.restore(copy)
        #expect(throws: StateFile.OpenError.otherKey(found: bench.key.digest.description)) {
            try other.file(path)
        }
        #expect(workshop.bytes("state.sqlite") == before)
    }

    @Test func `links and folders in the place of our files are refused`() throws {
        let workshop = try Workshop()
        let path = workshop.path + "/state.sqlite"
        for suffix in ["", "-wal", "-shm", "-journal", ".lock"] {
            try workshop.clear()
            workshop.write([], "elsewhere")
            try FileManager.default.createSymbolicLink(
                atPath: path + suffix,
                withDestinationPath: workshop.path + "/elsewhere"
            )
            #expect(throws: StateFile.OpenError.notOurs(path: path + suffix)) {
                try Bench().file(path)
            }
            #expect(workshop.bytes("elsewhere") == [])
        }
        try workshop.clear()
        try FileManager.default.createDirectory(
            atPath: path,
            withIntermediateDirectories: false
        )
        #expect(throws: StateFile.OpenError.notOurs(path: path)) { try Bench().file(path) }
    }

    @Test func `files are for their owner alone`() throws {
        let workshop = try Workshop()
        let recording = workshop.path
        try StatePath.prepareFolder(recording, on: LinuxFileSystem())
        let bench = Bench()
        let place = StatePath(recording: recording, chain: .solana, key: bench.key)
        let file = try bench.file(place.path)
        try bench.engine.restore(from: file)
        try bench.apply(1...5)
        try bench.settle(5)
        try bench.engine.checkpoint(resume: Sequence(1))
        let manager = FileManager.default
        let folder = recording + "/derived"
        let mode = try manager.attributesOfItem(atPath: folder)[.posixPermissions] as? Int
        #expect(mode == 0o700)
        let names = try manager.contentsOfDirectory(atPath: folder).sorted()
        #expect(names.count == 4)
        for name in names {
            let mode = try manager.attributesOfItem(atPath: folder + "/" + name)[.posixPermissions]
            #expect(mode as? Int == 0o600, "\(name)")
        }
    }

    @Test func `somebody may look while it is written, and sees whole checkpoints`() throws {
        let workshop = try Workshop()
        let path = workshop.path + "/state.sqlite"
        let bench = Bench()
        try bench.engine.restore(from: try bench.file(path))
        for last in [10, 20, 30] as [UInt64] {
            try bench.apply(last - 9...last)
            try bench.settle(last)
            let checkpoint = try bench.engine.checkpoint(resume: Sequence(last))
            let onlooker = Bench()
            let file = try onlooker.file(path, for: .read)
            #expect(try onlooker.engine.restore(from: file) == checkpoint)
            #expect(onlooker.rows == bench.rows)
            #expect(throws: StorageError.self) { try file.begin() }
        }
    }

    @Test func `columns are what people expect of them in SQL`() throws {
        let workshop = try Workshop()
        let path = workshop.path + "/state.sqlite"
        let bench = Bench()
        try bench.engine.restore(from: try bench.file(path))
        let mint = try Address(solana: "So11111111111111111111111111111111111111112")
        var row = Sample(.solana(Signature(mint.storage, mint.storage)))
        row.long = .max
        row.huge = .max
        row.signedHuge = .min
        row.who = mint
        bench.projector.samples.put(Sample.Key(owner: mint, number: 1 << 63), row)
        row.long = 1 << 63 - 1
        row.huge = 77
        row.signedHuge = -5
        bench.projector.samples.put(Sample.Key(owner: mint, number: 1 << 63 - 1), row)
        try bench.apply([1000])
        try bench.settle(1000)
        bench.engine.gaps = [
            ChainGap(first: 3, last: .max, group: "pump", status: .abandoned, reason: "shut down")
        ]
        try bench.engine.checkpoint(resume: Sequence(55))
        let sql = try SQLiteConnection(path, .readOnly)
        func ask(_ query: String) throws -> [String] {
            let statement = try sql.prepare(query)
            var answers: [String] = []
            while try statement.step() { answers.append(statement.text(0) ?? "no text") }
            return answers
        }
        let rows = try ask(
            """
            SELECT number || ' ' || typeof(number) || ' ' || long || ' ' || typeof(long) || ' '
            || huge || ' ' || signed_huge FROM sample
            WHERE owner = 'So11111111111111111111111111111111111111112' ORDER BY number
            """
        )
        #expect(
            rows == [
                "9223372036854775807 integer 9223372036854775807 integer 77 -5",
                "09223372036854775808 text 18446744073709551615 text "
                    + "340282366920938463463374607431768211455 "
                    + "-170141183460469231731687303715884105728",
            ]
        )
        #expect(try ask("SELECT value FROM _state WHERE name = 'resume'") == ["55"])
        #expect(
            try ask("SELECT first || last || group_name || status || reason FROM _gaps")
                == ["318446744073709551615pumpabandonedshut down"]
        )
        let meaning = "SELECT meaning FROM _columns WHERE table_name = 'sample' AND name = 'flag'"
        #expect(try ask(meaning) == ["Yes or no."])
        #expect(try ask("SELECT cast(sum(row_count) AS TEXT) FROM _tables")[0] != "0")
    }

    @Test func `states of other keys are found, and go with all that is theirs`() throws {
        let workshop = try Workshop()
        let disk = LinuxFileSystem()
        try StatePath.prepareFolder(workshop.path, on: disk)
        let keys = ["a", "b"].map { Bench(configuration: $0).key }
        let places = keys.map {
            StatePath(recording: workshop.path, chain: .evm(1), key: $0)
        }
        for (place, configuration) in zip(places, ["a", "b"]) {
            _ = try Bench(.evm(1), configuration: configuration).file(place.path)
        }
        _ = try Bench(.evm(13)).file(
            StatePath(recording: workshop.path, chain: .evm(13), key: keys[0]).path
        )
        let others = try places[0].others(recording: workshop.path, chain: .evm(1), on: disk)
        #expect(others == [places[1]])
        try others[0].remove(on: disk)
        let left = try disk.list(workshop.path + "/derived")
        #expect(left.count == 4)
        #expect(!left.contains { $0.contains(keys[1].digest.description.prefix(16)) })
    }
}
