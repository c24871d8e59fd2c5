// Reads two facts off a notification without parsing it. This runs for each frame that is written
// or served, so nothing is allocated and long strings (blooms, data) are skipped eight bytes at a
// time. The text need not be valid: every access is checked, and what does not look like a
// notification answers nil.

package import MarketModel

/// Facts of a notification's bytes, read without parsing the rest.
package enum NotificationScan {
    /// The block that a `newHeads` or `logs` notification belongs to.
    ///
    /// - Parameter bytes: One text message.
    /// - Returns: `params.result.number` or `params.result.blockNumber` of an `eth_subscription`;
    ///   nil for every other message.
    package static func blockNumber(of bytes: RawSpan) -> BlockNumber? {
        guard let result = member("result", of: bytes), byte(bytes, result) == openBrace else {
            return nil
        }
        var members = Members(objectAt: result)
        while let (key, value) = members.next(bytes) {
            if isText(bytes, key, "number") || isText(bytes, key, "blockNumber") {
                return quantity(bytes, at: value).map { BlockNumber($0) }
            }
        }
        return nil
    }

    /// The block that a `newHeads` or `logs` notification belongs to.
    ///
    /// - Parameter bytes: One text message.
    /// - Returns: See `blockNumber(of: RawSpan)`.
    package static func blockNumber(of bytes: [UInt8]) -> BlockNumber? {
        blockNumber(of: bytes.span.bytes)
    }

    /// Where the subscription's id stands in an `eth_subscription` notification.
    ///
    /// - Parameter bytes: One text message.
    /// - Returns: The bytes between the quotes; nil for every other message.
    package static func subscription(of bytes: RawSpan) -> Range<Int>? {
        guard let value = member("subscription", of: bytes), byte(bytes, value) == quote,
            let end = stringEnd(bytes, from: value)
        else { return nil }
        return value + 1..<end - 1
    }

    /// Where the subscription's id stands in an `eth_subscription` notification.
    ///
    /// - Parameter bytes: One text message.
    /// - Returns: See `subscription(of: RawSpan)`.
    package static func subscription(of bytes: [UInt8]) -> Range<Int>? {
        subscription(of: bytes.span.bytes)
    }

    /// Appends a message with other bytes in place of a range; every other byte is kept.
    ///
    /// - Parameters:
    ///   - bytes: The message.
    ///   - range: What `subscription(of:)` answered for it.
    ///   - id: The id to put there, as it stands between quotes (already escaped, if need be).
    ///   - output: Receives the message.
    package static func rewrite(
        _ bytes: [UInt8],
        subscription range: Range<Int>,
        with id: [UInt8],
        into output: inout [UInt8]
    ) {
        precondition(range.lowerBound >= 0 && range.upperBound <= bytes.count, "\(range)")
        output.append(contentsOf: bytes[..<range.lowerBound])
        output.append(contentsOf: id)
        output.append(contentsOf: bytes[range.upperBound...])
    }

    // MARK: Scanning

    private static let quote = UInt8(ascii: "\"")
    private static let backslash = UInt8(ascii: "\\")
    private static let openBrace = UInt8(ascii: "{")

    /// The start of a member of `params`, when the message is an `eth_subscription`.
    private static func member(_ name: StaticString, of bytes: RawSpan) -> Int? {
        var isNotification = false
        var found: Int?
        var members = Members(objectAt: afterSpace(bytes, 0))
        while let (key, value) = members.next(bytes) {
            if isText(bytes, key, "method") {
                guard byte(bytes, value) == quote, let end = stringEnd(bytes, from: value),
                    isText(bytes, value + 1..<end - 1, "eth_subscription")
                else { return nil }
                isNotification = true
            } else if isText(bytes, key, "params") {
                guard byte(bytes, value) == openBrace else { return nil }
                var inner = Members(objectAt: value)
                while let (key, value) = inner.next(bytes) {
                    guard isText(bytes, key, name) else { continue }
                    found = value
                    break
                }
            }
            // The rest of the message cannot change the answer.
            if isNotification, let found { return found }
        }
        return nil
    }

    /// The number of a string `"0x..."`.
    private static func quantity(_ bytes: RawSpan, at start: Int) -> UInt64? {
        guard byte(bytes, start) == quote, byte(bytes, start + 1) == UInt8(ascii: "0"),
            byte(bytes, start + 2) == UInt8(ascii: "x")
        else { return nil }
        var result: UInt64 = 0
        var at = start + 3
        while let next = byte(bytes, at), let value = Hex.value(of: next) {
            guard result >> 60 == 0 else { return nil }
            result = result << 4 | UInt64(value)
            at += 1
        }
        return at > start + 3 && byte(bytes, at) == quote ? result : nil
    }

    /// The members of one object, one after another.
    private struct Members {
        private var at: Int
        private var isFirst = true

        init(objectAt start: Int) {
            at = start
        }

        /// The bytes of the next key between its quotes and the start of its value.
        mutating func next(_ bytes: RawSpan) -> (key: Range<Int>, value: Int)? {
            if isFirst {
                isFirst = false
                guard byte(bytes, at) == openBrace else { return nil }
            } else {
                // `at` is the start of the value before.
                guard let end = valueEnd(bytes, from: at) else { return nil }
                at = afterSpace(bytes, end)
                guard byte(bytes, at) == UInt8(ascii: ",") else { return nil }
            }
            let start = afterSpace(bytes, at + 1)
            guard byte(bytes, start) == quote, let end = stringEnd(bytes, from: start) else {
                return nil
            }
            let colon = afterSpace(bytes, end)
            guard byte(bytes, colon) == UInt8(ascii: ":") else { return nil }
            at = afterSpace(bytes, colon + 1)
            return (start + 1..<end - 1, at)
        }
    }

    @inline(__always)
    private static func byte(_ bytes: RawSpan, _ at: Int) -> UInt8? {
        at < bytes.byteCount ? bytes.unsafeLoad(fromByteOffset: at, as: UInt8.self) : nil
    }

    private static func afterSpace(_ bytes: RawSpan, _ start: Int) -> Int {
        var at = start
        while let next = byte(bytes, at),
            next == 0x20 || next == 0x0A || next == 0x0D || next == 0x09
        { at += 1 }
        return at
    }

    private static func isText(_ bytes: RawSpan, _ range: Range<Int>, _ text: StaticString) -> Bool
    {
        guard range.count == text.utf8CodeUnitCount else { return false }
        return text.withUTF8Buffer { text in
            for at in 0..<text.count where byte(bytes, range.lowerBound + at) != text[at] {
                return false
            }
            return true
        }
    }

    /// The offset after the closing quote of the string that begins at `start`.
    private static func stringEnd(_ bytes: RawSpan, from start: Int) -> Int? {
        var at = start + 1
        while true {
            at = quoteOrBackslash(bytes, from: at)
            guard let found = byte(bytes, at) else { return nil }
            if found == quote { return at + 1 }
            at += 2
        }
    }

    /// The first quote or backslash at or after `start`; the end when there is none.
    private static func quoteOrBackslash(_ bytes: RawSpan, from start: Int) -> Int {
        let ones: UInt64 = 0x0101_0101_0101_0101
        let tops: UInt64 = 0x8080_8080_8080_8080
        var at = start
        while at + 8 <= bytes.byteCount {
            let word = UInt64(
                littleEndian: bytes.unsafeLoadUnaligned(fromByteOffset: at, as: UInt64.self)
            )
            // Zero bytes stand where the searched byte was; the lowest flag is exact.
            let quotes = word ^ (ones &* UInt64(quote))
            let slashes = word ^ (ones &* UInt64(backslash))
            let flags =
                ((quotes &- ones) & ~quotes | (slashes &- ones) & ~slashes) & tops
            if flags != 0 { return at + flags.trailingZeroBitCount / 8 }
            at += 8
        }
        while let next = byte(bytes, at), next != quote, next != backslash { at += 1 }
        return at
    }

    /// The offset after the value that begins at `start`. Brackets are counted, not matched.
    private static func valueEnd(_ bytes: RawSpan, from start: Int) -> Int? {
        var depth = 0
        var at = start
        while let next = byte(bytes, at) {
            switch next {
            case quote:
                guard let end = stringEnd(bytes, from: at) else { return nil }
                at = end
                if depth == 0 { return at }
            case openBrace, UInt8(ascii: "["):
                depth += 1
                at += 1
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                // The end of the object that holds a bare value.
                if depth == 0 { return at > start ? at : nil }
                depth -= 1
                at += 1
                if depth == 0 { return at }
            case UInt8(ascii: ","):
                if depth == 0 { return at > start ? at : nil }
                at += 1
            default: at += 1
            }
        }
        return nil
    }
}
