import RecordModel

/// What an instruction of Raydium CLMM asks for, and where the accounts stand that a market needs.
/// Discriminators are those of sha256("global:name"), read as big-endian numbers.
enum RaydiumCLMMInstruction: Hashable {
    /// Where accounts of a position's pool stand in the list. Mints are named in newer lists alone.
    struct Places: Hashable {
        var pool: Int
        /// Side 0; side 1 follows.
        var vault: Int
        var mint: Int?
    }

    /// A swap on one pool. The amount is fixed, the limit that of the other side.
    case swap(isExactIn: Bool, limit: UInt64, namesMints: Bool)
    /// Swaps one after the other, each with what the one before gave.
    case route(limit: UInt64)
    case createPool
    case open(Places)
    case increase(Places)
    case decrease(Places)
    /// Known, and no market's business.
    case idle
    /// Not known to this version.
    case unknown(UInt64)

    /// Reads the data of an instruction.
    static func read(_ data: RawSpan) throws(ParseFailure) -> Self {
        guard data.byteCount >= 8 else { throw .truncated }
        let discriminator = data.littleEndianUInt64(at: 0).byteSwapped
        switch discriminator {
        case 0xf8c6_9e91_e175_87c8:  // swap
            return try swap(data, namesMints: false)
        case 0x2b04_ed0b_1ac9_1e62:  // swap_v2
            return try swap(data, namesMints: true)
        case 0x457d_73da_f5ba_f2c4:  // swap_router_base_in
            guard data.byteCount >= 24 else { throw .truncated }
            return .route(limit: data.littleEndianUInt64(at: 16))
        case 0xe992_d18e_cf68_40bc,  // create_pool
            0x2b44_d4a7_592f_a401:  // create_customizable_pool
            return .createPool
        case 0x8780_2f4d_0f98_f031:  // open_position
            return .open(Places(pool: 5, vault: 12))
        case 0x4db8_4ad6_7056_f1c7:  // open_position_v2
            return .open(Places(pool: 5, vault: 12, mint: 20))
        case 0x4dff_ae52_7d1d_c92e:  // open_position_with_token22_nft
            return .open(Places(pool: 4, vault: 11, mint: 18))
        case 0x2e9c_f376_0dcd_fbb2:  // increase_liquidity
            return .increase(Places(pool: 2, vault: 9))
        case 0x851d_59df_45ee_b00a:  // increase_liquidity_v2
            return .increase(Places(pool: 2, vault: 9, mint: 13))
        case 0xa026_d06f_685b_2c01:  // decrease_liquidity
            return .decrease(Places(pool: 3, vault: 5))
        case 0x3a7f_bc3e_4f52_c460:  // decrease_liquidity_v2
            return .decrease(Places(pool: 3, vault: 5, mint: 14))
        default: return isIdle(discriminator) ? .idle : .unknown(discriminator)
        }
    }

    private static func isIdle(_ discriminator: UInt64) -> Bool {
        switch discriminator {
        case 0x7b86_5100_3144_6262,  // close_position
            0xa3ac_e034_0b9a_6adf,  // update_reward_infos
            0x5f87_c0c4_f281_e644,  // initialize_reward
            0x7034_a74b_20c9_d389,  // set_reward_params
            0x12ed_a6c5_2210_d590,  // collect_remaining_rewards
            0x0716_0c53_f22b_3079,  // transfer_reward_owner
            0x8934_edd4_d775_6c68,  // create_amm_config
            0x313c_ae88_9a1c_74c8,  // update_amm_config
            0x8257_6c06_2ee0_757b,  // update_pool_status
            0x8888_fcdd_c242_7e59,  // collect_protocol_fee
            0xa78a_4e95_dfc2_067e,  // collect_fund_fee
            0x3f57_9421_6d23_0868,  // create_operation_account
            0x7f46_7728_bce3_3d07,  // update_operation_account
            0x11fb_415c_88f2_0ea9:  // create_support_mint_associated
            true
        default: false
        }
    }

    private static func swap(_ data: RawSpan, namesMints: Bool) throws(ParseFailure) -> Self {
        guard data.byteCount >= 41 else { throw .truncated }
        let isExactIn: Bool
        switch data.byte(at: 40) {
        case 0: isExactIn = false
        case 1: isExactIn = true
        default: throw .invalid
        }
        let limit = data.littleEndianUInt64(at: 16)
        return .swap(isExactIn: isExactIn, limit: limit, namesMints: namesMints)
    }
}
