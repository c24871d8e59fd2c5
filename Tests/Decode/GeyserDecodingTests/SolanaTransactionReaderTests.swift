import GeyserDecoding
import MarketModel
import Testing

/// A transaction whose every list can be given as it shall stand on the wire.
private struct MadeInfo {
    var keys: [[UInt8]] = [key(1), key(2)]
    var instructions: [[UInt8]] = []
    /// Fields of the result, tags included.
    var result: [UInt8] = []

    var info: [UInt8] {
        let body = message {
            for key in keys { W.bytes(2, key, to: &$0) }
            for instruction in instructions { W.bytes(4, instruction, to: &$0) }
        }
        return message {
            W.bytes(1, signatureBytes(9), to: &$0)
            W.bytes(3, message { W.bytes(2, body, to: &$0) }, to: &$0)
            W.bytes(4, result, to: &$0)
            W.uint64(5, 7, to: &$0)
        }
    }
}

/// An instruction or call of program 1 with one byte of data.
private func call(_ data: UInt8, height: UInt64? = nil) -> [UInt8] {
    message {
        W.uint64(1, 1, to: &$0)
        W.bytes(2, [0], to: &$0)
        W.bytes(3, [data], to: &$0)
        if let height { W.uint64(4, height, to: &$0) }
    }
}

/// A group of calls below an instruction, with its tag.
private func group(_ index: UInt64, _ data: [UInt8], indexLast: Bool = false) -> [UInt8] {
    message { out in
        let group = message {
            if !indexLast { W.uint64(1, index, to: &$0) }
            for byte in data { W.bytes(2, call(byte, height: 2), to: &$0) }
            if indexLast { W.uint64(1, index, to: &$0) }
        }
        W.bytes(5, group, to: &out)
    }
}

private func read(_ info: [UInt8]) throws -> PlainTransaction {
    var reader = SolanaTransactionReader()
    try reader.readAll(info.span.bytes, 0..<info.count)
    return PlainTransaction(reader.transaction, info)
}

private func refusal(_ info: [UInt8]) -> ProtobufError? {
    var reader = SolanaTransactionReader()
    do throws(ProtobufError) {
        try reader.readAll(info.span.bytes, 0..<info.count)
        return nil
    } catch {
        return error
    }
}

/// `tag, length 0` as often as wanted.
private func empties(_ field: UInt8, _ count: Int) -> [UInt8] {
    [[UInt8]](repeating: [field << 3 | 2, 0], count: count).flatMap { $0 }
}

@Suite struct SolanaTransactionReaderTests {
    @Test func `calls stand behind their instruction, whatever order the groups have`() throws {
        var made = MadeInfo(instructions: [call(10), call(20), call(30)])
        made.result = group(2, [31]) + group(0, [11, 12]) + group(2, [32], indexLast: true)
        let calls = try read(made.info).calls
        #expect(calls.map(\.data) == [[10], [11], [12], [20], [30], [31], [32]])
        #expect(calls.map(\.outer) == [0, 0, 0, 1, 2, 2, 2])
        #expect(calls.map(\.inner) == [0, 1, 2, 0, 0, 1, 2])
        #expect(calls.map(\.stackHeight) == [1, 2, 2, 1, 1, 2, 2])
    }

    @Test func `groups in order are numbered on where an instruction has two`() throws {
        var made = MadeInfo(instructions: [call(10), call(20)])
        made.result = group(0, [11]) + group(0, []) + group(0, [12]) + group(1, [21])
        let calls = try read(made.info).calls
        #expect(calls.map(\.data) == [[10], [11], [12], [20], [21]])
        #expect(calls.map(\.inner) == [0, 1, 2, 0, 1])
    }

    @Test func `a call without a height has none, and an instruction's is always one`() throws {
        var made = MadeInfo(instructions: [call(10, height: 9), call(11) + [0x22, 1, 5]])
        made.result = message {
            W.bytes(5, message { W.bytes(2, call(20), to: &$0) }, to: &$0)
        }
        #expect(try read(made.info).calls.map(\.stackHeight) == [1, nil, 1])
    }

    @Test(arguments: [UInt64(2), 255, 65_536, 4_294_967_295])
    func `calls of an instruction that is not there are refused`(index: UInt64) {
        var made = MadeInfo(instructions: [call(10), call(20)])
        made.result = group(index, [1])
        let offset = made.info.count - made.result.count - 2
        #expect(
            refusal(made.info) == .unknownInstruction(index: UInt32(index), offset: offset)
        )
        made.result = group(index, [])
        #expect(refusal(made.info) != nil)
    }

    @Test func `the low 32 bits of an index count, as for every protobuf runtime`() throws {
        var made = MadeInfo(instructions: [call(10), call(20)])
        made.result = group(1 << 32 | 1, [21])
        #expect(try read(made.info).calls.map(\.data) == [[10], [20], [21]])
    }

    @Test func `loaded keys stand behind the static ones, writable before readonly`() throws {
        var made = MadeInfo(keys: [key(1)])
        made.result = message {
            W.bytes(13, key(5), to: &$0)
            W.bytes(12, key(3), to: &$0)
            W.bytes(13, key(6), to: &$0)
            W.bytes(12, key(4), to: &$0)
        }
        #expect(try read(made.info).keys == [key(1), key(3), key(4), key(5), key(6)])
    }

    @Test func `a key of another length keeps its place as the zero address`() throws {
        var made = MadeInfo(keys: [key(1), [UInt8](key(2)[..<31]), key(3)])
        made.result = message { W.bytes(12, key(4) + [4], to: &$0) }
        #expect(try read(made.info).keys == [key(1), key(0), key(3), key(0)])
    }

    @Test func `lamports are read packed, one by one, and mixed`() throws {
        var made = MadeInfo()
        made.result = message {
            W.bytes(3, [1, 0x80, 1, 0], to: &$0)
            W.uint64(3, 7, to: &$0)
            W.bytes(3, [], to: &$0)
            W.bytes(3, [9], to: &$0)
            W.uint64(4, .max, to: &$0)
        }
        let read = try read(made.info)
        #expect(read.lamportsBefore == [1, 128, 0, 7, 9])
        #expect(read.lamportsAfter == [.max])
    }

    @Test func `of a plain field that stands twice the last counts`() throws {
        let balance = message {
            W.uint64(1, 3, to: &$0)
            W.uint64(1, 4, to: &$0)
            W.text(2, "a", to: &$0)
            W.text(2, "mint", to: &$0)
            let amount = message {
                W.text(3, "1", to: &$0)
                W.text(3, "22", to: &$0)
                W.uint64(2, 6, to: &$0)
                W.uint64(2, 9, to: &$0)
            }
            W.bytes(3, amount, to: &$0)
            W.text(4, "b", to: &$0)
            W.text(4, "owner", to: &$0)
        }
        var made = MadeInfo()
        made.result = message {
            W.uint64(2, 5000, to: &$0)
            W.uint64(2, 6000, to: &$0)
            W.uint64(16, 1, to: &$0)
            W.uint64(16, 2, to: &$0)
            W.bytes(7, balance, to: &$0)
        }
        let twice = made.info + [0x28, 8, 0x10, 1, 0x10, 0]
        let read = try read(twice)
        #expect(read.fee == 6000)
        #expect(read.computeUnits == 2)
        #expect(read.index == 8)
        #expect(!read.isVote)
        #expect(
            read.tokensBefore == [
                PlainTransaction.Balance(
                    account: 4,
                    mint: Array("mint".utf8),
                    owner: Array("owner".utf8),
                    amount: Array("22".utf8),
                    decimals: 9
                )
            ]
        )
    }

    @Test func `a message field that stands twice is refused`() {
        let info = MadeInfo().info
        let twice: [([UInt8], UInt32)] = [
            (info + [0x1a, 0], 3),
            (info + [0x22, 0], 4),
            ([0x1a, 4, 0x12, 0, 0x12, 0], 2),
            ([0x22, 4, 0x0a, 0, 0x0a, 0], 1),
            ([0x22, 6, 0x3a, 4, 0x1a, 0, 0x1a, 0], 3),
        ]
        for (bytes, field) in twice {
            guard case .repeatedMessage(field, _) = refusal(bytes) else {
                Issue.record("field \(field): \(String(describing: refusal(bytes)))")
                continue
            }
        }
    }

    @Test func `a field of another wire type is refused`() {
        #expect(refusal([0x18, 1]) == .wrongWireType(field: 3, offset: 0))
        #expect(refusal([0x22, 2, 0x28, 1]) == .wrongWireType(field: 5, offset: 2))
        #expect(refusal([0x22, 2, 0x12, 0]) == .wrongWireType(field: 2, offset: 2))
        #expect(refusal([0x22, 5, 0x1d, 0, 0, 0, 0]) == .wrongWireType(field: 3, offset: 2))
    }

    @Test func `of a vote the head tells only what it is`() throws {
        var made = MadeInfo(instructions: [call(10)])
        made.result = message { W.bytes(1, [], to: &$0) } + group(0, [11])
        let info = made.info + [0x10, 1]
        var reader = SolanaTransactionReader()
        try reader.readHead(info.span.bytes, 0..<info.count)
        let head = PlainTransaction(reader.transaction, info)
        #expect(head.signature == signatureBytes(9))
        #expect(head.index == 7)
        #expect(head.isVote)
        #expect(!head.isFailed)
        #expect(head.keys.isEmpty)
        #expect(!reader.mentions(WatchedAddresses([Address(Bytes32())])))
        try reader.readBody(info.span.bytes)
        let whole = PlainTransaction(reader.transaction, info)
        #expect(whole.isFailed)
        #expect(whole.keys == [key(1), key(2)])
        #expect(whole.calls.map(\.data) == [[10], [11]])
    }

    @Test func `nothing of one transaction is left in the next`() throws {
        var made = MadeInfo(instructions: [call(10)])
        made.result =
            message {
                W.bytes(1, [], to: &$0)
                W.uint64(2, 1, to: &$0)
                W.uint64(3, 1, to: &$0)
                W.uint64(4, 1, to: &$0)
                W.text(6, "line", to: &$0)
                W.bytes(7, [8, 1], to: &$0)
                W.bytes(8, [8, 1], to: &$0)
                W.bytes(13, key(4), to: &$0)
                W.uint64(16, 2, to: &$0)
            } + group(0, [11])
        let first = made.info + [0x10, 1]
        var reader = SolanaTransactionReader()
        try reader.readAll(first.span.bytes, 0..<first.count)
        try reader.readAll([UInt8]().span.bytes, 0..<0)
        #expect(PlainTransaction(reader.transaction, []) == PlainTransaction())
        // The body is read once: what it was read from is gone.
        try reader.readBody([UInt8]().span.bytes)
        #expect(PlainTransaction(reader.transaction, []) == PlainTransaction())
    }

    @Test func `keys are looked up among static and loaded ones`() throws {
        var made = MadeInfo(keys: [key(1)])
        made.result = message {
            W.bytes(12, key(3), to: &$0)
            W.bytes(13, key(5), to: &$0)
        }
        let info = made.info
        var reader = SolanaTransactionReader()
        try reader.readHead(info.span.bytes, 0..<info.count)
        func watched(_ bytes: UInt8...) -> WatchedAddresses {
            WatchedAddresses(bytes.compactMap { Bytes32(key($0)).map { Address($0) } })
        }
        for present in [UInt8(1), 3, 5] {
            #expect(reader.mentions(watched(present)))
            #expect(reader.mentions(watched(7, 8, present, 9)))
        }
        #expect(!reader.mentions(watched()))
        #expect(!reader.mentions(watched(0, 2, 4, 6, 7)))
    }

    @Test func `addresses that share a place of the hash are told apart`() {
        var generator = SeededGenerator(state: 7)
        func random() -> Address {
            // Half of them differ in the last byte alone.
            var bytes = key(UInt8.random(in: 0..<4, using: &generator))
            bytes[31] = UInt8.random(in: 0...255, using: &generator)
            if Bool.random(using: &generator) {
                for place in 0..<8 { bytes[place] = .random(in: 0...255, using: &generator) }
            }
            guard let storage = Bytes32(bytes) else { preconditionFailure("32 bytes") }
            return Address(storage)
        }
        for count in [1, 2, 9, 700] {
            let members = Set((0..<count).map { _ in random() })
            let watched = WatchedAddresses(members)
            #expect(watched.addresses == members.sorted())
            for address in members { #expect(watched.contains(address)) }
            for _ in 0..<2000 {
                let other = random()
                #expect(watched.contains(other) == members.contains(other))
            }
        }
    }

    // MARK: Limits

    @Test(arguments: [
        (2, UInt32(2), UpdateLimits.keysMax),
        (4, 4, UpdateLimits.instructionsMax),
    ])
    func `one element more than a message may have is refused`(
        field: Int,
        reported: UInt32,
        limit: Int
    ) {
        func info(_ count: Int) -> [UInt8] {
            let body = empties(UInt8(field), count)
            return message { W.bytes(3, message { W.bytes(2, body, to: &$0) }, to: &$0) }
        }
        #expect(refusal(info(limit)) == nil)
        guard case .tooMany(reported, let offset) = refusal(info(limit + 1)) else {
            Issue.record("not refused")
            return
        }
        #expect(offset == info(limit + 1).count - 2)
        guard case .tooMany(reported, _) = refusal(info(1_000_000)) else {
            Issue.record("a million is not refused")
            return
        }
    }

    @Test(
        arguments: [
            (6, UpdateLimits.logsMax), (7, UpdateLimits.balancesMax),
            (8, UpdateLimits.balancesMax), (12, UpdateLimits.keysMax),
            (13, UpdateLimits.keysMax),
        ] as [(UInt8, Int)]
    )
    func `one element more than a result may have is refused`(field: UInt8, limit: Int) {
        func info(_ count: Int) -> [UInt8] {
            message { W.bytes(4, empties(field, count), to: &$0) }
        }
        #expect(refusal(info(limit)) == nil)
        for count in [limit + 1, 1_000_000] {
            guard case .tooMany(UInt32(field), _) = refusal(info(count)) else {
                Issue.record("\(count) are not refused")
                continue
            }
        }
    }

    @Test func `loaded and static keys share one limit`() {
        var made = MadeInfo(keys: [[UInt8]](repeating: [], count: UpdateLimits.keysMax - 2))
        made.result = message {
            W.bytes(13, [], to: &$0)
            W.bytes(12, [], to: &$0)
        }
        #expect(refusal(made.info) == nil)
        made.result += message { W.bytes(12, [], to: &$0) }
        #expect(refusal(made.info) != nil)
    }

    @Test func `lamports are limited in both forms`() {
        let limit = UpdateLimits.balancesMax
        let varints = { (count: Int) in
            message {
                W.bytes(4, [[UInt8]](repeating: [0x18, 0], count: count).flatMap { $0 }, to: &$0)
            }
        }
        let packed = { (count: Int) in
            message { out in
                let list = message { W.bytes(3, [UInt8](repeating: 0, count: count), to: &$0) }
                W.bytes(4, list, to: &out)
            }
        }
        for make in [varints, packed] {
            #expect(refusal(make(limit)) == nil)
            for count in [limit + 1, 1_000_000] {
                guard case .tooMany(3, _) = refusal(make(count)) else {
                    Issue.record("\(count) are not refused")
                    continue
                }
            }
        }
    }

    @Test func `calls are limited over all groups, and empty groups cost nothing`() {
        let limit = UpdateLimits.callsMax
        func info(_ perGroup: Int, _ groups: Int) -> [UInt8] {
            var made = MadeInfo(instructions: [call(1)])
            let group = message { W.bytes(5, empties(2, perGroup), to: &$0) }
            made.result = [[UInt8]](repeating: group, count: groups).flatMap { $0 }
            return made.info
        }
        #expect(refusal(info(0, 1_000_000)) == nil)
        #expect(refusal(info(limit, 1)) == nil)
        #expect(refusal(info(limit / 4, 4)) == nil)
        for (perGroup, groups) in [(limit + 1, 1), (limit / 4, 5), (1_000_000, 1)] {
            guard case .tooMany(2, _) = refusal(info(perGroup, groups)) else {
                Issue.record("\(perGroup) times \(groups) are not refused")
                continue
            }
        }
    }

    @Test func `the limits fit the numbers that count within them`() {
        #expect(UpdateLimits.instructionsMax <= Int(UInt16.max) + 1)
        #expect(UpdateLimits.callsMax <= Int(UInt16.max))
        #expect(UpdateLimits.keysMax == Int(UInt8.max) + 1)
    }

    // MARK: Hostile bytes

    /// Runs every typed reader over the bytes; whatever they are, it ends.
    static func takeAll(_ bytes: [UInt8], _ reader: inout SolanaTransactionReader) -> Bool {
        let span = bytes.span.bytes
        do throws(ProtobufError) {
            switch try SolanaUpdate(of: span) {
            case .transaction(let transaction):
                if let info = transaction.info { try reader.readAll(span, info) }
                _ = PlainTransaction(reader.transaction, bytes)
            case .account(let account):
                if let contents = account.contents { _ = [UInt8](bytes[contents.data]) }
            case .slot(let slot):
                if let error = slot.deadError { _ = [UInt8](bytes[error]) }
            case .block(let block):
                var parts = block.parts
                while let part = try parts.next(span) {
                    switch part {
                    case .transaction(let info):
                        try reader.readAll(span, info)
                        _ = PlainTransaction(reader.transaction, bytes)
                    case .account(let info):
                        _ = [UInt8](bytes[try AccountContents(span, info).data])
                    case .entry(let range): _ = try EntryUpdate(span, range)
                    }
                }
            case .transactionStatus, .blockMeta, .entry, .none: break
            }
            return true
        } catch {
            return false
        }
    }

    @Test func `every truncation and every flipped bit ends in values or an error`() throws {
        var made = MadeInfo(instructions: [call(10), call(20)])
        made.result =
            message {
                W.bytes(3, [1, 0x80, 1, 0], to: &$0)
                W.text(6, "line", to: &$0)
                W.bytes(7, [8, 1, 0x12, 1, 65, 0x1a, 4, 0x10, 6, 0x1a, 0, 0x22, 1, 66], to: &$0)
                W.bytes(13, key(4), to: &$0)
            } + group(1, [21]) + group(0, [11])
        let transaction = update(4, message { W.bytes(1, made.info, to: &$0) })
        var reader = SolanaTransactionReader()
        var accepted = 0
        for seed in HostileUpdateTests.seeds + [transaction] {
            #expect(SolanaTransactionReaderTests.takeAll(seed, &reader))
            for length in 0..<seed.count {
                _ = SolanaTransactionReaderTests.takeAll([UInt8](seed[..<length]), &reader)
            }
            for bit in 0..<seed.count * 8 {
                var bytes = seed
                bytes[bit / 8] ^= 1 << UInt8(bit % 8)
                if SolanaTransactionReaderTests.takeAll(bytes, &reader) { accepted += 1 }
            }
        }
        #expect(accepted > 1000)
    }

    @Test(.enabled(if: SharedRecordings.isPresent, SharedRecordings.absent))
    func `real transactions, cut or with a flipped bit, end in values or an error`() throws {
        let messages = try SharedRecordings.messages("real.bin").filter { $0.count < 6000 }
        var reader = SolanaTransactionReader()
        for message in messages.prefix(300).enumerated().filter({ $0.offset % 75 == 0 }) {
            let seed = message.element
            #expect(SolanaTransactionReaderTests.takeAll(seed, &reader))
            for length in 0..<seed.count {
                _ = SolanaTransactionReaderTests.takeAll([UInt8](seed[..<length]), &reader)
            }
            for place in seed.indices {
                var bytes = seed
                bytes[place] ^= 1 << UInt8(place % 8)
                _ = SolanaTransactionReaderTests.takeAll(bytes, &reader)
            }
        }
    }

    @Test func `a block of a million empty parts is walked without a list of them`() throws {
        for field in [UInt8(6), 11, 13] {
            let bytes = update(5, empties(field, 1_000_000))
            guard case .block(let block) = try SolanaUpdate(of: bytes.span.bytes) else {
                Issue.record("not a block")
                return
            }
            var parts = block.parts
            var count = 0
            while try parts.next(bytes.span.bytes) != nil { count += 1 }
            #expect(count == 1_000_000)
        }
    }

    @Test func `two kinds in one update are refused`() {
        let two = message {
            W.bytes(3, [], to: &$0)
            W.bytes(8, [8, 1], to: &$0)
        }
        #expect(throws: ProtobufError.repeatedMessage(field: 8, offset: 2)) {
            _ = try SolanaUpdate(of: two.span.bytes)
        }
    }

    @Test func `an update of no kind, a ping and a pong say nothing of the chain`() throws {
        for bytes in [[], update(6, []), update(9, [8, 1]), update(99, [])] {
            #expect(try SolanaUpdate(of: bytes.span.bytes) == .none)
        }
    }

    @Test func `kinds that the shared data lacks are read field by field`() throws {
        let status = update(
            10,
            message {
                W.uint64(1, 5, to: &$0)
                W.bytes(2, signatureBytes(4), to: &$0)
                W.bool(3, true, to: &$0)
                W.uint64(4, 6, to: &$0)
                W.bytes(5, [], to: &$0)
            }
        )
        guard case .transactionStatus(let read) = try SolanaUpdate(of: status.span.bytes) else {
            Issue.record("not a status")
            return
        }
        #expect(read.slot == 5)
        #expect(read.signature?.bytes == signatureBytes(4))
        #expect(read.isVote)
        #expect(read.index == 6)
        #expect(read.isFailed)
        let dead = update(
            3,
            message {
                W.uint64(1, 5, to: &$0)
                W.uint64(2, 4, to: &$0)
                W.uint64(3, 6, to: &$0)
                W.text(4, "why", to: &$0)
            }
        )
        guard case .slot(let slot) = try SolanaUpdate(of: dead.span.bytes) else {
            Issue.record("not a slot")
            return
        }
        #expect(slot.parent == 4)
        #expect(slot.status == .dead)
        #expect(slot.deadError.map { [UInt8](dead[$0]) } == Array("why".utf8))
        let newer = update(3, [0x18, 7])
        guard case .slot(let unknown) = try SolanaUpdate(of: newer.span.bytes) else {
            Issue.record("not a slot")
            return
        }
        #expect(unknown.status == nil)
        #expect(unknown.statusNumber == 7)
    }

    @Test(arguments: ["", "hash", "1", "11111111111111111111111111111111O"])
    func `a block whose hash is no hash has none`(text: UTF8Text) throws {
        for (field, number) in [(UInt32(7), UInt32(7)), (5, 8)] {
            let bytes = update(
                field,
                message {
                    W.text(2, text, to: &$0)
                    W.text(number, text, to: &$0)
                }
            )
            switch try SolanaUpdate(of: bytes.span.bytes) {
            case .blockMeta(let header):
                #expect(header.blockhash == nil)
                #expect(header.parentBlockhash == nil)
            case .block(let block):
                #expect(block.header.blockhash == nil)
                #expect(block.header.parentBlockhash == nil)
            default: Issue.record("not a block")
            }
        }
    }
}
