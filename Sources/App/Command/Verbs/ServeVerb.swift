/// `tapedeck serve`
let serveVerb = Verb(
    name: "serve",
    summary: "serve a recording as the endpoints it was recorded from",
    details: [
        "Clients that know nothing of Tapedeck connect as they would to the original. The addresses "
            + "listened on are the first lines on standard output; port 0 lets the system choose."
    ],
    operands: [SharedFlags.recording],
    flags: [
        Flag(
            name: "geyser",
            value: ("ADDR:PORT[=SOURCE,...]", .listener),
            isRepeatable: true,
            help: "Serve Solana sources as a Yellowstone gRPC endpoint here"
        ),
        Flag(
            name: "ws",
            value: ("ADDR:PORT[=SOURCE,...]", .listener),
            isRepeatable: true,
            help: "Serve EVM sources as a JSON-RPC WebSocket endpoint here"
        ),
        SharedFlags.rate,
        Flag(name: "start-paused", help: "Wait for a command on the control socket"),
        Flag(
            name: "wait-clients",
            value: ("N", .count(1...100_000)),
            help: "Start when this many clients have subscribed"
        ),
        Flag(
            name: "control",
            value: ("SOCKET", .file),
            help: "A Unix socket to make for pause, step, seek and rate"
        ),
        Flag(name: "loop", help: "Start again for new connections at the end"),
        SharedFlags.from,
        SharedFlags.to,
        Flag(
            name: "token-env",
            value: ("NAME", .text),
            help: "The environment variable that holds the token clients must send"
        ),
        SharedFlags.skipDamage,
    ],
    oneOf: [["geyser", "ws"]],
    examples: [
        .init(
            purpose: "Solana at ten times the recorded speed",
            line: "tapedeck serve deck --geyser 127.0.0.1:10000 --rate 10"
        ),
        .init(
            purpose: "EVM as fast as clients read, on any free port",
            line: "tapedeck serve deck --ws 127.0.0.1:0 --rate max"
        ),
    ],
    exitCodes: [.ok, .findings, .rangeNotAvailable]
)
