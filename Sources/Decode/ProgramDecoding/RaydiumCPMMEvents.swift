import MarketModel
import RecordModel

// Events of Raydium CPMM. Offsets count from the discriminator. Discriminators are those of
// sha256("event:Name"), read as big-endian numbers; other programs have events of the same names.

/// A swap. Amounts are what the vaults took and gave: of tokens that charge for transfers, the
/// trader paid the input's fee on top and got the output without its own.
struct RaydiumCPMMSwapEvent: Hashable {
    static let discriminator: UInt64 = 0x40c6_cde8_2608_71e2

    /// What came with the form of August 2025.
    struct Fees: Hashable {
        var inputMint: Address
        var outputMint: Address
        /// In units of the input: the parts for the protocol and the fund included.
        var trade: UInt64
        var creator: UInt64
        var isCreatorOnInput: Bool
    }

    var pool: Address
    /// Vaults before it, without the fees that wait to be collected.
    var inputBefore: UInt64
    var outputBefore: UInt64
    var inputAmount: UInt64
    var outputAmount: UInt64
    var inputTransferFee: UInt64
    var outputTransferFee: UInt64
    /// Nil in the first form, of January 2024.
    var isExactIn: Bool?
    var fees: Fees?

    init(_ payload: RawSpan) throws(ParseFailure) {
        let length = payload.byteCount
        // Forms end at 88, 89 and 170. What ends between two of them was cut.
        guard length == 88 || length == 89 || length >= 170,
            let pool = Address(payload, at: 8)
        else { throw .truncated }
        self.pool = pool
        inputBefore = payload.littleEndianUInt64(at: 40)
        outputBefore = payload.littleEndianUInt64(at: 48)
        inputAmount = payload.littleEndianUInt64(at: 56)
        outputAmount = payload.littleEndianUInt64(at: 64)
        inputTransferFee = payload.littleEndianUInt64(at: 72)
        outputTransferFee = payload.littleEndianUInt64(at: 80)
        guard length >= 89 else { return }
        isExactIn = try payload.flag(at: 88)
        guard length >= 170 else { return }
        guard let inputMint = Address(payload, at: 89), let outputMint = Address(payload, at: 121)
        else { throw .truncated }
        fees = Fees(
            inputMint: inputMint,
            outputMint: outputMint,
            trade: payload.littleEndianUInt64(at: 153),
            creator: payload.littleEndianUInt64(at: 161),
            isCreatorOnInput: try payload.flag(at: 169)
        )
    }

    /// Bytes behind the last known field.
    static func unknownTail(_ payload: RawSpan) -> Int { max(0, payload.byteCount - 170) }
}

/// Liquidity went in or out.
struct RaydiumCPMMLiquidityEvent: Hashable {
    static let discriminator: UInt64 = 0x79a3_cdc9_39da_753c
    private static let length = 97

    var pool: Address
    var sharesBefore: UInt64
    /// Vaults before it, without the fees that wait to be collected.
    var before0: UInt64
    var before1: UInt64
    /// Deposit: what the vaults took. Withdrawal: what the owner got, the transfer fees off.
    var amount0: UInt64
    var amount1: UInt64
    var transferFee0: UInt64
    var transferFee1: UInt64
    var isDeposit: Bool

    init(_ payload: RawSpan) throws(ParseFailure) {
        guard payload.byteCount >= Self.length, let pool = Address(payload, at: 8) else {
            throw .truncated
        }
        self.pool = pool
        sharesBefore = payload.littleEndianUInt64(at: 40)
        before0 = payload.littleEndianUInt64(at: 48)
        before1 = payload.littleEndianUInt64(at: 56)
        amount0 = payload.littleEndianUInt64(at: 64)
        amount1 = payload.littleEndianUInt64(at: 72)
        transferFee0 = payload.littleEndianUInt64(at: 80)
        transferFee1 = payload.littleEndianUInt64(at: 88)
        isDeposit = try !payload.flag(at: 96)
    }

    /// Bytes behind the last known field.
    static func unknownTail(_ payload: RawSpan) -> Int { max(0, payload.byteCount - length) }
}
