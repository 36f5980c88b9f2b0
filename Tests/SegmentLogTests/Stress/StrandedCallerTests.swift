import DiskIO
import LogModel
import Simulation
import SystemPackage
import Testing

@testable import SegmentLog

/// Whatever closes a log to writers, nobody is left waiting.
@Suite(.timeLimit(.minutes(1))) struct `Callers that wait while the log fails` {
    @Test(arguments: [Errno.ioError, .noSpace])
    func `are told when a refused write cannot be taken back`(_ refusal: Errno) async throws {
        let gate = Gate()
        let disk = gate.disk()
        // A store into a mapping cannot be refused.
        disk.setKeepsReservations(false)
        let log = try await Self.open(disk)
        defer { gate.open() }
        // The second waits for the next sync, which never comes.
        let (first, second) = try await gate.holdTwoAppends(to: log)
        async let end = Self.end(of: log)
        disk.inject(.refuse(refusal), atNext: .write)
        disk.inject(.refuse(.ioError), atNext: .truncate)
        let third = Task { try await log.append(Record("third")) }
        for caller in [second, third] {
            let told = await #expect(throws: LogError.self) { try await caller.value }
            // Neither knows what is in the file.
            guard case .storage = told else {
                Issue.record("callers may take \(String(describing: told)) for a refusal")
                return
            }
            gate.open()
        }
        _ = await first.result
        #expect(await end == .failed)
    }

    @Test func `are told when a trim fails`() async throws {
        let gate = Gate()
        let disk = gate.disk()
        let log = try await Self.open(disk)
        for number in 0..<100 { try await log.append(Record(EngineHarness.value(number))) }
        async let end = Self.end(of: log)
        disk.inject(.refuse(.ioError), atNext: .syncDirectory)
        await #expect(throws: LogError.self) { try await log.trim(before: log.tail) }
        #expect(await end == .failed)
        await #expect(throws: LogError.failed) { try await log.append(Record("refused")) }
    }

    private static func open(_ disk: SimulatedFileSystem) async throws -> SegmentLog {
        let configuration = EngineHarness.configuration(segmentByteCountMax: 4096)
        return try await SegmentLog.open(configuration, fileSystem: disk).log
    }

    /// How a reader that follows the log ends.
    private static func end(of log: SegmentLog) async -> LogError? {
        do throws(LogError) {
            for try await _ in try log.read(from: .tail, following: true) {}
            return nil
        } catch {
            return error
        }
    }
}
