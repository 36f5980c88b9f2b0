import DiskIO
import Glibc
import LogModel
import Simulation
import SystemPackage

@testable import SegmentLog

/// Where a stress run keeps its log.
enum StressStage: String, CaseIterable, Sendable {
    /// A temporary directory, removed afterwards.
    case machine
    case simulated

    func with(
        _ policy: FsyncPolicy, _ body: (LogConfiguration, any FileSystem) async throws -> Void
    ) async throws {
        switch self {
        case .simulated:
            let disk = SimulatedFileSystem()
            // Appends are stores into a mapping, or writes.
            disk.setKeepsReservations(.random())
            try await body(Self.configuration(policy, EngineHarness.directory), disk)
        case .machine:
            try await TemporaryDirectory.with { directory in
                try await body(Self.configuration(policy, directory.appending("log")), LinuxFileSystem())
            }
        }
    }

    /// Segments so small that a run rotates every hundred records.
    static func configuration(_ policy: FsyncPolicy, _ directory: FilePath) -> LogConfiguration {
        var configuration = LogConfiguration(
            directory: directory, policy: policy, segmentByteCountMax: 16 << 10, openFilesMax: 3)
        configuration.allowsSmallSegments = true
        return configuration
    }
}

/// A directory of one test.
enum TemporaryDirectory {
    static func with(_ body: (FilePath) async throws -> Void) async throws {
        var template = Array("/tmp/engine-test-XXXXXX".utf8CString)
        let isMade = template.withUnsafeMutableBufferPointer { buffer in
            buffer.baseAddress.map { mkdtemp($0) != nil } ?? false
        }
        guard isMade else { throw Errno(rawValue: errno) }
        let directory = FilePath(String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self))
        defer { Self.remove(directory) }
        try await body(directory)
    }

    /// Directories are told from files by whether they can be listed.
    private static func remove(_ path: FilePath) {
        let fileSystem = LinuxFileSystem()
        guard let names = try? fileSystem.list(path) else {
            unlink(path.string)
            return
        }
        for name in names { Self.remove(path.appending(name)) }
        rmdir(path.string)
    }
}
