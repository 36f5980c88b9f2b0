import HoldfastClient

/// The members, as the leader knows them.
struct ClusterMembers {
    let client: HoldfastClient

    init(_ client: HoldfastClient) { self.client = client }

    /// - Throws: 69 when nobody leads.
    func look() async throws(CommandFailure) -> ClusterStatus {
        guard let leader = await ClusterProbe(client: self.client).look().leader else {
            if let denial = await self.client.denial() { throw CommandFailure(denial) }
            throw CommandFailure(
                .unreachable, "no leader is known", next: "see \(Invocation.clientCommand("status"))")
        }
        return leader
    }
}

/// A change of members, from the question to its end.
struct MemberChange {
    enum Goal {
        case voter
        case learner
        case gone
    }

    let options: MemberOptions
    let node: UInt32
    let goal: Goal
    private let client: HoldfastClient
    private let deadline: ContinuousClock.Instant

    init(_ options: MemberOptions, node: UInt32, goal: Goal) {
        self.options = options
        self.node = node
        self.goal = goal
        self.client = options.servers.client
        self.deadline = ContinuousClock.now + .milliseconds(options.servers.timeout.milliseconds)
    }

    /// Asks until it is answered, then waits until it is through.
    func run(
        _ ask: (HoldfastClient) async throws(ClientError) -> MembershipDocument
    ) async throws(CommandFailure) {
        // Before it is asked for: afterwards nobody tells.
        let isStranger: Bool
        if self.goal == .gone, let leader = try? await ClusterMembers(self.client).look() {
            isStranger = !leader.nodes.contains { $0.node == self.node }
        } else {
            isStranger = false
        }
        var document = try await self.asked(ask)
        if !self.options.isBrief { document = try await self.awaited(document) }
        self.options.output.console.endProgress()
        switch self.options.output.output {
        case .json: self.options.output.console.out(bytes: JSONDocument.encode(document))
        case .table:
            self.options.output.console.out(
                (isStranger ? "n\(self.node) was no member; " : "") + self.sentence(document))
        }
    }

    /// Elections and other changes pass; what is refused for good is not asked for again.
    private func asked(
        _ ask: (HoldfastClient) async throws(ClientError) -> MembershipDocument
    ) async throws(CommandFailure) -> MembershipDocument {
        while true {
            let failure: ClientError
            do throws(ClientError) { return try await ask(self.client) } catch { failure = error }
            guard failure.passes, ContinuousClock.now < self.deadline, !Task.isCancelled else {
                throw self.explained(failure)
            }
            self.options.output.console.progress("waiting: \(failure.description)")
            try? await Task.sleep(for: .milliseconds(100))
        }
    }

    /// What the server's hint says for programs is an option or a command here.
    private func explained(_ error: ClientError) -> CommandFailure {
        var failure = CommandFailure(error)
        guard case .refused(let problem) = error else { return failure }
        switch problem.code {
        case "OTHER_INCARNATION":
            failure.next =
                "if that directory is lost for good, replace it: "
                + Invocation.clientCommand("member", "replace", "\(self.node)")
        case "BAD_REQUEST": failure.next = "say where it is: --peer HOST:PORT and --client HOST:PORT"
        default: break
        }
        return failure
    }

    private func awaited(_ first: MembershipDocument) async throws(CommandFailure) -> MembershipDocument {
        var document = first
        while !self.isReached(document) {
            guard ContinuousClock.now < self.deadline, !Task.isCancelled else {
                self.options.output.console.endProgress()
                throw CommandFailure(
                    .degraded, "node \(self.node): \(self.sentence(document)); the change goes on by itself",
                    next: "see \(Invocation.clientCommand("member", "list")), or wait longer with --timeout")
            }
            try? await Task.sleep(for: .milliseconds(50))
            guard let leader = try? await ClusterMembers(self.client).look() else { continue }
            document = MembershipDocument(leader)
            if let behind = leader.nodes.first(where: { $0.node == self.node })?.persisted {
                self.options.output.console.progress("n\(self.node) has the log through \(behind) of \(leader.tail)")
            }
        }
        return document
    }

    private func isReached(_ document: MembershipDocument) -> Bool {
        guard document.outgoing.isEmpty else { return false }
        let isVoter = document.voters.contains(self.node)
        let isLearner = document.learners.contains { $0.node == self.node }
        switch self.goal {
        case .voter: return isVoter && !isLearner
        case .learner: return isVoter || isLearner
        case .gone: return !isVoter && !isLearner
        }
    }

    private func sentence(_ document: MembershipDocument) -> String {
        let voters = document.voters.map { "n\($0)" }.joined(separator: ", ")
        let learners = document.learners.map { "n\($0.node)" }.joined(separator: ", ")
        var text = "voters: \(voters)"
        if !learners.isEmpty { text += "; learners: \(learners)" }
        if !document.outgoing.isEmpty {
            text += "; until now: " + document.outgoing.map { "n\($0)" }.joined(separator: ", ")
        }
        return text
    }
}

extension MembershipDocument {
    /// As a leader's status tells it: of a learner that is to vote only that it is one.
    init(_ status: ClusterStatus) {
        func nodes(_ standings: Set<ClusterStatus.Standing>) -> [UInt32] {
            status.nodes.filter { $0.membership.map(standings.contains) ?? false }.map(\.node)
        }
        let isJoint = !nodes([.joining, .leaving]).isEmpty
        self.init(
            voters: nodes([.voter, .joining]), outgoing: isJoint ? nodes([.voter, .leaving]) : [],
            learners: nodes([.learner]).map { Learner(node: $0, isPromoted: false, replaces: nil) })
    }
}

extension ClientError {
    /// A moment later it may be otherwise.
    var passes: Bool {
        switch self {
        case .unreachable, .outcomeUnknown: true
        case .refused(let problem):
            ["CHANGE_UNDER_WAY", "QUORUM_UNAVAILABLE", "NOT_LEADER", "COMMIT_TIMEOUT", "NODE_UNREACHABLE"]
                .contains(problem.code)
        case .trimmed, .untrusted, .noClientPort, .notByAll, .ended, .badAnswer: false
        }
    }
}
