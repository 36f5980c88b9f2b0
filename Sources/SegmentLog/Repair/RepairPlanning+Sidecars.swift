import DiskIO
import LogModel
import LogState
import SegmentFormat

/// The files beside the segments.
extension RepairPlanning {
    mutating func planVotes(_ cut: Position?) {
        guard self.found.isCluster else { return }
        let isVoteDamaged = self.found.findings.contains { $0.file == LogFiles.vote && $0.severity == .damage }
        if isVoteDamaged {
            self.plan.unknown.append(
                "VOTE is not repaired: whom this node voted for is unknown. Started, it stores the log, and neither votes nor "
                    + "counts until another incarnation takes its place (holdfast member replace)")
        } else if cut != nil || self.found.durable == nil || self.losesUnsynced {
            // First of all: whatever is done of the rest, and whatever is planned then, the node is barred.
            self.plan.actions.insert(.bar, at: 0)
        }
    }

    mutating func planDurable(_ cut: Position?) throws(LogError) {
        guard cut != nil || self.found.durable == nil else { return }
        guard let chain = self.mended.soundChain,
            let first = self.mended.segments.first(where: { $0.condition != .trimmed })
        else {
            if self.plan.unresolved.isEmpty {
                self.plan.unresolved.append("DURABLE cannot be made again: no segment is whole")
            }
            return
        }
        if self.found.durable == nil {
            self.plan.unknown.append(
                "DURABLE is unreadable: how far the log was synced and committed is unknown. The log ends at \(chain.tail), "
                    + "where its last whole frame ends; records that were acknowledged may have stood behind")
        }
        let known: Position
        if let commit = self.found.durable?.commit {
            known = min(commit, chain.tail)
        } else {
            known = min(try self.endOfCheckpoint(first.id), chain.tail)
        }
        self.plan.actions.append(
            .writeDurable(
                RepairPlan.NewDurable(
                    term: chain.term.rawValue, segment: chain.tail.segment.rawValue, offset: chain.tail.offset,
                    commitSegment: known.segment.rawValue, commitOffset: known.offset,
                    first: self.found.durable?.first.rawValue ?? first.id.rawValue),
                keptAs: self.names.contains(LogFiles.durable) ? self.freeName(LogFiles.durable) : nil))
    }

    /// A log is trimmed only up to where it is committed: its first checkpoint is.
    func endOfCheckpoint(_ segment: SegmentID) throws(LogError) -> Position {
        let start = Position(segment: segment, offset: UInt32(SegmentHeader.byteCount))
        let source = self.sources[segment]?.path ?? self.files.path(of: segment)
        let bytes = try disk { () throws(DiskError) in
            try self.files.fileSystem.open(source, .read).read(
                at: Int(start.offset), count: FrameHeader.producerByteCount)
        }
        return start.advanced(by: Int((try? FrameHeader.decode(bytes.span.bytes))?.length ?? 0))
    }

    mutating func planIdentity() {
        let isDamaged = self.found.findings.contains { $0.file == LogFiles.identity && $0.severity == .damage }
        let isOther = self.options.node.map { self.found.identity?.node != NodeID($0) } ?? false
        guard isDamaged || isOther else { return }
        if let identity = self.found.identity, let node = self.options.node {
            self.plan.findings.append("IDENTITY says that this is node \(identity.node), and not node \(node)")
        }
        guard let node = self.options.node else {
            self.plan.unresolved.append("IDENTITY does not say whose directory this is: --plan --node N must")
            return
        }
        guard let cluster = self.mended.cluster else {
            self.plan.unresolved.append("no segment's header says which cluster this is")
            return
        }
        var incarnation = Incarnation(self.options.incarnation)
        if self.found.isCluster {
            guard let member = self.mended.membership?.member(NodeID(node)) else {
                self.plan.unresolved.append(
                    "the log does not name a node \(node) among the cluster's members, so its incarnation is unknown")
                return
            }
            incarnation = member.incarnation
            self.plan.unknown.append(
                "whether this was the directory of node \(node): the log is the same in each, so make sure of it")
        } else {
            self.plan.unknown.append("the incarnation in IDENTITY was random, and is a new one")
        }
        guard isDamaged else {
            return self.planIdentity(
                cluster, node, incarnation, starts: self.found.identity?.starts ?? self.options.startsAfterLoss)
        }
        self.plan.unknown.append(
            "how often the directory was opened is unknown: counted on from \(self.options.startsAfterLoss)")
        self.planIdentity(cluster, node, incarnation, starts: self.options.startsAfterLoss)
    }

    mutating func planIdentity(
        _ cluster: ClusterID, _ node: UInt32, _ incarnation: Incarnation, starts: UInt64
    ) {
        self.plan.actions.append(
            .writeIdentity(
                RepairPlan.NewIdentity(
                    cluster: cluster.description, node: node, incarnation: incarnation.rawValue,
                    generation: self.found.identity?.generation ?? self.mended.membership?.recovery?.generation ?? 1,
                    starts: starts),
                keptAs: self.names.contains(LogFiles.identity) ? self.freeName(LogFiles.identity) : nil))
    }
}
