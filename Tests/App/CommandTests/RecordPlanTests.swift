import Capture
import EthereumSource
import Foundation
import GRPCTransport
import GeyserDecoding
import GeyserSource
import Platform
import SegmentLog
import Testing
import WebSocketProtocol

@testable import Command

@Suite struct RecordPlanTests {
    private let folder =
        FileManager.default.temporaryDirectory.path
        + "/tapedeck-plan-\(UUID().uuidString)"
    private let inputs = PlanInputs(disk: LinuxFileSystem()) { name in
        ["TOKEN": "tok-0123456789", "SPACES": " tok-9876543210\n", "EMPTY": ""][name]
    }

    private func plan(_ text: String) throws -> RecordPlan {
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try #"{"slots":{"a":{}}}"#.write(
            toFile: folder + "/all.json",
            atomically: true,
            encoding: .utf8
        )
        try text.write(toFile: folder + "/deck.json5", atomically: true, encoding: .utf8)
        var plan = RecordPlan()
        try plan.read(config: folder + "/deck.json5", inputs)
        try plan.settle()
        return plan
    }

    private func fault(_ text: String) -> String {
        do {
            _ = try plan(text)
            return "no fault"
        } catch let error as PlanError {
            return error.message.replacingOccurrences(of: folder + "/", with: "")
        } catch { return "\(error)" }
    }

    @Test func `a file with everything is understood`() throws {
        let plan = try plan(
            """
            { // JSON5
              sources: [
                { id: 'main', geyser: 'https://geyser.example', subscribe: 'all.json',
                  token_env: 'SPACES', metadata: { 'X-Sub': { env: 'TOKEN' } },
                  server_name: 'inner', encodings: ['gzip'], receive_limit: '1MiB',
                  keepalive: { every: 'off' }, ping_seconds: 0,
                  reconnect: { first: '1s', refused: '1m' }, },
                { ws: 'wss://u:secret-pass@node.example/v2/abcdef0123456789', chain: 'evm:137',
                  calls: [{ method: 'eth_subscribe', params: ['logs', { b: 1, a: [null, true] }] }],
                  headers: { Authorization: { env: 'TOKEN' } }, permessage_deflate: true },
              ],
              log: { durability: 'none', rotate_bytes: '2MiB', on_full: 'exit' },
              limits: { frames: 10 },
            }
            """
        )
        guard case .geyser(let geyser) = plan.sources[0],
            case .ethereum(let ethereum) = plan.sources[1]
        else {
            Issue.record("other sources")
            return
        }
        #expect(geyser.id == "main")
        #expect(geyser.token == "tok-9876543210")
        #expect(geyser.metadata == [GRPCMetadataEntry("x-sub", "tok-0123456789")])
        #expect(geyser.serverName == "inner")
        #expect(geyser.acceptedEncodings == [.identity, .gzip])
        #expect(geyser.receiveBytesMax == 1 << 20)
        #expect(geyser.keepaliveMilliseconds == nil)
        #expect(geyser.pingNanoseconds == nil)
        #expect(geyser.policy.backoff.first == 1_000_000_000)
        #expect(geyser.policy.backoff.refused == 60_000_000_000)
        #expect(geyser.request.slots.count == 1)
        #expect(ethereum.id == "ws-2")
        #expect(ethereum.chain == "evm:137")
        #expect(ethereum.offersCompression)
        #expect(
            String(decoding: ethereum.calls[0].message(id: 1), as: UTF8.self)
                == #"{"jsonrpc":"2.0","id":1,"method":"eth_subscribe","params":["logs",{"a":[null,true],"b":1}]}"#
        )
        #expect(ethereum.fields == [HTTPField("Authorization", "tok-0123456789")])
        #expect(plan.log.durability == .none)
        #expect(plan.log.rotateBytes == 2 << 20)
        #expect(plan.log.onFull == .exit)
        #expect(plan.framesMax == 10)
        for secret in ["tok-9876543210", "secret-pass", "abcdef0123456789"] {
            #expect(plan.secrets.contains { $0.contains(secret) })
            #expect(!plan.description.contains(secret))
        }
    }

    @Test(arguments: [
        (
            "{ a: 1,\n  b: [2, 3 }",
            "deck.json5: it is not JSON5: line 2, column 12: this bracket closes nothing"
        ),
        (
            "{\n a: 'x'\n b: 1 }",
            "deck.json5: it is not JSON5: line 3, column 2: a comma or colon is missing"
        ),
        ("{ a: 'x }", "deck.json5: it is not JSON5: line 1, column 6: this text is never closed"),
        ("{ a: [", "deck.json5: it is not JSON5: line 1, column 6: this bracket is never closed"),
        ("{ /* a", "deck.json5: it is not JSON5: line 1, column 3: this comment is never closed"),
        ("{ a: nothing }", "deck.json5: it is not JSON5"),
        ("[]", "deck.json5: an object was expected, not a list"),
        ("{}", "deck.json5: sources: there is no source to record"),
        ("{sourcs: []}", "deck.json5: sourcs: this key is unknown (did you mean sources?)"),
        ("{sources: 3}", "deck.json5: sources: expected a list, not 3"),
        ("{sources: [{}]}", "deck.json5: sources[0]: a source needs"),
        ("{sources: [{geyser: 'https://h'}]}", "deck.json5: sources[0].subscribe: the path of"),
        (
            "{sources: [{geyser: 'https://h/key', subscribe: 'all.json'}]}",
            "deck.json5: sources[0].geyser: the address is not usable: a gRPC endpoint has no path"
        ),
        (
            "{sources: [{geyser: 'https://h', subscribe: 'none.json'}]}",
            "deck.json5: sources[0].subscribe: open none.json: No such file"
        ),
        (
            "{sources: [{geyser: 'https://h', subscribe: 'deck.json5'}]}",
            "deck.json5: sources[0].subscribe: deck.json5: not JSON"
        ),
        (
            "{sources: [{geyser: 'https://h', subscribe: 'all.json', token: 'tok'}]}",
            "deck.json5: sources[0].token: a secret does not stand in the file"
        ),
        (
            "{sources: [{geyser: 'https://h', subscribe: 'all.json', token_env: 'EMPTY'}]}",
            "deck.json5: sources[0].token_env: the environment variable EMPTY is empty"
        ),
        (
            "{sources: [{geyser: 'http://h', subscribe: 'all.json', token_env: 'TOKEN'}]}",
            "deck.json5: sources[0]: a token is not sent without encryption"
        ),
        (
            "{sources: [{geyser: 'https://h', subscribe: 'all.json', ping_seconds: -1}]}",
            "deck.json5: sources[0].ping_seconds: expected a whole number from 0 to 3600, not -1"
        ),
        (
            "{sources: [{ws: 'wss://h', calls: [{method: 'a', params: [1.5]}]}]}",
            "deck.json5: sources[0].calls[0].params[0]: only whole numbers"
        ),
        (
            "{sources: [{ws: 'wss://h', calls: [{method: 'a', id: 1}]}]}",
            "deck.json5: sources[0].calls[0]: the call is not usable: id and jsonrpc are added"
        ),
        (
            "{sources: [{ws: 'wss://h/0123456789abcdef0', calls: [{method: 'a', "
                + "params: ['0123456789abcdef0']}]}]}",
            "deck.json5: sources[0]: the subscription itself holds a secret"
        ),
        (
            "{sources: [{id: 'a', ws: 'wss://h', calls: [{method: 'a'}]}, "
                + "{id: 'a', ws: 'wss://h', calls: [{method: 'a'}]}]}",
            "deck.json5: sources[1]: the id 'a' is that of deck.json5: sources[0] too"
        ),
        (
            "{sources: [{geyser: 'https://h', subscribe: 'all.json', "
                + "metadata: {Te: {env: 'TOKEN'}}}]}",
            "deck.json5: sources[0].metadata: metadata 'te' cannot be sent: the key belongs to"
        ),
        (
            "{sources: [{geyser: 'https://h', subscribe: 'all.json', ca_file: 'all.json'}]}",
            "deck.json5: sources[0].ca_file: all.json: "
        ),
        (
            "{sources: [{ws: 'wss://h', calls: [{method: 'a'}], reconnect: {refused: '1s'}}]}",
            "deck.json5: sources[0].reconnect.refused: expected a length of time"
        ),
    ])
    func `a fault is named with its place`(text: String, message: String) {
        #expect(fault(text).hasPrefix(message), "\(fault(text))")
    }
}

/// Every option that takes a number, a size or a length of time, at its bounds and beyond.
@Suite struct ConfigBoundsTests {
    /// The path that a message names; the text with `@` for the value; the bounds, as JSON5.
    struct Option: Sendable, CustomStringConvertible {
        let path: String
        let text: String
        let least: String
        let most: String
        var description: String { path }
    }

    static let options: [Option] = {
        var all: [Option] = [
            .init(path: "log.rotate_bytes", text: "log", least: "'1MiB'", most: "'1TiB'"),
            .init(path: "log.queue_bytes", text: "log", least: "'1MiB'", most: "'4GiB'"),
            .init(path: "log.interval", text: "log", least: "'1ms'", most: "'60s'"),
            .init(path: "log.rotate_after", text: "log", least: "'1s'", most: "'365d'"),
            .init(
                path: "limits.for",
                text: "limits",
                least: "'1ms'",
                most: "'9223372036854775807ns'"
            ),
            .init(path: "limits.frames", text: "limits", least: "1", most: "9223372036854775807"),
            .init(path: "sources[0].ping_seconds", text: "", least: "0", most: "3600"),
        ]
        for index in 0...1 {
            let source = "sources[\(index)]."
            let reconnect: [(String, String, String)] = [
                ("first", "'10ms'", "'1h'"), ("longest", "'10ms'", "'1h'"),
                ("first_when_busy", "'10ms'", "'1h'"), ("longest_when_busy", "'10ms'", "'1h'"),
                ("refused", "'30s'", "'1d'"), ("longest_retry_after", "'10ms'", "'1d'"),
                ("reset_after", "'10ms'", "'1h'"),
            ]
            for (name, least, most) in reconnect {
                let path = source + "reconnect." + name
                all.append(.init(path: path, text: "reconnect", least: least, most: most))
            }
            for (name, most) in [("every", "'1h'"), ("timeout", "'10m'")] {
                let path = source + "keepalive." + name
                all.append(.init(path: path, text: "keepalive", least: "'1s'", most: most))
            }
            let path = source + "receive_limit"
            all.append(.init(path: path, text: "", least: "1024", most: "'64MiB'"))
        }
        return all
    }()

    private func fault(_ option: Option, _ value: String) -> String? {
        let name = option.path.split(separator: ".").last.map(String.init) ?? option.path
        let member =
            option.text.isEmpty ? "\(name): \(value)" : "\(option.text): {\(name): \(value)}"
        let place = option.path.prefix { $0 != "." }
        let text = """
            {sources: [
               {geyser: 'https://h', subscribe: 'all.json'\(place == "sources[0]" ? ", " + member : "")},
               {ws: 'wss://h', calls: [{method: 'a'}]\(place == "sources[1]" ? ", " + member : "")}]
             \(place.hasPrefix("sources") ? "" : ", " + member)}
            """
        let files = ["deck.json5": text, "all.json": #"{"slots":{"a":{}}}"#]
        let folder = NSTemporaryDirectory() + "tapedeck-bounds-\(UUID().uuidString)/"
        defer { try? FileManager.default.removeItem(atPath: folder) }
        do {
            try FileManager.default.createDirectory(
                atPath: folder,
                withIntermediateDirectories: true
            )
            for (name, text) in files {
                try Data(text.utf8).write(to: .init(filePath: folder + name))
            }
            var plan = RecordPlan()
            let inputs = PlanInputs(disk: LinuxFileSystem()) { _ in nil }
            try plan.read(config: folder + "deck.json5", inputs)
            try plan.settle()
            _ = plan.description
            return nil
        } catch let error as PlanError {
            return error.message.replacingOccurrences(of: folder, with: "")
        } catch { return "\(error)" }
    }

    @Test(arguments: options)
    func `bounds are taken and what lies beyond is named`(option: Option) {
        for value in [option.least, option.most, "null"] {
            #expect(fault(option, value) == nil, "\(value)")
        }
        var never = [
            "-1", "'-1'", "'-1s'", "NaN", "Infinity", "-Infinity", "''", "'NaN'", "1e300", "1.5",
            "9223372036854775808", "18446744073709551616", "'99999999999999999999d'",
            "'18446744073709551616'", "'9223372036854775808ns'", "[]", "{}", "true", "'1 s'",
            "'1e3'", "'0x10'", "'\u{661}s'", "'s'", "'1s1s'", "'1s1h'", "'8EiB'", "-0.5",
        ]
        if option.least != "0" { never += ["0", "'0'", "'0s'", "'0B'"] }
        for value in never {
            let said = fault(option, value) ?? "no fault"
            // Foundation itself refuses numbers beyond its own bounds.
            let isNamed =
                said.hasPrefix("deck.json5: \(option.path): expected ")
                || said.hasPrefix("deck.json5: it is not JSON5: ")
            #expect(isNamed, "\(value): \(said)")
        }
    }
}
