import Platform
import SegmentLog
package import Simulation

/// A whole run from one seed: a few rounds of work on one disk, each with options, faults and an
/// end of its own, and after each end everything that came back is held against the history.
package struct SimulationRun {
    /// The seed that repeats the run.
    package let seed: UInt64
    /// Breaches of the promise, in the order in which they were seen.
    package private(set) var findings: [String] = []
    /// States of the disk that were opened again and checked.
    package private(set) var states = 0
    /// Operations of the disk, over all rounds.
    package private(set) var operations = 0
    /// A digest of all operations: the same seed gives the same one.
    package private(set) var digest: UInt64 = 0

    private var random: SeededRandom
    private let recorder: SimulatedRecorder
    private let lies: Set<SimulatedFileSystem.Lie>

    /// - Parameters:
    ///   - seed: decides everything.
    ///   - lies: planted mistakes of the disk, to see that they are found.
    package init(seed: UInt64, lies: Set<SimulatedFileSystem.Lie> = []) {
        self.seed = seed
        self.lies = lies
        random = SeededRandom(seed: seed)
        recorder = SimulatedRecorder(seed: random.next())
    }

    /// Runs to the end, or to the first round with a finding.
    package mutating func run() {
        let rounds = 1 + random.next(below: 5)
        for round in 1...rounds {
            work()
            end()
            recorder.check("round \(round)")
            checkForks("round \(round)")
            states += 1
            findings = recorder.findings
            if !findings.isEmpty || recorder.mayLose { break }
        }
        noteDisk()
        guard findings.isEmpty else { return }
        // The last word: a healthy machine opens it, writes, closes, and all of it is whole.
        recorder.disk.setLies([])
        recorder.settle("at the end")
        findings = recorder.findings
    }

    /// What was done, for whoever looks for the cause of a finding.
    package var story: [String] { recorder.story }

    // MARK: One round

    private mutating func work() {
        let policy: DurabilityPolicy =
            switch random.next(below: 5) {
            case 0: .none
            case 1, 2: .everyBlock
            default: .interval(nanoseconds: 4000)
            }
        var options = SimulatedRecorder.quickOptions(
            policy,
            onFull: random.next(below: 3) == 0 ? .exit : .wait
        )
        options.rotateBytes = 2000 + random.next(below: 12_000)
        options.rotateNanoseconds = random.next(below: 4) == 0 ? 20_000 : 3_600_000_000_000
        options.reserveBytes = random.next(below: 3) * 4096
        if random.next(below: 4) == 0 {
            options.retention = RetentionPolicy()
            options.retention?.bytesMax = 4000 + random.next(below: 20_000)
        }
        recorder.pausesUntilSpace = random.next(below: 2) == 0 ? nil : 2
        recorder.disk.setLies(lies)
        plantFault()
        guard recorder.open(options) else { return }
        if random.next(below: 2) == 0 { recorder.follow() }
        let steps = 5 + random.next(below: 60)
        for _ in 0..<steps {
            step()
            if recorder.disk.hasLostPower { return }
        }
    }

    private mutating func plantFault() {
        let disk = recorder.disk
        let now = disk.operations
        // Early operations are those of opening: they are struck as often as all later ones.
        let at = now + 1 + Int(random.next(below: random.next(below: 3) == 0 ? 40 : 250))
        let errno: Int32 = [5, 5, 28, 4, 122][Int(random.next(below: 5))]
        let fault: DiskFault? =
            switch random.next(below: 8) {
            case 0, 1: .once(at: at, errno: errno)
            case 2: .always(from: at, errno: errno)
            case 3: .full(from: at)
            case 4, 5: .powerLoss(at: at)
            default: nil
            }
        var faults = fault.map { [$0] } ?? []  // a healthy round
        if random.next(below: 3) == 0 {
            // The power goes while the log works around the failure.
            faults.append(.powerLoss(at: at + 1 + Int(random.next(below: 12))))
        }
        disk.setFaults(faults)
        if random.next(below: 8) == 0 {
            disk.setBytesMax(disk.usedBytes + 4000 + Int(random.next(below: 30_000)))
        }
    }

    private mutating func step() {
        switch random.next(below: 20) {
        case 0...5:
            let count = 1 + random.next(below: 4)
            recorder.append(sizes: (0..<count).map { _ in size() }, seed: seed)
        case 6: recorder.appendGap()
        case 7, 8: recorder.step(.compressing)
        case 9...11: recorder.step(.writing)
        case 12, 13: recorder.step(.syncing)
        case 14: recorder.flush()
        case 15: recorder.wait(nanoseconds: 1000 + random.next(below: 8000))
        case 16, 17: recorder.pollFollower()
        default:
            recorder.wait(nanoseconds: 1000)
            recorder.step(.writing)
        }
    }

    private mutating func size() -> Int {
        switch random.next(below: 40) {
        case 0: 66_000 + Int(random.next(below: 5000))
        case 1...5: Int(random.next(below: 5000))
        default: Int(random.next(below: 200))
        }
    }

    private mutating func end() {
        let choice = random.next(below: 10)
        if choice < 3 { recorder.close() }
        if choice < 5, !recorder.disk.hasLostPower {
            recorder.kill()
            return
        }
        noteDisk()
        recorder.cutPower(
            seed: random.next(),
            percent: [0, 30, 50, 80, 100][Int(random.next(below: 5))],
            tears: random.next(below: 2) == 0,
            leavesGarbage: random.next(below: 3) == 0
        )
    }

    /// Other ways in which the same moment might have ended, each opened and checked on its own;
    /// one of them meets faults and another power cut while it recovers.
    private mutating func checkForks(_ words: String) {
        for number in 0..<2 {
            let seed = random.next()
            let copy = recorder.fork(on: recorder.disk.afterKill(seed: seed), isPowerCut: false)
            if number == 1 {
                let at = 1 + Int(random.next(below: 60))
                copy.disk.setFaults([
                    .once(at: at, errno: 5),
                    .powerLoss(at: at + 1 + Int(random.next(below: 20))),
                ])
                copy.open(SimulatedRecorder.quickOptions(.everyBlock))
                copy.cutPower(seed: seed, percent: random.next(below: 101), tears: true)
                copy.check("\(words), after a recovery that failed")
            }
            copy.settle("\(words), fork \(number)")
            recorder.take(from: copy)
            states += 1
            operations += copy.disk.operations
            digest = digest &* 31 &+ copy.disk.digest
        }
    }

    private mutating func noteDisk() {
        operations += recorder.disk.operations
        digest = digest &* 31 &+ recorder.disk.digest
    }
}

extension SimulatedRecorder {
    /// Cuts the power; space without its bytes reads as zeros.
    package func cutPower(seed: UInt64, percent: UInt64, tears: Bool) {
        cutPower(seed: seed, percent: percent, tears: tears, leavesGarbage: false)
    }

    /// Heals the disk, then opens, writes, closes and verifies the recording.
    package func settle(_ words: String) {
        disk.setFault(nil)
        disk.setBytesMax(nil)
        let before = check("\(words), before recovery")
        let wasRefused = history.acknowledged == 0 && before.last == 0
        guard open(Self.quickOptions(.everyBlock)) else {
            if !wasRefused || !mayLose { take(["\(words): cannot be opened again"]) }
            return
        }
        if !mayLose, history.last != before.last + 1 {
            take(["\(words): a reader found \(before.last), recovery kept \(history.last - 1)"])
        }
        append(sizes: [10, 3000, 0])
        flush()
        close()
        check("\(words), after recovery")
        take(verificationFindings(words))
    }
}
