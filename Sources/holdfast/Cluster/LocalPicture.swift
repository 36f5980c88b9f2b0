import HoldfastClient

/// What a local cluster's nodes say of themselves, and how their processes stand, at one moment.
struct LocalPicture {
    struct Node {
        var node: LocalCluster.Node
        var process: ProcessIdentity?
        var isPaused: Bool
        /// Was a member once, and is none any more: its end is no loss.
        var isRemoved: Bool
        var status: ClusterStatus?

        /// Why it does not answer though it should; `nil` when it does, or need not.
        var absence: Absence? {
            if self.isRemoved { return nil }
            if self.process == nil { return .down }
            if self.isPaused { return .paused }
            return self.status == nil ? .silent : nil
        }

        /// It answers, and says that it counts for nothing any more: why, and what to do.
        var retirement: String? { self.status?.retired }

        /// One word: the role that it names itself, unless something else says more.
        var role: String {
            self.retirement != nil
                ? "retired" : self.isRemoved ? "removed" : self.absence?.rawValue ?? self.status?.role ?? "silent"
        }
    }

    enum Absence: String, CaseIterable {
        case down
        case paused
        case silent
    }

    var nodes: [Node]
    /// What the leader of the highest term says; a deposed one may not know yet.
    var leader: ClusterStatus?

    var removed: [LocalCluster.Node] { self.nodes.filter(\.isRemoved).map(\.node) }

    /// Those that answer and belong to a cluster that has formed.
    var members: [LocalCluster.Node] {
        self.nodes.filter { $0.status?.cluster != nil && !$0.isRemoved }.map(\.node)
    }

    func table(_ cluster: LocalCluster, _ console: Console) -> String {
        let rows = self.nodes.map { node -> [String] in
            let colour: Console.Colour? =
                node.role == "leader" ? .green : node.absence != nil || node.retirement != nil ? .red : nil
            return [
                node.node.name, colour.map { console.coloured(node.role, $0) } ?? node.role,
                node.status.map { "\($0.term)" } ?? "-", node.status.map { "\($0.lastIndex)" } ?? "-",
                node.status?.logWord.map { $0 == "ok" ? $0 : console.coloured($0, .red) } ?? "-",
                node.process.map { "\($0.pid)" } ?? "-", node.node.client.description, cluster.dataDirectory(node.node),
            ]
        }
        return Console.table(["NODE", "ROLE", "TERM", "LAST", "LOG", "PID", "CLIENT", "DATA"], rows)
    }

    /// As `holdfast status -o json` has it, with each node's process.
    var json: [UInt8] {
        struct Node: Encodable {
            var node: UInt32
            var name: String
            var role: String
            var pid: Int32?
            var client: String
            var admin: String
            var reachable: Bool
            var status: ClusterStatus?
        }
        let nodes = self.nodes.map {
            Node(
                node: $0.node.number, name: $0.node.name, role: $0.role, pid: $0.process?.pid,
                client: $0.node.client.description, admin: $0.node.admin.description, reachable: $0.status != nil,
                status: $0.status)
        }
        return JSONDocument.encode(PictureDocument(leader: self.leader, nodes: nodes))
    }

    /// What is wrong, all of it, and what to do about the first; `nil` when each node answers and one leads.
    func failure(of cluster: LocalCluster) -> CommandFailure? {
        let absences = Absence.allCases.map { absence in
            (absence, nodes: self.nodes.filter { $0.absence == absence }.map(\.node))
        }.filter { !$0.nodes.isEmpty }
        let causes = absences.map { absence, nodes in
            "\(nodes.map(\.name).joined(separator: ", ")) \(absence.words)"
        }.joined(separator: "; ")
        let next = absences.first.flatMap { $0.remedy(for: $1, of: cluster) }
        guard self.leader != nil else {
            return CommandFailure(
                .unreachable, causes.isEmpty ? "no leader is known" : "no leader is known: \(causes)",
                next: next ?? "why not is in the nodes' logs: \(cluster.run)/n*.log")
        }
        guard absences.isEmpty else { return CommandFailure(.degraded, causes, next: next) }
        if let node = self.nodes.first(where: { $0.retirement != nil }), let retirement = node.retirement {
            return CommandFailure(
                .degraded, "\(node.node.name) neither votes nor counts any more: \(retirement)",
                next: "until then the cluster bears fewer further losses")
        }
        let full = self.nodes.filter { !$0.isRemoved && $0.status?.isDiskFull == true }.map(\.node)
        guard let first = full.first else { return nil }
        return CommandFailure(
            .degraded, "\(full.map(\.name).joined(separator: ", ")): the disk is full",
            next: cluster.clientCommand("explain", at: first))
    }
}

extension LocalPicture.Absence {
    fileprivate var words: String {
        switch self {
        case .down: "not running"
        case .paused: "paused"
        case .silent: "running, but silent"
        }
    }

    fileprivate func remedy(for nodes: [LocalCluster.Node], of cluster: LocalCluster) -> String? {
        guard let first = nodes.first else { return nil }
        return switch self {
        case .down: nodes.count > 1 ? cluster.command("up") : cluster.command("start", first.name)
        case .paused: cluster.command("resume", first.name)
        case .silent: "see \(cluster.log(first))"
        }
    }
}
