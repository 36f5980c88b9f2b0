import HTTP2Transport
import HoldfastClient
import LogModel
import LogState
import NIOCore
import RaftCore
import ReplicaCore
import Replicator

/// `/admin/v1/members`: who is a member.
extension ClientRequestHandler {
    func startAddingMember(_ query: QueryParameters, on stream: HTTP2Stream) throws(Problem) {
        guard let node = try query.node("node") else {
            throw .badRequest("node is missing", hint: "Say node=4&peer=HOST:PORT&client=HOST:PORT.")
        }
        let peer = try query.address("peer")
        let client = try query.address("client")
        guard (peer == nil) == (client == nil) else {
            throw .badRequest("one of peer and client is missing", hint: "Say both, or none for a known node.")
        }
        let address = peer.flatMap { peer in client.map { MemberAddress(peer: peer, client: $0) } }
        let isPromoted = try query.value("promote", expected: "true or false") { Bool(String($0)) } ?? true
        self.change(
            .add(node, at: address, replaces: try query.node("replaces"), isPromoted: isPromoted), on: stream)
    }

    func change(_ request: MemberRequest, on stream: HTTP2Stream) {
        self.run(on: stream) { [api] in
            await api.service.changeMembers(request)
        } then: { handler, stream, result in
            switch result {
            case .success(let membership):
                let document = MembershipDocument(membership)
                handler.answer(
                    handler.api.head(.ok), ByteBuffer(bytes: JSONDocument.encode(document)), on: stream)
            case .failure(.change(.notLeader(let leader))): handler.passToLeader(leader, on: stream)
            case .failure(let failure): handler.answer(Problem(failure), on: stream)
            }
        }
    }
}

extension QueryParameters {
    func node(_ name: String) throws(Problem) -> NodeID? {
        try self.value(name, expected: "a node's number") { UInt32($0).flatMap { $0 > 0 ? NodeID($0) : nil } }
    }

    fileprivate func address(_ name: String) throws(Problem) -> String? {
        try self.value(name, expected: "HOST:PORT") { ServerAddress($0)?.description }
    }
}

extension MembershipDocument {
    init(_ membership: Membership) {
        self.init(
            voters: membership.voters.map(\.node.rawValue), outgoing: membership.outgoing.map(\.node.rawValue),
            learners: membership.learners.map {
                Learner(node: $0.member.node.rawValue, isPromoted: $0.isPromoted, replaces: $0.replaces?.rawValue)
            })
    }
}

extension Problem {
    init(_ failure: MemberFailure) {
        switch failure {
        case .change(.notLeader(let leader)): self.init(AppendFailure.notLeader(leader: leader))
        case .change(.unknownOutcome):
            self.init(
                .gatewayTimeout, .commitTimeout, "no quorum acknowledged the change in time; it still may",
                hint: "Ask for it again: that changes nothing when it is so already.", applied: .unknown)
        case .change(.refused(let refusal)): self.init(refusal)
        case .noAddress(let node):
            self.init(
                .badRequest, .badRequest, "it is not known where node \(node) is",
                hint: "Say peer=HOST:PORT&client=HOST:PORT.")
        case .badAddress(let address):
            self.init(
                .badRequest, .badRequest, "\(address.peer) or \(address.client) is no HOST:PORT",
                hint: "Say peer=HOST:PORT&client=HOST:PORT, each at most \(LogStateLimits.addressByteCountMax) bytes.")
        case .unreachable(let node, let address):
            self.init(
                .conflict, .nodeUnreachable, "node \(node) does not answer at its peer address \(address)",
                hint: "Start it with --join, and see that this address is reached from the leader.")
        case .otherNode(let node, let address):
            self.init(
                .conflict, .otherNode, "node \(node) answers at \(address)",
                hint: "Give the number that the node was started with.")
        case .otherVersion(let node, let version):
            self.init(
                .conflict, .otherVersion,
                "node \(node) speaks version \(version) of the peer protocol, and the leader another",
                hint: "Start it with a release that shares a version with the others.")
        case .otherCluster(let node, let cluster):
            self.init(
                .conflict, .otherCluster, "node \(node) belongs to cluster \(cluster)",
                hint: "Start it with an empty data directory.")
        case .retired(let node):
            self.init(
                .conflict, .retired, "node \(node) neither votes nor counts any more in its present data directory",
                hint: "Stop it, move its data directory away, start it, and ask again.")
        }
    }

    private init(_ refusal: MembershipRefusal) {
        switch refusal {
        case .isUnderWay:
            self.init(
                .conflict, .changeUnderWay, "another change of members is not through yet",
                hint: "Wait until GET /v1/cluster shows it done, and ask again.", fields: [.retryAfter: "1"])
        case .unknownNode(let node):
            self.init(
                .notFound, .noSuchMember, "node \(node) is no member", hint: "GET /v1/cluster names the members.")
        case .otherIncarnation(let member):
            self.init(
                .conflict, .otherIncarnation,
                "node \(member.node) is a voter with another data directory, incarnation \(member.incarnation)",
                hint: "If that directory is lost for good, replace it: replaces=\(member.node).")
        case .leads(let node):
            self.init(
                .conflict, .nodeLeads, "node \(node) leads, so it cannot be replaced by its own number",
                hint: "Hand over first (POST /admin/v1/transfer), and ask again.")
        case .lastVoter:
            self.init(
                .conflict, .lastVoter, "nobody would be left to vote", hint: "Add another member first.")
        case .tooManyMembers:
            self.init(
                .conflict, .tooManyMembers,
                "a cluster has at most \(LogStateLimits.votersMax) voters and \(LogStateLimits.learnersMax) learners",
                hint: "Remove one first.")
        }
    }
}
