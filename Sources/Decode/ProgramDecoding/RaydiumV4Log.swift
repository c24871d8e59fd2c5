import MarketModel
import RecordModel

/// What Raydium v4 writes to the log about one instruction, as `ray_log: ` and Base64. It is
/// written before the program checks the outcome: alone it proves nothing.
enum RaydiumV4Log: Hashable {
    /// A pool was opened.
    struct Opening: Hashable {
        var pcDecimals: UInt8
        var coinDecimals: UInt8
        var pcAmount: UInt64
        var coinAmount: UInt64
    }

    /// Liquidity went in, or out of the pool. Reserves are those that set the ratio, before it.
    struct Liquidity: Hashable {
        var isDeposit: Bool
        var poolCoin: UInt64
        var poolPC: UInt64
        var poolShares: UInt64
        var coinAmount: UInt64
        var pcAmount: UInt64
        var shares: UInt64
    }

    /// A swap. Reserves are those before it, without what is set aside as the protocol's profit.
    struct Swap: Hashable {
        var isExactIn: Bool
        /// Whether coin goes in and pc comes out.
        var isCoinIn: Bool
        /// The least to take when the input is fixed, otherwise the most to pay.
        var limit: UInt64
        var amountIn: UInt64
        var amountOut: UInt64
        var poolCoin: UInt64
        var poolPC: UInt64
    }

    case opening(Opening)
    case liquidity(Liquidity)
    case swap(Swap)

    /// Bytes of each kind, by its first byte. They never changed.
    private static let lengths = [75, 105, 89, 57, 57]

    /// Bytes behind the last known field.
    static func unknownTail(_ payload: RawSpan) -> Int {
        guard payload.byteCount > 0 else { return 0 }
        let kind = Int(payload.byte(at: 0))
        guard kind < lengths.count else { return 0 }
        return max(0, payload.byteCount - lengths[kind])
    }

    /// Reads the bytes that were Base64 in the log.
    init(_ payload: RawSpan) throws(ParseFailure) {
        guard payload.byteCount > 0 else { throw .truncated }
        let kind = Int(payload.byte(at: 0))
        guard kind < Self.lengths.count else { throw .invalid }
        guard payload.byteCount >= Self.lengths[kind] else { throw .truncated }
        switch kind {
        case 0:
            self = .opening(
                Opening(
                    pcDecimals: payload.byte(at: 9),
                    coinDecimals: payload.byte(at: 10),
                    pcAmount: payload.littleEndianUInt64(at: 27),
                    coinAmount: payload.littleEndianUInt64(at: 35)
                )
            )
        case 1: self = .liquidity(Self.deposit(payload))
        case 2: self = .liquidity(Self.withdrawal(payload))
        default: self = .swap(try Self.swap(payload, isExactIn: kind == 3))
        }
    }

    private static func deposit(_ payload: RawSpan) -> Liquidity {
        Liquidity(
            isDeposit: true,
            poolCoin: payload.littleEndianUInt64(at: 25),
            poolPC: payload.littleEndianUInt64(at: 33),
            poolShares: payload.littleEndianUInt64(at: 41),
            coinAmount: payload.littleEndianUInt64(at: 81),
            pcAmount: payload.littleEndianUInt64(at: 89),
            shares: payload.littleEndianUInt64(at: 97)
        )
    }

    private static func withdrawal(_ payload: RawSpan) -> Liquidity {
        Liquidity(
            isDeposit: false,
            poolCoin: payload.littleEndianUInt64(at: 17),
            poolPC: payload.littleEndianUInt64(at: 25),
            poolShares: payload.littleEndianUInt64(at: 33),
            coinAmount: payload.littleEndianUInt64(at: 73),
            pcAmount: payload.littleEndianUInt64(at: 81),
            shares: payload.littleEndianUInt64(at: 1)
        )
    }

    /// Both kinds have the fixed amount, the limit and the outcome, in an order of their own.
    private static func swap(_ payload: RawSpan, isExactIn: Bool) throws(ParseFailure) -> Swap {
        let direction = payload.littleEndianUInt64(at: 17)
        guard direction == 1 || direction == 2 else { throw .invalid }
        let first = payload.littleEndianUInt64(at: 1)
        let second = payload.littleEndianUInt64(at: 9)
        let outcome = payload.littleEndianUInt64(at: 49)
        return Swap(
            isExactIn: isExactIn,
            isCoinIn: direction == 2,
            limit: isExactIn ? second : first,
            amountIn: isExactIn ? first : outcome,
            amountOut: isExactIn ? outcome : second,
            poolCoin: payload.littleEndianUInt64(at: 33),
            poolPC: payload.littleEndianUInt64(at: 41)
        )
    }
}
