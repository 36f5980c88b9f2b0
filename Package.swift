// swift-tools-version: 6.2
import PackageDescription

/// Warnings are errors in every target of ours.
let strict: [SwiftSetting] = [.treatAllWarnings(as: .error)]

/// `HOLDFAST_TSAN=1 swift build --sanitize=thread` puts a lock under `Lock` that ThreadSanitizer understands.
let isThreadSanitized = Context.environment["HOLDFAST_TSAN"] == "1"

func module(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: strict)
}

func tests(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .testTarget(name: name, dependencies: dependencies, swiftSettings: strict)
}

let nio: [Target.Dependency] = [
    .product(name: "NIOCore", package: "swift-nio"),
    .product(name: "NIOPosix", package: "swift-nio"),
]
let httpTypes: Target.Dependency = .product(name: "HTTPTypes", package: "swift-http-types")
let logging: Target.Dependency = .product(name: "Logging", package: "swift-log")
let deque: Target.Dependency = .product(name: "DequeModule", package: "swift-collections")
let system: Target.Dependency = .product(name: "SystemPackage", package: "swift-system")
let metrics: Target.Dependency = .product(name: "Metrics", package: "swift-metrics")
let tls: [Target.Dependency] = [
    .product(name: "NIOSSL", package: "swift-nio-ssl"),
    .product(name: "NIOTLS", package: "swift-nio"),
]
let crypto: Target.Dependency = .product(name: "Crypto", package: "swift-crypto")
let tracing: Target.Dependency = .product(name: "Tracing", package: "swift-distributed-tracing")
let tracer: Target.Dependency = .product(name: "InMemoryTracing", package: "swift-distributed-tracing")
let lifecycle: Target.Dependency = .product(name: "ServiceLifecycle", package: "swift-service-lifecycle")

let package = Package(
    name: "holdfast",
    products: [
        .library(name: "SegmentLog", targets: ["SegmentLog"]),
        .library(name: "HoldfastClient", targets: ["HoldfastClient"]),
        .executable(name: "holdfast", targets: ["holdfast"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-asn1", from: "1.7.0"),
        .package(url: "https://github.com/apple/swift-certificates", from: "1.21.0"),
        .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
        .package(url: "https://github.com/apple/swift-configuration", from: "1.4.0"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.0"),
        .package(url: "https://github.com/apple/swift-distributed-tracing", from: "1.7.0"),
        .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.0"),
        .package(url: "https://github.com/apple/swift-metrics", from: "2.13.0"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.0"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.0"),
        .package(url: "https://github.com/apple/swift-nio-extras", from: "1.35.0"),
        .package(url: "https://github.com/apple/swift-system", from: "1.8.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
        .package(url: "https://github.com/HdrHistogram/hdrhistogram-swift", from: "0.2.0"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.0"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.0"),
    ],
    targets: [
        // The one executable.
        .executableTarget(
            name: "holdfast",
            dependencies: [
                "HoldfastNode", "HoldfastClient", "Access", "Certificates", "Simulation", "ReplicaDisk", "SegmentLog",
                "SegmentFormat", "LogState", "RaftCore", "DiskIO",
                "LogModel", system,
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Histogram", package: "hdrhistogram-swift"),
                deque, logging,
            ],
            swiftSettings: strict
        ),
        // A running node and its clients.
        module(
            "HoldfastNode",
            [
                "HoldfastAdmin", "Access", "Certificates", "Replicator", "ReplicaDisk", "ReplicaCore", "RaftCore",
                "LogState",
                "HTTP2Transport", "HoldfastClient", "DiskIO", "SegmentLog", "SegmentFormat", "LogModel",
                .product(name: "Configuration", package: "swift-configuration"),
                crypto,
                .product(name: "UnixSignals", package: "swift-service-lifecycle"),
                .product(name: "Yams", package: "Yams"),
                lifecycle, httpTypes, logging, tracing,
            ] + nio
        ),
        .target(
            name: "HoldfastAdmin",
            dependencies: [
                "HoldfastClient", "HTTP2Transport", "LogModel", lifecycle, httpTypes, logging,
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "NIOHTTPTypes", package: "swift-nio-extras"),
            ] + nio,
            resources: [
                "index.html", "icon.svg", "dashboard.css", "parts.css", "assess.js", "charts.js", "dashboard.js",
                "gate.js", "nodes.js", "segments.js", "stream.js", "timeline.js", "words.js",
            ].map { .embedInCode("Dashboard/\($0)") },
            swiftSettings: strict
        ),
        module(
            "HoldfastClient", ["HTTP2Transport", "LogModel", httpTypes, logging, metrics, tracing, lifecycle] + nio),
        module(
            "Replicator",
            [
                "ReplicaDisk", "ReplicaCore", "RaftCore", "LogState", "SegmentLog", "SegmentFormat", "RangeCodec",
                "WireFormat", "HTTP2Transport", "DiskIO", "LogModel", httpTypes, logging, system, deque,
                tracing,
            ] + nio
        ),
        module(
            "HTTP2Transport", ["Certificates", "CLinux", "HTTP2Session", "LogModel", httpTypes, logging] + nio + tls),
        // Certificates and tokens: what they say, not what is done with them.
        module("Access", [crypto]),
        module(
            "Certificates",
            [
                "LogModel", crypto,
                .product(name: "SwiftASN1", package: "swift-asn1"),
                .product(name: "X509", package: "swift-certificates"),
            ]
        ),
        module(
            "ReplicaDisk",
            ["ReplicaCore", "RaftCore", "LogState", "SegmentLog", "SegmentFormat", "WireFormat", "DiskIO", "LogModel"]
        ),
        module("SegmentLog", ["SegmentFormat", "LogState", "DiskIO", "CLinux", "LogModel", system, metrics]),
        .target(
            name: "DiskIO",
            dependencies: ["CLinux", "LogModel", system]
                + (isThreadSanitized ? [.product(name: "NIOConcurrencyHelpers", package: "swift-nio")] : []),
            swiftSettings: strict + (isThreadSanitized ? [.define("HOLDFAST_TSAN")] : [])
        ),
        // Below this line: pure. No I/O, no clock, no randomness, no NIO.
        module(
            "ReplicaCore",
            [
                "RaftCore", "LogState", "SegmentFormat", "WireFormat", "LogModel",
                deque,
            ]
        ),
        module("RaftCore", ["WireFormat", "LogModel"]),
        module("LogState", ["SegmentFormat", "LogModel", deque]),
        module("HTTP2Session", ["CNGHTTP2", "LogModel"]),
        module("RangeCodec", ["CZlib", "LogModel"]),
        module("WireFormat", ["LogModel"]),
        module("SegmentFormat", ["RangeCodec", "CRC32C", "LogModel"]),
        module("LogModel"),
        // C boundaries.
        .systemLibrary(name: "CNGHTTP2", pkgConfig: "libnghttp2", providers: [.apt(["libnghttp2-dev"])]),
        .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
        .systemLibrary(name: "CLinux"),
        .target(name: "CRC32C"),
        // Whole nodes in one thread, on simulated disks, networks and clocks.
        module(
            "Simulation",
            [
                "ReplicaDisk", "ReplicaCore", "RaftCore", "LogState", "SegmentLog", "SegmentFormat", "WireFormat",
                "DiskIO", "LogModel", system,
            ]
        ),
        // Tests mirror the sources.
        tests("SegmentFormatTests", ["SegmentFormat", "RangeCodec", "CRC32C", "LogModel"]),
        tests("LogStateTests", ["LogState", "SegmentFormat", "LogModel"]),
        tests("WireFormatTests", ["WireFormat", "LogModel"]),
        tests("RangeCodecTests", ["RangeCodec", "LogModel"]),
        .testTarget(
            name: "RaftCoreTests", dependencies: ["RaftCore", "WireFormat", "LogModel"], exclude: ["Transcripts"],
            swiftSettings: strict
        ),
        // Replicas wired to each other in memory.
        .target(
            name: "ReplicaTestSupport",
            dependencies: ["ReplicaCore", "RaftCore", "LogState", "SegmentFormat", "WireFormat", "LogModel"],
            path: "Tests/ReplicaTestSupport", swiftSettings: strict),
        tests(
            "ReplicaCoreTests",
            [
                "ReplicaCore", "ReplicaTestSupport", "RaftCore", "LogState", "SegmentFormat", "WireFormat", "LogModel",
                "TestSupport",
            ]),
        // Work whose instructions are counted.
        .executableTarget(
            name: "path-costs",
            dependencies: ["SegmentLog", "ReplicaCore", "ReplicaTestSupport", "SegmentFormat", "LogModel"],
            path: "Tests/PathCosts", exclude: ["budgets.txt"], swiftSettings: strict),
        tests("HTTP2SessionTests", ["HTTP2Session", "LogModel"]),
        tests("AccessTests", ["Access"]),
        tests("CertificatesTests", ["Certificates", "LogModel"]),
        tests(
            "HTTP2TransportTests",
            [
                "HTTP2Transport", "TestSupport", "Certificates", "HTTP2Session", "LogModel", httpTypes, logging,
            ] + nio),
        tests("DiskIOTests", ["DiskIO", system]),
        tests(
            "SegmentLogTests",
            [
                "SegmentLog", "TestSupport", "SegmentFormat", "LogState", "Simulation", "DiskIO", "LogModel",
                "ReplicaDisk", "ReplicaCore", "RaftCore", system, metrics,
                .product(name: "MetricsTestKit", package: "swift-metrics"),
            ]
        ),
        // Killed and traced processes with a log.
        .executableTarget(
            name: "log-workload", dependencies: ["SegmentLog", "LogModel"], path: "Tests/LogWorkload",
            swiftSettings: strict
        ),
        // The load of scripts/bench, for Holdfast and for its peers.
        .target(
            name: "PeerProtocols", dependencies: [.product(name: "NIOCore", package: "swift-nio")],
            path: "Tests/PeerProtocols", swiftSettings: strict),
        .executableTarget(
            name: "peer-bench",
            dependencies: [
                "PeerProtocols", "HoldfastClient", "HTTP2Transport", "HTTP2Session", httpTypes, logging,
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ] + nio,
            path: "Tests/PeerBench", swiftSettings: strict
        ),
        tests("PeerProtocolsTests", ["PeerProtocols", .product(name: "NIOCore", package: "swift-nio")]),
        tests("LogProcessTests", ["SegmentLog", "LogModel", system]),
        tests(
            "ReplicaDiskTests",
            [
                "ReplicaDisk", "TestSupport", "ReplicaCore", "RaftCore", "SegmentLog", "SegmentFormat", "LogState",
                "Simulation", "DiskIO", "LogModel", system,
            ]
        ),
        tests("SimulationTests", ["Simulation", "RaftCore", "DiskIO", system]),
        tests(
            "HoldfastClientTests",
            [
                "HoldfastClient", "TestSupport", "HTTP2Transport", "LogModel", httpTypes, logging, metrics, lifecycle,
                tracing,
                tracer,
                .product(name: "MetricsTestKit", package: "swift-metrics"),
            ] + nio
        ),
        tests(
            "HoldfastAdminTests",
            [
                "HoldfastAdmin", "TestSupport", "HoldfastClient", "LogModel", httpTypes, logging,
                .product(name: "NIOEmbedded", package: "swift-nio"),
                .product(name: "NIOHTTPTypes", package: "swift-nio-extras"),
            ] + nio
        ),
        // What more than one of the test targets needs.
        .target(
            name: "TestSupport",
            dependencies: ["HTTP2Transport", "Certificates", "SegmentFormat", "LogModel", logging],
            path: "Tests/TestSupport", swiftSettings: strict),
        tests(
            "HoldfastNodeTests",
            [
                "HoldfastNode", "TestSupport", "HoldfastClient", "Access", "Certificates", "Replicator", "ReplicaCore",
                "LogState",
                "HTTP2Transport",
                "SegmentFormat", "LogModel", httpTypes, logging, tracing, tracer,
            ] + nio
        ),
        tests(
            "ReplicatorTests",
            [
                "Replicator", "TestSupport", "ReplicaCore", "RaftCore", "SegmentLog", "SegmentFormat", "RangeCodec",
                "HTTP2Transport",
                "WireFormat", "LogModel", httpTypes, logging, system, tracing, tracer,
            ] + nio
        ),
        // Starts the real binary; built beside the bundle.
        tests(
            "ClusterTests",
            ["TestSupport", "HoldfastClient", "LogModel", logging, metrics, lifecycle] + nio
        ),
    ]
)

// Fuzzing (`scripts/fuzz`): its `main` comes with libFuzzer, so it is there only when asked for.
if Context.environment["HOLDFAST_FUZZ"] == "1" {
    package.targets += [
        .executableTarget(
            name: "holdfast-fuzz",
            dependencies: [
                "SegmentLog", "SegmentFormat", "LogState", "WireFormat", "RangeCodec", "Simulation", "HTTP2Session",
                "DiskIO",
                "LogModel", system,
            ],
            path: "Tests/Fuzz", swiftSettings: strict
        )
    ]
}
