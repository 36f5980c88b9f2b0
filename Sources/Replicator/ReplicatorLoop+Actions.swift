import LogModel
import NIOCore
import RaftCore
import ReplicaCore
import SegmentLog
import WireFormat

/// What the core decides, done: to the disk, to peers, to whoever waits.
extension ReplicatorLoop {
    func perform(_ action: ReplicaAction) {
        switch action {
        case .disk(let job):
            if case .write(let bytes, _, _) = job { self.counters.bytesWritten += UInt64(bytes.count) }
            self.disk.enqueue(job)
        case .answer(let id, let result): self.answer(id, result)
        case .transferred(let id, let result):
            self.history.note(.transferred(result))
            self.pending.transfers.removeValue(forKey: id)?(result)
        case .membershipAnswered(let id, let result): self.pending.changes.removeValue(forKey: id)?(result)
        case .membershipChanged(let membership):
            self.history.note(.membershipChanged(membership))
            self.connect(to: membership)
        case .trimmed(let id, let result): self.pending.trims.removeValue(forKey: id)?(result)
        case .send(let message, let member): self.send(message, to: member)
        case .greet(let node): self.links[node]?.ask(.greeting, at: "/peer/v1/greet")
        case .refuse(let refusal, let member): self.refuse(refusal, member)
        case .openStream(let id, let node, let hello): self.links[node]?.openReplicate(id, hello: hello)
        case .closeStream(let id, let node): self.links[node]?.closeReplicate(id)
        case .ship(let range, let id, let node): self.links[node]?.ship(range, on: id)
        case .load(let node, let stream, let from, let through, let byteCountMax):
            self.load(to: node, stream: stream, from: from, through: through, byteCountMax: byteCountMax)
        case .tellTrimmed(let first, let id, let node): self.links[node]?.tellTrimmed(first, on: id)
        case .fetch(let segment, let node): self.fetch(segment, from: node)
        case .dropFetch: self.dropFetch()
        case .fetchCopy(let segment, let node): self.fetchCopy(of: segment, from: node)
        case .installCopy(let segment): self.installCopy(of: segment)
        case .beginAnew: if let copy = self.fetching?.copy { self.beginAnew(copy) }
        case .welcome(let welcome, let id): self.upstreams[id]?.send(.welcome(welcome))
        case .acknowledge(let ack, let id): self.upstreams[id]?.send(.ack(ack))
        case .closeUpstream(let id): self.upstreams.removeValue(forKey: id)?.messages.stream.finish()
        case .committed(let position, let nextIndex):
            self.commitRounds.reached(position, at: self.steppedAt)
            self.unwritten.append(.init(position: position, nextIndex: nextIndex))
            self.showWritten()
            self.tellCommit()
            self.prepareNextSegment()
        case .readReady(let id, let nextIndex): self.pending.reads.removeValue(forKey: id)?.succeed(nextIndex)
        case .readRefused(let id): self.pending.reads.removeValue(forKey: id)?.fail(ReadFailure.notLeader)
        case .roleChanged(let role, let term, let leader): self.roleChanged(role, term: term, leader: leader)
        case .note(let note): self.tell(note)
        }
    }

    private func send(_ message: RaftMessage, to member: Member) {
        switch message {
        case .voteRequest(let request): self.links[member.node]?.ask(.voteRequest(request), at: "/peer/v1/vote")
        case .voteReply(let reply): self.voteUpstreams.removeValue(forKey: member)?.send(.voteReply(reply))
        case .heartbeat(let heartbeat): self.links[member.node]?.sendPulse(.heartbeat(heartbeat))
        case .heartbeatReply(let reply): self.pulseUpstreams[member]?.send(.heartbeatReply(reply))
        case .transferRequest(let request):
            self.links[member.node]?.ask(.transferRequest(request), at: "/peer/v1/transfer")
        case .readRequest(let request): self.links[member.node]?.ask(.readIndexRequest(request), at: "/peer/v1/read")
        case .readReply(let reply): self.readUpstreams.removeValue(forKey: member)?.send(.readIndexReply(reply))
        }
    }

    private func load(to node: NodeID, stream: StreamID, from: Position, through: Position, byteCountMax: Int) {
        let store = self.store
        let bound = NIOLoopBound(self, eventLoop: self.eventLoop)
        self.pool.runIfActive(eventLoop: self.eventLoop) {
            try store.read(from: from, through: through, byteCountMax: byteCountMax)
        }.whenComplete { result in
            switch result {
            case .success(let range):
                bound.value.take(.loaded(bytes: range.bytes, from: range.position, to: node, stream: stream))
            case .failure(let error):
                bound.value.logger.error(
                    "cannot read the log for a follower; trying again",
                    metadata: [
                        "peer": "\(node)", "from": "\(from)", "error": "\(error)",
                        "hint": "look at this node's disk; holdfast transfer-leader lets another one ship meanwhile",
                    ])
                bound.value.take(.loadFailed(to: node, stream: stream))
            }
        }
    }

    private func roleChanged(_ role: RaftRole, term: Term, leader: NodeID?) {
        if role == .candidate { self.counters.elections += 1 }
        if role != .leader { self.commitRounds.dropped() }
        if let leader, leader != self.knownLeader {
            self.counters.leaderChanges += 1
            self.knownLeader = leader
        }
        self.history.note(.roleChanged(role, term: term, leader: leader))
        self.tell(role, term: term, leader: leader)
    }

    /// Once for each segment, as soon as it is the active one.
    func prepareNextSegment() {
        let active = self.core.chain.tail.segment
        guard self.preparedAfter != active else { return }
        if self.preparedAfter != nil {
            self.counters.rotations += 1
            self.history.note(.rotated(to: active))
        }
        self.preparedAfter = active
        self.disk.prepareNextSegment()
    }
}
