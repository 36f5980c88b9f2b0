import Foundation
import HTTP2Transport
import TestSupport
import Testing

/// Programs that others wrote, against our server.
@Suite(.timeLimit(.minutes(2))) struct RealPeerTests {
    private struct Outcome {
        let status: Int32
        let output: Data
        var text: String { String(decoding: self.output, as: UTF8.self) }
    }

    private static func path(of tool: String) -> String? {
        if tool.contains("/") { return FileManager.default.isExecutableFile(atPath: tool) ? tool : nil }
        let folders = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":")
        return folders.map { "\($0)/\(tool)" }.first { FileManager.default.isExecutableFile(atPath: $0) }
    }

    private static var python: String? {
        Self.path(of: ProcessInfo.processInfo.environment["HOLDFAST_PYTHON"] ?? "python3")
    }

    /// Runs a tool to its end. Every caller gives the tool a time limit of its own, so none is left behind.
    ///
    /// - Returns: `nil`, after saying so, when the tool is not installed.
    private func run(_ tool: String, _ arguments: [String]) async throws -> Outcome? {
        guard let path = Self.path(of: tool) else {
            try SkippedTest.note("\(tool) is not installed (scripts/setup installs it)")
            return nil
        }
        let folder = FileManager.default.temporaryDirectory.appending(path: "holdfast-http2-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let file = folder.appending(path: "output")
        try Data().write(to: file)
        let handle = try FileHandle(forWritingTo: file)
        let process = Process()
        process.executableURL = URL(fileURLWithPath: path)
        process.arguments = arguments
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = handle
        process.standardError = FileHandle.nullDevice
        let status: Int32 = try await withCheckedThrowingContinuation { continuation in
            process.terminationHandler = { continuation.resume(returning: $0.terminationStatus) }
            do { try process.run() } catch { continuation.resume(throwing: error) }
        }
        try handle.close()
        return Outcome(status: status, output: try Data(contentsOf: file))
    }

    private func curl(_ server: HTTP2Server, _ path: String, _ arguments: [String] = []) async throws -> Outcome? {
        try await self.run(
            "curl",
            ["-sS", "--max-time", "30", "--http2-prior-knowledge"] + arguments + [
                "http://127.0.0.1:\(server.port)\(path)"
            ])
    }

    /// A file with a pattern, removed afterwards.
    private func withFile<Answer>(byteCount: Int, _ body: (URL, Data) async throws -> Answer) async throws -> Answer {
        let file = FileManager.default.temporaryDirectory.appending(path: "holdfast-http2-\(UUID().uuidString)")
        let chunk = Data((0..<10_007).map { UInt8(truncatingIfNeeded: $0 / 5) })
        var data = Data()
        while data.count < byteCount { data.append(chunk.prefix(byteCount - data.count)) }
        try data.write(to: file)
        defer { try? FileManager.default.removeItem(at: file) }
        return try await body(file, data)
    }

    @Test func `curl gets and posts`() async throws {
        try await withServer { server, _ in
            guard let got = try await self.curl(server, "/hello", ["-w", "%{http_version} %{http_code}"]) else {
                return
            }
            #expect(got.text == "hello\n2 200")
            #expect(try await self.curl(server, "/count", ["-d", "hi"])?.text == "2\n")
            #expect(try await self.curl(server, "/early", ["-d", "hi", "-w", "%{http_code}"])?.text == "too much\n413")
        }
    }

    @Test func `curl uploads and downloads 10 MB`() async throws {
        try await withServer { server, _ in
            try await self.withFile(byteCount: 10_000_000) { file, data in
                let upload = ["-H", "Expect:", "--data-binary", "@\(file.path)"]
                guard let counted = try await self.curl(server, "/count", upload) else { return }
                #expect(counted.text == "10000000\n")
                let echoed = try await self.curl(server, "/echo", upload)
                #expect(echoed?.status == 0)
                #expect(echoed?.output == data)
                #expect(try await self.curl(server, "/bytes/10000000")?.output.count == 10_000_000)
            }
        }
    }

    @Test func `curl speaking HTTP 1 reads what is wrong`() async throws {
        try await withServer { server, _ in
            for arguments in [[], ["-d", "hi"]] {
                let answer = try await self.run(
                    "curl",
                    ["-sS", "--http1.1", "--max-time", "10", "-w", "%{http_code}"] + arguments
                        + ["http://127.0.0.1:\(server.port)/v1/records"])
                guard let answer else { return }
                #expect(answer.status == 0)
                #expect(answer.text.contains("speaks HTTP/2 only"))
                #expect(answer.text.hasSuffix("426"))
            }
        }
    }

    @Test func `h2load succeeds with every request`() async throws {
        try await withServer { server, _ in
            try await self.withFile(byteCount: 1_000) { file, _ in
                let base = "http://127.0.0.1:\(server.port)"
                for arguments in [["\(base)/hello"], ["-d", file.path, "\(base)/count"]] {
                    let answer = try await self.run(
                        "h2load", ["-n", "2000", "-c", "4", "-m", "32", "-N", "20s"] + arguments)
                    guard let answer else { return }
                    #expect(answer.text.contains("2000 succeeded, 0 failed, 0 errored, 0 timeout"))
                }
            }
        }
    }

    @Test func `a test that is skipped fails where all have to run`() throws {
        #expect(throws: SkippedTest.self) {
            try SkippedTest.note("no such program", environment: ["HOLDFAST_TESTS_COMPLETE": "1"])
        }
        try SkippedTest.note("this one is not: it is the note that is tested", environment: [:])
    }

    @Test func `python's httpx gets, posts and streams`() async throws {
        guard let python = Self.python else { return try SkippedTest.note("python3 is not installed") }
        let probe = try await self.run(python, ["-c", "import httpx, h2"])
        guard probe?.status == 0 else {
            return try SkippedTest.note(
                "\(python) has no httpx[http2] (set HOLDFAST_PYTHON, or pip install 'httpx[http2]')")
        }
        try await withServer { server, _ in
            let script = """
                import httpx
                with httpx.Client(http1=False, http2=True, timeout=20, trust_env=False) as client:
                    base = 'http://127.0.0.1:\(server.port)'
                    answer = client.get(base + '/hello')
                    print(answer.http_version, answer.status_code, answer.text.strip())
                    body = bytes(range(256)) * 8192
                    print(client.post(base + '/count', content=body).text.strip())
                    print(client.post(base + '/echo', content=body).content == body)
                    print(len(client.get(base + '/bytes/3000000').content))
                    print([client.get(base + '/hello').status_code for _ in range(50)].count(200))
                """
            let answer = try await self.run(python, ["-c", script])
            #expect(answer?.text == "HTTP/2 200 hello\n2097152\nTrue\n3000000\n50\n")
        }
    }

    @Test func `curl and python's httpx speak HTTP/2 by TLS, as ALPN has it`() async throws {
        let certificates = try TestCertificates()
        let authority = certificates.path("ca.pem")
        try await withServer(tls: TLSListening(try certificates.node(1), admitting: .anybody)) { server, _ in
            let url = "https://localhost:\(server.port)/hello"
            let got = try await self.run(
                "curl", ["-sS", "--max-time", "30", "--cacert", authority, "-w", "%{http_version} %{http_code}", url])
            #expect(got.map { $0.text == "hello\n2 200" } ?? true, "\(got?.text ?? "")")
            // Without ALPN it is HTTP/1, and told so within TLS.
            let old = try await self.run(
                "curl", ["-sS", "--http1.1", "--max-time", "30", "--cacert", authority, url])
            #expect(
                old.map { $0.text.contains("speaks HTTP/2 only. Try: curl --http2 ") } ?? true, "\(old?.text ?? "")")
            guard let python = Self.python, try await self.run(python, ["-c", "import httpx, h2"])?.status == 0 else {
                return try SkippedTest.note("python3 has no httpx[http2]")
            }
            let script = """
                import httpx, ssl
                context = ssl.create_default_context(cafile='\(authority)')
                with httpx.Client(http2=True, timeout=20, trust_env=False, verify=context) as client:
                    answer = client.get('\(url)')
                    print(answer.http_version, answer.status_code, answer.text.strip())
                    body = bytes(range(256)) * 8192
                    print(client.post('https://127.0.0.1:\(server.port)/echo', content=body).content == body)
                """
            let answer = try await self.run(python, ["-c", script])
            #expect(answer?.text == "HTTP/2 200 hello\nTrue\n")
        }
    }
}
