#if PLANTED_MISTAKES
import LogSimulation
import Platform
import RecordModel
import SegmentFormat
import SegmentLog
import Simulation
import Testing

/// Each mistake is made on purpose and found by a check that finds nothing without it.
@Suite struct PlantedMistakeTests {
    /// Random runs until one finds something; nil when none does.
    private func firstFinding(lies: Set<SimulatedFileSystem.Lie> = []) -> String? {
        for seed in 1...150 as ClosedRange<UInt64> {
            var run = SimulationRun(seed: seed, lies: lies)
            run.run()
            if let finding = run.findings.first { return finding }
        }
        return nil
    }

    private func firstFinding(with mistake: PlantedMistake) -> String? {
        PlantedMistake.$active.withValue([mistake]) { firstFinding() }
    }

    @Test func `without a mistake nothing is found`() {
        #expect(firstFinding() == nil)
        #expect(cutFindings().isEmpty)
        #expect(forgeryFindings(salts: SeededRandom(seed: 5)).isEmpty)
        #expect(lengthFindings().isEmpty)
    }

    @Test func `a log that does not sync is found`() {
        #expect(firstFinding(lies: [.forgetsSync]) != nil)
    }

    @Test func `a log that does not sync its directories is found`() {
        #expect(firstFinding(lies: [.forgetsDirectorySync]) != nil)
    }

    @Test func `a log that tries a failed sync again is found`() {
        #expect(firstFinding(lies: [.retriesSync]) != nil)
    }

    @Test func `a log that acknowledges before the sync is found`() {
        #expect(firstFinding(with: .acknowledgesEarly) != nil)
    }

    @Test func `a torn tail called damage for a block behind it is found`() {
        #expect(firstFinding(with: .takesOrderForProof) != nil)
    }

    @Test func `a cut below the durable mark is found`() {
        PlantedMistake.$active.withValue([.cutsBelowTheMark]) {
            #expect(!cutFindings().isEmpty)
        }
    }

    @Test func `checksums without a salt are found`() {
        #expect(!forgeryFindings(salts: NoSalt()).isEmpty)
    }

    @Test func `a length that is believed is found`() {
        PlantedMistake.$active.withValue([.believesLengths]) {
            #expect(!lengthFindings().isEmpty)
        }
    }

    // MARK: Checks

    private static let segment =
        SimulatedRecorder.path + "/segments/00000001-00000000000000000001.seg"

    /// Damages a block that a later one says was durable, and opens the recording again.
    private func cutFindings() -> [String] {
        let recorder = SimulatedRecorder(seed: 3)
        recorder.open(SimulatedRecorder.quickOptions(.interval(nanoseconds: 4000)))
        for _ in 0..<3 {
            recorder.append(sizes: [200, 300])
            recorder.flush()
        }
        recorder.kill()
        guard var bytes = recorder.disk.contents(of: Self.segment) else { return ["no segment"] }
        // Header, context, first block: the second begins somewhere behind them.
        let starts = blockStarts(bytes)
        guard starts.count == 4 else { return ["\(starts.count) blocks"] }
        bytes[starts[2] + 90] ^= 1
        recorder.disk.replace(Self.segment, with: bytes)
        recorder.allowDamage()
        recorder.open(SimulatedRecorder.quickOptions(.everyBlock))
        var findings: [String] = []
        if recorder.disk.contents(of: Self.segment) != bytes { findings.append("it was changed") }
        let image = RecordingImage(SimulatedRecorder.path, on: recorder.disk)
        let allowance = Allowance(damage: .reportedBelow(recorder.history.acknowledged))
        return findings + recorder.history.verdict(on: image, allowance).findings
    }

    /// A frame holds a block of another recording; the header of the block around it is damaged, so
    /// that a reader looks for the next one.
    private func forgeryFindings(salts: some RandomSource) -> [String] {
        func record(_ payload: [UInt8], seed: UInt64) -> SimulatedRecorder {
            let recorder = SimulatedRecorder(seed: seed)
            var options = SimulatedRecorder.quickOptions(.everyBlock)
            options.rotateBytes = 1 << 20
            recorder.open(
                options,
                random: seed == 1 ? salts : copy(of: salts)
            )
            recorder.append(payload)
            recorder.flush()
            recorder.append(sizes: [300], seed: seed)
            recorder.flush()
            recorder.close()
            return recorder
        }
        let twin = record(noise(900, seed: 8), seed: 2)
        guard let foreign = twin.disk.contents(of: Self.segment) else { return ["no twin"] }
        let starts = blockStarts(foreign)
        guard starts.count > 3 else { return ["too few blocks"] }
        // The block with the last frame, behind so much noise that nothing of it is compressed.
        let payload = noise(30_000, seed: 9) + foreign[starts[2]..<starts[3]] + noise(50, seed: 10)
        let victim = record(payload, seed: 1)
        guard var bytes = victim.disk.contents(of: Self.segment) else { return ["no segment"] }
        bytes[blockStarts(bytes)[1] + 30] ^= 1
        victim.disk.replace(Self.segment, with: bytes)
        let image = RecordingImage(SimulatedRecorder.path, on: victim.disk)
        let allowance = Allowance(damage: .reportedBelow(victim.history.acknowledged))
        return victim.history.verdict(on: image, allowance).findings
    }

    /// Each recording has salts of its own, unless there are none.
    private func copy(of salts: some RandomSource) -> any RandomSource {
        salts is NoSalt ? NoSalt() : SeededRandom(seed: 4711)
    }

    /// A header of our own making, with the right checksum and an absurd size.
    private func lengthFindings() -> [String] {
        let header = BlockHeader(
            kind: .data,
            codec: .lz4,
            storedBytes: 0,
            rawBytes: .max,
            recordCount: 1,
            number: 1,
            firstSequence: .first,
            earliest: 0,
            latest: 0,
            durableMark: .none,
            previousLink: 0,
            payloadChecksum: BlockHeader.payloadChecksum(
                UnsafeRawBufferPointer(start: nil, count: 0),
                salt: 7
            )
        )
        var bytes = [UInt8](repeating: 0, count: FormatLimits.blockHeaderBytes)
        bytes.withUnsafeMutableBytes { _ = header.encode(into: $0, salt: 7) }
        let disk = SimulatedFileSystem()
        disk.replace("/block", with: bytes)
        do {
            let file = try disk.open("/block", .readOnly)
            let scanner = SegmentScanner(file: file, salt: 7, offset: 0, limit: nil)
            guard case .block(let found, _, _) = try scanner.next() else { return [] }
            let limit = FormatLimits.oversizedRawBytesMax
            return Int(found.rawBytes) > limit ? ["a block of \(found.rawBytes) bytes"] : []
        } catch { return ["\(error)"] }
    }

    /// Where the blocks of a segment begin, by the page of the format.
    private func blockStarts(_ bytes: [UInt8]) -> [Int] {
        var starts: [Int] = []
        var place = 128
        while place + 80 <= bytes.count, Array(bytes[place..<(place + 4)]) == Array("TBLK".utf8) {
            starts.append(place)
            place += 80 + (0..<4).reduce(0) { $0 | Int(bytes[place + 8 + $1]) << (8 * $1) }
        }
        return starts
    }
}

/// Every salt and identity is 0.
private struct NoSalt: RandomSource {
    mutating func next() -> UInt64 { 0 }
}
#endif
