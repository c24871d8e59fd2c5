import Platform

/// How readers tell the writer of a recording that they wait for its next records: they share the
/// advisory lock of `recording.json`, which also works where they may not write.
///
/// It is a courtesy. A sign that cannot be given or seen costs a few milliseconds, so its
/// failures are passed over.
struct LiveReaderSign {
    private let path: String
    private let disk: any FileSystem
    private var file: (any File)?
    private var isOpened = false
    private var isDone = false

    /// - Parameters:
    ///   - layout: the recording.
    ///   - disk: the file system.
    init(_ layout: RecordingLayout, disk: any FileSystem) {
        path = layout.identity
        self.disk = disk
    }

    private mutating func open() {
        guard !isOpened else { return }
        isOpened = true
        // Without the file no sign is given or seen: readers and writer wait a little longer.
        do throws(SystemError) { file = try disk.open(path, .readOnly) } catch { file = nil }
    }

    /// Gives the sign until this value and its copies are gone. Call it whenever the reader
    /// waits: the writer may just have been looking.
    mutating func give() {
        guard !isDone else { return }
        open()
        // What failed once is not tried again and again: it is a courtesy.
        do throws(SystemError) { isDone = try file?.tryShare() != false } catch { isDone = true }
    }

    /// Whether a reader gives the sign.
    mutating func isGiven() -> Bool {
        open()
        // A sign that cannot be seen is none: blocks then wait as long as without live readers.
        do throws(SystemError) { return try file?.isShared() == true } catch { return false }
    }
}
