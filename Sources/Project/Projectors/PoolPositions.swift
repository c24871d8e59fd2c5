import MarketModel
import Projection

/// Who holds how much of which pool.
struct PoolPositions {
    private let positions: Table<PoolPositionRow>

    init(_ store: StateStore) {
        positions = store.table(PoolPositionRow.self)
    }

    /// Shares that somebody got by putting something in.
    ///
    /// - Parameters:
    ///   - shares: how many, or how much liquidity.
    ///   - cost: what was put in.
    ///   - key: who, where.
    ///   - work: the pool.
    ///   - slot: slot or block.
    ///   - body: what else changes.
    func add(
        _ shares: UInt128,
        cost: Reserves,
        to key: PoolPositionKey,
        of work: inout PoolWork,
        at slot: UInt64,
        _ body: (inout PoolPositionRow) -> Void = { _ in }
    ) {
        var row = positions[key] ?? PoolPositionRow(firstPosition: slot)
        let wasEmpty = row.shares == 0
        row.shares = row.shares.plus(shares)
        row.tokenCost = row.tokenCost.plus(cost.token)
        row.quoteCost = row.quoteCost.plus(cost.quote)
        row.lastPosition = slot
        body(&row)
        positions.put(key, row)
        if wasEmpty, row.shares > 0 { work.state.owners &+= 1 }
    }

    /// Shares that left somebody. What they cost leaves with them, rounded down.
    ///
    /// - Parameters:
    ///   - shares: how many, or how much liquidity.
    ///   - key: who, where.
    ///   - work: the pool.
    ///   - slot: slot or block.
    ///   - body: what else changes.
    /// - Returns: what they had cost.
    @discardableResult
    func remove(
        _ shares: UInt128,
        from key: PoolPositionKey,
        of work: inout PoolWork,
        at slot: UInt64,
        _ body: (inout PoolPositionRow) -> Void = { _ in }
    ) -> Reserves {
        var row = positions[key] ?? PoolPositionRow(firstPosition: slot)
        let wasEmpty = row.shares == 0
        if shares > row.shares { row.transfersUnseen = true }
        let cost = Reserves(
            token: LiquidityFormulas.proportion(row.tokenCost, shares, of: row.shares),
            quote: LiquidityFormulas.proportion(row.quoteCost, shares, of: row.shares)
        )
        row.tokenCost = row.tokenCost.minus(cost.token)
        row.quoteCost = row.quoteCost.minus(cost.quote)
        row.shares = row.shares.minus(shares)
        row.lastPosition = slot
        body(&row)
        positions.put(key, row)
        if !wasEmpty, row.shares == 0, work.state.owners > 0 { work.state.owners -= 1 }
        return cost
    }
}

extension PoolPositionRow {
    /// Somebody who had nothing.
    init(firstPosition: UInt64) {
        self.init()
        self.firstPosition = firstPosition
    }
}

extension PoolPositionKey {
    /// Shares that are counted by their owner alone.
    init(pool: Address, owner: Address) {
        self.init(pool: pool, owner: owner, position: .zero)
    }
}
