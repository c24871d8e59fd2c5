import RecordModel

extension PumpSwapPool {
    /// `CreatePoolEvent`.
    func createPoolEvent(
        _ base: SolanaKey,
        _ quote: SolanaKey,
        _ context: SolanaSlotContext
    ) -> [UInt8] {
        var event: [UInt8] = [0xb1, 0x31, 0x0c, 0xd2, 0xa0, 0x76, 0xa7, 0x74]
        event.appendLittleEndian(context.timestamp)
        event.appendLittleEndian(UInt16(0))
        for key in [creator, baseMint, quoted.mint] { event.append(key) }
        event += [6, quoted.decimals]
        let liquidity = reserves.liquidity
        let locked = PumpSwapReserves.minimumLiquidity
        for value in [
            reserves.base, reserves.quote, reserves.base, reserves.quote, locked, liquidity,
            liquidity - locked,
        ] { event.appendLittleEndian(value) }
        event.append(bump)
        for key in [address, liquidityMint, base, quote] { event.append(key) }
        event.append(coinCreator?.key ?? .zero)  // no creator is the zero key on the wire
        event.appendBorsh(false)  // mayhem
        return event
    }

    /// `BuyEvent` or `SellEvent`, with the reserves as they were before the trade.
    func tradeEvent(
        _ entry: Entry,
        _ quote: PumpSwapReserves.Quote,
        _ rates: PumpSwapReserves.Rates,
        _ before: PumpSwapReserves,
        _ party: Party,
        _ recipient: (owner: SolanaKey, account: SolanaKey),
        _ context: SolanaSlotContext
    ) -> [UInt8] {
        var event: [UInt8] =
            entry.isBuy
            ? [0x67, 0xf4, 0x52, 0x1f, 0x2c, 0xf5, 0x77, 0x77]
            : [0x3e, 0x2f, 0x37, 0x0a, 0xa5, 0x03, 0xdc, 0x2a]
        event.appendLittleEndian(context.timestamp)
        let flow = flow(entry, quote, party.tolerance)
        for value in [
            quote.base, flow.limit, party.baseBalance, party.quoteBalance, before.base,
            before.quote, flow.first, rates.provider, quote.providerFee, rates.protocolShare,
            quote.protocolFee, flow.middle, flow.last,
        ] { event.appendLittleEndian(value) }
        for key in [
            address, party.wallet.key, party.base, party.quote, recipient.owner,
            recipient.account, coinCreator?.key ?? .zero,
        ] { event.append(key) }
        event.appendLittleEndian(rates.creator)
        event.appendLittleEndian(quote.creatorFee)
        if entry.isBuy {
            event.appendBorsh(true)  // track volume
            for _ in 0..<3 { event.appendLittleEndian(UInt64(0)) }
            event.appendLittleEndian(context.timestamp)
            event.appendLittleEndian(flow.minimumBase)
            event.appendBorsh(flow.instruction)
        }
        guard context.layout == .july2026 else { return event }
        event.appendLittleEndian(UInt64(0))  // cashback rate
        event.appendLittleEndian(UInt64(0))  // cashback
        event.appendLittleEndian(UInt64(0))  // buyback rate
        event.appendLittleEndian(UInt64(0))  // buyback
        event.appendLittleEndian(UInt128(0))  // virtual quote reserves
        event.appendBorsh(false)  // can boost
        event.appendLittleEndian(BondingCurve.supply)
        return event
    }

    /// The amounts whose places in the event depend on the instruction.
    private struct Flow {
        var limit: UInt64
        var first: UInt64
        var middle: UInt64
        var last: UInt64
        var minimumBase: UInt64 = 0
        var instruction = ""
    }

    private func flow(
        _ entry: Entry,
        _ quote: PumpSwapReserves.Quote,
        _ tolerance: UInt64
    ) -> Flow {
        switch entry {
        case .buy:
            Flow(
                limit: entry.limit(quote, tolerance),
                first: quote.quote,
                middle: quote.quote + quote.providerFee,
                last: quote.paid,
                instruction: "buy"
            )
        case .spend(let budget):
            Flow(
                limit: budget,
                first: quote.paid,
                middle: quote.paid - quote.protocolFee - quote.creatorFee,
                last: quote.quote,
                minimumBase: entry.limit(quote, tolerance),
                instruction: "buy_exact_quote_in"
            )
        case .sell:
            Flow(
                limit: entry.limit(quote, tolerance),
                first: quote.quote,
                middle: quote.quote - quote.providerFee,
                last: quote.received
            )
        }
    }
}
