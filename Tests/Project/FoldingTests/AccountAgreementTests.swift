import Folding
import Foundation
import MarketModel
import Platform
import Projection
import Projectors
import RecordModel
import SegmentLog
import Testing

@testable import Synthesis

/// Accounts of an invented market say what its events say, and what is wrong in them is counted.
@Suite struct AccountAgreementTests {
    /// What stood in the drift tables at the end, and how many accounts of each kind were folded.
    private struct Outcome {
        var drifts: [String: UInt8] = [:]
        var counts: UInt64 = 0
        var curves = 0
        var pumpSwapPools = 0
        var raydiumPools = 0
        var mints = 0
        /// Token accounts of pools that are known.
        var vaults = 0
    }

    /// Counts accounts of slots, by what they hold.
    private final class AccountCounter: FoldObserver {
        var outcome = Outcome()
        private var vaults: Set<Address> = []

        func folded(_ action: ChainAction, _ engine: ProjectionEngine, at sequence: Sequence) {
            guard case .apply(let bundle) = action else { return }
            for fact in bundle.accounts {
                switch fact.content {
                case .bondingCurve: outcome.curves += 1
                case .pool(let pool):
                    if pool.venue == .pumpSwap { outcome.pumpSwapPools += 1 }
                    if pool.venue == .raydiumV4 { outcome.raydiumPools += 1 }
                    vaults.formUnion(pool.vaults)
                case .mint: outcome.mints += 1
                case .tokenAccount: if vaults.contains(fact.account) { outcome.vaults += 1 }
                }
            }
        }
    }

    private static var options: SynthesisOptions {
        var options = SynthesisOptions()
        options.seed = 71
        options.slots = 120
        options.ethereumBlocks = 0
        options.votesPerSlot = 1
        options.tokens = 9
        options.tradesPerSlot = 10
        options.usdcPerMille = 400
        options.tokenAccounts = true
        return options
    }

    /// Folds a market whose messages went through a change.
    private func fold(
        _ options: SynthesisOptions = options,
        _ change: (inout [UInt8]) -> Void = { _ in }
    ) throws -> Outcome {
        let path = NSTemporaryDirectory() + "tapedeck-agreement-\(UUID().uuidString)"
        defer {
            do { try FileManager.default.removeItem(atPath: path) } catch {
                Issue.record("\(path) stays: \(error)")
            }
        }
        let clock = MarketClock(wall: options.startWallNanoseconds)
        var log = LogOptions()
        log.durability = .none
        let writer = try LogWriter(
            path: path,
            disk: LinuxFileSystem(),
            clock: clock,
            schedule: SystemClock(),
            random: SeededRandom(seed: 1),
            options: log
        )
        var scribe = MarketScribe(writer: writer, clock: clock, positions: nil)
        try MarketSynthesis(options).run { step throws(LogError) in
            var step = step
            if case .message(.incoming, var bytes) = step.event {
                change(&bytes)
                step.event = .message(.incoming, bytes)
            }
            try scribe.write(step)
        }
        try writer.close(cause: "end of the market")
        let counter = AccountCounter()
        let fold = try StateFold(
            try RecordingReader(path: path, disk: LinuxFileSystem()),
            FoldOptions(),
            storage: nil,
            clock: SystemClock(),
            observer: counter
        )
        _ = try fold.run()
        var outcome = counter.outcome
        for name in ["lifecycle_drifts", "liquidity_drifts"] {
            for listed in try #require(try fold.engine.store.rows(of: name)) {
                var row = RowReader(listed.row)
                outcome.counts += try row.unsigned64()
                outcome.drifts[name, default: 0] |= try row.unsigned8()
            }
        }
        return outcome
    }

    @Test func `accounts of all kinds agree with events`() throws {
        let outcome = try fold()
        #expect(outcome.drifts.isEmpty)
        #expect(outcome.counts == 0)
        #expect(outcome.curves > 100)
        #expect(outcome.pumpSwapPools > 20)
        #expect(outcome.raydiumPools > 50)
        #expect(outcome.mints > 8)
        #expect(outcome.vaults > 150)
    }

    @Test func `they agree over forks, lost and late messages, and actors`() throws {
        var options = Self.options
        options.streams = 2
        options.forks = 4
        options.deadSlots = 2
        options.equivocations = 2
        options.duplicatedPerMille = 20
        options.latePerMille = 15
        options.tokens = 40
        options.sandwiches = 10
        options.wideSandwiches = 6
        options.copyTraders = 1
        options.lookAlikes = 9
        let outcome = try fold(options)
        #expect(outcome.counts == 0, "\(outcome.drifts)")
        #expect(outcome.vaults > 150)
    }

    /// What is changed in an account, and what counts it.
    struct Plant: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var table: String
        var kind: UInt8
        /// How long the data of such an account is, and how it begins.
        var count: Int
        var discriminator: [UInt8]
        /// Of the number in it.
        var offset: Int
        /// The program that it belongs to.
        var owner: [UInt8]
    }

    private static let plants = [
        Plant(
            testDescription: "virtual tokens of a curve",
            table: "lifecycle_drifts",
            kind: 1,
            count: 151,
            discriminator: [0x17, 0xb7, 0xf8, 0x37, 0x60, 0xd8, 0xac, 0x60],
            offset: 8,
            owner: SolanaAddress.pump.bytes
        ),
        Plant(
            testDescription: "virtual quote of a curve",
            table: "lifecycle_drifts",
            kind: 2,
            count: 151,
            discriminator: [0x17, 0xb7, 0xf8, 0x37, 0x60, 0xd8, 0xac, 0x60],
            offset: 16,
            owner: SolanaAddress.pump.bytes
        ),
        Plant(
            testDescription: "tokens left on a curve",
            table: "lifecycle_drifts",
            kind: 4,
            count: 151,
            discriminator: [0x17, 0xb7, 0xf8, 0x37, 0x60, 0xd8, 0xac, 0x60],
            offset: 24,
            owner: SolanaAddress.pump.bytes
        ),
        Plant(
            testDescription: "shares of a PumpSwap pool",
            table: "liquidity_drifts",
            kind: 16,
            count: 301,
            discriminator: [0xf1, 0x9a, 0x6d, 0x04, 0x11, 0xb1, 0x6d, 0xbc],
            offset: 203,
            owner: SolanaAddress.pumpSwap.bytes
        ),
        Plant(
            testDescription: "shares of a Raydium pool",
            table: "liquidity_drifts",
            kind: 16,
            count: 752,
            discriminator: [6, 0, 0, 0, 0, 0, 0, 0],
            offset: 720,
            owner: SolanaAddress.raydium.bytes
        ),
        Plant(
            testDescription: "what SPL token accounts hold",
            table: "liquidity_drifts",
            kind: 3,
            count: 165,
            discriminator: [],
            offset: 64,
            owner: SolanaAddress.token.bytes
        ),
        Plant(
            testDescription: "the supply of a mint",
            table: "lifecycle_drifts",
            kind: 16,
            count: 82,
            discriminator: [],
            offset: 36,
            owner: SolanaAddress.token.bytes
        ),
    ]

    /// The lowest bit, in every account of the kind from the twenty-first on.
    @Test(arguments: plants)
    func `what is wrong in an account is counted`(plant: Plant) throws {
        var planted = 0
        let outcome = try fold { bytes in
            // Owner and data stand behind each other, but for the rent epoch: 0x1A 32, 0x28 and ten
            // bytes, 0x32 and a length.
            var head: [UInt8] = [0x1A, 32] + plant.owner + [0x28]
            head += [UInt8](repeating: 0xFF, count: 9) + [1, 0x32]
            head +=
                plant.count < 128
                ? [UInt8(plant.count)]
                : [UInt8(plant.count & 0x7F | 0x80), UInt8(plant.count >> 7)]
            guard let found = bytes.firstRange(of: head + plant.discriminator) else { return }
            let data = found.lowerBound + head.count
            planted += 1
            // The first ones seed what is not known yet.
            if planted > 20 || plant.count == 82 { bytes[data + plant.offset] ^= 1 }
        }
        #expect(planted > 3)
        #expect(outcome.counts > 0)
        #expect(outcome.drifts[plant.table].map { $0 & plant.kind } == plant.kind)
    }
}
