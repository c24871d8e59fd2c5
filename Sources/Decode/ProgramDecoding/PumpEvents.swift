import MarketModel
import RecordModel

// What the events of both programs of pump.fun have in common.

extension ProgramWalk {
    /// Opens an event of Anchor's form: its discriminator, big-endian, and what reads its fields
    /// from the walk's payloads.
    ///
    /// - Throws: why there are no bytes, or not enough.
    func openEvent(
        _ event: Int,
        _ payloads: RawSpan
    ) throws(ParseFailure) -> (discriminator: UInt64, fields: FieldReader) {
        if let fault = events[event].fault { throw fault }
        var fields = FieldReader(events[event].payload)
        let discriminator = try fields.uint64(payloads).byteSwapped
        return (discriminator, fields)
    }

    /// An event as found: a trade whose event stands behind a cut in the logs came from a call.
    func marked(_ found: MarketEvent, from event: Int) -> MarketEvent {
        guard events[event].isBehindCut, case .trade(var trade) = found else { return found }
        trade.flags.insert(.fromCall)
        return .trade(trade)
    }
}

extension FeePayout {
    /// Reads ClaimCashbackEvent, which both programs have.
    ///
    /// - Parameters:
    ///   - fields: behind the discriminator.
    ///   - bytes: what the fields lie in.
    ///   - venue: whose event it is.
    ///   - quote: what is paid out, unless the instruction names something else.
    /// - Throws: the event is cut.
    init(
        cashback fields: inout FieldReader,
        _ bytes: RawSpan,
        venue: Venue,
        quote: Address?
    ) throws(ParseFailure) {
        let user = try fields.address(bytes)
        let amount = try fields.amount(bytes)
        try fields.skip(8 + 8 + 8)  // timestamp, claimed and earned in all
        self.init(venue: venue, entity: nil, recipient: user, quote: quote, amount: amount)
    }
}
