// The configuration file of `record`. Sources/Capture/README.md describes every key.

import Capture
import EthereumSource
import Foundation
import GRPCTransport
import GeyserSource
import JSONText
import SegmentLog
import WebSocketProtocol
import WebSocketTransport

extension RecordPlan {
    private static let second: UInt64 = 1_000_000_000

    /// Takes a JSON5 file into the plan.
    ///
    /// - Throws: `PlanError`, naming the file and the place.
    mutating func read(config path: String, _ inputs: PlanInputs) throws {
        file = path
        let bytes = try inputs.file(path)
        // Foundation's decoder traps on a key without quotes that is no UTF-8.
        guard String(validating: bytes, as: UTF8.self) != nil else {
            throw PlanError("\(path): it is not JSON5: it is not UTF-8 text")
        }
        let decoder = JSONDecoder()
        decoder.allowsJSON5 = true
        let root: ConfigValue
        do { root = try decoder.decode(ConfigValue.self, from: Foundation.Data(bytes)) } catch {
            guard let fault = JSON5Fault.find(in: bytes) else {
                throw PlanError("\(path): it is not JSON5: \(Self.words(of: error))")
            }
            throw PlanError(
                "\(path): it is not JSON5: line \(fault.line), column \(fault.column): "
                    + fault.problem
            )
        }
        do {
            var file = try ConfigObject(root, at: "")
            let folder = path.lastIndex(of: "/").map { String(path[...$0]) }
            // A file without a folder stands in the current one.
            let reader = ConfigReader(inputs: inputs, file: path, folder: folder ?? "")
            for (index, value) in try (file.list("sources") ?? []).enumerated() {  // May be absent.
                let source = try ConfigObject(value, at: "sources[\(index)]")
                try add(source, number: index + 1, reader)
            }
            if var log = try file.object("log") { try read(log: &log) }
            if var gaps = try file.object("gaps") { try read(gaps: &gaps) }
            if var limits = try file.object("limits") { try read(limits: &limits) }
            try file.finish()
        } catch let error as ConfigError {
            throw PlanError(error.message(file: path))
        }
    }

    private static func words(of error: any Error) -> String {
        guard case .dataCorrupted(let context)? = error as? DecodingError else { return "\(error)" }
        let detail = (context.underlyingError as NSError?)?.userInfo["NSDebugDescription"]
        return detail.map { "\($0)" } ?? context.debugDescription
    }

    private mutating func read(log: inout ConfigObject) throws {
        let length = try log.duration("interval", 1_000_000...60 * Self.second)
        switch try log.choice("durability", ["every-block", "interval", "none"]) {
        case "every-block": self.log.durability = .everyBlock
        case "none": self.log.durability = .none
        default:
            if let length { self.log.durability = .interval(nanoseconds: length) }
        }
        if let size = try log.size("rotate_bytes", (1 << 20)...(1 << 40)) {
            self.log.rotateBytes = size
        }
        if let age = try log.duration("rotate_after", Self.second...365 * 86_400 * Self.second) {
            self.log.rotateNanoseconds = age
        }
        if let size = try log.size("queue_bytes", (1 << 20)...(4 << 30)) {
            self.log.queueBytesMax = Int(size)
        }
        var retention = RetentionPolicy()
        retention.bytesMax = try log.size("keep_bytes", (1 << 20)...(1 << 60))
        retention.ageMax = try log.duration("keep_age", Self.second...UInt64(Int64.max))
        retention.freeBytesMin = try log.size("min_free", 1...(1 << 60))
        keep(retention)
        if let full = try log.choice("on_full", ["wait", "exit"]) {
            self.log.onFull = full == "exit" ? .exit : .wait
        }
        try log.finish()
    }

    private mutating func read(gaps: inout ConfigObject) throws {
        if gaps.has("hold"), try gaps.isOff("hold") {
            gapHold = nil
        } else if let hold = try gaps.duration("hold", 0...UInt64(Int64.max)) {
            gapHold = hold
        }
        try gaps.finish()
    }

    private mutating func read(limits: inout ConfigObject) throws {
        nanosecondsMax = try limits.duration("for", 1_000_000...UInt64(Int64.max))
        framesMax = try limits.count("frames", 1...Int64.max).map(UInt64.init)
        endsWithStreams = try limits.boolean("until_end") == true
        try limits.finish()
    }

    private mutating func add(
        _ source: ConfigObject,
        number: Int,
        _ reader: ConfigReader
    ) throws {
        if source.has("geyser") {
            try addGeyser(source, number, reader)
        } else if source.has("ws") || source.has("ws_env") {
            try addWebSocket(source, number, reader)
        } else {
            throw ConfigError(
                path: source.path,
                problem: "a source needs \"geyser\" (an address) or \"ws\" (an address)"
            )
        }
    }

    private mutating func addGeyser(
        _ object: ConfigObject,
        _ number: Int,
        _ reader: ConfigReader
    ) throws {
        var object = object
        let id = try reader.id(&object) ?? "geyser-\(number)"
        guard let address = try object.text("geyser") else {
            throw ConfigError(path: object.path("geyser"), problem: "an address was expected")
        }
        guard let file = try object.text("subscribe") else {
            throw ConfigError(
                path: object.path("subscribe"),
                problem: "the path of a SubscribeRequest in protobuf's JSON mapping was expected"
            )
        }
        let inputs = reader.inputs
        var options = GeyserSubscription.Options(
            id: id,
            address: try reader.at(object.path("geyser")) { try inputs.geyserAddress(address) },
            request: try reader.at(object.path("subscribe")) {
                try inputs.subscribeRequest(reader.resolve(file))
            }
        )
        if let token = try reader.secret(&object, "token") {
            options.token = token
            secrets.append(token)
        }
        for (name, value) in try reader.secretMap(&object, "metadata") {
            let entry = GRPCMetadataEntry(name.lowercased(), value)
            try reader.at(object.path("metadata")) {
                do throws(GRPCError) { try GRPCMetadataEntry.check([entry]) } catch {
                    throw PlanError("\(error)")
                }
            }
            options.metadata.append(entry)
            secrets.append(value)
        }
        if let path = try object.text("ca_file") {
            _ = try reader.roots(path, at: object.path("ca_file"))
            options.rootsPEM = try reader.at(object.path("ca_file")) {
                String(decoding: try inputs.file(reader.resolve(path)), as: UTF8.self)
            }
        }
        options.serverName = try object.text("server_name")
        if let names = try object.list("encodings") {
            options.acceptedEncodings = try reader.encodings(names, object.path("encodings"))
        }
        if let size = try object.size("receive_limit", 1_024...(64 << 20)) {
            options.receiveBytesMax = Int(size)
        }
        if let keepalive = try reader.keepalive(&object) {
            options.keepaliveMilliseconds = keepalive.milliseconds
            options.keepaliveTimeoutMilliseconds = keepalive.timeoutMilliseconds
        }
        if let seconds = try object.count("ping_seconds", 0...3_600) {
            options.pingNanoseconds = seconds == 0 ? nil : UInt64(seconds) * Self.second
        }
        options.policy.backoff = try reader.backoff(&object)
        try object.finish()
        add(.geyser(options), at: "\(reader.file): \(object.path)")
    }

    private mutating func addWebSocket(
        _ object: ConfigObject,
        _ number: Int,
        _ reader: ConfigReader
    ) throws {
        var object = object
        let inputs = reader.inputs
        let id = try reader.id(&object) ?? "ws-\(number)"
        let place = object.path(object.has("ws") ? "ws" : "ws_env")
        let variable = try object.text("ws_env")
        let written = try object.text("ws")
        let url = try reader.at(place) {
            if let variable, written == nil {
                return try inputs.webSocketURL(inputs.secret(variable: variable))
            }
            guard let written, variable == nil else {
                throw PlanError("one address was expected: ws or ws_env, not both")
            }
            return try inputs.webSocketURL(written)
        }
        keepSecrets(of: url)
        guard let list = try object.list("calls"), !list.isEmpty else {
            throw ConfigError(
                path: object.path("calls"),
                problem: "a list of calls {method, params} was expected"
            )
        }
        let calls = try list.enumerated().map { index, value in
            let path = "\(object.path("calls"))[\(index)]"
            let text = try ConfigReader.json(value, path)
            return try reader.at(path) { try inputs.call(text) }
        }
        var options = EthereumSubscription.Options(id: id, url: url, calls: calls)
        for (name, value) in try reader.secretMap(&object, "headers") {
            let field = HTTPField(name, value)
            guard field.isValid else {
                throw ConfigError(
                    path: object.path("headers.\(name)"),
                    problem: "it is no HTTP header field"
                )
            }
            options.fields.append(field)
            secrets.append(value)
        }
        options.chain = try object.text("chain")
        if let path = try object.text("ca_file") {
            options.tls = try reader.roots(path, at: object.path("ca_file"))
        }
        options.offersCompression = try object.boolean("permessage_deflate") == true
        if let size = try object.size("receive_limit", 1_024...(64 << 20)) {
            options.receiveBytesMax = Int(size)
        }
        if let keepalive = try reader.keepalive(&object) {
            options.pingMilliseconds = keepalive.milliseconds.map(UInt64.init)
            options.pingTimeoutMilliseconds = UInt64(keepalive.timeoutMilliseconds)
        }
        options.policy.backoff = try reader.backoff(&object)
        try object.finish()
        add(.ethereum(options), at: "\(reader.file): \(object.path)")
    }
}
