import LogModel
import RaftCore
import SegmentFormat
import WireFormat

/// The leader's side of replication: one stream per follower, filled up to its window.
extension ReplicaCore {
    mutating func peerConnected(_ node: NodeID) {
        self.connected.insert(node)
        self.actions.append(.greet(node))
        guard self.raft.role == .leader, self.followers[node] != nil else { return }
        self.followers[node]?.ended(.idle(retryAt: self.now.monotonic))
        self.tend(node)
    }

    mutating func peerDisconnected(_ node: NodeID) {
        self.connected.remove(node)
        self.followers[node]?.ended(.disconnected)
    }

    /// Not leading any more: whoever waits learns that the outcome is unknown.
    mutating func stoppedLeading() {
        guard self.raft.role != .leader else { return }
        let isPlanted = self.configuration.raft.planted == .keepWaitingWhenDeposed
        for ended in isPlanted ? [] : self.pending.removeAll() {
            self.actions.append(.answer(id: ended.id, ended.answer))
        }
        self.dropDeferred()
        self.endTrims(self.trims.removeAll(), .leadershipLost)
        for (node, progress) in self.followers {
            if let stream = progress.stream { self.actions.append(.closeStream(stream, to: node)) }
        }
        self.followers = [:]
        self.abandonMembership()
    }

    mutating func tendFollowers() {
        for node in self.followers.keys.sorted() { self.tend(node) }
    }

    mutating func shipToAll() {
        for node in self.followers.keys.sorted() { self.ship(to: node) }
    }

    /// Opens a stream where one is due, gives up one that is not answered, and carries a commit that waits.
    private mutating func tend(_ node: NodeID) {
        guard let progress = self.followers[node] else { return }
        if let leavesAt = progress.leavesAt, self.now.monotonic >= leavesAt { return self.letGo(node) }
        switch progress.phase {
        case .disconnected: return
        case .idle(let retryAt):
            if self.now.monotonic >= retryAt { self.openStream(to: node) }
        case .greeting(let stream, let deadline):
            if self.now.monotonic >= deadline { self.abandon(stream, to: node) }
        case .streaming:
            self.ship(to: node)
            self.tellCommit(to: node)
        case .fetching: return
        }
    }

    private mutating func letGo(_ node: NodeID) {
        if let stream = self.followers.removeValue(forKey: node)?.stream {
            self.actions.append(.closeStream(stream, to: node))
        }
    }

    private mutating func openStream(to node: NodeID) {
        self.lastStream += 1
        let stream = StreamID(self.lastStream)
        let timeout = self.configuration.limits.welcomeTimeoutMilliseconds
        let deadline = self.now.monotonic.advanced(byMilliseconds: timeout)
        self.followers[node]?.ended(.greeting(stream, deadline: deadline))
        let hello = ReplicateHello(
            cluster: self.configuration.cluster, term: self.raft.term, leader: self.configuration.member)
        self.actions.append(.openStream(stream, to: node, hello))
    }

    mutating func abandon(_ stream: StreamID, to node: NodeID) {
        guard self.followers[node]?.stream == stream else { return }
        self.actions.append(.closeStream(stream, to: node))
        self.streamClosed(stream, to: node)
    }

    mutating func streamClosed(_ stream: StreamID, to node: NodeID) {
        guard let progress = self.followers[node], progress.stream == stream else { return }
        let limits = self.configuration.limits
        let doublings = min(max(0, progress.refusedRangeCount - 1), limits.refusalPauseDoublingsMax)
        let pause = limits.refusalPauseMilliseconds << UInt64(doublings)
        self.followers[node]?.ended(.idle(retryAt: self.now.monotonic.advanced(byMilliseconds: pause)))
    }

    /// Finds the last common position from the two term tables and streams from there.
    mutating func welcomed(
        _ welcome: ReplicateWelcome, from start: MemberStart, on stream: StreamID, by node: NodeID
    ) {
        guard self.raft.role == .leader, case .greeting(stream, _)? = self.followers[node]?.phase else { return }
        guard start.member == welcome.follower, self.admits(start) else { return self.abandon(stream, to: node) }
        if let refusal = welcome.refusal {
            self.actions.append(.note(.streamRefused(by: node, refusal)))
            self.abandon(stream, to: node)
            if self.raft.membership.contains(welcome.follower) { self.consensus(.higherTermSeen(welcome.term)) }
            return
        }
        let isMember = self.raft.membership.contains(welcome.follower) || self.followers[node]?.leavesAt != nil
        guard isMember, welcome.follower.node == node else {
            self.actions.append(.note(.streamRefused(by: node, .wrongIncarnation)))
            self.abandon(stream, to: node)
            return
        }
        self.consensus(.returned(welcome.follower, tail: welcome.tail, persisted: welcome.persisted))
        var common = commonPoint(
            leaderTerms: self.history.current.terms.starts, leaderTail: self.chain.point,
            followerTerms: welcome.terms, followerTail: welcome.tail, followerCommit: welcome.committed)
        if self.configuration.raft.planted == .streamFromCommit { common = welcome.committed }
        guard common.position.segment >= self.segments.first else { return self.tellTrimmed(node, on: stream) }
        let checksum = common == welcome.tail ? welcome.tailChecksum : 0
        self.followers[node]?.began(at: common, checksum: checksum, on: stream, to: start)
        self.ship(to: node)
    }

    /// The address of the byte that follows a frame's end.
    private func continuation(of point: LogPoint) -> Position {
        self.segments.byteCount(of: point.position.segment) == point.position.offset
            ? Position(segment: point.position.segment.next, offset: 0) : point.position
    }

    mutating func acknowledged(_ ack: AckMessage, on stream: StreamID, by node: NodeID) {
        guard self.raft.role == .leader, case .streaming(stream)? = self.followers[node]?.phase,
            let member = self.followers[node]?.member
        else { return }
        if let refusal = ack.refusal {
            self.actions.append(.note(.streamRefused(by: node, refusal)))
            if refusal == .damaged { self.followers[node]?.refusedRange() }
            self.abandon(stream, to: node)
            if self.raft.membership.contains(member) { self.consensus(.higherTermSeen(ack.term)) }
            return
        }
        // The window opens by position: this stream has shown that the follower's log is a prefix of this one. Which of
        // the points vouch for anything is the core's to judge.
        self.followers[node]?.acknowledged(received: ack.received, persisted: ack.persisted)
        // An incarnation without its votes may follow a leader that it has helped to depose: what it holds counts for nothing.
        if self.followers[node]?.isRetired == false {
            self.consensus(.acknowledged(by: member, received: ack.received, persisted: ack.persisted))
            self.drainEffects()
        }
        self.ship(to: node)
        self.learnerAcknowledged(member)
    }

    /// Ships what is due, from memory where it is still there, else from the files.
    mutating func ship(to node: NodeID) {
        let limits = self.configuration.limits
        while let progress = self.followers[node], case .streaming(let stream) = progress.phase, !progress.isLoading {
            guard progress.sent.position < self.chain.tail, progress.inFlightByteCount < limits.windowByteCountMax
            else {
                if progress.owesConfirmation { self.shipCommitAlone(to: node) }
                return
            }
            if let run = self.buffer.run(after: progress.sent, byteCountMax: limits.rangeByteCountMax) {
                self.ship(run.bytes, from: run.from, end: run.end, checksum: run.endChecksum, to: node, on: stream)
                continue
            }
            let from = self.continuation(of: progress.sent)
            // Trimmed since: the next stream begins by telling so.
            guard from.segment >= self.segments.first else { return self.abandon(stream, to: node) }
            let inFlightMax = self.pace.catchUpByteCountMax(limits, now: self.now.monotonic)
            guard from < self.written.position, progress.inFlightByteCount < inFlightMax else { return }
            self.followers[node]?.isLoading = true
            self.actions.append(
                .load(
                    to: node, stream: stream, from: from, through: self.written.position,
                    byteCountMax: limits.rangeByteCountMax))
        }
    }

    mutating func loaded(_ bytes: Bytes, from: Position, to node: NodeID, stream: StreamID) {
        guard self.raft.role == .leader, let progress = self.followers[node], progress.isLoading,
            case .streaming(stream) = progress.phase
        else { return }
        guard from == self.continuation(of: progress.sent), let end = Self.end(of: bytes, from: from) else {
            return self.abandon(stream, to: node)
        }
        self.followers[node]?.isLoading = false
        self.ship(bytes, from: from, end: end.point, checksum: end.checksum, to: node, on: stream)
        self.ship(to: node)
    }

    /// The last frame's end, found by walking the headers.
    private static func end(of bytes: Bytes, from: Position) -> (point: LogPoint, checksum: UInt32)? {
        var offset = from.offset == 0 ? SegmentHeader.byteCount : 0
        var last: FrameHeader?
        let span = bytes.span.bytes
        while offset < span.byteCount {
            guard let header = try? FrameHeader.decode(span.extracting(offset..<span.byteCount)),
                header.length > 0, offset + Int(header.length) <= span.byteCount
            else { return nil }
            offset += Int(header.length)
            last = header
        }
        guard let last else { return nil }
        return (LogPoint(term: last.term, position: from.advanced(by: offset)), last.headerChecksum)
    }

    private mutating func ship(
        _ bytes: Bytes, from: Position, end: LogPoint, checksum: UInt32, to node: NodeID, on stream: StreamID
    ) {
        guard let progress = self.followers[node] else { return }
        let commit = self.commit
        let range = RangeMessage(
            term: self.raft.term, commit: commit, from: from, previous: progress.sent,
            previousChecksum: progress.sentChecksum, rawByteCount: UInt32(bytes.count), encoding: .identity, body: bytes
        )
        self.followers[node]?.shipped(through: end, checksum: checksum, byteCount: bytes.count, commit: commit)
        self.actions.append(.ship(range, on: stream, to: node))
    }

    /// A follower has not heard that the log is committed so far, and the next tick tells it.
    package func owes(_ commit: Position) -> Bool {
        self.followers.values.contains { progress in
            if case .streaming = progress.phase { self.owes(commit, to: progress) } else { false }
        }
    }

    /// What is on its way, or read from the files, tells a follower that is behind.
    private func owes(_ commit: Position, to progress: FollowerProgress) -> Bool {
        progress.toldCommit < commit && !progress.isLoading
            && progress.inFlightByteCount < self.configuration.limits.windowByteCountMax
    }

    /// Sends a commit position that found no RANGE to travel on.
    private mutating func tellCommit(to node: NodeID) {
        guard let progress = self.followers[node], self.owes(self.commit, to: progress) else { return }
        self.shipCommitAlone(to: node)
    }

    private mutating func shipCommitAlone(to node: NodeID) {
        guard let progress = self.followers[node], let stream = progress.stream else { return }
        self.ship(
            [], from: self.continuation(of: progress.sent), end: progress.sent, checksum: progress.sentChecksum,
            to: node,
            on: stream)
    }
}
