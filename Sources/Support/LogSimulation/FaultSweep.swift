package import SegmentLog
import Simulation

/// Lets every operation of one fixed run fail in turn, in every way, and looks at what several
/// kinds of crash leave of each.
package struct FaultSweep {
    /// What befalls an operation.
    package enum Blow: String, CaseIterable, Sendable {
        case failsOnce, failsForEver, noSpaceOnce, noSpaceForEver, isInterrupted, powerGoes

        func fault(at number: Int) -> DiskFault {
            switch self {
            case .failsOnce: .once(at: number, errno: 5)
            case .failsForEver: .always(from: number, errno: 5)
            case .noSpaceOnce: .once(at: number, errno: 28)
            case .noSpaceForEver: .full(from: number)
            case .isInterrupted: .once(at: number, errno: 4)
            case .powerGoes: .powerLoss(at: number)
            }
        }
    }

    /// Breaches of the promise; each names the blow and the operation.
    package private(set) var findings: [String] = []
    /// Operations that were struck.
    package private(set) var struck = 0
    /// The part of them that belongs to a recovery.
    package private(set) var struckInRecovery = 0
    /// States of the disk that were opened again and checked.
    package private(set) var states = 0

    private let durability: DurabilityPolicy
    private let onFull: FullDiskPolicy
    /// Old segments are retired while the run goes on.
    private let retires: Bool

    package init(
        _ durability: DurabilityPolicy,
        onFull: FullDiskPolicy = .wait,
        retires: Bool = false
    ) {
        self.durability = durability
        self.retires = retires
        self.onFull = onFull
    }

    // MARK: Faults

    /// Strikes the operations of the run one after the other, until the run ends before its turn.
    ///
    /// - Parameters:
    ///   - blow: in which way.
    ///   - step: every how many operations; 1 for all.
    ///   - first: the number of the first.
    package mutating func run(_ blow: Blow, step: Int = 1, first: Int = 1) {
        var number = first
        while findings.count < 20 {
            let recorder = SimulatedRecorder(seed: UInt64(number))
            // Small numbers of pauses, so that a full disk ends for some and not for others.
            recorder.pausesUntilSpace = number % 2 == 0 ? nil : 2
            recorder.disk.setFault(blow.fault(at: number))
            work(recorder)
            guard recorder.disk.hasFailed else { return }
            struck += 1
            endings(of: recorder, number, "\(blow) at operation \(number)")
            number += step
        }
    }

    /// The fixed run: appends, group commits, marks, rotation, a close, a second run left open.
    private func work(_ recorder: SimulatedRecorder) {
        var options = SimulatedRecorder.quickOptions(durability, onFull: onFull)
        if retires {
            options.retention = RetentionPolicy()
            options.retention?.bytesMax = 9000
        }
        recorder.follow()
        recorder.open(options)
        recorder.append(sizes: [0, 40, 900])
        recorder.step(.writing)
        recorder.wait(nanoseconds: 1000)
        recorder.append(sizes: [700])
        recorder.appendGap()
        recorder.pollFollower()
        recorder.flush()
        recorder.wait(nanoseconds: 6000)
        recorder.append(sizes: [3000, 2000])
        recorder.wait(nanoseconds: 1000)
        recorder.append(sizes: [2500])
        recorder.flush()
        recorder.append(sizes: [80, 1500])
        recorder.pollFollower()
        recorder.close()
        if recorder.disk.hasLostPower { return }
        recorder.pollFollower()
        recorder.check("between the runs")
        recorder.open(options)
        recorder.appendGap()
        recorder.append(sizes: [5, 600])
        recorder.flush()
        recorder.append(sizes: [900])
        recorder.wait(nanoseconds: 1000)
        recorder.append(sizes: [10])
        recorder.pollFollower()
    }

    private mutating func endings(of recorder: SimulatedRecorder, _ number: Int, _ words: String) {
        if !recorder.disk.hasLostPower {
            let copy = recorder.fork(
                on: recorder.disk.afterKill(seed: UInt64(number)),
                isPowerCut: false
            )
            settle(copy, "\(words), then killed")
        }
        let kinds: [(percent: UInt64, tears: Bool, leavesGarbage: Bool)] = [
            (0, false, false), (100, true, false), (50, false, true), (75, true, false),
        ]
        for (index, kind) in kinds.enumerated() {
            let disk = recorder.disk.afterPowerCut(
                seed: UInt64(number * 16 + index),
                percent: kind.percent,
                tears: kind.tears,
                leavesGarbage: kind.leavesGarbage
            )
            let copy = recorder.fork(on: disk, isPowerCut: true)
            settle(copy, "\(words), then a power cut that keeps \(kind.percent) %")
        }
        findings += recorder.findings.map { "\(words): \($0)" }
    }

    private mutating func settle(_ copy: SimulatedRecorder, _ words: String) {
        copy.settle(words)
        states += 1
        findings += copy.findings
    }

    // MARK: Faults while recovering

    /// Cuts the power at every `step`th operation, then strikes every operation of the recovery
    /// that follows, kills or cuts it there, and recovers once more: the result is the same.
    package mutating func runCompound(_ blow: Blow, step: Int, first: Int = 20) {
        var number = first
        while findings.count < 20 {
            let recorder = SimulatedRecorder(seed: UInt64(number))
            recorder.disk.setFault(.powerLoss(at: number))
            work(recorder)
            guard recorder.disk.hasFailed else { return }
            let seed = UInt64(number)
            recorder.cutPower(seed: seed, percent: 40 + seed % 61, tears: seed % 2 == 0)
            let before = recorder.check("before").last
            strikeRecovery(of: recorder, blow, number, keeps: before)
            findings += recorder.findings
            number += step
        }
    }

    private mutating func strikeRecovery(
        of recorder: SimulatedRecorder,
        _ blow: Blow,
        _ number: Int,
        keeps last: UInt64
    ) {
        var at = 1
        while findings.count < 20 {
            let words = "power cut at \(number), recovery \(blow) at \(at)"
            let copy = recorder.fork(
                on: recorder.disk.afterKill(seed: UInt64(at)),
                isPowerCut: false
            )
            copy.disk.setFault(blow.fault(at: at))
            let isOpen = copy.open(SimulatedRecorder.quickOptions(.everyBlock, onFull: .exit))
            guard copy.disk.hasFailed else { return }
            struck += 1
            struckInRecovery += 1
            if at % 3 == 0, !copy.disk.hasLostPower {
                copy.kill()
            } else {
                copy.cutPower(seed: UInt64(at), percent: UInt64(at * 17 % 101), tears: false)
            }
            let after = copy.check(words).last
            if !copy.mayLose, after != last, !isOpen {
                copy.take(["\(words): \(last) before, \(after) after"])
            }
            settle(copy, words)
            at += 1
        }
    }
}
