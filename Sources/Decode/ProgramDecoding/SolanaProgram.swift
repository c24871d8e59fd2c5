package import MarketModel

/// A program whose calls mean something to a decoder.
package enum SolanaProgram: UInt8, Hashable, Sendable {
    /// Any other one.
    case other = 0
    // The markets, with the raw values of their strategies.
    case pumpCurve = 1
    case pumpSwap = 2
    case raydiumV4 = 3
    case raydiumCPMM = 4
    case raydiumCLMM = 5
    case launchLab = 6
    /// SPL Token.
    case token = 7
    case token2022 = 8
    case system = 9
    case computeBudget = 10

    /// The program at an address. Looks at eight bytes of most addresses and at no memory.
    @inline(__always)
    package init(_ address: Address) {
        let candidate = SolanaProgram(leadingWord: address.storage.leadingWord)
        guard candidate != .other, candidate.address == address else {
            self = .other
            return
        }
        self = candidate
    }

    /// The only program whose address can begin with these eight bytes.
    @inline(__always)
    private init(leadingWord: UInt64) {
        switch leadingWord {
        case 0x0156_e0f6_9366_5acf: self = .pumpCurve
        case 0x0c14_defc_825e_c676: self = .pumpSwap
        case 0x4bd9_49c4_3602_c33f: self = .raydiumV4
        case 0xa92a_5a8b_4f29_5952: self = .raydiumCPMM
        case 0xa5d5_ca9e_04cf_5db5: self = .raydiumCLMM
        case 0x0504_3b95_4dca_26e1: self = .launchLab
        case 0x06dd_f6e1_d765_a193: self = .token
        case 0x06dd_f6e1_ee75_8fde: self = .token2022
        case 0: self = .system
        case 0x0306_466f_e521_1732: self = .computeBudget
        default: self = .other
        }
    }

    /// Where it is; nil for `other`.
    package var address: Address? {
        switch self {
        case .other: nil
        case .pumpCurve: .pumpCurveProgram
        case .pumpSwap: .pumpSwapProgram
        case .raydiumV4: .raydiumV4Program
        case .raydiumCPMM: .raydiumCPMMProgram
        case .raydiumCLMM: .raydiumCLMMProgram
        case .launchLab: .launchLabProgram
        case .token: .tokenProgram
        case .token2022: .token2022Program
        case .system: .zero
        case .computeBudget: .computeBudgetProgram
        }
    }

    /// Whether it is a market that a strategy reads.
    package var isMarket: Bool { (1...6).contains(rawValue) }

    /// Whether it moves SPL tokens.
    package var isToken: Bool { self == .token || self == .token2022 }

    /// What reads its calls; nil when it is no market.
    package var strategy: Strategy? { Strategy(rawValue: rawValue) }

    /// The venue of a market; nil for anything else.
    package var venue: Venue? { isMarket ? Venue(rawValue: rawValue) : nil }
}

extension Address {
    /// The bonding curve of pump.fun, 6EF8rrec...
    package static let pumpCurveProgram = Address(
        Bytes32(
            0x0156_e0f6_9366_5acf,
            0x44db_1568_bf17_5baa,
            0x5189_cb97_f5d2_ff3b,
            0x655d_2bb6_fd6d_18b0
        )
    )
    /// PumpSwap, pAMMBay6...
    package static let pumpSwapProgram = Address(
        Bytes32(
            0x0c14_defc_825e_c676,
            0x9425_0818_bb65_4065,
            0xf429_8d31_56d5_71b4,
            0xd4f8_090c_18e9_a863
        )
    )
    /// Raydium AMM v4, 675kPX9M...
    package static let raydiumV4Program = Address(
        Bytes32(
            0x4bd9_49c4_3602_c33f,
            0x2077_90ed_16a3_524c,
            0xa1b9_975c_f121_a2a9,
            0x0cff_ec7d_f8b6_8acd
        )
    )
    /// Raydium CPMM, CPMMoo8L...
    package static let raydiumCPMMProgram = Address(
        Bytes32(
            0xa92a_5a8b_4f29_5952,
            0x8425_50aa_93fd_5b95,
            0xb5ac_e6a8_eb92_0c93,
            0x942e_4369_0c20_ec73
        )
    )
    /// Raydium CLMM, CAMMCzo5...
    package static let raydiumCLMMProgram = Address(
        Bytes32(
            0xa5d5_ca9e_04cf_5db5,
            0x90b7_14ba_2fe3_2cb1,
            0x5913_3fc1_c192_b722,
            0x57fd_07d3_9cb0_401e
        )
    )
    /// Raydium LaunchLab, LanMV9sA...
    package static let launchLabProgram = Address(
        Bytes32(
            0x0504_3b95_4dca_26e1,
            0xef91_b52c_4f8f_89af,
            0x8a6f_5ac8_c621_56f1,
            0x71cf_0f21_ac51_c922
        )
    )
    /// SPL Token, Tokenkeg...
    package static let tokenProgram = Address(
        Bytes32(
            0x06dd_f6e1_d765_a193,
            0xd9cb_e146_ceeb_79ac,
            0x1cb4_85ed_5f5b_3791,
            0x3a8c_f585_7eff_00a9
        )
    )
    /// Token-2022, TokenzQd...
    package static let token2022Program = Address(
        Bytes32(
            0x06dd_f6e1_ee75_8fde,
            0x1842_5dbc_e46c_cdda,
            0xb61a_fc4d_83b9_0d27,
            0xfebd_f928_d8a1_8bfc
        )
    )
    /// ComputeBudget111...
    package static let computeBudgetProgram = Address(
        Bytes32(
            0x0306_466f_e521_1732,
            0xffec_adba_72c3_9be7,
            0xbc8c_e5bb_c5f7_126b,
            0x2c43_9b3a_4000_0000
        )
    )
    /// Wrapped SOL: the quote of everything that is priced in SOL.
    package static let wrappedSOL = Address(
        Bytes32(
            0x069b_8857_feab_8184,
            0xfb68_7f63_4618_c035,
            0xdac4_39dc_1aeb_3b55,
            0x98a0_f000_0000_0001
        )
    )
    /// USD Coin, EPjFWdd5...
    package static let usdc = Address(
        Bytes32(
            0xc6fa_7af3_bedb_ad3a,
            0x3d65_f36a_abc9_7431,
            0xb1bb_e4c2_d2f6_e0e4,
            0x7ca6_0203_452f_5d61
        )
    )
    /// Tether USD, Es9vMFrz...
    package static let usdt = Address(
        Bytes32(
            0xce01_0e60_afed_b227,
            0x17bd_6319_2f54_145a,
            0x3f96_5a33_bb82_d2c7,
            0x029e_b2ce_1e20_8264
        )
    )
}
