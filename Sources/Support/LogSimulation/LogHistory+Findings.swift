import RecordModel

/// What a recording is allowed to be after what has happened to it.
package struct Allowance: Sendable {
    /// Nothing that was acknowledged may be missing.
    package var keepsAcknowledged = true
    /// Retention may have taken the oldest segments.
    package var isRetired = false
    /// Sequences that damage may cost, when it is reported; nil when any damage is a false alarm.
    package var damage: Damage?

    /// How far damage may go.
    package enum Damage: Sendable {
        /// Everything below this sequence that is missing is reported.
        case reportedBelow(UInt64)
    }

    package init(keepsAcknowledged: Bool = true, damage: Damage? = nil) {
        self.keepsAcknowledged = keepsAcknowledged
        self.damage = damage
    }
}

extension LogHistory {
    /// What a verdict found, and how far the recording goes.
    package struct Verdict: Sendable {
        /// Breaches of the promise, one sentence each.
        package var findings: [String] = []
        /// The last sequence that came back or was said to be missing.
        package var last: UInt64 = 0
        /// What the recording says is missing, without damage.
        package var holes: [ClosedRange<UInt64>] = []
    }

    /// Holds what came back against what was appended and promised.
    package func verdict(on image: RecordingImage, _ allowance: Allowance = Allowance()) -> Verdict
    {
        var verdict = Verdict()
        if let refusal = image.refusal {
            if acknowledged > 0 { verdict.findings.append("cannot be read: \(refusal)") }
            return verdict
        }
        if let damage = image.manifestDamage, allowance.damage == nil {
            verdict.findings.append("manifest: \(damage)")
        }
        // Whole segments from the oldest on may be gone, never what comes behind the end.
        var expected = allowance.isRetired ? max(image.first, 1) : 1
        var told: [ClosedRange<UInt64>] = []
        for item in image.items {
            switch item {
            case .record(let envelope, let payload):
                let sequence = envelope.sequence.value
                if let found = order(sequence, expected: &expected, told, allowance) {
                    verdict.findings.append(found)
                }
                if let found = compare(envelope, payload) { verdict.findings.append(found) }
            case .hole(let range, let cause):
                if let found = order(range.lowerBound, expected: &expected, told, allowance) {
                    verdict.findings.append(found)
                }
                expected = range.upperBound + 1
                verdict.holes.append(range)
                let isKnown = range.allSatisfy { self[$0] == .hole }
                if !isKnown, cause != "disk full" || range.lowerBound <= acknowledged {
                    verdict.findings.append("a hole at \(range) because of \(cause)")
                }
            case .damage(let text, let missing, _):
                if allowance.damage == nil { verdict.findings.append("false alarm: \(text)") }
                if let missing { told.append(missing) }
            }
        }
        if let reported = told.map(\.upperBound).max(), allowance.damage != nil {
            expected = max(expected, reported + 1)
        }
        verdict.last = expected - 1
        verdict.findings += missingAtEnd(image, last: verdict.last, told, allowance)
        return verdict
    }

    private func missingAtEnd(
        _ image: RecordingImage,
        last: UInt64,
        _ told: [ClosedRange<UInt64>],
        _ allowance: Allowance
    ) -> [String] {
        var bound = allowance.keepsAcknowledged ? acknowledged : 0
        if case .reportedBelow(let limit)? = allowance.damage { bound = limit }
        guard last < bound else { return [] }
        let isOpenEnded = image.items.contains {
            if case .damage(_, nil, isLoss: true) = $0 { true } else { false }
        }
        if allowance.damage != nil, isOpenEnded { return [] }
        return ["\(bound) promised, \(last) came back"]
    }

    /// Sequences come without a gap, unless damage has told it.
    private func order(
        _ sequence: UInt64,
        expected: inout UInt64,
        _ told: [ClosedRange<UInt64>],
        _ allowance: Allowance
    ) -> String? {
        defer { expected = sequence + 1 }
        if sequence == expected { return nil }
        if sequence < expected { return "\(sequence) comes behind \(expected - 1)" }
        let missing = (expected..<sequence).first { number in
            !told.contains { $0.contains(number) }
        }
        guard let missing else { return allowance.damage == nil ? "gap at \(expected)" : nil }
        return "\(missing) is missing without a word"
    }

    func compare(_ envelope: RecordEnvelope, _ payload: [UInt8]) -> String? {
        let sequence = envelope.sequence.value
        switch self[sequence] {
        case nil: return "\(sequence) was never appended"
        case .hole?: return "\(sequence) was said to be missing"
        case .own(let kind)?:
            return envelope.kind == kind ? nil : "\(sequence) is no \(kind) but \(envelope.kind)"
        case .record(var known, let bytes)?:
            known.sequence = envelope.sequence
            return known == envelope && bytes == payload
                ? nil : "\(sequence) is not what was appended"
        }
    }
}
