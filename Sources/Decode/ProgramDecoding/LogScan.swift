import MarketModel
import RecordModel

/// What the log lines of one transaction bring: the lines of market programs that may be events,
/// each with the call that wrote it.
struct LogScan {
    /// A line that may hold an event.
    struct Entry {
        var program: SolanaProgram
        /// The call that wrote it; -1 when no call fits.
        var call: Int32
        /// Top-level calls that had begun.
        var tops: Int
        /// The Base64 text.
        var text: Range<Int>
        var isRayLog: Bool
        /// More than there is room for.
        var isTooLarge = false
    }

    private struct Frame {
        var program: SolanaProgram
        var call: Int32
        var id: Range<Int>
    }

    /// The runtime allows fewer calls in one another.
    static let depthMax = 64
    /// No transaction has room for more: a call takes bytes of it, and logs end at 10,000 bytes.
    static let entriesMax = 512

    private(set) var entries: [Entry] = []
    /// Lines that may be events, per program.
    private(set) var counts = ProgramCounts()
    /// How many lines were left out because there are too many.
    private(set) var leftOut = ProgramCounts()
    /// The depth of every invoke line.
    private(set) var depths: [UInt8] = []
    private(set) var isCut = false
    /// Whether lines do not follow one another as calls do.
    private(set) var isInconsistent = false

    private var frames: [Frame] = []
    private var next = ProgramCounts()
    private var tops = 0

    mutating func read(
        _ transaction: SolanaTransaction,
        _ bytes: RawSpan,
        _ calls: [ProgramWalk.Call]
    ) {
        removeAll()
        for line in transaction.logs {
            switch LogLine.read(bytes, line) {
            case .other: break
            case .invoke(let id, let depth): enter(id, depth, transaction, bytes, calls)
            case .returned(let id): leave(id, bytes)
            case .data(let text): note(text, isRayLog: false)
            case .rayLog(let text): note(text, isRayLog: true)
            case .cut: isCut = true
            }
        }
        if !isCut, !frames.isEmpty { isInconsistent = true }
    }

    private mutating func removeAll() {
        entries.removeAll(keepingCapacity: true)
        counts = ProgramCounts()
        leftOut = ProgramCounts()
        depths.removeAll(keepingCapacity: true)
        isCut = false
        isInconsistent = false
        frames.removeAll(keepingCapacity: true)
        next = ProgramCounts()
        tops = 0
    }

    private mutating func enter(
        _ id: Range<Int>,
        _ depth: UInt8,
        _ transaction: SolanaTransaction,
        _ bytes: RawSpan,
        _ calls: [ProgramWalk.Call]
    ) {
        if depth == 1 { tops += 1 }
        if depths.count <= calls.count { depths.append(depth) }
        let above = Int(depth) - 1
        if above < frames.count {
            isInconsistent = true
            frames.removeSubrange(above...)
        }
        guard above == frames.count, above < LogScan.depthMax else {
            isInconsistent = true
            return
        }
        var frame = Frame(program: SolanaProgram(text: bytes, id), call: -1, id: id)
        if frame.program.isMarket {
            frame.call = take(frame.program, depth, transaction, calls)
        }
        frames.append(frame)
    }

    /// The next call of a program that was not met in the logs yet. A program of a market never
    /// fails to log its calls, but the wire may leave calls below the top out.
    private mutating func take(
        _ program: SolanaProgram,
        _ depth: UInt8,
        _ transaction: SolanaTransaction,
        _ calls: [ProgramWalk.Call]
    ) -> Int32 {
        var position = next[program]
        while position < calls.count {
            if calls[position].program == program {
                let instruction = transaction.instructions[position]
                let fits =
                    switch (instruction.inner, instruction.stackHeight) {
                    case (0, _): depth == 1
                    case (_, nil): depth > 1
                    default: calls[position].depth == depth
                    }
                if fits {
                    next[program] = position + 1
                    return Int32(position)
                }
            }
            position += 1
        }
        return -1
    }

    private mutating func leave(_ id: Range<Int>, _ bytes: RawSpan) {
        guard let last = frames.lastIndex(where: { isSame(bytes, $0.id, id) }) else {
            isInconsistent = true
            return
        }
        if last < frames.count - 1 { isInconsistent = true }
        frames.removeSubrange(last...)
    }

    private mutating func note(_ text: Range<Int>, isRayLog: Bool) {
        guard let frame = frames.last, frame.program.isMarket,
            isRayLog == (frame.program == .raydiumV4)
        else { return }
        guard entries.count < LogScan.entriesMax else {
            leftOut[frame.program] += 1
            return
        }
        counts[frame.program] += 1
        entries.append(
            Entry(
                program: frame.program,
                call: frame.call,
                tops: tops,
                text: text,
                isRayLog: isRayLog
            )
        )
    }

    /// Whether two texts of 32 to 44 bytes are equal.
    private func isSame(_ bytes: RawSpan, _ left: Range<Int>, _ right: Range<Int>) -> Bool {
        guard left.count == right.count else { return false }
        let last = left.count - 8
        return isSameWord(bytes, left, right, 0) && isSameWord(bytes, left, right, 8)
            && isSameWord(bytes, left, right, 16) && isSameWord(bytes, left, right, 24)
            && isSameWord(bytes, left, right, last)
    }

    private func isSameWord(
        _ bytes: RawSpan,
        _ left: Range<Int>,
        _ right: Range<Int>,
        _ offset: Int
    ) -> Bool {
        bytes.littleEndianUInt64(at: left.lowerBound + offset)
            == bytes.littleEndianUInt64(at: right.lowerBound + offset)
    }
}

extension SolanaProgram {
    /// The market whose address has this Base58 text; `other` for anything else.
    init(text bytes: RawSpan, _ id: Range<Int>) {
        // The first eight characters, as a little-endian word.
        switch bytes.littleEndianUInt64(at: id.lowerBound) {
        case 0x6365_7272_3846_4536, 0x3679_6142_4d4d_4170, 0x4d39_5850_6b35_3736,
            0x4c38_6f6f_4d4d_5043, 0x356f_7a43_4d4d_4143, 0x4173_3956_4d6e_614c:
            guard let address = Address(base58: bytes, id) else {
                self = .other
                return
            }
            let program = SolanaProgram(address)
            self = program.isMarket ? program : .other
        default: self = .other
        }
    }
}
