import Foundation
import Testing

/// Scenarios as text: commands (`> `), notes (`# `), and between them the effects.
///
/// `HOLDFAST_REWRITE=1 swift test --filter TranscriptTests` writes the effects anew; read the difference before
/// it is committed.
@Suite struct TranscriptTests {
    static let folder = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().appendingPathComponent("Transcripts")

    static let names = [
        "bootstrap", "split-vote", "pre-vote-with-live-leader", "partitioned-node-does-not-disturb",
        "figure-8",
        "check-quorum", "leader-lost", "held-until-stored", "restart", "divergent-suffix", "barred-from-voting",
        "reads", "follower-reads", "single-node", "transfer",
    ]

    @Test(arguments: names) func `the effects are those written down`(name: String) throws {
        let file = Self.folder.appendingPathComponent(name + ".txt")
        let text = try String(contentsOf: file, encoding: .utf8)
        let world = TranscriptWorld()
        var lines: [String] = []
        for line in text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init) {
            if line.hasPrefix("> ") {
                lines.append(line)
                lines += try world.run(String(line.dropFirst(2))).map { "    " + $0 }
            } else if !line.hasPrefix("    ") {
                lines.append(line)
            }
        }
        let actual = lines.joined(separator: "\n")
        if ProcessInfo.processInfo.environment["HOLDFAST_REWRITE"] == "1" {
            try actual.write(to: file, atomically: true, encoding: .utf8)
        } else {
            #expect(actual == text, "\(name).txt says otherwise")
        }
    }

    @Test func `every transcript is run`() throws {
        let files = try FileManager.default.contentsOfDirectory(atPath: Self.folder.path)
        #expect(files.sorted() == Self.names.map { $0 + ".txt" }.sorted())
    }
}
