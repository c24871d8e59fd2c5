/// `tapedeck cat`
let catVerb = Verb(
    name: "cat",
    summary: "print the records of a recording",
    operands: [SharedFlags.recording],
    flags: [
        SharedFlags.from,
        SharedFlags.to,
        Flag(name: "follow", help: "Wait for new records of a recording that is being written"),
        Flag(name: "durable", help: "Print only what a power loss cannot take"),
        SharedFlags.format(["text", "ndjson", "csv"]),
    ],
    examples: [
        .init(purpose: "the first ten records", line: "tapedeck cat deck --to seq:+10"),
        .init(
            purpose: "everything, for another program",
            line: "tapedeck cat deck --format ndjson"
        ),
    ],
    exitCodes: [.ok, .findings, .rangeNotAvailable]
)
