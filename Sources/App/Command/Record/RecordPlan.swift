import Capture
import EthereumSource
import GRPCTransport
import GeyserDecoding
import GeyserSource
import SegmentLog
import WebSocketProtocol
import WebSocketTransport

/// What is to be recorded and how: one configuration file and the flags together, checked.
struct RecordPlan: Sendable {
    /// One source.
    enum Source: Sendable {
        case geyser(GeyserSubscription.Options)
        case ethereum(EthereumSubscription.Options)

        var id: String {
            switch self {
            case .geyser(let options): options.id
            case .ethereum(let options): options.id
            }
        }
    }

    private(set) var sources: [Source] = []
    /// Where each source is written, such as `deck.json5: sources[0]`, for messages.
    private var places: [String] = []
    /// The configuration file, if there is one.
    var file: String?
    var log = Self.recorderLog
    /// When to stop by itself.
    var nanosecondsMax: UInt64?
    var framesMax: UInt64?
    var endsWithStreams = false
    /// Nanoseconds for which a gap is held once its upper end is known; nil holds it for ever.
    var gapHold: UInt64? = Self.gapHoldDefault
    /// Everything that must never be written or said.
    var secrets: [String] = []

    /// How a recorder writes unless it is told otherwise: quickly when frames come faster than
    /// they can be compressed well.
    private static var recorderLog: LogOptions {
        var options = LogOptions()
        options.pressedAcceleration = 3
        return options
    }

    /// Long enough to be asked for again by hand, and short enough for what an assembler holds
    /// back meanwhile: at 2.5 slots a second 1,500 of the 2,048 that it can.
    static let gapHoldDefault: UInt64 = 600 * 1_000_000_000
    /// When gaps are given up, in the words of their records.
    var gapPolicy: GapMachine.Policy {
        guard let gapHold else { return .never }
        return GapMachine.Policy(
            hold: gapHold,
            reason: "not filled within \(TimeSpan.text(gapHold))"
        )
    }

    /// Most sources of one recording.
    static let sourcesMax = 64
    /// Tries of a source that never streamed, with `--until-end`.
    static let attemptsUntilEnd: UInt64 = 6

    /// Takes a source.
    ///
    /// - Parameters:
    ///   - source: what to record.
    ///   - place: where it is written.
    mutating func add(_ source: Source, at place: String) {
        sources.append(source)
        places.append(place)
    }

    /// Keys that come with an address are masked wherever they stand, if they are long enough not
    /// to be found in every text.
    mutating func keepSecrets(of url: WebSocketURL) {
        secrets += url.secrets.filter { $0.utf8.count >= 6 }
        if let authorization = url.authorization {
            secrets.append(authorization)
            // Behind "Basic " or "Bearer ".
            secrets += authorization.split(separator: " ").dropFirst().map(String.init)
        }
    }

    /// Checks what concerns all sources together, and spreads what holds for all.
    ///
    /// - Throws: `PlanError`.
    mutating func settle() throws {
        guard !sources.isEmpty else {
            let place = file.map { "\($0): sources: " } ?? ""  // Nothing but flags.
            throw PlanError("\(place)there is no source to record")
        }
        guard sources.count <= Self.sourcesMax else {
            throw PlanError(
                "\(places[Self.sourcesMax]): this is one source more than \(Self.sourcesMax)"
            )
        }
        var owners: [String: String] = [:]
        for (source, place) in zip(sources, places) {
            if let owner = owners.updateValue(place, forKey: source.id) {
                throw PlanError("\(place): the id '\(source.id)' is that of \(owner) too")
            }
        }
        for index in sources.indices {
            switch sources[index] {
            case .geyser(var options):
                if options.token != nil, !options.address.isSecure, !options.address.isLoopback {
                    throw PlanError(
                        "\(places[index]): a token is not sent without encryption; use https://"
                    )
                }
                settle(&options.policy)
                sources[index] = .geyser(options)
            case .ethereum(var options):
                settle(&options.policy)
                sources[index] = .ethereum(options)
            }
        }
        settleSegments()
        let redactor = Redactor(secrets)
        for (source, place) in zip(sources, places) {
            if requests(of: source).contains(where: { redactor.hasSecret(in: $0.span.bytes) }) {
                throw PlanError(
                    "\(place): the subscription itself holds a secret; it would be recorded"
                )
            }
        }
    }

    /// Takes limits of retention over those that were there.
    mutating func keep(_ limits: RetentionPolicy) {
        guard limits.hasLimit else { return }
        var retention = log.retention ?? RetentionPolicy()
        retention.bytesMax = limits.bytesMax ?? retention.bytesMax
        retention.ageMax = limits.ageMax ?? retention.ageMax
        retention.freeBytesMin = limits.freeBytesMin ?? retention.freeBytesMin
        log.retention = retention
    }

    /// Only whole segments are retired, so they must be small beside what is kept.
    mutating func settleSegments() {
        guard let retention = log.retention else { return }
        if let bytes = retention.bytesMax {
            log.rotateBytes = min(log.rotateBytes, max(64 << 10, bytes / 8))
        }
        if let age = retention.ageMax {
            log.rotateNanoseconds = min(log.rotateNanoseconds, max(1_000_000_000, age / 8))
        }
    }

    private func settle(_ policy: inout SourceMachine.Policy) {
        guard endsWithStreams else { return }
        policy.endsWithStream = true
        policy.attemptsMax = Self.attemptsUntilEnd
    }

    private func requests(of source: Source) -> [[UInt8]] {
        switch source {
        case .geyser(let options): [options.request.encoded()]
        case .ethereum(let options):
            options.calls.indices.map { options.calls[$0].message(id: $0 + 1) }
        }
    }
}

/// A plan that cannot be carried out: one sentence that names what is wrong.
struct PlanError: Error, Equatable {
    let message: String
    init(_ message: String) { self.message = message }
}
