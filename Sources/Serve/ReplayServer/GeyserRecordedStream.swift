package import GeyserDecoding
package import RecordModel

/// One recorded Subscribe call: what it asked for and how it ended. Its messages stay in the log.
package struct GeyserRecordedStream: Sendable {
    /// How the call ended, as recorded.
    package struct End: Sendable {
        /// The record that says so.
        package var sequence: Sequence
        package var code: Int32
        package var text: String
        package var trailers: [(name: String, value: [UInt8])]
        /// Whether the recorder's side asked for it; the server then had not ended it.
        package var isOnRequest: Bool
    }

    /// What the compressed messages are in, told by their first bytes.
    package enum Compression: Sendable { case none, gzip, other }

    /// The record of its opening.
    package let id: StreamID
    /// The id of the source it belonged to; empty for none.
    package let source: String
    /// The subscription that the call began with; nil when none was recorded or it cannot be read.
    package internal(set) var request: SubscribeRequest?
    /// The last record of the stream.
    package internal(set) var last: Sequence
    /// Nil for a stream that was cut off together with its run.
    package internal(set) var end: End?
    package internal(set) var compression = Compression.none
}

/// A stretch of a recorded stream under one subscription.
struct GeyserPeriod: Sendable {
    let stream: StreamID
    let source: String
    /// The record of the request; what comes from there on belongs to it.
    let first: Sequence
    let request: SubscribeRequest
}
