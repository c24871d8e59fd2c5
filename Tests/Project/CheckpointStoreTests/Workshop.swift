import Foundation
import MarketModel
import Platform
import Projection
import RecordModel
import Testing

@testable import CheckpointStore

/// A folder of its own for one test, gone afterwards.
final class Workshop {
    let path: String

    init() throws {
        // In memory where there is such a place: thousands of files are made durable here.
        let memory = "/dev/shm/"
        let isThere = FileManager.default.isWritableFile(atPath: memory)
        let folder = isThere ? memory : NSTemporaryDirectory()
        path = folder + "tapedeck-state-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit {
        do {
            try FileManager.default.removeItem(atPath: path)
        } catch {
            Issue.record(error)
        }
    }

    func bytes(_ name: String) -> [UInt8]? {
        FileManager.default.contents(atPath: path + "/" + name).map { [UInt8]($0) }
    }

    func write(_ bytes: [UInt8], _ name: String) {
        let isThere = FileManager.default.createFile(
            atPath: path + "/" + name,
            contents: Foundation.Data(bytes)
        )
        #expect(isThere)
    }

    func clear() throws {
        for name in try FileManager.default.contentsOfDirectory(atPath: path) {
            try FileManager.default.removeItem(atPath: path + "/" + name)
        }
    }

    /// The database and what belongs to it, as a crash would leave them.
    func copy(_ name: String = "state.sqlite") -> [String: [UInt8]] {
        var copy: [String: [UInt8]] = [:]
        for name in [name, name + "-wal"] { copy[name] = bytes(name) }
        return copy
    }

    func restore(_ copy: [String: [UInt8]]) throws {
        try clear()
        for (name, bytes) in copy { write(bytes, name) }
    }
}

/// An engine over the sample tables.
struct Bench {
    let engine: ProjectionEngine
    let projector: SampleProjector

    init(
        _ chain: Chain = .solana,
        residentRowsMax: Int = .max,
        configuration: String = ""
    ) {
        var limits = ProjectionEngine.Limits()
        limits.residentRowsMax = residentRowsMax
        var made: SampleProjector?
        engine = ProjectionEngine(chain, limits: limits) { store in
            let projector = SampleProjector(store, configuration: configuration)
            made = projector
            return [projector]
        }
        guard let made else { preconditionFailure("no projector was made") }
        projector = made
    }

    var key: StateKey { engine.key(with: [StateKey.Part("assembler", "1")]) }

    func file(
        _ path: String,
        for purpose: StateFile.Purpose = .write,
        pageSize: Int = 4_096
    ) throws(StateFile.OpenError) -> StateFile {
        try StateFile(
            path,
            chain: engine.store.chain,
            key: key,
            schemas: engine.store.schemas,
            for: purpose,
            pageSize: pageSize
        )
    }

    func apply(_ positions: some Swift.Sequence<UInt64>) throws {
        var notices: [Notice] = []
        for position in positions {
            let bundle = Bundle(
                chain: engine.store.chain,
                position: position,
                hash: Bytes32(words: (position, 1, 2, 3)),
                time: Int64(position)
            )
            try engine.take(.apply(bundle), at: Sequence(position), notices: &notices)
        }
    }

    func settle(_ position: UInt64) throws {
        var notices: [Notice] = []
        try engine.take(.final(position: position), at: Sequence(position), notices: &notices)
    }

    /// All rows, as the projector sees them.
    var rows: Rows {
        var rows = Rows()
        for number in 0..<30 as Range<UInt64> {
            let key = SampleProjector.key(number, on: engine.store.chain)
            rows.samples[key] = projector.samples[key]
        }
        let first = Recent.Key(position: 0, place: .min, label: "")
        let last = Recent.Key(position: .max, place: .max, label: "zzz")
        for key in projector.recent.keys(in: first...last) {
            rows.recent[key] = projector.recent[key]
        }
        return rows
    }

    struct Rows: Equatable {
        var samples: [Sample.Key: Sample] = [:]
        var recent: [Recent.Key: Recent] = [:]
    }

    /// What an engine that never stopped has after a position.
    static func uninterrupted(_ position: UInt64, on chain: Chain = .solana) throws -> Bench {
        let bench = Bench(chain)
        try bench.apply(1...position)
        return bench
    }
}
