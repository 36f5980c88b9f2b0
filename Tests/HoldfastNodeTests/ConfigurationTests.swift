import Foundation
import HoldfastClient
import LogModel
import Logging
import Testing

@testable import HoldfastNode

@Suite struct ConfigurationTests {
    static let peers = "1=127.0.0.1:7401/127.0.0.1:7400"

    /// Writes a file, loads it, removes it.
    func load(
        _ yaml: String? = nil, environment: [String: String] = [:], flags: [ConfigurationKey: [String]] = [:]
    ) async throws -> NodeConfiguration {
        guard let yaml else {
            return try await NodeConfiguration.load(file: nil, environment: environment, flags: flags)
        }
        let file = FileManager.default.temporaryDirectory.appendingPathComponent("node-\(UUID()).yaml")
        try Data(yaml.utf8).write(to: file)
        defer { try? FileManager.default.removeItem(at: file) }
        return try await NodeConfiguration.load(file: file.path, environment: environment, flags: flags)
    }

    func failure(
        _ yaml: String? = nil, environment: [String: String] = [:], flags: [ConfigurationKey: [String]] = [:]
    ) async -> ConfigurationError? {
        do {
            _ = try await self.load(yaml, environment: environment, flags: flags)
            return nil
        } catch {
            return error as? ConfigurationError
        }
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
        election:
          heartbeat: 20ms
          timeout:
            min: 100ms
            max: 250ms
        log:
          level: debug
        """

    @Test func `a file says everything`() async throws {
        let configuration = try await self.load(Self.complete)
        #expect(configuration.node == NodeID(2))
        #expect(configuration.dataDirectory == "/tmp/n2")
        #expect(configuration.peers.map(\.node.rawValue) == [1, 2, 3])
        #expect(configuration.clientListen.description == "127.0.0.1:7410")
        #expect(configuration.peerListen.description == "127.0.0.1:7411")
        #expect(configuration.policy == .batch(windowMilliseconds: 7))
        #expect(configuration.segmentByteCountMax == 16 << 20)
        #expect(configuration.compression == .never)
        #expect(configuration.heartbeatMilliseconds == 20)
        #expect(configuration.electionTimeoutMilliseconds == 100..<250)
        #expect(configuration.logLevel == .debug)
    }

    @Test func `flags win over environment over file over defaults`() async throws {
        let configuration = try await self.load(
            Self.complete,
            environment: ["HOLDFAST_DATA_DIRECTORY": "/tmp/environment", "HOLDFAST_SEGMENT_SIZE": "2MiB"],
            flags: [.segmentSize: ["4MiB"]])
        #expect(configuration.segmentByteCountMax == 4 << 20)
        #expect(configuration.dataDirectory == "/tmp/environment")
        #expect(configuration.electionTimeoutMilliseconds == 100..<250)
        let plain = try await self.load(flags: [.nodeID: ["1"], .dataDirectory: ["/tmp/x"]])
        #expect(plain.policy == .always && plain.compression == .auto)
        #expect(plain.segmentByteCountMax == 128 << 20)
        #expect(plain.peers.map(\.clientAddress.port) == [7400])
    }

    @Test func `the environment alone is enough`() async throws {
        let configuration = try await self.load(environment: [
            "HOLDFAST_NODE_ID": "1", "HOLDFAST_DATA_DIRECTORY": "/tmp/x",
            "HOLDFAST_PEERS": "1=127.0.0.1:1/127.0.0.1:2,2=127.0.0.1:3/127.0.0.1:4", "PATH": "/bin",
        ])
        #expect(configuration.peers.count == 2)
    }

    @Test func `an unknown key names its file and the key that was meant`() async {
        let error = await self.failure("node:\n  id: 1\nfsnyc:\n  policy: os\n")
        guard case .unknownKey("fsnyc.policy", let source, "fsync.policy") = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(source.hasSuffix(".yaml"))
    }

    @Test func `an unknown variable is an error, those of others are not`() async {
        let error = await self.failure(environment: ["HOLDFAST_FSYNC_POLCY": "os"])
        #expect(
            error == .unknownKey("HOLDFAST_FSYNC_POLCY", source: "environment", suggestion: "HOLDFAST_FSYNC_POLICY"))
        let others = ["HOLDFAST_SERVER": "x", "HOLDFAST_SERVICE_HOST": "10.0.0.1", "HOLDFAST_PORT_7400_TCP": "x"]
        #expect(await self.failure(environment: others) == .missing(.nodeID))
    }

    @Test(arguments: [
        (ConfigurationKey.nodeID, "0"), (.nodeID, "one"), (.fsyncPolicy, "sometimes"), (.segmentSize, "12 apples"),
        (.segmentSize, "1B"), (.heartbeat, "50"), (.clientListen, "7400"), (.clientListen, "a:b"),
        (.peers, "1=127.0.0.1:7401"), (.logLevel, "loud"), (.isInsecure, "maybe"), (.electionTimeoutMin, "-5ms"),
    ])
    func `a value that does not parse is an error of its source, never the default`(
        key: ConfigurationKey, value: String
    ) async {
        var flags: [ConfigurationKey: [String]] = [
            .nodeID: ["1"], .dataDirectory: ["/tmp/x"], .peers: [Self.peers],
        ]
        flags[key] = nil
        let environment = [key.environmentName: value]
        #expect(
            await self.failure(environment: environment, flags: flags)
                == .badValue(key, source: key.environmentName, value: value))
        flags[key] = [value]
        #expect(await self.failure(flags: flags) == .badValue(key, source: key.flag, value: value))
    }

    @Test func `a list where one value belongs is an error`() async {
        guard case .badValue(.dataDirectory, _, _) = await self.failure("node:\n  id: 1\ndata:\n  directory: [a, b]\n")
        else {
            Issue.record("accepted")
            return
        }
    }

    @Test func `a file that is missing or no YAML mapping is an error with its path`() async {
        let missing = await #expect(throws: ConfigurationError.self) {
            try await NodeConfiguration.load(file: "/nonexistent/n1.yaml", environment: [:], flags: [:])
        }
        #expect(missing?.description.contains("/nonexistent/n1.yaml") == true)
        for yaml in ["just text", "a: [", "- 1\n- 2\n"] {
            guard case .unreadableFile = await self.failure(yaml) else {
                Issue.record("accepted \(yaml)")
                continue
            }
        }
    }

    @Test func `settings that contradict each other are refused`() async {
        let base: [ConfigurationKey: [String]] = [
            .nodeID: ["1"], .dataDirectory: ["/tmp/x"], .peers: [Self.peers],
        ]
        let contradictions: [[ConfigurationKey: [String]]] = [
            [.nodeID: ["2"]],
            [.peers: [Self.peers, Self.peers]],
            [.peers: [Self.peers, "2=127.0.0.1:7401/127.0.0.1:7410"]],
            [.fsyncWindow: ["5ms"]],
            [.electionTimeoutMin: ["60ms"]],
            [.electionTimeoutMin: ["500ms"], .electionTimeoutMax: ["400ms"]],
            [.clientListen: ["0.0.0.0:7400"]],
        ]
        for change in contradictions {
            let error = await self.failure(flags: base.merging(change) { $1 })
            guard case .contradiction = error else {
                Issue.record("\(change) gave \(String(describing: error))")
                continue
            }
        }
    }

    @Test func `other machines reach a listener only when that is said`() async throws {
        let flags: [ConfigurationKey: [String]] = [
            .nodeID: ["1"], .dataDirectory: ["/tmp/x"], .clientListen: ["0.0.0.0:7400"], .isInsecure: ["true"],
        ]
        #expect(try await self.load(flags: flags).clientListen.host == "0.0.0.0")
    }

    @Test func `the repository's cluster files are good`() async throws {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        for number in 1...3 {
            let configuration = try await NodeConfiguration.load(
                file: root.appendingPathComponent("cluster/n\(number).yaml").path, environment: [:], flags: [:])
            #expect(configuration.node == NodeID(UInt32(number)))
            #expect(configuration.clientListen.port == 7390 + number * 10)
            #expect(configuration.peerListen.port == 7391 + number * 10)
        }
    }

    @Test func `every key has names of its own and an expectation`() {
        let keys = ConfigurationKey.allCases
        #expect(Set(keys.map(\.environmentName)).count == keys.count)
        #expect(Set(keys.map(\.flag)).count == keys.count)
        #expect(ConfigurationKey.electionTimeoutMin.environmentName == "HOLDFAST_ELECTION_TIMEOUT_MIN")
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

    @Test func `distances count single edits`() {
        #expect(editDistance("fsnyc", "fsync") == 2)
        #expect(editDistance("", "abc") == 3)
        #expect(editDistance("same", "same") == 0)
    }
}
