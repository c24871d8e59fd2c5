import Foundation
import Platform
import SegmentLog

/// Verifies many recordings at the same time and answers in the order of their paths.
///
/// Memory is bounded: at most `workersMax` recordings are looked at, and `answersMax` answers wait
/// for one that comes before them.
final class VerifyBatch: Sendable {
    /// How an answer is written.
    enum Format: Sendable { case text, line, ndjson }

    /// Threads that verify.
    static let workersMax = 16
    private static let answersMax = 256

    /// What is known of one recording.
    struct Answer: Sendable {
        let text: String
        let complaints: [String]
        let code: ExitCode
    }

    private struct Outbox {
        /// The number of the answer that is to be written next.
        var next = 0
        var waiting: [Int: Answer] = [:]
        var hasFailed = false
        var hasFindings = false
        /// Standard output could not be written, or the list could not be read.
        var failure: (any Error)?
        var line: ProgressLine?
        var bytes: UInt64 = 0
    }

    private struct Inbox {
        var paths: PathList
        var taken = 0
    }

    // safety: Monitors; each worker takes a path under the one lock and leaves its answer under
    // the other.
    private let inbox: Monitor<Inbox>
    private let outbox: Monitor<Outbox>
    private let permits: WorkerPermits
    private let workers: Int
    private let format: Format
    private let isSingle: Bool
    private let console: Console
    private let clock = SystemClock()

    /// - Parameters:
    ///   - paths: the recordings.
    ///   - format: how to answer.
    ///   - workers: how many threads may verify at the same time.
    ///   - isSingle: there is one recording only, so that the end of the work can be told ahead.
    ///   - console: where answers and talk go.
    init(
        paths: sending PathList,
        format: Format,
        workers: Int,
        isSingle: Bool,
        console: Console
    ) {
        inbox = Monitor(Inbox(paths: paths))
        outbox = Monitor(Outbox())
        permits = WorkerPermits(workers)
        self.workers = workers
        self.format = format
        self.isSingle = isSingle
        self.console = console
    }

    /// Verifies all.
    ///
    /// - Returns: `failed` when one could not be looked at, else `findings` when one is damaged.
    /// - Throws: what reading the list or writing an answer throws.
    func run() throws -> ExitCode {
        var threads: [Platform.Thread] = []
        // This thread is a worker as well, so one that cannot be started is no failure.
        for _ in 1..<(isSingle ? 1 : max(1, workers)) {
            do throws(SystemError) {
                threads.append(try Platform.Thread(name: "verify-rec") { [self] in work() })
            } catch { break }
        }
        work()
        for thread in threads { thread.join() }
        let (failure, code) = outbox.withLock { outbox -> ((any Error)?, ExitCode) in
            if let text = outbox.line?.finish() { console.talk(text) }
            // A recording that could not be checked weighs more than one with damage.
            let code: ExitCode =
                outbox.hasFailed ? .failed : outbox.hasFindings ? .findings : .ok
            return (outbox.failure, code)
        }
        if let failure { throw failure }
        return code
    }

    private func work() {
        while let (number, path) = take() {
            permits.take()
            let answer = verify(path)
            permits.give()
            deliver(answer, number)
        }
    }

    private func take() -> (Int, String)? {
        guard outbox.withLock({ $0.failure == nil }) else { return nil }
        do {
            return try inbox.withLock { inbox throws(VerbFailure) -> (Int, String)? in
                guard let path = try inbox.paths.next() else { return nil }
                defer { inbox.taken += 1 }
                return (inbox.taken, path)
            }
        } catch {
            outbox.update { $0.failure = error }
            return nil
        }
    }

    private func deliver(_ answer: Answer, _ number: Int) {
        outbox.wait { outbox -> Void? in
            number < outbox.next + Self.answersMax || outbox.failure != nil ? () : nil
        }
        outbox.update { outbox in
            outbox.waiting[number] = answer
            while outbox.failure == nil, let next = outbox.waiting.removeValue(forKey: outbox.next)
            {
                outbox.next += 1
                write(next, &outbox)
            }
        }
    }

    private func write(_ answer: Answer, _ outbox: inout Outbox) {
        if let text = outbox.line?.finish() { console.talk(text) }
        for complaint in answer.complaints { console.complain("tapedeck verify", complaint) }
        do { try console.write(answer.text) } catch { outbox.failure = error }
        if answer.code == .failed { outbox.hasFailed = true }
        if answer.code == .findings { outbox.hasFindings = true }
    }

    private func verify(_ path: String) -> Answer {
        do {
            let reader = try RecordingReader(path: path, disk: LinuxFileSystem())
            begin(path, total: isSingle ? try reader.segmentBytes() : nil)
            var verifier = RecordingVerifier(reader, permits: permits) { [self] in advance($0) }
            var report = try verifier.run()
            report.damage += BaseAnchorCheck(reader).damage
            let text =
                switch format {
                case .text: report.text(path: path)
                case .line: report.line(path: path)
                case .ndjson: report.json(path: path)
                }
            return Answer(
                text: text,
                complaints: format == .text ? report.damage.map { "damage: \($0)" } : [],
                code: report.isWhole ? .ok : .findings
            )
        } catch {
            let text =
                switch format {
                case .text: ""
                case .line: "\(path): FAILED: \(error)\n"
                case .ndjson: error.json(path: path)
                }
            return Answer(
                text: text,
                complaints: format == .text ? ["\(error)"] : [],
                code: .failed
            )
        }
    }

    private func begin(_ path: String, total: UInt64?) {
        outbox.withLock { outbox in
            guard outbox.line == nil else { return }
            outbox.line = ProgressLine(
                label: isSingle ? "verify \(path)" : "verify",
                unit: "bytes",
                total: total,
                style: console.progressStyle,
                now: clock.monotonicNanoseconds()
            )
        }
    }

    private func advance(_ bytes: UInt64) {
        outbox.withLock { outbox in
            outbox.bytes += bytes
            let now = clock.monotonicNanoseconds()
            if let text = outbox.line?.update(done: outbox.bytes, now: now) { console.talk(text) }
        }
    }
}
