import Foundation
import HTTP2Transport
import HoldfastAdmin
import HoldfastClient
import LogModel
import Logging
import Testing

@testable import HoldfastNode

/// What good configurations mean; mistaken ones stand in ``ConfigurationMistakeTests``.
@Suite struct ConfigurationTests {
    static let peers = "1=127.0.0.1:7401/127.0.0.1:7400"

    /// Writes a file, reads it, removes it.
    func report(
        _ yaml: String? = nil, environment: [String: String] = [:], flags: [ConfigurationKey: [String]] = [:]
    ) throws -> ConfigurationReport {
        let scratch = try ConfigurationScratch(yaml)
        defer { scratch.end() }
        return ConfigurationReport(ConfigurationInput(file: scratch.path, environment: environment, flags: flags))
    }

    func load(
        _ yaml: String? = nil, environment: [String: String] = [:], flags: [ConfigurationKey: [String]] = [:]
    ) throws -> NodeConfiguration {
        let report = try self.report(yaml, environment: environment, flags: flags)
        return try #require(report.configuration, "\(report.problems)")
    }

    @Test func `Listeners that others reach are taken with TLS and with tokens or certified clients`() throws {
        let tls = ConfigurationMistakeTests.tls.merging([
            .nodeID: ["1"], .dataDirectory: ["/tmp/x"], .peers: ["1=10.0.0.1:7401/10.0.0.1:7400"],
        ]) { $1 }
        for more: [ConfigurationKey: [String]] in [[.tokens: ["tokens"]], [.tlsClients: ["certified"]]] {
            let report = try self.report(flags: tls.merging(more) { $1 })
            #expect(report.problems.isEmpty, "\(report.problems)")
            #expect(report.warnings.isEmpty, "\(report.warnings)")
        }
        let security = try self.load(flags: tls.merging([.tlsClients: ["certified"]]) { $1 }).security
        #expect(security.tls == TLSFiles(certificate: "n1.pem", key: "n1.key", authority: "ca.pem"))
        #expect(security.clients == .certified)
        // The admin listener speaks no TLS, and stays on this machine.
        let admin = try self.load(flags: tls.merging([.tokens: ["tokens"]]) { $1 }).adminListen
        #expect(admin.description == "127.0.0.1:7402")
    }

    @Test func `What client commands read from the environment turns no TLS on`() throws {
        let environment = [
            "HOLDFAST_TLS_CA": "ca.pem", "HOLDFAST_TLS_CERT": "c.pem", "HOLDFAST_TLS_KEY": "c.key",
            "HOLDFAST_TOKEN": "hf_", "HOLDFAST_TOKEN_FILE": "t",
        ]
        let security = try self.load(
            environment: environment, flags: [.nodeID: ["1"], .dataDirectory: ["/tmp/x"]]
        ).security
        #expect(security == NodeSecurity())
    }

    static let complete = """
        node:
          id: 2
        data:
          directory: /tmp/n2
        peers:
          - 3=127.0.0.1:7421/127.0.0.1:7420
          - 1=127.0.0.1:7401/127.0.0.1:7400
          - 2=127.0.0.1:7411/127.0.0.1:7410
        fsync:
          policy: batch
          window: 7ms
        segment:
          size: 16MiB
        replication:
          compression: never
        client:
          connections:
            max: 5000
            per.address.max: 4500
        election:
          heartbeat: 20ms
          timeout:
            min: 100ms
            max: 250ms
        admin.connections: {max: 500, per.address.max: 400}
        log:
          level: debug
        """

    @Test func `a file says everything`() throws {
        let configuration = try self.load(Self.complete)
        #expect(configuration.node == NodeID(2))
        #expect(configuration.dataDirectory == "/tmp/n2")
        #expect(configuration.peers.map(\.node.rawValue) == [1, 2, 3])
        #expect(configuration.clientListen.description == "127.0.0.1:7410")
        #expect(configuration.peerListen.description == "127.0.0.1:7411")
        #expect(configuration.policy == .batch(windowMilliseconds: 7))
        #expect(configuration.segmentByteCountMax == 16 << 20)
        #expect(configuration.clientConnections == ClientConnections(max: 5_000, perAddressMax: 4_500))
        let admin = configuration.adminBounds
        #expect(admin.connectionsMax == 500 && admin.connectionsPerAddressMax == 400)
        #expect(configuration.compression == .never)
        #expect(configuration.heartbeatMilliseconds == 20)
        #expect(configuration.electionTimeoutMilliseconds == 100..<250)
        #expect(configuration.logLevel == .debug)
    }

    @Test func `flags win over environment over file over defaults`() throws {
        let environment = ["HOLDFAST_DATA_DIRECTORY": "/tmp/environment", "HOLDFAST_SEGMENT_SIZE": "2MiB"]
        let report = try self.report(Self.complete, environment: environment, flags: [.segmentSize: ["4MiB"]])
        let configuration = try #require(report.configuration)
        #expect(configuration.segmentByteCountMax == 4 << 20)
        #expect(configuration.dataDirectory == "/tmp/environment")
        #expect(configuration.electionTimeoutMilliseconds == 100..<250)
        let origins = Dictionary(uniqueKeysWithValues: report.values.map { ($0.key, $0.origin) })
        #expect(origins[.segmentSize] == .flag("--segment-size"))
        #expect(origins[.dataDirectory] == .environment("HOLDFAST_DATA_DIRECTORY"))
        #expect(origins[.scrubRate] == .fallback)
        guard case .file(_, line: 23) = origins[.electionTimeoutMin] else {
            Issue.record("\(String(describing: origins[.electionTimeoutMin]))")
            return
        }
        let without: [ConfigurationKey] = [.tlsCertificate, .tlsKey, .tlsAuthority, .tokens, .traceOutput]
        #expect(
            report.values.map(\.key) == ConfigurationKey.allCases.filter { !without.contains($0) },
            "every key has a value, but for files that nobody named")
    }

    @Test func `defaults are those of the registry`() throws {
        let report = try self.report(flags: [.nodeID: ["1"], .dataDirectory: ["/tmp/x"]])
        let plain = try #require(report.configuration)
        #expect(plain.policy == .always && plain.compression == .auto && plain.logLevel == .info)
        #expect(plain.segmentByteCountMax == 128 << 20 && plain.scrubBytesPerSecond == 8 << 20)
        #expect(plain.heartbeatMilliseconds == 50 && plain.electionTimeoutMilliseconds == 300..<600)
        #expect(plain.clientConnections.limits == .untrusted && plain.adminBounds == ConnectionBounds())
        #expect(plain.peers.map(\.clientAddress.port) == [7400] && !plain.isJoining)
        let values = Dictionary(uniqueKeysWithValues: report.values.map { ($0.key, $0.text) })
        #expect(values[.peers] == Self.peers && values[.clientListen] == "127.0.0.1:7400")
        #expect(values[.electionTimeoutMax] == "600ms")
        #expect(values[.clientConnectionsMax] == "1024" && values[.clientConnectionsPerAddressMax] == "256")
        #expect(values[.adminConnectionsMax] == "256" && values[.adminConnectionsPerAddressMax] == "64")
        #expect(report.warnings.isEmpty)
    }

    @Test(arguments: [("1", 1), ("3", 1), ("100", 25), ("4096", 1_024), ("32768", 8_192)])
    func `one address may have a quarter of the clients' connections where nobody says it`(
        max: String, perAddress: Int
    ) throws {
        let clients = try self.load(flags: [
            .nodeID: ["1"], .dataDirectory: ["/tmp/x"], .clientConnectionsMax: [max],
        ]).clientConnections
        #expect(clients.perAddressMax == perAddress && "\(clients.max)" == max)
    }

    @Test(arguments: [("1", 1), ("3", 1), ("256", 64), ("4096", 1_024)])
    func `the same of the admin listener's connections`(max: String, perAddress: Int) throws {
        let bounds = try self.load(flags: [
            .nodeID: ["1"], .dataDirectory: ["/tmp/x"], .adminConnectionsMax: [max],
        ]).adminBounds
        #expect(bounds.connectionsPerAddressMax == perAddress && "\(bounds.connectionsMax)" == max)
    }

    @Test func `more connections may not hold more unsent together, nor a network less than one of its addresses`() {
        for count in [1, 1_024, 4_096, 8_192] {
            let limits = ClientConnections(max: count, perAddressMax: count).limits
            #expect(limits.connectionsMax == count && limits.connectionsPerAddressMax == count)
            #expect(limits.connectionsPerNetworkMax == count)
            #expect(limits.unsentByteCountShare * count <= 64 << 20, "\(count)")
            #expect(limits.unsentByteCountShare >= limits.smallBodyByteCount)
        }
        #expect(ClientConnections(max: 1_024, perAddressMax: 256).limits.connectionsPerNetworkMax == 896)
    }

    @Test func `the environment alone is enough`() throws {
        let configuration = try self.load(environment: [
            "HOLDFAST_NODE_ID": "1", "HOLDFAST_DATA_DIRECTORY": "/tmp/x",
            "HOLDFAST_PEERS": "1=127.0.0.1:1/127.0.0.1:2, 2=127.0.0.1:3/127.0.0.1:4", "PATH": "/bin",
            "HOLDFAST_SERVER": "x", "HOLDFAST_SERVICE_HOST": "10.0.0.1", "HOLDFAST_PORT_7400_TCP": "x",
        ])
        #expect(configuration.peers.count == 2)
    }

    @Test func `sections may be empty, keys dotted, and values anchored`() throws {
        let flags: [ConfigurationKey: [String]] = [.nodeID: ["1"], .dataDirectory: ["/tmp/x"]]
        #expect(try self.load("fsync:\n# policy: os\n", flags: flags).policy == .always)
        #expect(try self.load("# nothing\n", flags: flags).policy == .always)
        #expect(try self.load("fsync.policy: os\n", flags: flags).policy == .os)
        let timeout = "election:\n  timeout: {min: &t 200ms, max: 700ms}\nfsync: {policy: batch, window: *t}\n"
        #expect(try self.load(timeout, flags: flags).policy == .batch(windowMilliseconds: 200))
    }

    @Test func `other machines reach a listener only when that is said`() throws {
        let report = try self.report(flags: [
            .nodeID: ["1"], .dataDirectory: ["/tmp/x"], .clientListen: ["0.0.0.0:7400"], .isInsecure: ["true"],
        ])
        #expect(report.configuration?.clientListen.host == "0.0.0.0")
        #expect(report.warnings == [.exposed])
        let admin = try self.report(flags: [
            .nodeID: ["1"], .dataDirectory: ["/tmp/x"], .adminListen: ["0.0.0.0:7402"], .isInsecure: ["true"],
        ])
        #expect(admin.warnings == [.exposed])
    }

    @Test func `other machines reach the admin listener of a secured node when that is said of it alone`() throws {
        let secured: [ConfigurationKey: [String]] = [
            .nodeID: ["1"], .dataDirectory: ["/tmp/x"], .clientListen: ["0.0.0.0:7400"], .peerListen: ["0.0.0.0:7401"],
            .tlsCertificate: ["c"], .tlsKey: ["k"], .tlsAuthority: ["a"], .tokens: ["t"],
            .isAdminInsecure: ["true"],
        ]
        let report = try self.report(flags: secured.merging([.adminListen: ["0.0.0.0:7402"]]) { $1 })
        #expect(report.configuration?.adminListen.description == "0.0.0.0:7402", "\(report.problems)")
        #expect(report.warnings == [.exposedAdmin])
        // Nobody has said where, so it stays on this machine.
        let unsaid = try self.report(flags: secured)
        #expect(unsaid.configuration?.adminListen.description == "127.0.0.1:7402", "\(unsaid.problems)")
        #expect(unsaid.warnings.isEmpty)
    }

    @Test(arguments: [
        (
            [ConfigurationKey.peers: [Self.peers, "2=127.0.0.1:7411/127.0.0.1:7410"]],
            "peers: 2 nodes bear the loss of 0, as 1 would"
        ),
        (
            [.fsyncPolicy: ["os"]],
            "fsync.policy: os acknowledges what no disk need have; a power cut of a majority loses it"
        ),
        (
            [.scrubRate: ["0"]],
            "scrub.rate: 0 finds rot only when somebody reads it, perhaps after the last good copy is gone"
        ),
        (
            [.heartbeat: ["10ms"], .electionTimeoutMin: ["50ms"]],
            "election.timeout.min: after 50 ms a slow disk looks like a dead leader"
        ),
        (
            [.fsyncPolicy: ["batch"], .fsyncWindow: ["2s"]],
            "fsync.window: every append waits up to 2000 ms for its sync"
        ),
        (
            [.segmentSize: ["1MiB"]],
            "segment.size: files of 1MiB are many files; 64MiB and more are usual"
        ),
        (
            [
                .isInsecure: ["true"],
                .peers: [
                    "1=127.0.0.1:7401/127.0.0.1:7400", "2=10.0.0.2:7411/10.0.0.2:7410", "3=10.0.0.3:7411/10.0.0.3:7410",
                ],
            ], "peers: node 1 can be found from its own machine only"
        ),
        (
            [.peers: (1...9).map { "\($0)=127.0.0.1:\($0)1/127.0.0.1:\($0)2" }],
            "peers: 9 nodes: each one more makes every append wait for more disks; 3, 5 or 7 are usual"
        ),
    ])
    func `what is legal but unwise is said, and accepted`(
        flags: [ConfigurationKey: [String]], words: String
    ) throws {
        let all = flags.merging([.nodeID: ["1"], .dataDirectory: ["/tmp/x"]]) { $1 }
        let report = try self.report(flags: all)
        #expect(report.configuration != nil, "\(report.problems)")
        #expect(report.warnings.map(\.description) == [words])
    }

    @Test func `the repository's cluster files are good`() throws {
        for number in 1...3 {
            let report = ConfigurationReport(
                ConfigurationInput(file: Repository.root.appendingPathComponent("cluster/n\(number).yaml").path))
            let configuration = try #require(report.configuration, "\(report.problems)")
            #expect(configuration.node == NodeID(UInt32(number)))
            #expect(configuration.clientListen.port == 7390 + number * 10)
            #expect(configuration.peerListen.port == 7391 + number * 10)
            #expect(report.warnings.isEmpty)
        }
    }
}

@Suite struct UnitsTests {
    @Test func `sizes and durations need units that are known`() {
        #expect(Units.byteCount("128MiB") == 128 << 20)
        #expect(Units.byteCount("4096") == 4096)
        #expect(Units.byteCount("1 GB") == 1_000_000_000)
        #expect(Units.byteCount("99999999999GiB") == nil)
        #expect(Units.byteCount("MiB") == nil)
        #expect(Units.byteCount("1.5MiB") == nil)
        #expect(Units.milliseconds("50ms") == 50)
        #expect(Units.milliseconds("2m") == 120_000)
        #expect(Units.milliseconds("50") == nil)
        #expect(Units.count("10k") == 10_000)
    }

    @Test func `byte counts are told in three digits`() {
        #expect(Units.described(byteCount: 0) == "0 B")
        #expect(Units.described(byteCount: 1536) == "1.5 KiB")
        #expect(Units.described(byteCount: 128 << 20) == "128 MiB")
    }

    @Test func `what is spelled can be read again`() {
        for byteCount: UInt64 in [0, 1, 1023, 1024, 1 << 20, (1 << 20) + 1, 128 << 20, 1 << 32, 1 << 40] {
            #expect(Units.byteCount(Units.spelled(byteCount: byteCount)) == byteCount)
        }
        for milliseconds: UInt64 in [0, 1, 999, 1000, 1001, 60_000, 90_000, 3_600_000] {
            #expect(Units.milliseconds(Units.spelled(milliseconds: milliseconds)) == milliseconds)
        }
        #expect(Units.spelled(byteCount: 128 << 20) == "128MiB" && Units.spelled(milliseconds: 90_000) == "90s")
    }

    @Test func `distances count single edits`() {
        #expect(EditDistance.between("fsnyc", "fsync") == 2)
        #expect(EditDistance.between("", "abc") == 3)
        #expect(EditDistance.between("same", "same") == 0)
    }
}
