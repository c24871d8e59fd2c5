import JSONText
import MarketModel

/// One named accounts filter, ready to be asked. Its fields are ANDed, the values of a list ORed.
struct AccountMatcher: Sendable {
    /// Bounds of the reference server.
    private static let conditionsMax = 4
    private static let memcmpByteCountMax = 128
    private static let memcmpBase58CharactersMax = 175
    private static let memcmpBase64CharactersMax = 172

    let name: UTF8Text
    /// Empty: any account.
    private let accounts: Set<PublicKey>
    /// Empty: any owner.
    private let owners: Set<PublicKey>
    private let nonemptyTransactionSignature: Bool?
    private var memcmps: [(offset: UInt64, expected: [UInt8])] = []
    private var dataSize: UInt64?
    private var mustBeTokenAccount = false
    private var lamports: [AccountCondition.Lamports.Comparison] = []

    init(
        _ name: UTF8Text,
        _ filter: AccountsFilter,
        _ limits: FilterLimits
    ) throws(SubscriptionRefusal) {
        try limits.checkSelects(
            filter.account.isEmpty && filter.owner.isEmpty && filter.cuckoo == nil
        )
        try limits.checkKeyCounts(filter.account, filter.owner)
        try limits.checkName(name)
        self.name = name
        nonemptyTransactionSignature = filter.nonemptyTransactionSignature
        accounts = try limits.keys(filter.account, selects: true)
        owners = try limits.keys(filter.owner, selects: true)
        guard filter.conditions.count <= AccountMatcher.conditionsMax else {
            throw .badFilter("Too many filters provided; max \(AccountMatcher.conditionsMax)")
        }
        for condition in filter.conditions {
            try add(condition)
        }
        guard filter.cuckoo == nil else { throw .unsupported("cuckoo_accounts_filter") }
        guard filter.unknownFields.isEmpty else {
            throw .unsupported("an unknown field of SubscribeRequestFilterAccounts")
        }
    }

    private mutating func add(_ condition: AccountCondition) throws(SubscriptionRefusal) {
        switch condition.test {
        case .memcmp(let memcmp):
            memcmps.append((memcmp.offset, try AccountMatcher.expected(memcmp)))
            guard memcmp.unknownFields.isEmpty else {
                throw .unsupported("an unknown field of a memcmp filter")
            }
        case .dataSize(let size):
            guard dataSize == nil else { throw .badFilter("datasize used more than once") }
            dataSize = size
        case .tokenAccountState(let flag):
            guard flag else {
                throw .badFilter("token_account_state only allowed to be true")
            }
            mustBeTokenAccount = true
        case .lamports(let filter):
            guard let comparison = filter.comparison else {
                throw .badFilter("cmp for lamports should be defined")
            }
            lamports.append(comparison)
        case nil:
            guard condition.unknownFields.isEmpty else { break }
            throw .badFilter("filter should be defined")
        }
        guard condition.unknownFields.isEmpty else {
            throw .unsupported("an unknown condition of an accounts filter")
        }
    }

    private static func expected(
        _ memcmp: AccountCondition.Memcmp
    ) throws(SubscriptionRefusal) -> [UInt8] {
        let bytes: [UInt8]
        switch memcmp.expected {
        case .bytes(let value):
            bytes = value
        case .base58(let text):
            guard text.bytes.count <= memcmpBase58CharactersMax else {
                throw .badFilter("data too large")
            }
            do throws(Base58Error) {
                bytes = try Base58.decode(text.bytes, charactersMax: memcmpBase58CharactersMax)
            } catch {
                throw .badFilter("invalid base58")
            }
        case .base64(let text):
            guard text.bytes.count <= memcmpBase64CharactersMax else {
                throw .badFilter("data too large")
            }
            guard let value = Base64.decode(text.bytes) else {
                throw .badFilter("invalid base64")
            }
            bytes = value
        case nil:
            throw .badFilter("data for memcmp should be defined")
        }
        guard bytes.count <= memcmpByteCountMax else { throw .badFilter("data too large") }
        return bytes
    }

    /// Whether the filter selects this account; `bytes` are those that the view was read from.
    func matches(_ account: AccountView, _ bytes: RawSpan) -> Bool {
        if let wanted = nonemptyTransactionSignature, wanted != account.hasTransactionSignature {
            return false
        }
        if !accounts.isEmpty {
            guard let key = account.publicKey, accounts.contains(key) else { return false }
        }
        if !owners.isEmpty {
            guard let owner = account.owner, owners.contains(owner) else { return false }
        }
        if let dataSize, UInt64(account.data.count) != dataSize { return false }
        if mustBeTokenAccount, !AccountMatcher.isTokenAccount(bytes, account.data) { return false }
        return lamports.allSatisfy { AccountMatcher.compare(account.lamports, $0) }
            && memcmps.allSatisfy {
                AccountMatcher.contains(bytes, account.data, $0.expected, at: $0.offset)
            }
    }

    private static func compare(
        _ lamports: UInt64,
        _ comparison: AccountCondition.Lamports.Comparison
    ) -> Bool {
        switch comparison {
        case .equal(let value): lamports == value
        case .notEqual(let value): lamports != value
        case .less(let value): lamports < value
        case .greater(let value): lamports > value
        }
    }

    private static func contains(
        _ bytes: RawSpan,
        _ data: Range<Int>,
        _ expected: [UInt8],
        at offset: UInt64
    ) -> Bool {
        let (end, overflow) = offset.addingReportingOverflow(UInt64(expected.count))
        guard !overflow, end <= UInt64(data.count) else { return false }
        let start = data.lowerBound + Int(offset)
        let part = bytes.extracting(start..<start + expected.count)
        return part.withUnsafeBytes { $0.elementsEqual(expected) }
    }

    /// SPL token's own test of an initialised token account, with or without extensions: state byte
    /// 108 set, and beyond 165 bytes the account type 2 at 165 and not the length of a multisig.
    private static func isTokenAccount(_ bytes: RawSpan, _ data: Range<Int>) -> Bool {
        func byte(_ index: Int) -> UInt8 {
            bytes.unsafeLoad(fromByteOffset: data.lowerBound + index, as: UInt8.self)
        }
        guard data.count >= 165, byte(108) != 0 else { return false }
        return data.count == 165 || (data.count != 355 && byte(165) == 2)
    }
}
