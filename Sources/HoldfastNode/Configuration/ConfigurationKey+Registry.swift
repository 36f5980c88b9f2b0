import HoldfastAdmin
import Logging
import Replicator

extension ConfigurationKey {
    /// All that is written about a key anywhere: in help, in error messages, by `holdfast config keys` and in
    /// <doc:Configuration>. No value is a secret: keys and tokens stand in files of their own.
    package struct Entry: Sendable {
        /// What holds when nobody says anything.
        package enum Fallback: Hashable, Sendable {
            /// Nothing: it must be said.
            case none
            case text(String)
            /// It follows from other keys, as these words say.
            case derived(String)
        }

        /// The flag of `holdfast serve`.
        package var flag: String
        package var kind: ConfigurationKind
        package var fallback: Fallback
        package var meaning: String
        /// A good value, where the default is not one.
        var example: String?
        /// Whether a running node takes a new value over from its file.
        package var isLive = false
    }

    package var flag: String { self.entry.flag }

    /// What a value looks like, for error messages and help.
    package var expectation: String {
        let entry = self.entry
        if case .text(let text) = entry.fallback { return entry.kind.expectation(text) }
        return entry.kind.expectation(entry.example ?? "")
    }

    package var entry: Entry {
        switch self {
        case .nodeID, .dataDirectory, .peers, .isJoining: self.identityEntry
        case .clientListen, .peerListen, .adminListen, .isInsecure, .isAdminInsecure: self.listenerEntry
        case .clientConnectionsMax, .clientConnectionsPerAddressMax, .adminConnectionsMax,
            .adminConnectionsPerAddressMax:
            self.connectionsEntry
        case .tlsCertificate, .tlsKey, .tlsAuthority, .tlsClients, .tokens: self.securityEntry
        case .fsyncPolicy, .fsyncWindow, .segmentSize, .scrubRate: self.storageEntry
        case .compression, .heartbeat, .electionTimeoutMin, .electionTimeoutMax: self.clusterEntry
        case .logLevel, .logFormat, .traceOutput: self.journalEntry
        }
    }

    private var identityEntry: Entry {
        switch self {
        case .nodeID:
            Entry(
                flag: "--node-id", kind: .nodeNumber, fallback: .none, meaning: "This node's number in the cluster.",
                example: "1")
        case .dataDirectory:
            Entry(
                flag: "--data-dir", kind: .directory, fallback: .none,
                meaning: "Where the log is kept; a relative path begins where the node is started.",
                example: "data/n1")
        case .peers:
            Entry(
                flag: "--peer", kind: .peers, fallback: .derived("this node alone"),
                meaning: "All nodes, this one included: where its peers and where its clients find each. Read when the "
                    + "empty cluster forms; afterwards the log knows its members.",
                example: "1=127.0.0.1:7401/127.0.0.1:7400")
        default:
            Entry(
                flag: "--join", kind: .truth, fallback: .text("false"),
                meaning: "A blank node waits to be added (holdfast member add), and never forms a cluster.")
        }
    }

    private var listenerEntry: Entry {
        switch self {
        case .clientListen:
            Entry(
                flag: "--listen", kind: .address, fallback: .derived("as in this node's entry in peers"),
                meaning: "Where the node listens for clients.", example: "127.0.0.1:7400")
        case .peerListen:
            Entry(
                flag: "--peer-listen", kind: .address, fallback: .derived("as in this node's entry in peers"),
                meaning: "Where the node listens for the other nodes.", example: "127.0.0.1:7401")
        case .adminListen:
            Entry(
                flag: "--admin-listen", kind: .address, fallback: .derived("two ports above the one for clients"),
                meaning: "Where the node listens for people, probes and scrapers, who speak HTTP/1.1.",
                example: "127.0.0.1:7402")
        case .isAdminInsecure:
            Entry(
                flag: "--admin-insecure", kind: .truth, fallback: .text("false"),
                meaning:
                    "Allows the admin listener, which speaks no TLS, where other machines can reach it, for scrapers and "
                    + "proxies; it needs auth.tokens. The other listeners are checked as ever.")
        default:
            Entry(
                flag: "--insecure", kind: .truth, fallback: .text("false"),
                meaning: "Allows listeners that other machines can reach without TLS or without tokens.")
        }
    }

    private var connectionsEntry: Entry {
        switch self {
        case .clientConnectionsMax:
            Entry(
                flag: "--client-connections-max", kind: .count(ClientConnections.range),
                fallback: .text("\(ClientConnections().max)"),
                meaning:
                    "How many connections of clients the node holds, those of nodes that forward among them; more are "
                    + "closed at once. Each takes a descriptor: see LimitNOFILE.")
        case .clientConnectionsPerAddressMax:
            Entry(
                flag: "--client-connections-per-address-max", kind: .count(ClientConnections.range),
                fallback: .derived("a quarter of client.connections.max"),
                meaning: "The same of one remote address, a proxy's included: nobody takes all of them.",
                example: "\(ClientConnections().perAddressMax)")
        case .adminConnectionsMax:
            Entry(
                flag: "--admin-connections-max", kind: .count(ConnectionBounds.connectionsRange),
                fallback: .text("\(ConnectionBounds().connectionsMax)"),
                meaning:
                    "How many connections the admin listener holds: of people, probes, scrapers and whoever speaks HTTP/1.1; "
                    + "more are closed at once.")
        default:
            Entry(
                flag: "--admin-connections-per-address-max", kind: .count(ConnectionBounds.connectionsRange),
                fallback: .derived("a quarter of admin.connections.max"),
                meaning: "The same of one remote address: to be raised where a proxy stands in front of that listener.",
                example: "\(ConnectionBounds().connectionsPerAddressMax)")
        }
    }

    private var securityEntry: Entry {
        switch self {
        case .tlsCertificate:
            Entry(
                flag: "--tls-certificate", kind: .file, fallback: .derived("plain text"),
                meaning:
                    "This node's certificate and those between it and tls.ca, in PEM: both listeners speak TLS with "
                    + "it, and nodes show it to each other. It names the node: holdfast certs node. What the file says is "
                    + "taken over while the node runs.",
                example: "certs/n1.pem")
        case .tlsKey:
            Entry(
                flag: "--tls-key", kind: .file, fallback: .derived("none"),
                meaning: "The key of tls.certificate, in PEM.", example: "certs/n1.key")
        case .tlsAuthority:
            Entry(
                flag: "--tls-ca", kind: .file, fallback: .derived("none"),
                meaning: "Who signs the certificates of this cluster's nodes, and of clients, in PEM.",
                example: "certs/ca.pem")
        case .tlsClients:
            Entry(
                flag: "--tls-clients", kind: .word(["any", "certified"]), fallback: .text("any"),
                meaning: "Whether clients need a certificate that tls.ca has signed.")
        default:
            Entry(
                flag: "--auth-tokens", kind: .file, fallback: .derived("no token is asked for"),
                meaning:
                    "The tokens that clients may show: holdfast token create. What the file says is taken over while "
                    + "the node runs.",
                example: "tokens")
        }
    }

    private var storageEntry: Entry {
        switch self {
        case .fsyncPolicy:
            Entry(
                flag: "--fsync", kind: .word(["always", "batch", "os"]), fallback: .text("always"),
                meaning: "When an append counts as kept: after a sync at once, after one within fsync.window, or after "
                    + "the write. The same on all nodes.")
        case .fsyncWindow:
            Entry(
                flag: "--fsync-window", kind: .duration(1...10_000), fallback: .text("5ms"),
                meaning: "How long batch waits for more before it syncs.")
        case .segmentSize:
            Entry(
                flag: "--segment-size", kind: .size(1 << 20..<1 << 32), fallback: .text("128MiB"),
                meaning: "How large a segment file becomes before the next one is begun.")
        default:
            Entry(
                flag: "--scrub-rate", kind: .size(0..<1 << 40), fallback: .text("8MiB"),
                meaning: "How much of the log is reread in a second to find rot; 0 for never.", isLive: true)
        }
    }

    private var clusterEntry: Entry {
        switch self {
        case .compression:
            Entry(
                flag: "--compression", kind: .word(RangeCompression.allCases.map(\.rawValue)), fallback: .text("auto"),
                meaning: "Of what is shipped to followers: large ranges when a sample says that it pays, all, or none.",
                isLive: true)
        case .heartbeat:
            Entry(
                flag: "--heartbeat", kind: .duration(1...60_000), fallback: .text("50ms"),
                meaning: "How often a leader says that it is there.")
        case .electionTimeoutMin:
            Entry(
                flag: "--election-timeout-min", kind: .duration(1...600_000), fallback: .text("300ms"),
                meaning: "How long a silent leader is waited for, at least: three heartbeats or more.")
        default:
            Entry(
                flag: "--election-timeout-max", kind: .duration(1...1_200_000),
                fallback: .derived("twice election.timeout.min, at least 600ms"),
                meaning: "The same at most; each node draws its own between the two.", example: "600ms")
        }
    }

    private var journalEntry: Entry {
        switch self {
        case .logFormat:
            Entry(
                flag: "--log-format", kind: .word(JournalFormat.allCases.map(\.rawValue)), fallback: .text("logfmt"),
                meaning: "How each line on stderr looks: name=value, or a JSON object.")
        case .traceOutput:
            Entry(
                flag: "--trace-output", kind: .file, fallback: .derived("no spans are kept"),
                meaning:
                    "Where the spans of appends go whose traceparent is sampled, one line of OpenTelemetry's JSON each: a "
                    + "file, which becomes FILE.1 at 256 MiB and is opened anew at SIGHUP, or stderr.",
                example: "traces.jsonl")
        default:
            Entry(
                flag: "--log-level", kind: .word(Logger.Level.allCases.map(\.rawValue)), fallback: .text("info"),
                meaning: "What is written to stderr: this and all that is graver.", isLive: true)
        }
    }
}
