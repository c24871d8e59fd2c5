import RecordModel

extension BondingCurveMarket {
    /// `CreateEvent`.
    func createEvent(_ creator: SolanaWallet, _ context: SolanaSlotContext) -> [UInt8] {
        var event: [UInt8] = [0x1b, 0x72, 0xa9, 0x4d, 0xde, 0xeb, 0x63, 0x76]
        for text in [name, symbol, uri] { event.appendBorsh(text) }
        for key in [mint, address, creator.key, creator.key] { event.append(key) }
        event.appendLittleEndian(context.timestamp)
        let fresh = BondingCurve(quote)
        for value in [
            fresh.virtualTokens, quote == .native ? fresh.virtualQuote : 0, fresh.realTokens,
            BondingCurve.supply,
        ] { event.appendLittleEndian(value) }
        event.append(holdings.program)
        event.appendBorsh(false)  // mayhem
        guard context.layout == .july2026 else { return event }
        event.appendBorsh(false)  // cashback
        event.append(quote.mintOnCurve)
        event.appendLittleEndian(fresh.virtualQuote)
        return event
    }

    /// `CompleteEvent`.
    func completeEvent(_ user: SolanaWallet, _ context: SolanaSlotContext) -> [UInt8] {
        var event: [UInt8] = [0x5f, 0x72, 0x61, 0x9c, 0xd4, 0x2e, 0x98, 0x08]
        for key in [user.key, mint, address] { event.append(key) }
        event.appendLittleEndian(context.timestamp)
        if context.layout == .july2026 { event.append(quote.mintOnCurve) }
        return event
    }

    /// `CompletePumpAmmMigrationEvent`.
    func migrationEvent(
        _ user: SolanaWallet,
        moved: (tokens: UInt64, quote: UInt64),
        pool: SolanaKey,
        _ context: SolanaSlotContext
    ) -> [UInt8] {
        var event: [UInt8] = [0xbd, 0xe9, 0x5d, 0xb9, 0x5c, 0x94, 0xea, 0x94]
        event.append(user.key)
        event.append(mint)
        for value in [moved.tokens, moved.quote, curve.migrationFee] {
            event.appendLittleEndian(value)
        }
        event.append(address)
        event.appendLittleEndian(context.timestamp)
        event.append(pool)
        if context.layout == .july2026 { event.append(quote.mint) }
        return event
    }
}
