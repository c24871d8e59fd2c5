/// `tapedeck synth`
let synthVerb = Verb(
    name: "synth",
    summary: "make a recording of an invented market",
    flags: [
        Flag(
            name: "seed",
            value: ("N", .count(0...UInt64.max)),
            fallback: "1",
            help: "The same seed makes the same recording"
        ),
        Flag(
            name: "slots",
            value: ("N", .count(1...10_000_000)),
            fallback: "100",
            help: "How many slots to invent"
        ),
        SharedFlags.output,
        SharedFlags.force,
    ],
    examples: [
        .init(
            purpose: "a small market to try things on",
            line: "tapedeck synth --seed 7 --slots 50 -o deck"
        )
    ]
)
