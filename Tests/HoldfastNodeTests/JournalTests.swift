import Foundation
import Glibc
import LogModel
import Logging
import SystemPackage
import Testing

@testable import HoldfastNode

@Suite struct JournalTests {
    /// Both ends of a pipe.
    private struct Pipe {
        let read: SystemPackage.FileDescriptor
        let write: SystemPackage.FileDescriptor

        init() throws {
            let ends = try SystemPackage.FileDescriptor.pipe()
            self.read = ends.readEnd
            self.write = ends.writeEnd
        }

        /// All that comes until the other end is closed.
        func text() throws -> String {
            var bytes: [UInt8] = []
            var chunk = [UInt8](repeating: 0, count: 1 << 16)
            while true {
                let count = try chunk.withUnsafeMutableBytes { try self.read.read(into: $0) }
                guard count > 0 else { return String(decoding: bytes, as: UTF8.self) }
                bytes += chunk.prefix(count)
            }
        }
    }

    private static func logger(_ journal: Journal) -> Logger {
        var logger = Logger(label: "test") { _ in JournalHandler(journal) }
        logger[metadataKey: "node"] = "1"
        return logger
    }

    @Test func `entries come in order, and repeats are told in one line`() async throws {
        let pipe = try Pipe()
        let journal = Journal(pipe.write, format: .logfmt, node: NodeID(1))
        let logger = Self.logger(journal)
        for number in 0..<30 { logger.info("the same", metadata: ["index": "\(number)"]) }
        for number in 0..<30 { logger.debug("asked for", metadata: ["index": "\(number)"]) }
        journal.rest(now: MonotonicTime(nanoseconds: .max), time: .zero)
        await journal.finish()
        try pipe.write.close()
        let lines = try pipe.text().split(separator: "\n")
        #expect(lines.count == 10 + 30 + 1)
        #expect(lines.prefix(10).enumerated().allSatisfy { $1.hasSuffix("message=\"the same\" index=\($0)") })
        #expect(
            lines.last?.hasSuffix(#"level=info node=1 message="repeated 20 times more: the same" count=20"#) == true)
        try pipe.read.close()
    }

    @Test func `a reader that does not read holds up nobody, and is told what it missed`() async throws {
        let pipe = try Pipe()
        let journal = Journal(pipe.write, format: .json, node: NodeID(1))
        let logger = Self.logger(journal)
        let text = String(repeating: "x", count: 900)
        let start = ContinuousClock.now
        for number in 0..<3_000 { logger.debug("asked for", metadata: ["index": "\(number)", "detail": "\(text)"]) }
        #expect(ContinuousClock.now - start < .seconds(20), "this thread never waited for the pipe")
        async let finished: Void = journal.finish()
        await finished
        let reading = Task.detached { try pipe.text() }
        while !Task.isCancelled {
            await journal.finish()
            if journal.isIdle { break }
        }
        try pipe.write.close()
        let lines = try await reading.value.split(separator: "\n")
        #expect((900...1_200).contains(lines.count), "1 MiB and what a pipe holds: \(lines.count)")
        let missing = 3_000 - (lines.count - 1)
        #expect(lines.last?.contains(#""message":"\#(missing) entries are missing here: stderr was not read""#) == true)
        try pipe.read.close()
    }

    @Test func `a stderr that is closed ends nothing`() async throws {
        let pipe = try Pipe()
        signal(SIGPIPE, SIG_IGN)
        try pipe.read.close()
        let journal = Journal(pipe.write, format: .logfmt, node: NodeID(1))
        Self.logger(journal).notice("nobody hears this")
        await journal.finish()
        #expect(journal.isIdle)
        try pipe.write.close()
    }
}
