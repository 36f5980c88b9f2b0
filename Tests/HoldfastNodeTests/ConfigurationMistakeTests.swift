import Foundation
import HoldfastClient
import Testing

@testable import HoldfastNode

/// Mistaken configurations, and exactly what is said of each.
@Suite struct ConfigurationMistakeTests {
    struct Mistake: CustomTestStringConvertible, Sendable {
        var file: String?
        var environment: [String: String] = [:]
        var flags: [ConfigurationKey: [String]] = [:]
        /// `F` stands for the file's path.
        var said: [String]

        /// In a file of a node whose number and directory are known.
        static func file(_ yaml: String, _ said: String...) -> Mistake {
            Mistake(file: yaml, flags: Self.node, said: said)
        }

        /// In a file that says everything.
        static func whole(_ yaml: String, _ said: String...) -> Mistake { Mistake(file: yaml, said: said) }

        static func variable(_ name: String, _ value: String, _ said: String...) -> Mistake {
            Mistake(environment: [name: value], flags: Self.node, said: said)
        }

        static func flag(_ key: ConfigurationKey, _ values: String..., says said: String...) -> Mistake {
            Mistake(flags: Self.node.merging([key: values]) { $1 }, said: said)
        }

        static func flags(_ flags: [ConfigurationKey: [String]], _ said: String...) -> Mistake {
            Mistake(flags: Self.node.merging(flags) { $1 }, said: said)
        }

        private static let node: [ConfigurationKey: [String]] = [.nodeID: ["1"], .dataDirectory: ["/tmp/x"]]

        var testDescription: String { "\(self.file ?? "")\(self.environment)\(self.flags.mapValues { $0 })" }
    }

    static let duration = "a duration from 1ms to 1m with its unit (ms, s, m, h), for example 50ms"
    static let window = "a duration from 1ms to 10s with its unit (ms, s, m, h), for example 5ms"
    static let size = "a size from 1MiB to below 4GiB, for example 128MiB"
    static let rate = "a size from 0 to below 1TiB, for example 8MiB"
    static let count = "a whole number from 1 to 32768, for example"
    static let address = "host:port, for example 127.0.0.1:7400 or [::1]:7400"
    static let number = "a whole number from 1 to 4294967295, for example 1"
    static let peer =
        "a list of id=peerHost:port/clientHost:port, for example 1=127.0.0.1:7401/127.0.0.1:7400"
    static let one = "1=127.0.0.1:7401/127.0.0.1:7400"
    static let exposure =
        "set it, listen on a loopback address, or accept that with listen.insecure: true (--insecure)"

    static let tls: [ConfigurationKey: [String]] = [
        .tlsCertificate: ["n1.pem"], .tlsKey: ["n1.key"], .tlsAuthority: ["ca.pem"],
    ]

    static let values: [Mistake] = [
        .flag(.nodeID, "0", says: "--node-id: node.id is \"0\", but must be \(number)"),
        .flag(.nodeID, "-1", says: "--node-id: node.id is \"-1\", but must be \(number)"),
        .flag(.nodeID, "+1", says: "--node-id: node.id is \"+1\", but must be \(number)"),
        .flag(.nodeID, "one", says: "--node-id: node.id is \"one\", but must be \(number)"),
        .flag(.nodeID, "1.0", says: "--node-id: node.id is \"1.0\", but must be \(number)"),
        .flag(.nodeID, "4294967296", says: "--node-id: node.id is \"4294967296\", but must be \(number)"),
        .flag(.nodeID, "", says: "--node-id: node.id is \"\", but must be \(number)"),
        .flag(
            .dataDirectory, "", says: "--data-dir: data.directory is \"\", but must be a directory, for example data/n1"
        ),
        .flag(.heartbeat, "50", says: "--heartbeat: election.heartbeat is \"50\", but must be \(duration)"),
        .flag(.heartbeat, "50 msec", says: "--heartbeat: election.heartbeat is \"50 msec\", but must be \(duration)"),
        .flag(.heartbeat, "-50ms", says: "--heartbeat: election.heartbeat is \"-50ms\", but must be \(duration)"),
        .flag(.heartbeat, "0.05s", says: "--heartbeat: election.heartbeat is \"0.05s\", but must be \(duration)"),
        .flag(.heartbeat, "0ms", says: "--heartbeat: election.heartbeat is \"0ms\", but must be \(duration)"),
        .flag(.heartbeat, "1h", says: "--heartbeat: election.heartbeat is \"1h\", but must be \(duration)"),
        .flag(
            .heartbeat, "18446744073709551615ms",
            says: "--heartbeat: election.heartbeat is \"18446744073709551615ms\", but must be \(duration)"),
        .flag(
            .heartbeat, "99999999999999999999s",
            says: "--heartbeat: election.heartbeat is \"99999999999999999999s\", but must be \(duration)"),
        .flag(.heartbeat, "ms", says: "--heartbeat: election.heartbeat is \"ms\", but must be \(duration)"),
        .flag(.heartbeat, "５０ms", says: "--heartbeat: election.heartbeat is \"５０ms\", but must be \(duration)"),
        .flags(
            [.fsyncPolicy: ["batch"], .fsyncWindow: ["11s"]],
            "--fsync-window: fsync.window is \"11s\", but must be \(window)"),
        .flag(.segmentSize, "5", says: "--segment-size: segment.size is \"5\", but must be \(size)"),
        .flag(.segmentSize, "4GiB", says: "--segment-size: segment.size is \"4GiB\", but must be \(size)"),
        .flag(.segmentSize, "1.5GiB", says: "--segment-size: segment.size is \"1.5GiB\", but must be \(size)"),
        .flag(.segmentSize, "128 Mb", says: "--segment-size: segment.size is \"128 Mb\", but must be \(size)"),
        .flag(.segmentSize, "-1MiB", says: "--segment-size: segment.size is \"-1MiB\", but must be \(size)"),
        .flag(
            .segmentSize, "99999999999GiB",
            says: "--segment-size: segment.size is \"99999999999GiB\", but must be \(size)"),
        .flag(.scrubRate, "1TiB", says: "--scrub-rate: scrub.rate is \"1TiB\", but must be \(rate)"),
        .flag(.scrubRate, "never", says: "--scrub-rate: scrub.rate is \"never\", but must be \(rate)"),
        .flag(.fsyncPolicy, "Always", says: "--fsync: fsync.policy is \"Always\", but must be always, batch or os"),
        .flag(
            .compression, "gzip",
            says: "--compression: replication.compression is \"gzip\", but must be auto, always or never"),
        .flag(
            .logLevel, "loud",
            says:
                "--log-level: log.level is \"loud\", but must be trace, debug, info, notice, warning, error or critical"
        ),
        .flag(
            .clientConnectionsMax, "0",
            says: "--client-connections-max: client.connections.max is \"0\", but must be \(count) 1024"),
        .flag(
            .clientConnectionsMax, "4k",
            says: "--client-connections-max: client.connections.max is \"4k\", but must be \(count) 1024"),
        .flag(
            .clientConnectionsPerAddressMax, "32769",
            says: "--client-connections-per-address-max: client.connections.per.address.max is \"32769\", but must be "
                + "\(count) 256"),
        .flag(
            .adminConnectionsMax, "4097",
            says:
                "--admin-connections-max: admin.connections.max is \"4097\", but must be a whole number from 1 to 4096, "
                + "for example 256"),
        .flag(.isInsecure, "yes", says: "--insecure: listen.insecure is \"yes\", but must be true or false"),
        .flag(.clientListen, "7400", says: "--listen: listen.client is \"7400\", but must be \(address)"),
        .flag(.clientListen, ":7400", says: "--listen: listen.client is \":7400\", but must be \(address)"),
        .flag(.clientListen, "::1:7400", says: "--listen: listen.client is \"::1:7400\", but must be \(address)"),
        .flag(
            .clientListen, "127.0.0.1:65536",
            says: "--listen: listen.client is \"127.0.0.1:65536\", but must be \(address)"),
        .flag(
            .peerListen, "host",
            says: "--peer-listen: listen.peer is \"host\", but must be "
                + "host:port, for example 127.0.0.1:7401 or [::1]:7400"),
        .flag(
            .logLevel, String(repeating: "x", count: 90),
            says: "--log-level: log.level is \"\(String(repeating: "x", count: 80))...\", but must be trace, debug, "
                + "info, notice, warning, error or critical"),
        .flag(
            .logLevel, "info\n",
            says: "--log-level: log.level is \"info\\n\", but must be trace, debug, info, notice, warning, error or "
                + "critical"),
    ]

    static let variables: [Mistake] = [
        .variable(
            "HOLDFAST_FSYNC_POLICY", "", "HOLDFAST_FSYNC_POLICY: fsync.policy is \"\", but must be always, batch or os"),
        .variable(
            "HOLDFAST_SEGMENT_SIZE", "12 apples",
            "HOLDFAST_SEGMENT_SIZE: segment.size is \"12 apples\", but must be \(size)"),
        .variable("HOLDFAST_JOIN", "1", "HOLDFAST_JOIN: join is \"1\", but must be true or false"),
        .variable(
            "HOLDFAST_PEERS", "\(one),", "HOLDFAST_PEERS: peers is \"\", but must be \(peer)"),
        .variable(
            "HOLDFAST_FSYNC_POLCY", "os",
            "environment: unknown variable HOLDFAST_FSYNC_POLCY; did you mean HOLDFAST_FSYNC_POLICY?"),
        .variable("HOLDFAST_QUORUM", "2", "environment: unknown variable HOLDFAST_QUORUM"),
        .variable(
            "HOLDFAST_NODEID", "1", "environment: unknown variable HOLDFAST_NODEID; did you mean HOLDFAST_NODE_ID?"),
    ]

    static let files: [Mistake] = [
        .file("fsnyc:\n  policy: os\n", "F:2: unknown key fsnyc.policy; did you mean fsync.policy?"),
        .file("quorum: 2\n", "F:1: unknown key quorum"),
        .file("heartbeat: 50ms\n", "F:1: unknown key heartbeat; did you mean election.heartbeat?"),
        .file("log.levle: info\n", "F:1: unknown key log.levle; did you mean log.level?"),
        .file("Fsync:\n  policy: os\n", "F:2: unknown key Fsync.policy; did you mean fsync.policy?"),
        .file("log:\n  level:\n    of: info\n", "F:3: unknown key log.level.of; did you mean log.level?"),
        .file("fsync: batch\n", "F:1: fsync has no value of its own, but keys: fsync.policy, fsync.window"),
        .file(
            "election:\n  timeout: 300ms\n",
            "F:2: election.timeout has no value of its own, but keys: election.timeout.min, election.timeout.max"),
        .file("fsync:\n  policy:\n", "F:2: fsync.policy has no value; it must be always, batch or os"),
        .file("fsync:\n  policy: ~\n", "F:2: fsync.policy has no value; it must be always, batch or os"),
        .file("fsync:\n  policy: \"\"\n", "F:2: fsync.policy is \"\", but must be always, batch or os"),
        .file(
            "fsync:\n  policy: [os, batch]\n",
            "F:2: fsync.policy is a list, but must be one value: always, batch or os"),
        .file("peers: \(one)\n", "F:1: peers must be \(peer)"),
        .file("peers: []\n", "F:1: peers must be \(peer)"),
        .file("peers:\n  - {1: x}\n", "F:1: peers must be \(peer)"),
        .file("peers:\n  - \(one)\n  - 2\n", "F:3: peers is \"2\", but must be \(peer)"),
        .file(
            "peers:\n  - 0=127.0.0.1:7401/127.0.0.1:7400\n",
            "F:2: peers is \"0=127.0.0.1:7401/127.0.0.1:7400\", but must be \(peer)"),
        .file("peers:\n  - 1=127.0.0.1:7401\n", "F:2: peers is \"1=127.0.0.1:7401\", but must be \(peer)"),
        .file(
            "fsync:\n  policy: os\nfsync.policy: batch\n", "F:2: fsync.policy was said before in this file"),
        .file(
            "log:\n  level: info\n  level: debug\n",
            "F:2: is not YAML as it is understood here: one section has a key twice: level"),
        .file(
            "log:\n\tlevel: info\n",
            "F:2: is not YAML as it is understood here: found character that cannot start any token (is it indented "
                + "with a tab?)"),
        .file("a: [\n", "F:2: is not YAML as it is understood here: did not find expected node content"),
        .file("just text\n", "F:1: is not YAML as it is understood here: keys are expected, key: value"),
        .file("- 1\n- 2\n", "F:1: is not YAML as it is understood here: keys are expected, key: value"),
        .file("[a]: b\n", "F:1: is not YAML as it is understood here: a key must be a word"),
        .file(
            "join: true\n---\njoin: false\n",
            "F:2: is not YAML as it is understood here: but found another document"),
        .file("log:\n  level: *x\n", "F:2: is not YAML as it is understood here: found undefined alias"),
        .file("join: yes\n", "F:1: join is \"yes\", but must be true or false"),
        .whole(
            "node:\n  id: 0x1\ndata:\n  directory: d\n", "F:2: node.id is \"0x1\", but must be \(number)"),
        .whole(
            "node:\n  idd: 1\ndata:\n  directory: d\n", "F:2: unknown key node.idd; did you mean node.id?"),
        .whole(
            "", "node.id is not configured: set node.id in the file, HOLDFAST_NODE_ID or --node-id",
            "data.directory is not configured: set data.directory in the file, HOLDFAST_DATA_DIRECTORY or --data-dir"),
        .whole(
            "node:\n  id: 1\ndata:\n  directory: [a, b]\n",
            "F:4: data.directory is a list, but must be one value: a directory, for example data/n1"),
    ]

    static let contradictions: [Mistake] = [
        .flags(
            [.nodeID: ["2"], .peers: [one]],
            "--peer: peers does not name this node: add an entry that begins with 2="),
        .flags([.peers: [one, "1=127.0.0.1:7411/127.0.0.1:7410"]], "--peer: peers names node 1 twice"),
        .flags(
            [.peers: [one, "2=127.0.0.1:7401/127.0.0.1:7410"]],
            "--peer: peers uses 127.0.0.1:7401 twice: every listener of every node needs its own address"),
        .flags(
            [.peers: ["1=127.0.0.1:7400/127.0.0.1:7400"]],
            "--peer: peers uses 127.0.0.1:7400 twice: every listener of every node needs its own address"),
        .file(
            "peers:\n  - \(one)\n  - 2=127.0.0.1:7411/127.0.0.1:7410\n  - 2=127.0.0.1:7421/127.0.0.1:7420\n",
            "F:4: peers names node 2 twice"),
        .file(
            "peers:\n  - 2=127.0.0.1:7411/127.0.0.1:7410\n",
            "F:2: peers does not name this node: add an entry that begins with 1="),
        .flags(
            [.clientListen: ["127.0.0.1:7401"]],
            "--listen, default: clients and peers cannot both be listened for on 127.0.0.1:7401"),
        .flags(
            [.clientListen: ["127.0.0.1:9"], .peerListen: ["127.0.0.1:9"]],
            "--listen, --peer-listen: clients and peers cannot both be listened for on 127.0.0.1:9"),
        .flags(
            [.clientListen: ["0.0.0.0:7401"], .isInsecure: ["true"], .peers: [one]],
            "--listen, --peer: clients and peers cannot both be listened for on 0.0.0.0:7401"),
        .flags(
            [.peers: [one, "2=127.0.0.1:7411/127.0.0.1:7410"], .clientListen: ["127.0.0.1:7410"]],
            "--listen: 127.0.0.1:7410 belongs to node 2, as peers says"),
        .flags(
            [.fsyncWindow: ["5ms"]],
            "--fsync-window: fsync.window is set, but fsync.policy is always, and only batch has a window"),
        .file(
            "fsync:\n  policy: os\n  window: 5ms\n",
            "F:3: fsync.window is set, but fsync.policy is os, and only batch has a window"),
        .flags(
            [.electionTimeoutMin: ["149ms"]],
            "election.timeout.min (149 ms) must be at least three heartbeats (50 ms each) and less than "
                + "election.timeout.max (600 ms)"),
        .flags(
            [.electionTimeoutMin: ["500ms"], .electionTimeoutMax: ["500ms"]],
            "election.timeout.min (500 ms) must be at least three heartbeats (50 ms each) and less than "
                + "election.timeout.max (500 ms)"),
        .flags(
            [.clientConnectionsPerAddressMax: ["1025"]],
            "--client-connections-per-address-max: client.connections.per.address.max (1025) must be at most "
                + "client.connections.max (1024)"),
        .file(
            "client:\n  connections: {max: 8, per: {address: {max: 9}}}\n",
            "F:2: client.connections.per.address.max (9) must be at most client.connections.max (8)"),
        .file(
            "admin.connections: {max: 8, per.address.max: 9}\n",
            "F:1: admin.connections.per.address.max (9) must be at most admin.connections.max (8)"),
        .flags(
            [.clientListen: ["0.0.0.0:7400"]],
            "--listen: listen.client: 0.0.0.0:7400 can be reached from other machines, and there is no tls.certificate and "
                + "no auth.tokens: \(exposure)"),
        .flags(
            Self.tls.merging([.clientListen: ["0.0.0.0:7400"]]) { $1 },
            "--listen: listen.client: 0.0.0.0:7400 can be reached from other machines, and there is no auth.tokens: "
                + exposure),
        .flags(
            [.adminListen: ["0.0.0.0:7402"]],
            "--admin-listen: listen.admin: 0.0.0.0:7402 can be reached from other machines, and the admin listener speaks "
                + "no TLS: listen on a loopback address, behind a proxy if need be, or accept that for this listener alone "
                + "with auth.tokens and admin.insecure: true (--admin-insecure)"),
        .flags(
            [.adminListen: ["0.0.0.0:7402"], .isAdminInsecure: ["true"]],
            "--admin-listen: listen.admin: 0.0.0.0:7402 can be reached from other machines, and there is no auth.tokens: "
                + exposure),
        .flags(
            [.clientListen: ["0.0.0.0:7400"], .isAdminInsecure: ["true"], .tokens: ["tokens"]],
            "--listen: listen.client: 0.0.0.0:7400 can be reached from other machines, and there is no "
                + "tls.certificate: \(exposure)"),
        .flags(
            [.clientListen: ["0.0.0.0:7400"], .tokens: ["tokens"]],
            "--listen: listen.client: 0.0.0.0:7400 can be reached from other machines, and there is no "
                + "tls.certificate: \(exposure)"),
        .flags(
            [.tlsCertificate: ["n1.pem"], .tlsKey: ["n1.key"]],
            "--tls-certificate: TLS needs tls.certificate, tls.key and tls.ca, and tls.ca is not said"),
        .flags(
            [.tlsClients: ["certified"]],
            "--tls-clients: TLS needs tls.certificate, tls.key and tls.ca, and tls.certificate is not said"),
        .flag(.tlsClients, "some", says: "--tls-clients: tls.clients is \"some\", but must be any or certified"),
        .flags(
            [.peers: ["1=10.0.0.1:7401/127.0.0.1:7400"]],
            "--peer: listen.peer: 10.0.0.1:7401 can be reached from other machines, and there is no tls.certificate: "
                + exposure),
    ]

    @Test(arguments: values + variables + files + contradictions)
    func `a mistake is refused, in these words`(mistake: Mistake) throws {
        let scratch = try ConfigurationScratch(mistake.file)
        defer { scratch.end() }
        let report = ConfigurationReport(
            ConfigurationInput(
                file: scratch.path, environment: mistake.environment, flags: mistake.flags))
        let path = scratch.path ?? "no file"
        #expect(report.problems.map { $0.description.replacing(path + ":", with: "F:") } == mistake.said)
        #expect(report.configuration == nil)
    }

    @Test func `there are many mistakes`() {
        #expect((Self.values + Self.variables + Self.files + Self.contradictions).count >= 60)
    }

    @Test func `all mistakes of all sources are found at once`() throws {
        let scratch = try ConfigurationScratch("fsync:\n  policy: never\nsegmnet:\n  size: 1MiB\nlog:\n  level: loud\n")
        defer { scratch.end() }
        let path = try #require(scratch.path)
        let report = ConfigurationReport(
            ConfigurationInput(
                file: path, environment: ["HOLDFAST_SCRUB_RTE": "1MiB", "HOLDFAST_JOIN": "perhaps"],
                flags: [.nodeID: ["1"], .dataDirectory: ["/tmp/x"], .heartbeat: ["50"]]))
        #expect(
            report.problems.map { $0.description.replacing(path, with: "F") } == [
                "environment: unknown variable HOLDFAST_SCRUB_RTE; did you mean HOLDFAST_SCRUB_RATE?",
                "F:4: unknown key segmnet.size; did you mean segment.size?",
                "HOLDFAST_JOIN: join is \"perhaps\", but must be true or false",
                "F:2: fsync.policy is \"never\", but must be always, batch or os",
                "--heartbeat: election.heartbeat is \"50\", but must be \(Self.duration)",
                "F:6: log.level is \"loud\", but must be trace, debug, info, notice, warning, error or critical",
            ])
        // What is right is known all the same.
        #expect(report.values.contains { $0.key == .scrubRate && $0.text == "8MiB" && $0.origin == .fallback })
    }

    @Test func `files that cannot be read are named with the reason`() throws {
        let large = try ConfigurationScratch(String(repeating: "#", count: 65 << 10))
        defer { large.end() }
        let binary = try ConfigurationScratch(bytes: [0xFF, 0xFE, 0x00])
        defer { binary.end() }
        let cases: [(String, String)] = [
            ("/nonexistent/n1.yaml", "cannot be read as configuration: No such file or directory"),
            ("/tmp", "cannot be read as configuration: Is a directory"),
            (try #require(large.path), "cannot be read as configuration: it is larger than 64KiB"),
            (try #require(binary.path), "cannot be read as configuration: it is not UTF-8 text"),
        ]
        for (path, words) in cases {
            let report = ConfigurationReport(ConfigurationInput(file: path))
            #expect(report.problems.map(\.description) == ["\(path): \(words)"])
        }
    }

    @Test func `aliases cannot make a small file say without end`() throws {
        func levels(_ count: Int) -> String {
            (1...count).map { "l\($0): &l\($0) {a: *l\($0 - 1), b: *l\($0 - 1)}\n" }.joined()
        }
        let cases = [
            ("l0: &l0 {a: x}\n" + levels(8), "there are too many keys"),
            ("l0: &l0 {a: x}\n" + levels(40), "there are too many aliases"),
            ("l0: &l0 {a: x}\n" + levels(40) + "? *l40\n: x\n", "there are too many aliases"),
        ]
        for (text, words) in cases {
            let scratch = try ConfigurationScratch(text)
            defer { scratch.end() }
            let report = ConfigurationReport(ConfigurationInput(file: scratch.path))
            #expect(report.problems.contains { $0.description.hasSuffix(words) }, "\(report.problems)")
        }
    }
}

/// A file of one test.
struct ConfigurationScratch {
    /// `nil` without a file.
    var path: String?

    init(_ text: String?) throws { try self.init(bytes: text.map { Array($0.utf8) }) }

    init(bytes: [UInt8]?) throws {
        guard let bytes else { return }
        let url = FileManager.default.temporaryDirectory.appendingPathComponent("node-\(UUID()).yaml")
        try Data(bytes).write(to: url)
        self.path = url.path
    }

    func write(_ text: String) throws {
        guard let path else { return }
        try Data(text.utf8).write(to: URL(fileURLWithPath: path))
    }

    func end() { if let path { try? FileManager.default.removeItem(atPath: path) } }
}
