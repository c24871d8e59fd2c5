import CGRPC

/// What the payloads of compressed messages are encoded with (`grpc-encoding`). The C core knows
/// these and no others: it can neither announce, receive nor send `zstd` or `snappy`.
package enum GRPCEncoding: UInt32, CaseIterable, Sendable {
    case identity = 0
    case deflate = 1
    case gzip = 2

    /// The name on the wire.
    package var name: String {
        switch self {
        case .identity: "identity"
        case .deflate: "deflate"
        case .gzip: "gzip"
        }
    }

    /// The encoding of that name on the wire; nil for one that the core cannot carry.
    package init?(name: String) {
        guard let found = Self.allCases.first(where: { $0.name == name }) else { return nil }
        self = found
    }

    init(_ algorithm: grpc_compression_algorithm) {
        self = GRPCEncoding(rawValue: algorithm.rawValue) ?? .identity
    }

    var algorithm: grpc_compression_algorithm { grpc_compression_algorithm(rawValue: rawValue) }

    /// A set as the core writes it: one bit an encoding. Identity cannot be switched off.
    static func bits(_ encodings: Set<GRPCEncoding>) -> Int32 {
        encodings.reduce(1) { $0 | (1 << Int32($1.rawValue)) }
    }

    static func set(bits: UInt32) -> Set<GRPCEncoding> {
        Set(allCases.filter { bits & (1 << $0.rawValue) != 0 })
    }
}
