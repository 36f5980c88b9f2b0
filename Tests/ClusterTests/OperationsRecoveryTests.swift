import Foundation
import Glibc
import Testing

extension ClusterTests {
    /// What the page on operations says of disks and majorities that are lost, done to a cluster.
    @Suite struct OperationsRecoveryTests {
        @Test func `a node that has lost its disk is replaced as the page says`() async throws {
            try await TestCluster.with { cluster in
                let lost = try await Self.follower(of: cluster)
                try await cluster.append(["one", "two"])
                try await cluster.kill([lost])
                try FileManager.default.removeItem(atPath: lost.dataDirectory)
                try await cluster.start(lost)
                try await eventually("\(lost.name) to be known as empty", state: { await cluster.described() }) {
                    let said = try await cluster.ask("explain")
                    return said.output.contains("empty data directory") && !said.output.contains("no answer")
                }
                try await OperationsPage.expect("## A node has lost its disk", 0..<2, exits: [3, 0], in: cluster) {
                    $0.replacing("member replace 3", with: "member replace \(lost.number)")
                }
                try await cluster.expectSoundness(History(), others: ["one", "two"])
            }
        }

        @Test func `a node under a new number comes, and another one goes, as the page says`() async throws {
            try await TestCluster.with(spare: 1) { cluster in
                try await cluster.append(["one", "two"])
                let grown = cluster.adding(4)
                let new = grown.nodes[3]
                try await cluster.serve(new)
                try await OperationsPage.expect("## A node has lost its disk", 2..<4, exits: [0, 0], in: grown) {
                    $0.replacing("127.0.0.1:7431", with: "\(new.peer)")
                }
                let members = grown.without(cluster.nodes[2])
                _ = try await members.leader()
                try await members.expectSoundness(History(), others: ["one", "two"])
            }
        }

        @Test func `a node's certificate is made anew, and its configuration checked, as the page says`() async throws {
            try await TestCluster.with(nodes: 1) { cluster in
                let configuration = """
                    node: {id: 1}
                    data: {directory: log}
                    peers: ["1=127.0.0.1:7401/127.0.0.1:7402"]
                    tls: {ca: certs/ca.pem, certificate: certs/n1.pem, key: certs/n1.key}
                    """
                let first = "holdfast certs ca && holdfast certs node 1 --host n1.example && cat > holdfast.yaml"
                let made = try await cluster.shell("\(first) <<'E'\n\(configuration)\nE")
                #expect(made.status == 0, "\(made.summary)")
                try await OperationsPage.expect("## A certificate ends", exits: [0, 0], in: cluster) {
                    $0.replacing("/etc/holdfast/", with: "")
                }
            }
        }

        @Test(.enabled(if: SmallDisk.isAllowed, "mounting a tmpfs needs more rights than this process has"))
        func `a full disk refuses appends until a trim has made room, as the page says`() async throws {
            let prepare = { (place: TestCluster.Place) in
                try SmallDisk(at: "\(place.directory)/n1", mebibytes: 24).occupy(mebibytes: 12)
                return place.arguments
            }
            try await TestCluster.with(nodes: 1, prepare: prepare) { cluster in
                let made = try await cluster.shell("seq -f '%01000g' 20000 > lines")
                #expect(made.status == 0, "\(made.summary)")
                try await OperationsPage.expect("## A disk is full", exits: [1, 0, 0], in: cluster)
            }
        }

        @Test func `a disk that has rotted is found by verify, as the page says`() async throws {
            try await TestCluster.with { cluster in
                // Frames of many records, as those of the page.
                let records = (0..<4_500).map { "record \($0)" }
                for first in stride(from: 0, to: records.count, by: 500) {
                    try await cluster.append(Array(records[first..<first + 500]))
                }
                try await cluster.untilLevel()
                let rotten = try await Self.follower(of: cluster)
                try await cluster.stop(rotten)
                let path = "\(rotten.dataDirectory)/000000.wal"
                let file = try #require(FileHandle(forUpdatingAtPath: path))
                try file.seek(toOffset: 30_000)
                let byte = try #require(try file.read(upToCount: 1)?.first)
                try file.seek(toOffset: 30_000)
                try file.write(contentsOf: [byte ^ 1])
                try file.close()
                try await OperationsPage.expect("## A disk has rotted", exits: [65], in: cluster) {
                    $0.replacing("data/n2", with: "data/\(rotten.name)")
                }
                try await cluster.start(rotten)
                try await cluster.expectSoundness(History(), others: Set(records))
            }
        }

        @Test func `a majority that is gone for good is given up as the page says, and its nodes come back empty`()
            async throws
        {
            try await TestCluster.with { cluster in
                // For whom the survivor voted.
                try await OperationsPage.untilLeading(cluster.nodes[1], in: cluster)
                try await cluster.append(["one", "two"])
                try await cluster.untilLevel()
                let survivor = cluster.nodes[2]
                let others = cluster.others(than: survivor)
                try await cluster.kill(others)
                try await eventually("n3 to look for votes", state: { await cluster.described() }) {
                    await cluster.status(survivor)?.role == "preCandidate"
                }
                let heading = "## The majority is away"
                try await OperationsPage.expect(heading, 0..<1, exits: [3], in: cluster)
                try await cluster.stop(survivor)
                try await OperationsPage.expect(heading, 1..<3, exits: [0, 0], in: cluster)

                try await cluster.start(survivor)
                _ = try await cluster.leader(among: [survivor])
                for (node, place) in zip(others, 3...) {
                    try FileManager.default.removeItem(atPath: node.dataDirectory)
                    try await cluster.start(node)
                    try await OperationsPage.expect(heading, place..<place + 1, exits: [0], in: cluster)
                }
                try await OperationsPage.expect(heading, 5..<6, exits: [0], in: cluster)
                try await cluster.expectSoundness(History(), others: ["one", "two"])
            }
        }

        private static func follower(of cluster: TestCluster) async throws -> TestCluster.Node {
            try #require(cluster.others(than: try await cluster.leader().node).last)
        }
    }
}
