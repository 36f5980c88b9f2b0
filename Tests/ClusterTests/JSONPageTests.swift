import Foundation
import Testing

extension ClusterTests {
    /// What `-o json` prints is what its page says: programs depend on it.
    @Suite struct JSONPageTests {
        /// Of one heading of the page: the paths of fields, and whether each may be missing.
        private static func fields(under heading: String, of page: Document) -> [String: Bool] {
            var fields: [String: Bool] = [:]
            for row in page.rows(under: heading) {
                let cell = row.split(separator: "|").first ?? ""
                for match in cell.matches(of: #/`([^`]+)`(\*?)/#) { fields[String(match.1)] = !match.2.isEmpty }
            }
            return fields
        }

        /// The paths of all values: `nodes[].status.term`.
        private static func paths(of value: Any, _ path: String = "") -> Set<String> {
            switch value {
            case let object as [String: Any]:
                object.reduce(into: []) { paths, member in
                    let name = path.isEmpty ? member.key : "\(path).\(member.key)"
                    paths.formUnion(Self.paths(of: member.value, name))
                }
            case let array as [Any]:
                array.isEmpty
                    ? ["\(path)[]"] : array.reduce(into: []) { $0.formUnion(Self.paths(of: $1, "\(path)[]")) }
            default: [path]
            }
        }

        private static func paths(of answer: Program.Answer) throws -> Set<String> {
            try answer.lines.reduce(into: []) { paths, line in
                let document = try JSONSerialization.jsonObject(with: Data(line.utf8), options: .fragmentsAllowed)
                paths.formUnion(self.paths(of: document))
            }
        }

        private static func expect(_ paths: Set<String>, under heading: String, of page: Document, _ command: String) {
            let fields = self.fields(under: heading, of: page)
            #expect(!fields.isEmpty, "\(heading)")
            func isSaid(_ path: String) -> Bool {
                fields.keys.contains { path == $0 || path.hasPrefix("\($0).") || path.hasPrefix("\($0)[]") }
            }
            let unsaid = paths.filter { !isSaid($0) }.sorted()
            #expect(unsaid.isEmpty, "\(command) prints fields that \(heading) does not know")
            let missing = fields.filter { field in
                !field.value
                    && !paths.contains { path in
                        path == field.key || path.hasPrefix("\(field.key).") || path.hasPrefix("\(field.key)[]")
                    }
            }
            #expect(missing.isEmpty, "\(command) does not print what \(heading) promises")
        }

        @Test func `every document has the fields that the page promises, and no others`() async throws {
            let page = try Document("Sources/HoldfastClient/HoldfastClient.docc/CommandLineJSON.md")
            try await TestCluster.with { cluster in
                try await cluster.append(["one", "two"])
                try await cluster.untilLevel()
                let node = cluster.nodes[2]
                func run(_ line: String, _ heading: String, exits status: Int32 = 0) async throws {
                    let answer = try await cluster.shell("holdfast \(line) -o json")
                    #expect(answer.status == status, "\(line): \(answer.summary)")
                    Self.expect(try Self.paths(of: answer), under: "## \(heading)", of: page, line)
                }
                try await run("append --key k <<< three", "append")
                try await run("read", "read, tail")
                try await run("tail -n 1", "read, tail")
                try await run("cursor set c 1 --hold", "cursor get, cursor set")
                try await run("cursor get c", "cursor get, cursor set")
                try await run("cursor list", "cursor list")
                try await run("cursor delete c", "cursor delete")
                try await run("explain", "explain")
                try await run("config check --config data/run/n1.yaml", "config check")
                try await run("config print --config data/run/n1.yaml", "config print")
                try await run("config keys", "config keys")
                try await run("member list", "member list")
                try await run("member promote 1", "member add, promote, replace, remove")
                try await run("transfer-leader", "transfer-leader")
                try await run("trim --before 1", "trim")
                try await run("backup create kept", "backup create")
                try await run("backup verify kept", "backup verify")
                try await run("backup restore kept --data-dir anew --node-id 1", "backup restore")
                for command in ["ca", "node 1", "client billing"] {
                    try await run("certs \(command)", "certs ca, certs node, certs client")
                }
                try await run("certs show certs/n1.pem", "certs show")
                try await run("token create --name billing --scope read", "token create")
                try await run("token list", "token list")
                try await run("token revoke billing", "token revoke")
                try await run("cluster status", "cluster status")
                try await run("cluster leader", "cluster leader")
                for file in ["vote", "durable", "identity"] {
                    try await run("inspect \(file) data/n3", "inspect \(file)")
                }
                try await run("inspect segment data/n3 0", "inspect segment")
                let status = try await cluster.shell("holdfast status -o json")
                let paths = try Self.paths(of: status)
                Self.expect(paths, under: "## status", of: page, "status")
                let prefix = "nodes[].status."
                Self.expect(
                    Set(paths.filter { $0.hasPrefix(prefix) }.map { String($0.dropFirst(prefix.count)) }),
                    under: "## The status of a node", of: page, "status")
                let steps = "cluster kill, pause, resume, start, down"
                for step in ["pause", "resume", "kill"] { try await run("cluster \(step) \(node.name)", steps) }
                try await run("cluster corrupt \(node.name)", "cluster corrupt")
                try await run("verify data/n3", "verify", exits: 65)
                try await run("cluster start \(node.name)", steps)
                try await run("cluster down", steps)
                let measured = "bench append, bench read, bench catch-up, bench failover"
                try await run("bench append --clients 1 --runs 1 --duration 50ms", measured)
                let growth = "bench log growth"
                try await run("\(growth) --log-size 3MiB --segment-size 1MiB --runs 1", growth)
                try await run("failover-test --kills 1", "failover-test")
                try await run("soak-test --minutes 0.05 --rate 2000 --seed 1", "soak-test")
            }
        }
    }
}
