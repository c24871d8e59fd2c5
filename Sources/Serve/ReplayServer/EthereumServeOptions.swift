/// How a recording is served on one EVM port.
package struct EthereumServeOptions: Sendable {
    /// Numeric address and port to listen on; port 0 lets the kernel choose.
    package var address = "127.0.0.1"
    package var port: UInt16 = 0
    /// Ids of the sources that are served; nil serves every recorded WebSocket.
    package var sources: Set<String>?
    /// The chain served, where the recording does not tell it or holds several.
    package var chainID: UInt64?
    /// What clients must send as `Authorization: Bearer` or `x-token`; nil lets all in.
    package var token: String?
    /// Whether a client goes on with the next recorded connection of a source where one ended, as
    /// if the recorder had not had to connect again. Off, it is cut off where the recorder was.
    package var joinsConnections = true
    /// Whether damage is passed over instead of refusing the recording.
    package var skipsDamage = false
    /// Whether the range ends before damage: clients are then told so by close code 1011.
    package var endsAtDamage = false

    /// Most clients at once, each with a thread of its own; further ones get HTTP 503.
    package var connectionCountMax = 256
    /// Bytes that may wait to be sent to a client; a slower one is read for later.
    package var queuedBytesMax = 1 << 20
    /// Most bytes of a message from a client (Bor and geth: 32 MiB).
    package var messageBytesMax = 32 << 20
    /// Most calls in a batch and most bytes of its answers (Bor and geth).
    package var batchCallsMax = 1_000
    package var batchBytesMax = 25_000_000
    /// Most subscriptions of one client.
    package var subscriptionsMax = 1_024
    /// How long a client that has made the first calls of a recorded connection is given for the
    /// next one before it is served without.
    package var callGraceMilliseconds: UInt64 = 1_000
    /// At the rate `max`, how long a client that has subscribed is given for its next request
    /// before its play begins, and how long altogether: several round trips around the world. One
    /// that has asked for all that was recorded does not wait.
    package var settlingMilliseconds: UInt64 = 500
    package var settlingMillisecondsMax: UInt64 = 2_000
    /// A ping is sent to a client that is not bound to a recorded connection when nothing was
    /// written for so long, and how long after it something must come (Bor and geth: 30 s each).
    package var pingMilliseconds: UInt64 = 30_000
    package var pongMilliseconds: UInt64 = 30_000

    package init() {}
}
