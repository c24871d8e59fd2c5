/// `tapedeck verify`
let verifyVerb = Verb(
    name: "verify",
    summary: "check every byte of recordings",
    operands: [
        Operand(
            placeholder: "REC",
            kind: .recording,
            number: .some,
            help: "The directories of recordings"
        )
    ],
    flags: [SharedFlags.format(["text", "json"])],
    examples: [.init(purpose: "a backup, after copying it", line: "tapedeck verify copy/deck")],
    exitCodes: [.ok, .findings]
)
