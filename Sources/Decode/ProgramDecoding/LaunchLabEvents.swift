import MarketModel
import RecordModel

// Events of Raydium LaunchLab. Offsets count from the discriminator. Discriminators are those of
// sha256("event:Name"), read as big-endian numbers; pump.fun has the one of the trade too.

/// A trade on a curve.
struct LaunchLabTradeEvent: Hashable {
    static let discriminator: UInt64 = 0xbddb_7fd3_4ee6_61ee

    /// What became of the curve. The values are the program's.
    enum Status: UInt8 {
        case raising = 0
        case waitingToMigrate = 1
        case migrated = 2
    }

    var pool: Address
    var tokensForSale: UInt64
    var virtualBase: UInt64
    var virtualQuote: UInt64
    /// Tokens sold so far.
    var baseBefore: UInt64
    var quoteBefore: UInt64
    var baseAfter: UInt64
    var quoteAfter: UInt64
    var amountIn: UInt64
    var amountOut: UInt64
    var protocolFee: UInt64
    var platformFee: UInt64
    /// Nil in the first form.
    var creatorFee: UInt64?
    var shareFee: UInt64
    var isBuy: Bool
    /// After the trade.
    var status: Status
    /// Nil in the first form.
    var isExactIn: Bool?

    /// The total length tells the form, because a field was put in the middle: 138 bytes, or 147
    /// and more.
    init(_ payload: RawSpan) throws(ParseFailure) {
        let length = payload.byteCount
        guard length == 138 || length >= 147, let pool = Address(payload, at: 8) else {
            throw .truncated
        }
        self.pool = pool
        tokensForSale = payload.littleEndianUInt64(at: 40)
        virtualBase = payload.littleEndianUInt64(at: 48)
        virtualQuote = payload.littleEndianUInt64(at: 56)
        baseBefore = payload.littleEndianUInt64(at: 64)
        quoteBefore = payload.littleEndianUInt64(at: 72)
        baseAfter = payload.littleEndianUInt64(at: 80)
        quoteAfter = payload.littleEndianUInt64(at: 88)
        amountIn = payload.littleEndianUInt64(at: 96)
        amountOut = payload.littleEndianUInt64(at: 104)
        protocolFee = payload.littleEndianUInt64(at: 112)
        platformFee = payload.littleEndianUInt64(at: 120)
        let isFirstForm = length == 138
        if !isFirstForm { creatorFee = payload.littleEndianUInt64(at: 128) }
        let rest = isFirstForm ? 128 : 136
        shareFee = payload.littleEndianUInt64(at: rest)
        isBuy = try !payload.flag(at: rest + 8)
        guard let status = Status(rawValue: payload.byte(at: rest + 9)) else { throw .invalid }
        self.status = status
        guard !isFirstForm else { return }
        isExactIn = try payload.flag(at: 146)
    }

    /// Bytes behind the last known field.
    static func unknownTail(_ payload: RawSpan) -> Int { max(0, payload.byteCount - 147) }
}

/// A coin and its curve were made.
struct LaunchLabCreateEvent: Hashable {
    static let discriminator: UInt64 = 0x97d7_e209_76a1_73ae
    /// The longest text that is believed; the program allows 200 bytes.
    private static let textBytesMax = 1024

    var pool: Address
    var creator: Address
    var decimals: UInt8
    var name: String
    var symbol: String
    var uri: String
    var supply: UInt64
    /// Nil on curves of a fixed or rising price, which sell what is left of the supply.
    var tokensForSale: UInt64?
    /// Bytes behind the last known field.
    var unknownTail: Int

    init(_ payload: RawSpan) throws(ParseFailure) {
        guard payload.byteCount >= 105,
            let pool = Address(payload, at: 8),
            let creator = Address(payload, at: 40)
        else { throw .truncated }
        self.pool = pool
        self.creator = creator
        // The configuration follows at 72.
        decimals = payload.byte(at: 104)
        var offset = 105
        name = try Self.text(payload, &offset)
        symbol = try Self.text(payload, &offset)
        uri = try Self.text(payload, &offset)
        guard payload.byteCount - offset >= 1 else { throw .truncated }
        let curve = payload.byte(at: offset)
        offset += 1
        guard curve <= 2 else { throw .invalid }
        // supply, [tokens for sale,] quote to raise, where to migrate
        let curveLength = curve == 0 ? 25 : 17
        // Vesting: locked amount, cliff, period.
        guard payload.byteCount - offset >= curveLength + 24 else { throw .truncated }
        supply = payload.littleEndianUInt64(at: offset)
        if curve == 0 { tokensForSale = payload.littleEndianUInt64(at: offset + 8) }
        offset += curveLength + 24
        // Where fees of the pool to come are taken: one byte in newer forms.
        if payload.byteCount > offset { offset += 1 }
        unknownTail = payload.byteCount - offset
    }

    /// A string of user text: u32 length and bytes. What is not UTF-8 is replaced.
    private static func text(_ payload: RawSpan, _ offset: inout Int) throws(ParseFailure) -> String
    {
        guard payload.byteCount - offset >= 4 else { throw .truncated }
        let length = Int(payload.littleEndianUInt32(at: offset))
        guard length <= textBytesMax else { throw .invalid }
        guard payload.byteCount - offset - 4 >= length else { throw .truncated }
        let start = offset + 4
        offset = start + length
        return String(decoding: payload.copyBytes(start..<offset), as: UTF8.self)
    }
}
