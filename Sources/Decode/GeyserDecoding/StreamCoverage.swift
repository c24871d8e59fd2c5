// Whether recorded streams hold all that a new subscription asks for. Careful rather than clever:
// a wrong "no" costs a client its subscription, a wrong "yes" would pass a part for the whole.

import MarketModel
import RecordModel

/// The answer for one new request, with what is needed to take only sound updates from each stream.
package struct StreamCoverage: Sendable {
    /// What the recorded streams can answer.
    package enum Answer: Sendable {
        case covered(StreamCoverage)
        /// Names what is missing, for the refusal's message.
        case notCovered(String)
    }

    /// For each kind that is asked for, the streams (indices into `recorded`) whose updates may be
    /// used.
    package let sources: [UpdateKind: Set<Int>]
    /// For each stream that blocks may be taken from, the recorded filters whose blocks hold all
    /// that is asked for; blocks that came under other names may be cut down already.
    package let blockFilters: [Int: Set<UTF8Text>]
    /// Streams whose account data was cut upstream, exactly as now asked for.
    package let cutStreams: Set<Int>

    /// - Parameters:
    ///   - request: The new subscription; its `from_slot` and `ping` are not looked at.
    ///   - recorded: The request that each recorded stream last sent.
    /// - Returns: Whether every filter of the request lies within what the streams asked for.
    package static func of(_ request: SubscribeRequest, recorded: [SubscribeRequest]) -> Answer {
        var builder = CoverageBuilder(request, recorded)
        do throws(Uncovered) {
            try builder.addAll()
        } catch {
            return .notCovered(error.what)
        }
        return .covered(
            StreamCoverage(
                sources: builder.sources,
                blockFilters: builder.blockFilters,
                cutStreams: builder.cutStreams
            )
        )
    }

    /// Whether this update of that stream may be handed to the subscription's filter.
    ///
    /// - Throws: The update's filter names cannot be read.
    package func accepts(
        _ update: RawSpan,
        _ summary: UpdateSummary,
        from stream: Int
    ) throws(ProtobufError) -> Bool {
        guard sources[summary.kind]?.contains(stream) == true else { return false }
        guard summary.kind == .block else { return true }
        let names = blockFilters[stream]
        var offset = summary.filters.lowerBound
        while let field = try ProtobufReader.next(
            update,
            at: &offset,
            end: summary.filters.upperBound
        ) {
            guard field.number == 1 else { continue }
            let range = try field.delimited()
            let name = UTF8Text(validating: update.copyBytes(range))
            if let name, names?.contains(name) == true { return true }
        }
        return false
    }
}

/// What no recorded stream holds.
struct Uncovered: Error {
    let what: String
}

/// Collects the sources of one answer.
struct CoverageBuilder {
    private let request: SubscribeRequest
    private let recorded: [SubscribeRequest]
    /// Streams of the wanted commitment that are understood in full.
    private let usable: [Int]
    private(set) var sources: [UpdateKind: Set<Int>] = [:]
    private(set) var blockFilters: [Int: Set<UTF8Text>] = [:]
    private(set) var cutStreams: Set<Int> = []

    init(_ request: SubscribeRequest, _ recorded: [SubscribeRequest]) {
        self.request = request
        self.recorded = recorded
        let commitment = request.commitment ?? 0  // absent: processed
        usable = recorded.indices.filter {
            (recorded[$0].commitment ?? 0) == commitment  // absent: processed
                && recorded[$0].unknownFields.isEmpty
        }
    }

    mutating func addAll() throws(Uncovered) {
        guard request.unknownFields.isEmpty else {
            throw Uncovered(what: "an unknown field of the request")
        }
        let wantsNothing =
            request.accounts.isEmpty && request.slots.isEmpty && request.transactions.isEmpty
            && request.transactionsStatus.isEmpty && request.blocks.isEmpty
            && request.blocksMeta.isEmpty && request.entry.isEmpty
        if wantsNothing { return }
        guard !usable.isEmpty else {
            throw Uncovered(what: "no recorded stream has commitment \(commitmentName)")
        }
        try addAccounts()
        try addSlots()
        try addTransactions()
        try addStatuses()
        try addBlocks()
        try addPlain(.blockMeta, request.blocksMeta, "blocks_meta") { $0.blocksMeta }
        try addPlain(.entry, request.entry, "entry") { $0.entry }
    }

    private var commitmentName: String {
        switch request.commitment.map(CommitmentLevel.init(rawValue:)) {
        case nil, .processed: "processed"
        case .confirmed: "confirmed"
        case .finalized: "finalized"
        case .some(nil): "unknown"
        }
    }

    private func missing(_ kind: String, _ name: UTF8Text) -> Uncovered {
        Uncovered(what: "no recorded stream covers the \(kind) filter \"\(name)\"")
    }

    private mutating func use(_ stream: Int, for kind: UpdateKind) {
        sources[kind, default: []].insert(stream)
    }

    // MARK: Kinds without conditions

    private mutating func addPlain(
        _ kind: UpdateKind,
        _ wanted: [UTF8Text: UnconditionalFilter],
        _ word: String,
        _ held: (SubscribeRequest) -> [UTF8Text: UnconditionalFilter]
    ) throws(Uncovered) {
        guard !wanted.isEmpty else { return }
        let streams = usable.filter {
            held(recorded[$0]).values.contains { $0.unknownFields.isEmpty }
        }
        guard !streams.isEmpty else { throw Uncovered(what: "\(word) is not recorded") }
        for stream in streams { use(stream, for: kind) }
    }

    private mutating func addSlots() throws(Uncovered) {
        for (name, wanted) in request.slots.sorted(by: { $0.key < $1.key }) {
            let streams = usable.filter {
                recorded[$0].slots.values.contains { FilterContainment.holds($0, wanted) }
            }
            guard !streams.isEmpty else { throw missing("slots", name) }
            for stream in streams { use(stream, for: .slot) }
        }
    }

    // MARK: Accounts

    /// Whether the stream's account data serves this request: whole, or cut exactly as asked.
    private func servesData(_ stream: Int) -> Bool {
        let slices = recorded[stream].accountsDataSlice
        return slices.isEmpty || slices == request.accountsDataSlice
    }

    private mutating func addAccounts() throws(Uncovered) {
        guard !request.accounts.isEmpty else { return }
        guard usable.contains(where: { !recorded[$0].accounts.isEmpty }) else {
            throw Uncovered(what: "accounts are not recorded")
        }
        // Conditions on data cannot be asked about data that was cut upstream.
        let looksAtData = request.accounts.values.contains { filter in
            filter.conditions.contains { condition in
                if case .lamports = condition.test { false } else { true }
            }
        }
        let streams = usable.filter {
            servesData($0) && (!looksAtData || recorded[$0].accountsDataSlice.isEmpty)
                && !recorded[$0].accounts.isEmpty
        }
        let filters = streams.flatMap { recorded[$0].accounts.values }
        for (name, wanted) in request.accounts.sorted(by: { $0.key < $1.key }) {
            guard FilterContainment.holds(filters, wanted) else {
                throw missing("accounts", name)
            }
        }
        for stream in streams {
            use(stream, for: .account)
            if !recorded[stream].accountsDataSlice.isEmpty { cutStreams.insert(stream) }
        }
    }

    // MARK: Transactions

    private mutating func addTransactions() throws(Uncovered) {
        guard !request.transactions.isEmpty else { return }
        let held = usable.filter { !recorded[$0].transactions.isEmpty }
        guard !held.isEmpty else { throw Uncovered(what: "transactions are not recorded") }
        let filters = held.flatMap { recorded[$0].transactions.values }
        for (name, wanted) in request.transactions.sorted(by: { $0.key < $1.key }) {
            guard FilterContainment.holds(filters, wanted) else {
                throw missing("transactions", name)
            }
        }
        for stream in held { use(stream, for: .transaction) }
    }

    /// Statuses come from transactions where those suffice, else from recorded statuses, which know
    /// no addresses.
    private mutating func addStatuses() throws(Uncovered) {
        guard !request.transactionsStatus.isEmpty else { return }
        let wanted = request.transactionsStatus.sorted { $0.key < $1.key }
        let full = usable.filter { !recorded[$0].transactions.isEmpty }
        let filters = full.flatMap { recorded[$0].transactions.values }
        if wanted.allSatisfy({ FilterContainment.holds(filters, $0.value) }) {
            for stream in full { use(stream, for: .transaction) }
            return
        }
        let held = usable.filter { !recorded[$0].transactionsStatus.isEmpty }
        guard !held.isEmpty else { throw Uncovered(what: "transactions_status is not recorded") }
        let statusFilters = held.flatMap { recorded[$0].transactionsStatus.values }
        for (name, filter) in wanted {
            let namesKeys =
                !filter.accountInclude.isEmpty || !filter.accountExclude.isEmpty
                || !filter.accountRequired.isEmpty
            guard !namesKeys, FilterContainment.holds(statusFilters, filter) else {
                throw missing("transactions_status", name)
            }
        }
        // Transactions of such a request must not make a second status.
        guard request.transactions.isEmpty else {
            throw Uncovered(what: "transactions and transactions_status of different extent")
        }
        for stream in held { use(stream, for: .transactionStatus) }
    }

    // MARK: Blocks

    private mutating func addBlocks() throws(Uncovered) {
        guard !request.blocks.isEmpty else { return }
        let wanted = request.blocks.sorted { $0.key < $1.key }
        let wantsData = wanted.contains { $0.value.includeAccounts == true }
        for stream in usable {
            guard !wantsData || servesData(stream) else { continue }
            let names = recorded[stream].blocks.filter { entry in
                wanted.allSatisfy { FilterContainment.holds(entry.value, $0.value) }
            }
            guard !names.isEmpty else { continue }
            use(stream, for: .block)
            blockFilters[stream] = Set(names.keys)
            if wantsData, !recorded[stream].accountsDataSlice.isEmpty { cutStreams.insert(stream) }
        }
        guard sources[.block] != nil else {
            throw Uncovered(
                what: recorded.contains { !$0.blocks.isEmpty }
                    ? "no recorded blocks filter includes all that is asked for"
                    : "blocks are not recorded"
            )
        }
    }
}
