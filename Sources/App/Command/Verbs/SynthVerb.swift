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
    ],
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
        Flag(
            name: "whole-blocks",
            help: "Add a stream that carries whole Solana blocks"
        ),
        Flag(
            name: "cut",
            help: "End every stream in the middle, as a broken connection does"
        ),
        SharedFlags.output,
        SharedFlags.force,
    ],
    examples: [
        .init(
            purpose: "a small market to try things on",
            line: "tapedeck synth --seed 7 --slots 50 -o deck"
        ),
        .init(
            purpose: "ten minutes with whole blocks and reorganisations",
            line: "tapedeck synth --slots 1500 --whole-blocks --reorgs 3 -o long"
        ),
    ],
    exitCodes: [.ok, .failed, .usage],
    run: { arguments in try SynthRun(arguments).run() }
)

/// One run of `tapedeck synth`.
private struct SynthRun {
    private var options = SynthesisOptions()
    private let output: String
    private let place: ImportPlace

    init(_ arguments: ParsedArguments) throws {
        output = arguments.text("output") ?? ""  // required: never missing here
        place = ImportPlace(output: output, overwrites: arguments.has("force"))
        options.seed = arguments.count("seed") ?? 1  // the fallback in the flag's help
        let slots = arguments.count("slots") ?? 100  // likewise
        options.slots = UInt32(clamping: slots)
        // Likewise.
        options.ethereumBlocks = UInt32(clamping: arguments.count("blocks") ?? slots / 5)
        // Likewise.
        options.reorgs = UInt32(clamping: arguments.count("reorgs") ?? 0)
        options.wholeBlocks = arguments.has("whole-blocks")
        options.end = arguments.has("cut") ? .cut : .clean
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
        let summary: SynthesizedRecording.Summary
        do {
            summary = try SynthesizedRecording(options, toolVersion: toolVersion).write(
                to: place.unfinished,
                disk: LinuxFileSystem(),
                schedule: clock,
                positions: RecordedPositions()
            ) { frames in
                if let text = line.update(done: frames, now: clock.monotonicNanoseconds()) {
                    console.talk(text)
                }
            }
        } catch {
            place.discard()
            throw error
        }
        if let text = line.finish() { console.talk(text) }
        try place.finish()
        console.say(
            "\(output): \(summary.frames) frames on \(summary.streams) streams, "
                + "\(ByteCount.text(summary.payloadBytes)) of payload; "
                + "look at it with: tapedeck info \(output)"
        )
        return .ok
    }
}
