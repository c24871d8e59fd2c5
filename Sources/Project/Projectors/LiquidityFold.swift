import MarketModel
import Projection

/// The fold of `LiquidityProjector`: which event goes where.
struct LiquidityFold {
    private let times: MonitorTimes<LiquidityOwner>
    private let accounts: LiquidityAccounts
    private var state: LiquidityState

    init(_ store: StateStore, _ parameters: MonitorParameters) {
        times = MonitorTimes(store, slotMilliseconds: parameters.slotMilliseconds)
        accounts = LiquidityAccounts(store, parameters)
        state = LiquidityState(store, parameters.liquidity)
    }

    mutating func apply(_ bundle: Bundle, notices: inout [Notice]) {
        let (seconds, isEstimated) = times.begin(bundle)
        state.moment = MonitorMoment(
            chain: bundle.chain,
            position: bundle.position,
            seconds: seconds,
            isEstimated: isEstimated,
            place: nil
        )
        state.set.begin(state.moment)
        swap(&state.notices, &notices)
        for transaction in bundle.transactions {
            // Where they stand: an event is large, and copying it costs like folding it.
            let events = transaction.events.span
            for number in events.indices {
                state.moment.place = events[number].place
                apply(events[number].event, of: transaction)
            }
            for link in transaction.links {
                LiquidityChanges.transfer(link, in: &state)
            }
        }
        state.moment.place = nil
        accounts.apply(bundle.accounts, in: &state)
        state.settle()
        state.set.write()
        swap(&state.notices, &notices)
    }

    private mutating func apply(_ event: MarketEvent, of transaction: TransactionFacts) {
        switch event {
        case .trade(let trade):
            if !trade.venue.isCurve { LiquidityPools.trade(trade, in: &state) }
        case .poolCreated(let created): LiquidityPools.open(created, of: transaction, in: &state)
        case .liquidity(let change): LiquidityChanges.change(change, in: &state)
        case .curveMigrated(let migrated): LiquidityPools.migrate(migrated, in: &state)
        case .poolBoosted(let boost): LiquidityPools.boost(boost, in: &state)
        case .sharesBurned(let burn): LiquidityChanges.burn(burn, in: &state)
        case .feePayout(let payout): LiquidityPools.pay(payout, in: &state)
        case .tokenCreated, .curveCompleted, .curveReset, .creatorChanged: break
        }
    }
}
