import MarketModel

/// Events in words, for people.
extension MarketEvent {
    private static let chain = Chain.solana

    /// Everybody and everything that it names.
    var addresses: [Address] {
        switch self {
        case .tokenCreated(let event):
            [event.token, event.quote, event.curve, event.user, event.creator]
        case .trade(let trade):
            [trade.pool, trade.token, trade.quote, trade.trader] + [trade.curve].compactMap(\.self)
        case .curveCompleted(let event): [event.token, event.curve, event.user]
        case .curveMigrated(let event): [event.token, event.curve, event.pool, event.user]
        case .curveReset(let event): [event.token]
        case .creatorChanged(let event): [event.token, event.creator]
        case .poolCreated(let event): [event.pool, event.token, event.quote, event.creator]
        case .liquidity(let event): [event.pool, event.token, event.quote, event.owner]
        case .feePayout(let event): [event.recipient] + [event.entity].compactMap(\.self)
        case .poolBoosted(let event): [event.pool, event.token]
        case .sharesBurned(let event): [event.shareToken, event.owner]
        }
    }

    /// One line.
    var sentence: String {
        switch self {
        case .tokenCreated(let event):
            "created on \(event.venue) by \(short(event.user)): \(PlainText.shown(event.symbol))"
        case .trade(let trade):
            "\(trade.side) \(trade.tokenAmount) for \(trade.quoteAmount) on \(trade.venue) by "
                + short(trade.trader)
        case .curveCompleted: "curve complete"
        case .curveMigrated(let event):
            "migrated \(event.tokenAmount) and \(event.quoteAmount) to \(short(event.pool))"
        case .curveReset(let event):
            "curve set to \(event.after.token) and \(event.after.quote)"
        case .creatorChanged(let event): "creator is \(short(event.creator))"
        case .poolCreated(let event):
            "pool \(short(event.pool)) opened on \(event.venue)"
        case .liquidity(let event):
            "\(event.direction) \(event.tokenAmount) and \(event.quoteAmount) for "
                + "\(event.shares) shares by \(short(event.owner))"
        case .feePayout(let event): "fees of \(event.amount) paid to \(short(event.recipient))"
        case .poolBoosted(let event): "boosted: virtual quote \(event.virtualQuote)"
        case .sharesBurned(let event): "\(event.shares) shares burnt by \(short(event.owner))"
        }
    }

    private func short(_ address: Address) -> String {
        String(address.text(on: Self.chain).prefix(8)) + ".."
    }
}

/// Text that strangers chose, safe for a terminal.
enum PlainText {
    /// Without control characters and marks that turn the direction of writing.
    static func shown(_ text: String, _ charactersMax: Int = 40) -> String {
        let shown = text.unicodeScalars.filter { scalar in
            switch scalar.properties.generalCategory {
            case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator,
                .paragraphSeparator:
                false
            default: true
            }
        }
        return String(String(String.UnicodeScalarView(shown)).prefix(charactersMax))
    }
}
