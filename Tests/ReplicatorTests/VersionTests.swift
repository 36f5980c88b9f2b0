import HTTPTypes
import LogModel
import Logging
import ReplicaCore
import SegmentFormat
import SegmentLog
import TestSupport
import Testing
import WireFormat

@testable import Replicator

@Suite struct VersionTests {
    @Test(.timeLimit(.minutes(1)))
    func `a leader of a later protocol is refused by name, once, and the cluster goes on`() async throws {
        try await Self.withLeader { leader, group, journal in
            let status = await leader.status()
            let cluster = try #require(status.cluster)
            for _ in 0..<3 { await Self.greet(leader, of: cluster, version: WireLimits.versionMax + 1) }
            try await group.until { _ in !journal.messages.isEmpty }
            #expect(
                journal.messages.filter { $0.contains("of the peer protocol") } == [
                    "a peer speaks another version of the peer protocol"
                ])
            // Its term, the highest there is, counts for nothing.
            let outcome = try await leader.append(Submission(try .records([Record("still here")])))
            #expect(outcome.term == status.term)
        }
    }

    @Test(.timeLimit(.minutes(1)), arguments: ["vote", "pulse", "read", "transfer", "replicate", "greet", "refuse"])
    func `no request of a later protocol is read, and whoever asked learns the version`(kind: String) async throws {
        let group = try await ReplicatorGroup()
        do {
            let leader = try await group.leader()
            let cluster = try #require(await leader.status().cluster)
            // Messages are in the highest version that is named.
            for (version, isTaken) in [
                ("2", false), ("1-2", false), ("x", false), ("2-1", false), ("1", true), ("0-1", true), (nil, true),
            ] {
                // A vote or a read that nobody asks for would be waited for.
                if isTaken, kind == "vote" || kind == "read" { continue }
                let greeting = PeerGreeting(cluster: cluster, version: version, path: "/peer/v1/\(kind)")
                let head = try await greeting.open(on: leader)
                #expect(head.status == (isTaken ? .ok : .badRequest), "\(version ?? "none")")
                #expect(head.headerFields[.holdfastProtocol] == "1")
            }
        } catch { Issue.record(error) }
        await group.end()
    }

    @Test(.timeLimit(.minutes(1)))
    func `a peer that offers a later version, too, is answered with what is spoken here, and nobody is told`()
        async throws
    {
        try await Self.withLeader { leader, group, journal in
            let cluster = try #require(await leader.status().cluster)
            let later = try await PeerGreeting(cluster: cluster, version: "1-2").open(on: leader)
            #expect(later.status == .badRequest && later.headerFields[.holdfastProtocol] == "1")
            let other = try await PeerGreeting(cluster: cluster, version: "2-3").open(on: leader)
            #expect(other.status == .badRequest && other.headerFields[.holdfastProtocol] == "1")
            try await group.until { _ in !journal.messages.isEmpty }
            #expect(journal.messages.count { $0.contains("of the peer protocol") } == 1, "of the second one")
        }
    }

    @Test(.timeLimit(.minutes(1)))
    func `a peer that was understood meanwhile is told of again`() async throws {
        try await Self.withLeader { leader, group, journal in
            let cluster = try #require(await leader.status().cluster)
            var count: Int { journal.messages.count { $0.contains("of the peer protocol") } }
            await Self.greet(leader, of: cluster, version: WireLimits.versionMax + 1)
            try await group.until { _ in count == 1 }
            // It leads a term that is long over, and is answered so.
            await Self.greet(leader, of: cluster, version: WireLimits.versionMax, term: .zero)
            await Self.greet(leader, of: cluster, version: WireLimits.versionMax + 1)
            try await group.until { _ in count == 2 }
        }
    }

    @Test(.timeLimit(.minutes(1)))
    func `a message of another version than its request is refused by name, once, and counts for nothing`()
        async throws
    {
        try await Self.withLeader { leader, group, journal in
            let cluster = try #require(await leader.status().cluster)
            let words = "states another version of the peer protocol than its stream's"
            var count: Int { journal.messages.count { $0.contains(words) } }
            let version = WireLimits.versionMax
            for _ in 0..<3 { await Self.greet(leader, of: cluster, version: version, stated: version + 1) }
            try await group.until { _ in count > 0 }
            #expect(count == 1)
            let after = await leader.status()
            // A busy machine may have elected another leader meanwhile; the message's term is the highest there is.
            #expect(after.term < Term(.max))
            // What it speaks is spoken here.
            #expect(after.peers.allSatisfy { $0.otherProtocol == nil })
            await Self.greet(leader, of: cluster, version: version, term: .zero)
            await Self.greet(leader, of: cluster, version: version, stated: version + 1)
            try await group.until { _ in count == 2 }
        }
    }

    @Test func `every version that is spoken has its layouts`() {
        #expect(PeerProtocol.own.highest == WireLimits.versionMax)
    }

    @Test func `whoever cannot read a peer's copy is told to run the peer's release`() {
        let later = LogError.laterFormat(file: "000001.wal", version: 2)
        #expect(SegmentFetchError.hint(after: later, else: "look").contains("run its release"))
        #expect(SegmentFetchError.hint(after: SegmentFetchError.changed, else: "look") == "look")
        #expect(SegmentFetchError.hint(after: LogError.noSpace, else: "look") == "look")
    }

    /// A group that has a leader, and what all of its nodes warn of.
    private static func withLeader(
        _ body: (Replicator, ReplicatorGroup, MemoryLog) async throws -> Void
    ) async throws {
        let journal = MemoryLog(level: .warning)
        let group = try await ReplicatorGroup { configuration in
            configuration.logger = Logger(label: "test") { _ in journal }
        }
        do { try await body(try await group.leader(), group, journal) } catch { Issue.record(error) }
        await group.end()
    }

    /// Opens `replicate` as a leader of some build would, and waits for the end of the stream.
    ///
    /// - Parameter stated: By its hello; what its request names, if nothing else is said.
    private static func greet(
        _ node: Replicator, of cluster: ClusterID, version: UInt16, stated: UInt16? = nil, term: Term = Term(.max)
    ) async {
        var greeting = PeerGreeting(cluster: cluster, version: "\(version)", path: "/peer/v1/replicate")
        let hello = ReplicateHello(cluster: cluster, term: term, leader: greeting.member)
        greeting.body = PeerMessage.hello(hello).encoded(version: stated ?? version)
        // A stream may be reset: that is no answer.
        _ = try? await greeting.open(on: node)
    }
}
