import Glibc

/// A cluster for one measurement or test, that is gone afterwards.
enum ThrowawayCluster {
    /// Starts it on free ports, gives it to `body`, and stops it and removes its files whatever happens.
    ///
    /// - Parameter directory: Where to keep it; by default a new temporary directory.
    static func with<Result>(
        nodes: Int, settings: String, isSecure: Bool = false, hasTokens: Bool = false, directory: String?,
        console: Console,
        _ body: (LocalCluster) async throws -> Result
    ) async throws -> Result {
        let root = try directory.map { Files.absolute($0) } ?? Files.makeTemporaryDirectory()
        if directory != nil, !Files.names(in: root).isEmpty {
            throw CommandFailure(
                .refused, "\(root) is not empty", next: "name a directory that does not exist yet")
        }
        // One more: a node may be added.
        guard let basePort = Ports.freeBase(nodes: nodes + 1) else {
            throw CommandFailure(.system, "no free ports on 127.0.0.1")
        }
        let cluster = try ClusterSetup(directory: root).make(
            count: nodes, basePort: basePort, settings: settings, isSecure: isSecure, hasTokens: hasTokens)
        let interruption = Interruption {
            // With those that were added.
            let everybody = (try? LocalCluster.find(root)) ?? cluster
            for node in everybody.nodes { everybody.process(node)?.signal(SIGKILL) }
            SmallDisk.unmountAll(under: root)
            Files.remove(root)
        }
        defer { interruption.end() }
        do {
            console.note("starting a cluster of \(nodes.counted("node")) under \(root)")
            for node in cluster.nodes { try cluster.start(node) }
            try await cluster.waitForLeader(milliseconds: 30_000)
            let result = try await body(cluster)
            await cluster.down()
            Files.remove(root)
            return result
        } catch {
            await cluster.down()
            // What the nodes said may explain it.
            console.note("the nodes' logs are kept: \(cluster.run)/n*.log")
            throw error
        }
    }
}
