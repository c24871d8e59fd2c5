/// Every verb, in the order of help. One whose body is not written yet is invisible.
let allVerbs: [Verb] = [
    recordVerb, serveVerb, replayVerb, rebuildVerb, stateVerb, digestVerb,
    testVerb, coverageVerb, whyVerb, infoVerb, catVerb, verifyVerb, recoverVerb, cutVerb,
    mergeVerb, gapsVerb, duVerb, diffVerb, retireVerb, pinVerb, exportVerb, importVerb,
    requestsVerb, synthVerb, scoreVerb,
    configCheckVerb, completionVerb, versionVerb, helpVerb,
]

/// What many verbs have in common, said once.
enum SharedFlags {
    /// `-o REC`: the recording to make.
    static let output = Flag(
        name: "output",
        short: "o",
        value: ("REC", .recording),
        isRequired: true,
        help: "The directory of the recording to write"
    )
    /// `--force`
    static let force = Flag(name: "force", help: "Overwrite what is there")
    /// `--from R`
    static let from = Flag(
        name: "from",
        value: ("R", .range(.from)),
        fallback: "the oldest record",
        help: "Where to start: seq:100, slot:5000, block:7 or time:2026-01-01T00:00:00Z"
    )
    /// `--to R`
    static let to = Flag(
        name: "to",
        value: ("R", .range(.to)),
        fallback: "the newest record",
        help: "Where to stop, itself included: as --from, or seq:+10 to count from the start"
    )
    /// `--keep-bytes N`, `--keep-age TIME` and `--min-free N`
    static let retention = [
        Flag(
            name: "keep-bytes",
            value: ("N", .size),
            help: "Retire the oldest segments when all take more than this, such as 500GiB"
        ),
        Flag(
            name: "keep-age",
            value: ("TIME", .duration),
            help: "Retire segments whose latest record is older than this, such as 30d"
        ),
        Flag(
            name: "min-free",
            value: ("N", .size),
            help: "Retire the oldest segments when less than this is free on the disk"
        ),
    ]
    /// `--rate 1|N|max`
    static let rate = Flag(
        name: "rate",
        value: ("RATE", .rate),
        fallback: "1",
        help: "Speed, as a multiple of the recorded one, or max for as fast as it can be read"
    )
    /// `--skip-damage`
    static let skipDamage = Flag(
        name: "skip-damage",
        help: "Step over damaged blocks instead of stopping before the first, and say so"
    )
    /// `--format` with the words that a verb knows; the first is the default.
    static func format(_ words: [String]) -> Flag {
        Flag(
            name: "format",
            value: ("FORMAT", .choice(words)),
            fallback: words[0],
            help: "How to write the result"
        )
    }
    /// The operand REC of verbs that read one recording.
    static let recording = Operand(
        placeholder: "REC",
        kind: .recording,
        help: "The directory of a recording"
    )
}
