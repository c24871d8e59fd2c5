// Verifying several segments at once. A segment that is verified before its turn is taken to stand
// behind a whole one; its verdict counts only when that turns out right and it has no finding, and
// otherwise the segment is verified again in its turn. So the report is the same, whoever helped.

import Platform
import RecordModel
import SegmentFormat

/// What a segment begins with, for comparing it with the end of the one before.
struct SegmentBegin: Sendable {
    var header: SegmentHeader?
    /// The context as stored; nil when it could not be read.
    var context: ContextState?
}

/// A segment that is verified on a thread of its own.
final class SegmentAhead: Sendable {
    // safety: a Monitor; the thread writes it once, the verifier waits for it.
    private let verdict: Monitor<RecordingVerifier??>

    /// Starts; the permit is given back when it has ended.
    init(_ verifier: RecordingVerifier, _ index: Int, permit: WorkerPermits) throws(SystemError) {
        let verdict = Monitor<RecordingVerifier??>(nil)
        self.verdict = verdict
        _ = try Thread(name: "verify") {
            var verifier = verifier
            let segment = verifier.segments[index]
            verifier.report = VerifyReport()
            verifier.expected = segment.firstSequence
            verifier.context = nil
            verifier.previousLink = nil
            var found: RecordingVerifier?
            do throws(LogError) {
                try verifier.verify(segment, isLast: index == verifier.segments.count - 1)
                found = verifier
            } catch {
                // It happens again in the segment's turn, and is told then.
                found = nil
            }
            permit.give()
            verdict.update { $0 = .some(found) }
        }
    }

    /// Waits for the verifier that has seen the segment; nil when it failed.
    func wait() -> RecordingVerifier? { verdict.wait { $0 } }
}

extension RecordingVerifier {
    /// Verifies all segments in order, some of them ahead of their turn.
    mutating func verifySegments() throws(LogError) {
        var ahead: [Int: SegmentAhead] = [:]
        // No thread goes on when the caller has been told.
        defer { for segment in ahead.values { _ = segment.wait() } }
        for (index, segment) in segments.enumerated() {
            startAhead(of: index, &ahead)
            if let verdict = ahead.removeValue(forKey: index)?.wait(), take(verdict) { continue }
            try verify(segment, isLast: index == segments.count - 1)
        }
    }

    /// Segments that may be verified or wait for their turn at a time, beside the one whose turn
    /// it is: each verdict holds a context, of 32 MiB at most.
    private static let aheadMax = 16

    private func startAhead(of index: Int, _ ahead: inout [Int: SegmentAhead]) {
        guard let permits else { return }
        for next in (index + 1)..<max(index + 1, min(segments.count, index + 1 + Self.aheadMax))
        where ahead[next] == nil {
            guard permits.tryTake() else { return }
            do throws(SystemError) {
                ahead[next] = try SegmentAhead(self, next, permit: permits)
            } catch {
                // No thread is to be had: this one does it all.
                permits.give()
                return
            }
        }
    }

    /// Takes over what was found ahead of the turn, if it began as it had to and found nothing.
    private mutating func take(_ verdict: RecordingVerifier) -> Bool {
        guard verdict.report.damage.isEmpty, verdict.report.tornBytes == 0,
            let header = verdict.begin.header, header.firstSequence == expected,
            header.supersededOrdinal > 0 || previousLink == nil
                || previousLink == header.previousLink,
            context == nil || context == verdict.begin.context
        else { return false }
        report.holes += verdict.report.holes
        report.blocks += verdict.report.blocks
        report.storedBytes += verdict.report.storedBytes
        report.rawBytes += verdict.report.rawBytes
        report.durableMark = max(report.durableMark, verdict.report.durableMark)
        if verdict.report.records > 0 { report.isEnded = verdict.report.isEnded }
        report.records += verdict.report.records
        expected = verdict.expected
        context = verdict.context
        previousLink = verdict.previousLink
        return true
    }
}
