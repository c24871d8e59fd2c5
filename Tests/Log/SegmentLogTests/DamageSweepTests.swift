import Foundation
import Platform
import RecordModel
import SegmentFormat
import SegmentLog
import Simulation
import Testing

/// Damages every file of a small recording in every way and judges what readers answer.
///
/// `TAPEDECK_DAMAGE_STEP` sets how many places are passed over (default 11; 1 tries every byte).
@Suite struct DamageSweepTests {
    private static let step: Int = {
        let text = ProcessInfo.processInfo.environment["TAPEDECK_DAMAGE_STEP"]
        return max(1, text.flatMap(Int.init) ?? 11)
    }()

    /// A recording and what it held before anything was damaged.
    private struct Original {
        let disk: SimulatedFileSystem
        let records: [UInt64: (envelope: RecordEnvelope, payload: [UInt8])]
        let files: [String]
        /// The segment that is not sealed.
        let unsealed: String?
    }

    /// Three segments and a hole's worth of kinds of records; the last segment is sealed or not.
    private func makeOriginal(isSealed: Bool) throws -> Original {
        let disk = SimulatedFileSystem()
        var options = quickOptions(.everyBlock)
        options.rotateBytes = 1200
        options.blockNanosecondsMax = 3_600_000_000_000
        // A mark on a busy machine would begin a segment without records, whose entry in the
        // manifest tells nothing and may go.
        options.markNanoseconds = 1 << 60
        let writer = try LogWriter(
            path: simulatedPath,
            disk: disk,
            clock: SystemClock(),
            random: SeededRandom(seed: 77),
            options: options
        )
        for number in 0..<36 {
            let payload =
                number % 4 == 0
                ? [UInt8](repeating: 7, count: 400) : noise(70, seed: UInt64(number))
            _ = try writer.append(
                RecordEnvelope(
                    kind: number % 3 == 0 ? .webSocketFrameIn : .grpcMessageIn,
                    receivedAt: Int64(number) * 1000,
                    monotonic: UInt64(number) * 1000
                ),
                payload: payload.span.bytes
            )
            if number % 3 == 2 { try writer.flush() }
        }
        try writer.flush()
        let copy: SimulatedFileSystem
        if isSealed {
            try writer.close(cause: "test")
            copy = disk.afterKill()
        } else {
            copy = disk.afterKill()
            try writer.close(cause: "test")
        }
        let reader = try RecordingReader(path: simulatedPath, disk: copy)
        #expect(reader.segments.count >= 3)
        let read = try readAll(simulatedPath, on: copy)
        #expect(read.damage.isEmpty)
        var records: [UInt64: (envelope: RecordEnvelope, payload: [UInt8])] = [:]
        for record in read.records { records[record.envelope.sequence.value] = record }
        let layout = RecordingLayout(simulatedPath)
        return Original(
            disk: copy,
            records: records,
            files: reader.segments.map(\.path) + [layout.manifest, layout.identity],
            unsealed: isSealed ? nil : reader.segments.last?.path
        )
    }

    /// Reads a damaged copy and says what is wrong with the answer, or nil.
    private func judge(
        _ copy: SimulatedFileSystem,
        _ original: Original,
        _ file: String,
        isLastEntry: Bool
    ) -> String? {
        let isIdentity = file.hasSuffix("recording.json")
        let read: ReadResult
        let report: VerifyReport
        do {
            read = try readAll(simulatedPath, on: copy)
            var verifier = RecordingVerifier(try RecordingReader(path: simulatedPath, disk: copy))
            report = try verifier.run()
        } catch let error as LogError {
            switch error {
            case .notARecording, .newerVersion:
                return isIdentity ? nil : "a damaged \(file) gives the answer '\(error)'"
            default: return "an error instead of a report: \(error)"
            }
        } catch { return "\(error)" }
        var missing: Set<UInt64> = []
        for damage in read.damage where damage.isLoss {
            guard damage.missingThrough >= damage.missingFrom else {
                // From here on, as far as anybody knows.
                missing.formUnion(original.records.keys.filter { $0 >= damage.missingFrom.value })
                continue
            }
            let span = damage.missingThrough.value - damage.missingFrom.value
            guard span < 1000 else { return "an absurd range is missing: \(damage)" }
            missing.formUnion(damage.missingFrom.value...damage.missingThrough.value)
        }
        var last: UInt64 = 0
        for record in read.records {
            let sequence = record.envelope.sequence.value
            guard sequence > last else { return "\(sequence) comes after \(last)" }
            last = sequence
            guard let known = original.records[sequence] else { return "\(sequence) is invented" }
            guard known.envelope == record.envelope, known.payload == record.payload else {
                return "\(sequence) is altered"
            }
            if missing.contains(sequence) { return "\(sequence) is delivered and called missing" }
            missing.insert(sequence)
        }
        let silent = original.records.keys.filter { !missing.contains($0) }.sorted()
        // The stated limit: what no surviving mark vouches for may vanish from an unclean segment.
        if let first = silent.first, file != original.unsealed || first <= report.durableMark.value
        {
            return "\(silent) are gone without a word"
        }
        let isUnseen = report.isWhole && report.tornBytes == 0
        // A last entry of the manifest that is torn is a crash's doing; the segment tells the same.
        if isUnseen, silent.isEmpty, isLastEntry { return nil }
        if isUnseen, !silent.isEmpty, file != original.unsealed { return "verify saw nothing" }
        if isUnseen, file.hasSuffix(".seg") || file.hasSuffix("MANIFEST"), file != original.unsealed
        {
            return "a change of a guarded file is not seen"
        }
        return nil
    }

    private func sweep(
        _ original: Original,
        _ change: (_ bytes: [UInt8], _ place: Int) -> [UInt8]?,
        unit: Int = 1
    ) throws -> (tried: Int, findings: [String]) {
        var tried = 0
        var findings: [String] = []
        for file in original.files {
            let bytes = try #require(original.disk.contents(of: file))
            for place in stride(from: 0, to: bytes.count, by: unit * Self.step) {
                guard let changed = change(bytes, place), changed != bytes else { continue }
                let copy = original.disk.afterKill()
                copy.replace(file, with: changed)
                tried += 1
                let first = zip(bytes, changed).enumerated().first { $1.0 != $1.1 }?.offset
                let isLastEntry =
                    file.hasSuffix("MANIFEST")
                    && first ?? min(bytes.count, changed.count) >= bytes.count - 96
                if let finding = judge(copy, original, file, isLastEntry: isLastEntry) {
                    findings.append("\(file) at \(place): \(finding)")
                }
            }
        }
        return (tried, Array(findings.prefix(5)))
    }

    @Test(arguments: [true, false])
    func `a flipped bit anywhere is never silent and costs at most its block`(
        isSealed: Bool
    ) throws {
        let result = try sweep(makeOriginal(isSealed: isSealed)) { bytes, place in
            var changed = bytes
            changed[place] ^= UInt8(1) << (place % 8)
            return changed
        }
        #expect(result.findings.isEmpty, "\(result.findings)")
        #expect(result.tried > 100)
    }

    @Test(arguments: [true, false])
    func `a file cut anywhere is never silent`(isSealed: Bool) throws {
        let result = try sweep(makeOriginal(isSealed: isSealed)) { bytes, place in
            Array(bytes.prefix(place))
        }
        #expect(result.findings.isEmpty, "\(result.findings)")
        #expect(result.tried > 100)
    }

    @Test func `zeroed, repeated and exchanged sectors are never silent`() throws {
        let original = try makeOriginal(isSealed: true)
        // Small, as the recording is; a real sector holds several blocks of it.
        for size in [64, 512] {
            let zeroed = try sweep(
                original,
                { bytes, place in
                    var changed = bytes
                    for index in place..<min(place + size, bytes.count) { changed[index] = 0 }
                    return changed
                },
                unit: 8
            )
            let repeated = try sweep(
                original,
                { bytes, place in
                    let end = min(place + size, bytes.count)
                    return Array(bytes[..<end] + bytes[place..<end] + bytes[end...])
                },
                unit: 8
            )
            let exchanged = try sweep(
                original,
                { bytes, place in
                    guard place + 2 * size <= bytes.count else { return nil }
                    let (middle, end) = (place + size, place + 2 * size)
                    return Array(
                        bytes[..<place] + bytes[middle..<end] + bytes[place..<middle]
                            + bytes[end...]
                    )
                },
                unit: 8
            )
            for result in [zeroed, repeated, exchanged] {
                #expect(result.findings.isEmpty, "\(result.findings)")
                #expect(result.tried > 10)
            }
        }
    }

    @Test func `absurd lengths and counts are refused at once`() throws {
        let original = try makeOriginal(isSealed: true)
        for value in [UInt32(1) << 31, UInt32.max, 0x7FFF_FFFF, 0xFFFF_FF00] {
            let result = try sweep(
                original,
                { bytes, place in
                    guard place + 4 <= bytes.count else { return nil }
                    var changed = bytes
                    for index in 0..<4 {
                        changed[place + index] = UInt8(truncatingIfNeeded: value >> (8 * index))
                    }
                    return changed
                },
                unit: 4
            )
            #expect(result.findings.isEmpty, "\(result.findings)")
        }
    }
}
