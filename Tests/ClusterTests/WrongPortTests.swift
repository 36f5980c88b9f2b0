import Foundation
import Testing

extension ClusterTests {
    /// Servers that are named wrongly, beside a node that runs: its peer port, its admin port, nobody's.
    @Suite struct WrongPortTests {
        @Test func `A peer port and an admin port are called that, at once, whatever asks there`() async throws {
            try await TestCluster.with(nodes: 1) { cluster in
                let node = cluster.nodes[0]
                for (address, gist) in [
                    (node.peer.description, "is a node's peer port"),
                    (node.admin.description, "speaks HTTP/1.1 only, as a node's admin port does"),
                ] {
                    for arguments in [
                        ["append"], ["read"], ["tail"], ["trim", "--before", "1"], ["status"],
                        ["member", "remove", "9"], ["status", "--wait-ready", "60s"],
                        ["status", "--wait-leader", "60s"],
                        ["cursor", "set", "a", "1"], ["backup", "create", "\(cluster.directory)/backup"],
                    ] {
                        let answer = try await Program.run(arguments + ["--server", address], input: "x\n")
                        let words = "\(arguments) at \(address): \(answer.summary)"
                        #expect(answer.status == 69 && answer.errors.contains("\(address) \(gist)"), "\(words)")
                        #expect(answer.errors.contains("next: name client listeners"), "\(words)")
                        #expect(answer.seconds < 10, "nothing of that is tried again: \(words)")
                    }
                    let why = try await Program.run(["explain", "--server", address, "-o", "json"])
                    #expect(why.status == 69, "\(why.summary)")
                    #expect(why.output.contains(#""code":"wrong_port""#) && why.output.contains(gist), "\(why.summary)")
                }
            }
        }

        @Test func `curl hears what a peer port is, by HTTP/1.1 and HTTP/2, with a body and without`() async throws {
            try await TestCluster.with(nodes: 1) { cluster in
                let url = "http://\(cluster.nodes[0].peer)/v1/records"
                for version in ["--http1.1", "--http2-prior-knowledge"] {
                    for request in [[], ["-d", "x"], ["-d", String(repeating: "x", count: 100_000)]] {
                        let answer = try await Program.run(
                            ["curl", "-sS", "--max-time", "20", version] + request + [url], executable: "/usr/bin/env")
                        #expect(
                            answer.status == 0 && answer.output.contains("This is Holdfast's peer port"),
                            "\(version) \(request.first ?? "GET"): \(answer.summary)")
                    }
                }
            }
        }

        @Test func `Each server that was named is told of, with its own reason`() async throws {
            try await TestCluster.with(nodes: 1) { cluster in
                let node = cluster.nodes[0]
                let closed = "localhost:\(try Ports.freeBase(nodes: 1))"
                let answer = try await Program.run(
                    [
                        "append", "--timeout", "100ms", "--server",
                        "\(closed),nohost.invalid:7400,\(node.peer),\(node.admin)",
                    ], input: "x\n")
                #expect(answer.status == 69 && answer.errors.contains("applied: no"), "\(answer.summary)")
                for gist in [
                    "\(closed): no connection: Connection refused",
                    "nohost.invalid:7400: no connection: there is no host of the name nohost.invalid",
                    "\(node.peer): is a node's peer port", "\(node.admin): speaks HTTP/1.1 only",
                ] { #expect(answer.errors.contains(gist), "\(gist): \(answer.summary)") }
                let why = try await Program.run(["explain", "--server", "nohost.invalid:7400"])
                #expect(why.status == 69 && !why.output.contains("SocketAddressError"), "\(why.summary)")
                #expect(why.output.contains("there is no host of the name nohost.invalid"), "\(why.summary)")
            }
        }
    }
}
