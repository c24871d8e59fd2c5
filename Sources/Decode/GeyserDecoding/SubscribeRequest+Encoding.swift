// SubscribeRequest to wire bytes. Deterministic: fields in the order of their numbers, map entries
// in the byte order of their keys, unknown fields last. Fields with presence are written as set;
// plain proto3 fields are left out when zero, as every proto3 runtime does.

extension SubscribeRequest {
    /// Wire bytes. Encoding what was decoded gives an equal request, not always equal bytes.
    package func encoded() -> [UInt8] {
        var out: [UInt8] = []
        write(accounts, 1, to: &out, encode)
        write(slots, 2, to: &out, encode)
        write(transactions, 3, to: &out, encode)
        write(blocks, 4, to: &out, encode)
        write(blocksMeta, 5, to: &out) { filter in filter.unknownFields }
        if let commitment { ProtobufWriter.int64(6, Int64(commitment), to: &out) }
        for slice in accountsDataSlice { ProtobufWriter.bytes(7, encode(slice), to: &out) }
        write(entry, 8, to: &out) { filter in filter.unknownFields }
        if let ping { ProtobufWriter.bytes(9, encode(ping), to: &out) }
        write(transactionsStatus, 10, to: &out, encode)
        if let fromSlot { ProtobufWriter.uint64(11, fromSlot, to: &out) }
        return out + unknownFields
    }
}

private func write<Filter>(
    _ map: [UTF8Text: Filter],
    _ field: UInt32,
    to out: inout [UInt8],
    _ encode: (Filter) -> [UInt8]
) {
    for (name, filter) in map.sorted(by: { $0.key < $1.key }) {
        var entry: [UInt8] = []
        ProtobufWriter.text(1, name, to: &entry)
        ProtobufWriter.bytes(2, encode(filter), to: &entry)
        ProtobufWriter.bytes(field, entry, to: &out)
    }
}

private func encode(_ filter: AccountsFilter) -> [UInt8] {
    var out: [UInt8] = []
    for address in filter.account { ProtobufWriter.text(2, address, to: &out) }
    for address in filter.owner { ProtobufWriter.text(3, address, to: &out) }
    for condition in filter.conditions { ProtobufWriter.bytes(4, encode(condition), to: &out) }
    if let flag = filter.nonemptyTransactionSignature { ProtobufWriter.bool(5, flag, to: &out) }
    if let cuckoo = filter.cuckoo { ProtobufWriter.bytes(6, encode(cuckoo), to: &out) }
    return out + filter.unknownFields
}

private func encode(_ condition: AccountCondition) -> [UInt8] {
    var out: [UInt8] = []
    switch condition.test {
    case .memcmp(let memcmp): ProtobufWriter.bytes(1, encode(memcmp), to: &out)
    case .dataSize(let size): ProtobufWriter.uint64(2, size, to: &out)
    case .tokenAccountState(let flag): ProtobufWriter.bool(3, flag, to: &out)
    case .lamports(let lamports): ProtobufWriter.bytes(4, encode(lamports), to: &out)
    case nil: break
    }
    return out + condition.unknownFields
}

private func encode(_ memcmp: AccountCondition.Memcmp) -> [UInt8] {
    var out: [UInt8] = []
    if memcmp.offset != 0 { ProtobufWriter.uint64(1, memcmp.offset, to: &out) }
    switch memcmp.expected {
    case .bytes(let bytes): ProtobufWriter.bytes(2, bytes, to: &out)
    case .base58(let text): ProtobufWriter.text(3, text, to: &out)
    case .base64(let text): ProtobufWriter.text(4, text, to: &out)
    case nil: break
    }
    return out + memcmp.unknownFields
}

private func encode(_ lamports: AccountCondition.Lamports) -> [UInt8] {
    var out: [UInt8] = []
    switch lamports.comparison {
    case .equal(let value): ProtobufWriter.uint64(1, value, to: &out)
    case .notEqual(let value): ProtobufWriter.uint64(2, value, to: &out)
    case .less(let value): ProtobufWriter.uint64(3, value, to: &out)
    case .greater(let value): ProtobufWriter.uint64(4, value, to: &out)
    case nil: break
    }
    return out + lamports.unknownFields
}

private func encode(_ filter: SlotsFilter) -> [UInt8] {
    var out: [UInt8] = []
    if let flag = filter.filterByCommitment { ProtobufWriter.bool(1, flag, to: &out) }
    if let flag = filter.interslotUpdates { ProtobufWriter.bool(2, flag, to: &out) }
    return out + filter.unknownFields
}

private func encode(_ filter: TransactionsFilter) -> [UInt8] {
    var out: [UInt8] = []
    if let flag = filter.vote { ProtobufWriter.bool(1, flag, to: &out) }
    if let flag = filter.failed { ProtobufWriter.bool(2, flag, to: &out) }
    for address in filter.accountInclude { ProtobufWriter.text(3, address, to: &out) }
    for address in filter.accountExclude { ProtobufWriter.text(4, address, to: &out) }
    if let signature = filter.signature { ProtobufWriter.text(5, signature, to: &out) }
    for address in filter.accountRequired { ProtobufWriter.text(6, address, to: &out) }
    if let cuckoo = filter.cuckoo { ProtobufWriter.bytes(7, encode(cuckoo), to: &out) }
    if let flag = filter.tokenAccounts { ProtobufWriter.int64(30, Int64(flag), to: &out) }
    return out + filter.unknownFields
}

private func encode(_ filter: BlocksFilter) -> [UInt8] {
    var out: [UInt8] = []
    for address in filter.accountInclude { ProtobufWriter.text(1, address, to: &out) }
    if let flag = filter.includeTransactions { ProtobufWriter.bool(2, flag, to: &out) }
    if let flag = filter.includeAccounts { ProtobufWriter.bool(3, flag, to: &out) }
    if let flag = filter.includeEntries { ProtobufWriter.bool(4, flag, to: &out) }
    if let cuckoo = filter.cuckoo { ProtobufWriter.bytes(5, encode(cuckoo), to: &out) }
    return out + filter.unknownFields
}

private func encode(_ filter: CuckooFilterDefinition) -> [UInt8] {
    var out: [UInt8] = []
    if !filter.data.isEmpty { ProtobufWriter.bytes(1, filter.data, to: &out) }
    if filter.bucketCount != 0 { ProtobufWriter.uint64(2, UInt64(filter.bucketCount), to: &out) }
    if filter.entriesPerBucket != 0 {
        ProtobufWriter.uint64(3, UInt64(filter.entriesPerBucket), to: &out)
    }
    if filter.fingerprintBits != 0 {
        ProtobufWriter.uint64(4, UInt64(filter.fingerprintBits), to: &out)
    }
    if filter.hashSeed != 0 { ProtobufWriter.uint64(5, filter.hashSeed, to: &out) }
    if filter.hashAlgorithm != 0 { ProtobufWriter.int64(6, Int64(filter.hashAlgorithm), to: &out) }
    return out + filter.unknownFields
}

private func encode(_ slice: DataSlice) -> [UInt8] {
    var out: [UInt8] = []
    if slice.offset != 0 { ProtobufWriter.uint64(1, slice.offset, to: &out) }
    if slice.length != 0 { ProtobufWriter.uint64(2, slice.length, to: &out) }
    return out + slice.unknownFields
}

private func encode(_ ping: SubscribePing) -> [UInt8] {
    var out: [UInt8] = []
    if ping.id != 0 { ProtobufWriter.int64(1, Int64(ping.id), to: &out) }
    return out + ping.unknownFields
}
