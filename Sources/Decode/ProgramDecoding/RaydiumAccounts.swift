import MarketModel
import RecordModel

/// The pool accounts of Raydium's programs.
enum RaydiumAccounts {
    private static let v4Bytes = 752
    private static let cpmmBytes = 637
    private static let clmmBytes = 1544

    /// sha256("account:PoolState"), the first eight bytes big-endian: of CPMM and of CLMM.
    private static let poolState: UInt64 = 0xf7ed_e3f5_d7c3_de46

    /// A pool of v4, which has no discriminator: told by its length and a status that exists. While
    /// a pool lends to its order book, what it has there is in no vault.
    static func v4(_ data: RawSpan) -> AccountFact.Content? {
        guard data.byteCount == v4Bytes, (1...7).contains(data.littleEndianUInt64(at: 0)) else {
            return nil
        }
        return content(
            .raydiumV4,
            data,
            mints: (400, 432),
            vaults: (336, 368),
            shares: (token: 464, amount: 720),
            // What is set aside as the protocol's profit.
            waitingFees: [(192, 200)]
        )
    }

    /// A pool of CPMM.
    static func cpmm(_ data: RawSpan) -> AccountFact.Content? {
        guard data.byteCount == cpmmBytes,
            data.littleEndianUInt64(at: 0).byteSwapped == poolState
        else { return nil }
        return content(
            .raydiumCPMM,
            data,
            mints: (168, 200),
            vaults: (72, 104),
            shares: (token: 136, amount: 333),
            // Of the protocol, the fund and the creator; the last are zero in older pools.
            waitingFees: [(341, 349), (357, 365), (397, 405)]
        )
    }

    /// A pool of CLMM. It has no shares.
    static func clmm(_ data: RawSpan) -> AccountFact.Content? {
        guard data.byteCount == clmmBytes,
            data.littleEndianUInt64(at: 0).byteSwapped == poolState
        else { return nil }
        return content(
            .raydiumCLMM,
            data,
            mints: (73, 105),
            vaults: (137, 169),
            shares: nil,
            // Of the protocol and the fund.
            waitingFees: [(309, 317), (1064, 1072)]
        )
    }

    /// The pool whose fields stand at these offsets, of both sides each.
    private static func content(
        _ venue: Venue,
        _ data: RawSpan,
        mints: (Int, Int),
        vaults: (Int, Int),
        shares: (token: Int, amount: Int)?,
        waitingFees: [(Int, Int)]
    ) -> AccountFact.Content? {
        guard let mint0 = Address(data, at: mints.0), let mint1 = Address(data, at: mints.1),
            let vault0 = Address(data, at: vaults.0), let vault1 = Address(data, at: vaults.1)
        else { return nil }
        var fees: [UInt128] = [0, 0]
        // Three terms of 64 bits at most.
        for (first, second) in waitingFees {
            fees[0] += UInt128(data.littleEndianUInt64(at: first))
            fees[1] += UInt128(data.littleEndianUInt64(at: second))
        }
        var pool = PoolAccountState(
            venue: venue,
            mints: [mint0, mint1],
            vaults: [vault0, vault1],
            waitingFees: fees
        )
        if let shares {
            pool.shareToken = Address(data, at: shares.token)
            pool.shares = UInt128(data.littleEndianUInt64(at: shares.amount))
        }
        return .pool(pool)
    }
}
