package import Platform
package import RecordModel
import SegmentLog
internal import WebSocketProtocol
internal import WebSocketTransport

/// Serves the EVM connections of a recording on one port, to clients that know nothing of it.
///
/// Each client has a thread and a cursor of its own and is held up by nobody but itself. The owner
/// must call `stop`.
package final class EthereumReplayServer: Sendable {
    private let loop: EventLoop
    private let server: WebSocketServer
    private let door: EthereumDoor
    /// The chain that is served; nil when the recording does not tell it.
    package let chainID: UInt64?
    /// The last record that is served: a client that has been served up to there is at the end.
    package let last: Sequence

    /// Reads the recording once and starts to listen; the port is open when this returns.
    ///
    /// - Parameters:
    ///   - path: the recording's directory.
    ///   - disk: the file system.
    ///   - options: what is served, to whom.
    ///   - sharedHead: how far clients may be served at first, which `setHead` changes; nil serves
    ///     every client from the beginning, as fast as it reads.
    ///   - clock: for pings and waiting times.
    ///   - random: for ids of subscriptions that no recorded one stands for.
    ///   - subscribed: called when a client has made its first subscription, on its thread.
    /// - Throws: why it cannot be served.
    package init(
        path: String,
        disk: any FileSystem,
        options: EthereumServeOptions,
        sharedHead: EthereumHead?,
        clock: any Clock = SystemClock(),
        random: any RandomSource = SystemRandom(),
        subscribed: @escaping @Sendable () -> Void = {}
    ) throws(EthereumServeError) {
        let reader: RecordingReader
        do throws(LogError) {
            reader = try RecordingReader(path: path, disk: disk)
        } catch {
            throw .unreadable(error)
        }
        let index = try EthereumRecordingIndex(reader, options: options)
        chainID = index.chainID
        last = index.last
        let makeCursor = { @Sendable (place: Sequence) throws(LogError) -> RecordCursor in
            try RecordCursor(try RecordingReader(path: path, disk: disk), from: place)
        }
        door = EthereumDoor(
            EthereumSession.Surroundings(
                index: index,
                options: options,
                clock: clock,
                random: random,
                makeCursor: makeCursor,
                answers: sharedHead == nil
                    ? nil
                    : EthereumAnswers(index) { () throws(LogError) in try makeCursor(.none) },
                subscribed: subscribed
            ),
            // Without a shared head there is no limit but the end of the recording.
            head: sharedHead ?? EthereumHead(through: index.last)
        )
        do throws(SystemError) {
            loop = try EventLoop(name: "ethereum-serve", clock: clock)
            do throws(SystemError) {
                server = try WebSocketServer(
                    address: options.address,
                    port: options.port,
                    options: Self.serverOptions(options, index),
                    loop: loop,
                    acceptor: door
                )
            } catch {
                loop.stop()
                throw error
            }
        } catch {
            throw .system(error)
        }
    }

    private static func serverOptions(
        _ options: EthereumServeOptions,
        _ index: EthereumRecordingIndex
    ) -> ServerOptions {
        var server = ServerOptions()
        server.limits.framePayloadBytesMax = options.messageBytesMax
        server.limits.messageBytesMax = options.messageBytesMax
        server.limits.queuedBytesMax = options.queuedBytesMax
        server.connectionCountMax = options.connectionCountMax
        server.agreesToCompression = index.streams.contains(where: \.isCompressed)
        return server
    }

    /// The address listened on, such as `127.0.0.1:8546`, with the port that port 0 became.
    package var address: String { server.address }
    /// The port listened on.
    package var port: UInt16 { server.port }
    /// Number of clients now.
    package var connectionCount: Int { server.connectionCount }

    /// Lets clients be served up to here; those that are behind read on. Only with a shared head.
    package func setHead(_ head: EthereumHead) { door.setHead(head) }

    /// Stops listening, ends every connection with 1001 behind what it has queued, and waits for
    /// all threads. Later calls do nothing.
    package func stop() {
        server.stop()
        loop.stop()
        door.joinAll()
    }
}
