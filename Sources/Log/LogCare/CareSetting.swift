package import Platform
package import RecordModel
import SegmentFormat
import SegmentLog

/// What making a recording needs from outside.
package struct CareSetting: Sendable {
    package var disk: any FileSystem
    package var clock: any Clock
    package var random: any RandomSource
    /// Finds slots and blocks for the index; a fresh one.
    package var positions: (any PositionReader)?
    package var toolVersion: String
    /// Whether a frame belongs to the beginning of its stream, such as a call or the answer to it:
    /// a cut keeps those of streams that are open where it begins.
    package var isBeginning: @Sendable (RecordEnvelope, RawSpan) -> Bool = { _, _ in false }
    /// A segment is sealed when it is larger than this many bytes.
    package var rotateBytes: UInt64 = 256 << 20
    /// Told how many bytes of how many have been passed over, now and then.
    package var progress: @Sendable (_ done: UInt64, _ total: UInt64) -> Void = { _, _ in }
    /// Whether to stop.
    package var isAsked: @Sendable () -> Bool = { false }

    package init(
        disk: any FileSystem,
        clock: any Clock,
        random: any RandomSource,
        positions: (any PositionReader)?,
        toolVersion: String
    ) {
        self.disk = disk
        self.clock = clock
        self.random = random
        self.positions = positions
        self.toolVersion = toolVersion
    }

    /// A writer for a new recording.
    func writer(
        _ path: String,
        origin: String,
        start: SequencedWriter.Start
    ) throws(CareError) -> SequencedWriter {
        var options = LogOptions()
        options.rotateBytes = rotateBytes
        options.toolVersion = toolVersion
        options.origin = origin
        options.positionReader = positions
        do throws(LogError) {
            return try SequencedWriter(
                path: path,
                disk: disk,
                clock: clock,
                random: random,
                options: options,
                start: start
            )
        } catch { throw .log(error) }
    }

    /// Looks whether to stop.
    func checkAsked() throws(CareError) {
        if isAsked() { throw .interrupted }
    }
}

/// Runs what throws errors of the log.
func logging<Value>(_ body: () throws(LogError) -> Value) throws(CareError) -> Value {
    do throws(LogError) { return try body() } catch { throw .log(error) }
}
