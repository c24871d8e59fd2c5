import RecordModel
import SegmentLog
import Simulation

/// A life of a log as people write it: commands, one a line, then a line of dashes, then what is
/// to be seen. The commands stand in the door-plate of the scenarios' folder.
package struct Scenario {
    /// Why a text is no scenario.
    package struct SyntaxError: Error, CustomStringConvertible {
        package let description: String
    }

    /// The text up to the line of dashes.
    package let script: String
    /// The text behind it.
    package let expectation: String

    private var lines: [String] = []
    private let recorder = SimulatedRecorder(seed: 1)
    private var options = SimulatedRecorder.quickOptions(.interval(nanoseconds: 4000))
    private static let rule = "----"

    /// Reads a text; without a line of dashes it expects nothing.
    package init(_ text: String) {
        let all = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        let end = all.firstIndex(of: Self.rule) ?? all.count
        script = all[..<end].joined(separator: "\n")
        expectation = end < all.count ? all[(end + 1)...].joined(separator: "\n") : ""
    }

    /// The whole text with another expectation.
    package func text(expecting seen: String) -> String {
        var script = script
        while script.hasSuffix("\n") { script.removeLast() }
        return script + "\n" + Self.rule + "\n" + seen
    }

    /// Runs the script.
    ///
    /// - Returns: what is seen, a line each.
    /// - Throws: `SyntaxError` for a command that nobody knows.
    package mutating func run() throws(SyntaxError) -> String {
        for line in script.split(separator: "\n") {
            let words = line.prefix { $0 != "#" }.split(separator: " ").map(String.init)
            guard let verb = words.first else { continue }
            let command = ScriptLine(verb: verb, rest: Array(words.dropFirst()))
            if try runWork(command) { continue }
            if try runFault(command) { continue }
            if runLook(command) { continue }
            throw SyntaxError(description: "unknown command: \(line)")
        }
        for finding in recorder.findings { lines.append("BREACH " + plain(finding)) }
        return lines.map { $0 + "\n" }.joined()
    }

    private struct ScriptLine {
        let verb: String
        let rest: [String]

        func value(_ name: String) -> String? {
            rest.first { $0.hasPrefix(name + "=") }.map { String($0.dropFirst(name.count + 1)) }
        }

        func number(_ name: String) -> Int? { value(name).flatMap { Int($0) } }
        var count: Int { rest.first.flatMap { Int($0) } ?? 1 }
    }

    // MARK: Work

    private mutating func runWork(_ command: ScriptLine) throws(SyntaxError) -> Bool {
        switch command.verb {
        case "policy": try setPolicy(command)
        case "rotate": options.rotateBytes = UInt64(command.count)
        case "reserve": options.reserveBytes = UInt64(command.count)
        case "open": open()
        case "append":
            let size = command.number("size") ?? 100
            recorder.append(sizes: Array(repeating: size, count: command.count))
        case "gap": recorder.appendGap()
        case "write": recorder.writeAll()
        case "sync": recorder.flush()
        case "wait": recorder.wait(nanoseconds: UInt64(command.count) * 1000)
        case "close":
            recorder.close()
            if let told = recorder.story.last(where: { !$0.hasPrefix("killed") }) {
                lines.append(plain(told))
                if lines.last == "" { lines.removeLast() }
            }
        case "kill": recorder.kill()
        case "crash": crash(command)
        case "follow": recorder.follow()
        case "retain":
            options.retention = RetentionPolicy()
            options.retention?.bytesMax = UInt64(command.count)
        default: return false
        }
        return true
    }

    private mutating func setPolicy(_ command: ScriptLine) throws(SyntaxError) {
        for word in command.rest {
            switch word {
            case "every-block": options.durability = .everyBlock
            case "interval": options.durability = .interval(nanoseconds: 4000)
            case "none": options.durability = .none
            case "wait-when-full": options.onFull = .wait
            case "exit-when-full": options.onFull = .exit
            default: throw SyntaxError(description: "unknown policy: \(word)")
            }
        }
    }

    private mutating func open() {
        guard recorder.open(options), let recovery = recorder.recovery else {
            lines.append(recorder.story.last.map(plain) ?? "open failed")
            return
        }
        var line = "opened: epoch \(recorder.writerEpoch ?? 0)"  // it is open
        line += ", kept \(recovery.lastSequenceKept)"
        for cut in recovery.cuts {
            line +=
                cut.offset == 0
                ? ", put the unnamed segment \(cut.ordinal) of \(cut.bytes) bytes aside"
                : ", kept \(cut.bytes) bytes cut from segment \(cut.ordinal) aside"
            let aside = recorder.disk.contents(of: cut.keptAside)?.count
            if aside.map(UInt64.init) != cut.bytes { line += " BUT LOST THEM" }
        }
        lines.append(line)
        for damage in recovery.damage { lines.append("  damage: " + plain(damage)) }
    }

    private mutating func crash(_ command: ScriptLine) {
        let keep = command.value("keep") ?? "none"
        let percents = ["none": 0, "half": 50, "all": 100]
        recorder.cutPower(
            seed: UInt64(command.number("seed") ?? 1),
            percent: UInt64(percents[keep] ?? 50),
            tears: command.rest.contains("torn"),
            leavesGarbage: command.rest.contains("garbage")
        )
    }

    // MARK: Faults and damage

    private mutating func runFault(_ command: ScriptLine) throws(SyntaxError) -> Bool {
        let disk = recorder.disk
        switch command.verb {
        case "space":
            if command.rest.first == "free" {
                disk.setBytesMax(nil)
            } else {
                disk.setBytesMax(disk.usedBytes + command.count)
            }
        case "space-returns": recorder.pausesUntilSpace = command.count
        case "heal":
            disk.setFault(nil)
            disk.setBytesMax(nil)
        case "fail":
            guard let call = command.rest.first else {
                throw SyntaxError(description: "fail what?")
            }
            let numbers: [String: Int32] = ["EIO": 5, "ENOSPC": 28, "EINTR": 4]
            disk.failNext(
                call,
                of: command.value("of") ?? "",  // any file
                errno: numbers[command.value("errno") ?? "EIO"] ?? 5,
                after: command.number("after") ?? 0,  // at once
                times: command.number("times") ?? 1
            )
        case "flip", "zero", "remove", "append-garbage", "cut": try damage(command)
        default: return false
        }
        return true
    }

    private mutating func damage(_ command: ScriptLine) throws(SyntaxError) {
        guard let name = command.rest.first, let path = path(name),
            var bytes = recorder.disk.contents(of: path)
        else { throw SyntaxError(description: "no such file: \(command.rest)") }
        if command.verb != "append-garbage" { recorder.allowDamage() }
        var offset = command.number("at") ?? 0  // the start
        if let block = command.number("block") { offset += SegmentOutline(bytes).offset(of: block) }
        if offset < 0 { offset += bytes.count }
        let count = command.number("bytes") ?? 1
        guard offset >= 0, offset + count <= bytes.count || command.verb == "append-garbage" else {
            throw SyntaxError(description: "\(name) has \(bytes.count) bytes")
        }
        switch command.verb {
        case "flip": for index in offset..<(offset + count) { bytes[index] ^= 0x10 }
        case "zero": for index in offset..<(offset + count) { bytes[index] = 0 }
        case "append-garbage": bytes += (0..<count).map { UInt8(truncatingIfNeeded: $0 * 7 + 1) }
        case "cut": bytes.removeLast(bytes.count - offset)
        default: break
        }
        if command.verb == "remove" {
            recorder.disk.erase(path)
        } else {
            recorder.disk.replace(path, with: bytes)
        }
    }

    /// A file by its name, a segment also by its number.
    private func path(_ name: String) -> String? {
        if let ordinal = Int(name) {
            let start = String(repeating: "0", count: 8 - String(ordinal).count) + "\(ordinal)-"
            return recorder.disk.files.first { $0.contains("/\(start)") && $0.hasSuffix(".seg") }
        }
        return recorder.disk.files.first { $0.hasSuffix("/" + name) }
    }

    // MARK: Looking

    private mutating func runLook(_ command: ScriptLine) -> Bool {
        switch command.verb {
        case "read": read()
        case "verify": verify()
        case "poll":
            recorder.pollFollower()
            lines.append("follower: through \(recorder.followed)")
        case "marks":
            guard let marks = recorder.watermarks else { return true }
            lines.append(
                "appended \(marks.appended), written \(marks.written), durable \(marks.durable)"
            )
        case "files":
            for path in recorder.disk.files where path.hasPrefix(SimulatedRecorder.path + "/seg") {
                lines.append("file " + plain(path))
            }
        default: return false
        }
        return true
    }

    private mutating func read() {
        let image = RecordingImage(SimulatedRecorder.path, on: recorder.disk)
        if let refusal = image.refusal { lines.append("read: " + plain(refusal)) }
        if let damage = image.manifestDamage { lines.append("read: damage: " + plain(damage)) }
        var run: (first: UInt64, last: UInt64)?
        func finish() {
            if let run { lines.append("read: \(run.first) to \(run.last)") }
            run = nil
        }
        for item in image.items {
            switch item {
            case .record(let envelope, _):
                let sequence = envelope.sequence.value
                if let known = run, known.last + 1 == sequence {
                    run?.last = sequence
                } else {
                    finish()
                    run = (sequence, sequence)
                }
            case .hole(let range, let cause):
                finish()
                lines.append(
                    "read: hole from \(range.lowerBound) to \(range.upperBound): \(cause)"
                )
            case .damage(let text, _, _):
                finish()
                lines.append("read: damage: " + plain(text))
            }
        }
        finish()
        if image.tornBytes > 0 { lines.append("read: a torn tail of \(image.tornBytes) bytes") }
        recorder.check("read")
    }

    private mutating func verify() {
        let found = recorder.verification()
        lines.append(found.isEmpty ? "verified: whole" : "verified:")
        for text in found { lines.append("  " + plain(text)) }
    }

    /// Without folders, and with dots for checksums.
    private func plain(_ text: String) -> String {
        var text = text
        for folder in [SimulatedRecorder.path + "/segments/", SimulatedRecorder.path + "/"] {
            text = text.split(separator: folder, omittingEmptySubsequences: false)
                .joined(separator: "")
        }
        return text.split(separator: " ", omittingEmptySubsequences: false)
            .map { word in
                let bare = word.filter { $0 != ";" && $0 != "," }
                let isHex = bare.allSatisfy { $0.isHexDigit && !$0.isUppercase }
                return bare.count == 16 && isHex ? "..." + word.dropFirst(16) : String(word)
            }
            .joined(separator: " ")
    }
}
