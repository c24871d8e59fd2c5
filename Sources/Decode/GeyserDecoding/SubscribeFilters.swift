// The filters that a SubscribeRequest names, as decoded. `unknownFields` keeps what this version
// does not know, as it stood on the wire, so that decoding and encoding loses nothing.

/// `SubscribeRequestFilterAccounts`.
package struct AccountsFilter: Hashable, Sendable {
    /// Base58 addresses, any of.
    package var account: [UTF8Text] = []
    /// Base58 addresses, any of.
    package var owner: [UTF8Text] = []
    /// Conditions, all of; the reference server takes at most 4.
    package var conditions: [AccountCondition] = []
    package var nonemptyTransactionSignature: Bool?
    package var cuckoo: CuckooFilterDefinition?
    package var unknownFields: [UInt8] = []

    package init() {}
}

/// `SubscribeRequestFilterAccountsFilter`: one condition on an account's data or balance.
package struct AccountCondition: Hashable, Sendable {
    /// The oneof's member.
    package enum Test: Hashable, Sendable {
        case memcmp(Memcmp)
        /// Bytes of data.
        case dataSize(UInt64)
        case tokenAccountState(Bool)
        case lamports(Lamports)
    }

    /// Bytes that must stand at an offset of the data.
    package struct Memcmp: Hashable, Sendable {
        /// The bytes, in the form in which the request writes them.
        package enum Expected: Hashable, Sendable {
            case bytes([UInt8])
            case base58(UTF8Text)
            case base64(UTF8Text)
        }

        /// Bytes from the start of the data.
        package var offset: UInt64 = 0
        package var expected: Expected?
        package var unknownFields: [UInt8] = []

        package init() {}
    }

    /// A comparison of the balance, in lamports.
    package struct Lamports: Hashable, Sendable {
        /// How the balance must stand to an amount.
        package enum Comparison: Hashable, Sendable {
            case equal(UInt64)
            case notEqual(UInt64)
            case less(UInt64)
            case greater(UInt64)
        }

        /// The comparison as sent, and the bytes of fields that this build does not know.
        package var comparison: Comparison?
        package var unknownFields: [UInt8] = []

        package init() {}
    }

    /// Nil when the wire named none.
    package var test: Test?
    package var unknownFields: [UInt8] = []

    package init(_ test: Test? = nil) {
        self.test = test
    }
}

/// `SubscribeRequestFilterSlots`.
package struct SlotsFilter: Hashable, Sendable {
    /// Only the status equal to the request's commitment.
    package var filterByCommitment: Bool?
    /// Also statuses other than processed, confirmed and finalized.
    package var interslotUpdates: Bool?
    package var unknownFields: [UInt8] = []

    package init() {}
}

/// `SubscribeRequestFilterTransactions`, used for transactions and for their statuses.
package struct TransactionsFilter: Hashable, Sendable {
    /// Absent: both.
    package var vote: Bool?
    /// Absent: both.
    package var failed: Bool?
    /// Base58.
    package var signature: UTF8Text?
    /// Base58 addresses, any of.
    package var accountInclude: [UTF8Text] = []
    /// Base58 addresses, none of.
    package var accountExclude: [UTF8Text] = []
    /// Base58 addresses, all of.
    package var accountRequired: [UTF8Text] = []
    package var cuckoo: CuckooFilterDefinition?
    /// `TokenAccountExpansionControlFlag`; absent: no expansion.
    package var tokenAccounts: Int32?
    package var unknownFields: [UInt8] = []

    package init() {}
}

/// `SubscribeRequestFilterBlocks`.
package struct BlocksFilter: Hashable, Sendable {
    /// Base58 addresses that limit the transactions and accounts inside the block.
    package var accountInclude: [UTF8Text] = []
    /// Absent: true.
    package var includeTransactions: Bool?
    /// Absent: false.
    package var includeAccounts: Bool?
    /// Absent: false.
    package var includeEntries: Bool?
    package var cuckoo: CuckooFilterDefinition?
    package var unknownFields: [UInt8] = []

    package init() {}
}

/// A filter without fields: `SubscribeRequestFilterBlocksMeta` and `SubscribeRequestFilterEntry`.
package struct UnconditionalFilter: Hashable, Sendable {
    package var unknownFields: [UInt8] = []

    package init() {}
}

/// `CuckooFilter`: an approximate set of addresses. Kept, not evaluated.
package struct CuckooFilterDefinition: Hashable, Sendable {
    package var data: [UInt8] = []
    package var bucketCount: UInt32 = 0
    package var entriesPerBucket: UInt32 = 0
    package var fingerprintBits: UInt32 = 0
    package var hashSeed: UInt64 = 0
    /// `CuckooHashAlgorithm`.
    package var hashAlgorithm: Int32 = 0
    package var unknownFields: [UInt8] = []

    package init() {}
}

/// `SubscribeRequestAccountsDataSlice`: a part of an account's data, in bytes.
package struct DataSlice: Hashable, Sendable {
    package var offset: UInt64 = 0
    package var length: UInt64 = 0
    package var unknownFields: [UInt8] = []

    package init(offset: UInt64 = 0, length: UInt64 = 0) {
        self.offset = offset
        self.length = length
    }
}

/// `SubscribeRequestPing`: asks for a pong with the same id.
package struct SubscribePing: Hashable, Sendable {
    package var id: Int32 = 0
    package var unknownFields: [UInt8] = []

    package init(id: Int32 = 0) {
        self.id = id
    }
}
