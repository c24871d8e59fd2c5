package import MarketModel

/// What a server allows in one subscription. The defaults are the reference server's: nothing is
/// limited but the names. Each limit holds for every kind of filter.
package struct FilterLimits: Sendable {
    /// Longest filter name in bytes.
    package var nameByteCountMax = 128
    /// Most filters of one kind.
    package var filtersMax = Int.max
    /// Most addresses in one list.
    package var keysMax = Int.max
    /// Most data slices.
    package var dataSlicesMax = Int.max
    /// Whether a filter may select everything of its kind.
    package var allowsEmptyFilter = true
    /// Addresses that may not be selected.
    package var rejectedKeys: Set<PublicKey> = []
    // What a blocks filter may include.
    package var allowsBlockTransactions = true
    package var allowsBlockAccounts = true
    package var allowsBlockEntries = true

    package init() {}

    func checkFilterCount(_ count: Int) throws(SubscriptionRefusal) {
        guard count <= filtersMax else { throw FilterLimits.tooMany(filtersMax) }
    }

    func checkSliceCount(_ count: Int) throws(SubscriptionRefusal) {
        guard count <= dataSlicesMax else { throw FilterLimits.tooMany(dataSlicesMax) }
    }

    func checkKeyCounts(_ lists: [UTF8Text]...) throws(SubscriptionRefusal) {
        guard lists.allSatisfy({ $0.count <= keysMax }) else {
            throw .badFilter("Max amount of Pubkeys reached, only \(keysMax) allowed")
        }
    }

    func checkSelects(_ isEmpty: Bool) throws(SubscriptionRefusal) {
        guard !isEmpty || allowsEmptyFilter else {
            throw .badFilter(
                "Subscribe on full stream with `any` is not allowed, at least one filter required"
            )
        }
    }

    func checkName(_ name: UTF8Text) throws(SubscriptionRefusal) {
        guard name.bytes.count <= nameByteCountMax else {
            throw .badFilter(
                "oversized filter name (max allowed size \(nameByteCountMax)), "
                    + "found \(name.bytes.count)"
            )
        }
    }

    /// The addresses of a list; `selects` when the limits' rejected ones may not be among them.
    func keys(_ texts: [UTF8Text], selects: Bool) throws(SubscriptionRefusal) -> Set<PublicKey> {
        var keys: Set<PublicKey> = []
        keys.reserveCapacity(texts.count)
        for text in texts {
            let key: PublicKey
            do throws(Base58Error) {
                key = try PublicKey(base58: text.bytes)
            } catch {
                switch error {
                case .invalidCharacter: throw .badFilter("Invalid Base58 string")
                case .wrongSize: throw .badFilter("String is the wrong size")
                }
            }
            if selects, rejectedKeys.contains(key) {
                throw .badFilter("Pubkey \(key) in filters is not allowed")
            }
            keys.insert(key)
        }
        return keys
    }

    private static func tooMany(_ max: Int) -> SubscriptionRefusal {
        .badFilter("Max amount of filters/data_slices reached, only \(max) allowed")
    }
}
