import EthereumSource
import GeyserSource
import SegmentLog

extension RecordPlan {
    /// The plan of a command line: its configuration file, if any, then its flags.
    ///
    /// - Throws: `UsageError`.
    init(_ arguments: ParsedArguments, _ inputs: PlanInputs) throws {
        let verb = arguments.verb.name
        do {
            if let path = arguments.text("config") { try read(config: path, inputs) }
            try addGeyser(arguments, inputs)
            try addWebSockets(arguments, inputs)
            switch arguments.text("durability") {
            case "every-block": log.durability = .everyBlock
            case "none": log.durability = .none
            case "interval":
                // The file may have set the length.
                if case .interval = log.durability { break }
                log.durability = LogOptions().durability
            default: break
            }
            if let text = arguments.text("on-full") { log.onFull = text == "exit" ? .exit : .wait }
            keep(RetentionPolicy(arguments))
            // "off" is no length.
            if arguments.has("gap-hold") { gapHold = arguments.duration("gap-hold") }
            let limits = ["for", "frames", "until-end"]
            if limits.contains(where: arguments.has) {
                nanosecondsMax = arguments.duration("for")
                framesMax = arguments.count("frames")
                endsWithStreams = arguments.has("until-end")
            }
            try settle()
        } catch let error as PlanError {
            throw UsageError(verb: verb, message: error.message)
        }
    }

    private mutating func addGeyser(_ arguments: ParsedArguments, _ inputs: PlanInputs) throws {
        for (index, group) in arguments.groups("geyser").enumerated() {
            let place = "--geyser number \(index + 1)"
            let options = try naming(place) {
                guard let path = group.text("subscribe") else {
                    throw PlanError("--subscribe is missing")
                }
                var options = GeyserSubscription.Options(
                    id: "geyser-\(index + 1)",
                    address: try inputs.geyserAddress(group.value),
                    request: try inputs.subscribeRequest(path)
                )
                if let name = group.text("token-env") {
                    options.token = try inputs.secret(variable: name)
                }
                return options
            }
            if let token = options.token { secrets.append(token) }
            add(.geyser(options), at: place)
        }
    }

    private mutating func addWebSockets(
        _ arguments: ParsedArguments,
        _ inputs: PlanInputs
    ) throws {
        for (index, group) in arguments.groups("ws").enumerated() {
            let place = "--ws number \(index + 1)"
            let options = try naming(place) {
                EthereumSubscription.Options(
                    id: "ws-\(index + 1)",
                    url: try inputs.webSocketURL(group.value),
                    calls: try group.texts("call").map { try inputs.call(Array($0.utf8)) }
                )
            }
            keepSecrets(of: options.url)
            add(.ethereum(options), at: place)
        }
    }

    /// Puts a place before what is wrong there.
    private func naming<Value>(_ place: String, _ body: () throws -> Value) throws -> Value {
        do { return try body() } catch let error as PlanError {
            throw PlanError("\(place): \(error.message)")
        }
    }
}
