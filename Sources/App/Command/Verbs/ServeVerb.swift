/// `tapedeck serve`
let serveVerb = Verb(
    name: "serve",
    summary: "serve a recording as the endpoints it was recorded from",
    details: [
        "Clients that know nothing of Tapedeck connect as they would to the original. The addresses "
            + "listened on are the first lines on standard output; port 0 lets the system choose.",
        "A request equal to a recorded one gets that stream byte for byte, with its end. Any other "
            + "one is answered from all recorded streams, filtered; what they do not cover is "
            + "refused.",
        "The clock starts with the first subscription. At --rate max every client has a head of "
            + "its own. Serving stops before damage, and the process then exits 3.",
        "The control socket takes one command a line and answers with one that begins with ok or "
            + "error: \(ControlCommand.summary). For example: echo status | socat - "
            + "UNIX-CONNECT:deck.sock",
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
        Flag(
            name: "stream",
            value: ("SEQ", .count(1...UInt64.max)),
            help: "Serve this recorded stream byte for byte, whatever a Yellowstone client asks"
        ),
        Flag(
            name: "keep-idle",
            help: "Keep waits of more than a second between records, instead of cutting them"
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
    exitCodes: [.ok, .findings, .rangeNotAvailable],
    run: { try ServeRun($0, console: Console(), interrupt: Interrupt()).run() }
)
