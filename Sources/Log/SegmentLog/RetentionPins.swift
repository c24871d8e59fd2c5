import JSONText
package import Platform
package import RecordModel
import SegmentFormat

/// A named lower bound: retention keeps this sequence and everything behind it.
package struct RetentionPin: Sendable, Equatable {
    /// 1 to 64 letters, digits, dots, dashes and underscores of ASCII.
    package var name: String
    package var sequence: Sequence
    /// Wall-clock nanoseconds when it was set.
    package var createdAt: Int64

    package init(name: String, sequence: Sequence, createdAt: Int64) {
        self.name = name
        self.sequence = sequence
        self.createdAt = createdAt
    }

    /// Whether a text can be a pin's name.
    package static func isName(_ text: String) -> Bool {
        (1...64).contains(text.utf8.count)
            && text.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"): true
                case UInt8(ascii: "A")...UInt8(ascii: "Z"): true
                case UInt8(ascii: "0")...UInt8(ascii: "9"): true
                default: byte == UInt8(ascii: ".") || byte == UInt8(ascii: "-") || byte == 0x5F
                }
            }
    }
}

/// The pins of a recording: the file `pins.json`, and the lock under which it is changed and
/// segments are retired. Format: Sources/Log/README.md, "Pins".
package struct RetentionPins {
    private let layout: RecordingLayout
    private let disk: any FileSystem

    package init(_ layout: RecordingLayout, on disk: any FileSystem) {
        self.layout = layout
        self.disk = disk
    }

    // MARK: Reading

    /// The pins, by name.
    ///
    /// - Returns: none when there is no file.
    /// - Throws: `damaged` when the file is not what a writer of ours wrote, or `system`. Nothing
    ///   may then be retired.
    package func read() throws(LogError) -> [RetentionPin] {
        let path = layout.pins
        do throws(SystemError) {
            if try disk.kind(of: path) == nil { return [] }
        } catch { throw .system(error) }
        let bytes: [UInt8]
        do {
            bytes = try readWholeFile(
                path,
                structure: "pins",
                limit: FormatLimits.pinsBytesMax,
                on: disk
            )
        } catch {
            if case .notARecording = error { throw refusal("bytes", .max) }
            throw error
        }
        return try parse(bytes)
    }

    private func parse(_ bytes: [UInt8]) throws(LogError) -> [RetentionPin] {
        let root: JSONValue
        do { root = try JSONDocument.parse(bytes) } catch { throw refusal("JSON", 0) }
        guard let list = root.member("pins"), list.kind == .array else {
            throw refusal("list of pins", 0)
        }
        guard list.count <= FormatLimits.pinsMax else {
            throw refusal("number of pins", UInt64(list.count))
        }
        var pins: [RetentionPin] = []
        for (index, value) in list.elements.enumerated() {
            guard let name = value.member("name")?.string, RetentionPin.isName(name),
                let number = value.member("sequence")?.string.flatMap({ UInt64($0) }),
                number > 0, number < .max,
                let created = value.member("created_ns")?.string.flatMap({ Int64($0) }),
                !pins.contains(where: { $0.name == name })
            else { throw refusal("pin", UInt64(index)) }
            pins.append(
                RetentionPin(name: name, sequence: Sequence(number), createdAt: created)
            )
        }
        return pins.sorted { $0.name < $1.name }
    }

    private func refusal(_ field: String, _ value: UInt64) -> LogError {
        .damaged(
            path: layout.pins,
            offset: 0,
            error: .invalid(structure: "pins", field: field, value: value)
        )
    }

    // MARK: Changing

    /// Sets a pin, or moves the one of that name.
    ///
    /// - Returns: what is pinned then.
    /// - Throws: `rangeNotAvailable` when the recording does not reach back to the sequence,
    ///   `damaged`, or `system`.
    package func set(_ pin: RetentionPin) throws(LogError) -> [RetentionPin] {
        precondition(RetentionPin.isName(pin.name), "not a pin's name: \(pin.name)")
        let lock = try takeLock(tries: Self.triesMax)
        let oldest = try RecordingReader(path: layout.path, disk: disk).segments.first
        // Under the lock nothing is retired, so what is there now stays.
        if let oldest, pin.sequence < oldest.firstSequence {
            throw .rangeNotAvailable(
                detail: "sequence \(pin.sequence) is older than the oldest, "
                    + "\(oldest.firstSequence)"
            )
        }
        var pins = try read().filter { $0.name != pin.name }
        guard pins.count < FormatLimits.pinsMax else {
            throw refusal("number of pins", UInt64(pins.count + 1))
        }
        pins.append(pin)
        pins.sort { $0.name < $1.name }
        try write(pins)
        try close(lock)
        return pins
    }

    /// Removes the pin of a name.
    ///
    /// - Returns: whether there was one.
    /// - Throws: `damaged` or `system`.
    package func remove(_ name: String) throws(LogError) -> Bool {
        let lock = try takeLock(tries: Self.triesMax)
        let pins = try read()
        let left = pins.filter { $0.name != name }
        if left.count < pins.count { try write(left) }
        try close(lock)
        return left.count < pins.count
    }

    private func write(_ pins: [RetentionPin]) throws(LogError) {
        var writer = JSONWriter()
        writer.beginObject()
        writer.key("pins")
        writer.beginArray()
        for pin in pins {
            writer.beginObject()
            writer.key("name")
            writer.string(pin.name)
            writer.key("sequence")
            writer.integerString(pin.sequence.value)
            writer.key("created_ns")
            writer.integerString(pin.createdAt)
            writer.endObject()
        }
        writer.endArray()
        writer.endObject()
        writer.endLine()
        let temporary = layout.pins + ".new"
        do throws(SystemError) {
            if try disk.kind(of: temporary) != nil { try disk.remove(temporary) }
            let file = try disk.open(temporary, .createNew)
            try file.write(writer.bytes, at: 0)
            try file.syncData()
            try file.close()
            try disk.rename(temporary, to: layout.pins)
            try disk.syncDirectory(layout.path)
        } catch { throw .system(error) }
    }

    // MARK: The lock

    /// Tries before a lock that another process holds is given up: five seconds.
    private static let triesMax = 500

    /// Takes the lock under which pins change and segments are retired.
    ///
    /// - Parameter tries: how often to ask, 10 ms apart.
    /// - Returns: the lock; it ends with the file.
    /// - Throws: `system`, with EAGAIN when another process holds it.
    func takeLock(tries: Int) throws(LogError) -> any File {
        do throws(SystemError) {
            let file = try disk.open(layout.pinsLock, .createIfMissing)
            for attempt in 1...tries {
                if try file.tryLock() { return file }
                if attempt < tries { Thread.sleep(nanoseconds: 10_000_000) }
            }
            throw SystemError(call: "flock", subject: layout.pinsLock, errno: 11)
        } catch { throw .system(error) }
    }

    func close(_ lock: any File) throws(LogError) {
        do throws(SystemError) { try lock.close() } catch { throw .system(error) }
    }
}
