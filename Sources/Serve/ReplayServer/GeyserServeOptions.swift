package import GRPCTransport
package import RecordModel

/// How a recording is served on one Yellowstone port.
package struct GeyserServeOptions: Sendable {
    /// `host:port`; port 0 lets the kernel choose.
    package var address = "127.0.0.1:0"
    /// Ids of the sources that are served; nil serves every recorded Subscribe stream.
    package var sources: Set<String>?
    /// Serves this recorded stream verbatim, whatever is asked for.
    package var stream: StreamID?
    /// What clients must send as `x-token`; nil lets all in.
    package var token: String?
    /// What `GetVersion` says of this program.
    package var toolVersion = "0"
    /// Most subscriptions at once, each with a thread of its own.
    package var subscriptionsMax = 256
    /// Largest message once inflated, in bytes.
    package var inflatedBytesMax = 256 << 20
    /// Nanoseconds between our own pings of a merged stream; the reference server's 10 s.
    package var pingNanoseconds: UInt64 = 10_000_000_000

    package init() {}
}

/// Why a recording cannot be served on a Yellowstone port.
package enum GeyserServeError: Error, Sendable {
    /// No recorded Subscribe stream belongs to the sources asked for.
    case nothingRecorded
    /// The port cannot be opened.
    case transport(GRPCError)
}

extension GeyserServeError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .nothingRecorded: "the recording holds no Yellowstone stream of the sources asked for"
        case .transport(let error): "\(error)"
        }
    }
}
