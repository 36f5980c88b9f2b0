import Foundation
import HoldfastClient
import Testing

extension ClusterTests {
    /// Nodes come, go and lose their disks while producers append.
    @Suite struct MembershipTests {
        @Test func `Three nodes grow to five under load and shrink again, each time by the leader`() async throws {
            try await TestCluster.with(spare: 2) { cluster in
                var members = cluster
                let history = try await Load.run(on: cluster) { history in
                    for number in UInt32(4)...5 {
                        try await cluster.control("add")
                        members = members.adding(number)
                        try await history.untilAcknowledged(40)
                    }
                    #expect(try await self.voters(of: members) == [1, 2, 3, 4, 5])
                    for _ in 0..<2 {
                        let leader = try await members.leader().node
                        let answer = try await members.ask("member", "remove", "\(leader.number)", "-o", "json")
                        #expect(answer.status == 0, "\(answer.summary)")
                        #expect(try answer.json(MembershipDocument.self).isSettled)
                        members = members.without(leader)
                        #expect(try await self.voters(of: members) == members.nodes.map(\.number))
                        try await history.untilAcknowledged(40)
                    }
                }
                try await members.expectSoundness(history)
            }
        }

        @Test func `A node that lost its disk waits, is replaced under load, and holds the same log`() async throws {
            try await TestCluster.with { cluster in
                let history = try await Load.run(on: cluster) { history in
                    try await history.untilAcknowledged(60)
                    let leader = try await cluster.leader().node
                    try await cluster.kill([leader])
                    try FileManager.default.removeItem(atPath: leader.dataDirectory)
                    try await history.untilAcknowledged(40)
                    try await cluster.start(leader)
                    try await eventually("a blank node to say what it waits for") {
                        cluster.lastWords(of: leader).contains("holdfast member replace \(leader.number)")
                    }
                    #expect(await cluster.status(leader)?.role == "forming")
                    let others = cluster.without(leader)
                    let blank = try await others.ask("status")
                    #expect(blank.status == 3 && blank.output.contains(" blank "), "\(blank.summary)")
                    #expect(blank.errors.contains("member replace \(leader.number)"), "\(blank.summary)")
                    let added = try await others.ask(
                        "member", "add", "\(leader.number)", "--peer", "\(leader.peer)", "--client", "\(leader.client)")
                    #expect(added.status == 1 && added.errors.contains("OTHER_INCARNATION"), "\(added.summary)")
                    let replaced = try await others.ask("member", "replace", "\(leader.number)")
                    #expect(replaced.status == 0, "\(replaced.summary)")
                    try await history.untilAcknowledged(40)
                    try await cluster.untilCaughtUp(leader)
                }
                try await cluster.expectSoundness(history)
            }
        }

        @Test func `Another node takes the place of one that is gone`() async throws {
            try await TestCluster.with(spare: 1) { cluster in
                let history = try await Load.run(on: cluster) { history in
                    let gone = cluster.nodes[2]
                    try await cluster.kill([gone])
                    try await history.untilAcknowledged(40)
                    // Two of four would be no majority: the place is given, not added.
                    let members = cluster.without(gone).adding(4)
                    let new = try #require(members.nodes.last)
                    try await cluster.serve(new)
                    let replaced = try await members.ask(
                        "member", "replace", "3", "--by", "4", "--peer", "\(new.peer)", "--client", "\(new.client)")
                    #expect(replaced.status == 0, "\(replaced.summary)")
                    #expect(try await self.voters(of: members) == [1, 2, 4])
                    // The new one counts: without it there would be no quorum.
                    try await cluster.kill([cluster.nodes[1]])
                    try await history.untilAcknowledged(40, within: 30)
                    try await cluster.start(cluster.nodes[1])
                }
                try await cluster.without(cluster.nodes[2]).adding(4).expectSoundness(history)
            }
        }

        private func voters(of cluster: TestCluster) async throws -> [UInt32] {
            let leader = try await cluster.leader().node
            let status = try #require(await cluster.status(leader))
            return status.nodes.filter { $0.membership == .voter }.map(\.node)
        }
    }
}
