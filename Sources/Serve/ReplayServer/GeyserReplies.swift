// Messages that the server makes itself; everything else is recorded. Field numbers:
// geyser.proto.

import GeyserDecoding

enum GeyserReplies {
    /// SubscribeUpdate.ping with the time it was made.
    static func ping(at wallNanoseconds: Int64) -> [UInt8] {
        var bytes: [UInt8] = []
        ProtobufWriter.bytes(6, [], to: &bytes)
        let (seconds, rest) = wallNanoseconds.quotientAndRemainder(dividingBy: 1_000_000_000)
        var created: [UInt8] = []
        if seconds != 0 { ProtobufWriter.int64(1, seconds, to: &created) }
        if rest != 0 { ProtobufWriter.int64(2, rest, to: &created) }
        ProtobufWriter.bytes(11, created, to: &bytes)
        return bytes
    }

    /// SubscribeUpdate.pong.
    static func pong(_ id: Int32) -> [UInt8] {
        var body: [UInt8] = []
        if id != 0 { ProtobufWriter.int64(1, Int64(id), to: &body) }
        var bytes: [UInt8] = []
        ProtobufWriter.bytes(9, body, to: &bytes)
        return bytes
    }

    /// A message of whole numbers in fields 1, 2, ...; zeros are left out, as proto3 does.
    static func numbers(_ values: UInt64...) -> [UInt8] {
        var bytes: [UInt8] = []
        for (index, value) in values.enumerated() where value != 0 {
            ProtobufWriter.uint64(UInt32(index) + 1, value, to: &bytes)
        }
        return bytes
    }

    /// GetLatestBlockhashResponse.
    static func latestBlockhash(slot: UInt64, hash: String, lastValidHeight: UInt64) -> [UInt8] {
        var bytes: [UInt8] = []
        if slot != 0 { ProtobufWriter.uint64(1, slot, to: &bytes) }
        ProtobufWriter.bytes(2, Array(hash.utf8), to: &bytes)
        if lastValidHeight != 0 { ProtobufWriter.uint64(3, lastValidHeight, to: &bytes) }
        return bytes
    }

    /// GetVersionResponse: the reference server's shape. What this program has not is empty.
    static func version(_ version: String) -> [UInt8] {
        let names = ["proto", "solana", "git", "rustc", "buildts"]
        let text =
            #"{"version":{"package":"tapedeck","version":""# + version + #"","#
            + names.map { #""\#($0)":"""# }.joined(separator: ",")
            + #"},"extra":{"hostname":""}}"#
        var bytes: [UInt8] = []
        ProtobufWriter.bytes(1, Array(text.utf8), to: &bytes)
        return bytes
    }
}
