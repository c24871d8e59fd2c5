package import MarketModel
import Projection

/// What one transaction traded on one side of one pool: the unit of every detector. Several trades of
/// a kind that follow each other in the transaction are one leg, their amounts added up.
package struct TradeLeg: Hashable, Sendable {
    /// What is known of a leg beside its numbers. Raw values stand in rows and never change.
    package struct Marks: OptionSet, Hashable, Sendable {
        package let rawValue: UInt16
        package init(rawValue: UInt16) { self.rawValue = rawValue }

        /// By pump.fun's trading agent.
        package static let mayhemAgent = Marks(rawValue: 1 << 0)
        /// A part of a route over several pools.
        package static let multiHop = Marks(rawValue: 1 << 1)
        /// Another program called the venue.
        package static let routed = Marks(rawValue: 1 << 2)
        /// A part of a cycle that earned something within its transaction.
        package static let arbitrage = Marks(rawValue: 1 << 3)
        /// Front or back of a sandwich that was reported; used once.
        package static let attack = Marks(rawValue: 1 << 4)
        /// Victim of a sandwich that was reported.
        package static let victim = Marks(rawValue: 1 << 5)
        /// The same wallet traded nearly as much the other way in the same pool and slot.
        package static let roundTrip = Marks(rawValue: 1 << 6)
        /// At least as much quote as a whale moves.
        package static let whale = Marks(rawValue: 1 << 7)
        /// At least so much of the pool's quote.
        package static let whaleShare = Marks(rawValue: 1 << 8)
        /// Its impact is high.
        package static let highImpact = Marks(rawValue: 1 << 9)
        /// The output was fixed, not the input.
        package static let exactOut = Marks(rawValue: 1 << 10)
        /// The output is without the part that stayed in the pool.
        package static let netOutput = Marks(rawValue: 1 << 12)
        /// An amount did not fit.
        package static let saturated = Marks(rawValue: 1 << 11)
    }

    /// Slot or block.
    package var slot: UInt64
    /// Of its last trade.
    package var place: EventPlace
    package var transaction: TransactionID
    package var venue: Venue
    package var side: Trade.Side
    package var marks: Marks = []
    package var trader: Address
    package var feePayer: Address?
    package var tokenAmount: UInt128
    /// What moved the pool.
    package var quoteAmount: UInt128
    /// What the trader paid or got.
    package var traderQuoteAmount: UInt128
    /// The input as the venue's formula takes it: without fees.
    package var pricedInput: UInt128
    /// By how much the pool's input side grew.
    package var keptInput: UInt128
    /// The part of the output that stays in the pool, in basis points.
    package var outputFeeBasisPoints: UInt16
    package var before: Reserves?
    package var after: Reserves?
    /// Of a pool of concentrated liquidity, if it stayed within one range.
    package var step: ConcentratedStep?
    package var measures: TradeMeasures
    /// What its transaction paid for being included, tips apart, in the chain's native unit.
    package var fee: UInt128
    package var tip: UInt128
    package var priorityPrice: UInt128

    /// The leg that a trade is by itself.
    package init(
        _ trade: Trade,
        at place: EventPlace,
        of facts: TransactionFacts,
        slot: UInt64,
        measures: TradeMeasures
    ) {
        self.slot = slot
        self.place = place
        transaction = facts.id
        venue = trade.venue
        side = trade.side
        trader = trade.trader
        feePayer = facts.feePayer
        tokenAmount = trade.tokenAmount
        quoteAmount = trade.quoteAmount
        traderQuoteAmount = trade.traderQuoteAmount
        (pricedInput, keptInput) = TradeReplay.inputs(of: trade)
        outputFeeBasisPoints = TradeReplay.outputFee(of: trade)
        before = trade.before
        after = trade.after
        self.measures = measures
        fee = facts.fee
        tip = facts.tip
        priorityPrice = facts.priorityPrice
        if trade.flags.contains(.mayhemAgent) { marks.insert(.mayhemAgent) }
        if trade.flags.contains(.multiHop) { marks.insert(.multiHop) }
        if trade.flags.contains(.saturated) { marks.insert(.saturated) }
        if trade.router != nil { marks.insert(.routed) }
        if TradeReplay.isOutputNet(trade) { marks.insert(.netOutput) }
        if trade.exactness == .exactOut { marks.insert(.exactOut) }
    }

    /// What was put in: quote of a buy, tokens of a sell.
    package var input: UInt128 { side == .buy ? quoteAmount : tokenAmount }
    /// What came out, before fees on it.
    package var output: UInt128 { side == .buy ? tokenAmount : quoteAmount }

    /// Whether detectors may take it as something a wallet did on purpose.
    package var isUsable: Bool {
        tokenAmount > 0 && quoteAmount > 0 && !marks.contains(.mayhemAgent)
    }

    /// Whether the next leg of the same transaction belongs to this one.
    package func isContinued(by next: TradeLeg) -> Bool {
        place.transaction == next.place.transaction && slot == next.slot && side == next.side
            && trader == next.trader
    }

    /// Adds a leg that continues this one.
    package mutating func append(_ next: TradeLeg) {
        place = next.place
        marks.formUnion(next.marks)
        tokenAmount = tokenAmount.plus(next.tokenAmount)
        quoteAmount = quoteAmount.plus(next.quoteAmount)
        traderQuoteAmount = traderQuoteAmount.plus(next.traderQuoteAmount)
        pricedInput = pricedInput.plus(next.pricedInput)
        keptInput = keptInput.plus(next.keptInput)
        after = next.after
        if let own = step, let other = next.step, own.liquidity == other.liquidity,
            own.after == other.before
        {
            step?.after = other.after
        } else {
            step = nil
        }
        measurePrice()
        // The narrower of two limits is what could have stopped the transaction.
        if let tolerance = next.measures.tolerance {
            measures.tolerance = min(measures.tolerance ?? .max, tolerance)
        }
    }

    /// Measures impact and move: by reserves, or by those that a step is like.
    mutating func measurePrice() {
        var (before, after) = (before, after)
        if let step {
            // A buy of side 0 lets its price rise, one of side 1 lets that of side 0 fall.
            let isTokenFirst = (side == .buy) == (step.after > step.before)
            if let like = step.reserves(isTokenFirst: isTokenFirst) {
                (before, after) = (like.before, like.after)
            }
        }
        measures.impact = TradeMeasures.impact(
            side,
            tokens: tokenAmount,
            quote: quoteAmount,
            before: before
        )
        measures.move = TradeMeasures.move(before: before, after: after)
    }
}

extension TradeLeg {
    /// Columns of a packed leg, one behind the other in the form of `RowWriter`.
    func pack(into writer: inout RowWriter) {
        writer.add(place)
        writer.addNamed(transaction)
        writer.add(venue.rawValue)
        writer.add(side.rawValue)
        writer.add(marks.rawValue)
        writer.add(trader)
        writer.add(optional: feePayer) { $0.add($1) }
        writer.add(tokenAmount)
        writer.add(quoteAmount)
        writer.add(traderQuoteAmount)
        writer.add(pricedInput)
        writer.add(keptInput)
        writer.add(outputFeeBasisPoints)
        for reserves in [before, after] {
            writer.add(optional: reserves) {
                $0.add($1.token)
                $0.add($1.quote)
            }
        }
        writer.add(optional: step) {
            $0.add($1.before)
            $0.add($1.after)
            $0.add($1.liquidity)
        }
        for measure in [measures.impact, measures.move, measures.tolerance] {
            writer.add(optional: measure) { $0.add($1) }
        }
        writer.add(fee)
        writer.add(tip)
        writer.add(priorityPrice)
    }

    /// What `pack` wrote.
    init(unpacking reader: inout RowReader, slot: UInt64) throws(RowError) {
        self.slot = slot
        place = try reader.place()
        transaction = try reader.namedTransaction()
        guard let venue = Venue(rawValue: try reader.unsigned8()),
            let side = Trade.Side(rawValue: try reader.unsigned8())
        else { throw .invalid(column: 5) }
        self.venue = venue
        self.side = side
        marks = Marks(rawValue: try reader.unsigned16())
        trader = try reader.address()
        feePayer = try reader.optional { (reader) throws(RowError) in try reader.address() }
        tokenAmount = try reader.unsigned128()
        quoteAmount = try reader.unsigned128()
        traderQuoteAmount = try reader.unsigned128()
        pricedInput = try reader.unsigned128()
        keptInput = try reader.unsigned128()
        outputFeeBasisPoints = try reader.unsigned16()
        before = try reader.optional { (reader) throws(RowError) in try reader.reserves() }
        after = try reader.optional { (reader) throws(RowError) in try reader.reserves() }
        step = try reader.optional { (reader) throws(RowError) in
            ConcentratedStep(
                before: try reader.unsigned128(),
                after: try reader.unsigned128(),
                liquidity: try reader.unsigned64()
            )
        }
        measures = TradeMeasures(
            impact: try reader.optional { (reader) throws(RowError) in try reader.signed64() },
            move: try reader.optional { (reader) throws(RowError) in try reader.signed64() },
            tolerance: try reader.optional { (reader) throws(RowError) in try reader.signed64() }
        )
        fee = try reader.unsigned128()
        tip = try reader.unsigned128()
        priorityPrice = try reader.unsigned128()
    }
}

extension RowWriter {
    /// Four columns: transaction, instruction, inner, ordinal.
    mutating func add(_ place: EventPlace) {
        add(place.transaction)
        add(place.instruction)
        add(place.inner)
        add(place.ordinal)
    }

    /// Two columns: of which kind of chain (1 Solana, 2 EVM), and the transaction.
    mutating func addNamed(_ transaction: TransactionID) {
        switch transaction {
        case .solana: add(UInt8(1))
        case .evm: add(UInt8(2))
        }
        add(transaction)
    }
}

extension RowReader {
    /// What `RowWriter.add` wrote of a place.
    mutating func place() throws(RowError) -> EventPlace {
        EventPlace(
            transaction: try unsigned32(),
            instruction: try unsigned16(),
            inner: try unsigned16(),
            ordinal: try unsigned32()
        )
    }

    /// What `RowWriter.addNamed` wrote.
    mutating func namedTransaction() throws(RowError) -> TransactionID {
        switch try unsigned8() {
        case 1: try transaction(on: .solana)
        case 2: try transaction(on: .evm(0))
        default: throw .invalid(column: 0)
        }
    }

    /// Two columns of type `unsigned128`: token and quote.
    fileprivate mutating func reserves() throws(RowError) -> Reserves {
        Reserves(token: try unsigned128(), quote: try unsigned128())
    }
}
