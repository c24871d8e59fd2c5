import Assembly
import GeyserDecoding
import Inflation
import MarketModel
import ProgramDecoding
import RecordModel

/// The second stage: what messages say, decoded and typed. One belongs to one thread; what it gives
/// depends on each message alone, so any number of them give the same.
///
/// Nothing that it calls knows of it, so nothing asks at run time whether accesses overlap; every
/// transaction makes a dozen of them.
package final class UpdateParser {
    @exclusivity(unchecked) private var reader = SolanaTransactionReader()
    @exclusivity(unchecked) private var decoder = ProgramDecoder()
    private let inflater = Inflater(.gzip)
    private var inflated: [UInt8] = []

    /// The largest message after inflation: what the log's own limit allows, four times.
    private static let inflatedBytesMax = 256 << 20

    package init() {}

    /// Parses all messages of a batch.
    package func parse(_ batch: RecordBatch) {
        batch.parse { entry, bytes, inputs, tally in
            tally.messages &+= 1
            tally.bytes &+= UInt64(bytes.byteCount)
            guard entry.isCompressed else {
                take(entry, bytes, &inputs, &tally)
                return
            }
            let compressed = bytes.copyBytes()
            do throws(InflationError) {
                try inflater.inflate(
                    compressed.span,
                    limit: Self.inflatedBytesMax,
                    into: &inflated
                )
            } catch {
                tally.drop(.notInflatable, at: entry.sequence)
                inputs.append(.recordsMissing(entry.stream))
                return
            }
            let held = inflated
            take(entry, held.span.bytes, &inputs, &tally)
        }
    }

    private func take(
        _ entry: RecordBatch.Entry,
        _ bytes: RawSpan,
        _ inputs: inout [AssemblerInput],
        _ tally: inout PipelineTally
    ) {
        let count = inputs.count
        do throws(ProtobufError) {
            if let drop = try read(entry, bytes, &inputs, &tally) {
                tally.drop(drop, at: entry.sequence)
                if drop == .incomplete { inputs.append(.recordsMissing(entry.stream)) }
            } else {
                tally.understood &+= 1
            }
        } catch {
            // Recorded bit for bit all the same. What it would have told is missing here.
            inputs.removeSubrange(count...)
            tally.drop(.malformed, at: entry.sequence)
            inputs.append(.recordsMissing(entry.stream))
        }
        tally.noteFirsts(at: entry.sequence)
    }

    /// Why the message says nothing, or not all that it should; nil for neither.
    private func read(
        _ entry: RecordBatch.Entry,
        _ bytes: RawSpan,
        _ inputs: inout [AssemblerInput],
        _ tally: inout PipelineTally
    ) throws(ProtobufError) -> PipelineTally.Drop? {
        switch try SolanaUpdate(of: bytes) {
        case .transaction(let update):
            guard let info = update.info,
                let input = try transaction(bytes, info, update.slot, &tally)
            else { return .incomplete }
            inputs.append(.transaction(entry.stream, input))
        case .transactionStatus(let update):
            guard let signature = update.signature else { return .incomplete }
            inputs.append(
                .transactionStatus(
                    entry.stream,
                    TransactionStatusInput(
                        slot: update.slot,
                        signature: signature,
                        index: UInt32(clamping: update.index),
                        isBarren: update.isVote || update.isFailed
                    )
                )
            )
        case .account(let update):
            guard let contents = update.contents else { return .incomplete }
            guard let input = try account(bytes, contents, update.slot) else {
                return .foreignAccount
            }
            tally.accounts &+= 1
            inputs.append(.account(entry.stream, input))
        case .slot(let update):
            guard let status = update.status else { return .notMarketData }
            inputs.append(.slotStatus(entry.stream, update.slot, status, parent: update.parent))
        case .blockMeta(let header):
            guard let header = slotHeader(header) else { return .incomplete }
            inputs.append(.header(entry.stream, header))
        case .block(let update): return try block(entry, bytes, update, &inputs, &tally)
        case .entry, .none: return .notMarketData
        }
        return nil
    }

    // MARK: Parts

    /// Nil without a signature of 64 bytes.
    private func transaction(
        _ bytes: RawSpan,
        _ info: Range<Int>,
        _ slot: Slot,
        _ tally: inout PipelineTally
    ) throws(ProtobufError) -> TransactionInput? {
        try reader.readHead(bytes, info)
        tally.transactions &+= 1
        let place = reader.transaction.signature
        guard place.count == 64, let signature = Signature(bytes, at: place.lowerBound) else {
            return nil
        }
        var input = TransactionInput(
            slot: slot,
            signature: signature,
            index: UInt32(clamping: reader.transaction.index),
            facts: nil
        )
        if reader.transaction.isVote {
            tally.votes &+= 1
        } else if reader.transaction.isFailed {
            tally.failedTransactions &+= 1
        } else if ProgramDecoder.isOfInterest(reader.transaction.keys) {
            try reader.readBody(bytes)
            tally.marketTransactions &+= 1
            input.facts = decoder.decode(reader.transaction, bytes, tally: &tally.parse)
            if let facts = input.facts { tally.events &+= UInt64(facts.events.count) }
        }
        return input
    }

    /// Nil when no decoder knows the account.
    private func account(
        _ bytes: RawSpan,
        _ contents: AccountContents,
        _ slot: Slot
    ) throws(ProtobufError) -> AccountInput? {
        guard let address = contents.address, let owner = contents.owner,
            let fact = AccountDecoder.decode(
                account: address,
                owner: owner,
                data: bytes.extracting(contents.data)
            )
        else { return nil }
        var writer: Signature?
        if let place = contents.signature {
            guard place.count == 64 else { return nil }
            writer = Signature(bytes, at: place.lowerBound)
        }
        var digest = ContentDigest()
        digest.combine(contents.lamports)
        let (first, second, third, fourth) = owner.storage.words
        for word in [first, second, third, fourth] { digest.combine(word) }
        digest.combine(bytes, contents.data)
        return AccountInput(
            slot: slot,
            account: address,
            writer: writer,
            writeVersion: contents.writeVersion,
            digest: digest,
            content: fact.content
        )
    }

    /// Nil without a hash: the header then proves nothing.
    private func slotHeader(_ header: BlockHeader) -> SlotHeader? {
        guard let hash = header.blockhash else { return nil }
        return SlotHeader(
            slot: header.slot,
            hash: hash.storage,
            parent: header.parent,
            parentHash: header.parentBlockhash?.storage,
            time: header.time,
            executedTransactionCount: header.executedTransactionCount
        )
    }

    private func block(
        _ entry: RecordBatch.Entry,
        _ bytes: RawSpan,
        _ update: BlockUpdate,
        _ inputs: inout [AssemblerInput],
        _ tally: inout PipelineTally
    ) throws(ProtobufError) -> PipelineTally.Drop? {
        guard let header = slotHeader(update.header) else { return .incomplete }
        var transactions: [TransactionInput] = []
        var accounts: [AccountInput] = []
        var isWhole = true
        var parts = update.parts
        while let part = try parts.next(bytes) {
            switch part {
            case .transaction(let info):
                guard let input = try transaction(bytes, info, header.slot, &tally) else {
                    isWhole = false
                    continue
                }
                transactions.append(input)
            case .account(let info):
                let contents = try AccountContents(bytes, info)
                guard let input = try account(bytes, contents, header.slot) else { continue }
                tally.accounts &+= 1
                accounts.append(input)
            case .entry: continue
            }
        }
        let comesWhole = try isUnfiltered(entry, bytes)
        let block = WholeBlockInput(
            header: header,
            transactions: transactions,
            accounts: accounts,
            isUnfiltered: isWhole && comesWhole
        )
        inputs.append(.wholeBlock(entry.stream, block))
        return isWhole ? nil : .incompleteBlock
    }

    /// Whether the block came under a filter that leaves no transaction out. A stream whose request
    /// nobody recorded, such as an import's, is believed by the block's own count alone.
    private func isUnfiltered(
        _ entry: RecordBatch.Entry,
        _ bytes: RawSpan
    ) throws(ProtobufError) -> Bool {
        guard let names = entry.scope?.wholeBlockFilters, !names.isEmpty else { return false }
        var offset = 0
        while let field = try ProtobufReader.next(bytes, at: &offset, end: bytes.byteCount) {
            guard field.number == 1 else { continue }
            let name = bytes.copyBytes(try field.delimited())
            if names.contains(where: { $0.bytes == name }) { return true }
        }
        return false
    }
}
