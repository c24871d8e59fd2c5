// The reference server's filters over recorded updates: which updates a subscription gets, under
// which names, and with which bytes.

package import MarketModel

/// A subscription's filters, validated and ready. Immutable: several threads may ask one filter,
/// each with `FilteredUpdates` of its own.
package struct SubscriptionFilter: Sendable {
    /// Slots filters with `filter_by_commitment` compare with it.
    package let commitment: CommitmentLevel
    private let accounts: [AccountMatcher]
    private let slots: [(name: UTF8Text, byCommitment: Bool, interslot: Bool)]
    private let transactions: [TransactionMatcher]
    private let statuses: [TransactionMatcher]
    private let blocks: [BlockMatcher]
    private let blocksMeta: [UTF8Text]
    private let entries: [UTF8Text]
    private let slices: AccountDataSlices

    /// Builds the filters or says why not, in the reference server's order and words. Whatever
    /// cannot be answered exactly (cuckoo filters, fields of a newer protocol) is refused too.
    package init(
        _ request: SubscribeRequest,
        limits: FilterLimits = FilterLimits()
    ) throws(SubscriptionRefusal) {
        accounts = try SubscriptionFilter.build(request.accounts, limits, AccountMatcher.init)
        slots = try SubscriptionFilter.build(request.slots, limits) {
            (name, filter, limits) throws(SubscriptionRefusal) in
            try limits.checkName(name)
            guard filter.unknownFields.isEmpty else {
                throw .unsupported("an unknown field of SubscribeRequestFilterSlots")
            }
            return (name, filter.filterByCommitment == true, filter.interslotUpdates == true)
        }
        transactions = try SubscriptionFilter.build(
            request.transactions,
            limits,
            TransactionMatcher.init
        )
        statuses = try SubscriptionFilter.build(
            request.transactionsStatus,
            limits,
            TransactionMatcher.init
        )
        entries = try SubscriptionFilter.build(request.entry, limits, SubscriptionFilter.name)
        blocks = try SubscriptionFilter.build(request.blocks, limits, BlockMatcher.init)
        blocksMeta = try SubscriptionFilter.build(
            request.blocksMeta,
            limits,
            SubscriptionFilter.name
        )
        let number = request.commitment ?? CommitmentLevel.processed.rawValue  // absent: processed
        guard let commitment = CommitmentLevel(rawValue: number) else {
            throw .badFilter("failed to create CommitmentLevel from \(number)")
        }
        self.commitment = commitment
        slices = try AccountDataSlices(request.accountsDataSlice, limits)
        guard request.unknownFields.isEmpty else {
            throw .unsupported("an unknown field of SubscribeRequest")
        }
    }

    private static func build<Filter, Matcher>(
        _ filters: [UTF8Text: Filter],
        _ limits: FilterLimits,
        _ make: (UTF8Text, Filter, FilterLimits) throws(SubscriptionRefusal) -> Matcher
    ) throws(SubscriptionRefusal) -> [Matcher] {
        try limits.checkFilterCount(filters.count)
        var matchers: [Matcher] = []
        // By name: the order of the names that an update carries back must not depend on hashing.
        for (name, filter) in filters.sorted(by: { $0.key < $1.key }) {
            matchers.append(try make(name, filter, limits))
        }
        return matchers
    }

    private static func name(
        _ name: UTF8Text,
        _ filter: UnconditionalFilter,
        _ limits: FilterLimits
    ) throws(SubscriptionRefusal) -> UTF8Text {
        try limits.checkName(name)
        guard filter.unknownFields.isEmpty else {
            throw .unsupported("an unknown field of a filter")
        }
        return name
    }

    /// Replaces `output` by the messages that the subscription gets for this recorded update; none
    /// when it selects nothing of it, and none for pings and pongs, which belong to the connection
    /// they came over.
    ///
    /// - Parameters:
    ///   - update: Bytes of one SubscribeUpdate, not compressed.
    ///   - dataIsCut: The update comes from a stream whose own data slices are those of this
    ///     subscription: account data is cut already and kept as it is.
    ///   - output: Reused from call to call.
    /// - Throws: The update is not well formed; nothing of it may be sent.
    package func match(
        _ update: RawSpan,
        dataIsCut: Bool = false,
        into output: inout FilteredUpdates
    ) throws(ProtobufError) {
        output.removeAll()
        let summary = try UpdateSummary(of: update)
        switch summary.kind {
        case .account: try matchAccount(update, summary, dataIsCut, &output)
        case .slot: try matchSlot(update, summary, &output)
        case .transaction: try matchTransaction(update, summary, &output)
        case .transactionStatus: try matchStatus(update, summary, &output)
        case .block: try matchBlock(update, summary, dataIsCut, &output)
        case .blockMeta: try send(update, summary, to: blocksMeta, &output)
        case .entry: try send(update, summary, to: entries, &output)
        case .ping, .pong, .unknown: break
        }
    }

    private func send(
        _ update: RawSpan,
        _ summary: UpdateSummary,
        to names: [UTF8Text],
        _ output: inout FilteredUpdates
    ) throws(ProtobufError) {
        guard !names.isEmpty else { return }
        output.names.removeAll(keepingCapacity: true)
        output.names.append(contentsOf: names)
        try output.append(update, summary.kind, hasNames: summary.filterCount > 0)
    }

    private func matchSlot(
        _ update: RawSpan,
        _ summary: UpdateSummary,
        _ output: inout FilteredUpdates
    ) throws(ProtobufError) {
        let isCommitment = SlotStatus(rawValue: summary.status)?.isCommitment == true
        output.names.removeAll(keepingCapacity: true)
        for slot in slots {
            if slot.byCommitment, summary.status != commitment.rawValue { continue }
            if !slot.interslot, !isCommitment { continue }
            output.names.append(slot.name)
        }
        guard !output.names.isEmpty else { return }
        try output.append(update, .slot, hasNames: summary.filterCount > 0)
    }

    private func matchAccount(
        _ update: RawSpan,
        _ summary: UpdateSummary,
        _ dataIsCut: Bool,
        _ output: inout FilteredUpdates
    ) throws(ProtobufError) {
        guard !accounts.isEmpty else { return }
        var info = summary.body.lowerBound..<summary.body.lowerBound
        var offset = summary.body.lowerBound
        while let field = try ProtobufReader.next(
            update,
            at: &offset,
            end: summary.body.upperBound
        ) {
            if field.number == 1 { info = try field.delimited() }
        }
        let view = try AccountView(update, info)
        output.names.removeAll(keepingCapacity: true)
        for matcher in accounts where matcher.matches(view, update) {
            output.names.append(matcher.name)
        }
        guard !output.names.isEmpty else { return }
        let cuts = !dataIsCut && !slices.ranges.isEmpty
        if cuts { try writeCutAccount(update, summary.body, &output) }
        try output.append(
            update,
            .account,
            hasNames: summary.filterCount > 0,
            newBody: cuts ? 2 : nil
        )
    }

    private func writeCutAccount(
        _ update: RawSpan,
        _ body: Range<Int>,
        _ output: inout FilteredUpdates
    ) throws(ProtobufError) {
        output.body.removeAll(keepingCapacity: true)
        var offset = body.lowerBound
        while let field = try ProtobufReader.next(update, at: &offset, end: body.upperBound) {
            if field.number == 1 {
                output.part.removeAll(keepingCapacity: true)
                try slices.write(update, try field.delimited(), to: &output.part)
                ProtobufWriter.bytes(1, output.part, to: &output.body)
            } else {
                ProtobufWriter.copy(update, field.range, to: &output.body)
            }
        }
    }

    private func matchTransaction(
        _ update: RawSpan,
        _ summary: UpdateSummary,
        _ output: inout FilteredUpdates
    ) throws(ProtobufError) {
        guard !transactions.isEmpty || !statuses.isEmpty else { return }
        var info = summary.body.lowerBound..<summary.body.lowerBound
        var offset = summary.body.lowerBound
        while let field = try ProtobufReader.next(
            update,
            at: &offset,
            end: summary.body.upperBound
        ) {
            if field.number == 1 { info = try field.delimited() }
        }
        try output.transaction.read(update, info)
        output.names.removeAll(keepingCapacity: true)
        for matcher in transactions where try matcher.matches(&output.transaction, update) {
            output.names.append(matcher.name)
        }
        if !output.names.isEmpty {
            try output.append(update, .transaction, hasNames: summary.filterCount > 0)
        }
        output.names.removeAll(keepingCapacity: true)
        for matcher in statuses where try matcher.matches(&output.transaction, update) {
            output.names.append(matcher.name)
        }
        guard !output.names.isEmpty else { return }
        writeStatus(update, summary, &output)
        try output.append(
            update,
            .transactionStatus,
            hasNames: summary.filterCount > 0,
            newBody: 10
        )
    }

    /// The status that the reference server makes of a transaction, as proto3 writes it.
    private func writeStatus(
        _ update: RawSpan,
        _ summary: UpdateSummary,
        _ output: inout FilteredUpdates
    ) {
        output.body.removeAll(keepingCapacity: true)
        if let slot = summary.slot, slot.number != 0 {
            ProtobufWriter.uint64(1, slot.number, to: &output.body)
        }
        if !output.transaction.signature.isEmpty {
            ProtobufWriter.bytes(2, update, output.transaction.signature, to: &output.body)
        }
        if output.transaction.isVote { ProtobufWriter.bool(3, true, to: &output.body) }
        if output.transaction.index != 0 {
            ProtobufWriter.uint64(4, output.transaction.index, to: &output.body)
        }
        if let error = output.transaction.error {
            ProtobufWriter.bytes(5, update, error, to: &output.body)
        }
    }

    private func matchStatus(
        _ update: RawSpan,
        _ summary: UpdateSummary,
        _ output: inout FilteredUpdates
    ) throws(ProtobufError) {
        guard !statuses.isEmpty else { return }
        let view = try StatusView(update, summary.body)
        output.names.removeAll(keepingCapacity: true)
        for matcher in statuses where matcher.matches(view) {
            output.names.append(matcher.name)
        }
        guard !output.names.isEmpty else { return }
        try output.append(update, .transactionStatus, hasNames: summary.filterCount > 0)
    }

    private func matchBlock(
        _ update: RawSpan,
        _ summary: UpdateSummary,
        _ dataIsCut: Bool,
        _ output: inout FilteredUpdates
    ) throws(ProtobufError) {
        for matcher in blocks {
            output.names.removeAll(keepingCapacity: true)
            output.names.append(matcher.name)
            try writeBlock(update, summary.body, matcher, dataIsCut, &output)
            try output.append(update, .block, hasNames: summary.filterCount > 0, newBody: 5)
        }
    }

    /// The block with the parts that one filter wants; its counts stay those of the whole block.
    private func writeBlock(
        _ update: RawSpan,
        _ body: Range<Int>,
        _ matcher: BlockMatcher,
        _ dataIsCut: Bool,
        _ output: inout FilteredUpdates
    ) throws(ProtobufError) {
        output.body.removeAll(keepingCapacity: true)
        var offset = body.lowerBound
        while let field = try ProtobufReader.next(update, at: &offset, end: body.upperBound) {
            switch field.number {
            case 6:
                guard matcher.includesTransactions else { continue }
                let info = try field.delimited()
                if !matcher.include.isEmpty {
                    try output.transaction.read(update, info)
                    guard output.transaction.keys.contains(where: matcher.include.contains)
                    else { continue }
                }
            case 11:
                guard matcher.includesAccounts else { continue }
                let info = try field.delimited()
                if !matcher.include.isEmpty {
                    guard let key = try AccountView(update, info).publicKey,
                        matcher.include.contains(key)
                    else { continue }
                }
                if !dataIsCut, !slices.ranges.isEmpty {
                    output.part.removeAll(keepingCapacity: true)
                    try slices.write(update, info, to: &output.part)
                    ProtobufWriter.bytes(11, output.part, to: &output.body)
                    continue
                }
            case 13:
                guard matcher.includesEntries else { continue }
            default: break
            }
            ProtobufWriter.copy(update, field.range, to: &output.body)
        }
    }
}
