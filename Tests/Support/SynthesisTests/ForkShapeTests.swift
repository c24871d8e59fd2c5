import Testing

@testable import Synthesis

/// What goes wrong on the chain and on the way, read from the wire alone.
struct ForkShapeTests {
    private static func options(_ change: (inout SynthesisOptions) -> Void) -> SynthesisOptions {
        var options = SynthesisOptions()
        options.slots = 90
        options.ethereumBlocks = 0
        options.tradesPerSlot = 4
        options.votesPerSlot = 1
        change(&options)
        return options
    }

    private static func messages(
        _ stream: UInt32 = 1,
        _ change: (inout SynthesisOptions) -> Void
    ) -> [[UInt8]] {
        SynthesisRun.messages(SynthesisRun.steps(options(change)), stream: stream)
    }

    private func states(_ messages: [[UInt8]]) throws -> [UInt64: [UInt32]] {
        try WireReading.statuses(messages).reduce(into: [:]) {
            $0[$1.slot, default: []].append($1.state)
        }
    }

    @Test func `given up branches hang on the chain and are never confirmed`() throws {
        let messages = Self.messages { $0.forks = 6 }
        let states = try states(messages)
        let metas = try WireReading.metas(messages)
        let confirmed = metas.filter { states[$0.slot]?.contains(1) == true }
        let orphans = metas.filter { states[$0.slot]?.contains(1) != true }
        #expect(confirmed.count == 90)
        #expect((6...18).contains(orphans.count))
        for (parent, child) in zip(confirmed, confirmed.dropFirst()) {
            #expect(child.parent == parent.slot)
            #expect(child.parentHash == parent.hash)
        }
        let known = Set(metas.map { "\($0.slot) \($0.hash)" })
        for orphan in orphans.filter({ $0.parent >= metas[0].slot }) {
            #expect(known.contains("\(orphan.parent) \(orphan.parentHash)"))
            #expect(states[orphan.slot]?.contains(0) == true)
            #expect(states[orphan.slot]?.contains(2) != true)
            // Another block has the same parent and goes on.
            #expect(confirmed.contains { $0.slot > orphan.slot })
        }
        #expect(Set(metas.map(\.slot)).count == metas.count)
    }

    @Test func `a dead slot has half of a block, no header and no other state`() throws {
        let messages = Self.messages { $0.deadSlots = 5 }
        let states = try states(messages)
        let dead = states.filter { $0.value.contains(6) }
        #expect(dead.count == 5)
        let headed = Set(try WireReading.metas(messages).map(\.slot))
        for (slot, passed) in dead {
            #expect(!headed.contains(slot))
            #expect(Set(passed) == [3, 5, 6])
        }
        #expect(headed.count == 90)
    }

    @Test func `an equivocating slot has two hashes on the last stream only`() throws {
        let steps = SynthesisRun.steps(
            Self.options {
                $0.equivocations = 4
                $0.streams = 2
            }
        )
        let first = try WireReading.metas(SynthesisRun.messages(steps, stream: 1))
        let last = try WireReading.metas(SynthesisRun.messages(steps, stream: 2))
        #expect(first.count == 90)
        #expect(last.count == 94)
        #expect(Set(first.map(\.slot)).count == 90)
        var repeated: [UInt64: [String]] = [:]
        for meta in last { repeated[meta.slot, default: []].append(meta.hash) }
        let doubled = repeated.filter { $0.value.count == 2 }
        #expect(doubled.count == 4)
        for (slot, hashes) in doubled {
            #expect(hashes[0] != hashes[1])
            // What came second is what all others have, and what the next block stands on.
            #expect(hashes[1] == first.first { $0.slot == slot }?.hash)
            #expect(first.contains { $0.parent == slot && $0.parentHash == hashes[1] })
        }
    }

    @Test func `a missed slot is missing on one stream alone`() throws {
        let steps = SynthesisRun.steps(
            Self.options {
                $0.missedSlots = 6
                $0.streams = 3
            }
        )
        let seen = try (UInt32(1)...3).map { stream in
            Set(try WireReading.metas(SynthesisRun.messages(steps, stream: stream)).map(\.slot))
        }
        let all = seen.reduce(Set()) { $0.union($1) }
        #expect(all.count == 90)
        #expect(seen.map { 90 - $0.count }.reduce(0, +) == 6)
    }

    @Test func `a broken stream comes back as another one`() throws {
        let steps = SynthesisRun.steps(
            Self.options {
                $0.disconnects = 3
                $0.streams = 2
            }
        )
        var sources: [UInt32: UInt32] = [:]
        var open: Set<UInt32> = []
        var broken = 0
        for step in steps {
            switch step.event {
            case .opened(let stream):
                // No source has two streams at a time.
                #expect(!open.contains { sources[$0] == stream.source })
                sources[step.stream] = stream.source
                open.insert(step.stream)
            case .closed(let end):
                open.remove(step.stream)
                if step.comesBack {
                    broken += 1
                    guard case .grpc(14, _, _) = end else {
                        Issue.record("a break that is none: \(end)")
                        continue
                    }
                }
            default: #expect(open.contains(step.stream))
            }
        }
        #expect(broken == 3)
        #expect(sources.count == 5)
        // Together both sources brought all.
        let headed = try steps.compactMap { step -> [WireReading.Meta]? in
            guard case .message(.incoming, let bytes) = step.event else { return nil }
            return try WireReading.metas([bytes])
        }
        #expect(Set(headed.joined().map(\.slot)).count == 90)
    }

    @Test func `duplicates repeat whole messages, late ones come behind their header`() throws {
        let plain = Self.messages { _ in }
        let doubled = Self.messages { $0.duplicatedPerMille = 100 }
        #expect(Set(plain) == Set(doubled))
        let extra = doubled.count - plain.count
        #expect((plain.count / 20...plain.count / 5).contains(extra))

        let late = Self.messages { $0.latePerMille = 200 }
        var headed: Set<UInt64> = []
        var behind = 0
        for message in late {
            for meta in try WireReading.metas([message]) { headed.insert(meta.slot) }
            for transaction in try WireReading.transactions([message])
            where headed.contains(transaction.slot) {
                behind += 1
            }
        }
        #expect(behind > 20)
        #expect(late.count == plain.count)
    }

    @Test func `disturbed markets are the same twice and stay protobuf`() throws {
        let options = Self.options {
            $0.slots = 60
            $0.streams = 2
            $0.forks = 3
            $0.deadSlots = 2
            $0.equivocations = 2
            $0.missedSlots = 2
            $0.disconnects = 2
            $0.duplicatedPerMille = 30
            $0.latePerMille = 30
            $0.sandwiches = 10
            $0.lookAlikes = 9
        }
        let steps = SynthesisRun.steps(options)
        #expect(steps == SynthesisRun.steps(options))
        for step in steps {
            guard case .message(.incoming, let bytes) = step.event else { continue }
            #expect(try WireReading.survives(bytes))
        }
    }
}
