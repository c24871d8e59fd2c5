package import MarketModel

/// Up to four topics, kept inline.
package struct LogTopics: Hashable, Sendable {
    /// The most that the EVM can emit.
    package static let countMax = 4

    /// 0...4.
    package private(set) var count = 0
    private var first = Hash256.zero
    private var second = Hash256.zero
    private var third = Hash256.zero
    private var fourth = Hash256.zero

    package init() {}

    /// Adds one.
    ///
    /// - Precondition: There are fewer than four.
    package mutating func append(_ topic: Hash256) {
        switch count {
        case 0: first = topic
        case 1: second = topic
        case 2: third = topic
        case 3: fourth = topic
        default: preconditionFailure("a fifth topic")
        }
        count += 1
    }

    /// The topic at a position below `count`.
    package subscript(index: Int) -> Hash256 {
        precondition(index >= 0 && index < count, "topic \(index) of \(count)")
        switch index {
        case 0: return first
        case 1: return second
        case 2: return third
        default: return fourth
        }
    }
}
