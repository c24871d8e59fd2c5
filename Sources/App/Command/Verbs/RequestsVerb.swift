import JSONText
import Platform
import SegmentLog

/// `tapedeck requests`
let requestsVerb = Verb(
    name: "requests",
    summary: "print what the sources of a recording asked for",
    details: [
        "One line of JSON a source: 'subscribe' is what 'record --subscribe' takes as a file, "
            + "each of 'calls' is what 'record --call' takes. A client that asks for just this "
            + "gets the recorded streams byte for byte from 'tapedeck serve'."
    ],
    operands: [SharedFlags.recording],
    examples: [
        .init(
            purpose: "one line of JSON for each source",
            line: "tapedeck requests deck"
        )
    ],
    exitCodes: [.ok, .failed, .usage],
    run: { arguments in
        let path = arguments.operands[0]
        let reader = try RecordingReader(path: path, disk: LinuxFileSystem())
        let requests = try RecordedRequests(reader)
        var writer = JSONWriter()
        for entry in requests.entries {
            writer.beginObject()
            writer.key("source")
            writer.string(entry.source)
            writer.key("transport")
            writer.string(entry.transport)
            if let chain = entry.chain {
                writer.key("chain")
                writer.string(chain)
            }
            if let subscribe = entry.subscribe {
                writer.key("subscribe")
                writer.raw(subscribe)
            }
            if !entry.calls.isEmpty {
                writer.key("calls")
                writer.beginArray()
                for call in entry.calls { writer.raw(call) }
                writer.endArray()
            }
            writer.endObject()
            writer.endLine()
        }
        try Console().write(String(decoding: writer.bytes, as: UTF8.self))
        return .ok
    }
)
