@testable import Synthesis

/// Runs of the market for the tests.
enum SynthesisRun {
    /// A small market with everything in it.
    static var options: SynthesisOptions {
        var options = SynthesisOptions()
        options.slots = 60
        options.ethereumBlocks = 20
        options.tokens = 3
        options.tradesPerSlot = 8
        options.reorgs = 2
        options.skippedPerMille = 60
        options.wholeBlocks = true
        return options
    }

    static func steps(_ options: SynthesisOptions) -> [SynthesizedStep] {
        var steps: [SynthesizedStep] = []
        MarketSynthesis(options).run { steps.append($0) }
        return steps
    }

    /// Messages from the server on one Geyser stream.
    static func messages(_ steps: [SynthesizedStep], stream: UInt32) -> [[UInt8]] {
        steps.compactMap { step in
            guard step.stream == stream, case .message(.incoming, let bytes) = step.event else {
                return nil
            }
            return bytes
        }
    }

    /// Frames of one direction.
    static func frames(
        _ steps: [SynthesizedStep],
        _ direction: SynthesizedStep.FrameDirection
    ) -> [SynthesizedFrame] {
        steps.compactMap { step in
            guard case .frame(let way, let frame) = step.event, way == direction else {
                return nil
            }
            return frame
        }
    }
}
