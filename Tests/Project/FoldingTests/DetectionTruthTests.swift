import Folding
import Foundation
import MarketModel
import Platform
import Projection
import Projectors
import SegmentLog
import Synthesis
import Testing

/// The detectors against invented markets whose actors say what they did.
@Suite struct DetectionTruthTests {
    private static func options(_ seed: UInt64) -> SynthesisOptions {
        var options = SynthesisOptions()
        options.seed = seed
        options.slots = 220
        options.ethereumBlocks = 0
        options.votesPerSlot = 1
        options.tokens = 190
        options.tradesPerSlot = 8
        options.sandwiches = 60
        options.wideSandwiches = 40
        options.frontRuns = 40
        options.backRuns = 40
        options.lookAlikes = 54
        return options
    }

    private func score(_ options: SynthesisOptions) throws -> DetectionScore {
        let path = NSTemporaryDirectory() + "tapedeck-truth-\(UUID().uuidString)"
        defer {
            do { try FileManager.default.removeItem(atPath: path) } catch {
                Issue.record("\(path) stays: \(error)")
            }
        }
        let made = try SynthesizedRecording(options, toolVersion: "test").write(
            to: path,
            disk: LinuxFileSystem(),
            schedule: SystemClock(),
            positions: nil
        )
        let fold = try StateFold(
            try RecordingReader(path: path, disk: LinuxFileSystem()),
            FoldOptions(),
            storage: nil,
            clock: SystemClock()
        )
        #expect(try fold.run().ending == .end)
        let rows = try #require(try fold.engine.store.rows(of: Detection.schema.name))
        let legs = try #require(try fold.engine.store.rows(of: DetectionLeg.schema.name))
        let found = try Detection.listed(rows, legs: legs).map {
            DetectionLabel($0.key, $0.detection)
        }
        return DetectionScore(
            found: found,
            labels: try made.labels.filter { $0.innocence == nil }.map(label),
            lookAlikes: try made.labels.compactMap { told in
                try told.innocence.map { LookAlikeLabel(label: try label(told), why: $0.rawValue) }
            }
        )
    }

    private func label(_ told: SynthesizedLabel) throws -> DetectionLabel {
        func ids(_ signatures: [[UInt8]]) throws -> [TransactionID] {
            try signatures.map { .solana(try #require(Signature($0))) }
        }
        return DetectionLabel(
            kind: try #require(DetectionClass(told.kind.rawValue)),
            slot: told.slot,
            pool: try Address(solana: Base58.encode(told.pool)),
            fronts: try ids(told.fronts),
            victims: try ids(told.victims),
            backs: try ids(told.backs),
            attacker: try Address(solana: Base58.encode(told.attacker)),
            isWide: told.kind == .wide
        )
    }

    private func expect(_ score: DetectionScore, of kinds: [DetectionClass]) {
        for (kind, counts) in score.classes {
            #expect((counts.precisionBasisPoints ?? 10_000) >= 9_900, "\(kind): \(counts)")
            #expect((counts.recallBasisPoints ?? 10_000) >= 9_900, "\(kind): \(counts)")
            #expect(counts.lookAlikesDetected == 0, "\(kind): \(counts)")
        }
        for kind in kinds {
            #expect(score[kind].truePositives > 0, "\(kind)")
        }
    }

    private static let usual: [DetectionClass] = [
        .sandwich, .sandwichUnprofitable, .wide, .possibleFrontRun, .backRun,
    ]

    @Test(arguments: [31, 32] as [UInt64])
    func `precision and recall are at least 99 percent`(seed: UInt64) throws {
        let score = try score(Self.options(seed))
        expect(score, of: Self.usual)
        let alike = score[.sandwich].lookAlikes + score[.sandwichUnprofitable].lookAlikes
        #expect(alike > 10)
        #expect(score[.possibleFrontRun].lookAlikes > 5)
        #expect(score[.backRun].lookAlikes > 0)
    }

    @Test func `they stay so over forks, lost and repeated messages`() throws {
        var options = Self.options(33)
        options.streams = 2
        options.forks = 5
        options.deadSlots = 3
        options.equivocations = 3
        options.missedSlots = 4
        options.duplicatedPerMille = 20
        options.latePerMille = 15
        expect(try score(options), of: Self.usual)
    }

    /// In the small market beside older tokens, in the large one on coins alone.
    @Test(arguments: [(34, 120, 30), (35, 90, 30), (36, 600, 450)] as [(UInt64, UInt32, UInt32)])
    func `copy trading is told where it is, cycles where they close`(
        seed: UInt64,
        slots: UInt32,
        tokens: UInt32
    ) throws {
        var options = SynthesisOptions()
        options.seed = seed
        options.slots = slots
        options.ethereumBlocks = 0
        options.votesPerSlot = 0
        options.tokens = tokens
        options.tradesPerSlot = 4
        options.copyTraders = 4
        options.backRuns = 60
        options.lookAlikes = 20
        expect(try score(options), of: [.copyTrading, .arbitrage])
    }

    @Test(arguments: [41, 42] as [UInt64])
    func `a small market with everything in it holds every class`(seed: UInt64) throws {
        var options = SynthesisOptions()
        options.seed = seed
        options.slots = 150
        options.fill()
        options.ethereumBlocks = 0
        let score = try score(options)
        expect(score, of: DetectionClass.allCases)
        #expect(score.mistaken.isEmpty)
    }
}
