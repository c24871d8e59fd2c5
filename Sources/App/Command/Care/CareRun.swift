import Foundation
import LogCare
import Platform
import RecordModel
import SegmentLog

/// What `recover`, `cut` and `merge` have in common: a new recording is made beside its place and
/// gets its name when it is complete; sources are never touched; an interrupt leaves nothing.
struct CareRun {
    /// Where the recording will stand.
    let output: String
    private let place: ImportPlace
    private let interrupt: Interrupt
    // safety: a Monitor; made at the first word of progress, by whoever works.
    private let line = Monitor<ProgressLine?>(nil)
    private let verb: String
    private let console = Console()
    private let clock = SystemClock()

    /// Takes signals over and looks at the places.
    ///
    /// - Parameters:
    ///   - verb: what progress is called.
    ///   - sources: what is read.
    ///   - arguments: with `output` and `force`.
    /// - Throws: `VerbFailure` when the output would touch a source or something that is not ours.
    init(_ verb: String, sources: [String], _ arguments: ParsedArguments) throws {
        guard let output = arguments.text("output") else { preconditionFailure("-o is required") }
        self.output = output
        interrupt = try Interrupt()
        place = ImportPlace(output: output, overwrites: arguments.has("force"))
        self.verb = verb
        for source in sources { try refuseOverlap(source) }
        try place.check()
    }

    /// Makes the recording.
    ///
    /// - Parameter make: is given where and with what to make it.
    /// - Returns: what `make` gave.
    /// - Throws: `VerbFailure`; nothing of what was made is left then.
    func run<Report>(_ make: (String, CareSetting) throws(CareError) -> Report) throws -> Report {
        var setting = CareSetting(
            disk: LinuxFileSystem(),
            clock: clock,
            random: SystemRandom(),
            positions: RecordedPositions(),
            toolVersion: toolVersion
        )
        setting.isBeginning = { BeginningFrames.contains($0, $1) }
        setting.isAsked = { [interrupt] in interrupt.isAsked }
        setting.progress = { [line, clock, console, verb] done, total in
            let now = clock.monotonicNanoseconds()
            let text = line.withLock { line -> String? in
                if line == nil {
                    line = ProgressLine(
                        label: verb,
                        unit: "bytes",
                        total: total,
                        style: console.progressStyle,
                        now: now
                    )
                }
                return line?.update(done: done, now: now)
            }
            if let text { console.talk(text) }
        }
        defer { if let text = line.withLock({ $0?.finish() }) { console.talk(text) } }
        do {
            let report = try make(place.unfinished, setting)
            try place.finish()
            return report
        } catch {
            place.discard()
            if let error = error as? CareError { throw error.failure }
            throw error
        }
    }

    /// Refuses an output that is a source or lies in one.
    private func refuseOverlap(_ source: String) throws {
        let target = RecordingLayout(output)
        let folder = URL(filePath: target.parent).resolvingSymlinksInPath().path
        let name = target.path.split(separator: "/").last.map(String.init) ?? ""  // "/"
        let whole = folder + "/" + name
        let resolved = URL(filePath: source).resolvingSymlinksInPath().path
        guard whole == resolved || (whole + "/").hasPrefix(resolved + "/") else { return }
        throw VerbFailure(
            code: .failed,
            message: "\(output) is, or lies in, \(source), which is only read"
        )
    }
}

extension CareError {
    /// As the end of a verb.
    var failure: VerbFailure {
        switch self {
        case .damaged:
            VerbFailure(
                code: .findings,
                message: "\(self); --skip-damage leaves holes, 'tapedeck recover' makes a whole "
                    + "recording of what can be read"
            )
        case .nothing: VerbFailure(code: .rangeNotAvailable, message: "\(self)")
        case .log, .interrupted, .notTheSame: VerbFailure(code: .failed, message: "\(self)")
        }
    }
}
