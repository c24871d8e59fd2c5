// Metadata of calls: HTTP/2 headers and trailers less those that gRPC itself uses.

import CGRPC

/// One entry of metadata. A key may occur more than once; order is kept.
package struct GRPCMetadataEntry: Hashable, Sendable {
    /// Lower-case ASCII. A key that ends in `-bin` has a value of any bytes; it travels as base64
    /// and stands here decoded.
    package let key: String
    /// The value: printable ASCII, or any bytes under a `-bin` key.
    package let value: [UInt8]

    /// An entry with a value of text.
    package init(_ key: String, _ text: String) {
        self.key = key
        value = Array(text.utf8)
    }

    /// An entry with a value of bytes, such as a `-bin` key has.
    package init(_ key: String, bytes: [UInt8]) {
        self.key = key
        value = bytes
    }

    /// The value read as text.
    package var text: String { String(decoding: value, as: UTF8.self) }
}

extension GRPCMetadataEntry {
    /// Most entries of one set of metadata.
    package static let entriesMax = 256
    /// Most bytes of keys and values of one set. Peers often take no more than 8 KiB.
    package static let bytesMax = 64 << 10

    /// Keys that belong to gRPC and HTTP: the core writes them itself, and one set by hand could
    /// change what a message means.
    private static let reservedKeys: Set<String> = [
        "te", "content-type", "content-length", "host", "user-agent", "connection",
        "keep-alive", "proxy-connection", "transfer-encoding", "upgrade",
    ]

    /// Checks what the core would refuse, or would obey against the caller's intention.
    package static func check(_ entries: [GRPCMetadataEntry]) throws(GRPCError) {
        guard entries.count <= entriesMax else {
            throw .invalidMetadata(
                key: entries[entriesMax].key,
                reason: "more than \(entriesMax) entries"
            )
        }
        var total = 0
        for entry in entries {
            try entry.check()
            total += entry.key.utf8.count + entry.value.count
            guard total <= bytesMax else {
                throw .invalidMetadata(key: entry.key, reason: "more than \(bytesMax) bytes in all")
            }
        }
    }

    private func check() throws(GRPCError) {
        let keySlice = makeSlice(key)
        defer { grpc_slice_unref(keySlice) }
        // The core takes the first byte without a look at the length.
        guard !key.isEmpty, grpc_header_key_is_legal(keySlice) != 0 else {
            throw .invalidMetadata(
                key: key,
                reason: "a key is made of lower-case letters, digits, '-', '_' and '.'"
            )
        }
        // The core carries `grpc-status-details-bin` and its like for whoever sends them; it makes
        // none of them itself.
        let isBinary = grpc_is_binary_header(keySlice) != 0
        if key.hasPrefix("grpc-") && !isBinary || Self.reservedKeys.contains(key) {
            throw .invalidMetadata(key: key, reason: "the key belongs to the protocol")
        }
        if isBinary { return }
        let valueSlice = value.withUnsafeBytes(makeSlice)
        defer { grpc_slice_unref(valueSlice) }
        guard grpc_header_nonbin_value_is_legal(valueSlice) != 0 else {
            throw .invalidMetadata(
                key: key,
                reason: "a value is printable ASCII unless the key ends in -bin"
            )
        }
    }

    /// Copies what the core received. The array stays the core's.
    static func read(_ array: grpc_metadata_array) -> [GRPCMetadataEntry] {
        guard let entries = array.metadata else { return [] }
        return (0..<array.count).map { index in
            GRPCMetadataEntry(
                copyText(entries[index].key),
                bytes: copyBytes(entries[index].value)
            )
        }
    }
}

/// Metadata in the core's form. It lives as long as the call that sends it: the core may look at
/// it until the operation is complete.
struct OutgoingMetadata {
    private let entries: UnsafeMutableBufferPointer<grpc_metadata>

    /// - Parameters:
    ///   - metadata: already checked.
    ///   - encoding: makes the core say `grpc-encoding`; it takes that header from nowhere else.
    init(_ metadata: [GRPCMetadataEntry], encoding: GRPCEncoding = .identity) {
        let isEncoded = encoding != .identity
        entries = .allocate(capacity: metadata.count + (isEncoded ? 1 : 0))
        for (index, entry) in metadata.enumerated() {
            var raw = grpc_metadata()
            raw.key = makeSlice(entry.key)
            raw.value = entry.value.withUnsafeBytes(makeSlice)
            entries.initializeElement(at: index, to: raw)
        }
        if isEncoded {
            var raw = grpc_metadata()
            raw.key = makeSlice(GRPC_COMPRESSION_REQUEST_ALGORITHM_MD_KEY)
            raw.value = makeSlice(encoding.name)
            entries.initializeElement(at: metadata.count, to: raw)
        }
    }

    var count: Int { entries.count }
    var start: UnsafeMutablePointer<grpc_metadata>? { entries.baseAddress }

    /// The operation that sends it as initial metadata.
    var initialOperation: grpc_op {
        var operation = grpc_op()
        operation.op = GRPC_OP_SEND_INITIAL_METADATA
        operation.data.send_initial_metadata.count = count
        operation.data.send_initial_metadata.metadata = start
        return operation
    }

    func destroy() {
        for entry in entries {
            grpc_slice_unref(entry.key)
            grpc_slice_unref(entry.value)
        }
        entries.deallocate()
    }
}
