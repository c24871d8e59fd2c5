package import MarketModel
import RecordModel

/// The calls of one transaction as a tree, and the events that market programs gave in them. One
/// value is filled again and again, so that walking allocates nothing once its lists have grown.
///
/// An event is the work of the program on top of the invoke stack, never of whoever mentions its
/// discriminator: other programs use the same ones. It comes either as a call of the program to
/// itself or as a `Program data:` line, mostly as both; it is listed once.
package struct ProgramWalk {
    /// One call, at the same place as its instruction in the transaction.
    package struct Call: Hashable, Sendable {
        /// What was called.
        package var program: SolanaProgram
        /// Whether a program called itself to leave an event; no market instruction then.
        package var isEvent = false
        /// Whether it was made below a call of a market.
        package var isUnderMarket = false
        /// 1 for a top-level instruction.
        package var depth: UInt8
        /// The call that made it; -1 for a top-level instruction.
        package var parent: Int32 = -1
        /// One past the last call made below it.
        package var end: Int32 = 0
        /// The events that it gave, in `events`.
        package var firstEvent: Int32 = 0
        package var eventCount: Int32 = 0
    }

    /// One event or log entry of a market program.
    package struct Event: Hashable, Sendable {
        /// Who gave it.
        package var program: SolanaProgram
        /// The market call that gave it; -1 when the logs do not agree with the calls.
        package var call: Int32
        /// The top-level instruction below which it was given.
        package var outer: UInt16
        /// Its bytes in `payloads`, the discriminator first; of a ray_log, all of it.
        package var payload: Range<Int>
        /// Whether it is a `ray_log` line and not an event of Anchor's form.
        package var isRayLog = false
        /// Whether the runtime had cut the logs before it.
        package var isBehindCut = false
        /// Why there are no bytes; nil when there are.
        package var fault: ParseFailure?
    }

    /// In order of execution, as many as the transaction has instructions.
    package internal(set) var calls: [Call] = []
    /// By rising call, then in the order in which they were given; those without a call last.
    package internal(set) var events: [Event] = []
    /// The bytes of all events.
    package internal(set) var payloads: [UInt8] = []
    /// Where the events without a call begin.
    package internal(set) var orphans = 0
    /// Whether the runtime cut the logs.
    package internal(set) var hasCutLogs = false

    /// What the logs brought.
    var lines = LogScan()
    /// Whether the wire tells how deep every call is.
    var knowsHeights = true
    /// Events that calls brought, per program.
    var callEvents = ProgramCounts()
    /// The calls that are open while the tree is built.
    var open: [Int32] = []

    package init() {}

    /// The bytes of the tag that begins an event in a call, lowest first.
    static let eventTag: UInt64 = 0x1d9a_cb51_2ea5_45e4

    /// Reads the calls and events of a transaction; what the value held before is forgotten.
    ///
    /// - Parameters:
    ///   - transaction: as read from `bytes`.
    ///   - bytes: what the ranges count in.
    ///   - tally: calls that name no program and what is above a limit are counted here.
    package mutating func read(
        _ transaction: SolanaTransaction,
        _ bytes: RawSpan,
        tally: inout ParseTally
    ) {
        calls.removeAll(keepingCapacity: true)
        events.removeAll(keepingCapacity: true)
        payloads.removeAll(keepingCapacity: true)
        callEvents = ProgramCounts()
        listCalls(transaction, tally: &tally)
        lines.read(transaction, bytes, calls)
        hasCutLogs = lines.isCut
        if !knowsHeights { takeDepthsFromLogs(transaction) }
        linkCalls(transaction, bytes)
        takeEventsFromCalls(transaction, bytes, tally: &tally)
        takeEventsFromLogs(bytes, tally: &tally)
        sortEvents()
    }

    /// The account at a position of a call's list.
    ///
    /// - Returns: nil when the list is shorter or names no key.
    package func account(
        _ position: Int,
        of call: Int,
        _ transaction: SolanaTransaction,
        _ bytes: RawSpan
    ) -> Address? {
        guard let index = accountIndex(position, of: call, transaction, bytes),
            index < transaction.keys.count
        else { return nil }
        return transaction.keys[index]
    }

    /// Where the account at a position of a call's list stands among the keys; it may lie outside.
    ///
    /// - Returns: nil when the list is shorter.
    package func accountIndex(
        _ position: Int,
        of call: Int,
        _ transaction: SolanaTransaction,
        _ bytes: RawSpan
    ) -> Int? {
        let accounts = transaction.instructions[call].accounts
        guard position >= 0, position < accounts.count else { return nil }
        return Int(bytes.byte(at: accounts.lowerBound + position))
    }

    private mutating func listCalls(_ transaction: SolanaTransaction, tally: inout ParseTally) {
        knowsHeights = true
        let keys = transaction.keys
        for instruction in transaction.instructions {
            var program = SolanaProgram.other
            if Int(instruction.program) < keys.count {
                program = SolanaProgram(keys[Int(instruction.program)])
            } else {
                tally.callsWithoutProgram &+= 1
            }
            var depth: UInt8 = 1
            if instruction.inner > 0 {
                if let height = instruction.stackHeight {
                    depth = UInt8(clamping: max(height, 2))
                } else {
                    knowsHeights = false
                    depth = 2
                }
            }
            calls.append(Call(program: program, depth: depth))
        }
    }

    /// The wire of older nodes tells no heights. When there are as many invoke lines as calls, they
    /// tell them.
    private mutating func takeDepthsFromLogs(_ transaction: SolanaTransaction) {
        guard !lines.isCut, !lines.isInconsistent, lines.depths.count == calls.count else { return }
        for (position, depth) in lines.depths.enumerated() {
            guard (depth == 1) == (transaction.instructions[position].inner == 0) else { return }
        }
        for (position, depth) in lines.depths.enumerated() { calls[position].depth = depth }
        knowsHeights = true
    }

    /// Finds the parent and the end of every call.
    private mutating func linkCalls(_ transaction: SolanaTransaction, _ bytes: RawSpan) {
        open.removeAll(keepingCapacity: true)
        for position in calls.indices {
            // A height above what is open is no height: the call is a child of the last one.
            let isTop = transaction.instructions[position].inner == 0
            let depth = isTop ? 1 : min(Int(calls[position].depth), open.count + 1)
            while open.count >= depth {
                calls[Int(open.removeLast())].end = Int32(position)
            }
            calls[position].depth = UInt8(clamping: depth)
            calls[position].parent = open.last ?? -1
            open.append(Int32(position))
        }
        for position in open { calls[Int(position)].end = Int32(calls.count) }
        if !knowsHeights { guessEnds(transaction, bytes) }
        var covered = 0
        for position in calls.indices {
            calls[position].isUnderMarket = position < covered
            if calls[position].program.isMarket { covered = max(covered, Int(calls[position].end)) }
        }
    }

    /// Without heights every call below the top seems to have no calls below it: a market's reach
    /// to the next call of a market.
    private mutating func guessEnds(_ transaction: SolanaTransaction, _ bytes: RawSpan) {
        var end = calls.count
        for position in calls.indices.reversed() {
            let isTop = transaction.instructions[position].inner == 0
            if !isTop, calls[position].program.isMarket { calls[position].end = Int32(end) }
            if isTop
                || calls[position].program.isMarket && !carriesEvent(position, transaction, bytes)
            {
                end = position
            }
        }
    }

    /// Whether a call is one that a market makes to itself to leave an event. That it does is to be
    /// seen from its parent.
    func carriesEvent(
        _ position: Int,
        _ transaction: SolanaTransaction,
        _ bytes: RawSpan
    ) -> Bool {
        let instruction = transaction.instructions[position]
        return calls[position].program.isMarket && instruction.inner > 0
            && instruction.accounts.count == 1 && instruction.data.count >= 16
            && bytes.littleEndianUInt64(at: instruction.data.lowerBound) == ProgramWalk.eventTag
    }
}

/// A number for each market program.
struct ProgramCounts {
    private var counts: InlineArray<7, Int> = .init(repeating: 0)

    subscript(program: SolanaProgram) -> Int {
        get { program.isMarket ? counts[Int(program.rawValue)] : 0 }
        set { if program.isMarket { counts[Int(program.rawValue)] = newValue } }
    }
}
