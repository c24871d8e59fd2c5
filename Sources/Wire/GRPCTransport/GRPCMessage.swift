// One message of a call as it stood on the wire, and the ways in and out of the core's buffers.

import CGRPC

/// A received message. Valid only during the event that brings it.
package struct GRPCMessage {
    /// The payload as sent: still compressed if the flag says so. The memory is the core's or a
    /// scratch buffer of the call; copy what must outlive the event.
    package let bytes: UnsafeRawBufferPointer
    /// Whether the compressed flag of the message was set.
    package let isCompressed: Bool
    /// What the payload is encoded with. `identity` beside `isCompressed` means that the peer set
    /// the flag but named no encoding: the core passes the payload on untouched.
    package let encoding: GRPCEncoding
}

/// Gathers the pieces of a message. One piece, the usual case, is used in place; more are copied
/// into a buffer that is used again and again, so no message allocates.
struct MessageGatherer {
    /// A buffer beyond this is given back after use: one huge message must not be held for ever.
    private static let keptBytesMax = 16 << 20
    private static let leastBytes = 16 << 10

    private var scratch = UnsafeMutableRawBufferPointer(start: nil, count: 0)

    mutating func deliver(
        _ buffer: UnsafeMutablePointer<grpc_byte_buffer>,
        of call: OpaquePointer,
        to receive: (GRPCMessage) -> Void
    ) {
        let bytes = gather(buffer)
        receive(
            GRPCMessage(
                bytes: bytes,
                isCompressed: cgrpc_message_was_compressed(call, buffer) != 0,
                encoding: GRPCEncoding(cgrpc_buffer_compression(buffer))
            )
        )
        if scratch.count > Self.keptBytesMax { release() }
    }

    private mutating func gather(
        _ buffer: UnsafeMutablePointer<grpc_byte_buffer>
    ) -> UnsafeRawBufferPointer {
        let count = cgrpc_buffer_slice_count(buffer)
        guard count > 0, let slices = cgrpc_buffer_slices(buffer) else {
            return UnsafeRawBufferPointer(start: nil, count: 0)
        }
        if count == 1 {
            return UnsafeRawBufferPointer(
                start: cgrpc_slice_start(slices),
                count: cgrpc_slice_length(slices)
            )
        }
        let total = cgrpc_buffer_length(buffer)
        if scratch.count < total { grow(to: total) }
        var filled = 0
        for index in 0..<count {
            let slice = slices + index
            let length = cgrpc_slice_length(slice)
            guard length > 0 else { continue }
            UnsafeMutableRawBufferPointer(rebasing: scratch[filled..<filled + length])
                .copyMemory(
                    from: UnsafeRawBufferPointer(start: cgrpc_slice_start(slice), count: length)
                )
            filled += length
        }
        precondition(filled == total, "the pieces of a message do not add up to its length")
        return UnsafeRawBufferPointer(rebasing: scratch[0..<total])
    }

    private mutating func grow(to total: Int) {
        var capacity = max(scratch.count, Self.leastBytes)
        while capacity < total { capacity *= 2 }
        release()
        scratch = .allocate(byteCount: capacity, alignment: 16)
    }

    mutating func release() {
        scratch.deallocate()
        scratch = UnsafeMutableRawBufferPointer(start: nil, count: 0)
    }
}

/// A copy of `bytes` that the core owns.
func makeSlice(_ bytes: UnsafeRawBufferPointer) -> grpc_slice {
    guard let start = bytes.baseAddress, !bytes.isEmpty else { return grpc_empty_slice() }
    return grpc_slice_from_copied_buffer(start.assumingMemoryBound(to: CChar.self), bytes.count)
}

func makeSlice(_ text: String) -> grpc_slice {
    var text = text
    return text.withUTF8 { makeSlice(UnsafeRawBufferPointer($0)) }
}

/// The bytes of a slice, copied.
func copyBytes(_ slice: grpc_slice) -> [UInt8] {
    withUnsafePointer(to: slice) { place in
        [UInt8](
            UnsafeRawBufferPointer(
                start: cgrpc_slice_start(place),
                count: cgrpc_slice_length(place)
            )
        )
    }
}

func copyText(_ slice: grpc_slice) -> String { String(decoding: copyBytes(slice), as: UTF8.self) }

/// A message on its way out: a buffer of the core and the flags that go with it.
struct OutgoingMessage {
    let buffer: UnsafeMutablePointer<grpc_byte_buffer>
    let byteCount: Int
    private var flags: UInt32

    /// Copies `bytes` once, into memory of the core.
    init(
        _ bytes: UnsafeRawBufferPointer,
        isCompressed: Bool,
        encoding: GRPCEncoding,
        isBuffered: Bool
    ) {
        var slice = makeSlice(bytes)
        let made =
            isCompressed && encoding != .identity
            ? grpc_raw_compressed_byte_buffer_create(&slice, 1, encoding.algorithm)
            : grpc_raw_byte_buffer_create(&slice, 1)
        // The buffer holds its own reference.
        grpc_slice_unref(slice)
        guard let made else { preconditionFailure("the core made no buffer") }
        buffer = made
        byteCount = bytes.count
        // A plain message stays plain beside an encoding: the core must not compress it.
        flags =
            (isCompressed ? UInt32(CGRPC_WRITE_COMPRESSED) : UInt32(GRPC_WRITE_NO_COMPRESS))
            | (isBuffered ? UInt32(GRPC_WRITE_BUFFER_HINT) : 0)
    }

    var operation: grpc_op {
        var operation = grpc_op()
        operation.op = GRPC_OP_SEND_MESSAGE
        operation.flags = flags
        operation.data.send_message.send_message = buffer
        return operation
    }

    /// Whether the core may hold the message until another one follows.
    var isBuffered: Bool {
        get { flags & UInt32(GRPC_WRITE_BUFFER_HINT) != 0 }
        set {
            if newValue {
                flags |= UInt32(GRPC_WRITE_BUFFER_HINT)
            } else {
                flags &= ~UInt32(GRPC_WRITE_BUFFER_HINT)
            }
        }
    }

    func destroy() { grpc_byte_buffer_destroy(buffer) }
}

/// Messages that wait for the one under way, oldest first. Allocates only while it grows.
struct OutgoingQueue {
    private var messages: [OutgoingMessage] = []
    private var first = 0
    private(set) var byteCount = 0

    var count: Int { messages.count - first }
    var isEmpty: Bool { count == 0 }

    mutating func append(_ message: OutgoingMessage) {
        messages.append(message)
        byteCount += message.byteCount
    }

    mutating func popFirst() -> OutgoingMessage? {
        guard first < messages.count else { return nil }
        let message = messages[first]
        first += 1
        byteCount -= message.byteCount
        if first == messages.count {
            messages.removeAll(keepingCapacity: true)
            first = 0
        }
        return message
    }

    mutating func destroy() {
        while let message = popFirst() { message.destroy() }
    }
}
