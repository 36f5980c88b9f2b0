import HTTPTypes
import LogModel
import Testing

@testable import HoldfastClient

@Suite struct AppendVerdictTests {
    func problem(
        _ status: Int, applied: ProblemDocument.Applied = .no, leader: String? = nil
    ) -> AppendVerdict {
        let document = ProblemDocument(
            title: "", status: status, code: "CODE", detail: "why", hint: "", applied: applied, leader: leader)
        return AppendVerdict(status: .init(code: status), isDuplicate: false, body: document.json)
    }

    @Test func `an acknowledgement is one, first or repeated`() {
        let receipt = AppendReceipt(
            first: LogIndex(1), last: LogIndex(1), position: Position(0, 64), term: Term(1), durability: .replicated,
            nodes: 2, voters: 3, isDuplicate: true)
        #expect(AppendVerdict(status: .ok, isDuplicate: true, body: receipt.json) == .acknowledged(receipt))
        guard case .stop(.outcomeUnknown) = AppendVerdict(status: .created, isDuplicate: false, body: []) else {
            Issue.record("an unreadable acknowledgement")
            return
        }
    }

    @Test func `what may pass is tried again, and is uncertain only when the server says so`() {
        #expect(self.problem(503) == .retry(mayBeApplied: false, leader: nil, reason: "CODE: why"))
        #expect(self.problem(504, applied: .unknown) == .retry(mayBeApplied: true, leader: nil, reason: "CODE: why"))
        #expect(self.problem(429) == .retry(mayBeApplied: false, leader: nil, reason: "CODE: why"))
        let leader = ServerAddress(host: "127.0.0.1", port: 7410)
        #expect(
            self.problem(421, leader: "127.0.0.1:7410")
                == .retry(mayBeApplied: false, leader: leader, reason: "CODE: why"))
    }

    @Test func `what will not pass stops`() {
        for status in [400, 409, 413, 415, 507] {
            guard case .stop(.refused(let document)) = self.problem(status) else {
                Issue.record("\(status)")
                continue
            }
            #expect(document.status == status)
        }
        #expect(self.problem(409, applied: .unknown) == .stop(.outcomeUnknown("CODE: why")))
    }

    @Test func `an answer that is none of ours is uncertain`() {
        #expect(
            AppendVerdict(status: .badGateway, isDuplicate: false, body: Array("<html>".utf8))
                == .retry(mayBeApplied: true, leader: nil, reason: "status 502"))
    }
}
