// Answers calls from what was recorded, as of the newest block that was fed.
//
// Invariants:
// - A block is on the canonical chain only if an unbroken row of recorded parent hashes leads to
//   it from the head. Where the row breaks (a head whose parent was never announced), nothing
//   below has an answer by height.
// - Logs of a block are answered only if one recorded selection covers what is asked and all its
//   logs have arrived; otherwise the answer is an error, never a shorter list.
// - Blocks below `floor` are forgotten and stay so.

package import JSONText
package import MarketModel

/// A bounded index of a recorded chain that answers JSON-RPC calls from it.
///
/// Feed it every text message of every recorded stream in log order (`sent`, `received`,
/// `streamEnded`); ask it with `answer`. It is a value without clock or I/O.
///
/// **When logs of a block are whole.** A log subscription covers a block when its confirmation
/// came before the block's header on the same stream (a node feeds a block's header before its
/// logs), and it stays until the header of the block's child arrived on that stream. A recorded
/// `eth_getLogs` by block hash covers its block at once. The newest block is therefore not yet
/// whole, and a range that includes it is refused until its child arrives. A copy of the view with
/// `holdHead` may be fed ahead as long as `isNewestOpen`, and then knows it whole; `closeNewest`
/// ends the wait for whoever can vouch that nothing is missing.
///
/// **What is never made up.** A header notification lacks the transactions and sizes of a block
/// object, so `eth_getBlockByNumber` and `eth_getBlockByHash` answer only with block objects that
/// the recording holds in the form asked for (hashes or whole transactions).
package struct ChainView {
    /// What the view keeps.
    package let limits: ChainViewLimits

    private var streams: [UInt64: ChainStream] = [:]
    private var blocks: [Hash256: ChainBlock] = [:]
    /// Heights of the blocks with their hashes, sorted by both; the front is forgotten first.
    private var order: [Place] = []
    private var floor: UInt64 = 0
    private var bytes = 0

    private var head: ChainStream.Head?
    /// The head stays, whatever is fed.
    private var isHeadHeld = false
    /// The highest head of the streams that have ended.
    private var endedHead: ChainStream.Head?
    /// For recordings without headers: the height that an `eth_blockNumber` answer gave.
    private var answeredNumber: UInt64?
    private var chainID: [UInt8]?
    private var netVersion: [UInt8]?
    private var logAnswers: [LogAnswer] = []

    private struct Place: Comparable {
        let number: UInt64
        let hash: Hash256

        static func < (left: Place, right: Place) -> Bool {
            left.number == right.number ? left.hash < right.hash : left.number < right.number
        }
    }

    private struct LogAnswer {
        let filter: EthereumLogFilter
        let result: [UInt8]
    }

    /// An empty view.
    ///
    /// - Parameters:
    ///   - limits: What to keep.
    ///   - chainID: Answers `eth_chainId` and `net_version` where the recording does not.
    package init(limits: ChainViewLimits = ChainViewLimits(), chainID: UInt64? = nil) {
        self.limits = limits
        guard let chainID else { return }
        self.chainID = Array("\"\(HexQuantity.text(chainID))\"".utf8)
        self.netVersion = Array("\"\(chainID)\"".utf8)
    }

    /// The newest block that the recording has announced.
    package var newest: BlockNumber? { head.map { BlockNumber($0.number) } }

    /// Whether logs of the newest block may still come, or the header that proves them whole.
    package var isNewestOpen: Bool {
        guard let head, let block = blocks[head.hash], block.removedBy.isEmpty else { return false }
        // A stream that went on to anything else has told all it had to tell.
        return block.openings.contains { streams[$0.stream]?.head?.hash == head.hash }
    }

    /// How many blocks are kept, variants included.
    package var blockCount: Int { blocks.count }

    /// Bytes of JSON that are kept for blocks.
    package var byteCount: Int { bytes }

    // MARK: Feeding

    /// Takes a message that the recorder sent to a node.
    ///
    /// - Parameters:
    ///   - text: The message.
    ///   - stream: Which connection; any number that is its own.
    package mutating func sent(_ text: JSONRPCText, on stream: UInt64) {
        switch text {
        case .single(let message): sent(message, on: stream)
        case .batch(let messages): for message in messages { sent(message, on: stream) }
        }
    }

    /// Takes a message that a node sent.
    ///
    /// - Parameters:
    ///   - text: The message.
    ///   - stream: Which connection.
    package mutating func received(_ text: JSONRPCText, on stream: UInt64) {
        switch text {
        case .single(let message): received(message, on: stream)
        case .batch(let messages): for message in messages { received(message, on: stream) }
        }
    }

    /// Takes the end of a connection, or a gap in what was recorded of it: what is open on it will
    /// never be whole.
    package mutating func streamEnded(_ stream: UInt64) {
        guard let state = streams.removeValue(forKey: stream) else { return }
        if let own = state.head {
            let isHighest = endedHead.map { own.number >= $0.number } != false
            if isHighest { endedHead = own }
        }
        dropOpenings(of: stream)
        chooseHead()
    }

    /// Ends the wait for the children of the newest blocks: the caller vouches that no message
    /// follows and none is missing. Comes before `streamEnded`, which gives up what is open.
    package mutating func closeNewest() {
        for place in order {
            guard let openings = blocks[place.hash]?.openings else { continue }
            for opening in openings { blocks[place.hash]?.close(stream: opening.stream) }
        }
    }

    /// Keeps the head where it is from now on: what is fed then completes its block and changes no
    /// answer otherwise.
    package mutating func holdHead() { isHeadHeld = true }

    private mutating func sent(_ message: JSONRPCMessage, on stream: UInt64) {
        guard case .call(let call) = message, let id = call.id else { return }
        var state = streams[stream] ?? ChainStream()
        let key = id.rawBytes
        // An id that is used again means the later call.
        state.calls[key] = nil
        if state.calls.count < limits.callsMax, let awaited = Self.awaited(call) {
            state.calls[key] = awaited
        }
        streams[stream] = state
    }

    private static func awaited(_ call: JSONRPCCall) -> ChainStream.Call? {
        // A call that cannot be read gets an error from the node; nothing follows from it.
        do throws(JSONRPCError) {
            switch call.method {
            case "eth_subscribe": return .subscribe(try EthereumSubscription(params: call.params))
            case "eth_unsubscribe":
                let id = try EthereumSubscription.unsubscribed(params: call.params)
                return id.stringBytes.map { .unsubscribe(id: $0) }
            case "eth_chainId": return .chainID
            case "net_version": return .netVersion
            case "eth_blockNumber": return .blockNumber
            case "eth_getBlockByNumber", "eth_getBlockByHash":
                return .block(full: try positional(call.params, max: 2).last?.boolean == true)
            case "eth_getLogs": return .logs(try logFilter(call.params))
            default: return nil
            }
        } catch {
            return nil
        }
    }

    private mutating func received(_ message: JSONRPCMessage, on stream: UInt64) {
        switch message {
        case .notification(let notification): take(notification, on: stream)
        case .answer(let answer):
            let call = streams[stream]?.calls.removeValue(forKey: answer.id.rawBytes)
            guard let call, case .result(let result) = answer.outcome else { return }
            take(result, of: call, on: stream)
        case .call, .invalid: return
        }
    }

    private mutating func take(
        _ result: JSONValue,
        of call: ChainStream.Call,
        on stream: UInt64
    ) {
        switch call {
        case .subscribe(.logs(let filter)):
            guard let id = result.stringBytes, filter.selectsNewLogs,
                let known = streams[stream]?.filters.count, known < limits.callsMax
            else { return }
            streams[stream]?.filters[id] = filter
        case .subscribe: return
        case .unsubscribe(let id):
            streams[stream]?.filters[id] = nil
            for place in order {
                blocks[place.hash]?.openings.removeAll {
                    $0.stream == stream && $0.subscription == id
                }
            }
        case .chainID: if result.quantity != nil { chainID = result.rawBytes }
        case .netVersion: if result.kind == .string { netVersion = result.rawBytes }
        case .blockNumber: if let number = result.quantity { answeredNumber = number }
        case .block(let full): takeBlock(result, full: full)
        case .logs(let filter): takeLogs(result, filter)
        }
    }

    private mutating func take(_ notification: EthereumNotification, on stream: UInt64) {
        let result = notification.result
        guard result.kind == .object else { return }
        do throws(EthereumFault) {
            if result.member("parentHash") != nil {
                takeHeader(try EthereumHeader(result), on: stream)
            } else if result.member("logIndex") != nil {
                takeLog(try EthereumLog(result), result.rawBytes, on: stream)
            }
        } catch {
            // Which block it belongs to is not known, so no block of this stream is whole.
            streams[stream]?.filters.removeAll()
            dropOpenings(of: stream)
        }
    }

    private mutating func takeHeader(_ header: EthereumHeader, on stream: UInt64) {
        blocks[header.parentHash]?.close(stream: stream)
        var state = streams[stream] ?? ChainStream()
        // A second subscription to heads says the same again; logs that came between the two
        // are no evidence.
        let isRepeated = state.head?.hash == header.hash
        state.head = ChainStream.Head(number: header.number.number, hash: header.hash)
        streams[stream] = state
        withBlock(header.hash, header.number.number) { block in
            block.parentHash = header.parentHash
            block.removedBy.remove(stream)
            guard !isRepeated else { return }
            let open = Set(block.openings.filter { $0.stream == stream }.map(\.subscription))
            for (id, filter) in state.filters where !open.contains(id) {
                guard !block.isCovered(filter) else { continue }
                block.openings.append(
                    ChainBlock.Opening(stream: stream, subscription: id, filter: filter)
                )
            }
        }
        chooseHead()
    }

    private mutating func takeLog(_ log: EthereumLog, _ text: [UInt8], on stream: UInt64) {
        withBlock(log.blockHash, log.blockNumber.number) { block in
            guard !log.removed else {
                block.removedBy.insert(stream)
                return
            }
            block.removedBy.remove(stream)
            block.insert(ChainBlock.Log(log, text))
        }
    }

    private mutating func takeBlock(_ result: JSONValue, full: Bool) {
        // Null for a block that the node does not have, and pending blocks have no hash.
        guard let header = Self.header(result) else { return }
        withBlock(header.hash, header.number.number) { block in
            block.parentHash = header.parentHash
            if full {
                block.fullObject = result.rawBytes
            } else {
                block.object = result.rawBytes
            }
        }
    }

    private static func header(_ result: JSONValue) -> EthereumHeader? {
        do throws(EthereumFault) {
            return try EthereumHeader(result)
        } catch {
            return nil
        }
    }

    private mutating func takeLogs(_ result: JSONValue, _ filter: EthereumLogFilter) {
        guard result.kind == .array else { return }
        var logs: [(log: EthereumLog, text: [UInt8])] = []
        for element in result.elements {
            do throws(EthereumFault) {
                logs.append((try EthereumLog(element), element.rawBytes))
            } catch {
                return
            }
        }
        for (log, text) in logs where !log.removed {
            withBlock(log.blockHash, log.blockNumber.number) { block in
                block.insert(ChainBlock.Log(log, text))
            }
        }
        if let hash = filter.blockHash, blocks[hash] != nil {
            blocks[hash]?.cover(filter)
        } else {
            remember(LogAnswer(filter: filter, result: result.rawBytes))
        }
    }

    /// Keeps an answer for an equal call, when what it says cannot change unless the chain does.
    private mutating func remember(_ answer: LogAnswer) {
        if isHeadHeld { return }
        if answer.filter.blockHash == nil {
            guard case .number = answer.filter.fromBlock, let head,
                case .number(let last) = answer.filter.toBlock, last <= head.number
            else { return }
        }
        logAnswers.removeAll { $0.filter == answer.filter }
        logAnswers.append(answer)
        var kept = logAnswers.reduce(0) { $0 + $1.result.count }
        while logAnswers.count > limits.answersMax || kept > limits.bytesMax {
            kept -= logAnswers.removeFirst().result.count
        }
    }

    /// Changes a block, made first if need be; nothing happens for a block below the floor.
    private mutating func withBlock(
        _ hash: Hash256,
        _ number: UInt64,
        _ body: (inout ChainBlock) -> Void
    ) {
        if blocks[hash] == nil {
            guard number >= floor else { return }
            blocks[hash] = ChainBlock(number: number)
            let place = Place(number: number, hash: hash)
            // Nothing below it: it goes to the front.
            let at = order.lastIndex { $0 < place }.map { $0 + 1 } ?? 0
            order.insert(place, at: at)
        }
        // A block whose height is said to be two is damage; the first word stands.
        guard var block = blocks.removeValue(forKey: hash) else { return }
        bytes -= block.bytes
        if block.number == number { body(&block) }
        bytes += block.bytes
        blocks[hash] = block
        forget()
    }

    private mutating func forget() {
        while let first = order.first, blocks.count > limits.blocksMax || bytes > limits.bytesMax {
            let (next, overflow) = first.number.addingReportingOverflow(1)
            floor = overflow ? first.number : max(floor, next)
            // All variants of the height go, or one of them would pass for the only one.
            while let place = order.first, place.number == first.number {
                order.removeFirst()
                guard let block = blocks.removeValue(forKey: place.hash) else {
                    preconditionFailure("a place without its block")
                }
                bytes -= block.bytes
            }
        }
    }

    private mutating func dropOpenings(of stream: UInt64) {
        for place in order { blocks[place.hash]?.openings.removeAll { $0.stream == stream } }
    }

    /// The head is the highest head of the streams; a stream that lags does not pull it back.
    private mutating func chooseHead() {
        if isHeadHeld { return }
        var best: ChainStream.Head?
        // In the order of stream numbers, so that ties never depend on the dictionary's order.
        for stream in streams.keys.sorted() {
            guard let own = streams[stream]?.head else { continue }
            guard let other = best else {
                best = own
                continue
            }
            if own.number > other.number || (own.number == other.number && own == head) {
                best = own
            }
        }
        if let ended = endedHead {
            if let live = best, live.number >= ended.number {
                endedHead = nil
            } else {
                best = ended
            }
        }
        guard let best, best != head else { return }
        let isNext = blocks[best.hash]?.parentHash == head?.hash
        if !isNext { logAnswers.removeAll { $0.filter.blockHash == nil } }
        head = best
    }

    // MARK: Answering

    /// Answers a call from the recording, as of the head.
    ///
    /// - Parameters:
    ///   - method: The method.
    ///   - params: The call's parameters.
    /// - Returns: One JSON value; nil when the method is not one that the view answers.
    /// - Throws: What to answer instead.
    package func answer(
        _ method: String,
        params: JSONValue?
    ) throws(JSONRPCError) -> [UInt8]? {
        switch method {
        case "eth_chainId": return try recorded(chainID, "eth_chainId", params)
        case "net_version": return try recorded(netVersion, "net_version", params)
        case "eth_blockNumber":
            _ = try positional(params, max: 0)
            return Array("\"\(HexQuantity.text(try newestNumber()))\"".utf8)
        case "eth_getBlockByNumber": return try blockByNumber(params)
        case "eth_getBlockByHash": return try blockByHash(params)
        case "eth_getLogs": return try logs(Self.logFilter(params))
        default: return nil
        }
    }

    private func recorded(
        _ answer: [UInt8]?,
        _ method: String,
        _ params: JSONValue?
    ) throws(JSONRPCError) -> [UInt8] {
        _ = try positional(params, max: 0)
        guard let answer else { throw .notRecorded(method) }
        return answer
    }

    private func newestNumber() throws(JSONRPCError) -> UInt64 {
        guard let number = head?.number ?? answeredNumber else { throw .notRecorded("the head") }
        return number
    }

    private func number(of tag: BlockTag) throws(JSONRPCError) -> UInt64 {
        switch tag {
        case .number(let number): return number
        case .latest: return try newestNumber()
        case .earliest: return 0
        case .pending: throw .notRecorded("the pending block")
        case .safe: throw .notRecorded("the safe block")
        case .finalized: throw .notRecorded("the finalized block")
        }
    }

    private static func logFilter(_ params: JSONValue?) throws(JSONRPCError) -> EthereumLogFilter {
        guard let object = try positional(params, max: 1).first, !object.isNull else {
            throw .missingArgument(0)
        }
        return try EthereumLogFilter(object, argument: 0)
    }

    private func blockByNumber(_ params: JSONValue?) throws(JSONRPCError) -> [UInt8] {
        let arguments = try positional(params, max: 2)
        guard let name = arguments.first, !name.isNull else { throw .missingArgument(0) }
        let tag = try BlockTag(name, argument: 0)
        let full = try Self.flag(arguments)
        let number = try number(of: tag)
        // As a node answers for a block that is not there yet.
        if number > (try newestNumber()) { return JSONRPCWriter.null }
        guard let hash = canonicalHash(at: number) else { throw .notRecorded("block \(number)") }
        return try object(hash, full)
    }

    private func blockByHash(_ params: JSONValue?) throws(JSONRPCError) -> [UInt8] {
        let arguments = try positional(params, max: 2)
        guard let name = arguments.first, !name.isNull else { throw .missingArgument(0) }
        guard let hash = name.hash256 else { throw .invalidArgument(0, "invalid block hash") }
        return try object(hash, try Self.flag(arguments))
    }

    private static func flag(_ arguments: [JSONValue]) throws(JSONRPCError) -> Bool {
        guard arguments.count > 1, !arguments[1].isNull else { throw .missingArgument(1) }
        guard let flag = arguments[1].boolean else { throw .invalidArgument(1, "not a boolean") }
        return flag
    }

    private func object(_ hash: Hash256, _ full: Bool) throws(JSONRPCError) -> [UInt8] {
        let block = blocks[hash]
        guard let object = full ? block?.fullObject : block?.object else {
            throw .notRecorded("block \(hash)")
        }
        return object
    }

    private func logs(_ filter: EthereumLogFilter) throws(JSONRPCError) -> [UInt8] {
        if let hash = filter.blockHash { return try logs(ofBlock: hash, filter) }
        if filter.fromBlock == .pending || filter.toBlock == .pending { throw .pendingLogs }
        let newest = try newestNumber()
        let first = try number(of: filter.fromBlock ?? .latest)
        let last = try number(of: filter.toBlock ?? .latest)
        guard first <= last else { throw .invalidRange }
        guard last <= newest else { throw .rangeAboveHead }
        do throws(JSONRPCError) {
            let hashes = try canonicalHashes(first, last)
            var found: [ChainBlock.Log] = []
            for hash in hashes { found += try coveredLogs(hash, filter) }
            return Self.list(found)
        } catch {
            guard let equal = equalAnswer(filter) else { throw error }
            return equal
        }
    }

    private func logs(
        ofBlock hash: Hash256,
        _ filter: EthereumLogFilter
    ) throws(JSONRPCError) -> [UInt8] {
        guard let block = blocks[hash] else {
            guard let equal = equalAnswer(filter) else { throw .unknownBlock }
            return equal
        }
        guard let newest = head?.number, block.number <= newest else { throw .unknownBlock }
        guard let canonical = canonicalHash(at: block.number) else {
            throw .notRecorded("the chain at block \(block.number)")
        }
        guard canonical == hash else { throw .unknownBlock }
        do throws(JSONRPCError) {
            return Self.list(try coveredLogs(hash, filter))
        } catch {
            guard let equal = equalAnswer(filter) else { throw error }
            return equal
        }
    }

    /// What a node answered to an equal call.
    private func equalAnswer(_ filter: EthereumLogFilter) -> [UInt8]? {
        logAnswers.first { $0.filter == filter }?.result
    }

    private func coveredLogs(
        _ hash: Hash256,
        _ filter: EthereumLogFilter
    ) throws(JSONRPCError) -> [ChainBlock.Log] {
        guard let block = blocks[hash], block.isCovered(filter) else {
            throw .notRecorded("every log of block \(hash) that was asked for")
        }
        return block.logs.filter { filter.matches(address: $0.address, topics: $0.topics) }
    }

    private static func list(_ logs: [ChainBlock.Log]) -> [UInt8] {
        var text = [UInt8(ascii: "[")]
        for (index, log) in logs.enumerated() {
            if index > 0 { text.append(UInt8(ascii: ",")) }
            text.append(contentsOf: log.text)
        }
        text.append(UInt8(ascii: "]"))
        return text
    }

    /// The canonical blocks of a range, in order of height.
    private func canonicalHashes(
        _ first: UInt64,
        _ last: UInt64
    ) throws(JSONRPCError) -> [Hash256] {
        guard first >= floor, last - first < UInt64(limits.blocksMax) else {
            throw .notRecorded("block \(first)")
        }
        guard var hash = canonicalHash(at: last) else { throw .notRecorded("block \(last)") }
        var hashes = [hash]
        var number = last
        while number > first {
            guard let parent = parent(of: hash, at: number) else {
                throw .notRecorded("block \(number - 1)")
            }
            hash = parent
            hashes.append(hash)
            number -= 1
        }
        guard blocks[hash]?.removedBy.isEmpty != false else {
            throw .notRecorded("block \(number)")
        }
        return hashes.reversed()
    }

    /// The block of the canonical chain at a height; nil when the row of parent hashes does not
    /// reach it.
    private func canonicalHash(at number: UInt64) -> Hash256? {
        guard let head, number <= head.number, number >= floor else { return nil }
        guard head.number - number < UInt64(limits.blocksMax) else { return nil }
        var hash = head.hash
        var height = head.number
        while height > number {
            guard let parent = parent(of: hash, at: height) else { return nil }
            hash = parent
            height -= 1
        }
        return blocks[hash]?.removedBy.isEmpty == false ? nil : hash
    }

    /// The parent of a block that the chain holds to; nil where the row breaks.
    private func parent(of hash: Hash256, at number: UInt64) -> Hash256? {
        guard let block = blocks[hash], block.number == number, block.removedBy.isEmpty else {
            return nil
        }
        return block.parentHash
    }
}
