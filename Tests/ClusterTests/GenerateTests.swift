import Foundation
import Glibc
import Testing

extension ClusterTests {
    /// Files for the programs that run a node.
    @Suite struct GenerateTests {
        private static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent()

        @Test(arguments: [
            ("systemd", "holdfast.service"), ("grafana", "holdfast-dashboard.json"), ("alerts", "holdfast-alerts.yml"),
        ])
        func `The copies under cluster are what the command writes`(kind: String, file: String) async throws {
            let copy = Self.root.appendingPathComponent("cluster/\(file)")
            let answer = try await Program.run(["generate", kind])
            #expect(answer.status == 0, "\(answer.summary)")
            if ProcessInfo.processInfo.environment["HOLDFAST_REWRITE"] == "1" {
                try answer.output.write(to: copy, atomically: true, encoding: .utf8)
            }
            #expect(
                try String(contentsOf: copy, encoding: .utf8) == answer.output, "HOLDFAST_REWRITE=1 writes it anew")
            let scratch = try Scratch()
            defer { scratch.end() }
            let written = try await Program.run(["generate", kind, "--output", "\(scratch.path)/\(file)"])
            #expect(written.status == 0 && written.output.isEmpty)
            #expect(try scratch.text(file) == answer.output)
        }

        @Test func `The unit is sound to systemd, and leaves a node few rights`() async throws {
            let scratch = try Scratch()
            defer { scratch.end() }
            try scratch.write("node.id: 1\n", to: "n.yaml")
            let unit = "\(scratch.path)/holdfast.service"
            let binary = "\(scratch.path)/holdfast"
            try FileManager.default.createSymbolicLink(atPath: binary, withDestinationPath: Program.path)
            let answer = try await Program.run([
                "generate", "systemd", "--binary", binary, "--config", "\(scratch.path)/n.yaml", "--user", "holdfast-x",
                "--output", unit,
            ])
            #expect(answer.status == 0, "\(answer.summary)")
            let verified = try await Self.analyze(["verify", "--man=no", unit])
            #expect(verified.status == 0 && verified.errors.isEmpty, "\(verified.summary)")
            // The figure goes from 0 to 10, in tenths as --threshold has it; most services get more than 9.
            let secured = try await Self.analyze(["security", "--offline=true", "--threshold=16", unit])
            #expect(secured.status == 0, "\(secured.summary)")
        }

        @Test(arguments: [
            ["--binary", "holdfast"], ["--binary", "/usr/bin/hold fast"], ["--config", "/etc/%i.yaml"],
            ["--user", "a;b"], ["--user", ""],
        ])
        func `What would need quotes in a unit is refused`(arguments: [String]) async throws {
            let answer = try await Program.run(["generate", "systemd"] + arguments)
            #expect(answer.status == 64 && answer.output.isEmpty, "\(answer.summary)")
        }

        @Test func `A node makes no system call that the unit forbids`() async throws {
            let scratch = try Scratch()
            defer { scratch.end() }
            let base = try Ports.freeBase(nodes: 1)
            let directory = "\(scratch.path)/n1"
            let trace = "\(scratch.path)/trace"
            async let traced = Program.run(
                [
                    "-f", "-qq", "-o", trace, "--signal=none", Program.path, "serve", "--node-id", "1", "--data-dir",
                    directory, "--listen", "127.0.0.1:\(base)", "--peer-listen", "127.0.0.1:\(base + 1)",
                ], executable: "/usr/bin/strace")
            let server = "127.0.0.1:\(base)"
            let ready = try await Program.run(["status", "--wait-ready", "20s", "--server", server])
            #expect(ready.status == 0, "\(ready.summary)")
            let appended = try await Program.run(["append", "--server", server], input: "kept\n")
            #expect(appended.status == 0, "\(appended.summary)")
            for process in Processes.naming(directory) where Processes.text("/proc/\(process)/comm") == "holdfast\n" {
                kill(process, SIGTERM)
            }
            _ = try await traced
            let calls = Set(
                try scratch.text("trace").split(separator: "\n").compactMap { line -> String? in
                    let name = line.drop { $0.isNumber || $0 == " " }.prefix { $0.isLetter || $0.isNumber || $0 == "_" }
                    return name.isEmpty ? nil : String(name)
                })
            #expect(calls.contains("fdatasync") && calls.count > 30, "\(calls.sorted())")
            var allowed: Set<String> = []
            for line in try await Program.run(["generate", "systemd"]).lines {
                guard let filter = line.wholeMatch(of: #/SystemCallFilter=(~?)(.+)/#) else { continue }
                for set in filter.2.split(separator: " ").map(String.init) {
                    let calls = try await set.hasPrefix("@") ? Self.calls(in: set) : [set]
                    if filter.1.isEmpty { allowed.formUnion(calls) } else { allowed.subtract(calls) }
                }
            }
            #expect(calls.subtracting(allowed).isEmpty, "\(calls.subtracting(allowed).sorted())")
        }

        private static func analyze(_ arguments: [String]) async throws -> Program.Answer {
            try await Program.run(arguments, executable: "/usr/bin/systemd-analyze")
        }

        /// All calls of a set, with those of the sets that it includes.
        private static func calls(in set: String) async throws -> Set<String> {
            let answer = try await Self.analyze(["syscall-filter", "--no-pager", set])
            try #require(answer.status == 0, "\(answer.summary)")
            var calls: Set<String> = []
            for line in answer.lines.dropFirst() {
                let name = line.trimmingCharacters(in: .whitespaces)
                if name.hasPrefix("@") {
                    calls.formUnion(try await Self.calls(in: name))
                } else if !name.hasPrefix("#") {
                    calls.insert(name)
                }
            }
            return calls
        }
    }
}
