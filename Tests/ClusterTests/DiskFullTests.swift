import Foundation
import HoldfastClient
import LogModel
import Testing

extension ClusterTests {
    /// Node 1 has a small disk; the others have room.
    @Suite(.enabled(if: SmallDisk.isAllowed, "mounting a tmpfs needs more rights than this process has"))
    struct DiskFullTests {
        private enum Cure: CaseIterable { case trim, room }

        /// Starts a cluster whose first node has a disk of 24 MiB with 12 MiB taken.
        private static func with(
            segmentSize: String = "1MiB", isSecure: Bool = false,
            _ body: (TestCluster, SmallDisk) async throws -> Void
        ) async throws {
            try await TestCluster.with(
                segmentSize: segmentSize, isSecure: isSecure,
                prepare: { place in
                    try SmallDisk(at: "\(place.directory)/n1", mebibytes: 24).occupy(mebibytes: 12)
                    return place.arguments
                }
            ) { cluster in
                try await body(cluster, SmallDisk(mounted: cluster.nodes[0].dataDirectory))
            }
        }

        @Test(arguments: Cure.allCases)
        private func `A leader with a full disk refuses appends, answers reads, and serves again when there is room`(
            cure: Cure
        ) async throws {
            try await Self.with { cluster, disk in
                let leader = cluster.nodes[0]
                let moved = try await cluster.ask("transfer-leader", "--to", "1")
                try #require(moved.status == 0, "\(moved.summary)")
                let history = History()
                let client = HoldfastClient(servers: cluster.servers, timeoutMilliseconds: 10_000)
                let problem = try #require(try await Self.fill(200, by: client, history), "the disk was never full")
                #expect(problem.status == 507 && problem.code == "NO_SPACE" && problem.applied == .no)
                for node in cluster.nodes { #expect(await Load.read(node, by: client, into: history)) }
                let before = try await cluster.wholeLog(of: leader)
                #expect(before.last?.index.rawValue == history.lastIndex)

                #expect(
                    cluster.words(of: leader).components(separatedBy: "no room for the next segment: when").count == 2,
                    "once")
                try await Self.expectExplanation("and it leads", "all", of: cluster)

                switch cure {
                case .trim:
                    let trimmed = try await cluster.ask("trim", "--before", "\(history.lastIndex)")
                    #expect(trimmed.status == 0, "\(trimmed.summary)")
                case .room: try disk.giveBack()
                }
                try await eventually("an append to be taken", within: 5, state: { await cluster.described() }) {
                    try await Self.fill(1, by: client, history) == nil
                }
                try await Self.untilRoomIsTold(leader, in: cluster)
                #expect(try await Self.fill(20, by: client, history) == nil)
                await client.shutdown()
                try await Self.expectSoundness(cluster, history, before: before)
            }
        }

        /// No segment was made ahead here: a write of the active one is what finds no room.
        @Test func `A leader whose disk is smaller than a segment refuses appends, too, and serves again`() async throws
        {
            try await Self.with(segmentSize: "128MiB") { cluster, disk in
                let leader = cluster.nodes[0]
                let moved = try await cluster.ask("transfer-leader", "--to", "1")
                try #require(moved.status == 0, "\(moved.summary)")
                let history = History()
                let client = HoldfastClient(servers: cluster.servers, timeoutMilliseconds: 10_000)
                let problem = try #require(try await Self.fill(300, by: client, history), "the disk was never full")
                #expect(problem.status == 507 && problem.code == "NO_SPACE" && problem.applied == .no)
                for node in cluster.others(than: leader) { #expect(await Load.read(node, by: client, into: history)) }
                #expect(cluster.words(of: leader).contains("the disk has no room: nothing is appended here"))
                try disk.giveBack()
                try await eventually("an append to be taken", within: 5, state: { await cluster.described() }) {
                    try await Self.fill(1, by: client, history) == nil
                }
                try await Self.untilRoomIsTold(leader, in: cluster)
                await client.shutdown()
                try await Self.expectSoundness(cluster, history, before: [])
            }
        }

        @Test(arguments: Cure.allCases)
        private func `A follower with a full disk holds nobody up, and comes level when there is room`(
            cure: Cure
        ) async throws {
            try await Self.with { cluster, disk in
                let full = cluster.nodes[0]
                let moved = try await cluster.ask("transfer-leader", "--to", "2")
                try #require(moved.status == 0, "\(moved.summary)")
                let history = History()
                let client = HoldfastClient(servers: cluster.servers, timeoutMilliseconds: 10_000)
                #expect(try await Self.fill(240, by: client, history) == nil)
                // It may have received all of it, and shows only what its own disk has.
                let shown = try await cluster.log(of: full).last?.index.rawValue ?? 0
                #expect(shown < history.lastIndex, "\(full.name) was not full")
                #expect(cluster.words(of: full).contains("the disk has no room"))
                #expect(try await cluster.leader().node == cluster.nodes[1])
                for node in cluster.others(than: full) { #expect(await Load.read(node, by: client, into: history)) }
                try await Self.expectExplanation("falls behind", "lag", "n1", of: cluster)
                // Nor does it need room to start again.
                try await cluster.kill([full])
                try await cluster.start(full)
                #expect(try await Self.fill(10, by: client, history) == nil)
                let before = try await cluster.wholeLog(of: cluster.nodes[1])
                switch cure {
                case .trim:
                    // Until then it holds what it cannot write: more than one sync carries.
                    let trimmed = try await cluster.ask("trim", "--before", "\(history.lastIndex)")
                    #expect(trimmed.status == 0, "\(trimmed.summary)")
                case .room: try disk.giveBack()
                }
                try await cluster.untilCaughtUp(full)
                await client.shutdown()
                try await Self.expectSoundness(cluster, history, before: before)
            }
        }

        @Test func `What to do next can be typed as it is told where the nodes speak TLS, too`() async throws {
            try await Self.with(isSecure: true) { cluster, _ in
                let moved = try await cluster.ask("transfer-leader", "--to", "1")
                try #require(moved.status == 0, "\(moved.summary)")
                let client = HoldfastClient(
                    servers: cluster.servers, access: cluster.access, timeoutMilliseconds: 10_000)
                _ = try #require(try await Self.fill(200, by: client, History()), "the disk was never full")
                await client.shutdown()
                let status = try await cluster.control("status", exits: 3)
                let next = try #require(status.errors.split(separator: "next: ").last, "\(status.summary)")
                let told = try await Program.run(["-c", String(next)], executable: "/usr/bin/bash")
                #expect(told.status == 3 && told.output.contains("n1's disk is full"), "\(told.summary)")
            }
        }

        /// That takes some seconds: room that comes in drops is no news.
        private static func untilRoomIsTold(_ node: TestCluster.Node, in cluster: TestCluster) async throws {
            let words = "the disk has room again"
            try await eventually("\(node.name) to say: \(words)", state: { cluster.lastWords(of: node) }) {
                cluster.words(of: node).contains(words)
            }
        }

        /// Whoever asks why is told of node 1's disk: by `explain`, and in a column of `status` and `cluster status`.
        private static func expectExplanation(
            _ gist: String, _ question: String..., of cluster: TestCluster
        ) async throws {
            let told = try await cluster.ask(["explain"] + question)
            #expect(told.status == 3 && told.output.contains("n1's disk is full"), "\(told.summary)")
            #expect(told.output.contains(gist) && told.output.contains("make room"), "\(told.summary)")
            for status in [try await cluster.ask("status"), try await cluster.control("status", exits: 3)] {
                let rows = status.lines.map { $0.split(separator: " ") }
                #expect(status.status == 3 && status.errors.contains("full"), "\(status.summary)")
                #expect(rows.first { $0.first == "n1" }?.contains("full") == true, "\(status.summary)")
                #expect(rows.first { $0.first == "n2" }?.contains("ok") == true, "\(status.summary)")
            }
        }

        /// Appends batches of 64 KB until one is refused.
        ///
        /// - Returns: With what words; `nil` when none was.
        private static func fill(
            _ batches: Int, by client: HoldfastClient, _ history: History
        ) async throws -> ProblemDocument? {
            let producer = client.makeProducer()
            for _ in 0..<batches {
                let name = UUID().uuidString
                let values = (1...64).map { "\(name)-\($0) " + String(repeating: "z", count: 1_000) }
                let began = ContinuousClock.now
                do throws(ClientError) {
                    let receipt = try await producer.append(values.map { Record($0) })
                    history.told(values, .acknowledged(first: receipt.first.rawValue), since: began)
                } catch {
                    guard case .refused(let problem) = error else { throw error }
                    history.told(values, .refused, since: began)
                    return problem
                }
            }
            return nil
        }

        /// As ``TestCluster/expectSoundness(_:others:)``, of a log whose beginning may be trimmed.
        private static func expectSoundness(
            _ cluster: TestCluster, _ history: History, before: [IndexedRecord]
        ) async throws {
            try await cluster.untilLevel()
            var firsts: Set<UInt64> = []
            // A disk that was full is the last to remove what was trimmed.
            try await eventually("all nodes to begin with one record", state: { "\(firsts)" }) {
                firsts = Set(await cluster.statuses().map(\.firstIndex))
                return firsts.count == 1
            }
            let first = try #require(firsts.first)
            let rest = try await cluster.wholeLog(of: cluster.nodes[0], from: LogIndex(first))
            for node in cluster.nodes.dropFirst() {
                let isEqual = try await cluster.wholeLog(of: node, from: LogIndex(first)) == rest
                #expect(isEqual, "\(node.name)")
            }
            let log = before.prefix(Int(first) - 1) + rest
            let findings = history.findings(in: log.map(\.text))
            #expect(findings.isEmpty, "\(findings.prefix(10).map { $0.prefix(200) }) (\(findings.count) findings)")
            try await cluster.control("down")
            for node in cluster.nodes { try await cluster.expectSound(node) }
            try cluster.expectEqualSealedSegments()
        }
    }
}
