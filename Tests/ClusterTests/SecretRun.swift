import Foundation
import HoldfastClient
import LogModel
import Testing

/// All that may be done with a cluster that has TLS and tokens, with something in it each time that nobody is to read.
struct SecretRun {
    struct Tokens {
        var all, reader: String
        /// Nobody has made it.
        static let guessed = "hf_guessed\(Marked.word)"
    }

    /// A request under an id by which the nodes tell of it.
    struct Asked {
        var id: String
        var status: Int
        var isAppend: Bool
    }

    private static let trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    private static let traced = ["-H", "traceparent: 00-\(Self.trace)-00f067aa0ba902b7-01"]

    private let cluster: TestCluster
    private let directory: String
    private var tokenFile: String { "\(self.directory)/tokens" }

    init(_ cluster: TestCluster) {
        self.cluster = cluster
        self.directory = cluster.directory
    }

    // MARK: Before

    func makeTokens() async throws -> Tokens {
        func make(_ name: String, _ scopes: String) async throws -> String {
            let answer = try await Program.run([
                "token", "create", "--name", name, "--scope", scopes, "--file", self.tokenFile,
            ])
            try #require(answer.status == 0, "\(answer.summary)")
            return answer.output.trimmingCharacters(in: .whitespacesAndNewlines)
        }
        return Tokens(all: try await make("everybody", "append,read,admin"), reader: try await make("reader", "read"))
    }

    /// Stops all nodes; when they are started again, they ask for tokens and say all that they can say, the first and the third
    /// in JSON. So does one that is added.
    func listenClosely() async throws {
        for node in self.cluster.nodes {
            try await self.cluster.stop(node)
            try self.add(node.number.isMultiple(of: 2) ? "logfmt" : "json", number: node.number, to: node.config)
        }
        try self.add("logfmt", number: 4, to: "\(self.directory)/run/settings.yaml")
    }

    private func add(_ format: String, number: UInt32, to path: String) throws {
        let text = try String(contentsOfFile: path, encoding: .utf8)
        let more = """
            auth:
              tokens: \(self.tokenFile)
            log:
              level: trace
              format: \(format)
            trace:
              output: \(self.directory)/run/spans-\(number).jsonl

            """
        try (text + more).write(toFile: path, atomically: true, encoding: .utf8)
    }

    // MARK: Meanwhile

    /// All that is taken, and all that is refused with the client's own words in the answer.
    func ask(_ node: TestCluster.Node, token: String) async throws -> [Asked] {
        var asked: [Asked] = []
        for (number, request) in Marked.requests.enumerated() {
            let id = "no-\(number)-to-\(node.name)"
            let says = request.joined(separator: " ")
            let authorization = says.contains("Authorization") ? [] : Self.bearer(token)
            let label = says.contains("X-Request-Id") ? [] : ["-H", "X-Request-Id: \(id)"]
            let answer = try await self.curl(
                node.client, request[0], authorization + label + Self.traced + request.dropFirst())
            let status = try #require(Int(answer.output), "request \(number): \(answer.summary)")
            let isAppend = request[0] == "/v1/records" && request.contains("-d")
            if !label.isEmpty { asked.append(Asked(id: id, status: status, isAppend: isAppend)) }
        }
        return asked
    }

    /// The admin listener's own routes, and the client API through it, also by whom it does not know.
    func askAdmin(_ node: TestCluster.Node, token: String) async throws {
        let paths = [
            "livez", "readyz?verbose", "metrics", "admin/v1/status", "admin/v1/cluster", "admin/v1/members",
            "admin/v1/segments", "admin/v1/events", "v1/records?from=1&limit=5", "v1/cursors",
        ]
        let answer = try await self.plainCurl(
            Self.bearer(token) + paths.map { "http://\(node.admin)/\($0)" })
        #expect(answer.status == 0 && answer.output.contains(Marked.word), "\(answer.summary)")
        let records = "http://\(node.admin)/v1/records"
        let body = #"{"records":["\#(Marked.word)"]}"#
        let json = ["-H", "Content-Type: application/json"]
        let foreign = ["-H", "Origin: http://\(Marked.word).example"]
        let cases: [(status: Int, token: String, arguments: [String])] = [
            (201, token, json + ["-d", body]), (400, token, json + ["-d", "[\(body)"]),
            (401, Tokens.guessed, ["-d", Marked.word]), (403, token, foreign + ["-d", Marked.word]),
        ]
        for asked in cases {
            let answer = try await self.plainCurl(
                ["-o", "/dev/null", "-w", "%{http_code}"] + Self.bearer(asked.token) + asked.arguments + [records])
            #expect(answer.output == "\(asked.status)", "\(answer.summary)")
        }
    }

    /// Tokens that are unknown or for something else, certificates of others, and no TLS at all.
    func askUnlawfully(at node: TestCluster.Node, reader: String) async throws {
        let payload = ["-d", Marked.word]
        let guessed = try await self.curl(
            node.client, "/v1/records", Self.bearer(Tokens.guessed) + payload)
        #expect(guessed.output == "401", "\(guessed.summary)")
        let forbidden = try await self.curl(node.client, "/v1/records", Self.bearer(reader) + payload)
        #expect(forbidden.output == "403", "\(forbidden.summary)")
        let basic = try await self.curl(node.client, "/v1/records", ["-H", "Authorization: Basic \(reader)"])
        #expect(basic.output == "401", "\(basic.summary)")
        let command = try await Program.run(
            ["read", "--server", "https://\(node.client)", "--tls-ca", self.cluster.authorityFile],
            environment: ["HOLDFAST_TOKEN": Tokens.guessed])
        #expect(command.status == 77, "\(command.summary)")
        let plain = try await self.plainCurl(
            ["--http2-prior-knowledge"] + Self.bearer(reader) + payload + ["http://\(node.client)/v1/records"])
        #expect(plain.output.contains("TLS_REQUIRED"), "\(plain.summary)")
        try await self.showForeignCertificates(to: node)
    }

    /// A client of this cluster where only nodes may speak, and one whom another authority has signed.
    private func showForeignCertificates(to node: TestCluster.Node) async throws {
        let (own, foreign) = ("\(self.directory)/certs", "\(self.directory)/foreign")
        let making = [
            ["ca", "--cluster", "local", "--dir", foreign], ["client", "billing", "--dir", foreign],
            ["client", "billing", "--dir", own],
        ]
        for arguments in making {
            let made = try await Program.run(["certs"] + arguments)
            try #require(made.status == 0, "\(made.summary)")
        }
        func ask(as directory: String) async throws -> Program.Answer {
            let shown = ["--cert", "\(directory)/client-billing.pem", "--key", "\(directory)/client-billing.key"]
            return try await self.curl(node.peer, "/peer/v1/identity", shown + ["-d", Marked.word])
        }
        let known = try await ask(as: own)
        #expect(known.output == "403", "\(known.summary)")
        let unknown = try await ask(as: foreign)
        #expect(unknown.status != 0 && unknown.output == "000", "\(unknown.summary)")
    }

    /// One as clients open it, one that is traced, and one that is no session.
    func openSessions(of cluster: TestCluster, token: String) async throws {
        let session = try await cluster.observer.openSession()
        for number in 1...3 {
            let pending = await session.send([
                Record(key: Bytes(Marked.word.utf8), value: Bytes("\(Marked.word) \(number)".utf8))
            ])
            _ = try await pending.receipt
        }
        try await session.finish()
        let leader = try await cluster.leader().node
        let value = [UInt8](Marked.word.utf8)
        // Batch 1, with one record that has no key.
        let head: [UInt8] = [UInt8(12 + 3 + value.count), 0, 0, 0] + [1, 0, 0, 0, 0, 0, 0, 0] + [1, 0, 0, 0]
        let batch = Data(head + [0, 0, UInt8(value.count)] + value)
        for (body, isBatch) in [(batch, true), (Data("\(Marked.word) is no batch".utf8), false)] {
            let file = "\(self.directory)/body"
            try body.write(to: URL(fileURLWithPath: file))
            let answer = try await self.plainCurl(
                ["--http2", "--cacert", cluster.authorityFile] + Self.bearer(token) + Self.traced + [
                    "-H", "Content-Type: application/vnd.holdfast.frames", "-H", "Holdfast-Producer: 77", "-o",
                    "/dev/null", "-w", "%{http_code} %{size_download}", "--data-binary", "@\(file)",
                    "https://\(leader.client)/v1/records",
                ])
            // An acknowledgement has 44 bytes.
            #expect((answer.output == "200 44") == isBatch, "\(answer.summary)")
        }
    }

    /// What `holdfast` does with a cluster: appends, reads, cursors, trims, members, leaders, a backup.
    func command(_ cluster: TestCluster) async throws {
        @discardableResult
        func run(_ arguments: String..., input: String? = nil) async throws -> Program.Answer {
            let list = cluster.servers.map { "https://\($0)" }.joined(separator: ",")
            let answer = try await Program.run(
                arguments + ["--server", list, "--tls-ca", cluster.authorityFile], input: input,
                environment: ["HOLDFAST_TOKEN": cluster.token ?? ""])
            try #require(answer.status == 0, "\(arguments): \(answer.summary)")
            return answer
        }
        let filler = String(repeating: "x", count: 1_000)
        try await cluster.append((1...3_000).map { "\(Marked.word) \($0) \(filler)" })
        let record = #"{"key":"\#(Marked.word)","value":"\#(Marked.word)"}"#
        try await run("append", "--format", "json", "--batch", "2", input: "\(record)\n\(record)\n\(record)\n")
        for _ in 1...2 { try await run("append", "--key", "order \(Marked.word)", input: "\(Marked.word)\n") }
        #expect(try await run("tail", "-n", "1").output == "\(Marked.word)\n")
        #expect(try await run("read", "--from", "1", "-n", "3").lines.count == 3)
        let followed = try await self.plainCurl(
            ["--http2", "--cacert", cluster.authorityFile] + Self.bearer(cluster.token ?? "")
                + ["https://\(cluster.nodes[0].client)/v1/records?from=1&follow=true&limit=3"])
        #expect(followed.status == 0 && followed.output.contains(Marked.word), "\(followed.summary)")
        // What its name holds is not trimmed.
        try await run("cursor", "set", Marked.word, "1", "--hold")
        try await run("trim", "--before", "2500")
        try await run("cursor", "delete", Marked.word)
        try await run("trim", "--before", "2500")
        try await cluster.control("add")
        try await run("member", "promote", "4")
        try await run("member", "remove", "4")
        try await run("transfer-leader")
        try await run("backup", "create", "\(self.directory)/backup")
    }

    // MARK: Afterwards

    /// What nodes wrote to stderr, and where they keep spans, by the names of the files.
    var journals: [String: String] { self.texts(".log") }
    var spans: [String: String] { self.texts(".jsonl") }

    private func texts(_ suffix: String) -> [String: String] {
        let place = "\(self.directory)/run"
        let names = (try? FileManager.default.contentsOfDirectory(atPath: place)) ?? []
        return Dictionary(
            uniqueKeysWithValues: names.filter { $0.hasSuffix(suffix) }.map { name in
                (name, (try? String(contentsOfFile: "\(place)/\(name)", encoding: .utf8)) ?? "")
            })
    }

    /// What clients have sent, the tokens and their digests, and every line of every private key.
    func secrets(_ tokens: Tokens) throws -> [String] {
        let plain = [tokens.all, tokens.reader, Tokens.guessed].map { String($0.dropFirst("hf_".count)) }
        let file = try String(contentsOfFile: self.tokenFile, encoding: .utf8)
        let digests = file.matches(of: #/sha256:([0-9a-f]{64})/#).map { String($0.1) }
        try #require(digests.count == 2, "\(file)")
        var keys: [String] = []
        for directory in ["certs", "foreign"] {
            let place = "\(self.directory)/\(directory)"
            for name in try FileManager.default.contentsOfDirectory(atPath: place) where name.hasSuffix(".key") {
                let lines = try String(contentsOfFile: "\(place)/\(name)", encoding: .utf8).split(separator: "\n")
                // A last line that is short might be anywhere.
                keys += lines.filter { !$0.hasPrefix("-----") && $0.count >= 16 }.map(String.init)
            }
        }
        try #require(keys.count >= 2 * 8, "of four nodes, two authorities and two clients: \(keys.count)")
        let word = Data(Marked.word.utf8)
        let spelled = [word.base64EncodedString(), word.map { String($0, radix: 16) }.joined()]
        return [Marked.word] + spelled + plain + digests + keys + ["Bearer ", "PRIVATE KEY"]
    }

    static func lines(of text: String, with secrets: [String]) -> [Substring] {
        let secrets = secrets.map { $0.lowercased() }
        return text.split(separator: "\n").filter { line in
            let line = line.lowercased()
            return secrets.contains { line.contains($0) }
        }
    }

    // MARK: Asking

    private static func bearer(_ token: String) -> [String] { ["-H", "Authorization: Bearer \(token)"] }

    /// - Returns: Its output is the status.
    private func curl(_ address: ServerAddress, _ path: String, _ arguments: [String]) async throws -> Program.Answer {
        try await self.plainCurl(
            ["--http2", "--cacert", self.cluster.authorityFile, "-o", "/dev/null", "-w", "%{http_code}"] + arguments
                + ["https://\(address)\(path)"])
    }

    private func plainCurl(_ arguments: [String]) async throws -> Program.Answer {
        try await Program.run(["-sS", "-m", "20"] + arguments, executable: "/usr/bin/curl")
    }
}
