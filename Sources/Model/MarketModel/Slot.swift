/// A place in Solana's schedule, about 400 ms long; it may hold one block, several variants of one
/// before it is settled, or none.
package struct Slot: Hashable, Comparable, Sendable, CustomStringConvertible,
    ExpressibleByIntegerLiteral
{
    /// Counted from the chain's first slot; any value.
    package let number: UInt64

    package init(_ number: UInt64) {
        self.number = number
    }

    package init(integerLiteral value: UInt64) {
        number = value
    }

    package var description: String { String(number) }

    package static func < (left: Slot, right: Slot) -> Bool {
        left.number < right.number
    }
}
