// How a call ends. The numbers are those of the gRPC status code table (grpc/status.h).

/// The code a call ended with. Any number a peer sends is kept; the known ones have names.
package struct GRPCStatusCode: RawRepresentable, Hashable, Sendable {
    /// The number on the wire (`grpc-status`).
    package let rawValue: Int32

    package init(rawValue: Int32) { self.rawValue = rawValue }

    /// Ended as meant.
    package static let ok = GRPCStatusCode(rawValue: 0)
    /// Broken off by one of the two ends.
    package static let cancelled = GRPCStatusCode(rawValue: 1)
    /// Failed without a known cause.
    package static let unknown = GRPCStatusCode(rawValue: 2)
    /// The request itself is wrong; sending it again cannot help.
    package static let invalidArgument = GRPCStatusCode(rawValue: 3)
    /// The time of the call was over.
    package static let deadlineExceeded = GRPCStatusCode(rawValue: 4)
    /// What was asked for is not there.
    package static let notFound = GRPCStatusCode(rawValue: 5)
    /// What was to be made is there already.
    package static let alreadyExists = GRPCStatusCode(rawValue: 6)
    /// The caller is known and may not do this.
    package static let permissionDenied = GRPCStatusCode(rawValue: 7)
    /// A limit was passed: a quota, a count or the size of a message.
    package static let resourceExhausted = GRPCStatusCode(rawValue: 8)
    /// The server is not in a state for this.
    package static let failedPrecondition = GRPCStatusCode(rawValue: 9)
    /// Given up over a conflict; the whole may be tried again.
    package static let aborted = GRPCStatusCode(rawValue: 10)
    /// Past what is there, such as a slot no longer kept.
    package static let outOfRange = GRPCStatusCode(rawValue: 11)
    /// The server does not know the method or the encoding.
    package static let unimplemented = GRPCStatusCode(rawValue: 12)
    /// The server, or the protocol itself, is broken.
    package static let `internal` = GRPCStatusCode(rawValue: 13)
    /// No connection, or a server that is going away: try again later.
    package static let unavailable = GRPCStatusCode(rawValue: 14)
    /// Data is lost for good.
    package static let dataLoss = GRPCStatusCode(rawValue: 15)
    /// The caller did not prove who it is.
    package static let unauthenticated = GRPCStatusCode(rawValue: 16)

    private static let names = [
        "OK", "CANCELLED", "UNKNOWN", "INVALID_ARGUMENT", "DEADLINE_EXCEEDED", "NOT_FOUND",
        "ALREADY_EXISTS", "PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION",
        "ABORTED", "OUT_OF_RANGE", "UNIMPLEMENTED", "INTERNAL", "UNAVAILABLE", "DATA_LOSS",
        "UNAUTHENTICATED",
    ]

    /// The name in the gRPC table such as `UNAVAILABLE`; nil for a number outside it.
    package var name: String? {
        Self.names.indices.contains(Int(rawValue)) ? Self.names[Int(rawValue)] : nil
    }
}

extension GRPCStatusCode: CustomStringConvertible {
    /// Name and number, such as `UNAVAILABLE (14)`.
    package var description: String { "\(name ?? "CODE") (\(rawValue))" }
}

/// What a call ended with, as its client sees it.
package struct GRPCStatus: Equatable, Sendable {
    package let code: GRPCStatusCode
    /// The text beside the code, from the peer or from the core; often empty.
    package let message: String
    /// Trailing metadata in the order in which the core gives it.
    package let trailers: [GRPCMetadataEntry]
    /// The core's own account of the error, for logs only; empty when the peer ended the call.
    package let debug: String
}

extension GRPCStatus: CustomStringConvertible {
    package var description: String {
        message.isEmpty ? code.description : "\(code): \(message)"
    }
}
