import Foundation
import SegmentLog
import Testing

/// Runs the code of the tutorial, and checks that it is the code of the tutorial.
@Suite struct Tutorial {
    @Test func `the tutorial does what it says`() async throws {
        let scratch = FileManager.default.temporaryDirectory.appending(path: "holdfast-tutorial-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: scratch) }
        let directory = FilePath(scratch.path)

        let (log, report) = try await SegmentLog.open(LogConfiguration(directory: directory))
        print(report)
        #expect(report.description.hasPrefix("a new log, start 1: "))

        let hello = try await log.append(Record("hello"))
        let more = try await log.append(contentsOf: [
            Record(key: Bytes("color".utf8), value: Bytes("green".utf8)),
            Record(key: Bytes("shape".utf8), value: Bytes("round".utf8)),
        ])
        print("record \(hello.first) stands at \(hello.position), the batch took \(more.first) to \(more.last)")

        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 1...100 {
                group.addTask { try await log.append(Record("event \(number)")) }
            }
            try await group.waitForAll()
        }

        for try await entry in try log.read(from: .index(hello.first)) {
            print(entry.index, String(decoding: entry.record.value, as: UTF8.self))
        }

        var byteCount = 0
        for try await entry in try log.read() { byteCount += entry.record.value.count }
        #expect(byteCount > 600)

        let follower = Task {
            for try await entry in try log.read(from: .tail, following: true) {
                return String(decoding: entry.record.value, as: UTF8.self)
            }
            return "the log was closed"
        }

        try await log.trim(before: more.position)

        var configuration = LogConfiguration(directory: directory)
        configuration.retention = RetentionPolicy(byteCountMax: 10 << 30, ageMax: .seconds(7 * 86_400))
        configuration.compression = .deflate(level: 1)

        try await log.close()
        #expect(try await follower.value == "the log was closed")

        let (watched, _) = try await SegmentLog.open(configuration) { event in
            if case .damageFound(let damage) = event.kind { print("node \(event.node): \(damage)") }
        }
        #expect(watched.nextIndex == LogIndex(104))
        try await watched.close()
    }

    @Test func `every block of the tutorial is in this file`() throws {
        let file = URL(filePath: #filePath)
        let root = file.deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        let article = root.appending(path: "Sources/SegmentLog/SegmentLog.docc/Tutorial.md")
        let code = Self.lines(try String(contentsOf: file, encoding: .utf8)).joined(separator: "\n")
        let parts = try String(contentsOf: article, encoding: .utf8).components(separatedBy: "```")
        let blocks = parts.indices.filter { $0 % 2 == 1 }.map { Self.lines(parts[$0]).dropFirst() }
        #expect(blocks.count >= 8)
        for block in blocks {
            // An empty line may stand between statements that the article shows together.
            #expect(code.contains(block.joined(separator: "\n")), "\(block.joined(separator: "\n"))")
        }
    }

    private static func lines(_ text: String) -> [String] {
        text.components(separatedBy: "\n").map { $0.trimmingCharacters(in: .whitespaces) }.filter { !$0.isEmpty }
    }
}
