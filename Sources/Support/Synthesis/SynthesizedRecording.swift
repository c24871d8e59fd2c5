package import Platform
package import RecordModel
package import SegmentLog

/// Writes a synthetic market into a recording, as a recorder would have: same options, same bytes.
///
/// Nothing of the machine enters the recording: its clock is the market's, its identity and salts
/// come from seed and options, and blocks close by size alone.
package struct SynthesizedRecording {
    /// What has been written.
    package struct Summary: Equatable, Sendable {
        package var frames: UInt64 = 0
        package var payloadBytes: UInt64 = 0
        package var streams: UInt64 = 0
        /// What actors did, by slot; empty without actors.
        package var labels: [SynthesizedLabel] = []
    }

    private let options: SynthesisOptions
    private let real: RealBlocks?
    private let toolVersion: String
    /// Stored bytes after which another segment begins.
    package var rotateBytes: UInt64 = 64 << 20

    /// - Parameters:
    ///   - options: the market.
    ///   - real: transactions that stand in for the invented ones.
    ///   - toolVersion: written into the recording.
    package init(_ options: SynthesisOptions, real: RealBlocks? = nil, toolVersion: String) {
        self.options = options
        self.real = real
        self.toolVersion = toolVersion
    }

    /// Writes the recording.
    ///
    /// - Parameters:
    ///   - path: a directory that does not exist yet.
    ///   - disk: the file system.
    ///   - schedule: the machine's clock, by which threads wait; it reaches no byte.
    ///   - positions: finds slots and blocks for the index.
    ///   - progress: told the records written so far, now and then.
    /// - Returns: what was written.
    /// - Throws: the log's error.
    package func write(
        to path: String,
        disk: any FileSystem,
        schedule: any Clock,
        positions: (any PositionReader)?,
        progress: (UInt64) -> Void = { _ in }
    ) throws(LogError) -> Summary {
        let clock = MarketClock(wall: options.startWallNanoseconds)
        var log = LogOptions()
        log.durability = .none
        log.blockNanosecondsMax = .max / 4
        log.liveBlockNanosecondsMax = .max / 4
        log.segmentsCreatedAt = options.startWallNanoseconds
        log.rotateNanoseconds = .max
        log.rotateBytes = rotateBytes
        log.reserveBytes = 0
        log.toolVersion = toolVersion
        log.positionReader = positions
        let writer = try LogWriter(
            path: path,
            disk: disk,
            clock: clock,
            schedule: schedule,
            random: SeededRandom(seed: options.identitySeed(real)),
            options: log
        )
        var scribe = MarketScribe(writer: writer, clock: clock, positions: positions)
        let labels = try MarketSynthesis(options, real: real).run { step throws(LogError) in
            try scribe.write(step)
            if scribe.summary.frames % 4096 == 0 { progress(scribe.summary.frames) }
        }
        try writer.close(cause: "end of the market")
        scribe.summary.labels = labels
        return scribe.summary
    }
}

/// The market's time as the recorder's clock.
final class MarketClock: Clock {
    private let time: Monitor<(wall: Int64, monotonic: UInt64)>

    init(wall: Int64) { time = Monitor((wall, 0)) }

    func set(wall: Int64, monotonic: UInt64) {
        time.withLock { $0 = (wall, monotonic) }
    }

    func wallNanoseconds() -> Int64 { time.withLock { $0.wall } }
    func monotonicNanoseconds() -> UInt64 { time.withLock { $0.monotonic } }
}
