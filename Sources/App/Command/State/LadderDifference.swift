/// Where a ladder of digests and the one that was expected part, for people.
struct LadderDifference {
    /// One digest: of a rung, or after the last slot.
    private struct Rung: Equatable {
        let isLast: Bool
        let slot: UInt64
        let digest: Substring

        var name: String { isLast ? "the last slot, \(slot)" : "slot \(slot)" }
    }

    private let expected: [Rung]
    private let made: [Rung]
    /// Whether the expectation is a ladder at all.
    private let isReadable: Bool
    private let isSame: Bool

    /// - Parameters:
    ///   - expected: lines of `slot N chain DIGEST`, and of `last N chain DIGEST`.
    ///   - made: likewise.
    init(_ expected: String, _ made: String) {
        let stored = Self.rungs(expected)
        self.expected = stored.rungs
        self.made = Self.rungs(made).rungs
        isReadable = stored.isWhole
        isSame = expected == made
    }

    private static func rungs(_ text: String) -> (rungs: [Rung], isWhole: Bool) {
        var rungs: [Rung] = []
        for line in text.split(separator: "\n").dropFirst() {
            let words = line.split(separator: " ")
            guard words.count == 4, words[0] == "slot" || words[0] == "last",
                let slot = UInt64(words[1]), words[2] == "chain"
            else { return (rungs, false) }
            rungs.append(Rung(isLast: words[0] == "last", slot: slot, digest: words[3]))
        }
        return (rungs, true)
    }

    /// Lines that say which rung broke first, and what that narrows the cause down to; nil when
    /// none did.
    var text: String? {
        guard !isSame else { return nil }
        let broken = (0..<max(expected.count, made.count)).first { place in
            self.rung(expected, place) != rung(made, place)
        }
        guard let place = broken else {
            return isReadable
                ? "  the ladder is written in another way, and all of it holds\n"
                : "  the ladder of the expectation cannot be read\n"
        }
        let all = expected.filter { !$0.isLast }.count
        let (one, other) = (rung(expected, place), rung(made, place))
        var text = "  first broken rung: "
        text += one?.isLast == true ? "the last slot" : "\(place + 1) of \(all)"
        switch (one, other) {
        case (let one?, let other?) where one.slot == other.slot && one.isLast == other.isLast:
            text += ", slot \(one.slot)\n"
        case (let one?, let other?): text += ", expected \(one.name), made \(other.name)\n"
        case (let one?, nil): text += ", \(one.name) is not reached any more\n"
        case (nil, let other?): text += ", \(other.name) was not expected\n"
        case (nil, nil): break
        }
        if let one { text += "    expected chain \(one.digest)\n" }
        if let other { text += "    made     chain \(other.digest)\n" }
        return text + cause(place)
    }

    /// The slots that the first difference came with.
    private func cause(_ place: Int) -> String {
        guard place > 0, let before = rung(made, place - 1) else {
            return "    no rung below it holds\n"
        }
        return "    all below hold: it came with what follows slot \(before.slot)\n"
    }

    private func rung(_ rungs: [Rung], _ place: Int) -> Rung? {
        place < rungs.count ? rungs[place] : nil
    }

    /// The slot of the first broken rung that was made; nil when none broke, or none was made.
    var slot: UInt64? {
        guard !isSame else { return nil }
        let broken = (0..<made.count).first { rung(expected, $0) != made[$0] }
        return broken.map { made[$0].slot }
    }
}
