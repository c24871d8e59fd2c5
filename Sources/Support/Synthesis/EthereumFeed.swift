/// Turns the blocks of the chain into the timed frames of one WebSocket connection.
struct EthereumFeed {
    let stream: UInt32
    let source: UInt32
    private let options: SynthesisOptions
    private var random: MarketRandom
    private var chain: EthereumChainSynthesis
    private let headsID: String
    private let logsID: String
    private var nextPing: Int64 = 0
    private var blocks: UInt64 = 0
    private var reorgs: UInt64 = 0

    private static let millisecond: Int64 = 1_000_000
    private static let second: Int64 = 1_000_000_000

    init(stream: UInt32, source: UInt32, _ options: SynthesisOptions) {
        self.stream = stream
        self.source = source
        self.options = options
        random = MarketRandom(seed: options.seed ^ 0x6672_616d_6573_0000 ^ UInt64(stream))
        chain = EthereumChainSynthesis(options)
        headsID = EthereumText.subscriptionID(&random)
        logsID = EthereumText.subscriptionID(&random)
    }

    /// Opens the connection and subscribes.
    mutating func open(at time: Int64, into queue: inout TimedQueue<StreamEvent>) {
        // The key and its answer are those of RFC 6455 section 1.3.
        let opened = SynthesizedStream(
            source: source,
            kind: .ethereum,
            endpoint: "wss://polygon-\(source).example.net/",
            method: "GET",
            fields: [
                SynthesizedField(name: "Host", value: "polygon-\(source).example.net"),
                SynthesizedField(name: "Upgrade", value: "websocket"),
                SynthesizedField(name: "Connection", value: "Upgrade"),
                SynthesizedField(name: "Sec-WebSocket-Key", value: "dGhlIHNhbXBsZSBub25jZQ=="),
                SynthesizedField(name: "Sec-WebSocket-Version", value: "13"),
            ]
        )
        let answer = [
            SynthesizedField(name: "Upgrade", value: "websocket"),
            SynthesizedField(name: "Connection", value: "Upgrade"),
            SynthesizedField(
                name: "Sec-WebSocket-Accept",
                value: "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
            ),
        ]
        add(.opened(opened), at: time, &queue)
        add(.accepted(status: 101, fields: answer), at: time + 12 * Self.millisecond, &queue)
        let topics = EthereumTopic.subscribed.map { "\"\($0)\"" }.joined(separator: ",")
        let calls = ["\"newHeads\"", "\"logs\",{\"topics\":[[\(topics)]]}"]
        for (index, (parameters, id)) in zip(calls, [headsID, logsID]).enumerated() {
            let sent = time + (14 + 30 * Int64(index)) * Self.millisecond
            send(
                "{\"jsonrpc\":\"2.0\",\"id\":\(index + 1),\"method\":\"eth_subscribe\","
                    + "\"params\":[\(parameters)]}",
                at: sent,
                &queue
            )
            receive(
                "{\"jsonrpc\":\"2.0\",\"id\":\(index + 1),\"result\":\"\(id)\"}",
                at: sent + 15 * Self.millisecond,
                &queue
            )
        }
        nextPing = time + 30 * Self.second
    }

    /// The notifications of the next block, and before it a reorganisation when one is due.
    mutating func addBlock(at time: Int64, into queue: inout TimedQueue<StreamEvent>) {
        blocks += 1
        if nextPing <= time {
            // A node pings after 30 s without a write; gateways before it ping all the time.
            frame(.incoming, SynthesizedFrame(opcode: 9, isFinal: true, payload: []), time, &queue)
            client(opcode: 10, [], at: time + Self.millisecond, &queue)
            nextPing = time + 30 * Self.second
        }
        let seconds = time / Self.second
        let due = (reorgs + 1) * UInt64(options.ethereumBlocks) / (UInt64(options.reorgs) + 1)
        if reorgs < options.reorgs, blocks > due {
            let depth = 1 + random.index(below: 2)
            if let change = chain.reorganise(depth: depth, time: seconds) {
                reorgs += 1
                return announce(change, at: time, &queue)
            }
        }
        announce(chain.next(time: seconds), at: time + 2 * Self.millisecond, &queue)
    }

    /// Ends the connection; call once.
    mutating func close(
        _ end: SynthesisOptions.End,
        at time: Int64,
        into queue: inout TimedQueue<StreamEvent>
    ) {
        let ended = endTime(end, at: time)
        switch end {
        case .clean:
            let code: [UInt8] = [0x03, 0xe8]
            client(opcode: 8, code, at: time, &queue)
            frame(
                .incoming,
                SynthesizedFrame(opcode: 8, isFinal: true, payload: code),
                time + 20 * Self.millisecond,
                &queue
            )
            add(.closed(.webSocket(code: 1_000, reason: "")), at: ended, &queue)
        case .cut:
            let head = notification(headsID, chain.next(time: time / Self.second).header)
            frame(.incoming, NodeFraming.frames(Array(head.utf8))[0], time, &queue)
            add(.closed(.webSocket(code: 1_006, reason: "")), at: ended, &queue)
        }
    }

    /// When the last step of a connection comes whose end begins at the given time.
    func endTime(_ end: SynthesisOptions.End, at time: Int64) -> Int64 {
        time + (end == .clean ? 21 : 3) * Self.millisecond
    }

    // MARK: Notifications

    private mutating func announce(
        _ block: EthereumBlock,
        at time: Int64,
        _ queue: inout TimedQueue<StreamEvent>
    ) {
        // Heads and logs come from two tasks of the node: a log may overtake its head.
        let first = time + Self.millisecond
        let head = random.chance(perMille: 150) ? first + 125_000 : time
        receive(notification(headsID, block.header), at: head, &queue)
        announce(block, removed: false, from: first, &queue)
    }

    private mutating func announce(
        _ change: EthereumChainSynthesis.Reorganisation,
        at time: Int64,
        _ queue: inout TimedQueue<StreamEvent>
    ) {
        var next = time
        for block in change.abandoned {
            next = announce(block, removed: true, from: next, &queue)
        }
        for block in change.silent {
            next = announce(block, removed: false, from: next, &queue)
        }
        announce(change.newest, at: next, &queue)
    }

    /// One notification a log; gives the time after the last.
    @discardableResult
    private mutating func announce(
        _ block: EthereumBlock,
        removed: Bool,
        from time: Int64,
        _ queue: inout TimedQueue<StreamEvent>
    ) -> Int64 {
        var next = time
        for log in block.logs {
            receive(notification(logsID, log.json(in: block, removed: removed)), at: next, &queue)
            next += 50_000
        }
        return next
    }

    private func notification(_ subscription: String, _ result: String) -> String {
        "{\"jsonrpc\":\"2.0\",\"method\":\"eth_subscription\",\"params\":{\"subscription\":"
            + "\"\(subscription)\",\"result\":\(result)}}\n"
    }

    // MARK: Frames

    private mutating func receive(
        _ text: String,
        at time: Int64,
        _ queue: inout TimedQueue<StreamEvent>
    ) {
        let line = text.hasSuffix("\n") ? text : text + "\n"
        for each in NodeFraming.frames(Array(line.utf8)) {
            frame(.incoming, each, time, &queue)
        }
    }

    private mutating func send(
        _ text: String,
        at time: Int64,
        _ queue: inout TimedQueue<StreamEvent>
    ) {
        client(opcode: 1, Array(text.utf8), at: time, &queue)
    }

    private mutating func client(
        opcode: UInt8,
        _ payload: [UInt8],
        at time: Int64,
        _ queue: inout TimedQueue<StreamEvent>
    ) {
        var each = SynthesizedFrame(opcode: opcode, isFinal: true, payload: payload)
        each.maskKey = UInt32(truncatingIfNeeded: random.next())
        frame(.outgoing, each, time, &queue)
    }

    private func frame(
        _ direction: SynthesizedStep.FrameDirection,
        _ frame: SynthesizedFrame,
        _ time: Int64,
        _ queue: inout TimedQueue<StreamEvent>
    ) {
        add(.frame(direction, frame), at: time, &queue)
    }

    private func add(
        _ event: SynthesizedStep.Event,
        at time: Int64,
        _ queue: inout TimedQueue<StreamEvent>
    ) {
        queue.add(StreamEvent(stream: stream, event: event), at: time)
    }
}
