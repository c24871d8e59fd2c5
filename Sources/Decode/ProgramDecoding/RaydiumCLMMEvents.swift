import MarketModel
import RecordModel

// Events of Raydium CLMM. Offsets count from the discriminator. Discriminators are those of
// sha256("event:Name"), read as big-endian numbers; CPMM has the one of the swap too.

/// A swap. Of a token that charges for transfers, the amount of the side that goes in is what the
/// vault took, and that of the side that comes out is what the trader got.
struct RaydiumCLMMSwapEvent: Hashable {
    static let discriminator: UInt64 = 0x40c6_cde8_2608_71e2

    var pool: Address
    var sender: Address
    /// The token accounts of the trader.
    var account0: Address
    var account1: Address
    var amount0: UInt64
    var transferFee0: UInt64
    var amount1: UInt64
    var transferFee1: UInt64
    /// Whether side 0 goes in.
    var isZeroForOne: Bool
    // After the swap.
    var sqrtPriceX64: UInt128
    var liquidity: UInt128
    var tick: Int32
    /// Since May 2026: all that was charged on each side, for the protocol and the fund too.
    var tradeFee0: UInt64?
    var tradeFee1: UInt64?

    init(_ payload: RawSpan) throws(ParseFailure) {
        let length = payload.byteCount
        // Forms end at 205 and 221. What ends between them was cut.
        guard length == 205 || length >= 221,
            let pool = Address(payload, at: 8),
            let sender = Address(payload, at: 40),
            let account0 = Address(payload, at: 72),
            let account1 = Address(payload, at: 104)
        else { throw .truncated }
        self.pool = pool
        self.sender = sender
        self.account0 = account0
        self.account1 = account1
        amount0 = payload.littleEndianUInt64(at: 136)
        transferFee0 = payload.littleEndianUInt64(at: 144)
        amount1 = payload.littleEndianUInt64(at: 152)
        transferFee1 = payload.littleEndianUInt64(at: 160)
        isZeroForOne = try payload.flag(at: 168)
        sqrtPriceX64 = payload.littleEndianUInt128(at: 169)
        liquidity = payload.littleEndianUInt128(at: 185)
        tick = Int32(bitPattern: payload.littleEndianUInt32(at: 201))
        guard length >= 221 else { return }
        tradeFee0 = payload.littleEndianUInt64(at: 205)
        tradeFee1 = payload.littleEndianUInt64(at: 213)
    }

    /// Bytes behind the last known field.
    static func unknownTail(_ payload: RawSpan) -> Int { max(0, payload.byteCount - 221) }
}

/// What a position did to the pool's liquidity in range. It tells the ticks that the events of
/// positions leave out.
struct RaydiumCLMMRangeEvent: Hashable {
    static let discriminator: UInt64 = 0x7ef0_afce_9e58_996b
    static let length = 84

    var pool: Address
    var tick: Int32
    var lowerTick: Int32
    var upperTick: Int32
    var liquidityBefore: UInt128
    var liquidityAfter: UInt128

    init(_ payload: RawSpan) throws(ParseFailure) {
        guard payload.byteCount >= Self.length, let pool = Address(payload, at: 8) else {
            throw .truncated
        }
        self.pool = pool
        tick = Int32(bitPattern: payload.littleEndianUInt32(at: 40))
        lowerTick = Int32(bitPattern: payload.littleEndianUInt32(at: 44))
        upperTick = Int32(bitPattern: payload.littleEndianUInt32(at: 48))
        liquidityBefore = payload.littleEndianUInt128(at: 52)
        liquidityAfter = payload.littleEndianUInt128(at: 68)
    }
}

/// A position grew, or shrank with its fees paid out.
struct RaydiumCLMMPositionEvent: Hashable {
    static let increaseDiscriminator: UInt64 = 0x314f_69d4_2022_1e54
    static let decreaseDiscriminator: UInt64 = 0x3ade_563a_4432_5538
    static let increaseLength = 88
    static let decreaseLength = 128

    /// The token that stands for the position.
    var position: Address
    var liquidity: UInt128
    /// What the vaults took or gave, without the fees that were paid out.
    var amount0: UInt64
    var amount1: UInt64
    /// Fees paid out; zero when it grew.
    var fee0: UInt64 = 0
    var fee1: UInt64 = 0

    /// Reads the event of a position that grew.
    init(increase payload: RawSpan) throws(ParseFailure) {
        try self.init(payload, length: Self.increaseLength)
    }

    /// Reads the event of a position that shrank.
    init(decrease payload: RawSpan) throws(ParseFailure) {
        try self.init(payload, length: Self.decreaseLength)
        fee0 = payload.littleEndianUInt64(at: 72)
        fee1 = payload.littleEndianUInt64(at: 80)
    }

    /// Reads what both have in the same places.
    private init(_ payload: RawSpan, length: Int) throws(ParseFailure) {
        guard payload.byteCount >= length, let position = Address(payload, at: 8) else {
            throw .truncated
        }
        self.position = position
        liquidity = payload.littleEndianUInt128(at: 40)
        amount0 = payload.littleEndianUInt64(at: 56)
        amount1 = payload.littleEndianUInt64(at: 64)
    }
}

/// A position was opened.
struct RaydiumCLMMOpenEvent: Hashable {
    static let discriminator: UInt64 = 0x641e_57f9_c4df_9ace
    static let length = 160

    var pool: Address
    var minter: Address
    var owner: Address
    var lowerTick: Int32
    var upperTick: Int32
    var liquidity: UInt128
    var amount0: UInt64
    var amount1: UInt64

    init(_ payload: RawSpan) throws(ParseFailure) {
        guard payload.byteCount >= Self.length,
            let pool = Address(payload, at: 8),
            let minter = Address(payload, at: 40),
            let owner = Address(payload, at: 72)
        else { throw .truncated }
        self.pool = pool
        self.minter = minter
        self.owner = owner
        lowerTick = Int32(bitPattern: payload.littleEndianUInt32(at: 104))
        upperTick = Int32(bitPattern: payload.littleEndianUInt32(at: 108))
        liquidity = payload.littleEndianUInt128(at: 112)
        amount0 = payload.littleEndianUInt64(at: 128)
        amount1 = payload.littleEndianUInt64(at: 136)
    }
}

extension RawSpan {
    /// The u128 at an offset, lowest byte first; traps outside the span.
    func littleEndianUInt128(at offset: Int) -> UInt128 {
        UInt128(littleEndianUInt64(at: offset))
            | UInt128(littleEndianUInt64(at: offset &+ 8)) << 64
    }

    /// The truth value at an offset; anything but 0 and 1 is invalid; traps outside the span.
    func flag(at offset: Int) throws(ParseFailure) -> Bool {
        switch byte(at: offset) {
        case 0: return false
        case 1: return true
        default: throw .invalid
        }
    }
}
