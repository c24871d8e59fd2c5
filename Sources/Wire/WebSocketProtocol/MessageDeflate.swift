/// The negotiation of permessage-deflate (RFC 7692), cut down to the one form that a recording can
/// use: no context taken over in either direction, so that each message inflates on its own.
enum MessageDeflate {
    static let name = "permessage-deflate"
    /// What a client offers and a server answers.
    static let agreement =
        "permessage-deflate; server_no_context_takeover; client_no_context_takeover"

    private struct Offer {
        var name: String
        var parameters: [(name: String, value: String?)]

        init(_ text: String) {
            let parts = ASCII.split(text, at: UInt8(ascii: ";"))
            // Splitting always gives a part; the name of an empty offer is empty, and not known.
            name = ASCII.lowercased(parts.first ?? "")
            parameters = parts.dropFirst().map { part in
                let pair = ASCII.split(part, at: UInt8(ascii: "="))
                guard pair.count > 1 else { return (ASCII.lowercased(part), nil) }
                // Two equals signs make no parameter: the value is then none that is known.
                let value = pair.dropFirst().joined(separator: "=")
                return (ASCII.lowercased(pair[0]), Self.unquoted(value))
            }
        }

        /// A value without the quotes around it, if both are there (RFC 6455 section 9.1).
        private static func unquoted(_ value: String) -> String {
            let bytes = value.utf8
            let quote = UInt8(ascii: "\"")
            guard bytes.count >= 2, bytes.first == quote, bytes.last == quote else { return value }
            return String(decoding: Array(bytes.dropFirst().dropLast()), as: UTF8.self)
        }

        /// Each parameter at most once, as RFC 7692 section 7.1 asks.
        var isRepeating: Bool {
            parameters.enumerated().contains { index, parameter in
                parameters[..<index].contains { $0.name == parameter.name }
            }
        }
    }

    /// Window sizes as a parameter writes them, in powers of two (RFC 7692 section 7.1.2).
    private static let windowBits: Set<String> = ["8", "9", "10", "11", "12", "13", "14", "15"]

    /// Whether a server's answer keeps to the agreement.
    ///
    /// The server must have promised not to take its context over. A window of its own choice is
    /// legal though it was not offered (section 7.1.2.1), and any is read with the largest. It may
    /// leave our own promise out, which binds us all the same. Asking us for a smaller window is
    /// legal only towards a client that offered it (section 7.1.2.2).
    static func isAgreed(_ answers: [String]) -> Bool {
        guard answers.count == 1 else { return false }
        let offer = Offer(answers[0])
        guard offer.name == name, !offer.isRepeating else { return false }
        let isKnown = offer.parameters.allSatisfy { parameter in
            switch (parameter.name, parameter.value) {
            case ("server_no_context_takeover", nil), ("client_no_context_takeover", nil): true
            case ("server_max_window_bits", .some(let bits)): windowBits.contains(bits)
            default: false
            }
        }
        return isKnown && offer.parameters.contains { $0.name == "server_no_context_takeover" }
    }

    /// Whether one of a client's offers may be answered with the agreement: it does not ask the
    /// server for a smaller window, which `Deflater` does not have.
    static func canAgree(_ offers: [String]) -> Bool {
        offers.contains { text in
            let offer = Offer(text)
            guard offer.name == name, !offer.isRepeating else { return false }
            return offer.parameters.allSatisfy { parameter in
                switch (parameter.name, parameter.value) {
                case ("server_no_context_takeover", nil), ("client_no_context_takeover", nil),
                    ("client_max_window_bits", nil), ("server_max_window_bits", "15"):
                    true
                case ("client_max_window_bits", .some(let bits)):
                    windowBits.contains(bits)
                default: false
                }
            }
        }
    }
}
