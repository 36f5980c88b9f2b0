import Foundation
import Testing

@testable import HoldfastNode

@Suite struct JournalKeyTests {
    /// Everything between a logger's call and the brackets' end.
    private static var call: Regex<Substring> {
        #/[lL]ogger\.(?:log|trace|debug|info|notice|warning|error|critical)\(/#
    }
    private static var name: Regex<(Substring, Substring)> { #/"([A-Za-z_.-]+)":/# }

    @Test func `all call sites use registered names only`() throws {
        let known = Set(JournalKey.allCases.map(\.rawValue) + ["node"])
        var count = 0
        for module in ["HTTP2Transport", "Replicator", "HoldfastNode"] {
            let root = Repository.root.appendingPathComponent("Sources/\(module)")
            let files = try #require(FileManager.default.enumerator(at: root, includingPropertiesForKeys: nil))
            for case let file as URL in files where file.pathExtension == "swift" {
                let text = try String(contentsOf: file, encoding: .utf8)
                for call in text.matches(of: Self.call) {
                    count += 1
                    for name in Self.arguments(text[call.range.upperBound...]).matches(of: Self.name) {
                        let name = String(name.output.1)
                        #expect(known.contains(name), "\(name) in \(file.lastPathComponent)")
                    }
                }
                for name in text.matches(of: #/etadata\["([^"]+)"\] = /#) {
                    #expect(known.contains(String(name.output.1)), "\(name.output.1) in \(file.lastPathComponent)")
                }
                guard text.contains("Logger.Metadata = [") else { continue }
                for name in text.matches(of: #/Logger\.Metadata = \[([^\]]*)\]/#).flatMap({
                    $0.output.1.matches(of: Self.name)
                }) {
                    #expect(known.contains(String(name.output.1)), "\(name.output.1) in \(file.lastPathComponent)")
                }
            }
        }
        #expect(count > 40, "the calls are found")
    }

    /// Up to the bracket that closes the call; strings of this project's entries hold no lone brackets.
    private static func arguments(_ text: Substring) -> Substring {
        var depth = 1
        let end = text.firstIndex { character in
            if character == "(" { depth += 1 }
            if character == ")" { depth -= 1 }
            return depth == 0
        }
        return text[..<(end ?? text.endIndex)]
    }
}
