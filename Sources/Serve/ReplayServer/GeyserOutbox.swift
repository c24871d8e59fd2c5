import GRPCTransport

/// Messages on their way to one client. The newest one is held until it is known whether another
/// follows at once: only the last of a burst is flushed, which is many times faster.
///
/// Belongs to the subscriber's thread. Sending blocks while the client does not read.
final class GeyserOutbox {
    private let call: GRPCServerCall
    private var held: [UInt8] = []
    private var isHeldCompressed = false
    private var isHolding = false

    init(_ call: GRPCServerCall) { self.call = call }

    /// Sends a message, sooner or later.
    ///
    /// - Parameters:
    ///   - bytes: copied.
    ///   - isCompressed: whether they are in the encoding that the call was accepted with.
    /// - Returns: false when the call is over.
    func send(_ bytes: UnsafeRawBufferPointer, isCompressed: Bool = false) -> Bool {
        if isHolding {
            guard call.send(held, isCompressed: isHeldCompressed, flush: false) else {
                return false
            }
        }
        held.removeAll(keepingCapacity: true)
        held.append(contentsOf: bytes)
        isHeldCompressed = isCompressed
        isHolding = true
        return true
    }

    /// Sends a message from an array, as above.
    func send(_ bytes: [UInt8]) -> Bool { bytes.withUnsafeBytes { send($0) } }

    /// Puts everything on the wire.
    ///
    /// - Returns: false when the call is over.
    func flush() -> Bool {
        guard isHolding else { return true }
        isHolding = false
        return call.send(held, isCompressed: isHeldCompressed, flush: true)
    }
}
