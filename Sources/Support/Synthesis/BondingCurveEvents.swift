import RecordModel

extension BondingCurveMarket {
    /// `CreateEvent`.
    func createEvent(_ creator: SolanaWallet, _ context: SolanaSlotContext) -> [UInt8] {
        var event: [UInt8] = [0x1b, 0x72, 0xa9, 0x4d, 0xde, 0xeb, 0x63, 0x76]
        for text in [name, symbol, uri] { event.appendBorsh(text) }
        for key in [mint, address, creator.key, creator.key] { event.append(key) }
        event.appendLittleEndian(context.timestamp)
        let fresh = BondingCurve()
        for value in [
            fresh.virtualTokens, fresh.virtualLamports, fresh.realTokens, BondingCurve.supply,
        ] { event.appendLittleEndian(value) }
        event.append(SolanaAddress.token)
        event.appendBorsh(false)  // mayhem
        guard context.layout == .july2026 else { return event }
        event.appendBorsh(false)  // cashback
        event.append(SolanaKey.zero)  // quote mint: native SOL
        event.appendLittleEndian(fresh.virtualLamports)
        return event
    }

    /// `CompleteEvent`.
    func completeEvent(_ user: SolanaWallet, _ context: SolanaSlotContext) -> [UInt8] {
        var event: [UInt8] = [0x5f, 0x72, 0x61, 0x9c, 0xd4, 0x2e, 0x98, 0x08]
        for key in [user.key, mint, address] { event.append(key) }
        event.appendLittleEndian(context.timestamp)
        if context.layout == .july2026 { event.append(SolanaKey.zero) }
        return event
    }

    /// `CompletePumpAmmMigrationEvent`.
    func migrationEvent(
        _ user: SolanaWallet,
        tokens: UInt64,
        lamports: UInt64,
        pool: SolanaKey,
        _ context: SolanaSlotContext
    ) -> [UInt8] {
        var event: [UInt8] = [0xbd, 0xe9, 0x5d, 0xb9, 0x5c, 0x94, 0xea, 0x94]
        event.append(user.key)
        event.append(mint)
        for value in [tokens, lamports, BondingCurve.migrationFee] {
            event.appendLittleEndian(value)
        }
        event.append(address)
        event.appendLittleEndian(context.timestamp)
        event.append(pool)
        if context.layout == .july2026 { event.append(SolanaAddress.wrappedSOL) }
        return event
    }
}
