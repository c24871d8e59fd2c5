// Measures WebSockets in one process: the decoder alone, then a server and a client over loopback.
//
//   WebSocketBenchmark [MEGABYTES] [decode|sockets]
//
// The last word runs one part alone, for a profiler.

import Foundation

@main
struct BenchmarkProgram {
    static func main() throws {
        let arguments = CommandLine.arguments
        let part = arguments.count > 2 ? arguments[2] : ""
        guard let megabytes = arguments.count > 1 ? Int(arguments[1]) : 600, megabytes > 0,
            ["", "decode", "sockets"].contains(part)
        else {
            print("usage: WebSocketBenchmark [MEGABYTES] [decode|sockets]")
            exit(2)
        }
        if part != "sockets" { DecoderRun(megabytes: megabytes).run() }
        if part != "decode" {
            for payloadBytes in [60, 700, 100_000] {
                let frameCount = max(100, (megabytes << 20) / max(payloadBytes, 200))
                try SocketRun(payloadBytes: payloadBytes, frameCount: frameCount).run()
            }
        }
    }
}
