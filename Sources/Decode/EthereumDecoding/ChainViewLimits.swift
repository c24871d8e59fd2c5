/// What a `ChainView` keeps.
package struct ChainViewLimits: Equatable, Sendable {
    /// Most blocks, variants included; the lowest go first.
    package var blocksMax: Int
    /// Most bytes of JSON of blocks; the lowest blocks go first. The recorded answers to
    /// `eth_getLogs` have as much again.
    package var bytesMax: Int
    /// Most awaited calls, and most subscriptions, of one stream; later ones are not followed.
    package var callsMax: Int
    /// Most recorded answers to `eth_getLogs`; the oldest go first.
    package var answersMax: Int

    /// Limits by value, each at least 1.
    package init(
        blocksMax: Int = 1024,
        bytesMax: Int = 256 << 20,
        callsMax: Int = 4096,
        answersMax: Int = 256
    ) {
        precondition(blocksMax >= 1 && bytesMax >= 1 && callsMax >= 1 && answersMax >= 1)
        self.blocksMax = blocksMax
        self.bytesMax = bytesMax
        self.callsMax = callsMax
        self.answersMax = answersMax
    }
}
