import GRPCTransport
import GeyserDecoding

/// What a subscription ends with. The texts are the reference server's where it has one.
struct GeyserEnding: Error {
    var code: GRPCStatusCode
    var message = ""
    var trailers: [GRPCMetadataEntry] = []

    /// The end of the range.
    static let ok = GeyserEnding(code: .ok)
    static let shuttingDown = GeyserEnding(
        code: .unavailable,
        message: "server is shutting down try again later"
    )
    static let tooMany = GeyserEnding(
        code: .resourceExhausted,
        message: "max subscription limit exceeded"
    )
    static let unauthenticated = GeyserEnding(
        code: .unauthenticated,
        message: "No valid auth token"
    )
    static let notAvailableYet = GeyserEnding(
        code: .internal,
        message: "block is not available yet"
    )

    /// The recording is damaged, and what lies behind is not served.
    static func damaged(behind sequence: UInt64) -> GeyserEnding {
        GeyserEnding(
            code: .dataLoss,
            message: "the recording is damaged behind sequence \(sequence)"
        )
    }

    static func invalid(_ message: String) -> GeyserEnding {
        GeyserEnding(code: .invalidArgument, message: message)
    }

    static func tooOld(from slot: UInt64, available: UInt64) -> GeyserEnding {
        GeyserEnding(
            code: .outOfRange,
            message: "broadcast from \(slot) is not available, last available: \(available)"
        )
    }

    /// Nothing recorded covers what was asked for.
    static func notCovered(_ what: String) -> GeyserEnding {
        invalid("failed to create filter: \(what) in this recording")
    }

    /// A recorded end. Trailers that belong to the protocol itself are made by it again.
    static func recorded(_ end: GeyserRecordedStream.End?) -> GeyserEnding {
        // What the recorder asked for itself was no end of the server's stream.
        guard let end, !end.isOnRequest else { return .ok }
        let trailers = end.trailers.map { GRPCMetadataEntry($0.name, bytes: $0.value) }
        return GeyserEnding(
            code: GRPCStatusCode(rawValue: end.code),
            message: end.text,
            trailers: trailers.filter {
                do throws(GRPCError) {
                    try GRPCMetadataEntry.check([$0])
                    return true
                } catch { return false }
            }
        )
    }
}

extension GeyserEnding {
    init(_ refusal: SubscriptionRefusal) {
        code = GRPCStatusCode(rawValue: refusal.status.rawValue)
        message = refusal.message
    }

    /// Ends the call.
    func finish(_ call: GRPCServerCall) {
        do throws(GRPCError) {
            try call.finish(code, message: message, trailers: trailers)
        } catch {
            preconditionFailure("the trailers were checked: \(error)")
        }
    }
}
