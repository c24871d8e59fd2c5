import MarketModel
import Projection

/// What all events of pools share while a bundle is folded.
struct LiquidityState {
    let parameters: LiquidityParameters
    let shareTokens: Table<PoolShareRow>
    let events: Table<PoolEventRow>
    let positions: PoolPositions
    var set: LiquidityWorkingSet
    var moment: MonitorMoment
    var notices: [Notice] = []

    init(_ store: StateStore, _ parameters: LiquidityParameters) {
        self.parameters = parameters
        shareTokens = store.table(PoolShareRow.self)
        events = store.table(PoolEventRow.self)
        positions = PoolPositions(store)
        set = LiquidityWorkingSet(store)
        moment = MonitorMoment(
            chain: store.chain,
            position: 0,
            seconds: nil,
            isEstimated: true,
            place: nil
        )
    }

    /// Takes what a pool holds after an event.
    mutating func setReserves(_ after: (reserves: Reserves, isExact: Bool)?, of place: Int) {
        touch(place)
        guard let after else { return }
        set.works[place].state.token = after.reserves.token
        set.works[place].state.quote = after.reserves.quote
        set.works[place].state.isEstimated = !after.isExact
    }

    /// Notes that an event changed a pool.
    mutating func touch(_ place: Int) {
        set.works[place].isStateChanged = true
        set.works[place].state.lastPosition = moment.position
    }

    /// Adds one line to the history of a pool's liquidity.
    func record(_ row: PoolEventRow, of pool: Address) {
        guard let place = moment.place else { return }
        let key = PoolEventKey(
            pool: pool,
            slot: moment.position,
            transaction: place.transaction,
            instruction: place.instruction,
            inner: place.inner,
            ordinal: place.ordinal
        )
        events.put(key, row)
    }

    // MARK: The end of the block

    /// TVL, and what is worth telling, of every pool that an event changed.
    mutating func settle() {
        for place in set.works.indices where set.works[place].isStateChanged {
            let standing = set.works[place].state.tvl
            setTVL(place)
            watchTVL(place, standing: standing)
            watchPrice(place)
        }
    }

    private mutating func setTVL(_ place: Int) {
        let row = set.works[place].row
        guard let reserves = set.works[place].reserves else { return }
        guard row.venue.isConcentrated else {
            let virtual = set.works[place].state.virtualQuote
            set.works[place].state.tvl = LiquidityFormulas.twoSided(reserves.quote)
            set.works[place].state.tvlReal = LiquidityFormulas.real(reserves.quote, virtual)
            return
        }
        guard let price = set.works[place].state.sqrtPrice, let isReversed = row.isReversed else {
            return
        }
        let tvl = LiquidityFormulas.concentrated(
            reserves,
            sqrtPriceX64: price,
            isReversed: isReversed
        )
        set.works[place].state.tvl = tvl
        set.works[place].state.tvlReal = tvl
    }

    /// Tells a fall of TVL once a window, from the highest at the end of a slot in this window and the
    /// one before. A pool without events keeps its TVL, in those windows too.
    private mutating func watchTVL(_ place: Int, standing: UInt128?) {
        guard let tvl = set.works[place].state.tvl else { return }
        let window = moment.position / parameters.fallWindow
        var state = set.works[place].state
        if state.window != window {
            let isNext = state.window &+ 1 == window
            let stood: UInt128 = standing.map { $0 } ?? 0  // a new pool had none
            state.earlierHigh = isNext ? max(state.windowHigh, stood) : stood
            state.windowHigh = stood
            state.window = window
        }
        let high = max(state.windowHigh, state.earlierHigh)
        let floor = parameters.floor(of: set.works[place].row.quote)
        if tvl < high, high / 2 >= floor, state.fallWindow != window,
            let fall = UInt64.basisPoints(high - tvl, of: high),
            fall >= parameters.fallBasisPoints
        {
            state.fallWindow = window
            notices.append(
                moment.notice(
                    "tvl_fall",
                    set.works[place].pool,
                    [
                        Notice.Detail("from", String(high)),
                        Notice.Detail("to", String(tvl)),
                        Notice.Detail("bps", String(fall)),
                    ]
                )
            )
        }
        state.windowHigh = max(state.windowHigh, tvl)
        set.works[place].state = state
    }

    /// Tells a change of price between the beginning and the end of one slot or block.
    private mutating func watchPrice(_ place: Int) {
        let work = set.works[place]
        guard !work.row.venue.isConcentrated, let opening = work.opening,
            let closing = work.reserves, opening != closing,
            max(opening.quote, closing.quote) >= parameters.floor(of: work.row.quote),
            let move = LiquidityFormulas.moveBasisPoints(from: opening, to: closing),
            move.magnitude >= parameters.moveBasisPoints
        else { return }
        notices.append(
            moment.notice("price_move", work.pool, [Notice.Detail("bps", String(move))])
        )
    }
}
