import HoldfastClient
import Synchronization

/// Memory and descriptors of the nodes' processes, and where their logs begin, from time to time.
final class SoakWatch: Sendable {
    private static let interval = Duration.seconds(1)

    struct Usage: Encodable, Sendable {
        var node: UInt32
        var anonymousByteCountMax = 0
        var descriptorCountMax = 0
        /// At the end, when nothing happens any more.
        var anonymousByteCount = 0
        var descriptorCount = 0
        /// In the quiet part, more each minute; `nil` without one that was long enough, and for a node that is not a member.
        var anonymousByteCountPerMinute: Double?
        var descriptorCountPerMinute: Double?
        /// Other processes that took its place in the quiet part, in which nobody ends one.
        var unexpectedStarts = 0

        private enum CodingKeys: String, CodingKey {
            case node
            case anonymousByteCountMax = "anonymous_bytes_max"
            case descriptorCountMax = "descriptors_max"
            case anonymousByteCount = "anonymous_bytes"
            case descriptorCount = "descriptors"
            case anonymousByteCountPerMinute = "anonymous_bytes_per_minute"
            case descriptorCountPerMinute = "descriptors_per_minute"
            case unexpectedStarts = "unexpected_starts"
        }
    }

    /// What is seen of one node in the quiet part.
    private struct Quiet {
        var process: ProcessIdentity
        var memory = QuietGrowth()
        var descriptors = QuietGrowth()
        var unexpectedStarts = 0
    }

    private struct State {
        var usages: [UInt32: Usage] = [:]
        /// When the quiet part began; `nil` while anything may happen.
        var quietSince: ContinuousClock.Instant?
        var quiet: [UInt32: Quiet] = [:]
    }

    private let cluster: LocalCluster
    private let beginning: LogBeginning
    private let state = Mutex(State())

    init(_ cluster: LocalCluster, _ beginning: LogBeginning) {
        self.cluster = cluster
        self.beginning = beginning
    }

    var usages: [Usage] {
        self.state.withLock { state in
            state.usages.values.sorted { $0.node < $1.node }.map { usage in
                var usage = usage
                guard let quiet = state.quiet[usage.node] else { return usage }
                usage.anonymousByteCountPerMinute = quiet.memory.perMinute
                usage.descriptorCountPerMinute = quiet.descriptors.perMinute
                usage.unexpectedStarts = quiet.unexpectedStarts
                return usage
            }
        }
    }

    func run() async {
        let client = self.cluster.client(timeoutMilliseconds: 1_000)
        while !Task.isCancelled {
            self.look()
            _ = await self.beginning.look(at: self.cluster, client)
            try? await Task.sleep(for: Self.interval)
        }
        await client.shutdown()
    }

    /// Nothing happens to the nodes from now on but their work.
    func beginQuiet() { self.state.withLock { $0.quietSince = .now } }

    /// - Returns: How long it was, in seconds.
    func endQuiet() -> Double {
        self.state.withLock { state in
            defer { state.quietSince = nil }
            return state.quietSince?.duration(to: .now).seconds ?? 0
        }
    }

    func look() {
        for node in self.cluster.nodes {
            guard let process = self.cluster.process(node), let usage = ProcessUsage(of: process.pid) else { continue }
            let descriptors = Files.names(in: "/proc/\(process.pid)/fd").count
            self.state.withLock { state in
                var known = state.usages[node.number] ?? Usage(node: node.number)
                known.anonymousByteCount = usage.anonymousByteCount
                known.anonymousByteCountMax = max(known.anonymousByteCountMax, usage.anonymousByteCount)
                known.descriptorCount = descriptors
                known.descriptorCountMax = max(known.descriptorCountMax, descriptors)
                state.usages[node.number] = known
                guard let since = state.quietSince else { return }
                var quiet = state.quiet[node.number] ?? Quiet(process: process)
                if quiet.process != process {
                    quiet = Quiet(process: process, unexpectedStarts: quiet.unexpectedStarts + 1)
                }
                let seconds = since.duration(to: .now).seconds
                quiet.memory.add(usage.anonymousByteCount, atSeconds: seconds)
                quiet.descriptors.add(descriptors, atSeconds: seconds)
                state.quiet[node.number] = quiet
            }
        }
    }
}
