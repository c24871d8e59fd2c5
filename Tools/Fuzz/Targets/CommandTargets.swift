// Targets inside the program itself. They see what is internal there, which a build allows for
// tests: the ordinary debug build, and the one of `Tools/fuzz`.

#if FUZZ_COMMAND
import EthereumSource
import GeyserSource
import Platform
import RecordModel
import Simulation

@testable import Command

let commandTargets = [
    FuzzTarget("config") { bytes in
        let disk = SimulatedFileSystem()
        disk.replace("/deck.json5", with: Array(bytes))
        disk.replace("/all.json", with: Array(#"{"slots":{"a":{}}}"#.utf8))
        let inputs = PlanInputs(disk: disk) { $0 == "TOKEN" ? "tok-0123456789" : nil }
        var plan = RecordPlan()
        if attempt({ try plan.read(config: "/deck.json5", inputs) }) != nil {
            _ = attempt { try plan.settle() }
        }
        if let fault = JSON5Fault.find(in: Array(bytes)) {
            check(fault.line > 0 && fault.column > 0, "a fault has a place")
        }
    },
    FuzzTarget("arguments", bytesMax: 1024) { bytes in
        let words = String(decoding: bytes, as: UTF8.self)
            .split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        let parser = ArgumentParser(verbs: allVerbs) { _ in nil }
        _ = attempt { try parser.parse(words) }
        for word in words.prefix(8) { takeWord(word) }
    },
    FuzzTarget("import", bytesMax: 8192) { bytes in
        let file = ImportFile(name: "fuzz", bytes: Array(bytes))
        _ = attempt { try ImportFormat.detect(file) }
        for isBigEndian in [false, true] {
            let messages = LengthPrefixedFile(file: file, isBigEndian: isBigEndian)
            guard attempt(messages.check) != nil else { continue }
            var offset = 0
            var times = UpdateTimes()
            while let message = attempt({ try messages.next(at: &offset) }) ?? nil {
                _ = times.time(of: Array(message))
            }
            check(offset == bytes.count, "a file that is whole is read to its end")
        }
        let capture = CaptureFile(file: file)
        guard let order = attempt(capture.order) else { return }
        check(order.ends.count == order.connections.count, "every connection has its ends")
    },
    FuzzTarget("mcap", bytesMax: 24 << 10) { bytes in
        // Whole as it is, and behind the magic bytes, which search need not find.
        for head in [[], Array("\u{89}MCAP0\r\n".unicodeScalars.map { UInt8($0.value) })] {
            let file = ImportFile(name: "fuzz", bytes: head + Array(bytes))
            guard let summary = attempt({ try McapImport(file).check() }) else { continue }
            check(summary.last >= summary.first, "an MCAP file has its records in order")
        }
    },
]

/// Everything that a single word of a command line may be.
private func takeWord(_ word: String) {
    if let nanoseconds = TimeSpan.nanoseconds(word) { _ = TimeSpan.text(nanoseconds) }
    if let count = ByteCount.bytes(word) { _ = ByteCount.text(count) }
    _ = PlaybackRate(word)
    for role in [RecordRange.Role.whole, .from, .to, .at] {
        _ = attempt { try RecordRange(word, as: role) }
    }
    _ = ListenAddress(word)
    _ = DecimalTime.nanoseconds(word, digitsAfterPoint: 9)
    _ = AddressMask.text(word)
    _ = attempt { try GeyserAddress(word) }
    _ = attempt { try EthereumCall(json: Array(word.utf8)) }
    if let time = RFC3339.nanoseconds(word) {
        check(RFC3339.nanoseconds(RFC3339.text(time)) == time, "a time is read as it was written")
    }
}
#else
let commandTargets: [FuzzTarget] = []
#endif
