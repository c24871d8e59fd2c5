import Foundation
import Platform
import Testing

@Suite struct LinuxFileSystemTests {
    private let root: String
    private let disk = LinuxFileSystem()

    init() throws {
        root = FileManager.default.temporaryDirectory.path + "/tapedeck-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: root, withIntermediateDirectories: true)
    }

    private func permissions(_ path: String) throws -> Int {
        let attributes = try FileManager.default.attributesOfItem(atPath: path)
        return try #require(attributes[.posixPermissions] as? Int)
    }

    @Test func `files are 0600 and folders 0700`() throws {
        defer { try? FileManager.default.removeItem(atPath: root) }
        try disk.createDirectory(root + "/folder")
        let file = try disk.open(root + "/folder/file", .createNew)
        try file.close()
        let folderPermissions = try permissions(root + "/folder")
        let filePermissions = try permissions(root + "/folder/file")
        #expect(folderPermissions == 0o700)
        #expect(filePermissions == 0o600)
    }

    @Test func `what is written at an offset is read there, and the end is short`() throws {
        defer { try? FileManager.default.removeItem(atPath: root) }
        let file = try disk.open(root + "/file", .createNew)
        try file.write([1, 2, 3], at: 5)
        let whole = try file.read(100, at: 0)
        #expect(whole == [0, 0, 0, 0, 0, 1, 2, 3])
        let behind = try file.read(4, at: 8)
        #expect(behind.isEmpty)
        try file.truncate(to: 6)
        let size = try file.size()
        #expect(size == 6)
        try file.allocate(4096)
        let allocated = try file.size()
        #expect(allocated == 4096)
        try file.syncData()
        try file.close()
        try disk.syncDirectory(root)
    }

    @Test func `an existing file is not created again, a missing one is told as such`() throws {
        defer { try? FileManager.default.removeItem(atPath: root) }
        try disk.open(root + "/file", .createNew).close()
        #expect {
            _ = try disk.open(root + "/file", .createNew)
        } throws: {
            ($0 as? SystemError)?.isAlreadyThere == true
        }
        #expect {
            _ = try disk.open(root + "/missing", .readOnly)
        } throws: {
            ($0 as? SystemError)?.isNotFound == true
        }
    }

    @Test func `a symbolic link is neither followed nor hidden`() throws {
        defer { try? FileManager.default.removeItem(atPath: root) }
        try disk.open(root + "/file", .createNew).close()
        try FileManager.default.createSymbolicLink(
            atPath: root + "/link",
            withDestinationPath: root + "/file"
        )
        let kind = try disk.kind(of: root + "/link")
        #expect(kind == .symbolicLink)
        for mode in [OpenMode.readOnly, .readWrite, .createIfMissing] {
            #expect {
                _ = try disk.open(root + "/link", mode)
            } throws: {
                ($0 as? SystemError)?.isSymbolicLink == true
            }
        }
    }

    @Test func `names come sorted by bytes`() throws {
        defer { try? FileManager.default.removeItem(atPath: root) }
        for name in ["b", "a", "ä", "B", "10", "9"] {
            try disk.open(root + "/" + name, .createNew).close()
        }
        let names = try disk.list(root)
        #expect(names == ["10", "9", "B", "a", "b", "ä"])
    }

    @Test func `a lock is held against another handle until it is closed`() throws {
        defer { try? FileManager.default.removeItem(atPath: root) }
        let first = try disk.open(root + "/lock", .createIfMissing)
        let second = try disk.open(root + "/lock", .createIfMissing)
        let isFirst = try first.tryLock()
        let isSecond = try second.tryLock()
        #expect(isFirst)
        #expect(!isSecond)
        try first.close()
        let isFree = try second.tryLock()
        #expect(isFree)
        try second.close()
    }

    @Test func `an offset beyond what a file can have is an error, not a trap`() throws {
        defer { try? FileManager.default.removeItem(atPath: root) }
        let file = try disk.open(root + "/file", .createNew)
        #expect(throws: SystemError.self) {
            try file.write([1], at: UInt64.max)
        }
        #expect(throws: SystemError.self) {
            _ = try file.read(1, at: UInt64.max)
        }
        try file.close()
    }
}

@Suite struct RandomTests {
    @Test func `the seeded generator gives the published numbers of SplitMix64`() {
        // The reference values of the algorithm for the seed 1234567.
        var random = SeededRandom(seed: 1_234_567)
        let numbers = (0..<5).map { _ in random.next() }
        #expect(
            numbers == [
                6_457_827_717_110_365_317, 3_203_168_211_198_807_973,
                9_817_491_932_198_370_423, 4_593_380_528_125_082_431,
                16_408_922_859_458_223_821,
            ]
        )
    }

    @Test(arguments: [UInt64(1), 2, 3, 10, 1 << 63, UInt64.max])
    func `a number below a bound is below it`(bound: UInt64) {
        var random = SeededRandom(seed: 5)
        var seen: Set<UInt64> = []
        for _ in 0..<200 {
            let number = random.next(below: bound)
            #expect(number < bound)
            seen.insert(number)
        }
        #expect(seen.count == Int(min(bound, 10)) || bound > 10)
    }

    @Test func `the machine's numbers differ`() {
        var random = SystemRandom()
        let numbers = Set((0..<100).map { _ in random.next() })
        #expect(numbers.count == 100)
    }
}

@Suite struct MonitorTests {
    @Test func `waiters see what another thread sets`() throws {
        let monitor = Monitor(0)
        let thread = try Thread(name: "setter") {
            for number in 1...1000 { monitor.update { $0 = number } }
        }
        let seen = monitor.wait { $0 == 1000 ? $0 : nil }
        #expect(seen == 1000)
        thread.join()
        thread.join()
    }

    @Test func `a deadline that has passed ends the wait, with one last look`() {
        let monitor = Monitor(7)
        let missed = monitor.wait(deadline: 1) { $0 == 8 ? true : nil }
        #expect(missed == nil)
        let found = monitor.wait(deadline: 1) { $0 == 7 ? true : nil }
        #expect(found == true)
    }

    @Test func `counting from many threads loses nothing`() throws {
        let monitor = Monitor(0)
        let threads = try (0..<8).map { number in
            try Thread(name: "count-\(number)") {
                for _ in 0..<10_000 { monitor.withLock { $0 += 1 } }
            }
        }
        for thread in threads { thread.join() }
        let count = monitor.withLock { $0 }
        #expect(count == 80_000)
    }
}

@Suite struct ClockTests {
    @Test func `monotonic time never falls and wall time is of this age`() {
        let clock = SystemClock()
        var last = clock.monotonicNanoseconds()
        for _ in 0..<10_000 {
            let now = clock.monotonicNanoseconds()
            #expect(now >= last)
            last = now
        }
        // After 2025 and before 2100.
        #expect(clock.wallNanoseconds() > 1_735_689_600_000_000_000)
        #expect(clock.wallNanoseconds() < 4_102_444_800_000_000_000)
    }

    @Test func `the processors that may be used are at least one`() {
        #expect(Processors.available(atMost: 1) == 1)
        #expect(Processors.available(atMost: 1024) >= 1)
    }
}
