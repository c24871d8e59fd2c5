// Who may import whom. This table is the truth: Package.swift and every import are held to it.
// To let a target import one thing more, change its row here and its dependencies in Package.swift
// in the same commit, and say in the commit why.

/// One target of Sources: the modules of this package it depends on, and those of the toolchain.
struct ImportRow {
    let target: String
    let modules: Set<String>
    let toolchain: Set<String>

    init(_ target: String, _ modules: Set<String> = [], toolchain: Set<String> = []) {
        self.target = target
        self.modules = modules
        self.toolchain = toolchain
    }
}

/// Only `Platform` and `WebSocketTransport` touch the kernel (`Program` exits); only `Command` has
/// Foundation; a C module belongs to the targets that name it; `Simulation` is for tests and tools.
let importTable: [ImportRow] = [
    ImportRow("CLZ4"),
    ImportRow("CXXHash"),
    ImportRow("CGRPC"),
    ImportRow("COpenSSL"),
    ImportRow("CZlib"),
    ImportRow("CLinux"),
    ImportRow("CSQLite"),
    ImportRow("CGeyser"),
    ImportRow("CSimdJSON"),
    ImportRow("Platform", ["CLinux"], toolchain: ["Glibc", "Synchronization"]),
    ImportRow("BlockCodec", ["CLZ4", "CXXHash"]),
    ImportRow("Inflation", ["CZlib"]),
    ImportRow("JSONText", ["CSimdJSON"]),

    ImportRow("RecordModel"),
    ImportRow("MarketModel"),

    ImportRow("WebSocketProtocol"),
    ImportRow(
        "WebSocketTransport",
        ["WebSocketProtocol", "Inflation", "Platform", "COpenSSL", "CLinux"],
        toolchain: ["Glibc", "Synchronization"]
    ),
    ImportRow("GRPCTransport", ["Platform", "CGRPC"]),

    ImportRow("SegmentFormat", ["RecordModel", "BlockCodec"]),
    ImportRow(
        "SegmentLog",
        ["RecordModel", "SegmentFormat", "Platform", "JSONText"],
        toolchain: ["Synchronization"]
    ),
    ImportRow("LogCare", ["RecordModel", "SegmentFormat", "SegmentLog", "Platform"]),

    ImportRow(
        "Capture",
        [
            "RecordModel", "MarketModel", "SegmentFormat", "SegmentLog", "Platform",
            "Observability",
        ]
    ),
    ImportRow(
        "GeyserSource",
        ["RecordModel", "Capture", "Platform", "GRPCTransport", "GeyserDecoding"]
    ),
    ImportRow(
        "EthereumSource",
        [
            "RecordModel", "Capture", "Platform", "WebSocketTransport", "WebSocketProtocol",
            "Inflation", "JSONText",
        ]
    ),

    ImportRow(
        "GeyserDecoding",
        ["RecordModel", "MarketModel", "CGeyser", "JSONText", "Inflation"]
    ),
    ImportRow("EthereumDecoding", ["RecordModel", "MarketModel", "JSONText"]),
    ImportRow("Deduplication", ["RecordModel", "MarketModel"]),
    ImportRow("ProgramDecoding", ["MarketModel", "RecordModel"]),
    ImportRow("Assembly", ["RecordModel", "MarketModel"]),
    ImportRow(
        "Pipeline",
        [
            "RecordModel", "MarketModel", "Inflation", "GeyserDecoding", "ProgramDecoding",
            "Assembly",
        ]
    ),

    ImportRow("Projection", ["RecordModel", "MarketModel", "BlockCodec"]),
    ImportRow("Projectors", ["RecordModel", "MarketModel", "Projection"]),
    ImportRow(
        "CheckpointStore",
        ["RecordModel", "MarketModel", "Projection", "Platform", "CSQLite"]
    ),

    ImportRow(
        "Folding",
        [
            "RecordModel", "MarketModel", "Platform", "SegmentFormat", "SegmentLog",
            "GeyserDecoding", "ProgramDecoding", "Assembly", "Pipeline", "Projection",
            "Projectors", "CheckpointStore", "Observability",
        ]
    ),

    ImportRow("Replay", ["RecordModel", "SegmentFormat", "SegmentLog", "Platform"]),
    ImportRow(
        "ReplayServer",
        [
            "RecordModel", "MarketModel", "SegmentFormat", "SegmentLog", "Replay",
            "Deduplication", "GeyserDecoding", "EthereumDecoding", "Inflation", "JSONText",
            "Platform", "Observability", "GRPCTransport", "WebSocketTransport",
            "WebSocketProtocol",
        ],
        toolchain: ["Synchronization"]
    ),

    ImportRow("Observability", ["Platform"], toolchain: ["Synchronization"]),
    ImportRow("Simulation", ["Platform"]),
    ImportRow(
        "LogSimulation",
        ["RecordModel", "SegmentFormat", "SegmentLog", "Platform", "Simulation"]
    ),
    ImportRow("Synthesis", ["RecordModel", "MarketModel", "SegmentLog", "Platform"]),

    ImportRow(
        "Command",
        [
            "RecordModel", "MarketModel", "Platform", "SegmentFormat", "SegmentLog", "LogCare",
            "Capture", "GeyserSource", "EthereumSource", "GeyserDecoding", "EthereumDecoding",
            "Deduplication", "Replay", "ReplayServer", "Observability", "Synthesis",
            "GRPCTransport", "WebSocketTransport", "WebSocketProtocol", "JSONText", "Inflation",
            "ProgramDecoding", "Assembly", "Pipeline", "Projection", "Projectors",
            "CheckpointStore", "Folding",
            "BlockCodec",
        ],
        toolchain: ["Foundation"]
    ),

    ImportRow("Program", ["Command"], toolchain: ["Glibc"]),

    // Tools, which may import anything, but only by name.
    ImportRow("AllocationCount"),
    ImportRow(
        "LogBenchmark",
        [
            "AllocationCount", "BlockCodec", "Platform", "RecordModel", "SegmentFormat",
            "SegmentLog",
        ],
        toolchain: ["Foundation"]
    ),
    ImportRow(
        "FuzzTargets",
        [
            "BlockCodec", "Command", "EthereumDecoding", "EthereumSource", "GeyserDecoding",
            "GeyserSource", "Inflation", "JSONText", "LogCare", "LogSimulation", "MarketModel",
            "Platform", "ProgramDecoding", "RecordModel", "SegmentFormat", "SegmentLog",
            "Simulation", "WebSocketProtocol",
        ],
        toolchain: ["Glibc"]
    ),
    ImportRow("Simulator", ["LogSimulation", "Platform", "SegmentLog"], toolchain: ["Glibc"]),
    ImportRow(
        "WebSocketBenchmark",
        ["AllocationCount", "Platform", "WebSocketProtocol", "WebSocketTransport"],
        toolchain: ["Foundation"]
    ),
]

/// What any test may import besides the targets that its own target declares.
let testToolchain: Set<String> = ["Testing", "Foundation", "Glibc", "Synchronization"]
