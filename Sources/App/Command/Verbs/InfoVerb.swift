/// `tapedeck info`
let infoVerb = Verb(
    name: "info",
    summary: "say what a recording holds",
    operands: [SharedFlags.recording],
    flags: [SharedFlags.format(["text", "json"])],
    examples: [.init(purpose: "sources, runs, size and times", line: "tapedeck info deck")],
    exitCodes: [.ok, .findings]
)
