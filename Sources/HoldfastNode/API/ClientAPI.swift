import HTTP2Transport
import HTTPTypes
import HoldfastAdmin
import HoldfastClient
import LogModel
import Logging
import NIOCore
import ReplicaCore
import Replicator
import Tracing

typealias NodeStatusSource = @Sendable (_ eventsAfter: UInt64?) async -> NodeStatus

/// What all requests of the client listener share; they are all on one event loop.
final class ClientAPI: Sendable {
    let service: any LogService
    let node: NodeID
    let forwarder: any RequestForwarder
    /// What this node knows of itself, for programs that watch it; with its events behind a number.
    let status: NodeStatusSource?
    let logger: Logger
    let segmentReads = PlaceCount(NodeLimits.segmentReadsMax)
    let unfinishedBodies: NIOLoopBoundBox<UnfinishedBodies>
    /// For large bodies, and those that go to the leader, from their ends to their answers.
    let waitingBytes = PlaceCount(NodeLimits.waitingByteCountMax)
    private let refusals: RefusalCounts
    /// Hears of appends whose callers trace them; `nil` when nobody does.
    let tracer: (any Tracer)?
    private let security: SecurityWatch?
    private let servedBy: String

    init(
        service: any LogService, node: NodeID, forwarder: any RequestForwarder, security: SecurityWatch? = nil,
        status: NodeStatusSource? = nil, refusals: RefusalCounts = RefusalCounts(), tracer: (any Tracer)? = nil,
        unfinishedByteCountMax: Int = NodeLimits.unfinishedByteCountMax, on eventLoop: any EventLoop, logger: Logger
    ) {
        self.unfinishedBodies = .makeBoxSendingValue(
            UnfinishedBodies(byteCountMax: unfinishedByteCountMax), eventLoop: eventLoop)
        self.service = service
        self.node = node
        self.forwarder = forwarder
        self.status = status
        self.refusals = refusals
        self.tracer = tracer
        self.security = security
        self.logger = logger
        self.servedBy = "\(node)"
    }

    /// All members, this node included.
    var peers: [ClusterPeer] { self.service.peers }

    /// Where clients reach `node`; `nil` for a node that is no member.
    func address(of node: NodeID?) -> ServerAddress? {
        node.flatMap { node in self.peers.first { $0.node == node }?.clientAddress }
    }

    /// A request that only the leader can answer, at a node that does not lead: on to the leader, or not.
    func leaderDecision(_ leader: NodeID?, head: HTTPRequest, forwarding: Forwarding) -> LeaderDecision {
        guard let leader, leader != self.node, let address = self.address(of: leader) else {
            return .refuse(.noLeader)
        }
        let misdirected = Problem(AppendFailure.notLeader(leader: leader)).leading(to: address)
        // A request that was forwarded already found another leader than its sender knew. Once more is enough for one that
        // was held while leadership moved on; two nodes that each take the other for the leader end it there.
        guard head.forwardedCount < NodeLimits.forwardedCountMax else { return .refuse(misdirected) }
        switch forwarding {
        case .auto: return .forward(address)
        case .never: return .refuse(misdirected)
        case .redirect:
            var problem = Problem(
                .temporaryRedirect, .notLeader, "this node does not lead", hint: "Follow the Location.",
                fields: [.location: "\(self.scheme)://\(address)\(head.path ?? "/")"])
            problem.document.leader = address.description
            return .refuse(problem)
        }
    }

    enum LeaderDecision: Equatable {
        case forward(ServerAddress)
        case refuse(Problem)
    }

    private var scheme: String { self.security?.tls == nil ? "http" : "https" }

    // MARK: Who may

    /// - Throws: 401, 403; nothing was applied.
    func authorize(_ head: HTTPRequest, for route: Route) throws(Problem) {
        guard let authorizer = self.security?.tokens?.authorizer, let scopes = route.scopes else { return }
        let decision = authorizer.decide(head.headerFields[.authorization], for: scopes)
        if let problem = Problem(decision, for: scopes) { throw problem }
    }

    // MARK: Answers

    /// The head of a stream's answer, which names its request.
    func head(
        _ status: HTTPResponse.Status, contentType: String, fields: HTTPFields = [:], as label: RequestLabel
    ) -> HTTPResponse {
        var head = self.head(status, contentType: contentType, fields: fields)
        head.headerFields[.xRequestID] = label.id
        return head
    }

    /// - Parameter contentType: `nil` for an answer that has no content.
    func head(
        _ status: HTTPResponse.Status, contentType: String? = "application/json", fields: HTTPFields = [:]
    ) -> HTTPResponse {
        var head = HTTPResponse(status: status, headerFields: fields)
        if let contentType { head.headerFields.append(HTTPField(name: .contentType, value: contentType)) }
        head.headerFields.append(HTTPField(name: .holdfastServedBy, value: self.servedBy))
        return head
    }

    /// The answer for a problem, logged under the request id that it carries.
    func answer(
        to problem: Problem, as label: RequestLabel, of kind: RequestKind
    ) -> (HTTPResponse, ByteBuffer) {
        let document = self.told(problem, as: label, of: kind)
        return (
            self.head(problem.status, contentType: "application/problem+json", fields: problem.fields),
            ByteBuffer(bytes: document.json)
        )
    }

    /// The document with its request's id, under which it is logged and counted.
    func told(_ problem: Problem, as label: RequestLabel, of kind: RequestKind) -> ProblemDocument {
        var document = problem.document
        document.requestID = label.id
        self.refusals.note(document, of: kind, trace: label.trace, self.logger)
        return document
    }
}
