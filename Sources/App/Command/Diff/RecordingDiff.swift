import RecordModel
import SegmentFormat
import SegmentLog

/// Compares the frames of two recordings, stream by stream.
///
/// A stream is paired with the one of the same source and transport that was opened as the first,
/// second and so on in the other recording. Memory follows the number of streams and of differences
/// shown, not the frames: each pair is read by two cursors that stay beside each other.
struct RecordingDiff {
    /// One frame of a pair, as far as it is told.
    struct Frame: Equatable {
        let envelope: RecordEnvelope
        let payload: [UInt8]
    }

    /// What is not the same.
    enum Difference {
        /// A stream that the other recording does not have.
        case stream(DiffStream, isLeft: Bool)
        /// The n-th frame of a pair, from 1.
        case frame(DiffStream, number: UInt64, left: Frame, right: Frame)
        /// One side of a pair ends before the other.
        case ends(DiffStream, after: UInt64, next: Frame, isLeft: Bool)
    }

    /// What comparing gave.
    struct Result {
        var streams = 0
        /// Frames that are the same on both sides.
        var frames: UInt64 = 0
        var differences: [Difference] = []
        /// Comparing stopped when as many differences were found as were asked for.
        var isCut = false
        /// Damage met on either side, each place once.
        var damage: [DamageReport] = []
    }

    let left: RecordingReader
    let right: RecordingReader
    /// Whether times and mask keys count.
    var comparesTimes = false
    /// Differences after which comparing stops.
    var limit = 10
    /// Told the number of frames compared, now and then.
    var progress: (UInt64) -> Void = { _ in }
    /// Whether to stop.
    var isAsked: () -> Bool = { false }

    init(_ left: RecordingReader, _ right: RecordingReader) {
        self.left = left
        self.right = right
    }

    /// Compares.
    ///
    /// - Throws: `LogError`, or `VerbFailure` when interrupted or when there are too many streams.
    func run() throws -> Result {
        var result = Result()
        let ones = try DiffSurvey(left, isAsked: isAsked)
        let others = try DiffSurvey(right, isAsked: isAsked)
        result.damage = ones.damage + others.damage
        let partners = Dictionary(uniqueKeysWithValues: others.streams.map { ($0.key, $0) })
        let known = Set(ones.streams.map(\.key))
        for stream in ones.streams {
            guard let partner = partners[stream.key] else {
                if add(.stream(stream, isLeft: true), to: &result) { return result }
                continue
            }
            result.streams += 1
            if try compare(stream, partner, &result) { return result }
        }
        for stream in others.streams where !known.contains(stream.key) {
            if add(.stream(stream, isLeft: false), to: &result) { return result }
        }
        return result
    }

    /// - Returns: whether to stop.
    private func add(_ difference: Difference, to result: inout Result) -> Bool {
        result.differences.append(difference)
        result.isCut = result.differences.count >= limit
        return result.isCut
    }

    /// Compares one pair.
    ///
    /// - Returns: whether to stop.
    private func compare(
        _ stream: DiffStream,
        _ partner: DiffStream,
        _ result: inout Result
    ) throws -> Bool {
        let ones = try StreamFrames(left, stream)
        let others = try StreamFrames(right, partner)
        var number: UInt64 = 0
        while true {
            let hasOne = try ones.next()
            let hasOther = try others.next()
            guard hasOne || hasOther else { return false }
            guard hasOne, hasOther else {
                let next = hasOne ? ones.frame : others.frame
                let difference = Difference.ends(stream, after: number, next: next, isLeft: !hasOne)
                return add(difference, to: &result)
            }
            number += 1
            if isSame(ones, others) {
                result.frames += 1
            } else {
                let difference = Difference.frame(
                    stream,
                    number: number,
                    left: ones.frame,
                    right: others.frame
                )
                if add(difference, to: &result) { return true }
            }
            if number % 1024 == 0 {
                progress(result.frames)
                if isAsked() { throw DiffSurvey.interruption }
            }
        }
    }

    private func isSame(_ ones: StreamFrames, _ others: StreamFrames) -> Bool {
        let one = ones.cursor.envelope
        let other = others.cursor.envelope
        let ignored: RecordFlags = comparesTimes ? [] : .timeSynthetic
        guard one.kind == other.kind, one.wireByte == other.wireByte,
            one.flags.subtracting(ignored) == other.flags.subtracting(ignored)
        else { return false }
        if comparesTimes {
            guard one.receivedAt == other.receivedAt, one.monotonic == other.monotonic,
                one.maskKey == other.maskKey
            else { return false }
        }
        return ones.cursor.unsafePayload.elementsEqual(others.cursor.unsafePayload)
    }
}

/// One stream of a recording under comparison.
struct DiffStream {
    /// What pairs two streams.
    struct Key: Hashable {
        let source: String
        let transport: String
        /// From 1, among the streams of one source and transport.
        let number: Int
    }

    let key: Key
    let id: StreamID
    /// Where its frames begin and end.
    var first: Sequence
    var last: Sequence
    var frames: UInt64

    /// The stream's name for people.
    var name: String {
        let source =
            key.source.isEmpty ? "(no source)" : RecordPreview.shown(Array(key.source.utf8))
        return "\(source) \(key.transport) stream \(key.number)"
    }
}

/// The streams of a recording with frames, in the order of their first frame.
private struct DiffSurvey {
    private(set) var streams: [DiffStream] = []
    private(set) var damage: [DamageReport] = []

    /// Streams that are told apart.
    private static let streamsMax = 1 << 20

    static let interruption = VerbFailure(code: .failed, message: "interrupted; nothing is known")

    init(_ reader: RecordingReader, isAsked: () -> Bool) throws {
        let sources = StreamSources(reader)
        var places: [StreamID: Int] = [:]
        var counts: [[String]: Int] = [:]
        var count: UInt64 = 0
        let cursor = try RecordCursor(reader)
        loop: while true {
            switch try cursor.next() {
            case .end: break loop
            case .hole: continue
            case .damage(let found):
                if damage.count < 1_000 { damage.append(found) }
            case .record:
                let envelope = cursor.envelope
                guard envelope.kind.isDataFrame else { continue }
                count += 1
                if count % 4096 == 0, isAsked() { throw Self.interruption }
                if let place = places[envelope.stream] {
                    streams[place].last = envelope.sequence
                    streams[place].frames += 1
                    continue
                }
                guard streams.count < Self.streamsMax else {
                    throw VerbFailure(
                        code: .failed,
                        message: "\(reader.layout.path) has more than \(Self.streamsMax) streams"
                    )
                }
                let source = try sources.source(of: envelope, fields: nil)
                let transport = Self.transport(envelope.kind)
                let number = counts[[source, transport], default: 0] + 1
                counts[[source, transport]] = number
                places[envelope.stream] = streams.count
                streams.append(
                    DiffStream(
                        key: .init(source: source, transport: transport, number: number),
                        id: envelope.stream,
                        first: envelope.sequence,
                        last: envelope.sequence,
                        frames: 1
                    )
                )
            }
        }
    }

    /// What a frame of this kind came over; a partial frame tells by its stream's others.
    private static func transport(_ kind: RecordKind) -> String {
        switch kind {
        case .grpcMessageIn, .grpcMessageOut: "grpc"
        case .webSocketFrameIn, .webSocketFrameOut: "websocket"
        default: kind.description
        }
    }
}

/// The frames of one stream, one after the other.
private final class StreamFrames {
    let cursor: RecordCursor
    private let stream: DiffStream
    private var isOver = false

    init(_ reader: RecordingReader, _ stream: DiffStream) throws(LogError) {
        cursor = try RecordCursor(reader, from: stream.first)
        self.stream = stream
    }

    /// Moves to the next frame of the stream.
    ///
    /// - Returns: whether there is one.
    func next() throws(LogError) -> Bool {
        while !isOver {
            switch try cursor.next() {
            case .end: isOver = true
            // Told by the survey already.
            case .hole, .damage: continue
            case .record:
                let envelope = cursor.envelope
                if envelope.sequence > stream.last {
                    isOver = true
                } else if envelope.stream == stream.id, envelope.kind.isDataFrame {
                    return true
                }
            }
        }
        return false
    }

    /// A copy of the frame.
    var frame: RecordingDiff.Frame {
        RecordingDiff.Frame(envelope: cursor.envelope, payload: cursor.payloadBytes)
    }
}
