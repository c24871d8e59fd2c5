import Platform

/// The answer to a call of one message each way.
package struct GRPCUnaryAnswer: Sendable {
    package let status: GRPCStatus
    package let metadata: [GRPCMetadataEntry]
    /// The answer as on the wire; nil when none came. With OK it is always there unless the peer
    /// broke the rules.
    package let message: [UInt8]?
    package let isCompressed: Bool
    package let encoding: GRPCEncoding
}

extension GRPCChannel {
    /// Sends one message and gives the answer to `completion`, on the thread of the channel's
    /// events.
    ///
    /// - Parameters:
    ///   - method: `/service/name`.
    ///   - request: the message.
    ///   - metadata: sent with it.
    ///   - timeoutNanoseconds: DEADLINE_EXCEEDED after so long; nil for never.
    ///   - completion: called once.
    /// - Returns: the call, for cancelling it.
    /// - Throws: as `startCall`, or `refused` for a request over the channel's limit.
    @discardableResult
    package func callOnce(
        _ method: String,
        request: [UInt8],
        metadata: [GRPCMetadataEntry] = [],
        timeoutNanoseconds: UInt64?,
        completion: @escaping @Sendable (GRPCUnaryAnswer) -> Void
    ) throws(GRPCError) -> GRPCCall {
        guard request.count <= sendBytesMax else {
            throw .refused("the request has more than \(sendBytesMax) bytes")
        }
        let call = try startCall(
            method,
            metadata: metadata,
            timeoutNanoseconds: timeoutNanoseconds,
            observer: UnaryObserver(completion)
        )
        do {
            try call.send(request)
        } catch {
            // The call has failed already, and its end says why.
            return call
        }
        call.halfClose()
        return call
    }
}

/// Keeps the first message of a call until its end.
private final class UnaryObserver: GRPCCallObserver {
    private struct Kept {
        var metadata: [GRPCMetadataEntry] = []
        var message: [UInt8]?
        var isCompressed = false
        var encoding = GRPCEncoding.identity
    }
    private let kept = Monitor(Kept())
    private let completion: @Sendable (GRPCUnaryAnswer) -> Void

    init(_ completion: @escaping @Sendable (GRPCUnaryAnswer) -> Void) {
        self.completion = completion
    }

    func callAccepted(_ call: GRPCCall, metadata: [GRPCMetadataEntry], peer: String) {
        kept.withLock { $0.metadata = metadata }
    }

    func callReceived(_ call: GRPCCall, message: GRPCMessage) {
        let bytes = [UInt8](message.bytes)
        let (isCompressed, encoding) = (message.isCompressed, message.encoding)
        kept.withLock { kept in
            guard kept.message == nil else { return }
            kept.message = bytes
            kept.isCompressed = isCompressed
            kept.encoding = encoding
        }
    }

    func callEnded(_ call: GRPCCall, status: GRPCStatus) {
        let answer = kept.withLock { kept in
            GRPCUnaryAnswer(
                status: status,
                metadata: kept.metadata,
                message: kept.message,
                isCompressed: kept.isCompressed,
                encoding: kept.encoding
            )
        }
        completion(answer)
    }
}
