import RecordModel

/// What an instruction of Raydium LaunchLab asks for. Discriminators are those of
/// sha256("global:name"), read as big-endian numbers.
enum LaunchLabInstruction: Hashable {
    /// A trade: whether the input is fixed, and the limit of the other side.
    case trade(isExactIn: Bool, limit: UInt64)
    /// A coin and its curve are made; the program of the coin stands at a place of its own.
    case initialize(tokenProgram: Int)
    /// The funds go to a pool of Raydium v4 or CPMM; where the accounts stand.
    case migrate(Migration)
    /// Known, and no market's business.
    case idle
    /// Not known to this version.
    case unknown(UInt64)

    /// Where accounts of a migration stand in the list. The mints are the second and third.
    struct Migration: Hashable {
        /// The new pool.
        var pool: Int
        /// The curve.
        var curve: Int
        /// The curve's vault of the coin; that of the quote follows.
        var vault: Int
    }

    /// Reads the data of an instruction.
    static func read(_ data: RawSpan) throws(ParseFailure) -> Self {
        guard data.byteCount >= 8 else { throw .truncated }
        let discriminator = data.littleEndianUInt64(at: 0).byteSwapped
        switch discriminator {
        case 0xfaea_0d7b_d59c_13ec,  // buy_exact_in
            0x9527_de9b_d37c_981a:  // sell_exact_in
            return .trade(isExactIn: true, limit: try limit(data))
        case 0x18d3_7428_6903_9938,  // buy_exact_out
            0x5fc8_4722_0809_0ba6:  // sell_exact_out
            return .trade(isExactIn: false, limit: try limit(data))
        case 0xafaf_6d1f_0d98_9bed,  // initialize
            0x4399_af27_da10_2620:  // initialize_v2
            return .initialize(tokenProgram: 11)
        case 0x25be_7ede_2c9a_ab11:  // initialize_with_token_2022
            return .initialize(tokenProgram: 10)
        case 0xcf52_c091_fecf_91df:  // migrate_to_amm
            return .migrate(Migration(pool: 13, curve: 23, vault: 25))
        case 0x885c_c867_1cda_908c:  // migrate_to_cpswap
            return .migrate(Migration(pool: 5, curve: 17, vault: 19))
        default: return isIdle(discriminator) ? .idle : .unknown(discriminator)
        }
    }

    private static func isIdle(_ discriminator: UInt64) -> Bool {
        switch discriminator {
        case 0x1a61_8acb_84ab_8dfc,  // claim_creator_fee
            0x9c27_d087_4ced_3d48,  // claim_platform_fee
            0x75f1_c6a8_f8da_501d,  // claim_platform_fee_from_vault
            0x3121_681e_bd9d_4f23,  // claim_vested_token
            0x3cad_f767_045d_8230,  // collect_fee
            0xffba_96df_eb76_c9ba,  // collect_migrate_fee
            0xc9cf_f372_4b6f_2fbd,  // create_config
            0xb05a_c4af_fd71_dc14,  // create_platform_config
            0x9247_ad45_6213_0f6a,  // create_platform_vesting_account
            0x81b2_020d_d9ac_e6da,  // create_vesting_account
            0x1b1e_3ea9_5de0_1891,  // remove_platform_curve_param
            0x1d9e_fcbf_0a53_db63,  // update_config
            0xc33c_4c81_922d_438f,  // update_platform_config
            0x8a90_8afa_dc80_0439,  // update_platform_curve_param
            0xa25b_92c7_5d85_eaed,  // create_platform_global_access
            0x7bb4_b881_6fb9_bb3b:  // close_platform_global_access
            true
        default: false
        }
    }

    /// The second number, in all four the bound of what the first one does not fix.
    private static func limit(_ data: RawSpan) throws(ParseFailure) -> UInt64 {
        guard data.byteCount >= 24 else { throw .truncated }
        return data.littleEndianUInt64(at: 16)
    }
}
