import ArgumentParser
import HoldfastClient
import HoldfastNode

struct StatusCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status", abstract: "Shows every node: role, term, how far it is.",
        discussion: """
            ROLE: leader; follower; preCandidate and candidate ask for votes; forming is blank and waits for the others; \
            retired neither votes nor counts any more (one that is no member shows when it is asked, too: --server); silent does not answer. LAST is the last committed record that the \
            node knows of, BEHIND how many records the leader has committed since, TAIL where the log ends \
            (segment:offset). LOG: ok; damaged, and being repaired; no vote, for it lost a part that it gets again; full, \
            for its disk has no room; blank, for its directory is empty. SHIPPED is what the leader sent there, ON WIRE how \
            small it travelled. Why it is so: holdfast explain.

            Exit code 0 when all nodes answer and one leads, 3 when a node is missing, its promises do not count any \
            more, or its disk is full, 69 without a leader. --wait-ready waits until the next node may be restarted: one \
            leads, and all that vote answer, follow it, and have what was committed when the wait began: exit code 0, \
            whatever else is missing. When the time is up it says who does not, and why: exit code 3. --wait-leader waits \
            for a leader only. Neither waits where nobody answers and a node wants a token or TLS that was not shown \
            (77), or where only wrong ports were named (69).

            Example: holdfast status --watch
            Example: holdfast status --wait-ready 60s && echo ready
            """)

    @Flag(name: [.short, .long], help: "Shows it again every second, until interrupted.")
    var watch = false

    @Option(
        help: "Waits so long for a leader, and for all nodes that vote to follow it and to have what is committed now.",
        transform: DurationArgument.parse)
    var waitReady: DurationArgument?

    @Option(
        help: "Waits so long for a leader that has proven itself by a commit of its term.",
        transform: DurationArgument.parse)
    var waitLeader: DurationArgument?

    @OptionGroup var servers: ServerOptions
    @OptionGroup var output: OutputOptions

    func validate() throws {
        guard self.waitReady == nil || self.waitLeader == nil else {
            throw ValidationError("--wait-ready waits for a leader, too: leave --wait-leader out.")
        }
    }

    func run() async throws {
        let client = self.servers.client
        let console = self.output.console
        let probe = ClusterProbe(client: client)
        var lacking: [String] = []
        if let waitReady { lacking = try await probe.waitForVoters(milliseconds: waitReady.milliseconds) }
        if let waitLeader { try await probe.waitForLeader(milliseconds: waitLeader.milliseconds) }
        var picture = await probe.look()
        while self.watch {
            switch self.output.output {
            case .table: console.out((Console.isOutputTerminal ? "\u{1B}[H\u{1B}[2J" : "") + picture.table(console))
            case .json: console.out(bytes: picture.json)
            }
            try await Task.sleep(for: .seconds(1))
            picture = await probe.look()
        }
        switch self.output.output {
        case .table: console.out(picture.table(console))
        case .json: console.out(bytes: picture.json)
        }
        if let waitReady {
            // The others are not what was waited for: a silent learner, say.
            if lacking.isEmpty { return }
            throw CommandFailure(
                .degraded, "not ready after \(waitReady.milliseconds) ms: \(lacking.joined(separator: "; "))",
                next: "leave the other nodes as they are until it is: \(Invocation.clientCommand("explain"))")
        }
        try await self.judge(picture, client)
    }

    /// - Throws: When all is not as it should be.
    private func judge(_ picture: ClusterPicture, _ client: HoldfastClient) async throws {
        guard picture.leader != nil else {
            if !picture.isAnybodyThere, let denial = await client.denial() { throw CommandFailure(denial) }
            throw CommandFailure(
                .unreachable, picture.isAnybodyThere ? "no leader is known" : "no node answers",
                next: "a majority of the nodes must run: \(Invocation.command("cluster", "status")); "
                    + Invocation.command("cluster", "up"))
        }
        if picture.missingCount > 0 {
            throw CommandFailure(
                .degraded, "\(picture.missingCount) of \(picture.nodes.count) nodes do not answer",
                next: "start them again; until then the cluster bears fewer further losses")
        }
        if let blank = picture.blank {
            throw CommandFailure(
                .degraded,
                "node \(blank) has an empty data directory and is no voter any more, though the cluster counts on it",
                next: Invocation.clientCommand("member", "replace", "\(blank)"))
        }
        if let retired = picture.retired.first, let reason = retired.retired {
            throw CommandFailure(
                .degraded, "node \(retired.node) neither votes nor counts any more: \(reason)",
                next: "until then the cluster bears fewer further losses")
        }
        if let full = picture.full {
            throw CommandFailure(
                .degraded, "the disk of node \(full) is full", next: Invocation.clientCommand("explain"))
        }
        if let (node, health) = picture.impaired {
            throw CommandFailure(
                .degraded, "node \(node) \(health.words)",
                next: "nothing, if it is repaired in a moment: look again; its log says more")
        }
    }
}

/// All nodes of a cluster at one moment.
struct ClusterPicture {
    struct Node {
        var number: UInt32?
        var client: String
        var status: ClusterStatus?
    }

    var nodes: [Node]
    /// What the leader of the highest term says; a deposed one may not know yet.
    var leader: ClusterStatus?
    private var configured: ClusterStatus?

    init(answers: [ServerAddress: ClusterStatus], servers: [ServerAddress]) {
        self.leader = answers.values.filter { $0.role == "leader" }.max { $0.term < $1.term }
        self.configured = self.leader ?? answers.values.max { $0.term < $1.term }
        guard let configured else {
            self.nodes = servers.map { Node(number: nil, client: $0.description, status: nil) }
            return
        }
        let members = configured.nodes.map { node in
            Node(
                number: node.node, client: node.client,
                status: ServerAddress(node.client).flatMap { answers[$0] }
                    ?? answers.values.first { $0.node == node.node })
        }
        // Of one that counts for nothing any more the members need not know: the cluster was recovered without it, say.
        let outcasts = answers.filter { _, status in
            status.retired != nil && status.cluster == configured.cluster
                && !members.contains { $0.number == status.node }
        }
        self.nodes =
            members
            + outcasts.sorted { $0.value.node < $1.value.node }.map {
                Node(number: $1.node, client: $0.description, status: $1)
            }
    }

    var isAnybodyThere: Bool { self.nodes.contains { $0.status != nil } }
    /// A node whose copy of the log is not whole.
    var impaired: (node: UInt32, health: ClusterStatus.Health)? {
        self.nodes.lazy.compactMap(\.status).compactMap { status in
            status.health.flatMap { $0.isSound ? nil : (status.node, $0) }
        }.first
    }
    /// A member whose directory is empty while the cluster is there: what it had promised is gone.
    var blank: UInt32? {
        guard self.leader != nil else { return nil }
        return self.nodes.lazy.compactMap(\.status).first { $0.isBlank }?.node
    }
    /// A node whose disk has no room for what it is to write.
    var full: UInt32? { self.nodes.lazy.compactMap(\.status).first { $0.isDiskFull == true }?.node }
    var missingCount: Int { self.nodes.count { $0.status == nil } }
    /// Nodes whose promises do not count any more.
    var retired: [ClusterStatus] { self.nodes.compactMap(\.status).filter { $0.retired != nil } }

    func table(_ console: Console) -> String {
        let rows = self.nodes.map { node -> [String] in
            guard let status = node.status else {
                let name = node.number.map { "n\($0)" } ?? "?"
                return [name, console.coloured("silent", .red)] + [String](repeating: "-", count: 7) + [node.client]
            }
            let isLeader = status.node == self.leader?.node
            let role =
                isLeader
                ? console.coloured("leader", .green)
                : status.retired == nil ? status.role : console.coloured("retired", .red)
            let behind = self.leader.map { $0.lastIndex > status.lastIndex ? $0.lastIndex - status.lastIndex : 0 }
            return [
                "n\(status.node)", role, "\(status.term)", "\(status.lastIndex)", behind.map { "\($0)" } ?? "-",
                status.tail, self.log(of: status, console),
            ] + self.shipped(to: status.node) + [node.client]
        }
        let table = Console.table(
            ["NODE", "ROLE", "TERM", "LAST", "BEHIND", "TAIL", "LOG", "SHIPPED", "ON WIRE", "CLIENT"], rows)
        guard let leader = self.leader, let recovered = leader.recovered else { return table }
        return table
            + "\ngeneration \(leader.generation): recovered at index \(recovered.nextIndex) "
            + "(\(recovered.position))"
    }

    private func log(of status: ClusterStatus, _ console: Console) -> String {
        if self.leader != nil, status.isBlank { return console.coloured("blank", .red) }
        return status.logWord.map { $0 == "ok" ? $0 : console.coloured($0, .red) } ?? "-"
    }

    /// How much the leader has sent to a node, and how small it made that.
    private func shipped(to node: UInt32) -> [String] {
        guard let known = self.leader?.nodes.first(where: { $0.node == node }), let shipped = known.shippedBytes,
            let wire = known.wireBytes, shipped > 0
        else { return ["-", "-"] }
        return [Units.described(byteCount: shipped), "\((Double(wire) * 100 / Double(shipped)).rounded(1)) %"]
    }

    var json: [UInt8] {
        struct Node: Encodable {
            var node: UInt32?
            var client: String
            var reachable: Bool
            var status: ClusterStatus?
        }
        let nodes = self.nodes.map {
            Node(node: $0.number, client: $0.client, reachable: $0.status != nil, status: $0.status)
        }
        return JSONDocument.encode(PictureDocument(leader: self.leader, nodes: nodes))
    }
}

extension ClusterStatus {
    fileprivate var isBlank: Bool { self.role == "forming" }

    /// How its log is, for a table: `ok`, or what is wrong first; `nil` when it does not tell.
    var logWord: String? {
        if let health, !health.isSound { return health.word }
        if self.isDiskFull == true { return "full" }
        return self.health.map { _ in "ok" }
    }
}

extension ClusterStatus.Health {
    var isSound: Bool { self.mayVote && self.damagedSegments.isEmpty }

    /// For a table.
    fileprivate var word: String { self.damagedSegments.isEmpty ? "no vote" : "damaged" }

    fileprivate var words: String {
        guard self.damagedSegments.isEmpty else {
            let names = self.damagedSegments.map { "\($0)" }.joined(separator: ", ")
            return "has damage in \(self.damagedSegments.count == 1 ? "segment" : "segments") \(names)"
        }
        return "does not vote: it lost a part of its log, and gets it again from the leader"
    }
}
