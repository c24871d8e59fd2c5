import Platform
package import RecordModel

/// Makes durable what readers were given, whatever the writer has synced: what is stored of it must
/// not outlive it.
///
/// A sync through any descriptor makes a file durable. When one of the writer's has failed before,
/// the writer repeats the same records under the same sequences in another segment.
package struct ReadDurability: Sendable {
    private let path: String
    private let disk: any FileSystem
    /// All before it is durable.
    private var next = Sequence.none

    /// - Parameter reader: of the recording.
    package init(_ reader: RecordingReader) {
        path = reader.layout.path
        disk = reader.disk
    }

    /// Syncs the segments that hold records not made durable by an earlier call.
    ///
    /// - Parameter next: the record behind the last one that has to be durable.
    /// - Throws: what opening the recording throws; `system` when a sync fails.
    package mutating func reach(before next: Sequence) throws(LogError) {
        guard next > self.next else { return }
        for segment in try RecordingReader(path: path, disk: disk).segments {
            guard segment.firstSequence < next else { continue }
            if let last = segment.lastSequence, last < self.next { continue }
            do throws(SystemError) {
                let file = try disk.open(segment.path, .readOnly)
                try file.syncData()
                try file.close()
            } catch {
                // One that is gone was retired, which only sealed ones are.
                guard error.isNotFound else { throw .system(error) }
            }
        }
        self.next = next
    }
}
