import Testing

@testable import Command

/// What `tapedeck test` says of a ladder that is not the one that was expected.
@Suite struct LadderDifferenceTests {
    private let ladder = [
        "every 10", "slot 10 chain aa", "slot 20 chain bb", "slot 30 chain cc", "last 37 chain dd",
    ]

    private func text(_ change: (inout [String]) -> Void) -> String? {
        var made = ladder
        change(&made)
        return LadderDifference(
            ladder.joined(separator: "\n") + "\n",
            made.joined(separator: "\n") + "\n"
        ).text
    }

    @Test func `the same ladder differs nowhere`() {
        #expect(text { _ in } == nil)
    }

    @Test func `the first rung that broke is named, with the slot it came behind`() {
        let text = text {
            $0[2] = "slot 20 chain b0"
            $0[3] = "slot 30 chain c0"
            $0[4] = "last 37 chain d0"
        }
        #expect(
            text == """
                  first broken rung: 2 of 3, slot 20
                    expected chain bb
                    made     chain b0
                    all below hold: it came with what follows slot 10

                """
        )
    }

    @Test func `a first rung that broke has none below it`() {
        #expect(text { $0[1] = "slot 10 chain a0" }?.contains("no rung below it holds") == true)
    }

    @Test func `a difference behind the last rung is told as that`() {
        #expect(
            text { $0[4] = "last 37 chain d0" }?.hasPrefix(
                "  first broken rung: the last slot, slot 37\n"
            ) == true
        )
    }

    @Test func `rungs at other slots, fewer and more are told`() {
        #expect(
            text { $0[2] = "slot 21 chain bb" }?.hasPrefix(
                "  first broken rung: 2 of 3, expected slot 20, made slot 21\n"
            ) == true
        )
        #expect(
            text { $0.removeLast(2) }?.hasPrefix(
                "  first broken rung: 3 of 3, slot 30 is not reached any more\n"
            ) == true
        )
        #expect(
            text { $0.append("last 38 chain ee") }?.contains("slot, 38 was not expected") == true
        )
    }

    @Test func `what is no ladder is told, not guessed at`() {
        let made = ladder.joined(separator: "\n") + "\n"
        #expect(LadderDifference("every 10\nnonsense\n", made).text?.isEmpty == false)
        #expect(
            LadderDifference("every 10\n" + "x\n", "every 10\n").text
                == "  the ladder of the expectation cannot be read\n"
        )
    }
}
