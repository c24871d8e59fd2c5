import Folding
import JSONText
import MarketModel
import Platform
import Projection
import RecordModel
import SegmentLog

/// Monitors beside a play: folds each record as it is delivered and keeps what they notice until it
/// is written.
final class ReplayMonitor: FoldObserver {
    private let isJSON: Bool
    private var fold: StateFold?
    private var text = ""
    private var writer = JSONWriter()

    /// - Parameters:
    ///   - reader: the recording that is played.
    ///   - options: which monitors, and how.
    ///   - isJSON: whether notices are JSON objects, one a line.
    ///   - clock: measures.
    /// - Throws: `VerbFailure`.
    init(
        _ reader: RecordingReader,
        _ options: FoldOptions,
        isJSON: Bool,
        clock: any Clock
    ) throws {
        self.isJSON = isJSON
        var options = options
        options.helpers = 0
        do throws(FoldError) {
            fold = try StateFold(reader, options, storage: nil, clock: clock, observer: self)
        } catch { throw error.failure }
    }

    /// Folds a record.
    ///
    /// - Throws: `VerbFailure`.
    func take(_ envelope: RecordEnvelope, _ payload: UnsafeRawBufferPointer) throws {
        do throws(FoldError) { try fold?.take(envelope, payload) } catch { throw error.failure }
    }

    /// Takes a statement that records are missing.
    ///
    /// - Throws: `VerbFailure`.
    func takeMissing(through last: Sequence, isDamage: Bool) throws {
        do throws(FoldError) { try fold?.takeMissing(through: last, isDamage: isDamage) } catch {
            throw error.failure
        }
    }

    /// The state as known when the last record had been played, as `digest` prints it.
    var digestLine: String {
        guard let fold else { preconditionFailure("a monitor without a fold") }
        return "sequence \(fold.last) position \(fold.positionDigest)"
    }

    /// What was noticed since the last call.
    func takeText() -> String {
        defer {
            text = ""
            writer.reset()
        }
        return isJSON ? String(decoding: writer.bytes, as: UTF8.self) : text
    }

    func told(_ notice: Notice, at sequence: Sequence) {
        let chain = fold?.engine.store.chain ?? .solana  // a notice comes from a fold
        guard isJSON else {
            let details = notice.details.map { "\($0.name)=\(PlainText.shown($0.value, 100))" }
            text += "slot \(notice.position)"
            if let place = notice.place { text += " \(place)" }
            text += "  \(notice.kind)  \(notice.subject.text(on: chain))"
            if !details.isEmpty { text += "  " + details.joined(separator: " ") }
            text += "\n"
            return
        }
        writer.beginObject()
        writer.key("kind")
        writer.string(notice.kind)
        writer.key("sequence")
        writer.integerString(sequence.value)
        writer.key("slot")
        writer.integerString(notice.position)
        writer.key("place")
        if let place = notice.place { writer.string(place.description) } else { writer.null() }
        writer.key("subject")
        writer.string(notice.subject.text(on: chain))
        writer.key("details")
        writer.beginObject()
        for detail in notice.details {
            writer.key(detail.name)
            writer.string(detail.value)
        }
        writer.endObject()
        writer.endObject()
        writer.endLine()
    }
}
