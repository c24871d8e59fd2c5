import Foundation
import GeyserDecoding
import JSONText
import Platform
import RecordModel
import SegmentLog

/// One import: every file is checked whole before the first byte is written, the recording is made
/// under a name of its own, and gets the wanted name when it is complete.
struct ImportRun {
    /// Files in the order of the command line.
    let paths: [String]
    let output: String
    /// Nil finds it out for each file.
    var format: ImportFormat?
    /// What to record as the chain; nil for what the data tells.
    var chain: String?
    var overwrites = false
    /// Whether to stop.
    var isAsked: () -> Bool = { false }
    /// Told the number of frames now and then.
    var progress: (UInt64) -> Void = { _ in }

    /// What an import made.
    struct Summary: Equatable {
        var files: Int
        var frames: UInt64
        var bytes: UInt64
        var first = Sequence.first
        var last: Sequence
    }

    /// A file that has been checked.
    private enum Checked {
        case updates(LengthPrefixedFile)
        case capture(CaptureFile, CaptureFile.Order)

        var file: ImportFile {
            switch self {
            case .updates(let updates): updates.file
            case .capture(let capture, _): capture.file
            }
        }
    }

    /// Imports.
    ///
    /// - Throws: `VerbFailure` or `LogError`; nothing is left under the wanted name then.
    func run() throws -> Summary {
        let target = ImportPlace(output: output, overwrites: overwrites)
        try target.check()
        if let file = try mcapFile() { return try run(file, target) }
        let files = try paths.map(check)
        let writer = try ImportWriter(
            path: target.unfinished,
            startingAt: firstTime(of: files),
            origin: files.map(\.file.name).joined(separator: ", ")
        )
        let last: Sequence
        do {
            for file in files {
                switch file {
                case .updates(let updates): try write(updates, to: writer)
                case .capture(let capture, let order): try write(capture, order, to: writer)
                }
            }
            last = try writer.close()
            try target.finish()
        } catch {
            writer.abandon()
            target.discard()
            throw error
        }
        return Summary(
            files: files.count,
            frames: writer.frames,
            bytes: writer.bytes,
            last: last
        )
    }

    // MARK: MCAP: the records of one recording, as they were

    /// The file when it is to be read as MCAP.
    private func mcapFile() throws -> ImportFile? {
        guard format == nil || format == .mcap, let path = paths.first else { return nil }
        let file = try ImportFile(path)
        let isMcap = try McapImport.isMcap(file)
        guard format == .mcap || isMcap else { return nil }
        guard paths.count == 1, chain == nil else {
            throw VerbFailure(
                code: .failed,
                message: "an MCAP file is imported alone and as it is; 'tapedeck merge' joins "
                    + "recordings"
            )
        }
        return file
    }

    private func run(_ file: ImportFile, _ target: ImportPlace) throws -> Summary {
        let mcap = McapImport(file)
        let checked = try mcap.check()
        do {
            try mcap.write(to: target.unfinished, checked) { count in
                progress(count)
                try stopIfAsked()
            }
            try target.finish()
        } catch {
            target.discard()
            throw error
        }
        return Summary(
            files: 1,
            frames: checked.frames,
            bytes: checked.bytes,
            first: checked.first,
            last: checked.last
        )
    }

    private func check(_ path: String) throws -> Checked {
        let file = try ImportFile(path)
        switch try format ?? ImportFormat.detect(file) {
        case .solanaLittleEndian, .solanaBigEndian:
            let format = try self.format ?? ImportFormat.detect(file)
            let updates = LengthPrefixedFile(file: file, isBigEndian: format == .solanaBigEndian)
            _ = try updates.check()
            return .updates(updates)
        case .mcap:
            throw VerbFailure(
                code: .failed,
                message: "\(path) is an MCAP file, which is imported alone"
            )
        case .captureLines:
            let capture = CaptureFile(file: file)
            return .capture(capture, try capture.order())
        }
    }

    /// The time of the first record, at which the run begins.
    private func firstTime(of files: [Checked]) throws -> Int64 {
        guard let first = files.first else { preconditionFailure("an import without files") }
        switch first {
        case .capture(_, let order): return order.places[0].time
        case .updates(let updates):
            var offset = 0
            var times = UpdateTimes()
            guard let message = try updates.next(at: &offset) else { return 0 }
            return times.time(of: Array(message)).nanoseconds
        }
    }

    private func stopIfAsked() throws {
        guard isAsked() else { return }
        throw VerbFailure(code: .failed, message: "interrupted; nothing was kept")
    }

    // MARK: Length-prefixed updates: one gRPC stream a file

    private func write(_ updates: LengthPrefixedFile, to writer: ImportWriter) throws {
        let file = updates.file
        let source = ImportStream(
            source: stem(of: file.name),
            file: file.name,
            transport: "grpc",
            method: "/geyser.Geyser/Subscribe",
            chain: chain ?? "solana"
        )
        var times = UpdateTimes()
        var offset = 0
        var stream = OpenImport()
        while let message = try updates.next(at: &offset) {
            let payload = Array(message)
            let time = times.time(of: payload)
            if stream.id == .none {
                try source.declare(in: writer, time)
                stream.id = try source.open(in: writer, time)
            }
            try writer.append(
                frame: .grpcMessageIn,
                wireByte: 0,
                stream: stream.id,
                payload: payload,
                time: time.nanoseconds,
                isSynthetic: time.isSynthetic
            )
            stream.count(payload)
            if stream.frames % 1024 == 0 {
                progress(writer.frames)
                try stopIfAsked()
            }
        }
        try source.close(stream, in: writer, times.last)
    }

    // MARK: Captures: one WebSocket stream a connection

    private func write(
        _ capture: CaptureFile,
        _ order: CaptureFile.Order,
        to writer: ImportWriter
    ) throws {
        let sources = order.connections.map { name in
            ImportStream(
                source: name ?? stem(of: capture.file.name),
                file: capture.file.name,
                transport: "websocket",
                method: "/",
                chain: chain ?? order.chain
            )
        }
        var streams = [OpenImport](repeating: OpenImport(), count: sources.count)
        let document = JSONDocument()
        for (index, place) in order.places.enumerated() {
            let line = try capture.line(place, document)
            let number = place.connection
            let time = UpdateTime(nanoseconds: line.time, isSynthetic: false)
            if index == order.ends[number].first {
                try sources[number].declare(in: writer, time)
                streams[number].id = try sources[number].open(in: writer, time)
            }
            try writer.append(
                frame: line.isOut ? .webSocketFrameOut : .webSocketFrameIn,
                wireByte: 0x80 | line.opcode,
                stream: streams[number].id,
                payload: line.payload,
                time: line.time
            )
            streams[number].count(line.payload)
            if index == order.ends[number].last {
                try sources[number].close(streams[number], in: writer, time)
            }
            if index % 1024 == 0 {
                progress(writer.frames)
                try stopIfAsked()
            }
        }
    }

    /// The file's name without what stands behind its first point.
    private func stem(of name: String) -> String {
        let stem = name.prefix { $0 != "." }
        return stem.isEmpty ? name : String(stem)
    }
}

/// A stream under import.
private struct OpenImport {
    var id = StreamID.none
    var frames: UInt64 = 0
    var bytes: UInt64 = 0

    mutating func count(_ payload: [UInt8]) {
        frames += 1
        bytes += UInt64(payload.count)
    }
}

/// The events around the frames of one imported stream.
private struct ImportStream {
    let source: String
    let file: String
    let transport: String
    let method: String
    let chain: String?

    private var origin: String { "import of \(file)" }

    func declare(in writer: ImportWriter, _ time: UpdateTime) throws(LogError) {
        var fields = EventFields()
        fields.add(.source, source)
        fields.add(.transport, transport)
        if let chain { fields.add(.chain, chain) }
        fields.add(.origin, origin)
        try append(.sourceDeclared, fields, to: writer, time)
    }

    func open(in writer: ImportWriter, _ time: UpdateTime) throws(LogError) -> StreamID {
        var fields = EventFields()
        fields.add(.source, source)
        fields.add(.method, method)
        fields.add(.transport, transport)
        if let chain { fields.add(.chain, chain) }
        fields.add(.origin, origin)
        let stream = try append(.streamOpened, fields, to: writer, time)
        var accepted = EventFields()
        accepted.add(.origin, origin)
        try append(.streamAccepted, stream: stream, accepted, to: writer, time)
        return stream
    }

    func close(
        _ stream: OpenImport,
        in writer: ImportWriter,
        _ time: UpdateTime
    ) throws(LogError) {
        var fields = EventFields()
        if transport == "grpc" {
            fields.add(.statusCode, UInt64(0))
        } else {
            fields.add(.closeCode, UInt64(1000))
        }
        fields.add(.cause, "end of import")
        fields.add(.origin, origin)
        fields.add(.frames, stream.frames)
        fields.add(.bytes, stream.bytes)
        try append(.streamClosed, stream: stream.id, fields, to: writer, time)
    }

    @discardableResult
    private func append(
        _ kind: RecordKind,
        stream: StreamID = .none,
        _ fields: EventFields,
        to writer: ImportWriter,
        _ time: UpdateTime
    ) throws(LogError) -> Sequence {
        try writer.append(
            event: kind,
            stream: stream,
            fields: fields,
            time: time.nanoseconds,
            isSynthetic: time.isSynthetic
        )
    }
}
