package import Platform
import RecordModel
package import Replay
import SegmentLog

/// Moves the clients of a server as a shared head moves: a thread that follows the head through
/// all records. Clients themselves never wait for the head's clock.
package final class EthereumHeadFollower: Sendable {
    /// Records that may be due before clients are told, when more are due at once.
    private static let untoldMax: UInt64 = 512
    /// How often the head is looked at behind the end of the range, in nanoseconds.
    private static let lookNanoseconds: UInt64 = 20_000_000

    private let thread: Thread

    /// Starts to follow; it ends when the head is stopped, which must come before `join`.
    ///
    /// - Parameters:
    ///   - head: what is followed.
    ///   - path: the recording's directory.
    ///   - disk: where it lies.
    ///   - server: whose clients are moved.
    ///   - report: takes the error when the recording cannot be read; the head stands still then.
    /// - Throws: when no thread can be started.
    package init(
        _ head: ReplayHead,
        path: String,
        disk: any FileSystem,
        server: EthereumReplayServer,
        report: @escaping @Sendable (String) -> Void
    ) throws(SystemError) {
        thread = try Thread(name: "ethereum-head") {
            do {
                let reader = try RecordingReader(path: path, disk: disk)
                try Self.follow(head, reader, server)
            } catch {
                report("\(error)")
            }
        }
    }

    /// Waits for the thread, once the head has been stopped.
    package func join() { thread.join() }

    private static func follow(
        _ head: ReplayHead,
        _ reader: RecordingReader,
        _ server: EthereumReplayServer
    ) throws(LogError) {
        var entry = head.entry()
        while true {
            var timeline = entry.timeline
            var told = EthereumHead(
                through: entry.deliverFrom.previous,
                moves: entry.generation,
                start: entry.deliverFrom
            )
            server.setHead(told)
            var due = told.through
            let cursor = try RecordCursor(reader, from: entry.from)
            let tell = {
                guard due > told.through else { return }
                told.through = due
                server.setHead(told)
            }
            reading: while true {
                switch try cursor.next() {
                case .record: break
                case .hole, .damage: continue
                case .end: break reading
                }
                let sequence = cursor.envelope.sequence
                if sequence > server.last { break }
                timeline.feed(cursor.envelope)
                if sequence < entry.deliverFrom { continue }
                var turn = head.poll(for: sequence, timeline, generation: entry.generation)
                if turn == nil {
                    tell()
                    turn = head.wait(for: sequence, timeline, generation: entry.generation)
                }
                switch turn {
                case .stopped: return
                case .sought: break reading
                case .due, nil: due = sequence
                }
                if due.value &- told.through.value >= untoldMax { tell() }
            }
            tell()
            while head.entry().generation == entry.generation {
                if head.status.isStopped { return }
                Thread.sleep(nanoseconds: lookNanoseconds)
            }
            entry = head.entry()
        }
    }
}
