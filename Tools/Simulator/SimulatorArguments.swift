import LogSimulation
import Platform

/// What is wrong with the arguments; no message asks for the help text.
struct ArgumentError: Error {
    let message: String
}

/// The arguments of the simulator.
struct SimulatorArguments {
    var seed: UInt64
    /// Nil without end.
    var runs: UInt64?
    var nanoseconds: UInt64?
    var isSweep = false
    /// The file of a scenario to play instead.
    var scenario: String?

    init(_ arguments: ArraySlice<String>) throws(ArgumentError) {
        var random = SystemRandom()
        seed = random.next() >> 16
        var left = arguments
        while let name = left.popFirst() {
            if name == "--help" || name == "-h" { throw ArgumentError(message: "") }
            if name == "--sweep" {
                isSweep = true
                continue
            }
            guard ["--seed", "--runs", "--minutes", "--scenario"].contains(name) else {
                throw ArgumentError(message: "unknown argument '\(name)'")
            }
            guard let text = left.popFirst() else {
                throw ArgumentError(message: "\(name) needs a value")
            }
            if name == "--scenario" {
                scenario = text
                continue
            }
            if name == "--seed" {
                guard let value = SimulationSeed.parse(text) else {
                    throw ArgumentError(message: "'\(text)' is neither a number nor a commit")
                }
                seed = value
                continue
            }
            guard let value = UInt64(text), value > 0, value <= 1 << 32 else {
                throw ArgumentError(message: "\(name) needs a number from 1 to 4294967296")
            }
            if name == "--runs" { runs = value } else { nanoseconds = value * 60_000_000_000 }
        }
        if runs == nil, nanoseconds == nil { runs = 1 }
    }
}
