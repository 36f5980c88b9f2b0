import Foundation
import HoldfastClient
import TestSupport
import Testing

extension ClusterTests {
    /// What the page about other languages shows does what it says.
    @Suite struct OtherLanguagesTests {
        private static func snippet(_ language: String, under heading: String) throws -> String {
            let page = try Document("Sources/HoldfastClient/HoldfastClient.docc/OtherLanguages.md")
            return try #require(page.blocks(language, under: heading).first)
        }

        @Test func `the Python snippet appends once and reads everything while leaders die`() async throws {
            guard let python = ProcessInfo.processInfo.environment["HOLDFAST_PYTHON"] else {
                return try SkippedTest.note("HOLDFAST_PYTHON names no Python with httpx[http2]; scripts/test does")
            }
            let snippet = try Self.snippet("python", under: "## Python")
            try await TestCluster.with { cluster in
                let work = """

                    for number in range(60):
                        append(b"value %d" % number)
                    seen = [record["value"] for record in itertools.islice(records(2), 60)]
                    assert seen == ["value %d" % number for number in range(60)], seen
                    """
                let script = "\(cluster.directory)/snippet.py"
                try (cluster.placed(snippet) + work).write(toFile: script, atomically: true, encoding: .utf8)
                async let answer = Program.run([script], executable: python, seconds: 60)
                let (leader, term) = try await cluster.leader()
                try await eventually("some records", within: 20) { await cluster.status(leader)?.lastIndex ?? 0 > 5 }
                try await cluster.kill([leader])
                _ = try await cluster.leader(after: term)
                try await cluster.start(leader)
                let found = try await answer
                #expect(found.status == 0 && found.output == "appended as 1\n1 from Python\n", "\(found.summary)")
            }
        }

        @Test func `the curl snippet appends once, however often it is run`() async throws {
            let snippet = try Self.snippet("sh", under: "## curl")
            try await TestCluster.with { cluster in
                for _ in 1...2 {
                    let answer = try await cluster.shell(snippet)
                    #expect(answer.status == 0, "\(answer.summary)")
                    #expect(answer.output.contains(#""value":"paid"}],"next":2,"#), "\(answer.summary)")
                }
            }
        }

        @Test(.enabled(if: Go.path != nil, "there is no Go of version 1.24 or later on this machine"))
        func `the Go snippet appends once and goes on reading when leaders die`() async throws {
            let snippet = try Self.snippet("go", under: "## Go")
            try await TestCluster.with { cluster in
                let program = try await Go.build(cluster.placed(snippet), in: cluster.directory)
                let read = "\(cluster.directory)/read"
                // It reads for ever.
                let running = Task {
                    try await Program.run(["-c", "exec '\(program)' >'\(read)'"], executable: "/bin/sh", seconds: 60)
                }
                defer { running.cancel() }
                func untilRead(_ line: String) async throws {
                    try await eventually("\(line) to be read", state: { Processes.text(read) ?? "" }) {
                        Processes.text(read)?.contains("\(line)\n") ?? false
                    }
                }
                try await untilRead("appended as 1\n1 from Go")
                let (leader, term) = try await cluster.leader()
                try await cluster.kill([leader])
                _ = try await cluster.leader(after: term)
                try await cluster.append(["from elsewhere"])
                try await untilRead("2 from elsewhere")
                running.cancel()
                _ = await running.result
            }
        }

        /// The other snippets run everywhere: they vouch for what this one says, too.
        @Test func `the Go snippet asks as the Python one does, and reads fields that there are`() async throws {
            let (go, python) = try (Self.snippet("go", under: "## Go"), Self.snippet("python", under: "## Python"))
            func all(_ pattern: String, in text: String) throws -> [String] {
                try text.matches(of: Regex<(Substring, Substring)>(pattern)).map { String($0.1) }
            }
            let address = #""(http://127\.0\.0\.1:\d+)""#
            #expect(try all(address, in: go) == all(address, in: python))
            #expect(try all(#"ask\("(\w+)""#, in: go) == all(#"ask\("(\w+)""#, in: python))
            // In Go with its query.
            let path = #""(/v1/\w+)["?]"#
            #expect(try all(path, in: go) == all(path, in: python))
            for shared in [#""Idempotency-Key""#, "from", "wait", "10s"] {
                #expect(go.contains(shared) && python.contains(shared), "\(shared)")
            }
            let retried = try #require(python.firstMatch(of: #/not in \((.+?)\)/#)).1.components(separatedBy: ", ")
            #expect(try all(#"case status == (429.*):"#, in: go) == [retried.joined(separator: " || status == ")])

            try await TestCluster.with(nodes: 1) { cluster in
                let node = cluster.nodes[0]
                func ask(_ query: String, _ arguments: String...) async throws -> [String: Any] {
                    let answer = try await Program.run(
                        ["--http2-prior-knowledge", "-s"] + arguments + ["http://\(node.client)/v1/records\(query)"],
                        executable: "/usr/bin/curl")
                    let document = try JSONSerialization.jsonObject(with: Data(answer.output.utf8))
                    return try #require(document as? [String: Any], "\(answer.summary)")
                }
                let receipt = try await ask("", "-d", "x")
                let page = try await ask("?from=1")
                let record = try #require((page["records"] as? [[String: Any]])?.first)
                // encoding/json finds a field whatever the case of its letters.
                let fields = try all(#"\b(First|Last|Records|Index|Value|Next)\b"#, in: go).map { $0.lowercased() }
                #expect(Set(fields) == ["first", "last", "records", "index", "value", "next"])
                #expect(Set(fields).isSubset(of: Set(receipt.keys).union(page.keys).union(record.keys)))
            }
        }
    }
}

/// The Go of this machine, where it knows HTTP/2 without TLS: version 1.24 or later.
private enum Go {
    static let path: String? = {
        let directories = ProcessInfo.processInfo.environment["PATH"]?.split(separator: ":").map(String.init) ?? []
        return (directories + ["/usr/local/go/bin"]).map { "\($0)/go" }.first { path in
            FileManager.default.isExecutableFile(atPath: path) && Self.isRecent(path)
        }
    }()

    private static func isRecent(_ path: String) -> Bool {
        let (process, output) = (Process(), Pipe())
        process.executableURL = URL(fileURLWithPath: path)
        process.arguments = ["version"]
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        guard (try? process.run()) != nil else { return false }
        let said = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        // go version go1.24.4 linux/amd64
        guard let version = said.firstMatch(of: #/ go(\d+)\.(\d+)/#), let major = Int(version.1),
            let minor = Int(version.2)
        else { return false }
        return (major, minor) >= (1, 24)
    }

    /// - Returns: The program's path. All that Go writes is in `directory`.
    static func build(_ source: String, in directory: String) async throws -> String {
        let place = "\(directory)/go"
        try FileManager.default.createDirectory(atPath: place, withIntermediateDirectories: true)
        try source.write(toFile: "\(place)/main.go", atomically: true, encoding: .utf8)
        let answer = try await Program.run(
            ["build", "-o", "\(place)/snippet", "\(place)/main.go"], executable: try #require(Self.path),
            environment: [
                "GOCACHE": "\(place)/cache", "GOPATH": "\(place)/path", "GOTOOLCHAIN": "local", "GOFLAGS": "",
                "CGO_ENABLED": "0",
            ], directory: place, seconds: 120)
        try #require(answer.status == 0, "\(answer.summary)")
        return "\(place)/snippet"
    }
}
