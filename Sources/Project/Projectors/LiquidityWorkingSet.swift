import MarketModel
import Projection

/// The rows of one pool while a bundle is folded.
struct PoolWork {
    let pool: Address
    var row: PoolRow
    var state: PoolStateRow
    /// Of the bundle's hour; nil when nothing told any time.
    var hour: PoolHourRow?
    /// What it held when it was first touched.
    let opening: Reserves?
    /// What its vaults hold by accounts of this bundle.
    var vaultToken: UInt128?
    var vaultQuote: UInt128?
    /// What its account said in this bundle.
    var account: PoolAccountState?
    var isRowChanged = false
    var isStateChanged = false

    /// What it holds; nil unless both sides are known.
    var reserves: Reserves? {
        guard let token = state.token, let quote = state.quote else { return nil }
        return Reserves(token: token, quote: quote)
    }
}

/// The pools that a bundle touches: each is read once and written once.
struct LiquidityWorkingSet {
    private let pools: Table<PoolRow>
    private let states: Table<PoolStateRow>
    private let hours: Table<PoolHourRow>
    /// In the order in which they were touched.
    var works: [PoolWork] = []
    private var places: [Address: Int] = [:]
    private var newest: (pool: Address, place: Int)?
    /// First second of the bundle's hour.
    private var hour: Int64?
    private var position: UInt64 = 0

    init(_ store: StateStore) {
        pools = store.table(PoolRow.self)
        states = store.table(PoolStateRow.self)
        hours = store.table(PoolHourRow.self)
    }

    /// Begins a bundle.
    mutating func begin(_ moment: MonitorMoment) {
        position = moment.position
        hour = moment.seconds.map { seconds in
            let rest = seconds % 3_600
            return seconds &- (rest < 0 ? rest + 3_600 : rest)
        }
    }

    /// The place of a pool in `works`; nil when nothing has told of it yet.
    mutating func find(_ pool: Address) -> Int? {
        if let newest, newest.pool == pool { return newest.place }
        if let place = places[pool] {
            newest = (pool, place)
            return place
        }
        guard let row = pools[pool], let state = states[pool] else { return nil }
        return add(pool, row, state)
    }

    /// Makes the rows of a pool that nothing has told of.
    mutating func make(_ pool: Address, _ row: PoolRow) -> Int {
        var row = row
        row.firstPosition = position
        let place = add(pool, row, PoolStateRow())
        works[place].isRowChanged = true
        works[place].isStateChanged = true
        return place
    }

    private mutating func add(_ pool: Address, _ row: PoolRow, _ state: PoolStateRow) -> Int {
        var opening: Reserves?
        if let token = state.token, let quote = state.quote {
            opening = Reserves(token: token, quote: quote)
        }
        let place = works.count
        works.append(PoolWork(pool: pool, row: row, state: state, opening: opening))
        if let hour {
            works[place].hour = hours[PoolHourKey(pool: pool, hour: hour)] ?? PoolHourRow()
        }
        places[pool] = place
        newest = (pool, place)
        return place
    }

    /// Writes what changed and forgets everything.
    mutating func write() {
        for place in works.indices {
            let pool = works[place].pool
            if works[place].isRowChanged { pools.put(pool, works[place].row) }
            guard works[place].isStateChanged else { continue }
            states.put(pool, works[place].state)
            if let hour, var row = works[place].hour {
                row.token = works[place].state.token
                row.quote = works[place].state.quote
                row.shares = works[place].state.shares
                hours.put(PoolHourKey(pool: pool, hour: hour), row)
            }
        }
        works.removeAll(keepingCapacity: true)
        places.removeAll(keepingCapacity: true)
        newest = nil
    }
}
