import JSONText

/// A file of WebSocket messages, one JSON object a line.
struct CaptureFile {
    /// Bytes of one line: a payload of the largest size with every byte escaped would be more, but
    /// no such frame exists.
    private static let lineBytesMax = 256 << 20

    let file: ImportFile

    /// Where a line stands and when its message came: enough to put all lines in order of time.
    struct Place {
        let offset: Int
        let count: Int
        /// Wall-clock nanoseconds.
        let time: Int64
        /// Index of the connection by its first line in the file.
        let connection: Int
    }

    /// The connections of a file by their first lines, and its lines in order of time.
    struct Order {
        /// Nil names the only connection of a capture without names.
        var connections: [String?] = []
        var places: [Place] = []
        /// The first and last line of each connection, as indexes of `places`.
        var ends: [(first: Int, last: Int)] = []
        /// What the requests tell of the chain, such as `evm`; nil when they tell nothing.
        var chain: String?
    }

    /// The line at an offset without its end, which the offset moves behind; nil at the end.
    private func nextLine(at offset: inout Int) throws -> ArraySlice<UInt8>? {
        guard offset < file.count else { return nil }
        var size = 64 << 10
        while true {
            let part = try file.read(size, at: offset)
            if let end = part.firstIndex(of: 0x0A) {
                let line = part[part.startIndex..<end]
                offset += line.count + 1
                return line
            }
            if part.count == file.count - offset {
                offset = file.count
                return part
            }
            guard size < Self.lineBytesMax else {
                throw file.failure(at: offset, "an endless line")
            }
            size *= 4
        }
    }

    /// Whether the first line is a JSON object with the keys of a capture.
    func beginsWithObject() throws -> Bool {
        var offset = 0
        while let line = try nextLine(at: &offset) {
            if line.allSatisfy({ $0 == 0x20 || $0 == 0x09 || $0 == 0x0D }) { continue }
            let root = try JSONDocument.parse(Array(line))
            return root.member("payload") != nil || root.member("raw") != nil
        }
        return false
    }

    /// Reads and checks every line.
    ///
    /// - Throws: `VerbFailure` at the first line that is none of a capture.
    func order() throws -> Order {
        var order = Order()
        var numbers: [String: Int] = [:]
        var latest: [Int64] = []
        let document = JSONDocument()
        var offset = 0
        var lineNumber = 0
        while true {
            let start = offset
            guard let line = try nextLine(at: &offset) else { break }
            lineNumber += 1
            if line.allSatisfy({ $0 == 0x20 || $0 == 0x09 || $0 == 0x0D }) { continue }
            let captured = try read(line, document, at: start, number: lineNumber)
            let key = captured.connection ?? ""  // captures without names have one connection
            let number = numbers[key] ?? order.connections.count
            if number == order.connections.count {
                numbers[key] = number
                order.connections.append(captured.connection)
                latest.append(captured.time)
            }
            // A connection's own lines keep their order, whatever its clock did.
            latest[number] = max(latest[number], captured.time)
            order.places.append(
                Place(offset: start, count: line.count, time: latest[number], connection: number)
            )
            if captured.isOut, order.chain == nil { order.chain = chain(of: captured.payload) }
        }
        if order.places.isEmpty { throw file.failure(at: 0, "the file holds no message") }
        order.places.sort { ($0.time, $0.offset) < ($1.time, $1.offset) }
        order.ends = order.connections.map { _ in (-1, -1) }
        for (index, place) in order.places.enumerated() {
            if order.ends[place.connection].first < 0 { order.ends[place.connection].first = index }
            order.ends[place.connection].last = index
        }
        return order
    }

    /// Reads one line again.
    func line(_ place: Place, _ document: JSONDocument) throws -> CapturedLine {
        try read(file.read(place.count, at: place.offset), document, at: place.offset, number: nil)
    }

    private func read(
        _ line: ArraySlice<UInt8>,
        _ document: JSONDocument,
        at offset: Int,
        number: Int?
    ) throws -> CapturedLine {
        let name = number.map { "line \($0)" } ?? "a line"
        do {
            return try CapturedLine(document.parse(Array(line)))
        } catch let error as CapturedLine.Mistake {
            throw file.failure(at: offset, "\(name) is no captured message: \(error.message)")
        } catch let error as JSONError {
            throw file.failure(at: offset + error.offset, "\(name) is not JSON (\(error.kind))")
        }
    }

    /// The chain that a request is meant for.
    private func chain(of request: [UInt8]) -> String? {
        let text = String(decoding: request.prefix(4096), as: UTF8.self)
        if text.contains("\"eth_") { return "evm" }
        return text.contains("\"logsSubscribe\"") || text.contains("\"slotSubscribe\"")
            ? "solana" : nil
    }
}
