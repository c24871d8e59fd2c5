// Token lifecycle, trading activity and liquidity.
