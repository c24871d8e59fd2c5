/// Rows of a table that came, went or changed, for people.
struct RowDifference {
    private static let shownMax = 5
    /// Characters of a row that came or went.
    private static let rowMax = 160

    private let name: String
    private let header: [String]
    private let keyCount: Int
    private let expected: [[String]: [String]]
    private let made: [[String]: [String]]

    /// - Parameters:
    ///   - name: what the table is called.
    ///   - keyCount: how many of the first columns tell a row from all others.
    ///   - expected: the table as CSV, its header first; empty when it had no row.
    ///   - made: likewise.
    init(_ name: String, keyCount: Int, _ expected: String, _ made: String) {
        self.name = name
        self.keyCount = keyCount
        let left = CSVRows(expected).rows
        let right = CSVRows(made).rows
        header = right.first ?? left.first ?? []  // no row on either side: no difference
        self.expected = RowDifference.byKey(left, keyCount)
        self.made = RowDifference.byKey(right, keyCount)
    }

    private static func byKey(_ rows: [[String]], _ keyCount: Int) -> [[String]: [String]] {
        // A file that somebody edited may hold a row twice; the last one counts.
        Dictionary(rows.dropFirst().map { (Array($0.prefix(keyCount)), $0) }) { $1 }
    }

    /// Lines that say what differs; it steers no terminal, whatever strangers named their tokens.
    var text: String {
        let keys = Set(expected.keys).union(made.keys)
        let changed = keys.filter { expected[$0] != made[$0] }
            .sorted { $0.lexicographicallyPrecedes($1) }
        var text = "  \(name): \(changed.count) rows differ\n"
        for key in changed.prefix(Self.shownMax) {
            switch (expected[key], made[key]) {
            case (nil, let row?): text += "    + \(line(row))\n"
            case (let row?, nil): text += "    - \(line(row))\n"
            case (let one?, let other?): text += change(one, other)
            case (nil, nil): continue
            }
        }
        if changed.count > Self.shownMax {
            text += "    ... and \(changed.count - Self.shownMax) more\n"
        }
        return text
    }

    private func line(_ row: [String]) -> String {
        let cells = row.enumerated().map { shown($1, in: $0) }
        return PlainText.shown(cells.joined(separator: ","), Self.rowMax)
    }

    private func shown(_ value: String, in place: Int) -> String {
        guard place < header.count else { return value }
        return CodeName.text(value, in: header[place]) ?? value
    }

    private func change(_ expected: [String], _ made: [String]) -> String {
        var text = "    \(line(Array(made.prefix(keyCount))))\n"
        for place in 0..<max(expected.count, made.count) {
            let one = place < expected.count ? expected[place] : "nothing"
            let other = place < made.count ? made[place] : "nothing"
            guard one != other else { continue }
            let column = place < header.count ? header[place] : "\(place)"
            let (before, after) = (shown(one, in: place), shown(other, in: place))
            text += "      \(column): \(PlainText.shown(before)) -> \(PlainText.shown(after))\n"
        }
        return text
    }
}

/// CSV as `quotedCSV` writes it: fields that hold commas, quotes or line ends stand in quotes.
struct CSVRows {
    /// Fields of each line, the header's first.
    private(set) var rows: [[String]] = []

    init(_ text: String) {
        var row: [String] = []
        var field = String.UnicodeScalarView()
        var isQuoted = false
        var wasQuote = false
        // Scalars, because a line end behind a return is one character.
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"":
                // Two of them inside quotes are one.
                if wasQuote { field.append(scalar) }
                wasQuote = isQuoted && !wasQuote
                isQuoted = wasQuote ? false : true
            case "," where !isQuoted:
                row.append(String(field))
                field.removeAll()
                wasQuote = false
            case "\n" where !isQuoted:
                row.append(String(field))
                rows.append(row)
                row = []
                field.removeAll()
                wasQuote = false
            default:
                field.append(scalar)
                wasQuote = false
            }
        }
        guard !field.isEmpty || !row.isEmpty else { return }
        rows.append(row + [String(field)])
    }
}
