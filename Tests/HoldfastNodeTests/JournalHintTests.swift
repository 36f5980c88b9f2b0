import Foundation
import Testing

/// Who is warned is told what to do, also of what no test can bring about.
@Suite struct JournalHintTests {
    private static let sources = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().appending(path: "Sources")

    @Test func `every place in the sources that warns gives a hint`() throws {
        let files = try #require(FileManager.default.enumerator(at: Self.sources, includingPropertiesForKeys: nil))
        var count = 0
        for case let file as URL in files where file.pathExtension == "swift" {
            for call in Self.warnings(in: try String(contentsOf: file, encoding: .utf8)) {
                count += 1
                #expect(call.contains(#""hint":"#), "\(file.lastPathComponent): \(call)")
            }
        }
        #expect(count >= 35, "it looks where they are: \(count)")
    }

    @Test func `a call is seen to its end, whatever stands around it`() {
        let text = """
            self.logger.notice("no warning")
            if f(x) { logger.error("a (b)", metadata: ["error": "\\(g(1))"]) } else { h() }
            self.configuration.logger.log(
                level: level, "c")
            """
        #expect(
            Self.warnings(in: text) == [
                #"logger.error("a (b)", metadata: ["error": "\(g(1))"])"#, "logger.log(\n    level: level, \"c\")",
            ])
    }

    /// Calls that write entries of level warning, error or critical, or of one that is found out at run time.
    ///
    /// Parentheses come in pairs, in words as well.
    private static func warnings(in text: String) -> [String] {
        text.matches(of: #/logger\.(?:warning|error|critical|log)\(/#).map { match in
            var depth = 1
            let rest = text[match.range.upperBound...].prefix { character in
                if character == "(" { depth += 1 }
                if character == ")" { depth -= 1 }
                return depth > 0
            }
            return String(text[match.range]) + rest + ")"
        }
    }
}
