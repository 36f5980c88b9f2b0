import Foundation
import HoldfastClient
import LogModel
import Testing

extension ClusterTests {
    /// Files that rot, in nodes that are down and in nodes that run: what one node lost, its peers give back.
    @Suite struct DamageTests {
        @Test func `A node gets damaged and missing sealed segments back from its peers`() async throws {
            try await TestCluster.with { cluster in
                let lines = try await Self.fill(cluster)
                let node = try await Self.follower(of: cluster)
                try await cluster.stop(node)
                let names = try cluster.segments(of: node)
                try #require(names.count >= 5)
                for (name, offset) in [(names[0], 70), (names[0], 400_000), (names[2], 20)] {
                    try Self.flip(offset, of: name, node)
                }
                try FileManager.default.removeItem(atPath: "\(node.dataDirectory)/\(names[1])")
                try await cluster.start(node)
                // Nobody has read what is damaged behind a segment's beginning: the scrubber has.
                try await Self.untilRepaired(node, in: cluster, segments: 3)
                let health = try #require(await cluster.status(node)?.health)
                #expect(health.scrubbedBytes > 0)
                try await cluster.expectSoundness(History(), others: Set(lines))
            }
        }

        @Test func `A node whose newest records are damaged follows without a vote until it has them again`()
            async throws
        {
            try await TestCluster.with { cluster in
                let lines = try await Self.fill(cluster)
                let node = try await Self.follower(of: cluster)
                let history = try await Load.run(producers: 2, on: cluster) { history in
                    for signal in [SIGTERM, SIGKILL] {
                        try await history.untilAcknowledged(20)
                        try cluster.signal(signal, node)
                        try await eventually("\(node.name) to end") { cluster.process(node) == nil }
                        let active = try #require(try cluster.segments(of: node).last)
                        try Self.flip(300, of: active, node)
                        try await cluster.start(node)
                        try await Self.untilSound(node, in: cluster)
                        #expect(cluster.words(of: node).contains("the log ends before damage; a peer has the rest"))
                    }
                }
                try await cluster.expectSoundness(history, others: Set(lines))
            }
        }

        @Test func `A node of which all is damaged takes up its cluster's log again`() async throws {
            try await TestCluster.with { cluster in
                try await cluster.append(["one", "two"])
                let node = try await Self.follower(of: cluster)
                try await cluster.stop(node)
                try Self.flip(100, of: "000000.wal", node)
                try await cluster.start(node)
                try await Self.untilSound(node, in: cluster)
                try await cluster.append(["three"])
                try await cluster.expectSoundness(History(), others: ["one", "two", "three"])
            }
        }

        @Test func `Rot in a running node is never served and is repaired`() async throws {
            try await TestCluster.with { cluster in
                let lines = try await Self.fill(cluster)
                let history = try await Load.run(producers: 1, on: cluster) { history in
                    for node in cluster.nodes {
                        let name = try cluster.segments(of: node)[1]
                        for offset in [90, 300_000, 600_000] { try Self.flip(offset, of: name, node) }
                        // Reading it finds it at once; nothing but what was appended ever comes back.
                        var records: [IndexedRecord] = []
                        try await eventually("\(node.name) to serve all again", within: 30) {
                            guard let log = try? await cluster.log(of: node) else { return false }
                            records = log
                            return true
                        }
                        #expect(records.prefix(lines.count).map(\.text) == lines)
                        try await Self.untilRepaired(node, in: cluster, segments: 1)
                        try await history.untilAcknowledged(20)
                    }
                }
                try await cluster.expectSoundness(history, others: Set(lines))
            }
        }

        @Test func `Rot in the segment that is written to is repaired while all nodes run, in the leader, too`()
            async throws
        {
            try await TestCluster.with { cluster in
                let lines = try await Self.fill(cluster)
                let (leader, _) = try await cluster.leader()
                let history = try await Load.run(producers: 1, on: cluster) { history in
                    for node in [cluster.others(than: leader)[0], leader] {
                        let active = try #require(try cluster.segments(of: node).last)
                        try Self.flip(70, of: active, node)
                        // Whoever reads it finds it.
                        try await eventually("\(node.name) to serve all again", within: 30) {
                            (try? await cluster.log(of: node))?.count ?? 0 >= lines.count
                        }
                        try await Self.untilRepaired(node, in: cluster, segments: 1)
                        try await history.untilAcknowledged(20)
                    }
                }
                #expect(try await cluster.leader().0.name == leader.name)
                try await cluster.expectSoundness(history, others: Set(lines))
            }
        }

        @Test func `Two damaged copies of three are repaired from the third, and refused while that is down`()
            async throws
        {
            try await TestCluster.with { cluster in
                try await cluster.append(["one", "two"])
                let good = try await Self.follower(of: cluster)
                let others = cluster.others(than: good)
                try await cluster.untilLevel()
                // The good one last: it may have been given the lead, and then has more than they.
                for node in others + [good] { try await cluster.stop(node) }
                for node in others { try Self.flip(300, of: "000000.wal", node) }
                for node in others { try await cluster.start(node) }
                try await eventually("both to see that they lost something", within: 20) {
                    await cluster.statuses(of: others).count { $0.health?.mayVote == false } == 2
                }
                let refused = try await cluster.ask(
                    "append", "--timeout", "1s", input: "three\n", servers: others.map(\.client))
                #expect(refused.status == 69, "\(refused.summary)")
                for node in others {
                    #expect(await cluster.status(node)?.role != "leader")
                    #expect(FileManager.default.fileExists(atPath: "\(node.dataDirectory)/000000.wal.damaged"))
                }
                try await cluster.start(good)
                for node in others { try await Self.untilSound(node, in: cluster) }
                try await cluster.append(["three"])
                try await cluster.expectSoundness(History(), others: ["one", "two", "three"])
            }
        }

        @Test func `corrupt flips one bit of a stopped node, verify names it, and a peer gives it back`() async throws {
            struct Corruption: Decodable {
                var node, offset, before, after: Int
                var file: String
                var finding: VerifyReport.Finding?
            }
            try await TestCluster.with { cluster in
                let lines = try await Self.fill(cluster)
                let node = try await Self.follower(of: cluster)
                let running = try await cluster.control("corrupt", node.name, exits: 1)
                #expect(running.errors.contains("\(node.name) runs"), "\(running.summary)")
                try await cluster.control("kill", node.name)
                let sealed = try #require(try cluster.segments(of: node).dropLast().last)
                let path = "\(node.dataDirectory)/\(sealed)"
                let good = try Data(contentsOf: URL(fileURLWithPath: path))

                let answer = try await cluster.control("corrupt", node.name, "-o", "json")
                let corruption = try answer.json(Corruption.self)
                #expect(corruption.file == path && corruption.before ^ corruption.after == 0x10)
                let bad = try Data(contentsOf: URL(fileURLWithPath: path))
                #expect(good.indices.filter { good[$0] != bad[$0] } == [corruption.offset])
                let finding = try #require(corruption.finding, "\(answer.summary)")
                #expect(finding.damage && finding.file == sealed && finding.offset <= corruption.offset)
                let verify = try await Program.run(["verify", node.dataDirectory])
                #expect(verify.status == 65, "\(verify.summary)")
                #expect(verify.output.contains(sealed) && verify.output.contains(finding.meaning), "\(verify.summary)")
                #expect(verify.output.contains("next: start the node: it gets a good copy"), "\(verify.summary)")
                #expect(verify.output.contains("--plan --peer DIR"), "\(verify.summary)")

                try await cluster.start(node)
                try await Self.untilRepaired(node, in: cluster, segments: 1)
                #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == good)
                // Whoever reads there finds it.
                try await cluster.control("corrupt", node.name, "--running")
                try await eventually("\(node.name) to serve all again", within: 30) {
                    (try? await cluster.log(of: node))?.map(\.text) == lines
                }
                try await Self.untilRepaired(node, in: cluster, segments: 2)
                try await cluster.expectSoundness(History(), others: Set(lines))
            }
        }

        @Test func `corrupt takes a place, says what it hurts, and refuses one that is not there`() async throws {
            try await TestCluster.with(nodes: 1) { cluster in
                try await cluster.append(["one", "two"])
                let node = cluster.nodes[0]
                try await cluster.stop(node)
                let answer = try await cluster.control("corrupt", "1")
                #expect(answer.output.contains("of records 1 to 2, was "), "\(answer.summary)")
                #expect(answer.output.contains("damage: bytes "), "\(answer.summary)")
                // The same bit again: it is as it was.
                let offset = try #require(answer.output.split(separator: " ").dropFirst(2).first)
                try await cluster.control("corrupt", "n1", "--segment", "0", "--offset", String(offset))
                try await cluster.expectSound(node)
                let absent = try await cluster.control("corrupt", "n1", "--segment", "7", exits: 64)
                #expect(absent.errors.contains("there is no 000007.wal"), "\(absent.summary)")
                let beyond = try await cluster.control(
                    "corrupt", "n1", "--segment", "0", "--offset", "999999999", exits: 64)
                #expect(beyond.errors.contains("none at 999999999"), "\(beyond.summary)")
            }
        }

        // MARK: Helpers

        /// Several sealed segments, all of it committed everywhere.
        private static func fill(_ cluster: TestCluster) async throws -> [String] {
            let lines = (1...5_500).map { "\($0) " + String(repeating: "abcdefgh", count: 120) }
            try await cluster.append(lines)
            try await cluster.untilLevel()
            return lines
        }

        private static func follower(of cluster: TestCluster) async throws -> TestCluster.Node {
            cluster.others(than: try await cluster.leader().node)[0]
        }

        /// Through the system's cache, so that a running node meets it, too.
        private static func flip(_ offset: Int, of name: String, _ node: TestCluster.Node) throws {
            let file = try FileHandle(forUpdating: URL(fileURLWithPath: "\(node.dataDirectory)/\(name)"))
            defer { try? file.close() }
            try file.seek(toOffset: UInt64(offset))
            let byte = try #require(try file.read(upToCount: 1)?.first, "\(name) ends before \(offset)")
            try file.seek(toOffset: UInt64(offset))
            try file.write(contentsOf: [byte ^ 0x10])
        }

        private static func untilSound(_ node: TestCluster.Node, in cluster: TestCluster) async throws {
            try await eventually("\(node.name) to be whole", within: 30, state: { cluster.lastWords(of: node) }) {
                guard let status = await cluster.status(node), let health = status.health else { return false }
                return status.isReady && health.mayVote && health.damagedSegments.isEmpty
            }
        }

        private static func untilRepaired(
            _ node: TestCluster.Node, in cluster: TestCluster, segments count: UInt64
        ) async throws {
            try await eventually("\(count) segments repaired", within: 30, state: { cluster.lastWords(of: node) }) {
                guard let health = await cluster.status(node)?.health else { return false }
                return health.segmentsRepaired >= count && health.damagedSegments.isEmpty
            }
        }
    }
}
