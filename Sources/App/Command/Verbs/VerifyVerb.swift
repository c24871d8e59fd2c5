import Foundation
import Platform
import SegmentLog

/// `tapedeck verify`
let verifyVerb = Verb(
    name: "verify",
    summary: "check every byte of recordings",
    details: [
        "Checks identities, checksums, the chain of links, sequences, every record, the indexes "
            + "against the blocks and the manifest against all of them. Nothing is changed. A torn "
            + "tail is what a crash leaves and no damage. Loss above the last durable mark of a "
            + "segment that was not sealed cannot be seen.",
        "Several recordings, and several segments of one, are checked at the same time, one a "
            + "processor. Answers come in the order of the paths, each as soon as it is known. "
            + "With --from-file a text answer is one line a recording.",
        "--format ndjson, or json, prints one object a recording: status is whole, damaged or "
            + "failed; damage and holes list each place with its segment, its offset and the "
            + "sequences that are missing; exact says whether both ends of those are known.",
        "Exit code 3 means damage. 1 means that a recording could not be looked at: it is none, "
            + "a newer version wrote it, or the disk failed.",
    ],
    operands: [
        Operand(
            placeholder: "REC",
            kind: .recording,
            number: .any,
            help: "The directories of recordings"
        )
    ],
    flags: [
        Flag(
            name: "from-file",
            value: ("LIST", .text),
            help: "Check also the recordings whose paths stand in a file, one a line; - reads "
                + "standard input and answers each path as it comes"
        ),
        SharedFlags.format(["text", "ndjson", "json"]),
    ],
    examples: [
        .init(purpose: "a backup, after copying it", line: "tapedeck verify copy/deck"),
        .init(
            purpose: "every path in a file, for another program",
            line: "tapedeck verify --from-file recordings.txt --format ndjson"
        ),
    ],
    exitCodes: [.ok, .findings],
    run: runVerify
)

private func runVerify(_ arguments: ParsedArguments) throws -> ExitCode {
    let list = arguments.text("from-file")
    guard list != nil || !arguments.operands.isEmpty else {
        throw UsageError(verb: "verify", message: "REC or --from-file is missing")
    }
    let format: VerifyBatch.Format =
        arguments.text("format") != "text" && arguments.has("format")
        ? .ndjson : list == nil ? .text : .line
    let batch = VerifyBatch(
        paths: PathList(arguments.operands, then: try list.map { try LineFile($0) }),
        format: format,
        workers: Processors.available(atMost: VerifyBatch.workersMax),
        isSingle: list == nil && arguments.operands.count == 1,
        console: Console()
    )
    return try batch.run()
}

/// Paths of the command line, then those of a file.
struct PathList {
    private var known: ArraySlice<String>
    private let file: LineFile?

    init(_ known: [String], then file: LineFile?) {
        self.known = known[...]
        self.file = file
    }

    /// The next path; nil at the end.
    ///
    /// - Throws: `VerbFailure` when the file cannot be read.
    mutating func next() throws(VerbFailure) -> String? {
        if let path = known.popFirst() { return path }
        while let line = try file?.next() {
            if !line.isEmpty { return line }
        }
        return nil
    }
}

/// A text file, read line by line as the lines come.
final class LineFile {
    /// Bytes of a line; no path is as long.
    private static let lineBytesMax = 65_536

    private let name: String
    private let file: UnsafeMutablePointer<FILE>
    private var buffer = [CChar](repeating: 0, count: LineFile.lineBytesMax)

    /// Opens a file; `-` is standard input.
    ///
    /// - Throws: `VerbFailure` when it cannot be opened.
    init(_ path: String) throws(VerbFailure) {
        name = path == "-" ? "standard input" : path
        guard let file = path == "-" ? fdopen(0, "r") : fopen(path, "re") else {
            throw VerbFailure(
                code: .failed,
                message: "\(path): \(String(cString: strerror(errno)))"
            )
        }
        self.file = file
    }

    deinit { fclose(file) }

    /// The next line without its end; nil behind the last one.
    ///
    /// - Throws: `VerbFailure` when the file cannot be read, or a line is too long.
    func next() throws(VerbFailure) -> String? {
        guard fgets(&buffer, Int32(buffer.count), file) != nil else {
            if ferror(file) == 0 { return nil }
            throw VerbFailure(
                code: .failed,
                message: "\(name): \(String(cString: strerror(errno)))"
            )
        }
        let count = strlen(buffer)
        guard count < buffer.count - 1 else {
            throw VerbFailure(code: .failed, message: "\(name): a line is longer than any path")
        }
        let bytes = buffer.prefix(count).map { UInt8(bitPattern: $0) }
        return String(decoding: bytes.last == 10 ? bytes.dropLast() : bytes[...], as: UTF8.self)
    }
}
