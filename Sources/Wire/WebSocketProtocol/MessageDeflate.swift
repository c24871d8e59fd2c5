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
            name = ASCII.lowercased(parts.first ?? "")
            parameters = parts.dropFirst().map { part in
                let pair = ASCII.split(part, at: UInt8(ascii: "="))
                guard pair.count > 1 else { return (ASCII.lowercased(part), nil) }
                let value = pair[1].utf8.filter { $0 != UInt8(ascii: "\"") }
                return (ASCII.lowercased(pair[0]), String(decoding: value, as: UTF8.self))
            }
        }

        /// Each parameter at most once, as RFC 7692 section 7.1 asks.
        var isRepeating: Bool {
            parameters.enumerated().contains { index, parameter in
                parameters[..<index].contains { $0.name == parameter.name }
            }
        }
    }

    /// Whether a server's answer is exactly the agreement.
    static func isAgreed(_ answers: [String]) -> Bool {
        guard answers.count == 1 else { return false }
        let offer = Offer(answers[0])
        guard offer.name == name, !offer.isRepeating, offer.parameters.count == 2 else {
            return false
        }
        return offer.parameters.allSatisfy {
            $0.value == nil
                && ($0.name == "server_no_context_takeover"
                    || $0.name == "client_no_context_takeover")
        }
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
                    ["8", "9", "10", "11", "12", "13", "14", "15"].contains(bits)
                default: false
                }
            }
        }
    }
}
