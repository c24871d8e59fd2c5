import JSONText
import Platform
import RecordModel
import SegmentLog

/// `tapedeck pin`
let pinVerb = Verb(
    name: "pin",
    summary: "keep a part of a recording from being retired",
    details: [
        "A pin is a named lower bound: as long as it stands, retention keeps the record it names "
            + "and all newer ones. It may be set while the recording is written. Without NAME the "
            + "pins are listed."
    ],
    operands: [
        SharedFlags.recording,
        Operand(
            placeholder: "NAME",
            kind: .text,
            number: .optional,
            help: "The pin: up to 64 letters, digits, dots, dashes and underscores"
        ),
    ],
    flags: [
        Flag(
            name: "at",
            value: ("R", .range(.from)),
            help: "The oldest record to keep: seq:100, slot:5000, block:7 or a time"
        ),
        Flag(name: "remove", help: "Take the pin away"),
        SharedFlags.format(["text", "json"]),
    ],
    exclusive: [["at", "remove"]],
    examples: [
        .init(
            purpose: "keep everything from a slot on while it is looked into",
            line: "tapedeck pin deck incident-7 --at slot:250000000"
        ),
        .init(purpose: "done", line: "tapedeck pin deck incident-7 --remove"),
        .init(purpose: "which pins there are", line: "tapedeck pin deck"),
    ],
    exitCodes: [.ok, .rangeNotAvailable],
    run: runPin
)

private func runPin(_ arguments: ParsedArguments) throws -> ExitCode {
    let console = Console()
    let disk = LinuxFileSystem()
    let path = arguments.operands[0]
    let reader = try RecordingReader(path: path, disk: disk)
    let pins = RetentionPins(reader.layout, on: disk)
    guard arguments.operands.count > 1 else {
        guard !arguments.has("at"), !arguments.has("remove") else {
            throw UsageError(verb: "pin", message: "NAME is missing: which pin?")
        }
        return try list(pins.read(), arguments, console)
    }
    let name = arguments.operands[1]
    guard RetentionPin.isName(name) else {
        throw UsageError(
            verb: "pin",
            message: "'\(name)' is no name of a pin: up to 64 letters, digits, dots, dashes and "
                + "underscores"
        )
    }
    if arguments.has("remove") {
        guard try pins.remove(name) else {
            throw VerbFailure(code: .failed, message: "\(path) has no pin '\(name)'")
        }
        console.say("\(path): pin '\(name)' is gone")
        return .ok
    }
    guard arguments.has("at") else {
        throw UsageError(verb: "pin", message: "--at or --remove is missing")
    }
    let first = try arguments.range(from: "at").resolved(in: reader).first
    let clock = SystemClock()
    let all = try pins.set(
        RetentionPin(name: name, sequence: first, createdAt: clock.wallNanoseconds())
    )
    console.say("\(path): pin '\(name)' keeps sequence \(first) and all behind it")
    return try list(all, arguments, console)
}

private func list(
    _ pins: [RetentionPin],
    _ arguments: ParsedArguments,
    _ console: Console
) throws -> ExitCode {
    guard arguments.text("format") == "json" else {
        try console.write(
            pins.map { "\($0.name)  from sequence \($0.sequence)\n" }.joined()
        )
        return .ok
    }
    var writer = JSONWriter()
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
    writer.endLine()
    try console.write(String(decoding: writer.bytes, as: UTF8.self))
    return .ok
}
