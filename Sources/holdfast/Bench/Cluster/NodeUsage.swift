import Glibc
import Synchronization

/// What one node used while something was measured.
struct NodeUsage: Encodable, Sendable {
    var node: UInt32
    /// The most anonymous resident memory that was seen: `RssAnon` of `/proc/PID/status`.
    var anonymousByteCountMax: Int
    /// Of all threads, in user and kernel mode.
    var cpuSeconds: Double

    private enum CodingKeys: String, CodingKey {
        case node
        case anonymousByteCountMax = "anonymous_bytes_max"
        case cpuSeconds = "cpu_seconds"
    }
}

/// Looks at the nodes' processes while something is measured: also at those that are killed and started again.
final class UsageWatch: Sendable {
    private static let interval = Duration.milliseconds(50)

    private struct Seen {
        var anonymousByteCountMax = 0
        /// For each process of the node: CPU time before the watch began, and when it was seen last.
        var processes: [ProcessIdentity: (before: Double, last: Double)] = [:]
    }

    private let cluster: LocalCluster
    private let seen = Mutex<[UInt32: Seen]>([:])

    private init(_ cluster: LocalCluster) { self.cluster = cluster }

    /// - Parameter cluster: `nil` when its processes are not here: then nothing is known of them.
    static func during<Result: Sendable>(
        _ cluster: LocalCluster?, _ body: () async throws -> Result
    ) async throws -> (result: Result, usages: [NodeUsage]) {
        guard let cluster else { return (try await body(), []) }
        let watch = UsageWatch(cluster)
        watch.look(isFirst: true)
        let looking = Task {
            while !Task.isCancelled {
                watch.look()
                try? await Task.sleep(for: Self.interval)
            }
        }
        defer { looking.cancel() }
        let result = try await body()
        watch.look()
        return (result, watch.usages)
    }

    private func look(isFirst: Bool = false) {
        for node in self.cluster.nodes {
            guard let process = self.cluster.process(node), let usage = ProcessUsage(of: process.pid) else { continue }
            self.seen.withLock { seen in
                var known = seen[node.number, default: Seen()]
                known.anonymousByteCountMax = max(known.anonymousByteCountMax, usage.anonymousByteCount)
                let before = known.processes[process]?.before ?? (isFirst ? usage.cpuSeconds : 0)
                known.processes[process] = (before, usage.cpuSeconds)
                seen[node.number] = known
            }
        }
    }

    private var usages: [NodeUsage] {
        self.seen.withLock { seen in
            seen.sorted { $0.key < $1.key }.map { node, seen in
                NodeUsage(
                    node: node, anonymousByteCountMax: seen.anonymousByteCountMax,
                    cpuSeconds: seen.processes.values.reduce(0) { $0 + $1.last - $1.before })
            }
        }
    }
}

/// What `/proc` says of a process at a moment.
struct ProcessUsage {
    var anonymousByteCount: Int
    var cpuSeconds: Double

    /// - Returns: `nil` when it does not run.
    init?(of pid: pid_t) {
        guard
            let status = Files.text("/proc/\(pid)/status"),
            let line = status.split(separator: "\n").first(where: { $0.hasPrefix("RssAnon:") }),
            let kibibytes = line.split(whereSeparator: \.isWhitespace).dropFirst().first.flatMap({ Int($0) }),
            let stat = Files.text("/proc/\(pid)/stat"), let end = stat.lastIndex(of: ")")
        else { return nil }
        // The 14th and 15th field; the second is a name in parentheses that may hold anything.
        let fields = stat[stat.index(after: end)...].split(separator: " ")
        guard fields.count > 12, let user = Double(fields[11]), let system = Double(fields[12]) else { return nil }
        self.anonymousByteCount = kibibytes << 10
        self.cpuSeconds = (user + system) / Double(sysconf(Int32(_SC_CLK_TCK)))
    }
}
