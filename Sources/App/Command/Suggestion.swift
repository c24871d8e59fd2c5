// "Did you mean": the nearest known word, when one is near enough to be meant.

/// ` (did you mean X?)` with the known word nearest to a misspelt one, or an empty text.
func suggestion(for word: String, among known: [String], prefix: String) -> String {
    // Nobody types a word of 40 letters by mistake, and the distance costs the square.
    guard word.count <= 40 else { return "" }
    let limit = max(1, word.count / 3)
    let near = known.map { (word: $0, distance: editDistance(word, $0)) }
        .filter { $0.distance <= limit }
        .min { ($0.distance, $0.word) < ($1.distance, $1.word) }
    if let near { return " (did you mean \(prefix)\(near.word)?)" }
    let longer = known.filter { word.count >= 3 && $0.hasPrefix(word) }
    return longer.count == 1 ? " (did you mean \(prefix)\(longer[0])?)" : ""
}

/// Single-letter insertions, deletions, changes and swaps of neighbours that turn one word into
/// the other (optimal string alignment distance).
func editDistance(_ left: String, _ right: String) -> Int {
    let a = Array(left)
    let b = Array(right)
    var beforePrevious: [Int] = []
    var previous = Array(0...b.count)
    for i in 0..<a.count {
        var row = [i + 1]
        for j in 0..<b.count {
            var best = min(previous[j] + (a[i] == b[j] ? 0 : 1), previous[j + 1] + 1, row[j] + 1)
            if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] {
                best = min(best, beforePrevious[j - 1] + 1)
            }
            row.append(best)
        }
        beforePrevious = previous
        previous = row
    }
    return previous[b.count]
}
