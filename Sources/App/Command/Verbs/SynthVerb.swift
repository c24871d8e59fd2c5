import Platform
import Synthesis

/// `tapedeck synth`
let synthVerb = Verb(
    name: "synth",
    summary: "make a recording of an invented market",
    details: [
        "Writes what a recorder would have captured from a Yellowstone endpoint and from a "
            + "Polygon node: real program ids, event layouts and JSON, invented traders.",
        "The same options make the same recording, byte for byte, on every machine.",
        "With actors, what they did is written beside the recording as labels, one JSON object a "
            + "line, and what only looks like it with the reason; 'tapedeck score' compares "
            + "monitors with them. Only what the confirmed chain "
            + "holds and some stream brought is labelled. --market full turns everything on, in "
            + "numbers that follow the slots; any number given beside it counts instead.",
        "With --real, transactions of SubscribeUpdate files stand in for the invented market: "
            + "their bytes are kept but for the slot and the index in the block.",
    ],
    flags: SynthFlags.all,
    examples: [
        .init(
            purpose: "a small market to try things on",
            line: "tapedeck synth --seed 7 --slots 50 -o deck"
        ),
        .init(
            purpose: "ten minutes with whole blocks and reorganisations",
            line: "tapedeck synth --slots 1500 --whole-blocks --reorgs 3 -o long"
        ),
        .init(
            purpose: "everything at once, with labels in full.labels.ndjson",
            line: "tapedeck synth --market full --slots 1500 -o full"
        ),
        .init(
            purpose: "sandwiches alone, on two streams that lose and repeat",
            line: "tapedeck synth --sandwiches 50 --streams 2 --missed-slots 3 --duplicates 20 -o s"
        ),
        .init(
            purpose: "real transactions on a chain with forks",
            line: "tapedeck synth --real volume.bin --forks 5 --streams 2 -o real"
        ),
    ],
    exitCodes: [.ok, .failed, .usage],
    run: { arguments in try SynthRun(arguments).run() }
)

/// The flags of `tapedeck synth`.
private enum SynthFlags {
    static let all =
        market + solana + delivery + actors + [
            Flag(
                name: "real",
                value: ("FILE", .file),
                isRepeatable: true,
                help: "Wrap the transactions of a file of length-prefixed updates"
            ),
            Flag(
                name: "labels",
                value: ("FILE", .file),
                fallback: "REC.labels.ndjson when there are actors",
                help: "Where labels are written"
            ),
            SharedFlags.output,
            SharedFlags.force,
        ]

    private static let market = [
        Flag(
            name: "seed",
            value: ("N", .count(0...UInt64.max)),
            fallback: "1",
            help: "The same seed makes the same recording"
        ),
        Flag(
            name: "market",
            value: ("KIND", .choice(["plain", "full"])),
            fallback: "plain",
            help: "Which numbers hold where none is given"
        ),
        Flag(
            name: "slots",
            value: ("N", .count(1...10_000_000)),
            fallback: "100",
            help: "How many Solana slots to invent"
        ),
        Flag(
            name: "blocks",
            value: ("N", .count(0...10_000_000)),
            fallback: "a fifth of the slots",
            help: "How many EVM blocks to invent"
        ),
        Flag(
            name: "reorgs",
            value: ("N", .count(0...1_000_000)),
            fallback: "0",
            help: "How many reorganisations of the EVM chain"
        ),
    ]

    private static let solana = [
        number("tokens", 0...100_000_000, "6", "How many coins are launched"),
        number(
            "usdc",
            0...1_000,
            "150",
            "Coins priced in USDC and not in SOL, in thousandths"
        ),
        number("trades", 0...1_000, "6", "Market transactions in a slot, on average"),
        number("votes", 0...1_000, "8", "Votes in a slot"),
        number("failed", 0...1_000, "80", "Failed market transactions, in thousandths"),
        number("skipped", 0...900, "20", "Slots without a block, in thousandths"),
        Flag(name: "token-accounts", help: "Deliver accounts of the token programs too"),
        Flag(name: "whole-blocks", help: "Add a stream that carries whole Solana blocks"),
    ]

    private static let delivery = [
        number("streams", 1...4, "1", "Streams that carry the Solana market"),
        number("forks", 0...1_000_000, "0", "Branches of the chain that are given up"),
        number("dead-slots", 0...1_000_000, "0", "Slots that die while they are produced"),
        number(
            "equivocations",
            0...1_000_000,
            "0",
            "Slots of which the last stream sees two blocks"
        ),
        number("missed-slots", 0...1_000_000, "0", "Slots of which one stream gets nothing"),
        number("disconnects", 0...1_000_000, "0", "Times a stream breaks and comes back"),
        number("duplicates", 0...1_000, "0", "Updates that come twice, in thousandths"),
        number("late", 0...1_000, "0", "Transactions up to three slots late, in thousandths"),
        Flag(
            name: "cut",
            help: "End every stream in the middle, as a broken connection does"
        ),
    ]

    private static let actors = [
        number("sandwiches", 0...1_000_000, "0", "Sandwiches within a slot"),
        number("wide", 0...1_000_000, "0", "Sandwiches over up to four slots"),
        number("front-runs", 0...1_000_000, "0", "Trades put before one with a narrow limit"),
        number("back-runs", 0...1_000_000, "0", "Trades right behind a large one, and arbitrages"),
        number(
            "copy-traders",
            0...1_000,
            "0",
            "Wallets that copy another; takes 60 slots and 30 coins or more"
        ),
        number("look-alikes", 0...1_000_000, "0", "Innocent patterns that look like an attack"),
    ]

    private static func number(
        _ name: String,
        _ range: ClosedRange<UInt64>,
        _ fallback: String,
        _ help: String
    ) -> Flag {
        Flag(name: name, value: ("N", .count(range)), fallback: fallback, help: help)
    }
}

extension ParsedArguments {
    /// The market to make.
    fileprivate var market: SynthesisOptions {
        var options = SynthesisOptions()
        let slots = count("slots") ?? 100  // the fallback in the flag's help
        options.slots = UInt32(clamping: slots)
        options.ethereumBlocks = UInt32(clamping: slots / 5)
        if text("market") == "full" { options.fill() }
        if let seed = count("seed") { options.seed = seed }
        let numbers: [(String, WritableKeyPath<SynthesisOptions, UInt32>)] = [
            ("blocks", \.ethereumBlocks), ("reorgs", \.reorgs), ("tokens", \.tokens),
            ("usdc", \.usdcPerMille), ("trades", \.tradesPerSlot), ("votes", \.votesPerSlot),
            ("failed", \.failedPerMille),
            ("skipped", \.skippedPerMille), ("streams", \.streams), ("forks", \.forks),
            ("dead-slots", \.deadSlots), ("equivocations", \.equivocations),
            ("missed-slots", \.missedSlots), ("disconnects", \.disconnects),
            ("duplicates", \.duplicatedPerMille), ("late", \.latePerMille),
            ("sandwiches", \.sandwiches), ("wide", \.wideSandwiches), ("front-runs", \.frontRuns),
            ("back-runs", \.backRuns), ("copy-traders", \.copyTraders),
            ("look-alikes", \.lookAlikes),
        ]
        for (name, path) in numbers {
            if let number = count(name) { options[keyPath: path] = UInt32(clamping: number) }
        }
        if has("whole-blocks") { options.wholeBlocks = true }
        if has("token-accounts") { options.tokenAccounts = true }
        options.end = has("cut") ? .cut : .clean
        return options
    }
}

/// One run of `tapedeck synth`.
private struct SynthRun {
    private let options: SynthesisOptions
    private let files: [String]
    private let hasSlots: Bool
    private let hasBlocks: Bool
    private let output: String
    private let labels: String?
    private let overwrites: Bool
    private let place: ImportPlace

    init(_ arguments: ParsedArguments) throws {
        output = arguments.text("output") ?? ""  // required: never missing here
        place = ImportPlace(output: output, overwrites: arguments.has("force"))
        options = arguments.market
        overwrites = arguments.has("force")
        files = arguments.texts("real")
        hasSlots = arguments.has("slots")
        hasBlocks = arguments.has("blocks")
        let given = arguments.text("labels")
        labels = given ?? (options.hasActors ? LabelPath.beside(output) : nil)
    }

    func run() throws -> ExitCode {
        let console = Console()
        let clock = SystemClock()
        try place.check()
        var line = ProgressLine(
            label: "synth",
            unit: "frames",
            total: nil,
            style: console.progressStyle,
            now: clock.monotonicNanoseconds()
        )
        let file = try labels.map { try ExportFile($0, overwrites: overwrites) }
        let summary: SynthesizedRecording.Summary
        do {
            summary = try write(clock) { frames in
                if let text = line.update(done: frames, now: clock.monotonicNanoseconds()) {
                    console.talk(text)
                }
            }
            for label in summary.labels { try file?.write(Array(label.line.utf8)) }
        } catch {
            place.discard()
            file?.discard()
            throw error
        }
        if let text = line.finish() { console.talk(text) }
        try file?.finish()
        try place.finish()
        console.say(
            "\(output): \(summary.frames) frames on \(summary.streams) streams, "
                + "\(ByteCount.text(summary.payloadBytes)) of payload; "
                + "look at it with: tapedeck info \(output)"
        )
        if let labels { console.say("\(labels): \(summary.labels.count) labels") }
        return .ok
    }

    /// The transactions of the files, in their order.
    private func realBlocks() throws -> RealBlocks {
        var real = RealBlocks()
        for path in files {
            let file = LengthPrefixedFile(file: try ImportFile(path), isBigEndian: false)
            var offset = 0
            while true {
                let start = offset
                guard let message = try file.next(at: &offset) else { break }
                guard real.add(Array(message)) else {
                    throw file.file.failure(
                        at: start,
                        "not a SubscribeUpdate with its transactions"
                    )
                }
            }
        }
        guard real.count > 0 else {
            throw VerbFailure(
                code: .failed,
                message: "\(files.joined(separator: ", ")): no transactions in there"
            )
        }
        return real
    }

    private func write(
        _ clock: SystemClock,
        progress: (UInt64) -> Void
    ) throws -> SynthesizedRecording.Summary {
        let real = try files.isEmpty ? nil : realBlocks()
        var options = options
        if let real {
            // Without other numbers given, all of the files and nothing else.
            if !hasSlots { options.slots = UInt32(clamping: real.count) }
            if !hasBlocks { options.ethereumBlocks = 0 }
        }
        return try SynthesizedRecording(options, real: real, toolVersion: toolVersion).write(
            to: place.unfinished,
            disk: LinuxFileSystem(),
            schedule: clock,
            positions: RecordedPositions(),
            progress: progress
        )
    }
}
