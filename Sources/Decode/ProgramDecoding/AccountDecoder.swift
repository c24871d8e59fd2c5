package import MarketModel

/// Reads the accounts of known programs.
package enum AccountDecoder {
    /// Reads what an account holds.
    ///
    /// - Parameters:
    ///   - account: the account's address.
    ///   - owner: the program that it belongs to.
    ///   - data: all of its bytes.
    /// - Returns: nil when no decoder knows the account, or its bytes are not what they should be.
    package static func decode(account: Address, owner: Address, data: RawSpan) -> AccountFact? {
        let content: AccountFact.Content? =
            switch SolanaProgram(owner) {
            case .pumpCurve: PumpAccounts.curve(data)
            case .pumpSwap: PumpAccounts.pool(data)
            case .token: TokenProgramAccounts.content(data, isToken2022: false)
            case .token2022: TokenProgramAccounts.content(data, isToken2022: true)
            case .raydiumV4: RaydiumAccounts.v4(data)
            case .raydiumCPMM: RaydiumAccounts.cpmm(data)
            case .raydiumCLMM: RaydiumAccounts.clmm(data)
            case .other, .launchLab, .system, .computeBudget: nil
            }
        return content.map { AccountFact(account: account, content: $0) }
    }
}
