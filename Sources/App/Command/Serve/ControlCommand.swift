// The language of the control socket: one command a line, one line of answer. Pure.

import Replay

/// A line that a person or a script sends to a running `tapedeck serve`.
enum ControlCommand: Equatable {
    case pause
    case resume
    case step(UInt64)
    case seek(RecordRange.Point)
    case rate(ReplayRate)
    case status
    case help

    /// What the socket answers to `help`.
    static let summary =
        "pause | resume | step [N] | seek seq:N, slot:N, block:N or time:T | rate N or max "
        + "| status | help"

    /// A line that is no command: what was expected.
    struct Mistake: Error, Equatable {
        let message: String
    }

    /// Reads a line without its end.
    init(_ line: String) throws(Mistake) {
        let words = line.split(whereSeparator: { $0 == " " || $0 == "\t" || $0 == "\r" })
            .map(String.init)
        let value = words.count > 1 ? words[1] : nil
        guard let verb = words.first, words.count <= 2 else {
            throw Mistake(message: "expected one of: \(Self.summary)")
        }
        switch (verb, value) {
        case ("pause", nil): self = .pause
        case ("resume", nil): self = .resume
        case ("status", nil): self = .status
        case ("help", nil): self = .help
        case ("step", nil): self = .step(1)
        case ("step", let count?):
            guard let number = UInt64(count), number > 0 else {
                throw Mistake(message: "step takes a number of records, not '\(count)'")
            }
            self = .step(number)
        case ("rate", let text?):
            guard let rate = ReplayRate(text) else {
                throw Mistake(message: "rate takes \(PlaybackRate.expectation)")
            }
            self = .rate(rate)
        case ("seek", let text?):
            do {
                guard let point = try RecordRange(text, as: .at).end.flatMap(Self.point) else {
                    throw Mistake(message: "seek takes a place such as seq:100")
                }
                self = .seek(point)
            } catch let error as Mistake {
                throw error
            } catch let error as RecordRange.Mistake {
                throw Mistake(message: error.message)
            } catch { preconditionFailure("nothing else is thrown: \(error)") }
        default: throw Mistake(message: "expected one of: \(Self.summary)")
        }
    }

    private static func point(_ end: RecordRange.End) -> RecordRange.Point? {
        if case .through(let point) = end { return point }
        return nil
    }
}
