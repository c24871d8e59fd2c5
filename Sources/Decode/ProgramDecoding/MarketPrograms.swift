package import MarketModel

/// The programs that strategies read, in an order that never changes: it numbers subscription
/// groups.
package enum MarketPrograms {
    /// Their addresses.
    package static let all: [Address] = [
        .pumpCurveProgram, .pumpSwapProgram, .raydiumV4Program, .raydiumCPMMProgram,
        .raydiumCLMMProgram, .launchLabProgram,
    ]
}
