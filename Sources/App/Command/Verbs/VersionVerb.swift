import SegmentFormat

/// `tapedeck version`
let versionVerb = Verb(
    name: "version",
    summary: "say which version this is",
    details: ["'tapedeck --version' does the same."],
    examples: [.init(purpose: "what to write into a bug report", line: "tapedeck version")],
    run: { _ in
        let format = "\(FormatLimits.versionMajor).\(FormatLimits.versionMinor)"
        try Console().write("tapedeck \(toolVersion), recording format \(format)\n")
        return .ok
    }
)
