// swift-tools-version: 6.2
// Targets stand in the order in which data flows. Who may import whom is written here once more
// as dependencies, and held by Tests/TidyTests.

import PackageDescription

/// Language rules of every Swift target: a warning is an error.
let common: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    .treatAllWarnings(as: .error),
]

/// A target that touches no raw memory; the compiler holds it to that.
func pure(
    _ name: String,
    _ stage: String,
    _ dependencies: [Target.Dependency] = []
) -> Target {
    .target(
        name: name,
        dependencies: dependencies,
        path: "Sources/\(stage)/\(name)",
        swiftSettings: common + [.strictMemorySafety()]
    )
}

/// Lets tests plant mistakes, in debug builds only: a release build has none of it.
let planting: [SwiftSetting] = [.define("PLANTED_MISTAKES", .when(configuration: .debug))]

/// A target that calls C, the kernel, or works on raw memory for speed.
func edge(
    _ name: String,
    _ stage: String,
    _ dependencies: [Target.Dependency] = [],
    settings: [SwiftSetting] = []
) -> Target {
    .target(
        name: name,
        dependencies: dependencies,
        path: "Sources/\(stage)/\(name)",
        swiftSettings: common + settings
    )
}

func tests(
    _ name: String,
    _ path: String,
    _ dependencies: [Target.Dependency],
    exclude: [String] = []
) -> Target {
    .testTarget(
        name: name,
        dependencies: dependencies,
        path: "Tests/\(path)",
        exclude: exclude,
        swiftSettings: common + planting
    )
}

let package = Package(
    name: "tapedeck",
    products: [.executable(name: "tapedeck", targets: ["Program"])],
    targets: [
        // MARK: System: C libraries and the machine
        .systemLibrary(
            name: "CLZ4",
            path: "Sources/System/CLZ4",
            providers: [.apt(["liblz4-dev"])]
        ),
        .systemLibrary(
            name: "CXXHash",
            path: "Sources/System/CXXHash",
            providers: [.apt(["libxxhash-dev"])]
        ),
        // No pkgConfig: the flags of grpc.pc overflow the compiler's command line.
        .systemLibrary(
            name: "CGRPC",
            path: "Sources/System/CGRPC",
            providers: [.apt(["libgrpc-dev"])]
        ),
        .systemLibrary(
            name: "COpenSSL",
            path: "Sources/System/COpenSSL",
            providers: [.apt(["libssl-dev"])]
        ),
        .systemLibrary(
            name: "CZlib",
            path: "Sources/System/CZlib",
            providers: [.apt(["zlib1g-dev"])]
        ),
        .systemLibrary(
            name: "CSQLite",
            path: "Sources/System/CSQLite",
            providers: [.apt(["libsqlite3-dev"])]
        ),
        .systemLibrary(name: "CLinux", path: "Sources/System/CLinux"),
        .target(
            name: "CGeyser",
            path: "Sources/System/CGeyser",
            exclude: ["proto"],
            linkerSettings: [.linkedLibrary("protobuf-c")]
        ),
        .target(
            name: "CSimdJSON",
            path: "Sources/System/CSimdJSON",
            linkerSettings: [.linkedLibrary("simdjson"), .linkedLibrary("stdc++")]
        ),
        edge("Platform", "System", ["CLinux"]),
        edge("BlockCodec", "System", ["CLZ4", "CXXHash"]),
        edge("Inflation", "System", ["CZlib"]),
        edge("JSONText", "System", ["CSimdJSON"]),

        // MARK: Model: the words
        pure("RecordModel", "Model"),
        pure("MarketModel", "Model"),

        // MARK: Wire: protocols and their sockets
        pure("WebSocketProtocol", "Wire"),
        edge(
            "WebSocketTransport",
            "Wire",
            ["WebSocketProtocol", "Inflation", "Platform", "COpenSSL", "CLinux"]
        ),
        edge("GRPCTransport", "Wire", ["Platform", "CGRPC"]),

        // MARK: Log: the truth
        edge("SegmentFormat", "Log", ["RecordModel", "BlockCodec"], settings: planting),
        edge(
            "SegmentLog",
            "Log",
            ["RecordModel", "SegmentFormat", "Platform", "JSONText"],
            settings: planting
        ),
        edge("LogCare", "Log", ["RecordModel", "SegmentFormat", "SegmentLog", "Platform"]),

        // MARK: Capture: live sources into the log
        pure(
            "Capture",
            "Capture",
            [
                "RecordModel", "MarketModel", "SegmentFormat", "SegmentLog", "Platform",
                "Observability",
            ]
        ),
        edge(
            "GeyserSource",
            "Capture",
            ["RecordModel", "Capture", "Platform", "GRPCTransport", "GeyserDecoding"]
        ),
        edge(
            "EthereumSource",
            "Capture",
            [
                "RecordModel", "Capture", "Platform", "WebSocketTransport", "WebSocketProtocol",
                "Inflation", "JSONText",
            ]
        ),

        // MARK: Decode: frames into facts
        edge(
            "GeyserDecoding",
            "Decode",
            ["RecordModel", "MarketModel", "CGeyser", "JSONText", "Inflation"]
        ),
        edge("EthereumDecoding", "Decode", ["RecordModel", "MarketModel", "JSONText"]),
        pure("Deduplication", "Decode", ["RecordModel", "MarketModel"]),
        pure("ProgramDecoding", "Decode", ["MarketModel", "RecordModel"]),
        pure("Assembly", "Decode", ["RecordModel", "MarketModel"]),
        edge(
            "Pipeline",
            "Decode",
            [
                "RecordModel", "MarketModel", "Inflation", "GeyserDecoding", "ProgramDecoding",
                "Assembly",
            ]
        ),

        // MARK: Project: state folded from the log
        edge("Projection", "Project", ["RecordModel", "MarketModel", "BlockCodec"]),
        pure("Projectors", "Project", ["RecordModel", "MarketModel", "Projection"]),
        edge(
            "CheckpointStore",
            "Project",
            ["RecordModel", "MarketModel", "Projection", "Platform", "CSQLite"]
        ),

        edge(
            "Folding",
            "Project",
            [
                "RecordModel", "MarketModel", "Platform", "SegmentFormat", "SegmentLog",
                "GeyserDecoding", "ProgramDecoding", "Assembly", "Pipeline", "Projection",
                "Projectors", "CheckpointStore", "Observability",
            ]
        ),

        // MARK: Serve: the log played back
        pure(
            "Replay",
            "Serve",
            ["RecordModel", "SegmentFormat", "SegmentLog", "Platform"]
        ),
        edge(
            "ReplayServer",
            "Serve",
            [
                "RecordModel", "MarketModel", "SegmentFormat", "SegmentLog", "Replay",
                "Deduplication", "GeyserDecoding", "EthereumDecoding", "Inflation", "JSONText",
                "Platform", "Observability", "GRPCTransport", "WebSocketTransport",
                "WebSocketProtocol",
            ]
        ),

        // MARK: Support
        pure("Observability", "Support", ["Platform"]),
        // For tests and tools only.
        edge("Simulation", "Support", ["Platform"]),
        edge(
            "LogSimulation",
            "Support",
            ["RecordModel", "SegmentFormat", "SegmentLog", "Platform", "Simulation"]
        ),
        edge("Synthesis", "Support", ["RecordModel", "MarketModel", "SegmentLog", "Platform"]),

        // MARK: App: the command line, where everything meets
        .target(
            name: "Command",
            dependencies: [
                "RecordModel", "MarketModel", "Platform", "SegmentFormat", "SegmentLog", "LogCare",
                "Capture", "GeyserSource", "EthereumSource", "GeyserDecoding", "EthereumDecoding",
                "Deduplication", "Replay", "ReplayServer", "Observability", "Synthesis",
                "GRPCTransport", "WebSocketTransport", "WebSocketProtocol", "JSONText", "Inflation",
                "ProgramDecoding", "Assembly", "Pipeline", "Projection", "Projectors",
                "CheckpointStore", "Folding",
                "BlockCodec",
            ],
            path: "Sources/App/Command",
            swiftSettings: common
        ),
        // The main function and nothing else, so that tests and fuzzing link what is above.
        .executableTarget(
            name: "Program",
            dependencies: ["Command"],
            path: "Sources/App/Program",
            swiftSettings: common
        ),

        // MARK: Tools
        .target(name: "AllocationCount", path: "Tools/Benchmark/CAllocationCount"),
        .executableTarget(
            name: "LogBenchmark",
            dependencies: [
                "AllocationCount", "BlockCodec", "Platform", "RecordModel", "SegmentFormat",
                "SegmentLog",
            ],
            path: "Tools/Benchmark/LogBenchmark",
            swiftSettings: common
        ),
        .executableTarget(
            name: "WebSocketBenchmark",
            dependencies: [
                "AllocationCount", "Platform", "WebSocketProtocol", "WebSocketTransport",
            ],
            path: "Tools/Benchmark/WebSocketBenchmark",
            swiftSettings: common
        ),

        .executableTarget(
            name: "Simulator",
            dependencies: ["LogSimulation", "Platform", "SegmentLog"],
            path: "Tools/Simulator",
            swiftSettings: common
        ),

        // Fuzz targets: replayed by the tests, searched by Tools/fuzz in a build of its own.
        .target(
            name: "FuzzTargets",
            dependencies: [
                "BlockCodec", "Command", "EthereumDecoding", "EthereumSource", "GeyserDecoding",
                "GeyserSource", "Inflation", "JSONText", "LogCare", "LogSimulation", "MarketModel",
                "Platform", "ProgramDecoding", "RecordModel", "SegmentFormat", "SegmentLog",
                "Simulation", "WebSocketProtocol",
            ],
            path: "Tools/Fuzz/Targets",
            swiftSettings: common + [.define("FUZZ_COMMAND", .when(configuration: .debug))]
        ),

        // MARK: Tests
        tests("PlatformTests", "System/PlatformTests", ["Platform"]),
        tests("BlockCodecTests", "System/BlockCodecTests", ["BlockCodec"]),
        tests("InflationTests", "System/InflationTests", ["Inflation"]),
        tests("JSONTextTests", "System/JSONTextTests", ["JSONText"]),
        tests("RecordModelTests", "Model/RecordModelTests", ["RecordModel"]),
        tests("MarketModelTests", "Model/MarketModelTests", ["MarketModel"]),
        tests(
            "WebSocketProtocolTests",
            "Wire/WebSocketProtocolTests",
            ["WebSocketProtocol"]
        ),
        tests(
            "WebSocketTransportTests",
            "Wire/WebSocketTransportTests",
            ["WebSocketTransport", "WebSocketProtocol", "Platform"]
        ),
        tests("GRPCTransportTests", "Wire/GRPCTransportTests", ["GRPCTransport", "Platform"]),
        tests(
            "SegmentFormatTests",
            "Log/SegmentFormatTests",
            ["SegmentFormat", "RecordModel", "Platform"]
        ),
        tests(
            "SegmentLogTests",
            "Log/SegmentLogTests",
            [
                "SegmentLog", "SegmentFormat", "RecordModel", "Platform", "Simulation",
                "LogSimulation",
            ]
        ),
        tests(
            "LogCareTests",
            "Log/LogCareTests",
            ["LogCare", "SegmentLog", "SegmentFormat", "RecordModel", "Platform", "Simulation"]
        ),
        tests(
            "CaptureTests",
            "Capture/CaptureTests",
            [
                "Capture", "GeyserSource", "EthereumSource", "RecordModel", "SegmentLog",
                "Platform", "Observability", "GRPCTransport", "GeyserDecoding",
                "WebSocketTransport", "WebSocketProtocol",
            ]
        ),
        tests(
            "GeyserDecodingTests",
            "Decode/GeyserDecodingTests",
            ["GeyserDecoding", "MarketModel", "RecordModel", "CGeyser"]
        ),
        tests(
            "EthereumDecodingTests",
            "Decode/EthereumDecodingTests",
            ["EthereumDecoding", "MarketModel", "RecordModel", "JSONText"]
        ),
        tests(
            "DeduplicationTests",
            "Decode/DeduplicationTests",
            ["Deduplication", "MarketModel", "RecordModel"]
        ),
        tests(
            "ProgramDecodingTests",
            "Decode/ProgramDecodingTests",
            [
                "ProgramDecoding", "GeyserDecoding", "MarketModel", "RecordModel",
            ]
        ),
        tests("AssemblyTests", "Decode/AssemblyTests", ["Assembly", "MarketModel", "RecordModel"]),
        tests(
            "PipelineTests",
            "Decode/PipelineTests",
            [
                "Pipeline", "Assembly", "ProgramDecoding", "GeyserDecoding", "MarketModel",
                "RecordModel",
            ]
        ),
        tests(
            "ProjectionTests",
            "Project/ProjectionTests",
            ["Projection", "MarketModel", "RecordModel", "BlockCodec"]
        ),
        tests(
            "ProjectorsTests",
            "Project/ProjectorsTests",
            [
                "Projectors", "Projection", "MarketModel", "RecordModel", "GeyserDecoding",
                "ProgramDecoding",
            ]
        ),
        tests(
            "CheckpointStoreTests",
            "Project/CheckpointStoreTests",
            [
                "CheckpointStore", "Projection", "Projectors", "MarketModel", "RecordModel",
                "Platform",
            ]
        ),
        tests(
            "FoldingTests",
            "Project/FoldingTests",
            [
                "Folding", "Pipeline", "Projection", "Projectors", "Assembly", "CheckpointStore",
                "MarketModel", "RecordModel", "SegmentLog", "Synthesis", "Platform",
                "GeyserDecoding", "Observability", "Simulation", "ProgramDecoding",
            ]
        ),
        tests(
            "ReplayTests",
            "Serve/ReplayTests",
            ["Replay", "SegmentLog", "RecordModel", "Platform"]
        ),
        tests(
            "ReplayServerTests",
            "Serve/ReplayServerTests",
            [
                "ReplayServer", "Replay", "SegmentLog", "RecordModel", "Platform",
                "GRPCTransport", "WebSocketTransport", "WebSocketProtocol", "GeyserDecoding",
                "EthereumDecoding", "JSONText", "Inflation",
            ]
        ),
        tests("ObservabilityTests", "Support/ObservabilityTests", ["Observability"]),
        tests(
            "SynthesisTests",
            "Support/SynthesisTests",
            ["Synthesis", "SegmentLog", "RecordModel", "Platform", "GeyserDecoding", "CGeyser"]
        ),
        tests(
            "CommandTests",
            "App/CommandTests",
            [
                "Command", "BlockCodec", "LogCare", "SegmentLog", "SegmentFormat", "RecordModel",
                "Platform", "JSONText", "Replay", "Synthesis", "Capture", "EthereumSource",
                "GeyserSource",
                "GeyserDecoding", "GRPCTransport", "WebSocketProtocol", "Folding", "Projection",
                "CheckpointStore", "MarketModel", "Projectors",
            ]
        ),
        tests("FuzzRegressionTests", "Fuzz/FuzzRegressionTests", ["FuzzTargets"]),
        tests("TidyTests", "TidyTests", []),
    ],
    swiftLanguageModes: [.v6],
    cxxLanguageStandard: .cxx17
)
