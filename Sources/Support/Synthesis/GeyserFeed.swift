/// Turns the blocks of the chain into the timed messages of one Geyser stream.
struct GeyserFeed {
    private(set) var stream: UInt32
    let source: UInt32
    let wholeBlocks: Bool
    /// Whether all transactions were asked for, not only the market's.
    private let takesAll: Bool
    private var random: MarketRandom
    /// For what goes wrong; never drawn from when nothing is to.
    private var faults: MarketRandom
    private let duplicatedPerMille: UInt32
    private let latePerMille: UInt32
    /// Whether accounts of the token programs were asked for.
    private let takesTokens: Bool
    private let tellsSignatures: Bool
    private var nextPing: Int64 = 0

    private static let millisecond: Int64 = 1_000_000

    init(
        stream: UInt32,
        source: UInt32,
        wholeBlocks: Bool,
        takesAll: Bool,
        _ options: SynthesisOptions
    ) {
        self.takesAll = takesAll
        self.stream = stream
        self.source = source
        self.wholeBlocks = wholeBlocks
        duplicatedPerMille = options.duplicatedPerMille
        latePerMille = options.latePerMille
        takesTokens = options.tokenAccounts
        tellsSignatures = options.hasActors
        random = MarketRandom(seed: options.seed ^ 0x6765_7973_6572_0000 ^ UInt64(stream))
        faults = MarketRandom(seed: options.seed ^ 0x6661_756c_7400_0000 ^ UInt64(stream))
    }

    /// Opens the source's next stream, after the one before has broken.
    mutating func reopen(
        as stream: UInt32,
        at time: Int64,
        into queue: inout TimedQueue<StreamEvent>
    ) {
        self.stream = stream
        open(at: time, into: &queue)
    }

    /// Opens the stream: call, request, metadata, and the server's first ping.
    mutating func open(at time: Int64, into queue: inout TimedQueue<StreamEvent>) {
        let opened = SynthesizedStream(
            source: source,
            kind: .geyser,
            endpoint: "https://geyser-\(source).example.net:443",
            method: "/geyser.Geyser/Subscribe",
            fields: [
                SynthesizedField(name: "user-agent", value: "tapedeck"),
                SynthesizedField(name: "grpc-accept-encoding", value: "identity"),
            ]
        )
        let fields = [
            SynthesizedField(name: "content-type", value: "application/grpc"),
            SynthesizedField(name: "date", value: "Mon, 05 Jan 2026 12:00:00 GMT"),
        ]
        add(.opened(opened), at: time, into: &queue)
        let request = GeyserMessages.request(
            wholeBlocks: wholeBlocks,
            takesAll: takesAll,
            takesTokens: takesTokens
        )
        add(.message(.outgoing, request), at: time + Self.millisecond, into: &queue)
        add(.accepted(status: 200, fields: fields), at: time + 9 * Self.millisecond, into: &queue)
        ping(at: time + 10 * Self.millisecond, into: &queue)
    }

    /// One block, whose first shred reached the server at the given time.
    mutating func add(
        _ block: SolanaSlot,
        _ fate: BlockFate = .canonical,
        at start: Int64,
        into queue: inout TimedQueue<StreamEvent>
    ) {
        if nextPing <= start { ping(at: start, into: &queue) }
        let processed = start + 345 * Self.millisecond + jitter(20)
        addStatuses(block, fate, start: start, processed: processed, into: &queue)
        if !wholeBlocks { addParts(block, fate, start: start, into: &queue) }
        guard fate != .dead else { return }
        // Nearly always before the processed status, as a real capture has it.
        let meta =
            random.chance(perMille: 20) ? processed + 2_000 : processed - 2 * Self.millisecond
        update([GeyserFilters.blockMeta], 7, GeyserMessages.blockMeta(block), meta, &queue)
        if wholeBlocks {
            update(
                [GeyserFilters.blocks],
                5,
                GeyserMessages.block(block),
                processed + Self.millisecond + jitter(6),
                &queue,
                bringing: signatures(block.transactions)
            )
        }
    }

    /// Ends the stream.
    func close(
        _ end: SynthesisOptions.End,
        at time: Int64,
        into queue: inout TimedQueue<StreamEvent>
    ) {
        let closed: SynthesizedEnd =
            switch end {
            case .clean: .grpc(status: 0, message: "", trailers: [])
            case .cut: .grpc(status: 14, message: "Connection reset by peer", trailers: [])
            }
        add(.closed(closed), at: time, into: &queue)
    }

    private mutating func addStatuses(
        _ block: SolanaSlot,
        _ fate: BlockFate,
        start: Int64,
        processed: Int64,
        into queue: inout TimedQueue<StreamEvent>
    ) {
        let bank = 4 * Self.millisecond + jitter(8)
        let early = random.chance(perMille: 40)
        if fate != .repaired {
            status(block, .firstShredReceived, early ? start + bank : start, &queue)
            status(block, .createdBank, early ? start : start + bank, &queue)
        }
        if fate == .dead { return status(block, .dead, processed, &queue) }
        if fate != .repaired {
            status(block, .completed, processed - 6 * Self.millisecond, &queue)
            status(block, .processed, processed, &queue)
        }
        if fate == .orphaned { return }
        let confirmed = processed + 60 * Self.millisecond + jitter(120)
        status(block, .confirmed, confirmed, &queue)
        // About 31 slots behind.
        status(block, .finalized, processed + 11_950 * Self.millisecond + jitter(60), &queue)
    }

    /// Transactions, accounts and entries, spread over the time in which the block is produced.
    private mutating func addParts(
        _ block: SolanaSlot,
        _ fate: BlockFate,
        start: Int64,
        into queue: inout TimedQueue<StreamEvent>
    ) {
        let first = start + 20 * Self.millisecond
        let span = 310 * Self.millisecond
        let count = Int64(block.transactions.count)
        var version = block.firstWriteVersion
        var times: [Int64] = []
        for (place, transaction) in block.transactions.enumerated() {
            // Of a block that dies only the first half was produced.
            if fate == .dead, place * 2 >= block.transactions.count { return }
            let time = first + span * Int64(place) / max(count, 1)
            // Votes run beside the market and so come out of order; real ones keep theirs.
            let sent = time + (transaction.isVote && !takesAll ? jitter(25) : 0)
            times.append(max(sent, time))
            send(transaction, block.slot, at: sent + delay(), &queue)
            for (image, lamports) in zip(transaction.images, transaction.imageLamports) {
                let body = GeyserMessages.account(
                    image,
                    lamports: lamports,
                    version: version,
                    signature: transaction.signature,
                    slot: block.slot
                )
                // An account may come before the transaction that wrote it.
                let lead = random.chance(perMille: 300) ? Int64(-100_000) : 100_000
                let isToken = GeyserFilters.tokenPrograms.contains(image.owner)
                let filter = isToken ? GeyserFilters.tokens : GeyserFilters.accounts
                update([filter], 2, body, sent + lead, &queue)
                version += 1
            }
        }
        var last = first
        for entry in block.entries {
            let due = first + span * Int64(entry.index) / Int64(block.entries.count)
            last = max(last, due)
            if entry.transactions > 0 {
                last = max(last, times[Int(entry.firstTransaction + entry.transactions - 1)])
            }
            update(
                [GeyserFilters.entries],
                8,
                GeyserMessages.entry(entry, slot: block.slot),
                last + 300_000,
                &queue
            )
        }
    }

    private mutating func send(
        _ transaction: SolanaTransaction,
        _ slot: UInt64,
        at time: Int64,
        _ queue: inout TimedQueue<StreamEvent>
    ) {
        guard transaction.isVote || transaction.isMarket else { return }
        let isApart = transaction.isVote && !takesAll
        let filter = isApart ? GeyserFilters.votes : GeyserFilters.transactions
        let body = GeyserMessages.transaction(transaction, slot: slot)
        update([filter], 4, body, time, &queue, bringing: signatures([transaction]))
    }

    private func signatures(_ transactions: [SolanaTransaction]) -> [UInt64] {
        tellsSignatures ? transactions.map(\.signatureWord) : []
    }

    /// How late a transaction comes.
    private mutating func delay() -> Int64 {
        guard latePerMille > 0, faults.chance(perMille: latePerMille) else { return 0 }
        return Int64(faults.number(in: 50...1_200)) * Self.millisecond
    }

    private mutating func status(
        _ block: SolanaSlot,
        _ status: GeyserMessages.Status,
        _ time: Int64,
        _ queue: inout TimedQueue<StreamEvent>
    ) {
        // A real capture names the parent in these three states only.
        let named = status == .createdBank || status == .processed || status == .finalized
        let parent = named ? block.parentSlot : nil
        let body = GeyserMessages.slot(block.slot, parent: parent, status)
        update([GeyserFilters.slots], 3, body, time, &queue)
    }

    /// The server's ping and, once the client has answered it, the pong for that answer.
    private mutating func ping(at time: Int64, into queue: inout TimedQueue<StreamEvent>) {
        update([], 6, [], time, &queue)
        let answered = time + Self.millisecond
        add(.message(.outgoing, GeyserMessages.pingRequest(id: 1)), at: answered, into: &queue)
        update([], 9, GeyserMessages.pong(id: 1), answered + 8 * Self.millisecond, &queue)
        nextPing = time + 10_000 * Self.millisecond
    }

    /// Queues an update; the server stamped it a little before it arrived.
    private mutating func update(
        _ filters: [String],
        _ field: UInt32,
        _ body: [UInt8],
        _ time: Int64,
        _ queue: inout TimedQueue<StreamEvent>,
        bringing signatures: [UInt64] = []
    ) {
        let created = time - 4 * Self.millisecond - (random.chance(perMille: 30) ? jitter(2) : 0)
        let bytes = GeyserMessages.update(filters, field: field, body, created: created)
        let event = StreamEvent(
            stream: stream,
            event: .message(.incoming, bytes),
            signatures: signatures
        )
        queue.add(event, at: time)
        if duplicatedPerMille > 0, faults.chance(perMille: duplicatedPerMille) {
            let again = time + Int64(faults.number(in: 0...40)) * Self.millisecond
            queue.add(event, at: again)
        }
    }

    private func add(
        _ event: SynthesizedStep.Event,
        at time: Int64,
        into queue: inout TimedQueue<StreamEvent>
    ) {
        queue.add(StreamEvent(stream: stream, event: event), at: time)
    }

    private mutating func jitter(_ milliseconds: UInt64) -> Int64 {
        Int64(random.next(below: milliseconds * 1_000_000))
    }
}

/// Something to happen on a stream.
struct StreamEvent {
    var stream: UInt32
    var event: SynthesizedStep.Event
    /// The first words of the signatures that it brings, when somebody wants to know.
    var signatures: [UInt64] = []
}
