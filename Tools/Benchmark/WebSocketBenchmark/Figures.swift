import Foundation

/// The shortest of several runs of a body, in seconds by the wall: a shared machine only adds time.
func fastest(of rounds: Int = 5, _ body: () -> Void) -> Double {
    var best = Double.infinity
    for _ in 0..<rounds {
        let start = DispatchTime.now().uptimeNanoseconds
        body()
        best = min(best, Double(DispatchTime.now().uptimeNanoseconds - start) / 1e9)
    }
    return best
}

/// Processor time of the calling thread so far, in seconds.
func threadSeconds() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
}

/// One row of the table: what, a figure, and what there is to say about it.
func row(_ name: String, _ figure: String, _ remark: String = "") {
    let padded = name.padding(toLength: 52, withPad: " ", startingAt: 0)
    let value = String(repeating: " ", count: max(0, 16 - figure.count)) + figure
    print("\(padded)\(value)   \(remark)")
}

func fixed(_ value: Double, _ digits: Int = 2) -> String {
    String(format: "%.\(digits)f", value)
}

/// Millions a second.
func millions(_ count: Int, _ seconds: Double) -> String {
    fixed(Double(count) / seconds / 1e6) + " M/s"
}
