import Foundation
import Testing

/// One entry of a node's journal, in either of its formats.
struct JournalLine {
    var level: String
    var message: String
    var hint: String?

    private struct Fields: Decodable {
        var level, message: String
        var hint: String?
    }

    /// - Returns: `nil` for what is no entry: the last words of a command stand in the same file.
    init?(_ line: Substring) {
        if line.hasPrefix("{") {
            guard let fields = try? JSONDecoder().decode(Fields.self, from: Data(line.utf8)) else { return nil }
            (self.level, self.message, self.hint) = (fields.level, fields.message, fields.hint)
            return
        }
        let start = #/time=\S+ level=(\w+)(?: node=\d+)? message=("(?:[^"\\]|\\.)*"|\S+)/#
        guard let head = line.prefixMatch(of: start) else { return nil }
        self.level = String(head.1)
        self.message = head.2.trimmingCharacters(in: ["\""])
        // The last of all fields.
        let end = #/.* hint=("(?:[^"\\]|\\.)+"|[^\s"]+)/#
        self.hint = line[head.range.upperBound...].wholeMatch(of: end).map { $0.1.trimmingCharacters(in: ["\""]) }
    }

    /// Whether it wakes somebody, and leaves that person alone.
    ///
    /// Operations.md says what has no hint: the line that counts repeats, since those before it have one.
    var lacksHint: Bool {
        ["warning", "error", "critical"].contains(self.level) && self.hint == nil
            && self.message.prefixMatch(of: #/repeated \d+ times more: /#) == nil
    }
}

extension TestCluster {
    /// Whatever a test has provoked: who is warned is told what to do.
    func expectHints() {
        let place = "\(self.directory)/run"
        for name in (try? FileManager.default.contentsOfDirectory(atPath: place)) ?? [] where name.hasSuffix(".log") {
            guard let text = try? String(contentsOfFile: "\(place)/\(name)", encoding: .utf8) else { continue }
            // Whoever is still writing the last line is not held to it.
            for line in text.split(separator: "\n").dropLast(text.hasSuffix("\n") ? 0 : 1)
            where JournalLine(line)?.lacksHint == true {
                Issue.record("\(name) does not say what to do: \(line)")
            }
        }
    }
}
