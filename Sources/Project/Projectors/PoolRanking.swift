package import MarketModel

extension LiquidityFormulas {
    /// A pool and its TVL.
    package struct RankedPool: Hashable, Sendable {
        package let pool: Address
        package let tvl: UInt128

        package init(pool: Address, tvl: UInt128) {
            self.pool = pool
            self.tvl = tvl
        }
    }

    /// The greatest pools: by falling TVL, equals by rising address. Meaningful within one quote.
    ///
    /// - Parameters:
    ///   - pools: in any order.
    ///   - count: how many at most.
    /// - Returns: the first of them.
    package static func greatest(_ pools: [RankedPool], count: Int) -> [RankedPool] {
        let sorted = pools.sorted { left, right in
            left.tvl == right.tvl ? left.pool < right.pool : left.tvl > right.tvl
        }
        return [RankedPool](sorted.prefix(max(count, 0)))
    }
}
