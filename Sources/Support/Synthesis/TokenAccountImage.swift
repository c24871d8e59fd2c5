/// Accounts of the token programs as they stand after a transaction.
extension SolanaAccountImage {
    private static let mintBytes = 82
    private static let accountBytes = 165
    private static let tokenRent = SolanaLedger.tokenRent

    /// A token account or a mint; nil for any other account.
    init?(_ key: SolanaKey, _ account: SolanaLedger.Account) {
        if let token = account.token {
            self.init(key: key, owner: token.program, data: Self.data(token))
        } else if let mint = account.mint {
            self.init(key: key, owner: mint.program, data: Self.data(mint))
        } else {
            return nil
        }
    }

    private static func data(_ token: SolanaLedger.TokenHolding) -> [UInt8] {
        var data: [UInt8] = []
        data.append(token.mint)
        data.append(token.owner)
        data.appendLittleEndian(token.amount)
        // No delegate.
        data.padZeros(to: 108)
        data.append(1)
        let isNative = token.mint == SolanaAddress.wrappedSOL
        data.appendLittleEndian(UInt32(isNative ? 1 : 0))
        data.appendLittleEndian(isNative ? tokenRent : 0)
        // Nothing is delegated, and nobody else may close it.
        data.padZeros(to: accountBytes)
        guard token.program == SolanaAddress.token2022 else { return data }
        // An account, with the extension that says that its owner stays.
        data += [2, 7, 0, 0, 0]
        return data
    }

    private static func data(_ mint: SolanaLedger.Mint) -> [UInt8] {
        var data: [UInt8] = []
        data.appendLittleEndian(UInt32(mint.authority == nil ? 0 : 1))
        data.append(mint.authority ?? .zero)  // zeros stand for none on the wire
        data.appendLittleEndian(mint.supply)
        data.append(mint.decimals)
        data.append(1)
        data.padZeros(to: mintBytes)
        guard !mint.extensions.isEmpty else { return data }
        data.padZeros(to: accountBytes)
        data.append(1)
        return data + mint.extensions
    }
}
