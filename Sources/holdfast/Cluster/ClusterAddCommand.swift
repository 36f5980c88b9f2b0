import ArgumentParser
import HoldfastClient

struct ClusterAddCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "add", abstract: "Starts one more node, and makes it a member.",
        discussion: "Its ports are ten above the last node's.\n\nExample: holdfast cluster add")

    @Option(help: "How long to wait until it votes. (default: 60s)", transform: DurationArgument.parse)
    var wait = DurationArgument(milliseconds: 60_000)

    @OptionGroup var options: ClusterOptions

    func run() async throws {
        let setup = ClusterSetup(directory: self.options.directory)
        let found = try self.options.cluster()
        let members = try await self.members(of: found)
        let (cluster, node) = try setup.extend(found)
        if cluster.process(node) == nil { try cluster.start(node) }
        let client = cluster.client(servers: members, timeoutMilliseconds: 2_000)
        let deadline = ContinuousClock.now + .milliseconds(self.wait.milliseconds)
        while true {
            let failure: String
            do throws(ClientError) {
                _ = try await client.addMember(node.number, peer: node.peer, client: node.client)
                let leader = await cluster.look(client).leader
                if leader?.nodes.first(where: { $0.node == node.number })?.membership == .voter { break }
                failure = "it is not level yet"
            } catch {
                guard error.passes else { throw CommandFailure(error) }
                failure = error.description
            }
            guard cluster.process(node) != nil else {
                throw CommandFailure(
                    .unreachable, "\(node.name) ended: \(cluster.lastWords(node))", next: "see \(cluster.log(node))")
            }
            guard ContinuousClock.now < deadline else {
                throw CommandFailure(
                    .degraded, "\(node.name) runs and does not vote yet: \(failure)",
                    next: cluster.command("add") + " goes on with it; see \(cluster.log(node))")
            }
            self.options.console.progress("\(node.name): \(failure)")
            try? await Task.sleep(for: .milliseconds(50))
        }
        setup.joined(node)
        self.options.console.endProgress()
        await client.shutdown()
        self.options.say("added", [node])
    }

    /// Where nodes of this very cluster answer: on its other ports another cluster may, which would take the node in.
    private func members(of cluster: LocalCluster) async throws(CommandFailure) -> [ServerAddress] {
        let members = await cluster.look().members
        guard !members.isEmpty else {
            throw CommandFailure(
                .unreachable, "no node of the cluster under \(cluster.directory) answers: none can be added to it",
                next: "\(cluster.command("status")); \(cluster.command("up"))")
        }
        return members.map(\.client)
    }
}
