/// `tapedeck import`
let importVerb = Verb(
    name: "import",
    summary: "make a recording from frames captured by another tool",
    operands: [
        Operand(placeholder: "FILE", kind: .file, number: .some, help: "The files, in order")
    ],
    flags: [
        SharedFlags.output,
        Flag(
            name: "format",
            value: ("FORMAT", .choice(["auto", "solana-le", "solana-be", "ws-jsonl"])),
            fallback: "auto",
            help: "How the frames are written"
        ),
        SharedFlags.force,
    ],
    examples: [
        .init(
            purpose: "length-prefixed SubscribeUpdates",
            line: "tapedeck import updates.bin --format solana-le -o deck"
        )
    ]
)
