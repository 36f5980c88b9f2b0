import Testing

extension ClusterTests {
    /// How many connections of clients real nodes hold.
    @Suite struct ConnectionTests {
        @Test func `A node holds as many connections as it is told to, and counts those that it refuses`() async throws
        {
            let keys = "client.connections.max: 6\nclient.connections.per.address.max: 5\n"
            try await TestCluster.with(nodes: 1, prepare: { try $0.writeConfigurations(adding: { _ in keys }) }) {
                cluster in
                let node = cluster.nodes[0]
                let answer = try await Program.run(
                    [
                        "-c",
                        """
                        for number in 1 2 3 4 5 6 7 8; do exec {held}<>/dev/tcp/127.0.0.1/\(node.client.port); done
                        for try in $(seq 150); do
                            curl -s http://\(node.admin)/metrics >metrics
                            refused=$(grep -F 'listener="client",limit="connections_per_address"' metrics)
                            case $refused in *' 0') sleep 0.1 ;; *) break ;; esac
                        done
                        grep '^holdfast_connections{listener="client"}' metrics
                        echo "${refused##* }"
                        """,
                    ], executable: "/usr/bin/bash", directory: cluster.directory)
                let numbers = answer.lines.compactMap { $0.split(separator: " ").last.flatMap { Int($0) } }
                try #require(numbers.count == 2, "\(answer.summary)")
                #expect(numbers[0] <= 5 && numbers[1] > 0, "\(answer.summary)")
                // With those sockets gone there is room again.
                try await cluster.append(["still served"])
            }
        }
    }
}
