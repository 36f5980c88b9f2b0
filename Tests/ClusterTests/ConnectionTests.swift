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

        @Test func `The admin listener holds as many as it is told to, and serves whoever comes when one is gone`()
            async throws
        {
            let keys = "admin.connections.max: 12\nadmin.connections.per.address.max: 10\n"
            try await TestCluster.with(nodes: 1, prepare: { try $0.writeConfigurations(adding: { _ in keys }) }) {
                cluster in
                let node = cluster.nodes[0]
                let answer = try await Program.run(
                    [
                        "-c",
                        """
                        for number in 1 2 3 4 5 6 7 8 9 10; do exec {held}<>/dev/tcp/127.0.0.1/\(node.admin.port); done
                        for try in $(seq 50); do
                            curl -s --max-time 5 http://\(node.admin)/livez >/dev/null || break
                            sleep 0.1
                        done
                        curl -s --interface 127.0.0.2 http://\(node.admin)/metrics >metrics
                        grep '^holdfast_connections{listener="admin"}' metrics
                        exec {held}>&-
                        for try in $(seq 50); do curl -s http://\(node.admin)/metrics >metrics && break; sleep 0.1; done
                        grep '^holdfast_connections{listener="admin"}' metrics
                        grep -F 'holdfast_breaches_total{listener="admin",limit="connections_per_address"}' metrics
                        """,
                    ], executable: "/usr/bin/bash", directory: cluster.directory)
                let numbers = answer.lines.compactMap { $0.split(separator: " ").last.flatMap { Int($0) } }
                try #require(numbers.count == 3, "\(answer.summary)")
                #expect(numbers[0] == 11, "ten of one address, and one that asks from another: \(answer.summary)")
                #expect(numbers[1] <= 10 && numbers[2] > 0, "\(answer.summary)")
            }
        }

        @Test func `The admin listener holds no more in all, however many addresses they come from`() async throws {
            let keys = "admin.connections.max: 12\nadmin.connections.per.address.max: 10\n"
            try await TestCluster.with(nodes: 1, prepare: { try $0.writeConfigurations(adding: { _ in keys }) }) {
                cluster in
                let node = cluster.nodes[0]
                // Two addresses with six streams each: neither has as many as one may have.
                let answer = try await Program.run(
                    [
                        "-c",
                        """
                        for address in 2 3; do
                            for number in 1 2 3 4 5 6; do
                                curl -sN --max-time 90 --interface 127.0.0.$address \
                                    http://\(node.admin)/admin/v1/stream >/dev/null &
                            done
                        done
                        for try in $(seq 100); do
                            curl -s --max-time 5 --interface 127.0.0.4 http://\(node.admin)/livez >/dev/null || {
                                echo "streams $(jobs -pr | wc -l)"
                                break
                            }
                            sleep 0.1
                        done
                        kill -KILL $(jobs -p)
                        wait
                        for try in $(seq 50); do curl -s http://\(node.admin)/metrics >metrics && break; sleep 0.1; done
                        grep '^holdfast_connections{listener="admin"}' metrics
                        grep -F 'holdfast_breaches_total{listener="admin",limit="connections"}' metrics
                        grep -F 'holdfast_breaches_total{listener="admin",limit="connections_per_address"}' metrics
                        """,
                    ], executable: "/usr/bin/bash", directory: cluster.directory, seconds: 120)
                let numbers = answer.lines.compactMap { $0.split(separator: " ").last.flatMap { Int($0) } }
                try #require(numbers.count == 4, "\(answer.summary)")
                #expect(numbers[0] == 12, "streams that were there when it was full: \(answer.summary)")
                #expect(numbers[1] <= 12 && numbers[2] > 0 && numbers[3] == 0, "\(answer.summary)")
            }
        }
    }
}
