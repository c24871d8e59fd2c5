import Glibc
import LogSimulation
import Platform
import SegmentLog

/// Runs random simulations of the log and stops at the first that breaks a promise.
@main
struct SimulatorTool {
    static let usage = """
        usage: Tools/simulate [--seed N] [--runs N] [--minutes N]
               Tools/simulate --sweep
               Tools/simulate --scenario FILE

        Runs the log over a simulated disk that fails and loses its power, and holds everything
        that comes back against what was appended and acknowledged. One seed repeats one run.

          --seed N     the first seed: a number, or a git commit of 40 digits (default: by chance)
          --runs N     how many runs, with seeds that count up from the first (default 1, or
                       without end when --minutes is given)
          --minutes N  stop after so many minutes
          --sweep      no chance at all: every operation of one run fails in turn, in every way
          --scenario F runs a text of Tests/Log/Scenarios and prints what is seen

        exit code: 0 every promise held, 1 one was broken, 2 wrong arguments
        """

    static func main() {
        let arguments: SimulatorArguments
        do { arguments = try SimulatorArguments(CommandLine.arguments.dropFirst()) } catch {
            if error.message.isEmpty {
                say(usage)
                exit(0)
            }
            say("simulate: \(error.message)\n\(usage)", to: .error)
            exit(2)
        }
        if let path = arguments.scenario { exit(play(path)) }
        if arguments.isSweep {
            say("Tools/simulate --sweep")
            exit(sweep())
        }
        say(
            "Tools/simulate --seed \(arguments.seed)"
                + (arguments.runs.map { $0 > 1 ? " --runs \($0)" : "" } ?? "")
        )
        exit(run(arguments))
    }

    private static func say(_ text: String, to stream: Terminal.Stream = .output) {
        // Whoever does not listen any more still gets the exit code.
        do throws(SystemError) { try Terminal.write(text + "\n", to: stream) } catch { _ = error }
    }

    private static func run(_ arguments: SimulatorArguments) -> Int32 {
        let clock = SystemClock()
        let start = clock.monotonicNanoseconds()
        var shown = start
        var done: UInt64 = 0
        var states = 0
        var operations = 0
        func summary() -> String {
            let seconds = (clock.monotonicNanoseconds() - start) / 1_000_000_000
            return "\(done) runs, \(states) states opened again, \(operations) disk operations,"
                + " \(seconds) s"
        }
        while arguments.runs.map({ done < $0 }) ?? true {
            let now = clock.monotonicNanoseconds()
            if let limit = arguments.nanoseconds, now - start >= limit { break }
            if now - shown >= 10_000_000_000 {
                say(summary())
                shown = now
            }
            let seed = arguments.seed &+ done
            var run = SimulationRun(seed: seed)
            run.run()
            done += 1
            states += run.states
            operations += run.operations
            guard run.findings.isEmpty else {
                say("seed \(seed) breaks a promise; to repeat: Tools/simulate --seed \(seed)")
                for finding in run.findings.prefix(20) { say("  \(finding)") }
                say("what was done:")
                for line in run.story.suffix(60) { say("  \(line)") }
                say(summary())
                return 1
            }
        }
        say("every promise held: \(summary())")
        return 0
    }

    private static func sweep() -> Int32 {
        var struck = 0
        var states = 0
        for policy in [DurabilityPolicy.everyBlock, .interval(nanoseconds: 4000), .none] {
            for onFull in [FullDiskPolicy.wait, .exit] {
                for blow in FaultSweep.Blow.allCases {
                    var sweep = FaultSweep(policy, onFull: onFull, retires: onFull == .exit)
                    sweep.run(blow)
                    sweep.runCompound(blow, step: 3)
                    struck += sweep.struck
                    states += sweep.states
                    say(
                        "\(policy), on full \(onFull), \(blow): \(sweep.struck) operations "
                            + "(\(sweep.struckInRecovery) in recovery), \(sweep.states) states opened again"
                    )
                    guard sweep.findings.isEmpty else {
                        for finding in sweep.findings.prefix(20) { say("  \(finding)") }
                        return 1
                    }
                }
            }
        }
        say("every promise held: \(struck) operations struck, \(states) states opened again")
        return 0
    }

    private static func play(_ path: String) -> Int32 {
        do {
            let file = try LinuxFileSystem().open(path, .readOnly)
            let bytes = try file.read(1 << 20, at: 0)
            var scenario = Scenario(String(decoding: bytes, as: UTF8.self))
            let seen = try scenario.run()
            say(scenario.text(expecting: seen))
            return seen == scenario.expectation ? 0 : 1
        } catch {
            say("simulate: \(error)", to: .error)
            return 2
        }
    }
}
