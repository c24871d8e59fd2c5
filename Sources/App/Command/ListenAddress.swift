/// Where to listen, and for which sources: `127.0.0.1:10000` or `[::1]:0=main,backup`.
struct ListenAddress: Equatable, Sendable {
    /// The name or address, without brackets.
    let host: String
    /// 0 lets the kernel choose.
    let port: UInt16
    /// The sources served there; empty for all.
    let sources: [String]

    /// What a message says was expected.
    static let expectation = "ADDRESS:PORT such as 127.0.0.1:0, with =SOURCE,... to choose sources"

    init?(_ text: String) {
        let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        var names: [String] = []
        if parts.count == 2 {
            names = parts[1].split(separator: ",", omittingEmptySubsequences: false)
                .map(String.init)
            if names.contains("") { return nil }
        }
        guard let place = parts.first, let colon = place.lastIndex(of: ":") else { return nil }
        let digits = place[place.index(after: colon)...]
        guard digits.allSatisfy({ $0.isASCII && $0.isNumber }), let port = UInt16(digits) else {
            return nil
        }
        var name = place[..<colon]
        if name.hasPrefix("["), name.hasSuffix("]") {
            name = name.dropFirst().dropLast()
        } else if name.contains(":") {
            // An IPv6 address without brackets: its last part could be taken for the port.
            return nil
        }
        guard !name.isEmpty else { return nil }
        host = String(name)
        self.port = port
        sources = names
    }
}
