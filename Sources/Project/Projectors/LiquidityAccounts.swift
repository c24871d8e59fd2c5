import MarketModel
import Projection

/// What accounts say about pools at the end of a slot: it seeds pools not seen from their opening and
/// is compared with all others.
struct LiquidityAccounts {
    private let parameters: MonitorParameters
    private let vaults: Table<PoolVaultRow>
    private let accounts: Table<PoolAccountRow>
    private let drifts: Table<MonitorDrift<LiquidityOwner>>

    init(_ store: StateStore, _ parameters: MonitorParameters) {
        self.parameters = parameters
        vaults = store.table(PoolVaultRow.self)
        accounts = store.table(PoolAccountRow.self)
        drifts = store.table(MonitorDrift<LiquidityOwner>.self)
    }

    /// Takes all accounts of a bundle; pools before vaults, because they say whose vaults are whose.
    func apply(_ facts: [AccountFact], in state: inout LiquidityState) {
        guard !facts.isEmpty else { return }
        for fact in facts {
            if case .pool(let account) = fact.content { take(account, of: fact.account, &state) }
        }
        for fact in facts {
            guard case .tokenAccount(_, _, let amount) = fact.content,
                let vault = vaults[fact.account], let place = state.set.find(vault.pool)
            else { continue }
            if vault.isToken {
                state.set.works[place].vaultToken = UInt128(amount)
            } else {
                state.set.works[place].vaultQuote = UInt128(amount)
            }
        }
        for place in state.set.works.indices {
            let work = state.set.works[place]
            guard work.account != nil || work.vaultToken != nil || work.vaultQuote != nil else {
                continue
            }
            if work.reserves == nil { seed(place, in: &state) }
            compare(place, in: &state)
        }
    }

    private func take(
        _ account: PoolAccountState,
        of pool: Address,
        _ state: inout LiquidityState
    ) {
        guard account.mints.count == 2, account.vaults.count == 2 else { return }
        let isQuoteFirst = parameters.isQuoteFirst(account.mints[0], account.mints[1])
        // A pair without a known quote keeps the order of the pool, and says that it is raw.
        let isReversed = isQuoteFirst ?? false
        let place: Int
        if let found = state.set.find(pool) {
            place = found
            if state.set.works[place].row.isReversed == nil {
                state.set.works[place].row.isReversed = isReversed
                state.set.works[place].isRowChanged = true
            }
        } else {
            var row = PoolRow(
                venue: account.venue,
                token: account.mints[isReversed ? 1 : 0],
                quote: account.mints[isReversed ? 0 : 1]
            )
            row.isReversed = isReversed
            row.isRaw = isQuoteFirst == nil
            row.isPartial = true
            row.coinCreator = account.coinCreator
            place = state.set.make(pool, row)
            state.set.works[place].state.lastPosition = state.moment.position
        }
        state.set.works[place].account = account
        for side in 0..<2 where vaults[account.vaults[side]] == nil {
            var row = PoolVaultRow(pool: pool)
            row.isToken = (side == 0) != isReversed
            vaults.put(account.vaults[side], row)
        }
        if state.set.works[place].row.shareToken == nil, let token = account.shareToken {
            state.set.works[place].row.shareToken = token
            state.set.works[place].isRowChanged = true
            state.shareTokens.put(token, PoolShareRow(pool: pool))
        }
        if state.set.works[place].state.shares == nil, let shares = account.shares,
            !account.venue.isConcentrated
        {
            state.set.works[place].state.shares = shares
            state.set.works[place].isStateChanged = true
        }
    }

    /// Puts what vaults and accounts said together until all of it is known, then makes it the pool's
    /// reserves.
    private func seed(_ place: Int, in state: inout LiquidityState) {
        let work = state.set.works[place]
        let old = accounts[work.pool]
        var row = old ?? PoolAccountRow()
        row.tokenVault = work.vaultToken ?? row.tokenVault
        row.quoteVault = work.vaultQuote ?? row.quoteVault
        if let account = work.account {
            let waiting = waiting(account, isReversed: work.row.isReversed == true)
            row.tokenWaiting = waiting.token
            row.quoteWaiting = waiting.quote
            row.virtualQuote = work.row.isReversed == true ? nil : account.virtualQuote
            row.shares = account.shares
        }
        if row != old {
            row.lastPosition = state.moment.position
            accounts.put(work.pool, row)
        }
        guard let token = row.tokenVault, let quote = row.quoteVault,
            let tokenWaiting = row.tokenWaiting, let quoteWaiting = row.quoteWaiting
        else { return }
        let held = reserves(
            token: token,
            quote: quote,
            waiting: Reserves(token: tokenWaiting, quote: quoteWaiting),
            virtual: row.virtualQuote
        )
        if let virtual = row.virtualQuote { state.set.works[place].state.virtualQuote = virtual }
        state.set.works[place].state.token = held.token
        state.set.works[place].state.quote = held.quote
        state.set.works[place].isStateChanged = true
    }

    /// Counts where vaults and accounts of this slot differ from what events gave; the events' values
    /// stay. What events left to reckoning is not compared.
    private func compare(_ place: Int, in state: inout LiquidityState) {
        let work = state.set.works[place]
        guard let account = work.account, !work.state.isEstimated, !work.row.venue.isConcentrated
        else { return }
        var kinds: MonitorDrift<LiquidityOwner>.Kinds = []
        if let shares = account.shares, let known = work.state.shares, shares != known {
            kinds.insert(.supply)
        }
        if work.row.venue.tellsExactReserves, let token = work.vaultToken,
            let quote = work.vaultQuote, let known = work.reserves
        {
            let isReversed = work.row.isReversed == true
            let held = reserves(
                token: token,
                quote: quote,
                waiting: waiting(account, isReversed: isReversed),
                virtual: isReversed ? nil : account.virtualQuote
            )
            if held.token != known.token { kinds.insert(.token) }
            if held.quote != known.quote { kinds.insert(.quote) }
        }
        guard drifts.count(work.pool, kinds, at: state.moment.position) else { return }
        let detail = Notice.Detail("kinds", String(kinds.rawValue))
        state.notices.append(state.moment.notice("pool_drift", work.pool, [detail]))
    }

    /// What the pool holds: its vaults without what belongs to others. Where quote counts that is in
    /// no vault, what waits there is part of that number.
    private func reserves(
        token: UInt128,
        quote: UInt128,
        waiting: Reserves,
        virtual: Int128?
    ) -> Reserves {
        guard let virtual else {
            return Reserves(
                token: token.minus(waiting.token),
                quote: quote.minus(waiting.quote)
            )
        }
        return Reserves(
            token: token.minus(waiting.token),
            quote: LiquidityFormulas.effective(quote, virtual)
        )
    }

    private func waiting(_ account: PoolAccountState, isReversed: Bool) -> Reserves {
        guard account.waitingFees.count == 2 else { return Reserves(token: 0, quote: 0) }
        return Reserves(
            token: account.waitingFees[isReversed ? 1 : 0],
            quote: account.waitingFees[isReversed ? 0 : 1]
        )
    }
}
