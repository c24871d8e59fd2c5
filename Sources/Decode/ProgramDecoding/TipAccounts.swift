import MarketModel

/// The accounts to which Jito's searchers pay their tips.
enum TipAccounts {
    static func contain(_ address: Address) -> Bool {
        // Most addresses are told by eight bytes.
        switch address.storage.leadingWord {
        case 0x7852_1cb1_79ce_bb85, 0xf187_ec87_d1f7_45cb, 0xb14e_0de5_5e9f_ba86,
            0x88f1_ffa3_a2df_e617, 0xbc2b_5706_5ef1_dd66, 0x8907_7d55_a5bb_1330,
            0xbf97_1b59_108b_5b85, 0x2026_101e_c203_2896:
            all.contains(address)
        default: false
        }
    }

    /// Source: Jito's documentation of `getTipAccounts`.
    private static let all: [Address] = [
        "96gYZGLnJYVFmbjzopPSU6QiEV5fGqZNyN9nmNhvrZU5",
        "HFqU5x63VTqvQss8hp11i4wVV8bD44PvwucfZ2bU7gRe",
        "Cw8CFyM9FkoMi7K7Crf6HNQqf4uEMzpKw6QNghXLvLkY",
        "ADaUMid9yfUytqMBgopwjb2DTLSokTSzL1zt6iGPaS49",
        "DfXygSm4jCyNCybVYYK6DwvWqjKee8pbDmJGcLWNDXjh",
        "ADuUkR4vqLUMWXxW9gh6D6L8pivKeVBBjNS2zwJzUFF1",
        "DttWaMuVvTiduZRnguLF7jNxTgiMBZ1hyAumKUiL2KRL",
        "3AVi9Tg9Uo68tJfuvoKvqKNWKkC5wPdSSdeBnizKZ6jT",
    ].map(Address.init(known:))
}

extension Address {
    /// An address that stands in this program's text.
    init(known text: String) {
        do throws(Base58Error) {
            try self.init(solana: text)
        } catch {
            preconditionFailure("\(text) is no address")
        }
    }
}
