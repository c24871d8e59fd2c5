import JSONText

/// Watches for the answers to our calls at the beginning of a connection. A value: messages go in,
/// what they mean comes out. Once every call is answered nothing is looked at any more.
struct CallAnswers {
    /// What a message means.
    enum Meaning: Equatable {
        /// Something else than an answer to us: it is being delivered.
        case delivery
        /// The answer to a call, by its number from 1; `isLast` when no other is awaited.
        case answered(number: Int, isLast: Bool)
        /// A call was refused.
        case refused(Refusal)
    }

    /// An error answer.
    struct Refusal: Equatable {
        /// Which call, from 1.
        let number: Int
        let method: String
        let isSubscription: Bool
        let code: Int64
        let message: String

        /// The same call would be refused again: unknown method, invalid parameters.
        var isPermanent: Bool { code == -32_601 || code == -32_602 }
    }

    /// Longer messages are no answers to us.
    static let messageBytesMax = 64 << 10

    private let calls: [EthereumCall]
    private var open: Set<Int>

    init(_ calls: [EthereumCall]) {
        self.calls = calls
        open = Set(1..<calls.count + 1)
    }

    /// Whether every call is answered.
    var isComplete: Bool { open.isEmpty }

    /// Takes a whole message.
    mutating func take(_ message: [UInt8]) -> Meaning {
        let root: JSONValue
        do throws(JSONError) {
            let limits = JSONLimits(bytesMax: Self.messageBytesMax)
            root = try JSONDocument.parse(message, limits: limits)
        } catch { return .delivery }
        guard let id = root.member("id")?.uint64.flatMap({ Int(exactly: $0) }),
            open.remove(id) != nil
        else { return .delivery }
        guard let error = root.member("error"), !error.isNull else {
            return .answered(number: id, isLast: open.isEmpty)
        }
        let call = calls[id - 1]
        return .refused(
            Refusal(
                number: id,
                method: call.method,
                isSubscription: call.isSubscription,
                // A code that is no whole number is against JSON-RPC; it is not permanent.
                code: error.member("code")?.int64 ?? 0,
                message: String((error.member("message")?.string ?? "no message").prefix(300))
            )
        )
    }
}
