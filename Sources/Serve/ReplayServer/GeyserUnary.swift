// The unary methods, as of the head.

import GRPCTransport
import GeyserDecoding
import MarketModel
import RecordModel

/// One unary call: takes its request, answers, ends. On the server's event thread.
final class GeyserUnary: GRPCServerCallObserver, Sendable {
    /// How long a blockhash may be used, in blocks (Solana: MAX_PROCESSING_AGE).
    static let blockhashAgeMax: UInt64 = 150

    private let server: GeyserServer
    private let method: String

    init(_ method: String, _ server: GeyserServer) {
        self.method = method
        self.server = server
    }

    /// The methods that are known, without the one that streams.
    static let methods: Set<String> = [
        "/geyser.Geyser/SubscribeReplayInfo", "/geyser.Geyser/Ping",
        "/geyser.Geyser/GetLatestBlockhash", "/geyser.Geyser/GetBlockHeight",
        "/geyser.Geyser/GetSlot", "/geyser.Geyser/IsBlockhashValid", "/geyser.Geyser/GetVersion",
        "/grpc.health.v1.Health/Check",
    ]

    func callReceived(_ call: GRPCServerCall, message: GRPCMessage) {
        do throws(GeyserEnding) {
            guard !message.isCompressed else { throw .invalid("compressed requests are not read") }
            let request = try Request(RawSpan(_unsafeBytes: message.bytes))
            let answer = try answer(request, as: server.head(for: call.peer))
            _ = answer.withUnsafeBytes { call.trySend($0) }
            GeyserEnding.ok.finish(call)
        } catch {
            error.finish(call)
        }
    }

    func callHalfClosed(_ call: GRPCServerCall) {
        // Behind an answer this does nothing.
        GeyserEnding.invalid("the request is missing").finish(call)
    }

    /// Field 1 and 2 of a request, whichever they are.
    private struct Request {
        var number: UInt64?
        var second: UInt64?
        var text: [UInt8] = []

        init(_ bytes: RawSpan) throws(GeyserEnding) {
            do throws(ProtobufError) {
                var offset = 0
                while let field = try ProtobufReader.next(
                    bytes,
                    at: &offset,
                    end: bytes.byteCount
                ) {
                    switch (field.number, field.wireType) {
                    case (1, .varint): number = field.value
                    case (1, .lengthDelimited):
                        text = bytes.withUnsafeBytes { [UInt8]($0[field.payload]) }
                    case (2, .varint): second = field.value
                    default: break
                    }
                }
            } catch {
                throw GeyserEnding(
                    code: .internal,
                    message: "failed to decode the request: \(error)"
                )
            }
        }
    }

    private func answer(
        _ request: Request,
        as head: Sequence
    ) throws(GeyserEnding) -> [UInt8] {
        let slots = server.index.slots
        switch method {
        case "/geyser.Geyser/SubscribeReplayInfo":
            guard let slot = slots.firstAvailable(at: head) else { return [] }
            // Optional in the protocol: also a zero is written.
            var bytes: [UInt8] = []
            ProtobufWriter.uint64(1, slot, to: &bytes)
            return bytes
        case "/geyser.Geyser/Ping":
            var bytes: [UInt8] = []
            let count = Int32(truncatingIfNeeded: request.number ?? 0)  // absent: zero in proto3
            if count != 0 { ProtobufWriter.int64(1, Int64(count), to: &bytes) }
            return bytes
        case "/geyser.Geyser/GetVersion":
            return GeyserReplies.version(server.options.toolVersion)
        case "/grpc.health.v1.Health/Check":
            return GeyserReplies.numbers(1)
        case "/geyser.Geyser/IsBlockhashValid":
            return try isValid(request.text, try commitment(request.second), head)
        case "/geyser.Geyser/GetSlot":
            guard let slot = slots.slot(at: try commitment(request.number), head) else {
                throw .notAvailableYet
            }
            return GeyserReplies.numbers(slot)
        default: return try blockAnswer(try commitment(request.number), head)
        }
    }

    private func blockAnswer(
        _ commitment: CommitmentLevel,
        _ head: Sequence
    ) throws(GeyserEnding) -> [UInt8] {
        guard let block = server.index.slots.block(at: commitment, head),
            let height = block.height
        else { throw .notAvailableYet }
        if method == "/geyser.Geyser/GetBlockHeight" { return GeyserReplies.numbers(height) }
        let (valid, overflow) = height.addingReportingOverflow(Self.blockhashAgeMax)
        return GeyserReplies.latestBlockhash(
            slot: block.slot,
            hash: "\(block.hash)",
            lastValidHeight: overflow ? .max : valid
        )
    }

    /// Valid when it is one of the last blocks. Not valid when all of those are known and it is
    /// not among them; otherwise nothing can be said.
    private func isValid(
        _ text: [UInt8],
        _ commitment: CommitmentLevel,
        _ head: Sequence
    ) throws(GeyserEnding) -> [UInt8] {
        let slots = server.index.slots
        guard let newest = slots.block(at: commitment, head), let height = newest.height else {
            throw .notAvailableYet
        }
        var isValid = false
        var isKnown = false
        do throws(Base58Error) {
            let hash = try Blockhash(base58: text)
            if let own = slots.height(of: hash, at: commitment, head) {
                isKnown = true
                isValid = own > height || height - own <= Self.blockhashAgeMax
            }
        } catch {
            // No block has such a hash.
            isKnown = true
        }
        if !isKnown {
            let first = slots.firstBlock(at: commitment)?.height
            guard let first, height >= first, height - first >= Self.blockhashAgeMax else {
                throw GeyserEnding(code: .internal, message: "startup")
            }
        }
        return GeyserReplies.numbers(newest.slot, isValid ? 1 : 0)
    }

    private func commitment(_ number: UInt64?) throws(GeyserEnding) -> CommitmentLevel {
        let value = Int32(truncatingIfNeeded: number ?? 0)  // absent: processed
        guard let level = CommitmentLevel(rawValue: value) else {
            throw GeyserEnding(
                code: .unknown,
                message: "failed to create CommitmentLevel from \(value)"
            )
        }
        return level
    }
}
