import EthereumDecoding
import GeyserDecoding
import JSONText
import RecordModel

/// The frames by which a stream subscribed: without them nobody can tell what the rest of it is.
///
/// Geyser requests that are not pings; EVM calls that subscribe, unsubscribe or ask for the chain,
/// and short answers. Frames that are compressed, fragments or parts of a batch are not among them.
enum BeginningFrames {
    /// Bytes of a call.
    private static let callBytesMax = 64 << 10
    /// Bytes of an answer: an id, or an error with its reason.
    private static let answerBytesMax = 1024
    private static let methods: Set<String> = ["eth_subscribe", "eth_unsubscribe", "eth_chainId"]

    /// Whether a frame is one of them.
    static func contains(_ envelope: RecordEnvelope, _ payload: RawSpan) -> Bool {
        switch envelope.kind {
        case .grpcMessageOut:
            guard !envelope.isCompressed else { return false }
            // What cannot be read says nothing to a server either.
            do { return try SubscribeRequest(decoding: payload).ping == nil } catch { return false }
        case .webSocketFrameOut:
            guard isText(envelope), payload.byteCount <= callBytesMax,
                let method = root(payload)?.member("method")?.string
            else { return false }
            return methods.contains(method)
        case .webSocketFrameIn:
            guard isText(envelope), payload.byteCount <= answerBytesMax, let root = root(payload)
            else { return false }
            return root.member("id") != nil && root.member("method") == nil
                && (root.member("result") != nil || root.member("error") != nil)
        default: return false
        }
    }

    private static func isText(_ envelope: RecordEnvelope) -> Bool {
        envelope.opcode == 1 && envelope.isFinal && envelope.reservedBits == 0
    }

    private static func root(_ payload: RawSpan) -> JSONValue? {
        do { return try JSONDocument().parse(payload) } catch {
            // Not JSON, so no call and no answer.
            return nil
        }
    }
}
