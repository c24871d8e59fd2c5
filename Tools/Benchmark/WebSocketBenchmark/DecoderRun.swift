import WebSocketProtocol

/// The decoder alone, fed as a socket feeds it, against bare copies of the same bytes.
struct DecoderRun {
    let megabytes: Int
    /// Bytes that one read of a busy socket gives.
    private let readBytes = 64 << 10

    func run() {
        for isMasked in [false, true] {
            for payloadBytes in [60, 700, 100_000] {
                measure(WireStream(payloadBytes: payloadBytes, isMasked: isMasked))
            }
        }
        validate("ASCII", WireStream.text(700))
        validate("two-byte letters", Array(String(repeating: "é", count: 350).utf8))
    }

    private func measure(_ stream: WireStream) {
        let rounds = max(1, (megabytes << 20) / stream.bytes.count)
        let frames = rounds * stream.frameCount
        let gigabytes = Double(rounds * stream.bytes.count) / 1e9
        let bare = fastest { copy(stream.bytes, rounds) }
        var found = 0
        let seconds = fastest { found = decode(stream.bytes, rounds) }
        precondition(found == frames * stream.payloadBytes, "frames were lost")
        let kind = stream.isMasked ? "masked" : "plain"
        row(
            "decode \(stream.payloadBytes)-byte \(kind) frames",
            millions(frames, seconds),
            "\(fixed(gigabytes / seconds)) GB/s; memcpy \(fixed(gigabytes / bare)) GB/s"
        )
    }

    private func copy(_ bytes: [UInt8], _ rounds: Int) {
        let room = UnsafeMutableRawBufferPointer.allocate(byteCount: 256 << 10, alignment: 64)
        defer { room.deallocate() }
        var place = 0
        bytes.withUnsafeBytes { bytes in
            for _ in 0..<rounds {
                for start in stride(from: 0, to: bytes.count, by: readBytes) {
                    let count = min(readBytes, bytes.count - start)
                    if place + count > room.count { place = 0 }
                    UnsafeMutableRawBufferPointer(rebasing: room[place..<place + count])
                        .copyMemory(
                            from: UnsafeRawBufferPointer(rebasing: bytes[start...].prefix(count))
                        )
                    place += count
                }
            }
        }
    }

    /// Bytes of payload found.
    private func decode(_ bytes: [UInt8], _ rounds: Int) -> Int {
        var decoder = FrameDecoder()
        var found = 0
        bytes.withUnsafeBytes { bytes in
            for _ in 0..<rounds {
                var start = 0
                while start < bytes.count {
                    start += decoder.receive { room in
                        room.withUnsafeMutableBytes { room in
                            let count = min(readBytes, bytes.count - start, room.count)
                            UnsafeMutableRawBufferPointer(rebasing: room[..<count]).copyMemory(
                                from: UnsafeRawBufferPointer(rebasing: bytes[start..<start + count])
                            )
                            return count
                        }
                    }
                    do throws(FrameError) {
                        while try decoder.nextFrame() != nil {
                            found += decoder.withPayload { $0.count }
                        }
                    } catch {
                        preconditionFailure("the stream is sound: \(error)")
                    }
                }
            }
        }
        return found
    }

    private func validate(_ name: String, _ text: [UInt8]) {
        let rounds = max(1, (megabytes << 20) / text.count)
        var good = 0
        let seconds = fastest {
            good = 0
            for _ in 0..<rounds where TextValidator.isUTF8(text.span) { good += 1 }
        }
        precondition(good == rounds, "the text is UTF-8")
        row(
            "validate \(text.count) bytes of UTF-8, \(name)",
            millions(rounds, seconds),
            "\(fixed(Double(rounds * text.count) / seconds / 1e9)) GB/s"
        )
    }
}
