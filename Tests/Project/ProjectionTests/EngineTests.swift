import MarketModel
import RecordModel
import Testing

@testable import Projection

/// An engine over the toy tables and the naive state beside it.
struct Pair {
    let engine: ProjectionEngine
    let toy: ToyProjector
    /// The newest last; the first is the state before any bundle.
    var copies: [(position: UInt64, state: NaiveState)] = [(0, NaiveState())]
    var settled = 0
    var sequence: UInt64 = 0

    init(_ limits: ProjectionEngine.Limits = ProjectionEngine.Limits()) {
        var made: ToyProjector?
        engine = ProjectionEngine(.solana, limits: limits) { store in
            let toy = ToyProjector(store)
            made = toy
            return [toy]
        }
        guard let made else { preconditionFailure("no projector was made") }
        toy = made
    }

    var state: NaiveState { copies[copies.count - 1].state }

    mutating func take(_ action: ChainAction) throws {
        sequence += 1
        var notices: [Notice] = []
        try engine.take(action, at: Sequence(sequence), notices: &notices)
    }

    mutating func apply(_ position: UInt64, seed: Int64) throws {
        try take(.apply(Bundle(chain: .solana, position: position, time: seed)))
        var state = state
        state.apply(position: position, seed: seed)
        copies.append((position, state))
    }

    mutating func undo() throws {
        try take(.undo(position: copies.removeLast().position))
    }

    mutating func settle(_ count: Int) throws {
        settled = count
        try take(.final(position: copies[count].position))
    }

    /// Whether every row and digest is that of the naive state.
    func check(_ location: SourceLocation = #_sourceLocation) {
        let state = state
        #expect(engine.chainDigest == state.chainDigest, sourceLocation: location)
        #expect(toy.accounts.digest.value == state.accountDigest, sourceLocation: location)
        #expect(toy.recent.digest.value == state.recentDigest, sourceLocation: location)
        #expect(toy.accounts.rowCount == UInt64(state.accounts.count), sourceLocation: location)
        #expect(toy.recent.rowCount == UInt64(state.recent.count), sourceLocation: location)
        for owner in 0..<UInt32(24) {
            for token in 0..<UInt8(2) {
                let key = ToyAccount.Key(owner: owner, token: token)
                #expect(toy.accounts[key] == state.accounts[key], sourceLocation: location)
            }
        }
        let all =
            ToyRecent.Key(
                position: 0,
                ordinal: 0
            )...ToyRecent.Key(position: .max, ordinal: .max)
        let keys = toy.recent.keys(in: all)
        #expect(keys == state.recent.keys.sorted(), sourceLocation: location)
        for key in keys {
            #expect(toy.recent[key] == state.recent[key], sourceLocation: location)
        }
    }

    /// A random walk: mostly forwards, sometimes back, sometimes settling.
    mutating func walk(seed: UInt64, steps: Int, each: (inout Pair) throws -> Void) throws {
        var random = ToyRandom(state: seed)
        for _ in 0..<steps {
            switch random.next(below: 10) {
            case 0, 1, 2:
                let undone = random.next(below: 4)
                for _ in 0..<undone where copies.count - 1 > settled { try undo() }
            case 3:
                let count = settled + Int(random.next(below: 6))
                if count < copies.count { try settle(count) }
            default:
                let last = copies[copies.count - 1].position
                let position = last + 1 + random.next(below: 3)
                try apply(position, seed: Int64(random.next(below: 1 << 40)))
            }
            try each(&self)
        }
    }
}

@Suite struct EngineTests {
    @Test(arguments: 0..<12)
    func `rows and digests are those of full copies after any applies, undos and finals`(
        seed: UInt64
    ) throws {
        var pair = Pair()
        try pair.walk(seed: seed, steps: 120) { $0.check() }
        #expect(pair.engine.counters.undone > 0)
        #expect(pair.engine.counters.settled > 0)
    }

    @Test func `a bundle taken back leaves what was there before it`() throws {
        var pair = Pair()
        try pair.apply(1, seed: 11)
        let digest = pair.engine.chainDigest
        for seed in 0..<40 as Range<Int64> {
            try pair.apply(2, seed: seed)
            try pair.undo()
            #expect(pair.engine.chainDigest == digest)
        }
        pair.check()
        #expect(pair.engine.head?.position == 1)
    }

    @Test func `a row that ends as it began moves no digest and fills no journal`() throws {
        var table: Table<ToyAccount>?
        let key = ToyAccount.Key(owner: 1, token: 0)
        let store = StateStore(.solana)
        table = store.table(ToyAccount.self)
        let accounts = try #require(table)
        let actions = store.actions[0]
        accounts.put(key, ToyAccount(balance: 5, change: 0, remark: nil))
        actions.close()
        let digest = accounts.digest
        accounts.put(key, ToyAccount(balance: 6, change: 0, remark: "x"))
        accounts.put(key, ToyAccount(balance: 5, change: 0, remark: nil))
        let other = ToyAccount.Key(owner: 2, token: 0)
        accounts.put(other, ToyAccount(balance: 5, change: 0, remark: nil))
        accounts.remove(other)
        actions.close()
        #expect(accounts.digest == digest)
        #expect(accounts.journal.map(\.changes.count) == [1])
        #expect(accounts.residentCount == 1)
    }

    @Test func `the position digest tells open state and head apart`() throws {
        var pair = Pair()
        let empty = pair.engine.positionDigest(open: [])
        #expect(pair.engine.positionDigest(open: [1]) != empty)
        try pair.take(.apply(Bundle(chain: .solana, position: 7)))
        #expect(pair.engine.chainDigest == Pair().engine.chainDigest)
        #expect(pair.engine.positionDigest(open: []) != empty)
    }

    @Test func `stale slots are listed in order and once`() throws {
        var pair = Pair()
        for position in [9, 4, 9, 6] as [UInt64] { try pair.take(.stale(position: position)) }
        #expect(pair.engine.stale == [4, 6, 9])
    }

    @Test func `removed rows leave memory when their bundle is settled`() throws {
        var pair = Pair()
        try pair.walk(seed: 99, steps: 400) { _ in }
        try pair.settle(pair.copies.count - 1)
        #expect(pair.toy.accounts.residentCount == pair.state.accounts.count)
        #expect(pair.toy.recent.residentCount == pair.state.recent.count)
    }

    @Test func `a bundle out of order is a mistake of ours`() async {
        await #expect(processExitsWith: .failure) {
            var pair = Pair()
            try pair.apply(5, seed: 1)
            try pair.apply(5, seed: 2)
        }
    }
}
