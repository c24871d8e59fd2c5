/// Real addresses of Solana mainnet that the synthetic market uses.
enum SolanaAddress {
    static let pump = SolanaKey(base58: "6EF8rrecthR5Dkzon8Nwu78hRvfCKubJ14M5uBEwF6P")
    static let pumpGlobal = SolanaKey(base58: "4wTV1YmiEkRvAtNtsSGPtUrqRYQMe5SKy2uB4Jjaxnjf")
    static let pumpEvents = SolanaKey(base58: "Ce6TQqeHC9p8KetsN6JsjHK7UTZk7nasjjnr7XxXp9F1")
    static let pumpMintAuthority = SolanaKey(base58: "TSLvdd1pWpHVjahSpsvCXUbgwsL3JAcvokwaKt1eokM")
    static let pumpFeeConfig = SolanaKey(base58: "8Wf5TiAheLUqBrKXeYg2JtAFFMWtKdG2BSFgqUcPVwTt")
    static let pumpVolume = SolanaKey(base58: "Hq2wp8uJ9jCPsYgNHex8RtqdvMPfVGoYwjvF1ATiwn2Y")
    static let pumpFees = SolanaKey(base58: "pfeeUxB6jkeY1Hxd7CsFCAjcbHA9rWtchMGdZ6VojVZ")
    static let pumpSwap = SolanaKey(base58: "pAMMBay6oceH9fJKBRHGP5D4bD4sWpmSwMn52FMfXEA")
    static let pumpSwapConfig = SolanaKey(base58: "ADyA8hdefvWN2dbGGWFotbzWxrAvLW83WG6QCVXvJKqw")
    static let pumpSwapEvents = SolanaKey(base58: "GS4CU59F31iL7aR2Q8zVS8DRrcRnXX1yjQ66TqNVQnaR")
    static let pumpSwapFeeConfig = SolanaKey(
        base58: "5PHirr8joyTMp9JMm6nW7hNDVyEYdkzDqazxPD7RaTjx"
    )
    static let pumpSwapVolume = SolanaKey(base58: "C2aFPdENg4A2HQsmrd5rTw5TaYBX5Ku887cWjbFKtZpw")
    static let raydium = SolanaKey(base58: "675kPX9MHTjS2zt1qfr1NYHuzeLXfQM9H24wFSUt1Mp8")
    static let raydiumAuthority = SolanaKey(base58: "5Q544fKrFoe6tsEbD7S8EmxGTJYAKtTVhAW5Q5pge4j1")
    static let token = SolanaKey(base58: "TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA")
    static let token2022 = SolanaKey(base58: "TokenzQdBNbLqP5VEhdkAS6EPFLC1PHnBqCXEpPxuEb")
    static let associatedToken = SolanaKey(base58: "ATokenGPvbdGVxr1b2hvZbsiqW5xWH25efTNsLJA8knL")
    static let system = SolanaKey.zero
    static let computeBudget = SolanaKey(base58: "ComputeBudget111111111111111111111111111111")
    static let vote = SolanaKey(base58: "Vote111111111111111111111111111111111111111")
    static let rent = SolanaKey(base58: "SysvarRent111111111111111111111111111111111")
    static let metadata = SolanaKey(base58: "metaqbxxUerdq28cj1RbAWkYQm3ybzjb6a8bt518x1s")
    /// pump.fun's own trading agent.
    static let mayhemAgent = SolanaKey(base58: "BwWK17cbHxwWBKZkUYvzxLcNQ1YVyaFezduWbtm2de6s")
    /// A well-known router (Jupiter).
    static let router = SolanaKey(base58: "JUP6LkbZbjS1jKKwapdHNy74zcZ3tLUZoi5QNyVTaV4")
    static let mayhem = SolanaKey(base58: "MAyhSmzXzV1pTf7LsNkrNwkWKTo4ougAJ1PPg47MD4e")
    static let mayhemParameters = SolanaKey(base58: "13ec7XdrjF3h3YcqBTFDSReRcUFwbCnJaAQspM4j6DDJ")
    static let usdc = SolanaKey(base58: "EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v")
    static let wrappedSOL = SolanaKey(base58: "So11111111111111111111111111111111111111112")

    /// Accounts that take pump's protocol fee on the bonding curve.
    static let feeRecipients = [
        "62qc2CNXwrYqQScmEdiZFFAnJR262PxWEuNQtxfafNgV",
        "7VtfL8fvgNfhz17qKRMjzQEXgbdpnHHHQRh54R9jP2RJ",
        "9rPYyANsfQZw3DnDmKE3YCQF5E8oD89UXoHn9JFEhJUz",
        "AVmoTthdrX6tKt4nDjco2D775W2YK3sDhxPcMmzUAmTY",
    ].map(SolanaKey.init(base58:))

    /// Accounts to which Jito's searchers pay their tips.
    static let tips = [
        "96gYZGLnJYVFmbjzopPSU6QiEV5fGqZNyN9nmNhvrZU5",
        "HFqU5x63VTqvQss8hp11i4wVV8bD44PvwucfZ2bU7gRe",
        "Cw8CFyM9FkoMi7K7Crf6HNQqf4uEMzpKw6QNghXLvLkY",
        "ADaUMid9yfUytqMBgopwjb2DTLSokTSzL1zt6iGPaS49",
        "DfXygSm4jCyNCybVYYK6DwvWqjKee8pbDmJGcLWNDXjh",
        "ADuUkR4vqLUMWXxW9gh6D6L8pivKeVBBjNS2zwJzUFF1",
        "DttWaMuVvTiduZRnguLF7jNxTgiMBZ1hyAumKUiL2KRL",
        "3AVi9Tg9Uo68tJfuvoKvqKNWKkC5wPdSSdeBnizKZ6jT",
    ].map(SolanaKey.init(base58:))

    /// Accounts that take the buyback share of the protocol fee.
    static let buybackRecipients = [
        "5YxQFdt3Tr9zJLvkFccqXVUwhdTWJQc1fFg2YPbxvxeD",
        "9M4giFFMxmFGXtc3feFzRai56WBbqehoSeRE5GK7gf7",
        "GXPFM2caqTtQYC2cJ5yJRi9VDkpsYZXzYdwYpGnLmtDL",
        "3BpXnfJaUTiwXnJNe7Ej1rcbzqTTQUvLShZaWazebsVR",
    ].map(SolanaKey.init(base58:))
}
