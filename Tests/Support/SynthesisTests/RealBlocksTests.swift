import CGeyser
import Foundation
import Testing

@testable import Synthesis

/// Real transactions on an invented chain.
struct RealBlocksTests {
    private static let absent: Comment =
        "needs ../shared/data/solana (or TAPEDECK_SHARED naming the shared folder)"

    private static let folder: URL = {
        if let named = ProcessInfo.processInfo.environment["TAPEDECK_SHARED"] {
            return URL(filePath: named).appending(path: "data/solana")
        }
        var root = URL(filePath: #filePath)
        for _ in 0..<4 { root.deleteLastPathComponent() }
        return root.appending(path: "../shared/data/solana")
    }()

    private static var isPresent: Bool {
        FileManager.default.fileExists(atPath: folder.appending(path: "real.bin").path)
    }

    /// Messages of a file: length as 32 bits, then SubscribeUpdate.
    private static func updates(_ name: String, most: Int = .max) throws -> [[UInt8]] {
        let bytes = [UInt8](try Data(contentsOf: folder.appending(path: name)))
        var updates: [[UInt8]] = []
        var offset = 0
        while offset < bytes.count, updates.count < most {
            let count = (0..<4).reduce(0) { $0 | Int(bytes[offset + $1]) << (8 * $1) }
            updates.append(Array(bytes[offset + 4..<offset + 4 + count]))
            offset += 4 + count
        }
        return updates
    }

    /// The message of a transaction without its index, as protobuf-c packs it.
    private static func content(
        _ info: UnsafeMutablePointer<Geyser__SubscribeUpdateTransactionInfo>
    )
        -> [UInt8]
    {
        let hasIndex = info.pointee.has_index
        info.pointee.has_index = 0
        defer { info.pointee.has_index = hasIndex }
        var packed = [UInt8](
            repeating: 0,
            count: geyser__subscribe_update_transaction_info__get_packed_size(info)
        )
        _ = geyser__subscribe_update_transaction_info__pack(info, &packed)
        return packed
    }

    private static func contents(_ messages: [[UInt8]]) throws -> [(slot: UInt64, bytes: [UInt8])] {
        try messages.flatMap { message in
            try WireReading.decode(message) { update -> [(slot: UInt64, bytes: [UInt8])] in
                switch update.update_oneof_case {
                case GEYSER__SUBSCRIBE_UPDATE__UPDATE_ONEOF_TRANSACTION:
                    let info = try #require(update.transaction.pointee.transaction)
                    return [(update.transaction.pointee.slot, content(info))]
                case GEYSER__SUBSCRIBE_UPDATE__UPDATE_ONEOF_BLOCK:
                    let block = update.block.pointee
                    return try (0..<block.n_transactions).map {
                        (block.slot, content(try #require(block.transactions[$0])))
                    }
                default: return []
                }
            }
        }
    }

    private static func wrap(
        _ updates: [[UInt8]],
        _ change: (inout SynthesisOptions) -> Void = { _ in }
    ) throws -> [SynthesizedStep] {
        var real = RealBlocks()
        for update in updates {
            let isTaken = real.add(update)
            try #require(isTaken)
        }
        var options = SynthesisOptions()
        options.slots = UInt32(real.count)
        options.ethereumBlocks = 0
        change(&options)
        var steps: [SynthesizedStep] = []
        MarketSynthesis(options, real: real).run { steps.append($0) }
        return steps
    }

    /// What made up updates hold, for when no real ones are there.
    private static func madeUp() -> [[UInt8]] {
        var options = SynthesisRun.options
        options.ethereumBlocks = 0
        return SynthesisRun.messages(SynthesisRun.steps(options), stream: 2)
    }

    private func expectSame(_ updates: [[UInt8]], _ steps: [SynthesizedStep]) throws {
        let before = try Self.contents(updates)
        let messages = SynthesisRun.messages(steps, stream: 1)
        let after = try Self.contents(messages)
        #expect(before.count == after.count)
        let changed = zip(before, after).filter { $0.bytes != $1.bytes }.map(\.0.slot)
        #expect(changed == [])
        // Blocks stay together and in order.
        let placed = try WireReading.transactions(messages)
        for (one, next) in zip(placed, placed.dropFirst()) {
            #expect((one.slot, one.index) < (next.slot, next.index))
        }
        for index in 1..<max(1, before.count) {
            let stays = before[index].slot == before[index - 1].slot
            #expect(stays == (after[index].slot == after[index - 1].slot))
        }
    }

    @Test func `wrapped transactions keep their bytes but for slot and index`() throws {
        let updates = Self.madeUp()
        let steps = try Self.wrap(updates)
        let before = try Self.contents(updates).map(\.bytes)
        let after = try Self.contents(SynthesisRun.messages(steps, stream: 1)).map(\.bytes)
        #expect(before.count == after.count)
        let isSame = before == after
        #expect(isSame)
    }

    @Test func `wrapped blocks keep their time`() throws {
        let updates = Self.madeUp()
        let messages = SynthesisRun.messages(try Self.wrap(updates), stream: 1)
        let times = try WireReading.metas(updates).map(\.time)
        let wrapped = try WireReading.metas(messages).map(\.time)
        #expect(wrapped == times)
    }

    @Test(.enabled(if: Self.isPresent, Self.absent), arguments: ["real.bin", "volume.bin"])
    func `real transactions keep their bytes and their order`(name: String) throws {
        let updates = try Self.updates(name, most: 3_000)
        try expectSame(updates, try Self.wrap(updates) { $0.votesPerSlot = 0 })
    }

    @Test(.enabled(if: Self.isPresent, Self.absent))
    func `real blocks keep their transactions`() throws {
        let updates = try Self.updates("blocks.bin", most: 4)
        let before = try Self.contents(updates).map(\.bytes)
        let steps = try Self.wrap(updates)
        let after = try Self.contents(SynthesisRun.messages(steps, stream: 1)).map(\.bytes)
        #expect(before.count == after.count)
        let isSame = before == after
        #expect(isSame)
    }

    @Test(.enabled(if: Self.isPresent, Self.absent))
    func `real transactions stand in slots with statuses, and on branches`() throws {
        let updates = try Self.updates("volume.bin", most: 3_000)
        let steps = try Self.wrap(updates) {
            $0.forks = 3
            $0.deadSlots = 1
            $0.streams = 2
            $0.votesPerSlot = 0
        }
        let messages = SynthesisRun.messages(steps, stream: 1)
        let states = try WireReading.statuses(messages).reduce(into: [UInt64: Set<UInt32>]()) {
            $0[$1.slot, default: []].insert($1.state)
        }
        let transactions = try WireReading.transactions(messages)
        let confirmed = Set(states.filter { $0.value.contains(1) }.keys)
        // All but finalized, which comes 32 slots later; there are not as many.
        #expect(
            states.filter { confirmed.contains($0.key) }.allSatisfy { $0.value == [0, 1, 3, 4, 5] }
        )
        #expect(states.count { $0.value.contains(6) } == 1)
        #expect(Set(transactions.map(\.slot)).isSubset(of: states.keys))
        let real = Set(try WireReading.transactions(updates).map(\.signature))
        let onChain = transactions.filter { confirmed.contains($0.slot) }
        #expect(Set(onChain.map(\.signature)) == real)
        let onBranches = transactions.filter { states[$0.slot]?.contains(1) == false }
        #expect(onBranches.count > 50)
        #expect(real.isSuperset(of: onBranches.map(\.signature)))
    }

    @Test func `some of it also stands on branches, with other neighbours`() throws {
        let updates = Self.madeUp()
        let steps = try Self.wrap(updates) {
            $0.forks = 5
            $0.streams = 2
            $0.duplicatedPerMille = 20
        }
        let messages = SynthesisRun.messages(steps, stream: 1)
        let states = try WireReading.statuses(messages)
        let confirmed = Set(states.filter { $0.state == 1 }.map(\.slot))
        let transactions = try WireReading.transactions(messages)
        let onChain = Set(
            transactions.filter { confirmed.contains($0.slot) }.map(\.signature)
        )
        let onBranches = Set(
            transactions.filter { !confirmed.contains($0.slot) }.map(\.signature)
        )
        #expect(!onBranches.isEmpty)
        #expect(onBranches.isSubset(of: onChain))
        #expect(onChain.count == Set(try Self.contents(updates).map(\.bytes)).count)
    }

    @Test(
        arguments: [
            [0x0a], [0x22, 0x05, 0x0a], [0x22, 0x02, 0x0a, 0x00], [0x07],
            [UInt8](repeating: 0xFF, count: 20),
        ] as [[UInt8]]
    )
    func `what is no update is refused`(bytes: [UInt8]) {
        var real = RealBlocks()
        let isTaken = real.add(bytes)
        #expect(!isTaken)
        #expect(real.count == 0)
    }
}
