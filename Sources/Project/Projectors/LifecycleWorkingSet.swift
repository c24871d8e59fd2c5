import MarketModel
import Projection

/// The tokens that a bundle touches: each is read once and written once.
struct LifecycleWorkingSet {
    private let tokens: Table<TokenRow>
    private let markets: Table<TokenMarketRow>
    private let starts: Table<TokenStartRow>
    private let parameters: LifecycleParameters
    /// In the order in which they were touched.
    var works: [TokenWork] = []
    private var places: [Address: Int] = [:]
    private var newest: (token: Address, place: Int)?

    init(_ store: StateStore, _ parameters: LifecycleParameters) {
        tokens = store.table(TokenRow.self)
        markets = store.table(TokenMarketRow.self)
        starts = store.table(TokenStartRow.self)
        self.parameters = parameters
    }

    /// The place of a token in `works`; nil when nothing has told of it yet.
    mutating func find(_ token: Address, at position: UInt64) -> Int? {
        if let newest, newest.token == token { return newest.place }
        if let place = places[token] {
            newest = (token, place)
            return place
        }
        guard let row = tokens[token], let market = markets[token] else { return nil }
        let place = add(TokenWork(token, row: row, market: market))
        works[place].thresholds = parameters.thresholds(of: row.quote)
        if let created = row.createdPosition, position >= created,
            position - created <= parameters.earlySlots
        {
            works[place].start = starts[token]
        }
        return place
    }

    /// Makes the rows of a token that nothing has told of.
    mutating func make(_ token: Address, venue: Venue, at position: UInt64) -> Int {
        var row = TokenRow(venue: venue)
        row.firstPosition = position
        let place = add(TokenWork(token, row: row, market: TokenMarketRow()))
        works[place].isRowChanged = true
        works[place].isMarketChanged = true
        return place
    }

    private mutating func add(_ work: consuming TokenWork) -> Int {
        let place = works.count
        places[work.token] = place
        newest = (work.token, place)
        works.append(work)
        return place
    }

    /// Sets what a token is priced in, and with it its milestones.
    mutating func setQuote(_ place: Int, _ quote: Address) {
        works[place].row.quote = quote
        works[place].thresholds = parameters.thresholds(of: quote)
    }

    /// Writes what changed and forgets everything.
    mutating func write() {
        for place in works.indices {
            let token = works[place].token
            if works[place].isRowChanged { tokens.put(token, works[place].row) }
            if works[place].isMarketChanged {
                markets.put(token, works[place].market)
                if let start = works[place].start { starts.put(token, start) }
            }
        }
        works.removeAll(keepingCapacity: true)
        places.removeAll(keepingCapacity: true)
        newest = nil
    }
}
