package import MarketModel

/// XXH3-64 with seed 0 of an address's 32 bytes: what sketches of traders are made of. The public
/// algorithm for inputs of 17 to 128 bytes, here for 32 alone: two products of 128 bits and a mix.
///
/// Addresses are points of a curve or hashes themselves, so it need not withstand anyone who searches
/// for collisions: he could only make a count smaller than it is.
package enum TraderHash {
    /// The hash of an address; one of EVM with the zeros before it.
    package static func of(_ address: Address) -> UInt64 {
        // The algorithm reads words with their lowest byte first.
        let words = address.storage.words
        let first = fold(words.0.byteSwapped ^ secret.0, words.1.byteSwapped ^ secret.1)
        let second = fold(words.2.byteSwapped ^ secret.2, words.3.byteSwapped ^ secret.3)
        let mixed = 32 &* prime &+ first &+ second
        let product = (mixed ^ (mixed >> 37)) &* 0x1656_6791_9e37_79f9
        return product ^ product >> 32
    }

    private static let prime: UInt64 = 0x9e37_79b1_85eb_ca87
    /// The first 32 bytes of the algorithm's own secret.
    private static let secret: (UInt64, UInt64, UInt64, UInt64) = (
        0xbe4b_a423_396c_feb8, 0x1cad_21f7_2c81_017c, 0xdb97_9083_e96d_d4de,
        0x1f67_b3b7_a4a4_4072
    )

    private static func fold(_ left: UInt64, _ right: UInt64) -> UInt64 {
        let (high, low) = left.multipliedFullWidth(by: right)
        return high ^ low
    }
}
