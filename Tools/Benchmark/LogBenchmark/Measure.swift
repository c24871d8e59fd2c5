import Foundation

/// How long a body takes.
struct Stretch {
    /// By the wall.
    var wall: Double
    /// Processor time of all threads of this process, which other programs cannot lengthen much.
    var processor: Double

    /// What any measurement is better than.
    static let never = Stretch(wall: .infinity, processor: .infinity)
}

/// Measures a body.
func measure(_ body: () throws -> Void) rethrows -> Stretch {
    let wall = DispatchTime.now().uptimeNanoseconds
    let processor = processorSeconds()
    try body()
    return Stretch(
        wall: Double(DispatchTime.now().uptimeNanoseconds - wall) / 1e9,
        processor: processorSeconds() - processor
    )
}

private func processorSeconds() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
}

/// Peak resident memory of the process so far, in MiB.
func peakMiB() -> Double {
    var usage = rusage()
    getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
    return Double(usage.ru_maxrss) / 1024
}

/// Values at given shares of a sorted list.
func percentiles(_ values: inout [UInt32], _ shares: [Double]) -> [UInt32] {
    values.sort()
    guard !values.isEmpty else { return shares.map { _ in 0 } }
    return shares.map { values[min(values.count - 1, Int(Double(values.count) * $0))] }
}

/// One row of the table: what, a figure, and what it is to reach.
func row(_ name: String, _ figure: String, _ goal: String = "") {
    let padded = name.padding(toLength: 52, withPad: " ", startingAt: 0)
    let value = String(repeating: " ", count: max(0, 16 - figure.count)) + figure
    print("\(padded)\(value)   \(goal)")
}

func fixed(_ value: Double, _ digits: Int = 2) -> String {
    String(format: "%.\(digits)f", value)
}

extension Stretch {
    /// The better of two measurements, each figure on its own.
    func better(_ other: Stretch) -> Stretch {
        Stretch(wall: min(wall, other.wall), processor: min(processor, other.processor))
    }
}
