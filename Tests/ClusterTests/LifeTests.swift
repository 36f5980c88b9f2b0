import Foundation
import Glibc
import HoldfastClient
import TestSupport
import Testing

extension ClusterTests {
    /// What systemd hears of a node.
    @Suite struct LifeTests {
        @Test func `A node tells systemd when it is ready, what it does, that it lives, reloads and stops`()
            async throws
        {
            let scratch = try Scratch()
            defer { scratch.end() }
            let socket = try NotifySocket()
            let base = try Ports.freeBase(nodes: 1)
            let directory = "\(scratch.path)/n1"
            async let served = LoneNode(directory: directory, base: base).serve(
                environment: ["NOTIFY_SOCKET": socket.path, "WATCHDOG_USEC": "300000"])
            var told: [String] = []
            func until(_ message: String, times: Int = 1) async throws {
                try await eventually("\(times) of \(message)", state: { "\(told)" }) {
                    told += socket.take()
                    return told.count { $0.hasPrefix(message) } >= times
                }
            }
            try await until("READY=1")
            // Each five seconds that a start takes, it asks for more time.
            #expect(told.first { !$0.hasPrefix("EXTEND_TIMEOUT_USEC=") } == "READY=1")
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

        private static func isStopped(_ process: pid_t) -> Bool {
            let stat = Processes.text("/proc/\(process)/stat") ?? ""
            return stat.lastIndex(of: ")").map { stat[$0...].hasPrefix(") T") } ?? false
        }
    }
}
