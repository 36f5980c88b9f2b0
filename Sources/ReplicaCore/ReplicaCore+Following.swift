import LogModel
import LogState
import RaftCore
import SegmentFormat
import WireFormat

/// The follower's side of replication: every frame is checked before it is stored.
extension ReplicaCore {
    /// A leader opened a stream: answers with this node's tail and term table (its read-from position).
    mutating func greeted(_ hello: ReplicateHello, from start: MemberStart, on stream: StreamID) {
        guard start.member == hello.leader, self.admits(start) else {
            return self.actions.append(.closeUpstream(stream))
        }
        if hello.term >= self.raft.term, self.refusal(of: hello) == nil {
            self.consensus(.leaderSpoke(term: hello.term, leader: hello.leader))
            self.drainEffects()
        }
        let isLeader = self.raft.term == hello.term && self.raft.leader == hello.leader.node
        let refusal = self.refusal(of: hello) ?? (isLeader ? nil : .staleTerm)
        let chain = self.chain
        self.actions.append(
            .welcome(
                ReplicateWelcome(
                    term: self.raft.term, follower: self.configuration.member, refusal: refusal, tail: chain.point,
                    tailChecksum: chain.previousChecksum, first: Position(segment: self.segments.first, offset: 0),
                    committed: self.marks.committed.point, persisted: self.persisted,
                    terms: self.history.current.terms.starts),
                on: stream))
        guard refusal == nil else { return self.actions.append(.closeUpstream(stream)) }
        if let old = self.upstream, old.stream != stream { self.actions.append(.closeUpstream(old.stream)) }
        self.upstream = Upstream(stream: stream, leader: hello.leader)
    }

    private func refusal(of hello: ReplicateHello) -> StreamRefusal? {
        if hello.cluster != self.configuration.cluster { return .wrongCluster }
        return hello.leader.node == self.configuration.member.node ? .wrongNode : nil
    }

    mutating func upstreamClosed(_ stream: StreamID) {
        if self.upstream?.stream == stream { self.upstream = nil }
    }

    /// Follower side of AppendEntries (Raft §5.3, Figure 2), over byte ranges.
    mutating func received(_ range: RangeMessage, raw: Bytes, on stream: StreamID) {
        guard let upstream = self.upstream, upstream.stream == stream else {
            return self.actions.append(.closeUpstream(stream))
        }
        self.consensus(.leaderSpoke(term: range.term, leader: upstream.leader))
        self.drainEffects()
        guard range.term == self.raft.term, self.raft.leader == upstream.leader.node else {
            return self.refuse(.staleTerm, on: stream)
        }
        guard self.align(to: range, on: stream) else { return }
        if self.laterFormat?.leader != upstream.leader.node { self.laterFormat = nil }
        if raw.isEmpty {
            self.accepted(newTerms: [], range: range)
            self.acknowledgeUpstream()
            return
        }
        guard let fault = self.store(raw, from: range.from, commit: range) else {
            self.laterFormat = nil
            return
        }
        self.noteRefusal(of: fault, from: upstream.leader.node)
        self.refuse(.damaged, on: stream)
    }

    /// A range of a later format comes again and again: that is news once.
    private mutating func noteRefusal(of fault: RangeFault, from leader: NodeID) {
        guard let version = fault.laterVersion else {
            return self.actions.append(.note(.refusedRange(from: leader, fault.words)))
        }
        let found = LaterFormat(leader: leader, version: version)
        guard found != self.laterFormat else { return }
        self.laterFormat = found
        self.actions.append(.note(.laterFormat(from: leader, version: version)))
    }

    mutating func refuse(_ refusal: StreamRefusal, on stream: StreamID) {
        self.actions.append(
            .acknowledge(
                AckMessage(term: self.raft.term, received: self.written, persisted: self.persisted, refusal: refusal),
                on: stream))
        self.actions.append(.closeUpstream(stream))
        if self.upstream?.stream == stream { self.upstream = nil }
    }

    /// Makes this log end where the range continues; cuts a divergent suffix at a stream's first range.
    private mutating func align(to range: RangeMessage, on stream: StreamID) -> Bool {
        let chain = self.chain
        if range.previous == chain.point {
            guard range.previousChecksum == 0 || range.previousChecksum == chain.previousChecksum else {
                self.refuse(.mismatch(at: chain.point), on: stream)
                return false
            }
            self.confirmUpstream()
            return true
        }
        guard self.upstream?.isConfirmed == false, range.previous.position < chain.tail,
            self.marks.chain(at: range.previous) != nil
        else {
            self.refuse(.mismatch(at: chain.point), on: stream)
            return false
        }
        if self.configuration.raft.planted == .skipTruncate {
            self.confirmUpstream()
            self.acknowledgeUpstream()
            return false
        }
        self.truncate(to: range.previous)
        self.confirmUpstream()
        return true
    }

    private mutating func confirmUpstream() {
        self.upstream?.isConfirmed = true
        self.dropFetch()
    }

    private mutating func truncate(to point: LogPoint) {
        precondition(point.position >= self.commit, "asked to cut \(point), which is committed through \(self.commit)")
        let tail = self.chain.tail
        self.history.truncate(from: point.position)
        self.marks.truncate(to: point)
        self.buffer.truncate(to: point)
        self.segments.truncate(to: point.position)
        self.trimMarks.truncate(to: point.position)
        self.repairs.truncated(to: point.position)
        self.repairsChanged()
        if self.written.position > point.position { self.written = point }
        if self.persisted.position > point.position { self.persisted = point }
        self.diskGeneration += 1
        self.actions.append(.disk(.truncate(to: point, generation: self.diskGeneration)))
        self.actions.append(.note(.truncated(to: point, from: tail)))
        self.consensus(.truncated(to: point, terms: self.history.current.terms.starts))
        self.membershipMayHaveChanged()
    }

    /// Checks the frames, takes them into the state, and hands them to the disk.
    ///
    /// - Returns: What is wrong with the range; nothing of it was taken then.
    private mutating func store(_ raw: Bytes, from: Position, commit range: RangeMessage) -> RangeFault? {
        var chain = self.chain
        let start = chain.point
        let startChecksum = chain.previousChecksum
        let isNewSegment = from == Position(segment: chain.tail.segment.next, offset: 0)
        guard from == chain.tail || isNewSegment else {
            return .other("it begins at \(from), this log ends at \(chain.tail)")
        }
        var frames: [(header: FrameHeader, payload: Bytes, position: Position)] = []
        do throws(FrameDefect) {
            try chain.accept(range: raw, at: from) { (header, frame, position) throws(FrameDefect) in
                frames.append((header, frame.dropFirst(header.headerByteCount), position))
            }
        } catch { return .frame(error) }
        guard let last = frames.last, last.header.term <= range.term else {
            return .other("it has frames of a later term")
        }
        var ends = self.chain
        for frame in frames {
            let end = frame.position.advanced(by: Int(frame.header.length))
            do {
                try self.history.apply(frame.header, payload: frame.payload, at: frame.position, end: end)
            } catch {
                self.history.truncate(from: start.position)
                self.marks.truncate(to: start)
                self.trimMarks.truncate(to: start.position)
                return .other("\(error)")
            }
            self.noteTrim(frame.header, end: end)
            ends.advance(over: frame.header, at: frame.position)
            self.marks.append(ends, byteCount: Int(frame.header.length))
        }
        if isNewSegment { self.segments.began(at: frames[0].header.firstIndex, behind: start.position) }
        self.buffer.append(
            .init(
                from: from, previous: start, previousChecksum: startChecksum, bytes: raw, end: chain.point,
                endChecksum: chain.previousChecksum),
            written: self.written.position)
        self.actions.append(.disk(.write(raw, at: from, generation: self.diskGeneration)))
        self.membershipMayHaveChanged()
        self.accepted(
            newTerms: self.history.current.terms.starts.filter { $0.position >= start.position }, range: range)
        return nil
    }

    private mutating func accepted(newTerms: [TermStart], range: RangeMessage) {
        self.consensus(.accepted(through: self.chain.point, newTerms: newTerms, leaderCommit: range.commit))
    }
}

/// What a leader ships that this build does not read.
struct LaterFormat: Hashable, Sendable {
    var leader: NodeID
    var version: UInt16
}

/// Why nothing of a range is taken.
private enum RangeFault {
    case frame(FrameDefect)
    case other(String)

    var laterVersion: UInt16? { if case .frame(let defect) = self { defect.laterVersion } else { nil } }

    var words: String {
        switch self {
        case .frame(let defect): "\(defect)"
        case .other(let words): words
        }
    }
}
