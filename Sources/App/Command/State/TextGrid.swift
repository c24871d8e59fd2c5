/// Rows of text as aligned columns.
struct TextGrid {
    var header: [String]
    var rows: [[String]]
    /// Which columns are aligned to the right.
    var isNumber: [Bool]

    /// Lines, the header first.
    var text: String {
        let all = [header] + rows
        let widths = header.indices.map { column in
            all.map { $0[column].count }.max() ?? 0  // there is a header
        }
        return all.map { row in
            var line = ""
            for (column, cell) in row.enumerated() {
                let padding = String(repeating: " ", count: widths[column] - cell.count)
                if column > 0 { line += "  " }
                line += isNumber[column] ? padding + cell : cell + padding
            }
            while line.last == " " { line.removeLast() }
            return line + "\n"
        }.joined()
    }
}
