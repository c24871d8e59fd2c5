import MarketModel
import RecordModel

/// How the reading of one call of a market went.
struct CallOutcome {
    /// Whether the event came that its instruction is there for.
    var hasResult = false
    /// The first thing that could not be read.
    private(set) var failure: ParseFailure?

    mutating func fail(_ failure: ParseFailure) {
        if self.failure == nil { self.failure = failure }
    }

    /// Counts a call. A candidate is an instruction of a market that moves or makes something: it
    /// has an event to give.
    func count(_ program: SolanaProgram, isCandidate: Bool, in tally: inout ParseTally) {
        if let failure {
            tally.fail(program, failure)
        } else if isCandidate {
            if hasResult { tally.succeed(program) } else { tally.fail(program, .noEvent) }
        }
    }
}

extension ProgramWalk {
    /// The first eight bytes of a call's data, big-endian; nil when there are fewer.
    func discriminator(
        of call: Int,
        _ transaction: SolanaTransaction,
        _ bytes: RawSpan
    )
        -> UInt64?
    {
        let data = transaction.instructions[call].data
        guard data.count >= 8 else { return nil }
        return bytes.littleEndianUInt64(at: data.lowerBound).byteSwapped
    }

    /// The events of a call.
    func events(of call: Int) -> Range<Int> {
        let first = Int(calls[call].firstEvent)
        return first..<first + Int(calls[call].eventCount)
    }

    /// Whether any call of a program lies below a call.
    func hasCall(of program: SolanaProgram, below call: Int) -> Bool {
        for position in call + 1..<max(Int(calls[call].end), call + 1)
        where calls[position].program == program && !calls[position].isEvent {
            return true
        }
        return false
    }
}
