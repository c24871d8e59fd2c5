import MarketModel

/// Puts the calls that the result tells, in groups, behind the instructions of the message that made
/// them. The wire may bring groups in any order and several for one instruction.
struct CallMerger: Sendable {
    /// Of the message, in its order.
    private var instructions: [SolanaTransaction.Instruction] = []
    /// Of the groups, as they came; `inner` is the place among all of them.
    private var calls: [SolanaTransaction.Instruction] = []
    /// Whether the instruction of a call never falls.
    private var isOrdered = true

    /// Forgets everything and keeps the memory.
    mutating func removeAll() {
        instructions.removeAll(keepingCapacity: true)
        calls.removeAll(keepingCapacity: true)
        isOrdered = true
    }

    /// A `CompiledInstruction`. All of them come before the first group.
    mutating func addInstruction(
        _ bytes: RawSpan,
        _ field: ProtobufField
    ) throws(ProtobufError) {
        guard instructions.count < UpdateLimits.instructionsMax else { throw field.tooMany }
        var instruction = try CallMerger.instruction(bytes, try field.delimited(), hasHeight: false)
        instruction.outer = UInt16(truncatingIfNeeded: instructions.count)  // within the limit
        instruction.stackHeight = 1
        instructions.append(instruction)
    }

    /// An `InnerInstructions`: its instruction's index may stand behind the calls.
    mutating func addGroup(_ bytes: RawSpan, _ group: ProtobufField) throws(ProtobufError) {
        let range = try group.delimited()
        let first = calls.count
        var index: UInt32 = 0
        var offset = range.lowerBound
        while let field = try ProtobufReader.next(bytes, at: &offset, end: range.upperBound) {
            switch field.number {
            case 1: index = try field.uint32()
            case 2:
                guard calls.count < UpdateLimits.callsMax else { throw field.tooMany }
                var call = try CallMerger.instruction(
                    bytes,
                    try field.delimited(),
                    hasHeight: true
                )
                call.inner = UInt16(truncatingIfNeeded: calls.count)  // within the limit
                calls.append(call)
            default: break
            }
        }
        guard index < UInt32(instructions.count) else {
            throw .unknownInstruction(index: index, offset: group.start)
        }
        guard first < calls.count else { return }
        let outer = UInt16(truncatingIfNeeded: index)  // below the count, which is within the limit
        if first > 0, outer < calls[first - 1].outer { isOrdered = false }
        for place in first..<calls.count { calls[place].outer = outer }
    }

    /// Appends everything in the order of execution, calls numbered from 1 below each instruction.
    mutating func merge(into merged: inout [SolanaTransaction.Instruction]) {
        if !isOrdered {
            calls.sort { ($0.outer, $0.inner) < ($1.outer, $1.inner) }
        }
        merged.reserveCapacity(instructions.count + calls.count)
        var next = 0
        for instruction in instructions {
            merged.append(instruction)
            var inner: UInt16 = 0
            while next < calls.count, calls[next].outer == instruction.outer {
                inner += 1  // at most `callsMax`
                var call = calls[next]
                call.inner = inner
                merged.append(call)
                next += 1
            }
        }
        precondition(next == calls.count, "every call belongs to an instruction")
    }

    /// A `CompiledInstruction` or, with a height, an `InnerInstruction`.
    @inline(__always)
    private static func instruction(
        _ bytes: RawSpan,
        _ range: Range<Int>,
        hasHeight: Bool
    ) throws(ProtobufError) -> SolanaTransaction.Instruction {
        var instruction = SolanaTransaction.Instruction(
            outer: 0,
            inner: 0,
            program: 0,
            accounts: range.lowerBound..<range.lowerBound,
            data: range.lowerBound..<range.lowerBound,
            stackHeight: nil
        )
        var offset = range.lowerBound
        while let field = try ProtobufReader.next(bytes, at: &offset, end: range.upperBound) {
            switch field.number {
            case 1: instruction.program = try field.uint32()
            case 2: instruction.accounts = try field.delimited()
            case 3: instruction.data = try field.delimited()
            case 4 where hasHeight: instruction.stackHeight = try field.uint32()
            default: break
            }
        }
        return instruction
    }
}
