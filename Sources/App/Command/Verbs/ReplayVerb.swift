/// `tapedeck replay`
let replayVerb = Verb(
    name: "replay",
    summary: "play a recording through the pipeline",
    operands: [SharedFlags.recording],
    flags: [
        SharedFlags.rate,
        SharedFlags.from,
        SharedFlags.to,
        Flag(
            name: "projector",
            value: ("NAME", .text),
            isRepeatable: true,
            help: "A projector to run"
        ),
        Flag(
            name: "keep-idle",
            help: "Keep waits of more than a second between records, instead of cutting them"
        ),
        SharedFlags.skipDamage,
        SharedFlags.format(["text", "json"]),
    ],
    examples: [
        .init(purpose: "as fast as it can be read", line: "tapedeck replay deck --rate max"),
        .init(
            purpose: "a thousand records at the recorded speed",
            line: "tapedeck replay deck --from seq:5000 --to seq:+1000"
        ),
    ],
    exitCodes: [.ok, .findings, .rangeNotAvailable]
)
