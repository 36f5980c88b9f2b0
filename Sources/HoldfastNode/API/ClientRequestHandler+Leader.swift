import HTTP2Transport
import HTTPTypes
import HoldfastClient
import LogModel
import NIOCore
import Replicator

/// What only the leader answers is asked of it, and leadership is handed over.
extension ClientRequestHandler {
    func passToLeader(_ leader: NodeID?, waiting waitMilliseconds: UInt64 = 0, on stream: HTTP2Stream) {
        guard !self.isAnswered, let head else { return }
        switch self.api.leaderDecision(leader, head: head, forwarding: self.forwarding) {
        case .refuse(let problem): self.answer(problem, on: stream)
        case .forward(let address):
            let body = self.route?.bodyByteCountMax == nil ? nil : self.body
            let room: PlaceCount.Place
            do throws(Problem) { room = try self.keepBody() } catch { return self.answer(error, on: stream) }
            let timeout = NodeLimits.forwardTimeoutMilliseconds + waitMilliseconds
            let eventLoop = stream.eventLoop
            let bound = NIOLoopBound((self, stream), eventLoop: eventLoop)
            let request = self.span?.carried(by: head) ?? head
            self.api.forwarder.forward(request, body: body, to: address, timeoutMilliseconds: timeout) { result in
                eventLoop.execute {
                    // As long as the forwarder had the body, be its client there or not.
                    withExtendedLifetime(room) {}
                    let (handler, stream) = bound.value
                    switch result {
                    case .success(let answer): handler.answer(answer.head, answer.body, on: stream)
                    case .failure(let problem): handler.forwardingFailed(problem, on: stream)
                    }
                }
            }
        }
    }

    /// A leader that was not reached has just gone, most of the time: the next one is asked, once it is known. Nothing was
    /// sent, so nothing is done twice.
    private func forwardingFailed(_ problem: Problem, on stream: HTTP2Stream) {
        let now = NIODeadline.now()
        let deadline = self.forwardDeadline ?? now + .milliseconds(NodeLimits.leaderWaitMilliseconds)
        self.forwardDeadline = deadline
        guard problem.isUnsent, now < deadline, !self.isAnswered else {
            var problem = problem
            if self.append == nil, problem.document.applied == .unknown {
                problem.document.hint = self.route == .trim ? Problem.trimAgain : Problem.changeAgain
            }
            return self.answer(problem, on: stream)
        }
        let bound = NIOLoopBound((self, stream), eventLoop: stream.eventLoop)
        stream.eventLoop.scheduleTask(in: .milliseconds(NodeLimits.leaderRetryMilliseconds)) {
            let (handler, stream) = bound.value
            // From the beginning: another node may lead by now, or this one.
            if !handler.isAnswered { handler.receivedEnd(on: stream) }
        }
    }

    func startTransfer(_ query: QueryParameters, on stream: HTTP2Stream) throws(Problem) {
        let node = try query.node("to")
        if let node, self.api.address(of: node) == nil {
            throw .badRequest("node \(node) is not a node of this cluster", hint: "GET /v1/cluster names them.")
        }
        self.run(on: stream) { [api] in
            await api.service.transferLeadership(to: node)
        } then: { handler, stream, result in
            switch result {
            case .success(let leader):
                var writer = JSONWriter()
                writer.object {
                    $0.member("leader", leader.rawValue)
                    if let address = handler.api.address(of: leader) { $0.member("address", address.description) }
                }
                writer.endLine()
                handler.answer(
                    handler.api.head(.ok), ByteBuffer(bytes: writer.bytes),
                    on: stream)
            case .failure(.notLeader(let leader)): handler.passToLeader(leader, on: stream)
            case .failure(let failure): handler.answer(Problem(failure), on: stream)
            }
        }
    }
}
