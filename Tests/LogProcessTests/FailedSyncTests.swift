import Foundation
import SegmentLog
import Testing

/// The kernel's fdatasync fails (by `strace`, which makes it fail): nothing is retried, nothing acknowledged is lost.
@Suite(.timeLimit(.minutes(5))) struct `A failing fdatasync` {
    /// Not everywhere may a process trace another one.
    private static let hasStrace: Bool = {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["strace", "-f", "-o", "/dev/null", "-e", "trace=fdatasync", "true"]
        process.standardError = FileHandle.nullDevice
        guard (try? process.run()) != nil else { return false }
        process.waitUntilExit()
        return process.terminationStatus == 0
    }()

    @Test(
        .enabled(if: Self.hasStrace, "strace is not installed, or may not trace here (ptrace): not checked"),
        // The thread that opens the log makes the first few.
        arguments: [2, 5, 15, 40])
    func `refuses the append, is not tried again, and the log opens with all that was acknowledged`(
        _ number: Int
    ) async throws {
        try await KilledLog.with("always") { log in
            let trace = "\(log.directory)/trace"
            let process = try log.start(
                writers: 4,
                tracer: [
                    "strace", "-f", "-qq", "-o", trace, "-e", "trace=fdatasync", "-e",
                    "inject=fdatasync:error=EIO:when=\(number)+",
                ])
            let ending = try await process.awaitEnd()
            let lines = try log.note(process)
            #expect(lines.contains(.refused(errno: UInt64(EIO))), "\(lines.suffix(8))")
            let refusals = lines.filter { if case .refused = $0 { true } else { false } }
            if lines.contains(where: { if case .opened = $0 { true } else { false } }) {
                // Each writer ends with a refusal.
                #expect(ending == .exited(0) && refusals.count == 4)
            } else {
                #expect(ending == .exited(1) && lines.count == 1)
            }
            let calls = try String(contentsOfFile: trace, encoding: .utf8).split(separator: "\n")
            let failure = try #require(calls.firstIndex { $0.contains("INJECTED") })
            #expect(calls[(failure + 1)...].allSatisfy { !$0.contains("fdatasync") }, "\(calls[failure...])")
            try await log.check()
        }
    }
}
