import Foundation
import Replicator

/// What is legal but unwise.
package enum ConfigurationWarning: Hashable, Sendable {
    case evenCount(Int)
    case manyNodes(Int)
    /// Some nodes can be reached from other machines, these cannot.
    case loopbackAmongOthers([UInt32])
    case unsynced
    case exposed
    /// The admin listener alone.
    case exposedAdmin
    case neverScrubbed
    /// Milliseconds.
    case shortElectionTimeout(UInt64)
    case longWindow(UInt64)
    case smallSegments(Int)
    case certificateEnds(String, at: Date)
    /// The node's certificate names another cluster than its authority.
    case otherAuthority(String, authority: String)

    static func all(of configuration: NodeConfiguration) -> [ConfigurationWarning] {
        var warnings: [ConfigurationWarning] = []
        let count = configuration.peers.count
        if count % 2 == 0, !configuration.isJoining { warnings.append(.evenCount(count)) }
        if count > 7 { warnings.append(.manyNodes(count)) }
        let hidden = configuration.peers.filter(\.peerAddress.isLoopback)
        if !hidden.isEmpty, hidden.count < count {
            warnings.append(.loopbackAmongOthers(hidden.map(\.node.rawValue)))
        }
        if configuration.policy == .os { warnings.append(.unsynced) }
        if case .batch(let window) = configuration.policy, window > 100 { warnings.append(.longWindow(window)) }
        let security = configuration.security
        if !configuration.clientListen.isLoopback && !security.missingForClients.isEmpty
            || !configuration.peerListen.isLoopback && !security.missingForPeers.isEmpty
            || !configuration.adminListen.isLoopback && security.tokens == nil
        {
            warnings.append(.exposed)
        } else if !configuration.adminListen.isLoopback {
            warnings.append(.exposedAdmin)
        }
        if configuration.scrubBytesPerSecond == 0 { warnings.append(.neverScrubbed) }
        let shortest = configuration.electionTimeoutMilliseconds.lowerBound
        if shortest < 100 { warnings.append(.shortElectionTimeout(shortest)) }
        if configuration.segmentByteCountMax < 8 << 20 {
            warnings.append(.smallSegments(configuration.segmentByteCountMax))
        }
        return warnings
    }
}

extension ConfigurationWarning: CustomStringConvertible {
    package var description: String {
        switch self {
        case .evenCount(let count):
            "peers: \(count) nodes bear the loss of \((count - 1) / 2), as \(count - 1) would"
        case .manyNodes(let count):
            "peers: \(count) nodes: each one more makes every append wait for more disks; 3, 5 or 7 are usual"
        case .loopbackAmongOthers(let nodes):
            "peers: \(nodes.map { "node \($0)" }.joined(separator: ", ")) can be found from its own machine only"
        case .unsynced:
            "fsync.policy: os acknowledges what no disk need have; a power cut of a majority loses it"
        case .exposed:
            "listen.insecure: whoever reaches the listeners may read and write; a firewall has to keep others off"
        case .exposedAdmin:
            "listen.admin: this listener speaks no TLS: tokens and records that go there can be read on the way; a firewall "
                + "has to let scrapers and proxies in only"
        case .neverScrubbed:
            "scrub.rate: 0 finds rot only when somebody reads it, perhaps after the last good copy is gone"
        case .shortElectionTimeout(let milliseconds):
            "election.timeout.min: after \(milliseconds) ms a slow disk looks like a dead leader"
        case .longWindow(let milliseconds):
            "fsync.window: every append waits up to \(milliseconds) ms for its sync"
        case .smallSegments(let byteCount):
            "segment.size: files of \(Units.spelled(byteCount: UInt64(byteCount))) are many files; 64MiB and more are usual"
        case .certificateEnds(let holder, let date):
            "tls.certificate: that of \(holder) ends at \(date.formatted(.iso8601)), and then no peer takes it any more"
        case .otherAuthority(let holder, let authority):
            "tls.ca: \(authority) has signed for \(holder): peers take only nodes of their own cluster's name"
        }
    }
}
