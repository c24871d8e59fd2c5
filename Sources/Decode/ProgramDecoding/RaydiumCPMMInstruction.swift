import RecordModel

/// What an instruction of Raydium CPMM asks for. Discriminators are those of
/// sha256("global:name"), read as big-endian numbers.
enum RaydiumCPMMInstruction: Hashable {
    /// A swap: whether the input is fixed, and the limit of the other side.
    case swap(isExactIn: Bool, limit: UInt64)
    /// A pool is opened with so much of both sides. With permission, accounts from the second on
    /// stand one place later.
    case initialize(amount0: UInt64, amount1: UInt64, hasPermission: Bool)
    /// Liquidity goes in or out for so many shares.
    case deposit(shares: UInt64)
    case withdraw(shares: UInt64)
    /// Known, and no market's business.
    case idle
    /// Not known to this version.
    case unknown(UInt64)

    /// Reads the data of an instruction.
    static func read(_ data: RawSpan) throws(ParseFailure) -> Self {
        guard data.byteCount >= 8 else { throw .truncated }
        let discriminator = data.littleEndianUInt64(at: 0).byteSwapped
        switch discriminator {
        case 0x8fbe_5ada_c41e_33de:  // swap_base_input
            return .swap(isExactIn: true, limit: try amount(data, 1))
        case 0x37d9_6256_a34a_b4ad:  // swap_base_output
            return .swap(isExactIn: false, limit: try amount(data, 0))
        case 0xafaf_6d1f_0d98_9bed:  // initialize
            return try initialize(data, hasPermission: false)
        case 0x3f37_fe41_31b2_5979:  // initialize_with_permission
            return try initialize(data, hasPermission: true)
        case 0xf223_c689_52e1_f2b6:  // deposit
            return .deposit(shares: try amount(data, 0))
        case 0xb712_469c_946d_a122:  // withdraw
            return .withdraw(shares: try amount(data, 0))
        case 0x8934_edd4_d775_6c68,  // create_amm_config
            0x313c_ae88_9a1c_74c8,  // update_amm_config
            0x8257_6c06_2ee0_757b,  // update_pool_status
            0x8888_fcdd_c242_7e59,  // collect_protocol_fee
            0xa78a_4e95_dfc2_067e,  // collect_fund_fee
            0x1416_567b_c61c_db84,  // collect_creator_fee
            0x8788_02d8_89a9_b5ca,  // create_permission_pda
            0x9c54_2076_4587_467b:  // close_permission_pda
            return .idle
        default: return .unknown(discriminator)
        }
    }

    private static func initialize(
        _ data: RawSpan,
        hasPermission: Bool
    ) throws(ParseFailure) -> Self {
        .initialize(
            amount0: try amount(data, 0),
            amount1: try amount(data, 1),
            hasPermission: hasPermission
        )
    }

    /// One of the numbers behind the discriminator.
    private static func amount(_ data: RawSpan, _ position: Int) throws(ParseFailure) -> UInt64 {
        let offset = 8 + 8 * position
        guard data.byteCount >= offset + 8 else { throw .truncated }
        return data.littleEndianUInt64(at: offset)
    }
}
