import Foundation
import Testing

extension ClusterTests {
    /// Files that `holdfast token` and `holdfast certs` replace, whoever runs them.
    @Suite struct FileReplacementTests {
        @Test func `Tokens that are made and revoked at once are all made, and all revoked`() async throws {
            let scratch = try Scratch()
            defer { scratch.end() }
            let file = "\(scratch.path)/tokens"
            func all(_ command: (Int) -> [String]) async throws {
                try await withThrowingTaskGroup(of: Program.Answer.self) { group in
                    for number in 0..<8 {
                        let arguments = command(number) + ["--file", file]
                        group.addTask { try await Program.run(arguments) }
                    }
                    for try await answer in group { #expect(answer.status == 0, "\(answer.summary)") }
                }
            }
            func names() throws -> [String] {
                try scratch.text("tokens").split(separator: "\n").dropFirst()
                    .map { String($0.prefix { $0 != " " }) }.sorted()
            }
            try await all { ["token", "create", "--name", "t\($0)", "--scope", "read"] }
            #expect(try names() == (0..<8).map { "t\($0)" })
            try await all {
                $0 % 2 == 0
                    ? ["token", "revoke", "t\($0)"] : ["token", "create", "--name", "u\($0)", "--scope", "read"]
            }
            #expect(try names() == ["t1", "t3", "t5", "t7", "u1", "u3", "u5", "u7"])
            #expect(try FileManager.default.contentsOfDirectory(atPath: scratch.path) == ["tokens"], "no draft is left")
        }

        @Test func `A key whose certificate could not follow it is named, and the same with --force mends both`()
            async throws
        {
            let scratch = try Scratch()
            defer { scratch.end() }
            let certs = "\(scratch.path)/certs"
            func make(_ arguments: String...) async throws -> Program.Answer {
                try await Program.run(["certs"] + arguments + ["--dir", certs])
            }
            for made in [try await make("ca"), try await make("node", "1")] {
                try #require(made.status == 0, "\(made.summary)")
            }
            let key = try scratch.text("certs/n1.key")
            // No file takes the place of a directory.
            try FileManager.default.removeItem(atPath: "\(certs)/n1.pem")
            try FileManager.default.createDirectory(atPath: "\(certs)/n1.pem", withIntermediateDirectories: false)
            let half = try await make("node", "1", "--force")
            #expect(half.status == 71, "\(half.summary)")
            for words in ["/n1.pem: Is a directory", "/n1.key was replaced already", "with --force: it replaces both"] {
                #expect(half.errors.contains(words), "\(half.summary)")
            }
            #expect(!half.errors.contains("nothing was changed"))
            #expect(try scratch.text("certs/n1.key") != key)
            func expectNoDrafts() throws {
                let names = try FileManager.default.contentsOfDirectory(atPath: certs).sorted()
                #expect(names == ["ca.key", "ca.pem", "n1.key", "n1.pem"])
            }
            try expectNoDrafts()

            try FileManager.default.removeItem(atPath: "\(certs)/n1.pem")
            let mended = try await make("node", "1", "--force")
            #expect(mended.status == 0, "\(mended.summary)")
            try expectNoDrafts()
            let shown = try await Program.run(["certs", "show", "\(certs)/n1.pem"])
            #expect(shown.status == 0 && shown.output.contains("node 1"), "\(shown.summary)")
        }
    }
}
