// Addresses in what a person typed: a mistake is said again, the key in it is not.

/// Hides what an address may keep secret.
enum AddressMask {
    /// A text in which every address `scheme://...` has lost its credentials, path and query.
    static func text(_ text: String) -> String {
        text.split(omittingEmptySubsequences: false, whereSeparator: \.isWhitespace)
            .reduce(into: (text: "", end: text.startIndex)) { result, word in
                result.text += text[result.end..<word.startIndex] + masked(word)
                result.end = word.endIndex
            }.text
    }

    /// One word. Quotes and colons behind the address belong to the sentence.
    private static func masked(_ word: Substring) -> String {
        guard let scheme = separator(in: word) else { return String(word) }
        let ends = word.reversed().prefix { "'\":;,.)".contains($0) }.count
        let address = word[scheme...].dropLast(ends)
        let place = address.lastIndex(of: "@").map { address[address.index(after: $0)...] }
        let rest = place ?? address
        let host = rest.prefix { !"/?#".contains($0) }
        let isBare = rest.count - host.count <= (rest.last == "/" ? 1 : 0)
        return word[..<scheme] + (place == nil ? "" : "***@") + (isBare ? rest : host + "/***")
            + word.suffix(min(ends, word[scheme...].count))
    }

    /// Behind the first `://`.
    private static func separator(in word: Substring) -> Substring.Index? {
        var rest = word
        while let colon = rest.firstIndex(of: ":") {
            rest = rest[rest.index(after: colon)...]
            if rest.hasPrefix("//") { return rest.index(rest.startIndex, offsetBy: 2) }
        }
        return nil
    }
}
