package import RecordModel

/// State that is made of a recording, as far as retention is concerned. The log knows nothing of
/// state: whoever does says how far it has got, and what stands for segments that go.
package protocol RetainedState: Sendable {
    /// Where the oldest stored state reads on from.
    ///
    /// - Returns: nil when no state is stored: segments then go without leaving anything.
    /// - Throws: when it cannot be told; nothing is then retired.
    func oldestCheckpoint() throws(LogError) -> Sequence?

    /// Makes what stands for all records up to one of them. It is durable when this returns; the
    /// recording names it then, and the segments go.
    ///
    /// - Parameters:
    ///   - last: the last record that goes.
    ///   - named: what the recording names so far.
    /// - Returns: what it is to name from then on; nil to leave that as it is.
    /// - Throws: `noBaseAnchor` or `system`: nothing is then retired.
    func leaveBaseAnchors(
        through last: Sequence,
        named: [BaseAnchorMention]
    ) throws(LogError) -> [BaseAnchorMention]?

    /// Removes files that stood for segments and are named no more.
    ///
    /// - Parameter named: what the recording names.
    func removeBaseAnchors(except named: [BaseAnchorMention])
}
