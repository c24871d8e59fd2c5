// Targets with a planted mistake each, which a short campaign must find: otherwise the machinery
// is blind, and silence about the other targets means nothing.

let canaryTargets = [
    FuzzTarget("canary-trap", bytesMax: 64, isCanary: true) { bytes in
        guard isPlanted(bytes) else { return }
        // An overflow, as in length arithmetic that nobody checked.
        let length = bytes.reduce(UInt64.max) { $0 + UInt64($1) }
        check(length == 0, "not reached")
    },
    FuzzTarget("canary-memory", bytesMax: 64, isCanary: true) { bytes in
        guard isPlanted(bytes) else { return }
        // A read behind the end, which an optimised build does not check by itself.
        let copy = UnsafeMutableRawPointer.allocate(byteCount: bytes.count, alignment: 1)
        defer { copy.deallocate() }
        copy.copyMemory(from: bytes.baseAddress ?? UnsafeRawPointer(copy), byteCount: bytes.count)
        check(copy.load(fromByteOffset: bytes.count, as: UInt8.self) < 255, "not reached")
    },
]

/// Whether an input begins with the word that only guided search finds.
private func isPlanted(_ bytes: UnsafeRawBufferPointer) -> Bool {
    guard bytes.count >= 4 else { return false }
    guard bytes[0] == UInt8(ascii: "T") else { return false }
    guard bytes[1] == UInt8(ascii: "A") else { return false }
    guard bytes[2] == UInt8(ascii: "P") else { return false }
    return bytes[3] == UInt8(ascii: "E")
}
