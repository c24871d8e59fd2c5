import RecordModel

// SubscribeRequest from wire bytes. Repeated single fields: the last one stands.

extension SubscribeRequest {
    /// Decodes wire bytes, at most `byteCountMax`.
    package init(decoding bytes: RawSpan) throws(ProtobufError) {
        guard bytes.byteCount <= SubscribeRequest.byteCountMax else { throw .tooLong }
        self.init()
        var offset = 0
        while let field = try ProtobufReader.next(bytes, at: &offset, end: bytes.byteCount) {
            switch field.number {
            case 1: try insert(bytes, field, into: &accounts, accountsFilter)
            case 2: try insert(bytes, field, into: &slots, slotsFilter)
            case 3: try insert(bytes, field, into: &transactions, transactionsFilter)
            case 10: try insert(bytes, field, into: &transactionsStatus, transactionsFilter)
            case 4: try insert(bytes, field, into: &blocks, blocksFilter)
            case 5: try insert(bytes, field, into: &blocksMeta, unconditionalFilter)
            case 8: try insert(bytes, field, into: &entry, unconditionalFilter)
            case 6: commitment = try field.int32()
            case 7: accountsDataSlice.append(try dataSlice(bytes, try field.delimited()))
            case 9: ping = try subscribePing(bytes, try field.delimited())
            case 11: fromSlot = try field.varint()
            default: ProtobufWriter.copy(bytes, field.range, to: &unknownFields)
            }
        }
    }

    /// Decodes wire bytes, at most `byteCountMax`.
    package init(decoding bytes: [UInt8]) throws(ProtobufError) {
        try self.init(decoding: bytes.span.bytes)
    }
}

private func text(_ bytes: RawSpan, _ field: ProtobufField) throws(ProtobufError) -> UTF8Text {
    guard let text = UTF8Text(validating: octets(bytes, try field.delimited())) else {
        throw .invalidText(field: field.number, offset: field.start)
    }
    return text
}

private func octets(_ bytes: RawSpan, _ range: Range<Int>) -> [UInt8] {
    bytes.copyBytes(range)
}

/// One entry of a map: key 1, value 2, each empty when absent.
private func insert<Value>(
    _ bytes: RawSpan,
    _ field: ProtobufField,
    into map: inout [UTF8Text: Value],
    _ decode: (RawSpan, Range<Int>) throws(ProtobufError) -> Value
) throws(ProtobufError) {
    let range = try field.delimited()
    var key = UTF8Text("")
    var value = range.upperBound..<range.upperBound
    var offset = range.lowerBound
    while let part = try ProtobufReader.next(bytes, at: &offset, end: range.upperBound) {
        switch part.number {
        case 1: key = try text(bytes, part)
        case 2: value = try part.delimited()
        default: break
        }
    }
    map[key] = try decode(bytes, value)
}

private func accountsFilter(
    _ bytes: RawSpan,
    _ range: Range<Int>
) throws(ProtobufError) -> AccountsFilter {
    var filter = AccountsFilter()
    var offset = range.lowerBound
    while let field = try ProtobufReader.next(bytes, at: &offset, end: range.upperBound) {
        switch field.number {
        case 2: filter.account.append(try text(bytes, field))
        case 3: filter.owner.append(try text(bytes, field))
        case 4: filter.conditions.append(try accountCondition(bytes, try field.delimited()))
        case 5: filter.nonemptyTransactionSignature = try field.bool()
        case 6: filter.cuckoo = try cuckooFilter(bytes, try field.delimited())
        default: ProtobufWriter.copy(bytes, field.range, to: &filter.unknownFields)
        }
    }
    return filter
}

private func accountCondition(
    _ bytes: RawSpan,
    _ range: Range<Int>
) throws(ProtobufError) -> AccountCondition {
    var condition = AccountCondition()
    var offset = range.lowerBound
    while let field = try ProtobufReader.next(bytes, at: &offset, end: range.upperBound) {
        switch field.number {
        case 1: condition.test = .memcmp(try memcmp(bytes, try field.delimited()))
        case 2: condition.test = .dataSize(try field.varint())
        case 3: condition.test = .tokenAccountState(try field.bool())
        case 4: condition.test = .lamports(try lamports(bytes, try field.delimited()))
        default: ProtobufWriter.copy(bytes, field.range, to: &condition.unknownFields)
        }
    }
    return condition
}

private func memcmp(
    _ bytes: RawSpan,
    _ range: Range<Int>
) throws(ProtobufError) -> AccountCondition.Memcmp {
    var memcmp = AccountCondition.Memcmp()
    var offset = range.lowerBound
    while let field = try ProtobufReader.next(bytes, at: &offset, end: range.upperBound) {
        switch field.number {
        case 1: memcmp.offset = try field.varint()
        case 2: memcmp.expected = .bytes(octets(bytes, try field.delimited()))
        case 3: memcmp.expected = .base58(try text(bytes, field))
        case 4: memcmp.expected = .base64(try text(bytes, field))
        default: ProtobufWriter.copy(bytes, field.range, to: &memcmp.unknownFields)
        }
    }
    return memcmp
}

private func lamports(
    _ bytes: RawSpan,
    _ range: Range<Int>
) throws(ProtobufError) -> AccountCondition.Lamports {
    var lamports = AccountCondition.Lamports()
    var offset = range.lowerBound
    while let field = try ProtobufReader.next(bytes, at: &offset, end: range.upperBound) {
        switch field.number {
        case 1: lamports.comparison = .equal(try field.varint())
        case 2: lamports.comparison = .notEqual(try field.varint())
        case 3: lamports.comparison = .less(try field.varint())
        case 4: lamports.comparison = .greater(try field.varint())
        default: ProtobufWriter.copy(bytes, field.range, to: &lamports.unknownFields)
        }
    }
    return lamports
}

private func slotsFilter(
    _ bytes: RawSpan,
    _ range: Range<Int>
) throws(ProtobufError) -> SlotsFilter {
    var filter = SlotsFilter()
    var offset = range.lowerBound
    while let field = try ProtobufReader.next(bytes, at: &offset, end: range.upperBound) {
        switch field.number {
        case 1: filter.filterByCommitment = try field.bool()
        case 2: filter.interslotUpdates = try field.bool()
        default: ProtobufWriter.copy(bytes, field.range, to: &filter.unknownFields)
        }
    }
    return filter
}

private func transactionsFilter(
    _ bytes: RawSpan,
    _ range: Range<Int>
) throws(ProtobufError) -> TransactionsFilter {
    var filter = TransactionsFilter()
    var offset = range.lowerBound
    while let field = try ProtobufReader.next(bytes, at: &offset, end: range.upperBound) {
        switch field.number {
        case 1: filter.vote = try field.bool()
        case 2: filter.failed = try field.bool()
        case 5: filter.signature = try text(bytes, field)
        case 3: filter.accountInclude.append(try text(bytes, field))
        case 4: filter.accountExclude.append(try text(bytes, field))
        case 6: filter.accountRequired.append(try text(bytes, field))
        case 7: filter.cuckoo = try cuckooFilter(bytes, try field.delimited())
        case 30: filter.tokenAccounts = try field.int32()
        default: ProtobufWriter.copy(bytes, field.range, to: &filter.unknownFields)
        }
    }
    return filter
}

private func blocksFilter(
    _ bytes: RawSpan,
    _ range: Range<Int>
) throws(ProtobufError) -> BlocksFilter {
    var filter = BlocksFilter()
    var offset = range.lowerBound
    while let field = try ProtobufReader.next(bytes, at: &offset, end: range.upperBound) {
        switch field.number {
        case 1: filter.accountInclude.append(try text(bytes, field))
        case 2: filter.includeTransactions = try field.bool()
        case 3: filter.includeAccounts = try field.bool()
        case 4: filter.includeEntries = try field.bool()
        case 5: filter.cuckoo = try cuckooFilter(bytes, try field.delimited())
        default: ProtobufWriter.copy(bytes, field.range, to: &filter.unknownFields)
        }
    }
    return filter
}

private func unconditionalFilter(
    _ bytes: RawSpan,
    _ range: Range<Int>
) throws(ProtobufError) -> UnconditionalFilter {
    var filter = UnconditionalFilter()
    var offset = range.lowerBound
    while let field = try ProtobufReader.next(bytes, at: &offset, end: range.upperBound) {
        ProtobufWriter.copy(bytes, field.range, to: &filter.unknownFields)
    }
    return filter
}

private func cuckooFilter(
    _ bytes: RawSpan,
    _ range: Range<Int>
) throws(ProtobufError) -> CuckooFilterDefinition {
    var filter = CuckooFilterDefinition()
    var offset = range.lowerBound
    while let field = try ProtobufReader.next(bytes, at: &offset, end: range.upperBound) {
        switch field.number {
        case 1: filter.data = octets(bytes, try field.delimited())
        case 2: filter.bucketCount = try field.uint32()
        case 3: filter.entriesPerBucket = try field.uint32()
        case 4: filter.fingerprintBits = try field.uint32()
        case 5: filter.hashSeed = try field.varint()
        case 6: filter.hashAlgorithm = try field.int32()
        default: ProtobufWriter.copy(bytes, field.range, to: &filter.unknownFields)
        }
    }
    return filter
}

private func dataSlice(_ bytes: RawSpan, _ range: Range<Int>) throws(ProtobufError) -> DataSlice {
    var slice = DataSlice()
    var offset = range.lowerBound
    while let field = try ProtobufReader.next(bytes, at: &offset, end: range.upperBound) {
        switch field.number {
        case 1: slice.offset = try field.varint()
        case 2: slice.length = try field.varint()
        default: ProtobufWriter.copy(bytes, field.range, to: &slice.unknownFields)
        }
    }
    return slice
}

private func subscribePing(
    _ bytes: RawSpan,
    _ range: Range<Int>
) throws(ProtobufError) -> SubscribePing {
    var ping = SubscribePing()
    var offset = range.lowerBound
    while let field = try ProtobufReader.next(bytes, at: &offset, end: range.upperBound) {
        switch field.number {
        case 1: ping.id = try field.int32()
        default: ProtobufWriter.copy(bytes, field.range, to: &ping.unknownFields)
        }
    }
    return ping
}
