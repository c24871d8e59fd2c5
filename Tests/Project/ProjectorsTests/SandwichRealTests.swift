import Foundation
import GeyserDecoding
import MarketModel
import ProgramDecoding
import Projection
import Testing

@testable import Projectors

/// Sandwiches of a real block, against candidates that a simple rule of others found: same signer, same
/// pool, opposite directions, somebody in between. They are not the truth; where the rules here say
/// otherwise, the reason is written down.
@Suite struct SandwichRealTests {
    static let absent: Comment =
        "needs ../shared/data/solana (or TAPEDECK_SHARED naming the shared folder)"

    static let folder: URL = {
        if let named = ProcessInfo.processInfo.environment["TAPEDECK_SHARED"] {
            return URL(filePath: named).appending(path: "data/solana")
        }
        var root = URL(filePath: #filePath)
        for _ in 0..<4 { root.deleteLastPathComponent() }
        return root.appending(path: "../shared/data/solana")
    }()

    static var isPresent: Bool {
        FileManager.default.fileExists(atPath: folder.appending(path: "real.bin").path)
    }

    /// One candidate of the file.
    struct Candidate: Decodable {
        struct Leg: Decodable {
            var index: UInt32
            var signature: String
        }

        var pool: String
        var attacker: String
        var front: Leg
        var victims: [Leg]
        var back: Leg
    }

    /// The market transactions of the block, by rising index.
    static func block(_ slot: UInt64) throws -> MarketModel.Bundle {
        let data = [UInt8](try Data(contentsOf: folder.appending(path: "real.bin")))
        var reader = SolanaTransactionReader()
        var decoder = ProgramDecoder()
        var tally = ParseTally()
        var facts: [TransactionFacts] = []
        var offset = 0
        while offset < data.count {
            let length = (0..<4).reduce(0) { $0 | Int(data[offset + $1]) << (8 * $1) }
            let message = [UInt8](data[offset + 4..<offset + 4 + length])
            offset += 4 + length
            let bytes = message.span.bytes
            guard case .transaction(let update) = try SolanaUpdate(of: bytes),
                update.slot.number == slot
            else { continue }
            try reader.readAll(bytes, #require(update.info))
            if let found = decoder.decode(reader.transaction, bytes, tally: &tally) {
                facts.append(found)
            }
        }
        facts.sort { $0.index < $1.index }
        return MarketModel.Bundle(
            chain: .solana,
            position: slot,
            time: 1_724_267_459,
            transactions: facts,
            evidence: .counted
        )
    }

    @Test(.enabled(if: isPresent, absent))
    func `candidates of a real block are found, or it is known why not`() throws {
        let file = Self.folder.appending(path: "labels/sandwich-candidates-285000037.json")
        let candidates = try JSONDecoder().decode([Candidate].self, from: Data(contentsOf: file))
        let bundle = try Self.block(285_000_037)
        let folded = TradingFolded()
        try folded.apply(bundle)
        for candidate in candidates {
            let label = DetectionLabel(
                kind: .sandwich,
                slot: bundle.position,
                pool: try Address(solana: candidate.pool),
                fronts: [.solana(try Signature(candidate.front.signature))],
                victims: try candidate.victims.map { .solana(try Signature($0.signature)) },
                backs: [.solana(try Signature(candidate.back.signature))],
                attacker: try Address(solana: candidate.attacker),
                isWide: false
            )
            let same = folded.labels.first { found in
                found.pool == label.pool && found.fronts == label.fronts
                    && found.victims == label.victims && found.backs == label.backs
                    && found.attacker == label.attacker
            }
            print(
                candidate.front.index,
                candidate.victims.map(\.index),
                candidate.back.index,
                same.map { "agreed, as \($0.kind)" } ?? "differs"
            )
            #expect(same != nil)
        }
        #expect(candidates.count == 1)
        // Nothing else of the block is one.
        let sandwiches = folded.labels.filter { $0.kind <= .wide }
        #expect(sandwiches.count == 1)
    }

    @Test(.enabled(if: isPresent, absent))
    func `the block's candidate earned less than its fees and took a basis point`() throws {
        let folded = TradingFolded()
        try folded.apply(try Self.block(285_000_037))
        let rows = folded.found(.sandwichUnprofitable)
        try #require(rows.count == 1)
        // Sold for 23,086,307, bought for 23,020,601; fees of 110,169 and 105,169.
        #expect(rows[0].gross == 65_706)
        #expect(rows[0].cost == 215_338)
        #expect(rows[0].net == -149_632)
        // 9,671,352,783 tokens against 9,597,284,198.
        #expect(rows[0].inventoryBasisPoints == 77)
        // Same wallet and equal inventory; neither adjacent nor a gain nor a tip.
        #expect(rows[0].confidence == 70)
        // By the same replay in Python.
        let losses = rows[0].legs.filter { $0.role == .victim }.compactMap(\.loss)
        #expect(losses == [1487659, 657586, 847736, 1985044, 1464607, 682316, 1614417])
        #expect(rows[0].loss == 20967)
        #expect(rows[0].lossBasisPoints == 1)
        #expect(rows[0].severity == .low)
        #expect(rows[0].isLossExact)
    }
}
