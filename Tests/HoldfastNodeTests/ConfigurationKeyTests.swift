import Foundation
import Testing

@testable import HoldfastNode

@Suite struct ConfigurationKeyTests {
    @Test func `every key has names of its own, a meaning and an example that it takes`() {
        let keys = ConfigurationKey.allCases
        #expect(Set(keys.map(\.environmentName)).count == keys.count)
        #expect(Set(keys.map(\.flag)).count == keys.count)
        #expect(ConfigurationKey.electionTimeoutMin.environmentName == "HOLDFAST_ELECTION_TIMEOUT_MIN")
        for key in keys {
            let entry = key.entry
            #expect(entry.meaning.hasSuffix("."), "\(key)")
            guard let example = entry.example else {
                guard case .text = entry.fallback else {
                    Issue.record("\(key.rawValue) has neither a default nor an example")
                    continue
                }
                continue
            }
            // Of TLS all is said, or nothing.
            let base: [ConfigurationKey: [String]] = [
                .nodeID: ["1"], .dataDirectory: ["/tmp/x"], .tlsCertificate: ["a"], .tlsKey: ["b"],
                .tlsAuthority: ["c"],
            ]
            let report = ConfigurationReport(ConfigurationInput(flags: base.merging([key: [example]]) { $1 }))
            #expect(report.problems.isEmpty, "\(key.rawValue): \(report.problems)")
        }
    }

    @Test func `the documentation's table is the registry's`() throws {
        let file = Repository.root.appendingPathComponent(
            "Sources/HoldfastNode/HoldfastNode.docc/Configuration.md")
        let text = try String(contentsOf: file, encoding: .utf8)
        let begin = try #require(text.range(of: "| key |"))
        let rest = text[begin.lowerBound...]
        let end = rest.range(of: "\n\n")?.lowerBound ?? rest.endIndex
        let table = rest[..<end] + "\n"
        if ProcessInfo.processInfo.environment["HOLDFAST_REWRITE"] == "1" {
            try (text[..<begin.lowerBound] + KeyDocument.markdown + text[end...].dropFirst())
                .write(to: file, atomically: true, encoding: .utf8)
            return
        }
        #expect(table == KeyDocument.markdown, "HOLDFAST_REWRITE=1 writes it anew")
    }
}

/// Where the tests' own sources stand.
enum Repository {
    static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()
}
