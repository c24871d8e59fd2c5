import Foundation
import GeyserDecoding
import Platform
import RecordModel
import SegmentLog

/// Writes small Yellowstone recordings; removed with their owner.
final class GeyserRecordingMaker {
    let path: String
    private(set) var log: LogWriter
    private var monotonic: UInt64 = 0
    /// Nanoseconds from one record to the next.
    var spacing: UInt64 = 1_000_000

    init() throws {
        path = FileManager.default.temporaryDirectory.path + "/geyser-\(UUID().uuidString)"
        log = try LogWriter(
            path: path,
            disk: LinuxFileSystem(),
            clock: StillClock(),
            random: SeededRandom(seed: 1),
            options: LogOptions()
        )
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    private struct StillClock: Clock {
        func wallNanoseconds() -> Int64 { 0 }
        func monotonicNanoseconds() -> UInt64 { 0 }
    }

    @discardableResult
    func append(
        _ kind: RecordKind,
        _ payload: [UInt8],
        stream: StreamID = .none,
        isCompressed: Bool = false
    ) throws -> RecordModel.Sequence {
        monotonic += spacing
        let envelope = RecordEnvelope(
            kind: kind,
            wireByte: isCompressed ? 1 : 0,
            stream: stream,
            receivedAt: Int64(monotonic),
            monotonic: monotonic
        )
        return try log.append(envelope, payload: payload.span.bytes).sequence
    }

    /// Opens a stream with its first request.
    func open(_ source: String = "main", _ request: SubscribeRequest?) throws -> StreamID {
        var fields = EventFields()
        fields.add(.source, source)
        fields.add(.method, "/geyser.Geyser/Subscribe")
        fields.add(.transport, "grpc")
        let stream = try append(.streamOpened, fields.encoded)
        if let request { try append(.grpcMessageOut, request.encoded(), stream: stream) }
        return stream
    }

    func receive(_ stream: StreamID, _ messages: [UInt8]...) throws {
        for message in messages { try append(.grpcMessageIn, message, stream: stream) }
    }

    func close(
        _ stream: StreamID,
        code: UInt64 = 0,
        text: String = "",
        trailers: [(String, String)] = [],
        onRequest: Bool = false
    ) throws {
        var fields = EventFields()
        fields.add(.statusCode, code)
        fields.add(.statusText, text)
        for (name, value) in trailers {
            fields.add(.trailer, name: name, value: Array(value.utf8))
        }
        fields.add(.onRequest, onRequest)
        try append(.streamClosed, fields.encoded, stream: stream)
    }

    func finish() throws { try log.close(cause: "test") }
}

/// Updates as the reference server writes them, made by hand.
enum GeyserSample {
    static func update(_ names: [String], _ field: UInt32, _ body: [UInt8]) -> [UInt8] {
        var bytes: [UInt8] = []
        for name in names { ProtobufWriter.bytes(1, Array(name.utf8), to: &bytes) }
        ProtobufWriter.bytes(field, body, to: &bytes)
        var created: [UInt8] = []
        ProtobufWriter.uint64(1, 1_700_000_000, to: &created)
        ProtobufWriter.bytes(11, created, to: &bytes)
        return bytes
    }

    static func slot(_ slot: UInt64, _ status: UInt64, as names: [String] = ["s"]) -> [UInt8] {
        var body: [UInt8] = []
        ProtobufWriter.uint64(1, slot, to: &body)
        if status != 0 { ProtobufWriter.uint64(3, status, to: &body) }
        return update(names, 3, body)
    }

    static func entry(_ slot: UInt64, _ index: UInt64, as names: [String] = ["e"]) -> [UInt8] {
        var body: [UInt8] = []
        ProtobufWriter.uint64(1, slot, to: &body)
        if index != 0 { ProtobufWriter.uint64(2, index, to: &body) }
        ProtobufWriter.bytes(4, [UInt8](repeating: UInt8(index & 0xFF), count: 32), to: &body)
        return update(names, 8, body)
    }

    /// The Base58 of 31 zero bytes and a small digit: 31 ones and a letter.
    static func hash(_ slot: UInt64) -> String {
        let alphabet = Array("123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz")
        return String(repeating: "1", count: 31) + String(alphabet[Int(slot % 57) + 1])
    }

    static func blockMeta(_ slot: UInt64, as names: [String] = ["m"]) -> [UInt8] {
        var body: [UInt8] = []
        ProtobufWriter.uint64(1, slot, to: &body)
        ProtobufWriter.bytes(2, Array(hash(slot).utf8), to: &body)
        var height: [UInt8] = []
        ProtobufWriter.uint64(1, slot - 10, to: &height)
        ProtobufWriter.bytes(5, height, to: &body)
        ProtobufWriter.uint64(6, slot - 1, to: &body)
        return update(names, 7, body)
    }

    static func account(
        _ slot: UInt64,
        _ key: UInt8,
        owner: UInt8,
        as names: [String] = ["a"]
    ) -> [UInt8] {
        var info: [UInt8] = []
        ProtobufWriter.bytes(1, [UInt8](repeating: key, count: 32), to: &info)
        ProtobufWriter.uint64(2, 5, to: &info)
        ProtobufWriter.bytes(3, [UInt8](repeating: owner, count: 32), to: &info)
        ProtobufWriter.bytes(6, [1, 2, 3, 4, 5, 6, 7, 8], to: &info)
        ProtobufWriter.uint64(7, 9, to: &info)
        ProtobufWriter.bytes(8, [UInt8](repeating: key, count: 64), to: &info)
        var body: [UInt8] = []
        ProtobufWriter.bytes(1, info, to: &body)
        ProtobufWriter.uint64(2, slot, to: &body)
        return update(names, 2, body)
    }

    static func transaction(
        _ slot: UInt64,
        _ number: UInt8,
        vote: Bool = false,
        as names: [String] = ["t"]
    ) -> [UInt8] {
        let signature = [UInt8](repeating: number, count: 64)
        var message: [UInt8] = []
        ProtobufWriter.bytes(2, [UInt8](repeating: number, count: 32), to: &message)
        var transaction: [UInt8] = []
        ProtobufWriter.bytes(1, signature, to: &transaction)
        ProtobufWriter.bytes(2, message, to: &transaction)
        var info: [UInt8] = []
        ProtobufWriter.bytes(1, signature, to: &info)
        if vote { ProtobufWriter.bool(2, true, to: &info) }
        ProtobufWriter.bytes(3, transaction, to: &info)
        ProtobufWriter.bytes(4, [], to: &info)
        ProtobufWriter.uint64(5, UInt64(number), to: &info)
        var body: [UInt8] = []
        ProtobufWriter.bytes(1, info, to: &body)
        ProtobufWriter.uint64(2, slot, to: &body)
        return update(names, 4, body)
    }

    static func block(_ slot: UInt64, as names: [String] = ["b"]) -> [UInt8] {
        var body: [UInt8] = []
        ProtobufWriter.uint64(1, slot, to: &body)
        ProtobufWriter.bytes(2, Array(hash(slot).utf8), to: &body)
        ProtobufWriter.uint64(7, slot - 1, to: &body)
        return update(names, 5, body)
    }

    static let ping: [UInt8] = [0x32, 0x00]
    /// `pong { id: 42 }`
    static let pong42: [UInt8] = [0x4A, 0x02, 0x08, 42]

    /// Everything that `slots` brings: entries, block meta, statuses.
    static func everything(_ kinds: String = "setmab") -> SubscribeRequest {
        var request = SubscribeRequest()
        var slots = SlotsFilter()
        slots.interslotUpdates = true
        if kinds.contains("s") { request.slots = ["s": slots] }
        if kinds.contains("e") { request.entry = ["e": UnconditionalFilter()] }
        if kinds.contains("t") { request.transactions = ["t": TransactionsFilter()] }
        if kinds.contains("m") { request.blocksMeta = ["m": UnconditionalFilter()] }
        if kinds.contains("a") { request.accounts = ["a": AccountsFilter()] }
        if kinds.contains("b") { request.blocks = ["b": BlocksFilter()] }
        return request
    }
}
