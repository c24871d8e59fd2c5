import RecordModel
import Replay
import SegmentLog

/// Does what comes over the control socket, and says what became of it.
struct ServeControl: Sendable {
    let stage: ReplayStage
    /// Finds the record of a place.
    let locate: @Sendable (RecordRange.Point) throws -> Sequence

    /// The answer to one line: `ok` or `error` first, without a line end.
    func answer(_ line: String) -> String {
        do {
            let command = try ControlCommand(line)
            switch command {
            case .pause: stage.pause()
            case .resume: stage.resume()
            case .status: break
            case .help: return "ok \(ControlCommand.summary)"
            case .rate(let rate): stage.setRate(rate)
            case .seek(let point): stage.seek(to: try locate(point))
            case .step(let count):
                guard stage.step(count) else { return "error step works while paused" }
            }
            return "ok " + state
        } catch let mistake as ControlCommand.Mistake {
            return "error \(mistake.message)"
        } catch let failure as VerbFailure {
            return "error \(failure.message)"
        } catch {
            return "error \(error)"
        }
    }

    private var state: String {
        let status = stage.status
        return "rate=\(Self.text(status.rate)) started=\(status.isStarted) "
            + "paused=\(status.isPaused) at_end=\(status.isAtEnd) position=\(status.position) "
            + "first=\(stage.options.first) last=\(stage.options.last) "
            + "subscriptions=\(status.subscriptions)"
    }

    /// A rate as it is given on the command line.
    static func text(_ rate: ReplayRate) -> String {
        switch rate {
        case .unlimited: return "max"
        case .millionths(let millionths):
            let (whole, rest) = millionths.quotientAndRemainder(dividingBy: 1_000_000)
            if rest == 0 { return "\(whole)" }
            var digits = String(rest)
            digits = String(repeating: "0", count: 6 - digits.count) + digits
            while digits.hasSuffix("0") { digits.removeLast() }
            return "\(whole).\(digits)"
        }
    }
}
