import Foundation
import Platform
import RecordModel
import Replay
import ReplayServer
import SegmentLog

/// One `tapedeck serve`: opens the ports, plays, and ends when asked to.
struct ServeRun {
    let arguments: ParsedArguments
    let path: String
    let console: Console
    let interrupt: Interrupt

    private let disk = LinuxFileSystem()
    private let clock = SystemClock()

    init(_ arguments: ParsedArguments, console: Console, interrupt: Interrupt) {
        self.arguments = arguments
        self.console = console
        self.interrupt = interrupt
        path = arguments.operands[0]
    }

    /// Serves until the process is asked to end.
    func run() throws -> ExitCode {
        let geyser = try listeners("geyser")
        let webSocket = try listeners("ws")
        let token = try token()
        raiseFileLimit()
        let reader = try RecordingReader(path: path, disk: disk)
        let isManifestWhole = try checkManifest(of: reader)
        let index = try index(of: reader)
        let stage = try makeStage(index)
        var servers: [GeyserServer] = []
        var ethereum: [EthereumReplayServer] = []
        var control: ControlSocket?
        defer {
            control?.close()
            // Yellowstone clients are told why; then everybody else is stopped.
            for server in servers { server.close() }
            stage.stop()
            for server in ethereum { server.stop() }
        }
        var lines: [String] = []
        for listener in geyser {
            let server = try makeServer(listener, index, stage, token)
            servers.append(server)
            let port: Int
            do throws(GeyserServeError) { port = try server.listen() } catch {
                throw VerbFailure(code: .failed, message: "\(error)")
            }
            lines.append("geyser \(listener.text(port: port))")
        }
        for listener in webSocket {
            let server = try makeServer(listener, index, stage, webSocketToken: token)
            ethereum.append(server)
            lines.append("ws \(listener.text(port: Int(server.port)))")
        }
        control = try makeControl(stage)
        try console.write(lines.map { $0 + "\n" }.joined())
        tell(index, stage)
        interrupt.wait()
        let isWhole = isManifestWhole && index.damage == nil && index.skipped == 0
        return isWhole ? .ok : .findings
    }

    // MARK: Parts

    private func listeners(_ flag: String) throws -> [ListenAddress] {
        let found = arguments.texts(flag).compactMap(ListenAddress.init)
        for listener in found where !listener.isLoopback {
            console.complain(
                "tapedeck serve",
                "\(listener.text(port: Int(listener.port))) is reachable from other machines; "
                    + "give 127.0.0.1 to serve this one alone"
            )
        }
        return found
    }

    private func token() throws -> String? {
        guard let name = arguments.text("token-env") else { return nil }
        guard let value = Environment.value(name), !value.isEmpty else {
            throw VerbFailure(
                code: .usage,
                message:
                    "--token-env \(PlanInputs.shown(variable: name)): the environment holds no such variable, or an "
                    + "empty one"
            )
        }
        return value
    }

    /// Each client takes a descriptor for its connection and one or two for the recording.
    private func raiseFileLimit() {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0,
            limit.rlim_cur < limit.rlim_max
        else { return }
        limit.rlim_cur = limit.rlim_max
        // Without it fewer clients fit; they are then refused one by one.
        _ = setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    }

    /// What names the segments is damaged: then nothing is served, unless that is to be skipped.
    private func checkManifest(of reader: RecordingReader) throws -> Bool {
        guard let damage = reader.manifestDamage else { return true }
        guard arguments.has("skip-damage") else {
            throw VerbFailure(
                code: .findings,
                message: "\(damage); --skip-damage serves what the segments tell themselves"
            )
        }
        console.complain("tapedeck serve", "skipping damage: \(damage)")
        return false
    }

    private func index(of reader: RecordingReader) throws -> GeyserRecordingIndex {
        let range = try arguments.range().resolved(in: reader)
        return try GeyserRecordingIndex(
            reader,
            from: range.first,
            through: range.last ?? RecordModel.Sequence(.max),
            skipsDamage: arguments.has("skip-damage")
        )
    }

    private func makeStage(_ index: GeyserRecordingIndex) throws -> ReplayStage {
        guard index.last >= index.first else {
            throw VerbFailure(
                code: index.damage == nil ? .rangeNotAvailable : .findings,
                message: index.damage.map { "\(path) is damaged from the start: \($0)" }
                    ?? "\(path) holds no record in the range"
            )
        }
        var options = ReplayStageOptions(first: index.first, last: index.last)
        guard let rate = ReplayRate(arguments.text("rate") ?? "1") else {
            preconditionFailure("the parser accepted a speed that is none")
        }
        options.rate = rate
        options.startsPaused = arguments.has("start-paused")
        options.waitsFor = arguments.count("wait-clients").flatMap { Int(exactly: $0) } ?? 1
        options.loops = arguments.has("loop")
        options.keepsIdle = arguments.has("keep-idle")
        return try ReplayStage(path: path, disk: disk, clock: clock, options: options)
    }

    private func makeServer(
        _ listener: ListenAddress,
        _ index: GeyserRecordingIndex,
        _ stage: ReplayStage,
        _ token: String?
    ) throws -> GeyserServer {
        var options = GeyserServeOptions()
        options.address = listener.text(port: Int(listener.port))
        options.sources = listener.sources.isEmpty ? nil : Set(listener.sources)
        options.stream = arguments.count("stream").map { RecordModel.Sequence($0) }
        options.token = token
        options.toolVersion = toolVersion
        do throws(GeyserServeError) {
            return try GeyserServer(
                path: path,
                disk: disk,
                index: index,
                stage: stage,
                clock: clock,
                options: options,
                say: { [console] in console.complain("tapedeck serve", $0) }
            )
        } catch {
            throw VerbFailure(code: .failed, message: "\(path): \(error)")
        }
    }

    private func makeServer(
        _ listener: ListenAddress,
        _ index: GeyserRecordingIndex,
        _ stage: ReplayStage,
        webSocketToken token: String?
    ) throws -> EthereumReplayServer {
        var options = EthereumServeOptions()
        options.address = listener.host == "localhost" ? "127.0.0.1" : listener.host
        options.port = listener.port
        options.sources = listener.sources.isEmpty ? nil : Set(listener.sources)
        options.token = token
        // The range ends before damage that is not to be skipped.
        options.skipsDamage = true
        options.endsAtDamage = index.damage != nil
        do throws(EthereumServeError) {
            return try EthereumReplayServer(
                path: path,
                disk: disk,
                options: options,
                stage: stage,
                clock: clock
            )
        } catch {
            throw VerbFailure(code: error.code, message: "\(path): \(error)")
        }
    }

    private func makeControl(_ stage: ReplayStage) throws -> ControlSocket? {
        guard let socket = arguments.text("control") else { return nil }
        let control = ServeControl(stage: stage) { [path, disk] point in
            let reader = try RecordingReader(path: path, disk: disk)
            return try RecordRange(start: point, end: nil).resolved(in: reader).first
        }
        return try ControlSocket(path: socket) { control.answer($0) }
    }

    private func tell(_ index: GeyserRecordingIndex, _ stage: ReplayStage) {
        if let damage = index.damage {
            console.complain(
                "tapedeck serve",
                "serving ends before damage, with sequence \(index.last): \(damage); --skip-damage "
                    + "steps over it"
            )
        }
        if index.skipped > 0 {
            console.complain("tapedeck serve", "skipping \(index.skipped) damaged places")
        }
        if index.openGaps > 0 {
            console.complain(
                "tapedeck serve",
                "the recording has \(index.openGaps) open gaps; what is missing there is missing "
                    + "for clients too"
            )
        }
        console.say(
            "serving sequences \(index.first) to \(index.last) at rate "
                + "\(ServeControl.text(stage.options.rate)); Ctrl-C ends it"
        )
    }
}

extension ListenAddress {
    /// `host:port` with a port that is known.
    func text(port: Int) -> String {
        host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
    }

    /// Whether only this machine reaches it.
    var isLoopback: Bool {
        host == "localhost" || host == "::1" || host.hasPrefix("127.")
    }
}

extension EthereumServeError {
    fileprivate var code: ExitCode {
        switch self {
        case .damaged: .findings
        case .nothingRecorded, .severalChains: .usage
        case .unreadable, .system: .failed
        }
    }
}
