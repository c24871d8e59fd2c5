import MarketModel
import Projection

/// The fold of `LifecycleProjector`: which event goes where.
struct LifecycleFold {
    private let times: MonitorTimes<LifecycleOwner>
    private let accounts: LifecycleAccounts
    private var state: LifecycleState

    init(_ store: StateStore, _ parameters: MonitorParameters) {
        times = MonitorTimes(store, slotMilliseconds: parameters.slotMilliseconds)
        accounts = LifecycleAccounts(store)
        state = LifecycleState(store, parameters.lifecycle)
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
        swap(&state.notices, &notices)
        for transaction in bundle.transactions {
            // Where they stand: an event is large, and copying it costs like folding it.
            let events = transaction.events.span
            for number in events.indices {
                state.moment.place = events[number].place
                apply(events[number].event, of: transaction)
            }
        }
        state.moment.place = nil
        LifecycleCurves.settle(&state)
        for fact in bundle.accounts {
            accounts.apply(fact, in: &state)
        }
        state.set.write()
        swap(&state.notices, &notices)
    }

    private mutating func apply(_ event: MarketEvent, of transaction: TransactionFacts) {
        switch event {
        case .trade(let trade):
            if trade.venue.isCurve {
                LifecycleCurves.trade(trade, in: &state)
            } else {
                LifecyclePools.trade(trade, in: &state)
            }
        case .tokenCreated(let created): LifecycleCurves.create(created, in: &state)
        case .curveCompleted(let completed): LifecycleCurves.complete(completed, in: &state)
        case .curveMigrated(let migrated): LifecycleCurves.migrate(migrated, in: &state)
        case .curveReset(let reset): LifecycleCurves.reset(reset, in: &state)
        case .creatorChanged(let changed): LifecycleCurves.changeCreator(changed, in: &state)
        case .poolCreated(let created): LifecyclePools.open(created, of: transaction, in: &state)
        case .liquidity(let change): LifecyclePools.changeLiquidity(change, in: &state)
        case .poolBoosted(let boost): LifecyclePools.boost(boost, in: &state)
        case .feePayout, .sharesBurned: break
        }
    }
}
