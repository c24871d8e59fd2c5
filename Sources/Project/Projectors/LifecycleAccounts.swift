import MarketModel
import Projection

/// What accounts say about tokens at the end of a slot: it seeds rows not seen from their beginning
/// and is compared with all others.
struct LifecycleAccounts {
    private let drifts: Table<MonitorDrift<LifecycleOwner>>

    init(_ store: StateStore) {
        drifts = store.table(MonitorDrift<LifecycleOwner>.self)
    }

    func apply(_ fact: AccountFact, in state: inout LifecycleState) {
        switch fact.content {
        case .bondingCurve(let account):
            let curve = state.curves[fact.account]
            guard let token = curve?.token else {
                keep(account, of: fact.account, curve, in: state)
                return
            }
            guard let place = state.set.find(token, at: state.moment.position) else { return }
            if state.set.works[place].row.origin == .partial { seed(account, place, in: &state) }
            compare(account, place, in: &state)
        case .mint(let supply, _):
            take(UInt128(supply), of: fact.account, in: &state)
        case .pool, .tokenAccount:
            break
        }
    }

    /// Keeps what a curve's account says until a trade names its coin.
    private func keep(
        _ account: BondingCurveState,
        of curve: Address,
        _ old: TokenCurveRow?,
        in state: LifecycleState
    ) {
        var row = TokenCurveRow()
        row.supply = account.supply
        row.creator = account.creator
        row.quote = account.quote
        row.isMayhem = account.isMayhem
        if row != old { state.curves.put(curve, row) }
    }

    /// Seeds what no event has told of a token not seen from its creation.
    private func seed(_ account: BondingCurveState, _ place: Int, in state: inout LifecycleState) {
        var row = state.set.works[place].row
        if row.isStartDefault || row.supply == nil, row.supply != account.supply {
            // A newer supply that a pool told stays.
            if state.set.works[place].market.supply == row.supply {
                state.set.works[place].market.supply = account.supply
                state.set.works[place].isMarketChanged = true
            }
            row.supply = account.supply
        }
        if row.creator == nil { row.creator = account.creator }
        row.isMayhem = account.isMayhem
        if row != state.set.works[place].row { state.set.works[place].row = row }
        guard row.phase < .complete else { return }
        if state.set.works[place].market.tokens == nil {
            state.price(place, account.virtualReserves, venue: row.venue)
            LifecycleCurves.setRealTokens(account.realTokenReserves, of: place, &state)
            state.set.works[place].market.realQuote = account.realQuoteReserves
        }
        if account.isComplete {
            state.set.works[place].row.isCompleteInferred = true
            state.advance(place, .completed)
        }
    }

    /// Counts where a curve's account differs from what events gave; the events' values stay.
    private func compare(
        _ account: BondingCurveState,
        _ place: Int,
        in state: inout LifecycleState
    ) {
        let phase = state.set.works[place].row.phase
        let market = state.set.works[place].market
        var kinds: MonitorDrift<LifecycleOwner>.Kinds = []
        if account.isComplete != (phase >= .complete) { kinds.insert(.completeness) }
        // A complete curve is emptied by its migration.
        if phase < .complete {
            if market.tokens != account.virtualReserves.token { kinds.insert(.token) }
            if market.quote != account.virtualReserves.quote { kinds.insert(.quote) }
            if let real = market.realTokens, real != account.realTokenReserves {
                kinds.insert(.realTokens)
            }
        }
        note(kinds, of: place, in: &state)
    }

    /// Seeds the supply of a token of which nothing tells it. Otherwise supply may fall by burns that
    /// no event tells, but not rise, but for what is minted for the agent of pump.fun.
    private func take(_ supply: UInt128, of token: Address, in state: inout LifecycleState) {
        guard let place = state.set.find(token, at: state.moment.position) else { return }
        guard let known = state.set.works[place].row.supply else {
            state.set.works[place].row.supply = supply
            if state.set.works[place].market.supply == nil {
                state.set.works[place].market.supply = supply
                state.set.works[place].isMarketChanged = true
            }
            return
        }
        guard supply > known, !state.set.works[place].row.isMayhem else { return }
        note(.supply, of: place, in: &state)
    }

    private func note(
        _ kinds: MonitorDrift<LifecycleOwner>.Kinds,
        of place: Int,
        in state: inout LifecycleState
    ) {
        let token = state.set.works[place].token
        guard drifts.count(token, kinds, at: state.moment.position) else { return }
        let detail = Notice.Detail("kinds", String(kinds.rawValue))
        state.notices.append(state.moment.notice("token_drift", token, [detail]))
    }
}
