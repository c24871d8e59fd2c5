import MarketModel
import RecordModel

/// The accounts of pump.fun's programs. They grew over the years and are padded with zeros: a field
/// that was never written reads as zero, like one that is zero.
enum PumpAccounts {
    private static let curveTag: UInt64 = 0x60ac_d860_37f8_b717
    private static let poolTag: UInt64 = 0xbc6d_b111_046d_9af1

    /// A bonding curve: 49 bytes and more.
    static func curve(_ data: RawSpan) -> AccountFact.Content? {
        guard data.byteCount >= 49, data.littleEndianUInt64(at: 0) == curveTag else { return nil }
        var fields = FieldReader(0..<data.byteCount, skipping: 8)
        do throws(ParseFailure) {
            let virtualToken = try fields.amount(data)
            let virtualQuote = try fields.amount(data)
            let realToken = try fields.amount(data)
            let realQuote = try fields.amount(data)
            let supply = try fields.amount(data)
            var state = BondingCurveState(
                virtualReserves: Reserves(token: virtualToken, quote: virtualQuote),
                realTokenReserves: realToken,
                realQuoteReserves: realQuote,
                supply: supply,
                isComplete: try fields.bool(data)
            )
            state.creator = try fields.optionalAddress(data)
            // No wallet signs as the zero address: it says that nobody is.
            if state.creator == .zero { state.creator = nil }
            state.isMayhem = try fields.optionalBool(data) == true
            try fields.skipOptional(1)
            let quote = try fields.optionalAddress(data)
            if let quote, !quote.isZero, quote != .wrappedSOL { state.quote = quote }
            return .bondingCurve(state)
        } catch {
            return nil
        }
    }

    /// A pool of PumpSwap: 211 bytes and more.
    static func pool(_ data: RawSpan) -> AccountFact.Content? {
        guard data.byteCount >= 211, data.littleEndianUInt64(at: 0) == poolTag else { return nil }
        // Behind the discriminator, the bump and the index.
        var fields = FieldReader(0..<data.byteCount, skipping: 11)
        do throws(ParseFailure) {
            try fields.skip(32)
            let mints = [try fields.address(data), try fields.address(data)]
            let shareToken = try fields.address(data)
            let vaults = [try fields.address(data), try fields.address(data)]
            var state = PoolAccountState(venue: .pumpSwap, mints: mints, vaults: vaults)
            state.shareToken = shareToken
            state.shares = try fields.amount(data)
            state.coinCreator = try fields.optionalAddress(data)
            if state.coinCreator == .zero { state.coinCreator = nil }
            // Whether it is a mayhem and a cashback coin.
            try fields.skipOptional(1)
            try fields.skipOptional(1)
            state.virtualQuote = try fields.optionalInt128(data)
            // The creator's rate and two truths; then what waits for the protocol and the creator.
            try fields.skipOptional(8)
            try fields.skipOptional(1)
            try fields.skipOptional(1)
            let protocolFees = try fields.optionalAmount(data)
            let creatorFees = try fields.optionalAmount(data)
            if let protocolFees, let creatorFees {
                state.waitingFees = [0, protocolFees + creatorFees]
            }
            return .pool(state)
        } catch {
            return nil
        }
    }
}
