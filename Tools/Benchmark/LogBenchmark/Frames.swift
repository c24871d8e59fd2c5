// The frames that are measured: real ones where they are at hand, made-up ones otherwise.

import BlockCodec
import Foundation
import RecordModel
import SegmentFormat

struct Frames {
    /// All payloads one behind the other, and where each lies.
    let bytes: UnsafeMutableRawBufferPointer
    let ranges: [Range<Int>]
    let kinds: [RecordKind]
    /// What they are, for the table.
    let origin: String

    var payloadBytes: Int { bytes.count }

    subscript(index: Int) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(bytes)[ranges[index]])
    }

    /// Frames of ../shared/data, or of the folder given.
    static func load(_ folder: String) -> Frames {
        var payloads: [(RecordKind, Data)] = []
        for name in ["real.bin", "volume.bin", "blocks.bin", "capture.bin"] {
            let url = URL(fileURLWithPath: folder + "/solana/" + name)
            // Without the shared data other frames are measured, and the table says so.
            guard let file = try? Data(contentsOf: url) else { continue }
            var offset = 0
            while offset + 4 <= file.count {
                let length = (0..<4).reduce(0) { $0 | Int(file[offset + $1]) << (8 * $1) }
                guard length <= file.count - offset - 4 else { break }
                payloads.append(
                    (.grpcMessageIn, file.subdata(in: (offset + 4)..<(offset + 4 + length)))
                )
                offset += 4 + length
            }
        }
        let evm = URL(fileURLWithPath: folder + "/evm/real.jsonl")
        // As above.
        if let text = try? Data(contentsOf: evm) {
            for line in text.split(separator: 10) {
                guard
                    // A line that is no JSON holds no frame.
                    let object = try? JSONSerialization.jsonObject(with: line) as? [String: Any],
                    let payload = object["payload"] as? String
                else { continue }
                payloads.append((.webSocketFrameIn, Data(payload.utf8)))
            }
        }
        let isReal = !payloads.isEmpty
        if !isReal { payloads = madeUp() }
        let total = payloads.reduce(0) { $0 + $1.1.count }
        let bytes = UnsafeMutableRawBufferPointer.allocate(byteCount: total, alignment: 64)
        var ranges: [Range<Int>] = []
        var end = 0
        for (_, payload) in payloads {
            let place = UnsafeMutableRawBufferPointer(rebasing: bytes[end..<(end + payload.count)])
            payload.copyBytes(to: place)
            ranges.append(end..<(end + payload.count))
            end += payload.count
        }
        return Frames(
            bytes: bytes,
            ranges: ranges,
            kinds: payloads.map(\.0),
            origin: isReal ? "real frames" : "made-up frames (no shared data here)"
        )
    }

    private static func madeUp() -> [(RecordKind, Data)] {
        (0..<20_000).map { number in
            let body = (0..<(200 + number % 1800)).map { index in
                UInt8(truncatingIfNeeded: (index * (number | 1)) >> (index % 7))
            }
            return (.grpcMessageIn, Data(body))
        }
    }

    /// The same frames laid out in raw blocks as the log does it.
    func rawBlocks() -> [UnsafeRawBufferPointer] {
        var blocks: [UnsafeRawBufferPointer] = []
        var current = UnsafeMutableRawBufferPointer.allocate(
            byteCount: FormatLimits.blockRawBytesMax,
            alignment: 64
        )
        var used = 0
        func finish() {
            if used > 0 { blocks.append(UnsafeRawBufferPointer(rebasing: current[0..<used])) }
            used = 0
        }
        for index in ranges.indices {
            let needed = FormatLimits.recordHeaderBytes + ranges[index].count
            if used + needed > current.count || needed > FormatLimits.blockRawBytesMax {
                finish()
                current = .allocate(
                    byteCount: max(needed, FormatLimits.blockRawBytesMax),
                    alignment: 64
                )
            }
            let envelope = RecordEnvelope(
                kind: kinds[index],
                stream: Sequence(7),
                receivedAt: 1_700_000_000_000_000_000 + Int64(index) * 50_000,
                monotonic: UInt64(index) * 50_000
            )
            guard let base = current.baseAddress else { preconditionFailure("no memory") }
            RecordCodec.encode(envelope, payload: self[index], into: base + used)
            used += needed
        }
        finish()
        return blocks
    }
}
