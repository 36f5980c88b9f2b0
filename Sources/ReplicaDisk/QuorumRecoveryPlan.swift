import DiskIO
import LogModel
import LogState
import RaftCore
import SegmentFormat
import SegmentLog
import SystemPackage

/// Goes on with what one survivor has, when the majority is lost for good, or is there and can elect nobody: nodes that
/// lost a part of their logs wait for a leader to make them whole.
///
///     survivors' directories --> the best of them: last term, then tail (Raft §5.4.1)
///         --> IDENTITY: next generation        what the others say counts for nothing from here on
///         --> VOTE: a new term, its own vote
///         --> log: term start | membership: this node alone, and where it took over
///
/// A majority that returns has the old generation: it is refused and retires, and cannot take the log another way. Each
/// step may be cut off; applying again begins with the first, in another generation.
package struct QuorumRecoveryPlan: Sendable {
    package let survivors: [Survivor]
    /// Whose log the cluster goes on with.
    package let chosen: Survivor
    /// Members of which no directory was given.
    package let lost: [Member]
    package let generation: UInt32

    /// - Parameter survivors: All nodes that are left; at least one.
    package init(_ survivors: [Survivor]) throws(QuorumRecoveryError) {
        guard let chosen = survivors.max(by: { $0.tail < $1.tail }) else {
            preconditionFailure("no survivor to go on with")
        }
        for (number, survivor) in survivors.enumerated() {
            guard survivor.cluster == chosen.cluster else { throw .otherCluster(survivor.directory) }
            guard !survivors[..<number].contains(where: { $0.identity.node == survivor.identity.node }) else {
                throw .sameNode(survivor.identity.node)
            }
            guard survivor.membership.contains(survivor.member) else { throw .notAMember(survivor.directory) }
        }
        let members = survivors.map(\.member)
        guard !Self.canElect(survivors, in: chosen.membership) else { throw .hasQuorum }
        self.survivors = survivors
        self.chosen = chosen
        self.lost = chosen.membership.members.filter { !members.contains($0) }
        self.generation = (survivors.map(\.generation).max() ?? 0) + 1
    }

    /// Whether one of them could lead with the votes of the others.
    private static func canElect(_ survivors: [Survivor], in membership: Membership) -> Bool {
        survivors.contains { candidate in
            candidate.vote == .held && membership.isVoter(candidate.member)
                && membership.hasQuorum { member in
                    survivors.contains { $0.member == member && $0.votes(for: candidate) }
                }
        }
    }

    /// What applying has done.
    package struct Applied: Sendable {
        package var recovery: QuorumRecovery
        package var membership: Membership
        /// The term in which the survivor took over.
        package var term: Term
        /// Copies of what was changed.
        package var kept: [String]
    }

    /// Changes the chosen survivor's directory, and no other.
    ///
    /// - Parameter now: Of the wall clock.
    /// - Throws: ``QuorumRecoveryError/log(_:)``: as long as IDENTITY is of the old generation, nothing has happened.
    package func apply(
        now: Timestamp, life: Life = Life(UInt64.random(in: 1 ... .max)),
        fileSystem: any FileSystem = LinuxFileSystem()
    ) throws(QuorumRecoveryError) -> Applied {
        do {
            return try self.applied(now, life, fileSystem)
        } catch LogError.laterFormat(let file, let version) {
            throw .laterFormat(self.chosen.directory.appending(file), version: version)
        } catch let error as LogError {
            throw .log(error)
        } catch let error as QuorumRecoveryError {
            throw error
        } catch let error as ReplicaOpeningError {
            throw .state("\(error)")
        } catch {
            preconditionFailure("untyped error \(error)")
        }
    }

    private func applied(_ now: Timestamp, _ life: Life, _ fileSystem: any FileSystem) throws -> Applied {
        var configuration = LogConfiguration(directory: self.chosen.directory, node: self.chosen.identity.node)
        // No more is to be allocated than is needed: the disk may be nearly full.
        configuration.segmentByteCountMax = max(
            Self.segmentByteCountMin, Int(self.chosen.tail.position.offset) + Self.roomByteCount)
        var opened = try LogDirectory.open(
            configuration, mode: .cluster, fileSystem: fileSystem, newLife: { life },
            newIncarnation: { self.chosen.identity.incarnation })
        guard let writer = opened.writer, let store = opened.store, let votes = opened.votes else {
            throw ReplicaOpeningError.blank
        }
        try writer.sync()
        let state = HardState(votes.current)
        let recovered = try ReplicaOpening.recover(
            store: store, commit: opened.commit, hardState: state, right: .held, vouched: nil)
        guard recovered.marks.tail.point == self.chosen.tail else {
            throw QuorumRecoveryError.changed(self.chosen.directory)
        }
        let kept = try opened.keepGeneration()
        try opened.changeGeneration(to: self.generation)
        var chain = recovered.marks.tail
        let term = max(state.term, chain.term).next
        try votes.beginGeneration(term: term, vote: self.chosen.member)
        let recovery = QuorumRecovery(
            generation: self.generation, position: chain.tail, nextIndex: chain.nextIndex)
        let membership = Membership(
            voters: [self.chosen.member], addresses: recovered.history.current.membership.addresses,
            recovery: recovery)
        let from = chain.tail
        var bytes: [UInt8] = []
        for draft in [
            FrameDraft.control(.termStart, payload: []), FrameDraft.control(.membership, payload: membership.encoded()),
        ] {
            bytes += chain.place(draft, term: term, node: self.chosen.identity.node, timestamp: now).bytes
        }
        try writer.append(bytes[...], at: from)
        try writer.sync()
        try writer.close()
        return Applied(recovery: recovery, membership: membership, term: term, kept: kept)
    }

    private static let segmentByteCountMin = 1 << 20
    /// For a term start and the largest membership.
    private static let roomByteCount = 64 << 10
}
