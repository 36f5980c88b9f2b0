import DiskIO
import LogModel
import LogState
import SegmentFormat
import SegmentLog
import SystemPackage

/// What a stopped node's directory holds, for whoever has lost the majority. Only reads.
package struct Survivor: Sendable {
    package var directory: FilePath
    package var identity: NodeIdentity
    package var cluster: ClusterID
    /// The newest in its log, committed or not.
    package var membership: Membership
    /// Where the log ends, and the index behind its last record.
    package var tail: LogPoint
    package var nextIndex: LogIndex
    /// What is committed for sure, and the index behind its last record; `nil` when that cannot be found.
    package var commit: Position
    package var committedNextIndex: LogIndex?
    package var vote: Vote

    /// Whom it would help to elect.
    package enum Vote: Hashable, Sendable {
        case held
        /// Whoever has what it may have vouched for, if that is known; never itself.
        case barred(vouched: LogPoint?)
        /// Nobody any more: see ``Retirement``.
        case lost
    }

    package var member: Member { self.identity.member }

    /// The generation that it belongs to, by its IDENTITY or by its log.
    package var generation: UInt32 { max(self.identity.generation, self.membership.recovery?.generation ?? 0) }

    /// - Throws: ``QuorumRecoveryError/laterFormat(_:version:)``, ``QuorumRecoveryError/damaged(_:)``,
    ///   ``QuorumRecoveryError/blank(_:)``, ``QuorumRecoveryError/log(_:)``.
    /// - Complexity: Reads the whole log once.
    package static func look(
        at directory: FilePath, fileSystem: any FileSystem = LinuxFileSystem(),
        progress: @escaping (Int, Int) -> Void = { _, _ in }
    ) throws(QuorumRecoveryError) -> Survivor {
        let report: AuditReport
        do throws(LogError) {
            report = try LogAudit.run(directory, fileSystem: fileSystem, progress: progress)
        } catch {
            throw .log(error)
        }
        if let later = report.findings.laterFormat {
            throw .laterFormat(directory.appending(later.file), version: later.version)
        }
        if let identity = report.identity, identity.cluster == nil, report.soundChain == nil { throw .blank(directory) }
        let isDamaged = report.findings.contains {
            $0.severity == .damage && $0.file != "VOTE" || $0.severity == .unclear
        }
        guard !isDamaged else { throw .damaged(directory) }
        guard let identity = report.identity, let cluster = identity.cluster, let chain = report.soundChain,
            let durable = report.durable, let membership = report.membership, !membership.voters.isEmpty
        else { throw .blank(directory) }
        let commit = min(durable.commit, chain.tail)
        return Survivor(
            directory: directory, identity: identity, cluster: cluster, membership: membership, tail: chain.point,
            nextIndex: chain.nextIndex, commit: commit,
            committedNextIndex: Self.nextIndex(
                at: commit, of: directory.appending(commit.segment.fileName), fileSystem),
            vote: Self.vote(report.votes))
    }

    private static func vote(_ votes: VoteSlot?) -> Vote {
        guard let votes, votes.retirement == nil else { return .lost }
        return votes.bar == .none ? .held : .barred(vouched: votes.vouched)
    }

    /// Whether it would help to elect that one (see ``VotingRight``).
    func votes(for candidate: Survivor) -> Bool {
        switch self.vote {
        case .held: self.tail <= candidate.tail
        case .barred(let vouched): vouched.map { max($0, self.tail) <= candidate.tail } ?? false
        case .lost: false
        }
    }

    /// The index behind a position, by the frames before it in its segment.
    private static func nextIndex(
        at position: Position, of file: FilePath, _ fileSystem: any FileSystem
    ) -> LogIndex? {
        guard let file = try? fileSystem.open(file, .read),
            let head = try? file.read(at: 0, count: SegmentHeader.byteCount),
            let segment = try? SegmentHeader.decode(head.span.bytes)
        else { return nil }
        var index = segment.firstIndex
        var offset = SegmentHeader.byteCount
        while offset < Int(position.offset) {
            guard let bytes = try? file.read(at: offset, count: FrameHeader.producerByteCount),
                let header = try? FrameHeader.decode(bytes.span.bytes), header.length > 0
            else { return nil }
            index = header.nextIndex
            offset += Int(header.length)
        }
        return offset == Int(position.offset) ? index : nil
    }
}

/// Why a quorum is not recovered.
package enum QuorumRecoveryError: Error, Hashable, Sendable {
    /// Nothing was changed, or the directory is of the new generation already: calling the same again goes on.
    case log(LogError)
    case state(String)
    /// The log ends elsewhere than when it was looked at.
    case changed(FilePath)
    /// A later release has written this segment: that one can say what the survivor has. Nothing was changed.
    case laterFormat(FilePath, version: UInt16)
    /// To be repaired first.
    case damaged(FilePath)
    /// No log of a cluster.
    case blank(FilePath)
    /// The directories are not of one cluster.
    case otherCluster(FilePath)
    case sameNode(NodeID)
    /// Its own log does not name it.
    case notAMember(FilePath)
    /// The nodes that are left can elect one of them: nothing needs to be given up.
    case hasQuorum
}
