import Foundation
import Glibc
import HoldfastClient
import TestSupport
import Testing

extension ClusterTests {
    /// What systemd hears of a node, and how a node ends.
    @Suite struct LifeTests {
        @Test func `A node tells systemd when it is ready, what it does, that it lives, reloads and stops`()
            async throws
        {
            let scratch = try Scratch()
            defer { scratch.end() }
            let socket = try NotifySocket()
            let base = try Ports.freeBase(nodes: 1)
            let directory = "\(scratch.path)/n1"
            async let served = Self.serve(
                directory, base: base, environment: ["NOTIFY_SOCKET": socket.path, "WATCHDOG_USEC": "300000"])
            var told: [String] = []
            func until(_ message: String, times: Int = 1) async throws {
                try await eventually("\(times) of \(message)", state: { "\(told)" }) {
                    told += socket.take()
                    return told.count { $0.hasPrefix(message) } >= times
                }
            }
            try await until("READY=1")
            #expect(told.first == "READY=1")
            try await until("STATUS=leads in term 1; committed through 0")
            try await until("WATCHDOG=1", times: 3)
            let process = try #require(Processes.naming(directory).first)
            kill(process, SIGHUP)
            try await until("READY=1", times: 2)
            let reload = try #require(told.firstIndex { $0.hasPrefix("RELOADING=1\nMONOTONIC_USEC=") })
            let ready = try #require(told.lastIndex(of: "READY=1"))
            #expect(reload < ready)
            // A process that does nothing proves nothing.
            kill(process, SIGSTOP)
            try await eventually("it to stand still") { Self.isStopped(process) }
            _ = socket.take()
            try await Task.sleep(for: .milliseconds(400))
            #expect(socket.take().isEmpty)
            kill(process, SIGCONT)
            kill(process, SIGTERM)
            try await until("STOPPING=1")
            let answer = try await served
            #expect(answer.status == 0, "\(answer.summary)")
        }

        @Test func `A node that stops lets its clients end, and a second signal does not wait for them`() async throws {
            let scratch = try Scratch()
            defer { scratch.end() }
            let base = try Ports.freeBase(nodes: 1)
            let directory = "\(scratch.path)/n1"
            async let served = Self.serve(directory, base: base, environment: [:])
            let server = "127.0.0.1:\(base)"
            let ready = try await Program.run(["status", "--wait-ready", "20s", "--server", server])
            #expect(ready.status == 0, "\(ready.summary)")
            let process = try #require(Processes.naming(directory).first)
            // An append whose body takes minutes: let be for three seconds, by default.
            try scratch.write(String(repeating: "x", count: 200_000), to: "body")
            let trace = "\(scratch.path)/trace"
            async let client = Program.run(
                [
                    "--http2-prior-knowledge", "-s", "-m", "20", "--limit-rate", "1000", "--trace-ascii", trace,
                    "--data-binary", "@\(scratch.path)/body", "http://\(server)/v1/records",
                ], executable: "/usr/bin/curl")
            try await eventually("the append to begin") {
                Processes.text(trace)?.contains("=> Send data") ?? false
            }
            let began = ContinuousClock.now
            kill(process, SIGTERM)
            try await eventually("the node to listen no more") {
                guard let listener = Ports.listener(on: base) else { return false }
                try listener.close()
                return true
            }
            kill(process, SIGTERM)
            let answer = try await served
            #expect(answer.status == 0, "\(answer.summary)")
            #expect(answer.errors.contains("asked again to stop: clients are let go at once"), "\(answer.summary)")
            #expect(ContinuousClock.now - began < .seconds(2.8))
            let verify = try await Program.run(["verify", directory, "-o", "json"])
            #expect(try verify.json(VerifyReport.self).clean == true, "\(verify.summary)")
            #expect(try await client.status != 0)
        }

        /// Runs a node that is alone: client port `base`, peer port `base` + 1.
        private static func serve(
            _ directory: String, base: Int, environment: [String: String]
        ) async throws -> Program.Answer {
            try await Program.run(
                [
                    "serve", "--node-id", "1", "--data-dir", directory, "--listen", "127.0.0.1:\(base)",
                    "--peer-listen", "127.0.0.1:\(base + 1)",
                ], environment: environment)
        }

        private static func isStopped(_ process: pid_t) -> Bool {
            let stat = Processes.text("/proc/\(process)/stat") ?? ""
            return stat.lastIndex(of: ")").map { stat[$0...].hasPrefix(") T") } ?? false
        }
    }
}
