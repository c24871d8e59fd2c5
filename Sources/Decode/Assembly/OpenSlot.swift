import MarketModel
import RecordModel

/// All that came of one slot that is not final: parts by stream, the headers of its variants, and
/// every transaction and account state once.
struct OpenSlot: Sendable {
    /// As many as fit a mask.
    static let partsMax = 64

    let number: UInt64
    /// The earliest record that said something of it.
    let firstSequence: Sequence
    /// Groups that were asked for when it began: its proof is about these.
    let groups: SubscriptionGroups
    private(set) var parts: [SlotPart] = []
    private(set) var headers: [SlotHeader] = []
    private(set) var transactions = TransactionSet()
    private(set) var accounts = AccountSet()
    /// As a status told it.
    var statusParent: UInt64?
    /// Something was left out because of a limit.
    var isOverfull: Bool
    /// Changed since its bundle was applied.
    var isDirty = false

    init(_ number: UInt64, at sequence: Sequence, groups: SubscriptionGroups, isOverfull: Bool) {
        self.number = number
        self.groups = groups
        self.isOverfull = isOverfull
        firstSequence = sequence
    }

    /// Transactions and account states.
    var itemCount: Int { transactions.count + accounts.count }

    // MARK: Parts

    private func last(of stream: StreamID) -> Int? {
        parts.lastIndex { $0.stream == stream }
    }

    private mutating func begin(_ stream: OpenStream, tailOf: Int? = nil) -> Int? {
        guard parts.count < OpenSlot.partsMax else {
            isOverfull = true
            return nil
        }
        let isAsked =
            stream.isFromSlotValid && stream.promise.fromSlot.map { $0.number <= number } == true
        parts.append(
            SlotPart(
                stream: stream.id,
                life: stream.life,
                groups: stream.promise.groups,
                expectsHeader: stream.promise.hasBlockMeta || stream.highestHeader != nil,
                request: isAsked ? stream.since : nil,
                tailOf: tailOf
            )
        )
        return parts.count - 1
    }

    /// The part that the stream's next transaction or account belongs to.
    private mutating func dataPart(_ stream: OpenStream, at sequence: Sequence) -> Int? {
        let part: Int?
        if let last = last(of: stream.id), !parts[last].isDead {
            // Behind a header: perhaps of another block, whose header will tell.
            part = parts[last].hash == nil ? last : begin(stream, tailOf: last)
        } else {
            part = begin(stream)
        }
        if let part, parts[part].firstData == nil { parts[part].firstData = sequence }
        return part
    }

    /// The part that the stream's next status belongs to.
    private mutating func statusPart(_ stream: OpenStream) -> Int? {
        guard let last = last(of: stream.id), !parts[last].isDead else { return begin(stream) }
        return parts[last].tailOf ?? last
    }

    /// The part of a stream that carries the hash.
    func part(of stream: StreamID, _ hash: Bytes32) -> Int? {
        parts.firstIndex { $0.stream == stream && $0.hash == hash && !$0.isDead }
    }

    // MARK: What streams bring

    /// Takes in a transaction, or the status of one that can have no facts.
    mutating func add(
        _ candidate: TransactionSet.Candidate,
        from stream: OpenStream,
        at sequence: Sequence,
        limit: Int
    ) -> TransactionSet.Outcome {
        guard let part = dataPart(stream, at: sequence) else { return .full }
        return add(candidate, to: part, limit: limit)
    }

    /// Takes in a transaction of a part.
    mutating func add(
        _ candidate: TransactionSet.Candidate,
        to part: Int,
        limit: Int
    ) -> TransactionSet.Outcome {
        let outcome = transactions.insert(candidate, part: part, limit: limit)
        note(outcome)
        return outcome
    }

    /// Takes in a state of an account.
    mutating func add(
        _ account: AccountInput,
        from stream: OpenStream,
        at sequence: Sequence,
        limit: Int
    ) -> TransactionSet.Outcome {
        guard let part = dataPart(stream, at: sequence) else { return .full }
        return add(account, to: part, limit: limit)
    }

    /// Takes in an account of a part.
    mutating func add(
        _ account: AccountInput,
        to part: Int,
        limit: Int
    ) -> TransactionSet.Outcome {
        let outcome = accounts.insert(account, part: part, limit: limit)
        note(outcome)
        return outcome
    }

    private mutating func note(_ outcome: TransactionSet.Outcome) {
        switch outcome {
        case .new, .changed: isDirty = true
        case .known: break
        case .full:
            isDirty = true
            isOverfull = true
        }
    }

    /// Takes in a header.
    ///
    /// - Returns: the part that carries it; nil when there is no room.
    mutating func add(
        _ header: SlotHeader,
        from stream: OpenStream,
        at sequence: Sequence
    ) -> Int? {
        isDirty = true
        let part: Int
        if let known = self.part(of: stream.id, header.hash) {
            part = known
        } else if let last = last(of: stream.id), !parts[last].isDead, parts[last].hash == nil {
            part = last
        } else {
            guard let new = begin(stream) else { return nil }
            part = new
        }
        parts[part].hash = header.hash
        parts[part].tailOf = nil
        if parts[part].headerSequence == nil || parts[part].headerLife != stream.life {
            parts[part].headerSequence = sequence
            parts[part].headerLife = stream.life
        }
        if parts[part].firstData == nil { parts[part].firstData = sequence }
        if let place = headers.firstIndex(where: { $0.hash == header.hash }) {
            // One hash is one block; a server may leave out what another one tells.
            if headers[place].executedTransactionCount ?? 0 == 0 {  // absent says nothing
                headers[place].executedTransactionCount = header.executedTransactionCount
            }
            headers[place].time = headers[place].time ?? header.time
            headers[place].parentHash = headers[place].parentHash ?? header.parentHash
        } else {
            headers.append(header)
        }
        return part
    }

    /// The part brought the whole block in one message.
    mutating func setWhole(_ part: Int) {
        parts[part].isWhole = true
        isDirty = true
    }

    /// Takes in a commitment step.
    mutating func add(_ status: SlotStatus, from stream: OpenStream) {
        guard let part = statusPart(stream) else { return }
        switch status {
        case .processed: parts[part].isProcessed = true
        case .confirmed: parts[part].isConfirmed = true
        case .finalized: parts[part].isFinalized = true
        case .firstShredReceived, .completed, .createdBank, .dead: break
        }
    }

    /// The stream's copy of the block is dead: what it brought of it does not count.
    mutating func kill(from stream: StreamID) {
        guard let last = last(of: stream) else { return }
        parts[last].isDead = true
        if let head = parts[last].tailOf { parts[head].isDead = true }
        isDirty = true
    }

    mutating func setProved(_ part: Int) {
        parts[part].isProved = true
        isDirty = true
    }

    // MARK: Variants

    func header(_ hash: Bytes32) -> SlotHeader? { headers.first { $0.hash == hash } }

    /// The hash of a living part, if all agree; whether any has one.
    private var liveHash: (hash: Bytes32?, isAgreed: Bool) {
        var found: Bytes32?
        for part in parts where !part.isDead {
            guard let hash = part.hash else { continue }
            if let found, found != hash { return (found, false) }
            found = hash
        }
        return (found, true)
    }

    /// Whether streams brought different blocks.
    var isDisputed: Bool { !liveHash.isAgreed }

    /// Whether it has the variant still.
    func has(_ variant: Variant) -> Bool {
        variant.hash.map { has($0) } ?? isHeaderless
    }

    /// Whether a living part carries the hash.
    func has(_ hash: Bytes32) -> Bool {
        parts.contains { $0.hash == hash && !$0.isDead }
    }

    /// Whether no living part has a header, but something is known that can be applied: data, or
    /// the word of a stream that was never asked for headers.
    var isHeaderless: Bool {
        var hasSomething = false
        for part in parts where !part.isDead {
            if part.hash != nil { return false }
            if part.firstData != nil || !part.expectsHeader { hasSomething = true }
        }
        return hasSomething
    }

    /// The parts of a variant; `nil` is the one without header.
    func mask(_ hash: Bytes32?) -> VariantMask {
        var strict: PartMask = 0
        var loose: PartMask = 0
        for (number, part) in parts.enumerated() where !part.isDead {
            let bit: PartMask = 1 << PartMask(number)
            let own = part.tailOf.map { parts[$0].hash } ?? part.hash
            if own == nil { loose |= bit } else if own == hash { strict |= bit }
        }
        if hash == nil { return VariantMask(strict: loose, merged: loose) }
        // Parts without header belong to it while no other variant is known.
        return VariantMask(strict: strict, merged: isDisputed ? strict : strict | loose)
    }

    /// The part masks' say on a variant: whether some stream said so of it.
    func any(_ mask: PartMask, _ says: (SlotPart) -> Bool) -> Bool {
        for (number, part) in parts.enumerated()
        where mask >> PartMask(number) & 1 == 1 && says(part) {
            return true
        }
        return false
    }

    /// The variant that most speaks for: finalized, then by streams that voted or processed it,
    /// then the lowest hash. Nil: nothing speaks for any.
    func best(_ counts: (SlotPart) -> Bool) -> Variant? {
        guard !isHeaderless else {
            return any(mask(nil).merged, counts) ? Variant(hash: nil) : nil
        }
        var best: (rank: Int, hash: Bytes32)?
        for header in headers where has(header.hash) {
            let mask = mask(header.hash).merged
            var rank = 0
            var streams = 0
            for (number, part) in parts.enumerated() where mask >> PartMask(number) & 1 == 1 {
                if part.isFinalized { rank = 1 << 8 }
                if counts(part) { streams += 1 }
            }
            guard streams > 0 else { continue }
            rank += streams
            if let best, best.rank > rank || (best.rank == rank && best.hash < header.hash) {
                continue
            }
            best = (rank, header.hash)
        }
        return best.map { Variant(hash: $0.hash) }
    }

    /// Whether these parts bring as many transactions as the variant has, or one of them the whole
    /// block.
    func isWhole(_ hash: Bytes32, _ mask: PartMask) -> Bool {
        // 0 is what a server sends that does not tell it.
        let count = header(hash)?.executedTransactionCount ?? 0
        guard count > 0 else { return any(mask, \.isWhole) }
        return transactions.count(in: mask) == count
    }

    /// The parts of a variant and those of streams that never bring headers, while no other variant
    /// is known. A stream that broke before its header came is none of them: what it brought may be
    /// of a block that nobody named.
    func countable(_ hash: Bytes32) -> PartMask {
        let mask = mask(hash)
        guard mask.merged != mask.strict else { return mask.strict }
        var countable = mask.strict
        for (number, part) in parts.enumerated() where !part.isDead && !part.expectsHeader {
            if part.hash == nil, part.tailOf == nil { countable |= 1 << PartMask(number) }
        }
        return countable
    }
}
