import Foundation
import HoldfastClient
import Testing

extension ClusterTests {
    /// Nodes come, go and lose their disks while producers append.
    @Suite struct MembershipTests {
        @Test func `What is refused is helped in the words of the command line, and a stranger's removal says so`()
            async throws
        {
            try await TestCluster.with { cluster in
                let wiped = cluster.others(than: try await cluster.leader().node)[0]
                try await cluster.stop(wiped)
                try FileManager.default.removeItem(atPath: wiped.dataDirectory)
                try await cluster.start(wiped)
                let added = try await cluster.ask(
                    "member", "add", "\(wiped.number)", "--peer", "\(wiped.peer)", "--client", "\(wiped.client)")
                #expect(added.status == 1 && !added.errors.contains("replaces="), "\(added.summary)")
                #expect(added.errors.contains("member replace \(wiped.number)"), "\(added.summary)")
                let unknown = try await cluster.ask("member", "replace", "9")
                #expect(unknown.status == 1 && !unknown.errors.contains("peer="), "\(unknown.summary)")
                #expect(unknown.errors.contains("--peer HOST:PORT and --client HOST:PORT"), "\(unknown.summary)")
                let removed = try await cluster.ask("member", "remove", "8")
                #expect(
                    removed.status == 0 && removed.output.contains("n8 was no member; voters: n1, n2, n3"),
                    "\(removed.summary)")
            }
        }

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

        /// Two of four pause, so that neither the old voters nor the new ones can agree while the leader lives.
        @Test func `A leader that dies while old and new voters count leaves a change that the next one ends`()
            async throws
        {
            try await TestCluster.with(nodes: 4) { cluster in
                let history = try await Load.run(on: cluster) { history in
                    try await history.untilAcknowledged(40)
                    let leader = try await self.killWithinChange(of: cluster)
                    let others = cluster.without(leader)
                    let (next, _) = try await others.leader()
                    let removed = try await others.ask("member", "remove", "4", "-o", "json")
                    #expect(removed.status == 0, "\(removed.summary)")
                    #expect(try removed.json(MembershipDocument.self).voters == [1, 2, 3])
                    #expect(next != leader)
                    try await cluster.start(leader)
                    try await history.untilAcknowledged(40)
                }
                let members = cluster.without(cluster.nodes[3])
                #expect(try await self.voters(of: members) == [1, 2, 3])
                try await members.expectSoundness(history)
            }
        }

        /// - Returns: The leader that was killed when it had begun to remove n4, and could not end it.
        private func killWithinChange(of cluster: TestCluster) async throws -> TestCluster.Node {
            let last = cluster.nodes[3]
            if try await cluster.leader().node == last {
                try #require(try await cluster.ask("transfer-leader", "--to", "1").status == 0)
            }
            let (leader, term) = try await cluster.leader()
            let paused = Array(cluster.others(than: leader).suffix(2))
            for node in paused { try cluster.signal(SIGSTOP, node) }
            defer { for node in paused { try? cluster.signal(SIGCONT, node) } }
            let client = HoldfastClient(servers: [leader.client], timeoutMilliseconds: 5_000)
            async let asked = try? client.removeMember(last.number)
            try await eventually("the change to begin", state: { await cluster.described() }) {
                guard let status = await cluster.status(leader), status.term == term else { return false }
                return status.nodes.contains { $0.membership == .leaving }
            }
            try await cluster.kill([leader])
            #expect(await asked == nil)
            await client.shutdown()
            return leader
        }

        @Test func `A node that is added as a learner votes once it is promoted, and is told apart until then`()
            async throws
        {
            try await TestCluster.with(spare: 1) { cluster in
                try await cluster.append(["before"])
                let members = cluster.adding(4)
                let new = try #require(members.nodes.last)
                try await cluster.serve(new)
                let added = try await cluster.ask(
                    "member", "add", "n4", "--peer", "\(new.peer)", "--client", "\(new.client)", "--learner")
                #expect(added.output == "voters: n1, n2, n3; learners: n4\n", "\(added.summary)")
                try await cluster.untilCaughtUp(new)
                #expect(try await self.voters(of: members) == [1, 2, 3])
                for _ in 1...2 {
                    let promoted = try await cluster.ask("member", "promote", "4")
                    #expect(promoted.output == "voters: n1, n2, n3, n4\n", "\(promoted.summary)")
                }
                let nobody = try await cluster.ask("member", "promote", "5")
                #expect(nobody.status == 1 && nobody.errors.contains("node 5 is no member"), "\(nobody.summary)")
                // It counts: two of four are no majority without it.
                try await cluster.kill([try #require(cluster.others(than: try await cluster.leader().node).first)])
                try await cluster.append(["after"])
                try await cluster.untilCaughtUp(new)
                #expect(try await cluster.log(of: new).map(\.text) == ["before", "after"])
            }
        }

        private func voters(of cluster: TestCluster) async throws -> [UInt32] {
            let leader = try await cluster.leader().node
            let status = try #require(await cluster.status(leader))
            return status.nodes.filter { $0.membership == .voter }.map(\.node)
        }
    }
}
