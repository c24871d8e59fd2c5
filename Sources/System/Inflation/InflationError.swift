/// Why compressed bytes gave nothing. The bytes themselves stay in the log; only the reader of
/// this one message goes without it.
package enum InflationError: Error, Equatable, Sendable {
    /// Not the announced format, a wrong checksum, or bytes after the end: refuse the message.
    case malformed
    /// More than `limit` bytes would come out: refuse the message, as one that is too large.
    case overLimit(limit: Int)
    /// The input ends before the compressed stream does: refuse the message.
    case truncated
}

/// How the compressed bytes are framed.
package enum CompressedFormat: Sendable, Equatable {
    /// One gzip member (RFC 1952), checksum verified; nothing may follow it.
    case gzip
    /// The payload of one permessage-deflate message (RFC 7692 section 7.2): raw deflate, flushed,
    /// with the last four bytes 00 00 FF FF taken off, and no context carried between messages.
    case messageDeflate
}
