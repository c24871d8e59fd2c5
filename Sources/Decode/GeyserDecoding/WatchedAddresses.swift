package import MarketModel

/// Addresses that are looked for among the keys of every transaction. A key that is not one of them
/// costs one multiplication and one load.
package struct WatchedAddresses: Sendable {
    /// Bits of the hash: 4,096 places, eight programs fill one in 512.
    private static let hashBits: UInt64 = 12

    /// By rising address, each once.
    package let addresses: [Address]
    /// One bit for each place of the hash.
    private let places: [UInt64]

    /// Any number; more than some hundred make every look-up a search.
    package init(_ addresses: some Sequence<Address>) {
        self.addresses = Set(addresses).sorted()
        var places = [UInt64](repeating: 0, count: 1 << (WatchedAddresses.hashBits - 6))
        for address in self.addresses {
            let place = WatchedAddresses.place(of: address)
            places[place >> 6] |= 1 << UInt64(place & 63)
        }
        self.places = places
    }

    @inline(__always)
    private static func place(of address: Address) -> Int {
        // The odd constant spreads the first eight bytes into the high bits.
        Int(
            truncatingIfNeeded: (address.storage.leading &* 0x9e37_79b9_7f4a_7c15)
                >> (64 - hashBits)
        )
    }

    /// Whether it is one of them.
    @inline(__always)
    package func contains(_ address: Address) -> Bool {
        let place = WatchedAddresses.place(of: address)
        guard places[place >> 6] >> UInt64(place & 63) & 1 == 1 else { return false }
        return isListed(address)
    }

    private func isListed(_ address: Address) -> Bool {
        var range = 0..<addresses.count
        while !range.isEmpty {
            let middle = range.lowerBound + range.count / 2
            if addresses[middle] == address { return true }
            range =
                addresses[middle] < address
                ? middle + 1..<range.upperBound : range.lowerBound..<middle
        }
        return false
    }
}
