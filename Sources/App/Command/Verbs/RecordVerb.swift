import Platform

/// `tapedeck record`
let recordVerb = Verb(
    name: "record",
    summary: "record live streams into a recording",
    details: [
        "Every message that arrives is written before anything else is done with it. https:// and "
            + "wss:// are encrypted, http:// and ws:// are not. Secrets come from the environment "
            + "or a file; they are never printed and never recorded.",
        "Without --for, --frames or --until-end it records until it is interrupted. A source that "
            + "is refused before it ever streamed is given up and makes the exit code 1; the "
            + "others go on.",
        "If REC is a recording already, it is continued.",
        "A stream that breaks leaves a gap, and the state of its chain waits before what the gap "
            + "may lack. --gap-hold after the source delivers again the gap is given up, which is "
            + "recorded: state goes on and says what may be incomplete. The time of gaps that "
            + "earlier runs left open goes on while nobody records. Ending the recording gives "
            + "nothing up.",
        "With --keep-bytes, --keep-age or --min-free the oldest segments are retired whenever a "
            + "new one begins; room for it to grow is counted in. Pins ('tapedeck pin') always "
            + "hold, and so does what stored state still reads on from: base anchors are made beside "
            + "the recording, and segments go as far as one stands for them. Segments are then at most an eighth as large or long as what is kept.",
    ],
    flags: [
        SharedFlags.output,
        Flag(
            name: "config",
            value: ("FILE", .file),
            environment: "TAPEDECK_CONFIG",
            help: "A JSON5 file with sources and settings; flags win over it"
        ),
        Flag(
            name: "geyser",
            value: ("URL", .url(schemes: ["https://", "http://"])),
            isRepeatable: true,
            help: "A Yellowstone gRPC endpoint of Solana"
        ),
        Flag(
            name: "subscribe",
            value: ("FILE", .file),
            isRequired: true,
            opener: "geyser",
            help: "A SubscribeRequest in protobuf's JSON mapping"
        ),
        Flag(
            name: "token-env",
            value: ("NAME", .text),
            opener: "geyser",
            help: "The environment variable that holds the endpoint's token"
        ),
        Flag(
            name: "ws",
            value: ("URL", .url(schemes: ["wss://", "ws://"])),
            isRepeatable: true,
            help: "A JSON-RPC WebSocket endpoint of an EVM chain"
        ),
        Flag(
            name: "call",
            value: ("JSON", .text),
            isRepeatable: true,
            isRequired: true,
            opener: "ws",
            help: "A call to send when connected, {\"method\",\"params\"}; ids are added"
        ),
        Flag(
            name: "for",
            value: ("TIME", .duration),
            help: "Stop after this long, such as 90s, 5m or 1h30m"
        ),
        Flag(
            name: "frames",
            value: ("N", .count(1...UInt64.max)),
            help: "Stop after this many data frames"
        ),
        Flag(name: "until-end", help: "Stop when every stream has ended"),
        Flag(
            name: "durability",
            value: ("WHEN", .choice(["every-block", "interval", "none"])),
            fallback: "interval, 20 ms",
            help: "When to make sure that a power loss takes nothing"
        ),
        Flag(
            name: "on-full",
            value: ("WHAT", .choice(["wait", "exit"])),
            fallback: "wait",
            help: "Whether a full disk holds the recording up or ends it"
        ),
        Flag(
            name: "gap-hold",
            value: ("TIME", .durationOrOff),
            fallback: "10m",
            help: "Give a gap up this long after its source delivers again; off: never"
        ),
        SharedFlags.retention[0],
        SharedFlags.retention[1],
        SharedFlags.retention[2],
        Flag(name: "acks", help: "Print the durable sequence on standard output as it moves"),
        Flag(name: "force", help: "Overwrite a recording that is there"),
    ],
    exclusive: [["for", "frames", "until-end"]],
    oneOf: [["geyser", "ws", "config"]],
    examples: [
        .init(
            purpose: "one Solana endpoint for an hour",
            line: "tapedeck record -o deck --geyser https://geyser.example:443 "
                + "--subscribe all.json --token-env TOKEN --for 1h"
        ),
        .init(
            purpose: "new blocks of an EVM chain",
            line: "tapedeck record -o deck --ws wss://rpc.example "
                + "--call '{\"method\":\"eth_subscribe\",\"params\":[\"newHeads\"]}'"
        ),
    ],
    run: { arguments in
        // Before the first thread: every thread inherits what is blocked here.
        let signals = try Signals()
        let inputs = PlanInputs(disk: LinuxFileSystem(), environment: Environment.value)
        let plan = try RecordPlan(arguments, inputs)
        guard let path = arguments.text("output") else {
            preconditionFailure("the parser asks for the output")
        }
        let run = RecordRun(
            plan: plan,
            path: path,
            replaces: arguments.has("force"),
            printsAcks: arguments.has("acks")
        )
        return try run.run(signals: signals)
    }
)
