import BlockCodec
import Platform
import RecordModel
import SegmentFormat
import SegmentLog
import Simulation

/// A recording made of an input: files on a simulated disk.
///
/// The input is a byte of switches, then the files: a byte for the kind, two for the length, low
/// one first, and the contents. A segment's name follows from its header.
struct ForeignRecording {
    static let path = "/recording"

    private enum Switch {
        static let checksums: UInt8 = 1
        static let links: UInt8 = 2
        static let identities: UInt8 = 4
    }

    let disk = SimulatedFileSystem()
    private var manifest: [UInt8]?
    private var identity: [UInt8]?
    private var pins: [UInt8]?
    private var segments: [[UInt8]] = []

    init(_ bytes: UnsafeRawBufferPointer) {
        var input = FuzzInput(bytes)
        let switches = input.byte()
        while !input.isEmpty {
            let kind = input.byte() & 3
            let contents = Array(input.take(input.short()))
            switch kind {
            case 0: manifest = contents
            case 1: identity = contents
            case 2: segments.append(contents)
            default: pins = contents
            }
        }
        if switches & Switch.identities != 0 { unifyIdentities() }
        if switches & Switch.checksums != 0 {
            repair(links: switches & Switch.links != 0)
        }
        lay()
    }

    private func lay() {
        let layout = RecordingLayout(Self.path)
        do {
            try disk.createDirectory(Self.path)
            try disk.createDirectory(layout.segments)
        } catch { fatalError("a healthy disk refuses: \(error)") }
        disk.replace(layout.identity, with: identity ?? defaultIdentity)
        if let manifest { disk.replace(layout.manifest, with: manifest) }
        if let pins { disk.replace(layout.pins, with: pins) }
        for segment in segments {
            let isNamed = segment.count >= 56
            let name = layout.segment(
                ordinal: isNamed ? number(segment, 32) : 1,
                firstSequence: isNamed ? number(segment, 48) : 1
            )
            disk.replace(name, with: segment)
        }
    }

    private var defaultIdentity: [UInt8] {
        let named = manifest ?? segments.first ?? []  // an input without either
        let isNamed = named.count >= 32
        return RecordingIdentity(
            recording: RecordingID(
                high: isNamed ? number(named, 24) : 0,
                low: isNamed ? number(named, 16) : 0
            ),
            createdAt: 0,
            tool: "fuzz"
        ).encoded()
    }

    // MARK: Repairs, so that a changed byte is not stopped by the first checksum

    private mutating func unifyIdentities() {
        guard let named = manifest, named.count >= 32 else { return }
        for index in segments.indices where segments[index].count >= 32 {
            segments[index].replaceSubrange(16..<32, with: named[16..<32])
        }
    }

    private mutating func repair(links: Bool) {
        var ends: [UInt64: UInt64] = [:]
        var previous: UInt64 = 0
        for index in segments.indices where segments[index].count >= 128 {
            if links, index > 0, number(segments[index], 80) == 0 {
                put(previous, 64, &segments[index])
            }
            previous = repairSegment(&segments[index], links: links)
            ends[number(segments[index], 32)] = previous
        }
        repairManifest(links ? ends : [:])
    }

    /// Repairs one segment; the result is its end link.
    private func repairSegment(_ bytes: inout [UInt8], links: Bool) -> UInt64 {
        let salt = number(bytes, 56)
        var link = checksum(bytes, 0..<120, salt)
        put(link, 120, &bytes)
        var place = 128
        while bytes.count - place >= 80, bytes[place..<place + 4].elementsEqual("TBLK".utf8) {
            let stored = Int(UInt32(truncatingIfNeeded: number(bytes, place + 8)))
            guard stored <= bytes.count - place - 80 else { break }
            put(checksum(bytes, place + 80..<place + 80 + stored, salt), place + 64, &bytes)
            if links { put(link, place + 56, &bytes) }
            link = checksum(bytes, place..<place + 72, salt)
            put(link, place + 72, &bytes)
            place += 80 + stored
        }
        let trailer = bytes.count - 80
        guard trailer >= place else { return link }
        if links { put(link, trailer + 32, &bytes) }
        put(checksum(bytes, place..<trailer, salt), trailer + 64, &bytes)
        put(checksum(bytes, trailer..<trailer + 72, salt), trailer + 72, &bytes)
        return link
    }

    private mutating func repairManifest(_ ends: [UInt64: UInt64]) {
        guard var bytes = manifest, bytes.count >= 64 else { return }
        let salt = number(bytes, 32)
        put(checksum(bytes, 0..<56, salt), 56, &bytes)
        var place = 64
        while bytes.count - place >= 96 {
            let ordinal = number(bytes, place + 8)
            if let end = ends[ordinal],
                let segment = segments.first(where: { $0.count >= 128 && number($0, 32) == ordinal }
                )
            {
                put(number(segment, 56), place + 72, &bytes)
                put(number(segment, 120), place + 80, &bytes)
                if number(bytes, place + 40) != 0 { put(end, place + 40, &bytes) }
            }
            put(checksum(bytes, place..<place + 88, salt), place + 88, &bytes)
            place += 96
        }
        manifest = bytes
    }
}

/// The little-endian number at an offset, which is within the bytes.
func number(_ bytes: [UInt8], _ offset: Int) -> UInt64 {
    (0..<8).reduce(0) { $0 | UInt64(bytes[offset + $1]) << UInt64(8 * $1) }
}

/// Writes a little-endian number over eight bytes.
func put(_ value: UInt64, _ offset: Int, _ bytes: inout [UInt8]) {
    for index in 0..<8 { bytes[offset + index] = UInt8(truncatingIfNeeded: value >> (8 * index)) }
}

/// The checksum of a range of bytes.
func checksum(_ bytes: [UInt8], _ range: Range<Int>, _ salt: UInt64) -> UInt64 {
    bytes.withUnsafeBytes {
        BlockCoding.checksum(UnsafeRawBufferPointer(rebasing: $0[range]), salt: salt)
    }
}
