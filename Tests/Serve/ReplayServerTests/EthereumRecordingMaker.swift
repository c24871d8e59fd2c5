import Foundation
import Platform
import RecordModel
import SegmentLog
import Testing

/// A frame of a test: the first byte and the payload.
struct WireFrame: Equatable, CustomStringConvertible {
    var firstByte: UInt8
    var payload: [UInt8]

    init(_ firstByte: UInt8, _ payload: [UInt8]) {
        self.firstByte = firstByte
        self.payload = payload
    }

    init(_ firstByte: UInt8, _ text: String) { self.init(firstByte, Array(text.utf8)) }

    static func text(_ text: String) -> WireFrame { WireFrame(0x81, text) }

    var description: String {
        String(firstByte, radix: 16) + ":" + String(decoding: payload.prefix(200), as: UTF8.self)
    }
}

/// Writes small recordings of EVM connections; the folder goes with it.
final class EthereumRecordingMaker {
    private let root: String
    let path: String
    private var writer: LogWriter?
    private var time: Int64 = 1_700_000_000_000_000_000
    private(set) var last = Sequence.none

    init() throws {
        root = FileManager.default.temporaryDirectory.path + "/serve-\(UUID().uuidString)"
        path = root + "/recording"
        try FileManager.default.createDirectory(atPath: root, withIntermediateDirectories: true)
        var options = LogOptions()
        options.durability = .none
        writer = try LogWriter(
            path: path,
            disk: LinuxFileSystem(),
            clock: SystemClock(),
            random: SystemRandom(),
            options: options
        )
    }

    deinit { try? FileManager.default.removeItem(atPath: root) }

    @discardableResult
    private func append(
        _ kind: RecordKind,
        _ stream: StreamID = .none,
        wireByte: UInt8 = 0,
        _ payload: [UInt8]
    ) throws -> Sequence {
        time += 1_000_000
        let envelope = RecordEnvelope(
            kind: kind,
            wireByte: wireByte,
            stream: stream,
            receivedAt: time,
            monotonic: UInt64(time)
        )
        last = try #require(writer).append(envelope, payload: payload.span.bytes).sequence
        return last
    }

    /// Lets recorded time pass.
    func pass(seconds: Int64) { time += seconds * 1_000_000_000 }

    func open(
        source: String = "polygon",
        chain: String? = "evm:137",
        extensions: String? = nil
    ) throws -> StreamID {
        var fields = EventFields()
        fields.add(.source, source)
        fields.add(.transport, "websocket")
        if let chain { fields.add(.chain, chain) }
        let stream = try append(.streamOpened, .none, fields.encoded)
        var accepted = EventFields()
        accepted.add(.httpStatus, 101 as UInt64)
        if let extensions { accepted.add(.extensions, extensions) }
        try append(.streamAccepted, stream, accepted.encoded)
        return stream
    }

    @discardableResult
    func sent(_ stream: StreamID, _ frame: WireFrame) throws -> Sequence {
        try append(.webSocketFrameOut, stream, wireByte: frame.firstByte, frame.payload)
    }

    @discardableResult
    func received(_ stream: StreamID, _ frames: WireFrame...) throws -> Sequence {
        for frame in frames {
            try append(.webSocketFrameIn, stream, wireByte: frame.firstByte, frame.payload)
        }
        return last
    }

    func partial(_ stream: StreamID, _ bytes: [UInt8]) throws {
        try append(.partialFrameIn, stream, bytes)
    }

    /// A call and its answer, as `tapedeck record` and a node write them.
    @discardableResult
    func call(
        _ stream: StreamID,
        _ id: Int,
        _ method: String,
        _ params: String,
        answer: String
    ) throws -> Sequence {
        try sent(stream, .text(jsonCall(id, method, params)))
        let text = #"{"jsonrpc":"2.0","id":\#(id),"result":\#(answer)}"# + "\n"
        return try received(stream, .text(text))
    }

    func close(_ stream: StreamID, code: UInt64 = 1006, onRequest: Bool = false) throws {
        var fields = EventFields()
        fields.add(.source, "polygon")
        fields.add(.closeCode, code)
        fields.add(.onRequest, onRequest)
        try append(.streamClosed, stream, fields.encoded)
    }

    /// Ends the recording; it can be served then.
    func finish() throws {
        try #require(writer).close(cause: "test")
        writer = nil
        // Run ended.
        last = last.next
    }
}

func jsonCall(_ id: Int, _ method: String, _ params: String) -> String {
    #"{"jsonrpc":"2.0","id":\#(id),"method":"\#(method)","params":\#(params)}"#
}

func notification(_ subscription: String, _ result: String) -> String {
    #"{"jsonrpc":"2.0","method":"eth_subscription","params":{"subscription":""#
        + subscription + #"","result":"# + result + "}}\n"
}

/// A hash that is this number.
func hash(_ number: Int) -> String { "0x" + String(format: "%064x", number) }

/// An address that is this number.
func address(_ number: Int) -> String { "0x" + String(format: "%040x", number) }

func header(_ number: Int, hash own: Int, parent: Int, padding: Int = 0) -> String {
    #"{"parentHash":"\#(hash(parent))","number":"0x\#(String(number, radix: 16))","#
        + #""timestamp":"0x1","extraData":"0x\#(String(repeating: "ab", count: padding))","#
        + #""hash":"\#(hash(own))"}"#
}

func log(
    block: Int,
    hash own: Int,
    index: Int,
    address place: Int = 7,
    topics: [Int] = [1],
    removed: Bool = false,
    data: String = "0x"
) -> String {
    let topics = topics.map { "\"\(hash($0))\"" }.joined(separator: ",")
    return #"{"address":"\#(address(place))","topics":[\#(topics)],"data":"\#(data)","#
        + #""blockNumber":"0x\#(String(block, radix: 16))","transactionHash":"\#(hash(99))","#
        + #""transactionIndex":"0x0","blockHash":"\#(hash(own))","#
        + #""logIndex":"0x\#(String(index, radix: 16))","removed":\#(removed)}"#
}
