import MarketModel

/// Texts of addresses of Solana that were made lately. A wallet or a token stands in rows of many
/// tables, and making its text takes longer than finding it here.
final class AddressTexts {
    /// One address and how long its text is; zero before the first.
    private struct Entry {
        var address = Bytes32()
        var count = 0
    }

    /// Each address has one place, which it may have to give up to another one.
    private let entries: UnsafeMutablePointer<Entry>
    /// The text of each place.
    private let texts: UnsafeMutablePointer<UInt8>
    private static let places = 4096

    init() {
        entries = .allocate(capacity: AddressTexts.places)
        entries.initialize(repeating: Entry(), count: AddressTexts.places)
        texts = .allocate(capacity: AddressTexts.places * Base58.charactersMax)
    }

    deinit {
        // They own nothing.
        entries.deallocate()
        texts.deallocate()
    }

    /// Writes the text of an address.
    ///
    /// - Parameters:
    ///   - address: any.
    ///   - room: has room for `Base58.charactersMax` bytes.
    /// - Returns: how many it takes.
    func write(_ address: Bytes32, to room: UnsafeMutableBufferPointer<UInt8>) -> Int {
        // The last bytes of a key are as good as drawn by lot.
        let place = Int(truncatingIfNeeded: address.words.3) & (AddressTexts.places - 1)
        let entry = entries + place
        let text = UnsafeMutableBufferPointer(
            start: texts + place * Base58.charactersMax,
            count: Base58.charactersMax
        )
        if entry.pointee.count == 0 || entry.pointee.address != address {
            var characters = text.mutableSpan
            entry.pointee.count = Base58.write(address, to: &characters)
            entry.pointee.address = address
        }
        let count = entry.pointee.count
        _ = room.update(fromContentsOf: text[..<count])
        return count
    }
}
