import DiskIO
import LogModel
import RaftCore
import ReplicaCore
import SegmentLog

/// A node's directory, opened, with what its core starts from.
package struct OpenedReplica: Sendable {
    package var opened: OpenedLog
    /// `nil` in a blank directory.
    package var recovered: RecoveredReplica?

    package init(_ opened: OpenedLog, _ recovered: RecoveredReplica? = nil) {
        self.opened = opened
        self.recovered = recovered
    }
}

extension ReplicaOpening {
    /// Openings in a row that may each find damage further ahead.
    private static let attemptsMax = 64

    /// Opens a node's directory whatever is damaged in it, as far as its peers can make it good.
    ///
    ///     damage in sealed segments that the node need not read now --> quarantined, repaired while it runs
    ///     damage from the segment with the stored commit on         --> the log ends before it, the leader sends the rest
    ///     nothing good is left                                      --> blank, and the node may not vote
    ///
    /// - Parameter hasPeers: Without them nothing can be made good: damage is refused, and nothing is changed.
    /// - Throws: ``ReplicaOpeningError``; the directory is unlocked again.
    package static func open(
        _ configuration: LogConfiguration, hasPeers: Bool = true, fileSystem: any FileSystem,
        newLife: () -> Life = { Life(UInt64.random(in: 1 ... .max)) }, newIncarnation: () -> Incarnation
    ) throws(ReplicaOpeningError) -> OpenedReplica {
        var configuration = configuration
        configuration.recovery = hasPeers ? .quarantineDamage : .refuseDamage
        var lost: Damage?
        for _ in 0..<Self.attemptsMax {
            do throws(ReplicaOpeningError) {
                return try Self.openOnce(&configuration, fileSystem, newLife, newIncarnation)
            } catch {
                guard hasPeers, case .log(.damaged(let damage)) = error else { throw error }
                if let known = lost, !damage.begins(before: known) {
                    guard configuration.givenUp != .everything else { throw error }
                    configuration.givenUp = .everything
                } else {
                    lost = damage
                    configuration.givenUp = .from(damage)
                }
            }
        }
        throw .log(.damaged(lost ?? Damage(.first, 0..<0, .lost)))
    }

    /// In a function of its own, so that a directory that cannot be used is unlocked on the way out.
    private static func openOnce(
        _ configuration: inout LogConfiguration, _ fileSystem: any FileSystem, _ newLife: () -> Life,
        _ newIncarnation: () -> Incarnation
    ) throws(ReplicaOpeningError) -> OpenedReplica {
        let opened: OpenedLog
        do throws(LogError) {
            opened = try LogDirectory.open(
                configuration, mode: .cluster, fileSystem: fileSystem, newLife: newLife, newIncarnation: newIncarnation)
        } catch { throw .log(error) }
        guard opened.writer != nil else { return OpenedReplica(opened) }
        // The next look finds no clean stop any more.
        configuration.vouched = opened.vouched
        return OpenedReplica(opened, try Self.recover(opened))
    }

    /// Syncs what recovery kept, and rebuilds the state at its tail.
    package static func recover(_ opened: OpenedLog) throws(ReplicaOpeningError) -> RecoveredReplica {
        guard let writer = opened.writer, let store = opened.store, let votes = opened.votes else { throw .blank }
        do { try writer.sync() } catch { throw .log(error) }
        var recovered = try Self.recover(
            store: store, commit: opened.commit, hardState: HardState(votes.current), right: VotingRight(opened.bar),
            vouched: votes.vouched)
        recovered.retirement = votes.retirement
        recovered.sightings = opened.starts?.found ?? []
        return recovered
    }
}

extension Damage {
    fileprivate func begins(before other: Damage) -> Bool {
        (self.segment, self.range.lowerBound) < (other.segment, other.range.lowerBound)
    }
}

extension VotingRight {
    package init(_ bar: VotingBar) {
        switch bar {
        case .none: self = .held
        case .untilLevel: self = .lostUntilLevel
        }
    }
}
