package import Platform
import RecordModel
package import Replay
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

    /// Reads the recording once and starts to listen; the port is open when this returns.
    ///
    /// - Parameters:
    ///   - path: the recording's directory.
    ///   - disk: the file system.
    ///   - options: what is served, to whom.
    ///   - stage: what all clients follow, and whose range is served; each client counts as a
    ///     subscription of it. Stage and server may be stopped in any order.
    ///   - clock: for pings and waiting times.
    ///   - random: for ids of subscriptions that no recorded one stands for.
    /// - Throws: why it cannot be served.
    package init(
        path: String,
        disk: any FileSystem,
        options: EthereumServeOptions,
        stage: ReplayStage,
        clock: any Clock = SystemClock(),
        random: any RandomSource = SystemRandom()
    ) throws(EthereumServeError) {
        let reader: RecordingReader
        do throws(LogError) {
            reader = try RecordingReader(path: path, disk: disk)
        } catch {
            throw .unreadable(error)
        }
        let index = try EthereumRecordingIndex(
            reader,
            options: options,
            first: stage.options.first,
            last: stage.options.last
        )
        chainID = index.chainID
        door = EthereumDoor(
            EthereumSession.Surroundings(
                index: index,
                options: options,
                stage: stage,
                path: path,
                disk: disk,
                clock: clock,
                random: random,
                answers: EthereumAnswers(index, path: path, disk: disk)
            )
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

    /// Stops listening, ends every connection with 1001 behind what it has queued, and waits for
    /// all threads. Later calls do nothing.
    package func stop() {
        server.stop()
        loop.stop()
        door.joinAll()
    }
}
