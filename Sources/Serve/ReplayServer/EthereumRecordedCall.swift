import EthereumDecoding
import JSONText
import RecordModel

/// One WebSocket frame as it goes on the wire, without mask.
struct EthereumFrame: Equatable, Sendable {
    /// FIN, RSV1-3 and opcode.
    let firstByte: UInt8
    let payload: [UInt8]
}

/// What a call asks for, in a form in which equal calls are equal values.
enum EthereumAsk: Hashable, Sendable {
    case subscribe(EthereumSubscription)
    /// The id as it stands between its quotes.
    case unsubscribe(id: [UInt8])
    /// Any other call, or one whose parameters are refused: its parameters as canonical JSON,
    /// empty when there are none.
    case other(method: String, parameters: [UInt8])

    init(_ call: JSONRPCCall) {
        do throws(JSONRPCError) {
            switch call.method {
            case "eth_subscribe":
                self = .subscribe(try EthereumSubscription(params: call.params))
                return
            case "eth_unsubscribe":
                let id = try EthereumSubscription.unsubscribed(params: call.params)
                self = .unsubscribe(id: Self.content(of: id))
                return
            default: break
            }
        } catch {
            // A node refuses it; equal calls are refused alike.
        }
        var parameters: [UInt8] = []
        if let params = call.params, !params.isNull { params.appendCanonical(to: &parameters) }
        self = .other(method: call.method, parameters: parameters)
    }

    /// Whether the call changes what the connection is sent.
    var isSubscription: Bool {
        switch self {
        case .subscribe, .unsubscribe: true
        case .other: false
        }
    }

    /// The bytes of a string between its quotes.
    static func content(of string: JSONValue) -> [UInt8] {
        Array(string.rawBytes.dropFirst().dropLast())
    }
}

/// A call that the recorder made, and its answer.
struct EthereumRecordedCall: Sendable {
    struct Answer: Sendable {
        enum Outcome: Sendable {
            /// The subscription's id as it stands between its quotes.
            case subscription(id: [UInt8])
            case result
            /// The error's JSON.
            case failure([UInt8])
        }

        /// Of the frames that carry it.
        let first: Sequence
        let last: Sequence
        /// Wall-clock nanoseconds of the last frame.
        let time: Int64
        let outcome: Outcome
        /// The message, and the frames that carried it; empty when it is too long to be kept.
        let text: [UInt8]
        let frames: [EthereumFrame]
        /// Nothing but answers came on the stream before it.
        let isPrompt: Bool
    }

    /// Of its last frame.
    let sequence: Sequence
    /// The id as it stood in the call.
    let id: [UInt8]
    let ask: EthereumAsk
    /// The whole message; empty when it is too long to be kept.
    let text: [UInt8]
    /// One of several in a message.
    let isBatched: Bool
    var answer: Answer?
    /// Where a subscription was given up by an `eth_unsubscribe` that was answered; nil when it
    /// lives as long as its stream.
    var unsubscribed: Sequence?

    /// What it subscribed to and the id it got; nil for every other call.
    var subscription: (request: EthereumSubscription, id: [UInt8])? {
        guard case .subscribe(let request) = ask, case .subscription(let id) = answer?.outcome
        else { return nil }
        return (request, id)
    }
}

/// One recorded WebSocket connection to a node.
struct EthereumRecordedStream: Sendable {
    /// How it ended, for whoever gets it again.
    enum Ending: Equatable, Sendable {
        /// The node's close frame with this payload.
        case closeFrame([UInt8])
        /// Without a close frame, or with the recorder's death.
        case abrupt
        /// Because the recorder wanted so, or not before the end of the recording.
        case orderly
    }

    let id: StreamID
    let source: String
    /// By the stream's own `eth_chainId`, its source's declaration, or its own; nil when unknown.
    var chainID: UInt64?
    /// Wall-clock nanoseconds of its opening.
    let openedAt: Int64
    var calls: [EthereumRecordedCall] = []
    /// The record that ended it; nil when none did.
    var ended: Sequence?
    var ending = Ending.orderly
    /// Whether permessage-deflate was agreed on.
    var isCompressed = false

    /// Where a subscription ended.
    func end(of call: EthereumRecordedCall) -> Sequence {
        min(call.unsubscribed ?? .endless, ended ?? .endless)  // nil: it did not
    }
}

extension Sequence {
    /// Above every record.
    static let endless = Sequence(.max)
}
