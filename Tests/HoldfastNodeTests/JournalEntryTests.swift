import Foundation
import LogModel
import Logging
import Testing

@testable import HoldfastNode

@Suite struct JournalEntryTests {
    private static func entry(
        _ message: String, _ metadata: Logger.Metadata = [:], error: (any Error)? = nil
    ) -> JournalEntry {
        JournalEntry(
            time: Timestamp(nanoseconds: 1_795_827_600_123_456_789), level: .notice, message: message,
            metadata: metadata.merging(["node": "2"]) { $1 }, error: error)
    }

    private static func text(_ entry: JournalEntry, _ format: JournalFormat) -> String {
        String(decoding: entry.line(format), as: UTF8.self)
    }

    @Test func `the keys stand in a fixed order, and what is not registered is left out`() {
        let entry = Self.entry(
            "following", ["leader": "3", "hint": "none", "term": "7", "authorization": "Bearer x", "commit": "0:236"])
        #expect(
            Self.text(entry, .logfmt)
                == "time=2026-11-28T01:00:00.123Z level=notice node=2 message=following term=7 leader=3 commit=0:236 "
                + "hint=none\n")
        #expect(
            Self.text(entry, .json)
                == #"{"time":"2026-11-28T01:00:00.123Z","level":"notice","node":2,"message":"following","term":7,"#
                + #""leader":"3","commit":"0:236","hint":"none"}"# + "\n")
    }

    @Test func `an entry is one line, whatever its values hold`() throws {
        let nasty = "a \"b\"\n\r\t\u{1B}[31m=\\ \u{7F} é"
        let entry = Self.entry(nasty, ["reason": "\(nasty)", "error": ""])
        for format in JournalFormat.allCases {
            let text = Self.text(entry, format)
            #expect(text.utf8.filter { $0 < 0x20 } == [0x0A] && text.hasSuffix("\n"), "\(format)")
        }
        #expect(Self.text(entry, .logfmt).contains(#"reason="a \"b\"\n\r\t\u001b[31m=\\"#))
        #expect(Self.text(entry, .logfmt).contains(#" error="""#))
        struct Line: Decodable { var message, reason: String }
        let line = try JSONDecoder().decode(Line.self, from: Data(entry.line(.json)))
        #expect(line.message == nasty && line.reason == nasty)
    }

    @Test func `a long value is cut, and an error is said where the entry carries one`() {
        let long = Self.text(Self.entry("x", ["detail": "\(String(repeating: "ä", count: 5_000))"]), .logfmt)
        #expect(long.utf8.count < 1_200 && long.hasSuffix(#" ...""# + "\n"))
        let failed = Self.text(Self.entry("x", error: CancellationError()), .logfmt)
        #expect(failed.contains("error=CancellationError()"))
    }
}
