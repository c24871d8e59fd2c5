/// The height of a block on an EVM chain; at any height there may be several variants.
package struct BlockNumber: Hashable, Comparable, Sendable, CustomStringConvertible,
    ExpressibleByIntegerLiteral
{
    /// Counted from the first block of the chain, which is 0; any value.
    package let number: UInt64

    package init(_ number: UInt64) {
        self.number = number
    }

    package init(integerLiteral value: UInt64) {
        number = value
    }

    package var description: String { String(number) }

    package static func < (left: BlockNumber, right: BlockNumber) -> Bool {
        left.number < right.number
    }
}
