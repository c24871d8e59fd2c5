import RecordModel
import Replay

/// What one subscription is answered with, record by record.
protocol GeyserPlay: AnyObject {
    /// Whether pings and pongs of our own belong to the stream.
    var addsOwn: Bool { get }

    /// The head has been moved: goes on from a record.
    ///
    /// - Throws: the end, when nothing of the play lies there.
    func move(to sequence: Sequence) throws(GeyserEnding)

    /// Plays the record that the cursor stands on.
    ///
    /// - Returns: false when the client has gone.
    /// - Throws: the end of the play, or `LogError`.
    func take(_ cursor: ReplayListener, _ outbox: GeyserOutbox) throws -> Bool
}
