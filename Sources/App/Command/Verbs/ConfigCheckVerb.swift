/// `tapedeck config check`
let configCheckVerb = Verb(
    name: "config check",
    summary: "check a configuration file and say what it means",
    operands: [
        Operand(placeholder: "FILE", kind: .file, help: "A JSON5 configuration file")
    ],
    examples: [.init(purpose: "before a restart", line: "tapedeck config check deck.json5")]
)
