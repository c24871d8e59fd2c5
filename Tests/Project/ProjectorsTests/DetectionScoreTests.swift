import Foundation
import MarketModel
import Testing

@testable import Projectors

struct DetectionScoreTests {
    private func label(
        _ kind: DetectionClass,
        slot: UInt64,
        _ fronts: [UInt32],
        _ victims: [UInt32],
        _ backs: [UInt32],
        pool: UInt64 = 1
    ) -> DetectionLabel {
        DetectionLabel(
            kind: kind,
            slot: slot,
            pool: TradingNames.address(pool),
            fronts: fronts.map { TradingNames.signature(slot, $0) },
            victims: victims.map { TradingNames.signature(slot, $0) },
            backs: backs.map { TradingNames.signature(slot, $0) },
            attacker: TradingNames.address(9),
            isWide: kind == .wide
        )
    }

    @Test func `each label and each detection counts once`() {
        let truth = [
            label(.sandwich, slot: 1, [1], [2, 3], [4]),
            label(.sandwich, slot: 1, [1], [5], [4]),
            label(.sandwich, slot: 2, [1], [2], [4]),
            label(.wide, slot: 3, [1], [2], [4]),
        ]
        let found = [
            label(.sandwich, slot: 1, [1], [2], [4]),  // fits the first label
            label(.sandwich, slot: 1, [7], [2], [8]),  // other front and back
            label(.sandwich, slot: 2, [1], [2], [4], pool: 2),  // another pool
            label(.wide, slot: 3, [1], [2], [4]),
            label(.backRun, slot: 3, [], [2], [4]),
        ]
        for (found, labels) in [(found, truth), (found.reversed(), truth.reversed())] {
            let score = DetectionScore(found: found, labels: labels)
            #expect(score[.sandwich].truePositives == 1)
            #expect(score[.sandwich].exact == 0)
            #expect(score[.sandwich].falsePositives == 2)
            #expect(score[.sandwich].falseNegatives == 2)
            #expect(score[.sandwich].precisionBasisPoints == 3_333)
            #expect(score[.sandwich].recallBasisPoints == 3_333)
            #expect(score[.wide].truePositives == 1)
            #expect(score[.wide].exact == 1)
            #expect(score[.backRun].falsePositives == 1)
            #expect(score[.backRun].recallBasisPoints == nil)
            #expect(score[.arbitrage] == DetectionScore.Counts())
            #expect(score.classes.map(\.kind) == DetectionClass.allCases)
        }
    }

    @Test func `two labels that one detection fits are one found and one missed`() {
        let score = DetectionScore(
            found: [label(.sandwich, slot: 1, [1], [2, 3], [4])],
            labels: [
                label(.sandwich, slot: 1, [1], [2], [4]), label(.sandwich, slot: 1, [1], [3], [4]),
            ]
        )
        #expect(score[.sandwich].truePositives == 1)
        #expect(score[.sandwich].falseNegatives == 1)
        #expect(score[.sandwich].falsePositives == 0)
    }

    @Test func `a detection with exactly the label's transactions comes before an earlier one`() {
        let score = DetectionScore(
            found: [
                label(.sandwich, slot: 1, [1], [2], [9]),
                label(.sandwich, slot: 1, [1], [2, 3], [9]),
            ],
            labels: [label(.sandwich, slot: 1, [1], [2, 3], [9])]
        )
        #expect(score[.sandwich].exact == 1)
        #expect(score[.sandwich].falsePositives == 1)
    }

    @Test func `a look-alike counts where a detection that nothing tells is one with it`() {
        let innocent = [
            LookAlikeLabel(label: label(.sandwich, slot: 1, [1], [2], [3]), why: "flip"),
            LookAlikeLabel(label: label(.sandwich, slot: 2, [4], [5], [6]), why: "router"),
            LookAlikeLabel(label: label(.wide, slot: 3, [7], [8], [9]), why: "flip"),
        ]
        let score = DetectionScore(
            found: [
                label(.sandwich, slot: 1, [1], [2], [3]),
                // Told by a label, so that it is right.
                label(.sandwich, slot: 2, [4], [5], [6]),
                // Another class.
                label(.sandwich, slot: 3, [7], [8], [9]),
            ],
            labels: [label(.sandwich, slot: 2, [4], [5], [6])],
            lookAlikes: innocent
        )
        #expect(score[.sandwich].lookAlikes == 2)
        #expect(score[.sandwich].lookAlikesDetected == 1)
        #expect(score[.sandwich].falsePositives == 2)
        #expect(score[.wide].lookAlikes == 1)
        #expect(score[.wide].lookAlikesDetected == 0)
        #expect(score.mistaken == [innocent[0]])
        let line = innocent[1].line(on: .solana)
        #expect(line.hasPrefix(#"{"class":"look_alike","slot":"2","pool":"#))
        #expect(line.hasSuffix(#","wide":false,"resembles":"sandwich","why":"router"}"#))
    }

    @Test func `a line is JSON with all members`() throws {
        let line = label(.wide, slot: 12, [1], [2, 3], []).line(on: .solana)
        let object = try JSONSerialization.jsonObject(with: Data(line.utf8))
        let members = try #require(object as? [String: Any])
        #expect(
            members.keys.sorted()
                == ["attacker", "back", "class", "front", "pool", "slot", "victims", "wide"]
        )
        #expect(members["class"] as? String == "wide")
        #expect(members["slot"] as? String == "12")
        #expect(members["wide"] as? Bool == true)
        #expect(
            members["victims"] as? [String]
                == [2, 3].map { TradingNames.signature(12, $0).description }
        )
        #expect(members["back"] as? [String] == [])
        #expect(members["pool"] as? String == TradingNames.address(1).text(on: .solana))
        for kind in DetectionClass.allCases {
            #expect(DetectionClass(kind.description) == kind)
        }
        #expect(DetectionClass("other") == nil)
    }
}
