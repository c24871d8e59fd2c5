/// Where a trade happened. Raw values stand in tables and digests and never change.
package enum Venue: UInt8, Hashable, Comparable, Sendable, CaseIterable, CustomStringConvertible {
    /// The bonding curve of pump.fun.
    case pumpCurve = 1
    /// The pools that pump.fun coins migrate to.
    case pumpSwap = 2
    case raydiumV4 = 3
    case raydiumCPMM = 4
    case raydiumCLMM = 5
    /// The bonding curve of Raydium LaunchLab.
    case launchLab = 6
    case uniswapV2 = 7
    case uniswapV3 = 8

    /// The name in every output.
    package var description: String {
        switch self {
        case .pumpCurve: "pump_curve"
        case .pumpSwap: "pumpswap"
        case .raydiumV4: "raydium_v4"
        case .raydiumCPMM: "raydium_cpmm"
        case .raydiumCLMM: "raydium_clmm"
        case .launchLab: "launchlab"
        case .uniswapV2: "univ2"
        case .uniswapV3: "univ3"
        }
    }

    package static func < (left: Venue, right: Venue) -> Bool { left.rawValue < right.rawValue }
}
