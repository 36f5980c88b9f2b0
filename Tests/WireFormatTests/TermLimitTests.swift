import LogModel
import Testing
import WireFormat

struct TermLimitTests {
    @Test func `a term that no cluster can reach is refused`() throws {
        let member = Member(node: NodeID(1), incarnation: Incarnation(1))
        for (term, isGood) in [(WireLimits.termMax, true), (WireLimits.termMax + 1, false), (.max, false)] {
            let request = VoteRequest(
                term: Term(term), candidate: member, last: .zero, isPreVote: false, isTransfer: false)
            if isGood {
                #expect(try VoteRequest.decode(request.encoded()[...]) == request)
            } else {
                #expect(throws: WireError.badValue(.term)) { try VoteRequest.decode(request.encoded()[...]) }
            }
        }
    }
}
