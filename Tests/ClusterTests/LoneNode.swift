import Foundation
import Glibc
import HoldfastClient
import Testing

/// A node without peers, served in the foreground: client port `base`, peer port `base` + 1.
struct LoneNode {
    var directory: String
    var base: Int

    var server: ServerAddress { ServerAddress(host: "127.0.0.1", port: self.base) }

    /// Runs until somebody stops it.
    func serve(environment: [String: String] = [:]) async throws -> Program.Answer {
        try await Program.run(
            [
                "serve", "--node-id", "1", "--data-dir", self.directory, "--listen", "\(self.server)",
                "--peer-listen", "127.0.0.1:\(self.base + 1)",
            ], environment: environment)
    }

    /// Runs while `body` does, which may end it, too.
    ///
    /// - Returns: What it said.
    func serve(_ body: (pid_t) async throws -> Void) async throws -> Program.Answer {
        async let served = self.serve()
        let process = try await self.ready()
        try await body(process)
        kill(process, SIGTERM)
        return try await served
    }

    /// Waits until it leads.
    func ready() async throws -> pid_t {
        let ready = try await Program.run(["status", "--wait-ready", "20s", "--server", "\(self.server)"])
        try #require(ready.status == 0, "\(ready.summary)")
        return try #require(Processes.naming(self.directory).first)
    }

    /// Waits until it hears of SIGTERM, however far it is.
    func trapping() async throws -> pid_t {
        var found: pid_t?
        try await eventually("the node to hear of SIGTERM") {
            found = Processes.naming(self.directory).first { Processes.hears(SIGTERM, $0) }
            return found != nil
        }
        return try #require(found)
    }
}

extension Processes {
    /// Whether a process takes a signal off a signalfd, as `/proc/PID/fdinfo` tells.
    static func hears(_ signal: Int32, _ process: pid_t) -> Bool {
        let directory = "/proc/\(process)/fdinfo"
        let names = (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []
        return names.contains { name in
            let lines = (self.text("\(directory)/\(name)") ?? "").split(separator: "\n")
            let mask = lines.first { $0.hasPrefix("sigmask:") }?.split(whereSeparator: \.isWhitespace).last
            return mask.flatMap { UInt64($0, radix: 16) }.map { $0 & 1 << (UInt64(signal) - 1) != 0 } ?? false
        }
    }
}
