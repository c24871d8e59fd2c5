import Platform
import RecordModel
import SegmentLog
import Simulation
import Testing

@Suite struct DiskFaultTests {
    private static let policies: [DurabilityPolicy] = [
        .everyBlock, .interval(nanoseconds: 300_000), .none,
    ]

    /// Lets every operation of a run fail in turn, until a run ends before the failing one comes.
    private func loop(
        _ options: LogOptions,
        step: Int = 1,
        fault: @escaping @Sendable (Int) -> DiskFault
    ) throws {
        var number = 1
        while true {
            let at = number
            let (breaches, hasFailed) = try watched("operation \(at)") {
                let disk = SimulatedFileSystem(fault: fault(at), seed: UInt64(at))
                let run = simulate(disk, options)
                return (Self.breaches(run, on: disk, options, seed: UInt64(at)), disk.hasFailed)
            }
            #expect(breaches.isEmpty, "operation \(at)")
            if !hasFailed { return }
            number += step
        }
    }

    private static func breaches(
        _ run: SimulatedRun,
        on disk: SimulatedFileSystem,
        _ options: LogOptions,
        seed: UInt64
    ) -> [String] {
        var found: [String] = []
        let killed = SimulatedCheck()
        let after = disk.afterKill()
        found += killed.breaches(run, on: after).map { "after a kill: " + $0 }
        found += killed.breachesAfterReopening(after).map { "after a kill: " + $0 }
        for percent: UInt64 in [0, 50, 100] {
            let cut = SimulatedCheck(
                holdsAcknowledged: options.durability != .none,
                refusesDamage: options.durability != .none
            )
            let after = disk.afterPowerCut(seed: seed, percent: percent)
            let words = "after a power cut at \(percent) %: "
            found += cut.breaches(run, on: after).map { words + $0 }
            found += cut.breachesAfterReopening(after).map { words + $0 }
        }
        return found
    }

    @Test(arguments: policies)
    func `any operation may fail once with an I/O error`(_ policy: DurabilityPolicy) throws {
        try loop(quickOptions(policy)) { .once(at: $0, errno: 5) }
    }

    @Test(arguments: policies)
    func `any operation may find the disk full once`(_ policy: DurabilityPolicy) throws {
        try loop(quickOptions(policy)) { .once(at: $0, errno: 28) }
    }

    @Test(arguments: policies)
    func `the disk may go away for ever at any operation`(_ policy: DurabilityPolicy) throws {
        try loop(quickOptions(policy)) { .always(from: $0, errno: 5) }
    }

    @Test(arguments: policies)
    func `the disk may fill up at any operation`(_ policy: DurabilityPolicy) throws {
        try loop(quickOptions(policy, onFull: .exit)) { .full(from: $0) }
    }
}

@Suite struct PowerCutTests {
    /// Cuts the power behind every operation in turn: whatever was acknowledged is there.
    @Test(arguments: [DurabilityPolicy.everyBlock, .interval(nanoseconds: 300_000)])
    func `a power cut takes nothing that was acknowledged`(_ policy: DurabilityPolicy) throws {
        var number = 1
        while true {
            let at = number
            let (breaches, hasFailed) = try watched("operation \(at)") {
                let disk = SimulatedFileSystem(fault: .always(from: at, errno: 5))
                let run = simulate(disk, quickOptions(policy))
                var found: [String] = []
                for seed in 1...6 {
                    let after = disk.afterPowerCut(
                        seed: UInt64(at * 10 + seed),
                        percent: UInt64(seed) * 15
                    )
                    let check = SimulatedCheck()
                    found += check.breaches(run, on: after)
                    found += check.breachesAfterReopening(after)
                }
                return (found, disk.hasFailed)
            }
            #expect(breaches.isEmpty, "operation \(at)")
            if !hasFailed { return }
            number += 1
        }
    }

    /// The power goes a second time while the recovery from the first cut is at work.
    @Test func `a power cut during recovery takes nothing either`() throws {
        for first in stride(from: 20, through: 90, by: 7) {
            var second = 1
            while true {
                let at = second
                let (breaches, hasFailed) = try watched("operations \(first) and \(at)") {
                    let disk = SimulatedFileSystem(fault: .always(from: first, errno: 5))
                    let run = simulate(disk, quickOptions(.everyBlock))
                    let again = disk.afterPowerCut(
                        seed: UInt64(first),
                        percent: 60,
                        fault: .always(from: at, errno: 5)
                    )
                    var next = run
                    let later = simulate(again, quickOptions(.everyBlock), runs: 1, seed: 5)
                    next.appended.merge(later.appended) { $1 }
                    next.acknowledged = max(run.acknowledged, later.acknowledged)
                    next.breaches += later.breaches
                    let after = again.afterPowerCut(seed: UInt64(at), percent: 50)
                    let check = SimulatedCheck()
                    var found = check.breaches(next, on: after)
                    found += check.breachesAfterReopening(after)
                    return (found, again.hasFailed)
                }
                #expect(breaches.isEmpty, "operations \(first) and \(at)")
                if !hasFailed { break }
                second += 1
            }
        }
    }
}

@Suite struct FlushTests {
    /// A flush behind a sync that is just ending, again and again: none may sleep until the next
    /// interval, an hour away.
    @Test func `no flush is lost between two syncs`() throws {
        let isDone = try watched("a flush") {
            var options = quickOptions(.interval(nanoseconds: 3_600_000_000_000))
            options.rotateBytes = 1 << 30
            options.blockNanosecondsMax = 20_000
            do {
                let writer = try LogWriter(
                    path: simulatedPath,
                    disk: SimulatedFileSystem(),
                    clock: SystemClock(),
                    random: SeededRandom(seed: 1),
                    options: options
                )
                for _ in 0..<300 {
                    let first = try writer.append(event: .note, fields: EventFields()).sequence
                    // Written but not durable: the next flush finds the file dirty.
                    try writer.waitWritten(first)
                    let last = try writer.append(event: .note, fields: EventFields()).sequence
                    try writer.flush()
                    guard writer.watermarks.durable >= last else { return false }
                }
                try writer.close(cause: "test")
                return true
            } catch { return false }
        }
        #expect(isDone)
    }

    /// Blocks of one small record each hold a whole buffer: a sync comes for their memory, long
    /// before the interval of an hour, again and again.
    @Test func `small blocks count with the memory they hold`() throws {
        let isDone = try watched("a sync for memory") {
            var options = quickOptions(.interval(nanoseconds: 3_600_000_000_000))
            options.rotateBytes = 1 << 30
            options.blockNanosecondsMax = 20_000
            options.unsyncedBytesMax = 1 << 20
            do {
                let writer = try LogWriter(
                    path: simulatedPath,
                    disk: SimulatedFileSystem(),
                    clock: SystemClock(),
                    random: SeededRandom(seed: 1),
                    options: options
                )
                for _ in 0..<5 {
                    let durable = writer.watermarks.durable
                    while writer.watermarks.durable == durable {
                        let last = try writer.append(event: .note, fields: EventFields()).sequence
                        try writer.waitWritten(last)
                        guard last.value < 500 else { return false }
                    }
                }
                try writer.close(cause: "test")
                return true
            } catch { return false }
        }
        #expect(isDone)
    }
}
