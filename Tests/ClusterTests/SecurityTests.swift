import Foundation
import Glibc
import HoldfastClient
import Testing

extension ClusterTests {
    /// TLS, certificates and tokens of real nodes.
    @Suite struct SecurityTests {
        @Test func `A cluster with mutual TLS appends, fails over and grows like any other`() async throws {
            try await TestCluster.with(spare: 1, isSecure: true) { cluster in
                try await cluster.append(["one", "two"])
                let leader = try await cluster.leader()
                #expect(cluster.words(of: leader.node).contains("node \(leader.node.number) of local"))
                // A follower forwards by TLS, too.
                let follower = cluster.others(than: leader.node)[0]
                let read = try await cluster.ask("read", "--to", "tail", servers: [follower.client])
                #expect(read.lines == ["one", "two"], "\(read.summary)")
                let redirect = try await Self.curl(
                    cluster, follower, ["-d", "x", "-o", "/dev/null", "-w", "%{http_code} %{redirect_url}"],
                    "/v1/records?forward=redirect")
                #expect(redirect.output == "307 https://\(leader.node.client)/v1/records?forward=redirect")
                let forwarded = try await Self.curl(cluster, follower, ["-d", "three"], "/v1/records")
                #expect(forwarded.output.contains(#""first":3"#), "\(forwarded.summary)")
                try await cluster.control("kill", leader.node.name)
                try await cluster.append(["four"])
                try await cluster.control("start", leader.node.name)
                try await cluster.control("add")
                let status = try await cluster.ask("status")
                #expect(status.status == 0 && status.output.contains(" 4 "), "\(status.summary)")
            }
        }

        @Test func `Whoever is not trusted, or does not trust, is told which`() async throws {
            try await TestCluster.with(nodes: 1, isSecure: true) { cluster in
                let node = cluster.nodes[0]
                let server = node.client.description
                func ask(_ arguments: String..., server: String = "") async throws -> Program.Answer {
                    try await Program.run(
                        arguments + ["--server", server.isEmpty ? node.client.description : server], input: "x\n")
                }
                let plain = try await ask("append")
                #expect(
                    plain.status == 77 && plain.errors.contains("TLS_REQUIRED: this port speaks TLS"),
                    "\(plain.summary)")
                #expect(plain.errors.contains("applied: no"))
                let unknown = try await ask("append", server: "https://\(server)")
                #expect(unknown.status == 77, "\(unknown.summary)")
                #expect(unknown.errors.contains("is signed by"), "\(unknown.summary)")
                #expect(unknown.seconds < 10, "nothing of that is tried again")
                // Whoever asks why is told the same.
                let why = try await ask("explain")
                #expect(why.status == 77 && why.output.contains("speaks TLS, and was asked in plain"), "\(why.summary)")
                #expect(why.errors.contains("next: say https://"), "\(why.summary)")
                let whose = try await ask("explain", server: "https://\(server)")
                #expect(whose.status == 77 && whose.output.contains("is signed by"), "\(whose.summary)")
                #expect(whose.errors.contains("--tls-ca FILE"), "\(whose.summary)")
                // Nor does anybody wait for it.
                for word in ["--wait-ready", "--wait-leader"] {
                    let waited = try await ask("status", word, "60s")
                    #expect(waited.status == 77 && waited.errors.contains("next: say https://"), "\(waited.summary)")
                    #expect(waited.seconds < 10, "\(waited.summary)")
                }
                // A wrong port beside it does not hide it.
                let beside = try await ask("explain", server: "\(node.admin),localhost:\(node.client.port)")
                #expect(beside.status == 77, "\(beside.summary)")
                // Another name than those in the certificate.
                let host = "127.0.0.2:\(node.client.port)"
                let other = try await ask("status", "--tls-ca", cluster.authorityFile, server: host)
                #expect(other.status != 0, "\(other.summary)")
                let missing = try await ask("append", "--tls-ca", "/nowhere.pem")
                #expect(
                    missing.status == 77 && missing.errors.contains("/nowhere.pem cannot be read"), "\(missing.summary)"
                )
                // A client's certificate is for the client port.
                let certs = "\(cluster.directory)/certs"
                let made = try await Program.run(["certs", "client", "billing", "--dir", certs])
                #expect(made.status == 0, "\(made.summary)")
                let peer = TestCluster.Node(
                    number: 9, client: node.peer, dataDirectory: node.dataDirectory, config: node.config)
                let shown = ["--cert", "\(certs)/client-billing.pem", "--key", "\(certs)/client-billing.key"]
                let refused = try await Self.curl(cluster, peer, shown, "/peer/v1/identity")
                #expect(
                    refused.output
                        == "Refused: the certificate is that of client billing of local, and this port is for nodes only.\n"
                )
                let without = try await Self.curl(cluster, peer, [], "/peer/v1/identity")
                #expect(without.status != 0 && without.output.isEmpty, "\(without.summary)")
                let words = cluster.words(of: node)
                #expect(words.contains("the certificate is that of client billing of local"), "\(words)")
                #expect(words.contains("the other side has shown no certificate"), "\(words)")
            }
        }

        @Test func `Certificates are renewed under load, and no append is lost`() async throws {
            try await TestCluster.with(isSecure: true) { cluster in
                async let load = cluster.ask(
                    "bench", "append", "--rate", "200", "--duration", "6s", "--verify", "-o", "json")
                for node in cluster.nodes {
                    let answer = try await Program.run([
                        "certs", "node", "\(node.number)", "--force", "--dir", "\(cluster.directory)/certs",
                    ])
                    #expect(answer.status == 0, "\(answer.summary)")
                    // One by SIGHUP, the others by themselves.
                    if node.number == 1 { try cluster.signal(SIGHUP, node) }
                }
                for node in cluster.nodes {
                    try await eventually("\(node.name) to take it", state: { cluster.words(of: node) }) {
                        cluster.words(of: node).contains("certificate taken: new connections use it")
                    }
                }
                // New connections between nodes are made with them.
                let follower = cluster.others(than: try await cluster.leader().node)[0]
                try await cluster.control("kill", follower.name)
                try await cluster.control("start", follower.name)
                let answer = try await load
                #expect(answer.status == 0, "\(answer.summary)")
            }
        }

        @Test func `A certificate that is not this node's ends its start, by name`() async throws {
            try await TestCluster.with(nodes: 1, isSecure: true) { cluster in
                let node = cluster.nodes[0]
                let certs = "\(cluster.directory)/certs"
                try await cluster.control("kill", node.name)
                let made = try await Program.run(["certs", "node", "2", "--dir", certs])
                #expect(made.status == 0, "\(made.summary)")
                let answer = try await Program.run([
                    "serve", "--config", node.config, "--data-dir", node.dataDirectory, "--tls-certificate",
                    "\(certs)/n2.pem", "--tls-key", "\(certs)/n2.key",
                ])
                #expect(answer.status == 78, "\(answer.summary)")
                #expect(
                    answer.errors.contains("n2.pem is that of node 2 of local, and this is node 1"), "\(answer.summary)"
                )
                let key = try await Program.run([
                    "serve", "--config", node.config, "--data-dir", node.dataDirectory, "--tls-key", "\(certs)/n2.key",
                ])
                #expect(key.status == 78 && key.errors.contains("is not the key of"), "\(key.summary)")
            }
        }

        @Test func `Tokens let in for what they are for, and are revoked while the node runs`() async throws {
            try await TestCluster.with(nodes: 1, isSecure: true) { cluster in
                let node = cluster.nodes[0]
                let file = "\(cluster.directory)/tokens"
                func create(_ name: String, _ scope: String) async throws -> String {
                    let answer = try await Program.run([
                        "token", "create", "--name", name, "--scope", scope, "--file", file,
                    ])
                    try #require(answer.status == 0, "\(answer.summary)")
                    return answer.output.trimmingCharacters(in: .whitespacesAndNewlines)
                }
                let writer = try await create("writer", "append")
                let reader = try await create("reader", "read,admin")
                let mode = try FileManager.default.attributesOfItem(atPath: file)[.posixPermissions] as? Int
                #expect(mode == 0o600)
                try await cluster.stop(node)
                let text = try String(contentsOfFile: node.config, encoding: .utf8)
                try (text + "auth:\n  tokens: \(file)\n").write(toFile: node.config, atomically: true, encoding: .utf8)
                let control = try await Program.run(
                    ["cluster", "start", node.name, "--data-dir", cluster.directory],
                    environment: ["HOLDFAST_TOKEN": reader])
                try #require(control.status == 0, "\(control.summary)")
                func ask(_ token: String?, _ arguments: String...) async throws -> Program.Answer {
                    try await Program.run(
                        arguments + ["--server", "https://\(node.client)", "--tls-ca", cluster.authorityFile],
                        input: "x\n", environment: token.map { ["HOLDFAST_TOKEN": $0] } ?? [:])
                }
                let none = try await ask(nil, "append")
                #expect(none.status == 77 && none.errors.contains("UNAUTHENTICATED"), "\(none.summary)")
                let why = try await ask(nil, "explain")
                #expect(why.status == 77 && why.output.contains("this node asks for a token"), "\(why.summary)")
                #expect(why.errors.contains("--token-file FILE"), "\(why.summary)")
                let wrong = try await ask("hf_guessed", "read")
                #expect(wrong.status == 77 && wrong.errors.contains("the token is not known here"), "\(wrong.summary)")
                #expect(try await ask(writer, "append").status == 0)
                let forbidden = try await ask(writer, "read")
                #expect(forbidden.status == 77, "\(forbidden.summary)")
                #expect(forbidden.errors.contains("the token writer is not for this: it lacks the scope read"))
                #expect(try await ask(reader, "read", "--to", "tail").lines == ["x"])
                // The admin listener asks for the same tokens, and leaves health open.
                func admin(_ path: String, _ token: String? = nil, _ options: String...) async throws -> String {
                    let header = token.map { ["-H", "Authorization: Bearer \($0)"] } ?? []
                    return try await Program.run(
                        ["curl", "-sS", "--max-time", "20", "-o", "/dev/null", "-w", "%{http_code}", "--path-as-is"]
                            + header + options + ["http://127.0.0.1:\(node.client.port + 2)\(path)"],
                        executable: "/usr/bin/env"
                    ).output
                }
                #expect(try await admin("/livez") == "200")
                // One route has many spellings, none of which is a way around; nor does a body without a route come in.
                for path in ["status", "cluster", "members", "segments", "events", "stream"] {
                    for start in ["/admin/v1/", "//admin/v1/", "/admin//v1/", "///admin/v1//"] {
                        #expect(try await admin(start + path) == "401", "\(start + path)")
                        #expect(try await admin(start + path + "/", nil, "--head") == "401", "\(start + path)/")
                    }
                }
                #expect(try await admin("/v1/nothing", nil, "-d", "x") == "404")
                #expect(try await admin("//v1/records", nil, "-d", "x") == "404")
                for path in ["/v1/records?from=1", "/admin/v1/status"] {
                    #expect(try await admin(path) == "401", "\(path)")
                    #expect(try await admin(path, writer) == "403", "\(path)")
                    #expect(try await admin(path, reader) == "200", "\(path)")
                }
                // A certificate is no token here, not even that of a node: those have their own port.
                let certs = "\(cluster.directory)/certs"
                let shown = ["--cert", "\(certs)/n1.pem", "--key", "\(certs)/n1.key"]
                let answer = try await Self.curl(
                    cluster, node, shown + ["-o", "/dev/null", "-w", "%{http_code}"], "/admin/v1/status")
                #expect(answer.output == "401", "\(answer.summary)")
                let revoked = try await Program.run(["token", "revoke", "writer", "--file", file])
                #expect(revoked.status == 0, "\(revoked.summary)")
                try cluster.signal(SIGHUP, node)
                try await eventually("the token to be refused") { try await ask(writer, "append").status == 77 }
                let words = cluster.words(of: node)
                for token in [writer, reader] { #expect(!words.contains(token.dropFirst(3))) }
            }
        }

        @Test(arguments: [false, true])
        func `Nodes that ask for tokens show each other's status, with TLS and without`(isSecure: Bool) async throws {
            struct View: Decodable {
                struct Node: Decodable {
                    var reachable: Bool
                    var reason: String?
                }
                var nodes: [Node]
            }
            try await TestCluster.with(isSecure: isSecure) { cluster in
                let file = "\(cluster.directory)/tokens"
                let made = try await Program.run([
                    "token", "create", "--name", "reader", "--scope", "read,admin", "--file", file,
                ])
                try #require(made.status == 0, "\(made.summary)")
                let token = made.output.trimmingCharacters(in: .whitespacesAndNewlines)
                for node in cluster.nodes {
                    try await cluster.stop(node)
                    let text = try String(contentsOfFile: node.config, encoding: .utf8)
                    try (text + "auth:\n  tokens: \(file)\n")
                        .write(toFile: node.config, atomically: true, encoding: .utf8)
                }
                for node in cluster.nodes {
                    let control = try await Program.run(
                        ["cluster", "start", node.name, "--data-dir", cluster.directory],
                        environment: ["HOLDFAST_TOKEN": token])
                    try #require(control.status == 0, "\(control.summary)")
                }
                func view(_ node: TestCluster.Node, _ arguments: String...) async throws -> Program.Answer {
                    try await Program.run(
                        ["curl", "-sS", "--max-time", "20"] + arguments
                            + ["http://127.0.0.1:\(node.client.port + 2)/admin/v1/cluster"],
                        executable: "/usr/bin/env")
                }
                for node in cluster.nodes {
                    #expect(try await view(node).output.contains("UNAUTHENTICATED"))
                    try await eventually("\(node.name) to hear of all") {
                        let answer = try await view(node, "-H", "Authorization: Bearer \(token)")
                        return try answer.json(View.self).nodes.map(\.reachable) == [true, true, true]
                    }
                }
            }
        }

        @Test func `The admin listener of a secured node is scraped from elsewhere where that is said of it alone`()
            async throws
        {
            try await TestCluster.with(nodes: 1, isSecure: true) { cluster in
                let node = cluster.nodes[0]
                let (file, port) = ("\(cluster.directory)/tokens", node.client.port + 2)
                let made = try await Program.run(["token", "create", "--name", "a", "--scope", "read", "--file", file])
                let token = try #require(made.lines.first, "\(made.summary)")
                try await cluster.stop(node)
                let text = try String(contentsOfFile: node.config, encoding: .utf8)
                let open = "listen:\n  admin: 0.0.0.0:\(port)\n"
                func configure(_ more: String) throws {
                    try (text + open + more).write(toFile: node.config, atomically: true, encoding: .utf8)
                }
                let tokens = "auth:\n  tokens: \(file)\n"
                for (more, gist) in [
                    (tokens, "admin.insecure: true"), ("admin:\n  insecure: true\n", "no auth.tokens"),
                ] {
                    try configure(more)
                    let refused = try await Program.run(["config", "check", "--config", node.config])
                    #expect(refused.status == 78 && refused.errors.contains(gist), "\(refused.summary)")
                }
                try configure(tokens + "admin:\n  insecure: true\n")
                try await cluster.showing(token) { cluster in
                    try await cluster.start(node)
                    for (path, status) in [("metrics", "200"), ("admin/v1/status", "401"), ("v1/records", "401")] {
                        let answer = try await Program.run(
                            ["-s", "-o", "/dev/null", "-w", "%{http_code}", "http://127.0.0.2:\(port)/\(path)"],
                            executable: "/usr/bin/curl")
                        #expect(answer.output == status, "\(path): \(answer.summary)")
                    }
                }
            }
        }

        @Test func `the README's commands of TLS and tokens do what it says`() async throws {
            let commands = try Document("README.md").commands(under: "## TLS and tokens").map(\.line)
            try #require(commands.count == 7)
            let scratch = try Scratch()
            defer { scratch.end() }
            let script = commands.joined(separator: "\n").replacing("7500", with: "\(try Ports.freeBase())")
            let answer = try await Program.run(
                ["-c", "set -eo pipefail\n\(script)"], executable: "/usr/bin/bash",
                environment: ["holdfast": Program.path], directory: scratch.path, seconds: 60)
            #expect(answer.status == 0, "\(answer.summary)")
            for words in [#""value":"hi""#, "hf_", "removed \(scratch.path)/safe"] {
                #expect(answer.output.contains(words), "\(words): \(answer.summary)")
            }
        }

        @Test func `A cluster's commands go by its own files, and say which variables are about another one`()
            async throws
        {
            try await TestCluster.with(nodes: 1) { cluster in
                let node = cluster.nodes[0]
                func control(_ word: String, _ environment: [String: String]) async throws -> Program.Answer {
                    try await Program.run(
                        ["cluster", word, "--data-dir", cluster.directory], environment: environment)
                }
                let foreign = [
                    "HOLDFAST_TLS_CA": "\(cluster.directory)/absent.pem", "HOLDFAST_SERVER": "https://127.0.0.1:1",
                ]
                for word in ["status", "leader", "down", "up"] {
                    let answer = try await control(word, foreign)
                    #expect(answer.status == 0, "\(word): \(answer.summary)")
                    #expect(
                        answer.errors.contains("HOLDFAST_TLS_CA and HOLDFAST_SERVER are about another cluster"),
                        "\(word): \(answer.summary)")
                }
                let own = try await control("status", ["HOLDFAST_SERVER": "localhost:\(node.client.port)"])
                #expect(own.status == 0 && own.errors.isEmpty, "\(own.summary)")
            }
        }

        @Test func `Nodes with TLS files of their own are asked by those, whatever this shell trusts`() async throws {
            try await TestCluster.with(nodes: 1, isSecure: true) { cluster in
                // As `cluster up --config-dir` leaves it: no certificates beside the nodes.
                let other = "\(cluster.scratch.path)/other"
                let link = "\(cluster.scratch.path)/link.pem"
                try FileManager.default.createDirectory(atPath: other, withIntermediateDirectories: true)
                try FileManager.default.copyItem(atPath: "\(cluster.directory)/run", toPath: "\(other)/run")
                try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: cluster.authorityFile)
                for directory in [other, cluster.directory] {
                    func status(_ authority: String) async throws -> Program.Answer {
                        try await Program.run(
                            ["cluster", "status", "--data-dir", directory], environment: ["HOLDFAST_TLS_CA": authority])
                    }
                    let foreign = try await status("/absent.pem")
                    #expect(foreign.status == 0, "\(foreign.summary)")
                    #expect(foreign.errors.contains("HOLDFAST_TLS_CA is about another cluster"), "\(foreign.summary)")
                    let own = try await status(link)
                    #expect(own.status == 0 && own.errors.isEmpty, "\(own.summary)")
                }
            }
        }

        private static func curl(
            _ cluster: TestCluster, _ node: TestCluster.Node, _ arguments: [String], _ path: String
        ) async throws -> Program.Answer {
            try await Program.run(
                ["curl", "-sS", "--http2", "--max-time", "20", "--cacert", cluster.authorityFile] + arguments
                    + ["https://\(node.client)\(path)"], executable: "/usr/bin/env")
        }
    }
}
