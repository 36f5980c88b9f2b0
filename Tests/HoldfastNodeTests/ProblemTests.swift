import HTTP2Transport
import HTTPTypes
import HoldfastClient
import LogModel
import Logging
import NIOCore
import NIOPosix
import ReplicaCore
import Replicator
import Testing

@testable import HoldfastNode

@Suite struct ProblemTests {
    static let appendFailures: [(AppendFailure, Int, String)] = [
        (.notLeader(leader: nil), 503, "QUORUM_UNAVAILABLE"), (.notLeader(leader: NodeID(2)), 421, "NOT_LEADER"),
        (.busy, 429, "BUSY"), (.noSpace, 507, "NO_SPACE"), (.tooLarge(byteCount: 9, byteCountMax: 8), 413, "TOO_LARGE"),
        (.conditionFailed(next: LogIndex(7)), 412, "CONDITION_FAILED"), (.fenced(token: 9), 409, "FENCED"),
        (.tooManyCursors, 409, "TOO_MANY_CURSORS"), (.noSuchCursor, 404, "NO_SUCH_CURSOR"),
        (.producerGap(expected: 4), 409, "PRODUCER_GAP"), (.producerExpired, 409, "PRODUCER_EXPIRED"),
        (.timedOut, 504, "COMMIT_TIMEOUT"), (.leadershipLost, 504, "LEADERSHIP_LOST"),
        (.shuttingDown(mayBeApplied: false), 503, "SHUTTING_DOWN"),
        (.shuttingDown(mayBeApplied: true), 503, "SHUTTING_DOWN"),
    ]

    @Test func `a token that lacks a scope is told which, or of which one is enough`() {
        let one = Problem.forbidden("billing", [.read]).document
        #expect(one.detail == "the token billing is not for this: it lacks the scope read")
        #expect(one.hint == "Use one that was made with --scope read.")
        let either = Problem.forbidden("billing", [.admin, .read]).document
        #expect(either.detail == "the token billing is not for this: it lacks one of the scopes read, admin")
        #expect(either.hint == "Use one that was made with --scope read or --scope admin.")
    }

    @Test(arguments: appendFailures)
    func `every failure has a status, a code, a hint, and says what the log said about applying`(
        failure: AppendFailure, status: Int, code: String
    ) {
        let document = Problem(failure).document
        #expect(document.status == status)
        #expect(document.code == code)
        #expect(document.applied == (failure.mayBeApplied ? .unknown : .no))
        #expect(!document.hint.isEmpty)
    }

    @Test func `an append that not all voters have is applied, and its receipt says by how many`() throws {
        let outcome = AppendOutcome(
            first: LogIndex(4), last: LogIndex(5), position: Position(0, 64), term: Term(2), durability: .persisted,
            nodes: 2, voters: 3, isDuplicate: false)
        let document = Problem(AppendFailure.notByAll(outcome)).document
        #expect(document.status == 504 && document.code == "NOT_BY_ALL" && document.applied == .yes)
        #expect(document.detail.contains("2 of 3 voters"))
        #expect(ProblemDocument(json: document.json)?.receipt == outcome.receipt)
    }

    @Test(arguments: [
        (ReadFailure.trimmed(first: LogIndex(40)), 410), (.notLeader, 421), (.behind(next: LogIndex(40)), 503),
        (.unavailable, 503), (.damaged("x"), 503), (.incomplete(next: LogIndex(5)), 503),
    ])
    func `every read failure has a status and applies nothing`(failure: ReadFailure, status: Int) {
        let document = Problem(failure).document
        #expect(document.status == status)
        #expect(document.applied == .no)
    }

    @Test func `facts that a program needs stand in fields of their own`() {
        #expect(Problem(AppendFailure.producerGap(expected: 4)).document.expectedSequence == 4)
        #expect(Problem(AppendFailure.fenced(token: 9)).document.fencingToken == 9)
        let conflict = Problem(AppendFailure.conditionFailed(next: LogIndex(7)))
        #expect(conflict.document.nextIndex == 7)
        #expect(conflict.fields[.holdfastNextIndex] == "7")
        #expect(Problem(ReadFailure.trimmed(first: LogIndex(40))).document.firstIndex == 40)
        let behind = Problem(ReadFailure.behind(next: LogIndex(40)))
        #expect(behind.document.nextIndex == 40 && behind.fields[.holdfastNextIndex] == "40")
        #expect(behind.document.detail.contains("up to 39"))
        #expect(Problem(AppendFailure.busy).fields[.retryAfter] == "1")
    }

    @Test(arguments: [
        (HTTP2ClientError.refused, "no"), (.timedOutUnsent, "no"), (.tooManyRequests, "no"), (.timedOut, "unknown"),
        (.connectionLost, "unknown"),
    ])
    func `a forwarded append is unknown only when it may have arrived`(error: HTTP2ClientError, applied: String) {
        let leader = ServerAddress(host: "127.0.0.1", port: 7400)
        let problem = LeaderForwarder.problem(error, leader: leader, isChange: true)
        #expect(problem.document.applied.rawValue == applied)
        #expect(problem.document.leader == "127.0.0.1:7400")
        #expect(LeaderForwarder.problem(error, leader: leader, isChange: false).document.applied == .no)
    }
}

@Suite struct LeaderDecisionTests {
    let api = ClientAPI(
        service: FakeLog(node: NodeID(1)), node: NodeID(1),
        forwarder: NoForwarder(), on: MultiThreadedEventLoopGroup.singleton.next(), logger: Logger(label: "test"))

    func head(_ fields: HTTPFields = [:]) -> HTTPRequest {
        HTTPRequest(
            method: .post, scheme: "http", authority: "x", path: "/v1/records?forward=redirect", headerFields: fields)
    }

    @Test func `a known leader is asked`() {
        #expect(
            self.api.leaderDecision(NodeID(2), head: self.head(), forwarding: .auto)
                == .forward(ServerAddress(host: "127.0.0.1", port: 7410)))
    }

    @Test func `a forwarded request goes on once, since leadership may have moved meanwhile`() {
        #expect(
            self.api.leaderDecision(NodeID(2), head: self.head([.holdfastForwarded: "1"]), forwarding: .auto)
                == .forward(ServerAddress(host: "127.0.0.1", port: 7410)))
        #expect(self.head([.holdfastForwarded: "1"]).forwardedCount == 1)
        #expect(self.head([.holdfastForwarded: "yes"]).forwardedCount == NodeLimits.forwardedCountMax)
        #expect(self.head([.holdfastForwarded: "-1"]).forwardedCount == NodeLimits.forwardedCountMax)
    }

    @Test func `a request that was forwarded twice goes no further`() {
        guard
            case .refuse(let problem) = self.api.leaderDecision(
                NodeID(2), head: self.head([.holdfastForwarded: "2"]), forwarding: .auto)
        else {
            Issue.record("forwarded again")
            return
        }
        #expect(problem.document.status == 421)
        #expect(problem.document.leader == "127.0.0.1:7410")
    }

    @Test func `without a leader, or with itself or a stranger named, nothing is forwarded`() {
        for leader in [nil, NodeID(1), NodeID(9)] {
            #expect(self.api.leaderDecision(leader, head: self.head(), forwarding: .auto) == .refuse(.noLeader))
        }
    }

    @Test func `whoever wants no forwarding is told where the leader is`() {
        guard
            case .refuse(let never) = self.api.leaderDecision(NodeID(2), head: self.head(), forwarding: .never),
            case .refuse(let redirect) = self.api.leaderDecision(NodeID(2), head: self.head(), forwarding: .redirect)
        else {
            Issue.record("forwarded")
            return
        }
        #expect(never.document.status == 421)
        #expect(redirect.document.status == 307)
        #expect(redirect.fields[.location] == "http://127.0.0.1:7410/v1/records?forward=redirect")
    }
}

struct NoForwarder: RequestForwarder {
    func forward(
        _ head: HTTPRequest, body: ByteBuffer?, to leader: ServerAddress, timeoutMilliseconds: UInt64,
        reply: @escaping @Sendable (Result<HTTP2Answer, Problem>) -> Void
    ) { reply(.failure(.leaderUnreachable)) }
}
