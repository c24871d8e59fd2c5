package import RecordModel

/// How far the clients of a server may be served.
package struct EthereumHead: Equatable, Sendable {
    /// The last record that may be sent.
    package var through: Sequence
    /// Counts the times that the head was set elsewhere: clients follow it there.
    package var moves: UInt64
    /// The first record that counts since then.
    package var start: Sequence

    package init(through: Sequence = .none, moves: UInt64 = 0, start: Sequence = .first) {
        self.through = through
        self.moves = moves
        self.start = start
    }
}
