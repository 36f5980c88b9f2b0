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
        /// Medians of both halves of the run, and whether each quarter took more; `nil` for a run that was too short.
        var firstHalfByteCount: Int?
        var secondHalfByteCount: Int?
        fileprivate(set) var trend = MemoryTrend()

        /// Whether it took more and more.
        func grows(byMoreThan byteCount: Int) -> Bool {
            self.trend.verdict?.grows(byMoreThan: byteCount) ?? false
        }

        private enum CodingKeys: String, CodingKey {
            case node
            case anonymousByteCountMax = "anonymous_bytes_max"
            case descriptorCountMax = "descriptors_max"
            case anonymousByteCount = "anonymous_bytes"
            case descriptorCount = "descriptors"
            case firstHalfByteCount = "anonymous_bytes_first_half"
            case secondHalfByteCount = "anonymous_bytes_second_half"
        }
    }

    private let cluster: LocalCluster
    private let beginning: LogBeginning
    private let seen = Mutex<[UInt32: Usage]>([:])

    init(_ cluster: LocalCluster, _ beginning: LogBeginning) {
        self.cluster = cluster
        self.beginning = beginning
    }

    var usages: [Usage] {
        let usages = self.seen.withLock { seen in seen.values.sorted { $0.node < $1.node } }
        return usages.map { usage in
            var usage = usage
            usage.firstHalfByteCount = usage.trend.verdict?.firstHalf
            usage.secondHalfByteCount = usage.trend.verdict?.secondHalf
            return usage
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

    func look() {
        for node in self.cluster.nodes {
            guard let process = self.cluster.process(node), let usage = ProcessUsage(of: process.pid) else { continue }
            let descriptors = Files.names(in: "/proc/\(process.pid)/fd").count
            self.seen.withLock { seen in
                var known = seen[node.number] ?? Usage(node: node.number)
                known.anonymousByteCount = usage.anonymousByteCount
                known.anonymousByteCountMax = max(known.anonymousByteCountMax, usage.anonymousByteCount)
                known.trend.add(usage.anonymousByteCount)
                known.descriptorCount = descriptors
                known.descriptorCountMax = max(known.descriptorCountMax, descriptors)
                seen[node.number] = known
            }
        }
    }
}
