import RecordModel
import SegmentFormat

/// The structures of the log one by one; the first byte of an input says which.
let structureTargets = [
    FuzzTarget("structures") { bytes in
        var input = FuzzInput(bytes)
        let kind = input.byte()
        let isRepaired = kind & 0x80 != 0
        switch kind & 0x7F {
        case 0: readRecords(input.all())
        case 1: readFields(input.all())
        case 2: readContext(input.all())
        case 3: readHole(input.all())
        case 4:
            repaired(input.all(), 72, isRepaired) { bytes in
                _ = attempt { try BlockHeader.decode(bytes, salt: 0) }
            }
        case 5:
            repaired(input.all(), 120, isRepaired) { bytes in
                _ = attempt { try SegmentHeader.decode(bytes) }
            }
        case 6:
            repaired(input.all(), 56, isRepaired) { bytes in
                _ = attempt { try ManifestHeader.decode(bytes) }
            }
        case 7:
            repaired(input.all(), 88, isRepaired) { bytes in
                _ = attempt { try ManifestEntry.decode(bytes, salt: 0) }
            }
        case 8: readSeal(Array(input.all()), isRepaired)
        default: restore(&input)
        }
    }
]

/// Puts the checksum at `place` right, under the salt that stands in the structure or 0.
private func repaired(
    _ bytes: UnsafeRawBufferPointer,
    _ place: Int,
    _ isRepaired: Bool,
    _ body: (UnsafeRawBufferPointer) -> Void
) {
    guard isRepaired, bytes.count >= place + 8 else { return body(bytes) }
    var copy = Array(bytes)
    let salt =
        switch place {
        case 120: number(copy, 56)
        case 56: number(copy, 32)
        default: UInt64(0)
        }
    put(checksum(copy, 0..<place, salt), place, &copy)
    copy.withUnsafeBytes(body)
}

private func readRecords(_ bytes: UnsafeRawBufferPointer) {
    var offset = 0
    while offset < bytes.count {
        let before = offset
        guard
            let (envelope, payload) = attempt({
                try RecordCodec.decode(bytes, at: &offset, sequence: .first)
            })
        else { return }
        check(offset > before && payload.upperBound == offset, "a record lies within its block")
        check(offset <= bytes.count, "a record ends within its block")
        var again = [UInt8](repeating: 0, count: offset - before)
        again.withUnsafeMutableBytes { target in
            guard let base = target.baseAddress else { return }
            let source = UnsafeRawBufferPointer(rebasing: bytes[payload])
            RecordCodec.encode(envelope, payload: source, into: base)
        }
        // The byte that nobody reads may differ.
        again[7] = bytes[before + 7]
        check(again.elementsEqual(bytes[before..<offset]), "a record is written as it was read")
    }
}

private func readFields(_ bytes: UnsafeRawBufferPointer) {
    guard let fields = attempt({ try EventFields(decoding: RawSpan(_unsafeBytes: bytes)) }) else {
        return
    }
    check(fields.encoded.elementsEqual(bytes), "fields are written as they were read")
    for field in fields.fields {
        _ = field.id.description
        _ = (field.unsigned, field.signed, field.boolean, field.text, field.pair)
    }
}

private func readContext(_ bytes: UnsafeRawBufferPointer) {
    guard let context = attempt({ try ContextState(decoding: bytes) }) else { return }
    check(context.encoded().count == bytes.count, "a context keeps its size")
    _ = (context.openStreams, context.openGaps)
    var other = ContextState()
    for entry in context.entries {
        other.apply(entry.envelope, payload: entry.payload.span.bytes)
    }
}

private func readHole(_ bytes: UnsafeRawBufferPointer) {
    guard bytes.count >= 15 else { return }
    let header = BlockHeader(
        kind: .hole,
        codec: .raw,
        storedBytes: UInt32(bytes.count),
        rawBytes: UInt32(bytes.count),
        recordCount: 0,
        number: 1,
        firstSequence: Sequence(number(Array(bytes), 7)),
        earliest: 0,
        latest: 0,
        durableMark: .none,
        previousLink: 0,
        payloadChecksum: 0
    )
    let span = RawSpan(_unsafeBytes: bytes)
    guard let hole = attempt({ try Hole(decoding: span, header: header) }) else { return }
    check(hole.count > 0 && hole.last >= hole.from, "a hole has a first and a last sequence")
    let again = hole.encoded()
    check(
        attempt { try Hole(decoding: again.span.bytes, header: header) } == hole,
        "a hole is read as it was written"
    )
}

/// An index and its trailer at the end of a file of the size that the trailer asks for.
private func readSeal(_ given: [UInt8], _ isRepaired: Bool) {
    guard given.count >= 80 else { return }
    var bytes = given
    let trailer = bytes.count - 80
    if isRepaired {
        put(checksum(bytes, 0..<trailer, 0), trailer + 64, &bytes)
        put(checksum(bytes, trailer..<trailer + 72, 0), trailer + 72, &bytes)
    }
    let fileBytes = number(bytes, trailer + 8) &+ UInt64(bytes.count)
    bytes.withUnsafeBytes { bytes in
        let seal = attempt { () throws -> SegmentSeal in
            let found = try SegmentSeal.decodeTrailer(
                UnsafeRawBufferPointer(rebasing: bytes[trailer...]),
                fileBytes: fileBytes,
                salt: 0
            )
            return try SegmentSeal.decode(
                index: UnsafeRawBufferPointer(rebasing: bytes[..<trailer]),
                trailer: found,
                salt: 0
            )
        }
        guard let seal else { return }
        check(seal.entries.count * 64 == trailer, "an index has the size that its trailer tells")
    }
}

/// Stored bytes into a raw block of the size that the input says.
private func restore(_ input: inout FuzzInput) {
    let rawBytes = input.short()
    let stored = input.all()
    let header = BlockHeader(
        kind: .data,
        codec: .lz4,
        storedBytes: UInt32(stored.count),
        rawBytes: UInt32(rawBytes),
        recordCount: 1,
        number: 1,
        firstSequence: .first,
        earliest: 0,
        latest: 0,
        durableMark: .none,
        previousLink: 0,
        payloadChecksum: 0
    )
    let target = UnsafeMutableRawBufferPointer.allocate(byteCount: rawBytes, alignment: 1)
    defer { target.deallocate() }
    guard attempt({ try BlockDecoding.restore(stored, header: header, into: target) }) != nil
    else { return }
    readRecords(UnsafeRawBufferPointer(target))
}
